//! Live capture through libpcap.
//!
//! Each interface has a thread that copies packets, once, into batches and hands these to the
//! analysis. If that falls behind, batches fill up and wait, then the kernel's buffer does, and
//! then the kernel counts what it drops: nothing is lost unseen.
//!
//! This is the edge of the system, so it reads the clock: to say, when nothing comes, up to which
//! moment nothing came.
//!
//! ```text
//!  kernel ring ──poll, dispatch──► batch ──bounded channel──► Live::next ──► Packet<'_>
//!  (-B)                              ▲────────emptied────────────┘
//! ```
//!
//! Traps of libpcap that shape this file. Its read time-out does not fire on Linux while no packet
//! comes, so the handle is non-blocking and we poll. Its immediate mode gives every packet a slot
//! of the snap length and drops at rates that blocks bear easily, so it is off; the kernel hands
//! over a block after some milliseconds at the latest. A loopback shows every packet twice, as it
//! leaves and as it arrives, and libpcap throws away one of them after both took their place in the
//! kernel's buffer. (`inbound` in the filter would keep it out, but libpcap applies a new filter to
//! the first blocks itself, and cannot tell directions there: it would lose those packets.)
//! A handle captures from when it is opened, but the filter comes later: what came before it is
//! kept, and what comes while libpcap sets it, with a filter that takes nothing, is missing. So
//! what bears a time before the filter stood is thrown away, and a capture begins without a hole.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, TrySendError};
use pcap::{Active, Capture};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::device;
use super::file::Advance;
use super::points::{CapturePoints, Point};
use super::{CaptureOptions, Next, SourceError, Stop};
use crate::packet::{LinkType, Packet, PacketNumber, PointId};
use crate::time::Timestamp;

/// Packets of one or several interfaces, as they pass.
pub struct Live {
    messages: Receiver<Message>,
    emptied: Sender<Batch>,
    batch: Batch,
    /// How many packets of the batch were given.
    given: usize,
    number: PacketNumber,
    settled: Option<Timestamp>,
    points: CapturePoints,
    taps: Vec<Arc<Tap>>,
    threads: Vec<JoinHandle<()>>,
    closing: Stop,
}

impl Live {
    /// Opens every interface of `options` and begins to capture.
    ///
    /// # Errors
    ///
    /// Where one of them does not exist or may not be captured on, or the filter makes no sense.
    pub fn open(options: &CaptureOptions, stop: &Stop) -> Result<Self, SourceError> {
        let (send, messages) = crossbeam_channel::bounded(QUEUE);
        let (emptied, empty) = crossbeam_channel::bounded(QUEUE);
        let closing = Stop::default();
        let mut live = Self {
            messages,
            emptied,
            batch: Batch::new(),
            given: 0,
            number: PacketNumber(0),
            settled: None,
            points: CapturePoints::default(),
            taps: Vec::new(),
            threads: Vec::new(),
            closing: closing.clone(),
        };
        let mut names: Vec<&String> = Vec::new();
        for name in &options.interfaces {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        // All are opened before the first begins, so that an error finds none at work.
        let opened = names
            .into_iter()
            .map(|name| Ok((device::open(name, options)?, name.clone())))
            .collect::<Result<Vec<_>, SourceError>>()?;
        // Every filter stands: what is captured from this moment on, none of them missed.
        let begins = nanos(SystemTime::now());
        for (capture, name) in opened {
            let link = device::link_type(&capture);
            let tap = Arc::new(Tap {
                point: live.points.add(Point::live(&name, link, options.snap_len)),
                name,
                dropped: AtomicU64::new(0),
                settled: AtomicI64::new(i64::MIN),
            });
            live.taps.push(Arc::clone(&tap));
            let worker = Worker {
                link,
                capture,
                tap,
                dropped_before: 0,
                stop: stop.clone(),
                closing: closing.clone(),
                send: send.clone(),
                empty: empty.clone(),
                batch: Batch::new(),
                gathering_since: None,
                begins: Some((Timestamp::from_nanos(begins), Instant::now() + BEGINS_WITHIN)),
            };
            let thread = thread::Builder::new().name("capture".to_owned());
            let handle = thread.spawn(move || worker.run());
            live.threads.push(handle.map_err(SourceError::Thread)?);
        }
        Ok(live)
    }

    /// The next packet of any interface, its number counted from 1 over all of them.
    ///
    /// # Errors
    ///
    /// Where an interface went down. It has ended; asked again, the others go on.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Result<Next<'_>, SourceError> {
        Ok(match self.advance()? {
            Advance::Packet => Next::Packet(self.packet()),
            Advance::Idle => Next::Idle(self.settled()),
            Advance::End => Next::End,
        })
    }

