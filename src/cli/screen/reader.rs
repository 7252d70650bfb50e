//! The thread that reads packets for the screen, so that a key never waits for a packet.
//!
//! ```text
//!  source ──► hold back to the pace of a played file ──► Batch ──bounded channel──► analysis
//!                  ▲
//!                  └── Control: pause, step, speed
//! ```

use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use crate::cli::analysis;
use crate::cli::error::CliError;
use crate::cli::settings::Settings;
use crate::source::batch::Batch;
use crate::source::file::Progress;
use crate::source::{Next, Source, SourceError, SourceFiles, Stop};
use crate::time::Timestamp;

/// What the reader tells.
pub enum News {
    /// The source is open. Comes first.
    Opened {
        /// Its files, where packets can be read again.
        again: SourceFiles,
    },
    /// The next packets.
    Packets {
        /// They.
        batch: Batch,
        /// How much of the files was read.
        progress: Progress,
        /// Packets that the kernel had no room for so far.
        kernel_drops: Option<u64>,
    },
    /// Nothing came for a moment; the time up to which nothing came, where it is known.
    Idle(Option<Timestamp>, Option<u64>),
    /// A file or an interface ended before its end.
    Trouble(SourceError),
    /// There are no more packets.
    Ended {
        /// Packets that the kernel had no room for.
        kernel_drops: Option<u64>,
        /// What files lack at their ends, in bytes.
        file_bytes_cut: u64,
        /// The same as sentences.
        cuts: Vec<String>,
    },
    /// The source could not be opened.
    Failed(CliError),
}

/// What the reader can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// Hand on nothing, or go on. Of a file only: a live capture does not wait.
    Pause(bool),
    /// While paused: hand on one packet.
    Step,
    /// Play at this many times the file's own pace.
    Speed(Option<f64>),
}

/// A running reader. Dropped, it ends.
pub struct Reader {
    /// What it tells.
    pub news: Receiver<News>,
    control: Sender<Control>,
    stop: Stop,
}

impl Reader {
    /// Begins to read what `settings` name.
    ///
    /// # Errors
    ///
    /// Where the system gives no thread.
    pub fn start(settings: &Settings) -> Result<Self, CliError> {
        let (send, news) = bounded(QUEUE);
        let (control, controls) = unbounded();
        let stop = Stop::default();
        analysis::end_after_time(settings, &stop);
        let worker = Worker {
            settings: settings.clone(),
            news: send,
            pace: Pace::new(controls, stop.clone(), settings),
            batch: Batch::default(),
        };
        let thread = thread::Builder::new().name("reader".to_owned());
        thread.spawn(move || worker.run()).map_err(CliError::Output)?;
        Ok(Self { news, control, stop })
    }

    /// Tells it something. One that has ended need not hear it.
    pub fn tell(&self, control: Control) {
        let _ = self.control.send(control);
    }

    /// Ends it, and waits until the file that it saves packets in is whole. Not for ever: a pipe
    /// that nobody writes to cannot be left.
    pub fn end(self) {
        self.stop.set();
        while self.news.recv_timeout(PARTING).is_ok() {}
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop.set();
    }
}

struct Worker {
    settings: Settings,
    news: Sender<News>,
    pace: Pace,
    batch: Batch,
}

/// The analysis is gone: nobody wants to hear more.
struct Unheard;

impl Worker {
    fn run(mut self) {
        match analysis::open(&self.settings, &self.pace.stop) {
            Ok(source) => {
                // Whoever hears no more has ended, and this ends too.
                let _ = self.read(source);
            }
            Err(error) => {
                let _ = self.news.send(News::Failed(error));
            }
        }
    }

    fn read(&mut self, mut source: Source) -> Result<(), Unheard> {
        self.tell(News::Opened { again: source.again() })?;
        let mut packets_left = self.settings.packets.unwrap_or(u64::MAX);
        let mut full = FIRST_BATCH;
        while packets_left > 0 {
            match source.next_placed() {
                Ok((Next::Packet(packet), place)) => {
                    packets_left -= 1;
                    if self.pace.must_wait(packet.at) {
                        // What came before it is due, and must not wait with it.
                        send(&self.news, &mut self.batch, Progress::default(), None)?;
                        self.pace.wait(packet.at);
                    }
                    self.batch.push(&packet, place);
                }
                Ok((Next::Idle(settled), _)) => {
                    self.send_batch(&source)?;
                    self.tell(News::Idle(settled, source.kernel_drops()))?;
                    continue;
                }
                Ok((Next::End, _)) => break,
                Err(error) => {
                    self.tell(News::Trouble(error))?;
                    continue;
                }
            }
            let is_full = self.batch.len() >= full || self.batch.weight() >= BATCH_WEIGHT;
            if is_full || !source.has_next_at_hand() || self.pace.is_slow() {
                self.send_batch(&source)?;
                full = BATCH;
            }
        }
        self.send_batch(&source)?;
        if let Err(error) = source.finish() {
            self.tell(News::Trouble(error))?;
        }
        self.tell(News::Ended {
            kernel_drops: source.kernel_drops(),
            file_bytes_cut: source.cuts().map(|cut| cut.bytes).sum(),
            cuts: source.cuts().map(ToString::to_string).collect(),
        })
    }

    fn send_batch(&mut self, source: &Source) -> Result<(), Unheard> {
        send(&self.news, &mut self.batch, source.progress(), source.kernel_drops())
    }