    /// The interfaces.
    pub fn points(&self) -> &CapturePoints {
        &self.points
    }

    /// Packets that the kernel had no room for, per interface. Read once a second and when the
    /// interface ends. Those of the loopback may be counted twice, as its packets pass the kernel's
    /// taps twice.
    pub fn drops(&self) -> impl Iterator<Item = (PointId, u64)> {
        self.taps.iter().map(|tap| (tap.point, tap.dropped.load(Ordering::Relaxed)))
    }

    /// Ends the capture without giving what is under way, and reads the drops a last time.
    pub fn close(&mut self) {
        self.closing.set();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so itself.
            let _ = thread.join();
        }
    }

    #[inline]
    pub(super) fn advance(&mut self) -> Result<Advance, SourceError> {
        self.given += 1;
        while self.given > self.batch.packets.len() {
            self.given = 1;
            // Read before the wait: what was handed over before the marks were set is then given
            // before the wait comes to nothing.
            self.settled = self.read_marks();
            match self.messages.recv_timeout(PATIENCE) {
                Ok(Message::Batch(batch)) => {
                    let mut empty = std::mem::replace(&mut self.batch, batch);
                    empty.clear();
                    // Full means that there are enough of them.
                    let _ = self.emptied.try_send(empty);
                }
                Ok(Message::Ended(error)) => {
                    self.batch.clear();
                    self.given = 0;
                    return Err(error);
                }
                Err(outcome) => {
                    self.batch.clear();
                    self.given = 0;
                    return Ok(match outcome {
                        RecvTimeoutError::Timeout => Advance::Idle,
                        RecvTimeoutError::Disconnected => Advance::End,
                    });
                }
            }
        }
        self.number = self.number.next();
        Ok(Advance::Packet)
    }

    /// Whether the next packet was handed over already.
    pub(super) fn has_next_at_hand(&self) -> bool {
        self.given < self.batch.packets.len() || !self.messages.is_empty()
    }

    #[inline]
    pub(super) fn packet(&self) -> Packet<'_> {
        let header = self.batch.packets.get(self.given.wrapping_sub(1));
        let header = header.copied().unwrap_or_default();
        Packet {
            number: self.number,
            at: header.at,
            link: self.batch.link,
            point: self.batch.point,
            data: self.batch.bytes.get(header.from..header.from + header.len).unwrap_or_default(),
            original_len: header.original_len,
        }
    }

    /// After nothing came: a point in time before which every packet was given.
    pub(super) fn settled(&self) -> Option<Timestamp> {
        self.settled
    }

    fn read_marks(&self) -> Option<Timestamp> {
        let marks = self.taps.iter().map(|tap| tap.settled.load(Ordering::Acquire));
        let least = marks.min()?;
        let known = least != i64::MIN && least != i64::MAX;
        known.then(|| Timestamp::from_nanos(least))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.close();
    }
}

/// What is known of an interface while it is captured on.
struct Tap {
    name: String,
    point: PointId,
    dropped: AtomicU64,
    /// Nanoseconds since the epoch before which every packet was handed over; `i64::MIN` before
    /// that is known, `i64::MAX` when the interface has ended.
    settled: AtomicI64,
}

enum Message {
    Batch(Batch),
    Ended(SourceError),
}

/// Packets of one interface, their bytes one after the other.
struct Batch {
    point: PointId,
    link: LinkType,
    bytes: Vec<u8>,
    packets: Vec<Header>,
}

impl Batch {
    const fn new() -> Self {
        Self { point: PointId(0), link: LinkType::NULL, bytes: Vec::new(), packets: Vec::new() }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.packets.clear();
    }

    fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH_BYTES || self.packets.len() >= BATCH_PACKETS
    }

    /// Copies a packet, unless it came before `begins`.
    #[allow(clippy::useless_conversion, reason = "other systems count in 32 bits")]
    fn push(&mut self, packet: &pcap::Packet<'_>, begins: Option<Timestamp>) {
        let time = packet.header.ts;
        // With Precision::Nano the field of microseconds holds nanoseconds.
        let nanos = i64::from(time.tv_sec)
            .saturating_mul(1_000_000_000)
            .saturating_add(i64::from(time.tv_usec));
        let at = Timestamp::from_nanos(nanos);
        if begins.is_some_and(|begins| at < begins) {
            return;
        }
        self.packets.push(Header {
            at,
            from: self.bytes.len(),
            len: packet.data.len(),
            original_len: packet.header.len,
        });
        if self.bytes.capacity() == 0 {
            // At once, since growing copies what is there already.
            self.bytes.reserve(BATCH_BYTES + BATCH_BYTES / 8);
        }
        self.bytes.extend_from_slice(packet.data);
    }
}

/// One packet of a batch.
#[derive(Clone, Copy, Default)]
struct Header {
    at: Timestamp,
    /// Where in the bytes of the batch it lies.
    from: usize,
    len: usize,
    original_len: u32,
}

/// The thread of an interface.
struct Worker {
    capture: Capture<Active>,
    link: LinkType,
    tap: Arc<Tap>,
    /// What libpcap counted when it was last asked.
    dropped_before: u32,
    stop: Stop,
    closing: Stop,
    send: Sender<Message>,
    empty: Receiver<Batch>,
    batch: Batch,
    /// Since when the batch has waited to be handed over.
    gathering_since: Option<Instant>,
    /// Before when packets are thrown away, and until when that is looked at: later, such a time
    /// means that the clock was set.
    begins: Option<(Timestamp, Instant)>,
}

impl Worker {
    fn run(mut self) {
        if let Err(reason) = self.capture() {
            self.hand_over(true);
            self.offer(Message::Ended(SourceError::InterfaceEnded {
                interface: self.tap.name.clone(),
                reason,
            }));
        }
        self.read_drops();
        self.tap.settled.store(i64::MAX, Ordering::Release);
    }

    /// Captures until told to end; or until the interface ends, with the reason.
    fn capture(&mut self) -> Result<(), String> {
        let mut ends_at = None;
        let mut drops_at = Instant::now() + DROPS_EVERY;
        while !self.closing.is_set() {
            let now = Instant::now();
            if now >= drops_at {
                self.read_drops();
                drops_at = now + DROPS_EVERY;
            }
            // What was captured before the stop is still under way for a moment.
            if self.stop.is_set() && now >= *ends_at.get_or_insert(now + HANDED_OVER_WITHIN) {
                self.hand_over(true);
                break;
            }
            let disturbed = wait(&self.capture);
            let before = SystemTime::now();
            let drained = self.drain().map_err(device::reason)?;
            // libpcap goes on when an interface is switched off, since it may come back. Nobody
            // would know why nothing comes any more.
            if disturbed && device::is_down(&self.tap.name) {
                return Err("The interface went down".to_owned());
            }
            self.hand_over(false);
            if drained && self.batch.is_empty() {
                let settled = nanos(before).saturating_sub(nanos_of(HANDED_OVER_WITHIN));
                self.tap.settled.store(settled, Ordering::Release);
            }
        }
        Ok(())
    }