    fn tell(&self, news: News) -> Result<(), Unheard> {
        self.news.send(news).map_err(|_| Unheard)
    }
}

fn send(
    news: &Sender<News>,
    batch: &mut Batch,
    progress: Progress,
    kernel_drops: Option<u64>,
) -> Result<(), Unheard> {
    if batch.is_empty() {
        return Ok(());
    }
    let batch = std::mem::take(batch);
    news.send(News::Packets { batch, progress, kernel_drops }).map_err(|_| Unheard)
}

/// Holds packets of a file back until their time has come.
struct Pace {
    controls: Receiver<Control>,
    stop: Stop,
    is_file: bool,
    speed: Option<f64>,
    paused: bool,
    steps: u64,
    /// The moment at which a packet of this time was due; from it on the pace is counted.
    origin: Option<(Instant, Timestamp)>,
}

impl Pace {
    fn new(controls: Receiver<Control>, stop: Stop, settings: &Settings) -> Self {
        Self {
            controls,
            stop,
            is_file: !settings.is_live(),
            speed: settings.screen.speed,
            paused: false,
            steps: 0,
            origin: None,
        }
    }

    /// Whether each packet is waited for by whoever watches.
    fn is_slow(&self) -> bool {
        self.is_file && (self.speed.is_some() || self.paused)
    }

    /// Whether the packet of time `at` is to be held back now. While paused each one is, also where
    /// a step is already asked for: only [`Self::wait`] takes steps off.
    fn must_wait(&mut self, at: Timestamp) -> bool {
        while let Ok(control) = self.controls.try_recv() {
            self.obey(control);
        }
        self.is_file && (self.paused || self.until_due(at).is_some())
    }

    /// Returns when the packet of time `at` may be handed on.
    fn wait(&mut self, at: Timestamp) {
        while !self.stop.is_set() {
            let patience = if self.paused {
                if self.steps > 0 {
                    break;
                }
                PATIENCE
            } else {
                match self.until_due(at) {
                    Some(time) => time.min(PATIENCE),
                    None => break,
                }
            };
            match self.controls.recv_timeout(patience) {
                Ok(control) => self.obey(control),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.stop.set(),
            }
        }
        if self.paused {
            self.steps = self.steps.saturating_sub(1);
            self.origin = None;
        }
    }

    /// How long it is until the packet of time `at` is due; `None` where it is.
    fn until_due(&mut self, at: Timestamp) -> Option<Duration> {
        let speed = self.speed?;
        let now = Instant::now();
        let (began, first) = *self.origin.get_or_insert((now, at));
        // A pace is no more exact than a float.
        #[expect(clippy::cast_precision_loss)]
        let seconds = at.saturating_since(first).get() as f64 / 1e9 / speed;
        let due = began.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        let left = due.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    fn obey(&mut self, control: Control) {
        match control {
            Control::Pause(paused) => {
                self.paused = paused;
                self.steps = 0;
            }
            Control::Step => self.steps += u64::from(self.paused),
            Control::Speed(speed) => self.speed = speed,
        }
        // What was waited for counts from now on.
        self.origin = None;
    }
}

/// Batches under way. With the analysis busy for 50 ms at 100,000 packets a second, some 5,000
/// packets wait here, and nothing in the kernel.
const QUEUE: usize = 16;

/// Packets in a batch, and their bytes: what is analysed in a few milliseconds, between two looks
/// at the keyboard.
const BATCH: usize = 2_048;
const BATCH_WEIGHT: usize = 512 << 10;

/// Packets in the first batch: something to see at once.
const FIRST_BATCH: usize = 128;

/// How long a source may take to end.
const PARTING: Duration = Duration::from_secs(2);

/// How long the wait of a played file goes on without a look at whether it is still wanted.
const PATIENCE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_wait_are_a_packet_each() {
        for speed in [None, Some(10.0)] {
            let (control, controls) = unbounded();
            let mut pace = Pace {
                controls,
                stop: Stop::default(),
                is_file: true,
                speed,
                paused: false,
                steps: 0,
                origin: None,
            };
            for told in [Control::Pause(true), Control::Step, Control::Step, Control::Step] {
                control.send(told).unwrap();
            }
            // Nothing more comes: the packet that has no step waits until the pace is stopped.
            drop(control);
            let mut packets = 0;
            while !pace.stop.is_set() {
                let at = Timestamp::from_nanos(packets);
                if pace.must_wait(at) {
                    pace.wait(at);
                }
                packets += i64::from(!pace.stop.is_set());
                assert!(packets <= 3, "{speed:?}");
            }
            assert_eq!(packets, 3, "{speed:?}");
        }
    }

    #[test]
    fn a_packet_is_due_when_its_time_has_passed_at_the_pace() {
        let (_control, controls) = unbounded();
        let (stop, origin) = (Stop::default(), None);
        let speed = Some(0.001);
        let mut pace =
            Pace { controls, stop, is_file: true, speed, paused: false, steps: 0, origin };
        let at = |secs: i64| Timestamp::from_nanos(secs * 1_000_000_000);
        assert_eq!(pace.until_due(at(50)), None, "the first one");
        let left = pace.until_due(at(51)).unwrap();
        assert!(left <= Duration::from_secs(1_000) && left > Duration::from_secs(900), "{left:?}");
        assert_eq!(pace.until_due(at(49)), None, "where the clock stepped back");
        pace.obey(Control::Speed(Some(1_000.0)));
        assert_eq!(pace.until_due(at(51)), None, "counted from here on");
    }
}