    /// Copies what the kernel has ready into the batch, and says whether that was all.
    fn drain(&mut self) -> Result<bool, pcap::Error> {
        while !self.batch.is_full() {
            let batch = &mut self.batch;
            self.begins = self.begins.filter(|(_, until)| Instant::now() < *until);
            let begins = self.begins.map(|(begins, _)| begins);
            let count = self.capture.dispatch(Some(DISPATCH), |packet| {
                batch.push(&packet, begins);
            })?;
            if count == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Hands the batch to the analysis. While others wait there, it may grow for a moment, so that
    /// the queue holds bytes rather than batches; if there is no room, until it is full. Then, or
    /// when `now`, room is waited for.
    fn hand_over(&mut self, now: bool) {
        if self.batch.is_empty() {
            self.gathering_since = None;
            return;
        }
        let since = *self.gathering_since.get_or_insert_with(Instant::now);
        let may_grow = !self.batch.is_full() && since.elapsed() < GATHERED_WITHIN;
        if !now && may_grow && self.send.len() > 1 {
            return;
        }
        self.gathering_since = None;
        let empty = self.empty.try_recv().unwrap_or(Batch::new());
        let mut batch = std::mem::replace(&mut self.batch, empty);
        batch.point = self.tap.point;
        batch.link = self.link;
        match self.send.try_send(Message::Batch(batch)) {
            Err(TrySendError::Full(Message::Batch(batch))) if !now && !batch.is_full() => {
                self.batch = batch;
            }
            Err(TrySendError::Full(message)) => self.offer(message),
            // The consumer is gone, and nobody wants to know.
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
        }
    }

    /// Waits for room in the queue, as long as anybody reads from it.
    fn offer(&self, mut message: Message) {
        while let Err(SendTimeoutError::Timeout(back)) = self.send.send_timeout(message, PATIENCE) {
            if self.closing.is_set() {
                return;
            }
            message = back;
        }
    }

    fn read_drops(&mut self) {
        // An interface that is gone has no statistics any more; what was read stays.
        if let Ok(statistics) = self.capture.stats() {
            // libpcap counts in 32 bits, which may wrap.
            let more = statistics.dropped.wrapping_sub(self.dropped_before);
            self.dropped_before = statistics.dropped;
            self.tap.dropped.fetch_add(more.into(), Ordering::Relaxed);
        }
    }
}

/// Waits for packets, or for a moment. Says whether something happened to the interface.
fn wait(capture: &Capture<Active>) -> bool {
    let fd = capture.as_fd();
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    // An error would be a signal, or that there is no memory; dispatch does without the wait.
    let waited = poll(&mut fds, Some(&POLL));
    let [fd] = fds;
    waited.is_ok() && fd.revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

fn nanos(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, nanos_of)
}

fn nanos_of(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

/// Time in which the kernel surely handed over a packet. Its timer may pass once over a block that
/// was just begun, and counts in jiffies of up to 10 ms.
const HANDED_OVER_WITHIN: Duration = Duration::from_millis(40);

/// How long after the start packets may come that were captured before it: those that wait in the
/// kernel's buffer, and some more for a machine that is busy.
const BEGINS_WITHIN: Duration = Duration::from_secs(1);

/// How long a capture thread waits for packets before it looks whether to end.
const POLL: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// How long the consumer waits for packets before it may run its time-outs.
const PATIENCE: Duration = Duration::from_millis(50);

/// How often the kernel's drops are read.
const DROPS_EVERY: Duration = Duration::from_secs(1);

/// Packets copied between two looks at the size of the batch. 16 of the largest are 1 MiB.
const DISPATCH: usize = 16;

/// How long a batch may grow while others wait before it.
const GATHERED_WITHIN: Duration = Duration::from_millis(20);

/// Bytes of a batch, beyond which it is full.
const BATCH_BYTES: usize = 1 << 20;

/// Packets of a batch, beyond which it is full: tiny ones weigh too.
const BATCH_PACKETS: usize = 16_384;

/// Batches that wait for the analysis. Full ones are 64 MiB: half a second at 1 Gbit/s, before the
/// kernel's buffer fills. Others cover more than a second, as they are 20 ms apart.
const QUEUE: usize = 64;
