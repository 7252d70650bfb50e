//! All that the screen knows of a capture: the archive of exchanges and packets, the statistics,
//! the connections. Fed packet by packet and update by update; asked read-only questions.

use std::collections::HashSet;

use crate::endpoint::Side;
use crate::engine::{ConnectionFacts, Counts, EngineEvent};
use crate::exchange::{Exchange, ExchangeKind, ExchangeNumber, Frame, Replied};
use crate::limits;
use crate::packet::{Packet, PacketNumber};
use crate::protocol::{Foreign, Kind, read_body};
use crate::source::SourceFiles;
use crate::store::archive::{FrameRecord, Place};
use crate::store::connections::Connections;
use crate::store::{
    Archive, Capture, Completeness, GroupRow, Latencies, Percentiles, Statistics, Timelines,
};
use crate::stream::CloseReason;
use crate::time::Timestamp;

/// Where the bytes of a packet stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nowhere else: they are copied.
    Memory,
    /// In a capture file that can be read again.
    File {
        /// The index of the file among those that are read.
        file: u16,
        /// Where its captured bytes begin there.
        offset: u64,
    },
}

/// What is known of a connection, standing or over.
#[derive(Clone, Debug)]
pub struct ConnectionRecord {
    /// What the engine tells of it.
    pub facts: ConnectionFacts,
    /// Calls without final reply so far.
    pub in_flight: u64,
    /// Calls, those in flight included.
    pub calls: u64,
    /// Events.
    pub events: u64,
    /// Calls that ended `error`.
    pub errors: u64,
    /// Calls that ended without a final reply.
    pub no_reply: u64,
    /// Latencies of the calls that were answered, while it stands.
    pub(super) latencies: Latencies,
    /// What was told of them when it was over.
    pub(super) latency: Option<Percentiles>,
}

impl ConnectionRecord {
    /// How it ended; `None` while it stands.
    pub fn why(&self) -> Option<CloseReason> {
        self.facts.end.map(|end| end.why)
    }

    /// Latency of its calls that ended `ok` or `error`: of more than some hundred, at most 6 % too
    /// high.
    pub fn latency(&self) -> Option<Percentiles> {
        self.latency.or_else(|| self.latencies.percentiles())
    }

    /// What it speaks, where that is not Nest TCP.
    pub fn foreign(&self) -> Option<&'static str> {
        self.facts.foreign.map(Foreign::name)
    }
}

/// How full the memory is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Bytes in use for exchanges and packets.
    pub used: usize,
    /// Bytes that may be.
    pub ceiling: usize,
    /// Packets whose bytes gave way to newer ones.
    pub packets_dropped: u64,
    /// Exchanges that gave way to newer ones.
    pub rows_dropped: u64,
}

/// All that the screen knows of a capture.
#[derive(Debug)]
pub struct CaptureStore {
    archive: Archive,
    statistics: Statistics,
    /// The attempts to connect that are counted though they still wait: never more than
    /// connections.
    waiting_attempts: HashSet<ExchangeNumber>,
    timelines: Timelines,
    connections: Connections,
    counted: Counted,
    changed: Vec<ExchangeNumber>,
    /// More changed than `changed` has room for.
    changes_missed: bool,
    memory: Memory,
    /// The packet that is being pushed.
    lent: Option<Lent>,
    /// Exchanges with smaller numbers began before everything was cleared.
    cleared: ExchangeNumber,
    /// Packets that came before.
    cleared_packets: u64,
    /// Behind the largest number of an exchange.
    end: ExchangeNumber,
}

/// Where the bytes of the packet that is being pushed are, and where they are kept.
#[derive(Clone, Copy, Debug)]
struct Lent {
    number: PacketNumber,
    address: usize,
    len: usize,
    place: Place,
}

/// What was counted, in all and since everything was cleared.
#[derive(Debug, Default)]
struct Counted {
    capture: Capture,
    completeness: Completeness,
    /// In all, when everything was cleared.
    before: (Capture, Completeness),
    /// In all, now.
    now: (Capture, Completeness),
    span: Option<(Timestamp, Timestamp)>,
}

impl Default for CaptureStore {
    fn default() -> Self {
        Self::new(limits::MEMORY)
    }
}

impl CaptureStore {
    /// Knows nothing yet, and will take up to `ceiling` bytes.
    pub fn new(ceiling: usize) -> Self {
        Self::with_files(ceiling, SourceFiles::default())
    }

    /// Knows nothing yet, and will take up to `ceiling` bytes. Packets that are kept in a file are
    /// read again from `files`.
    pub fn with_files(ceiling: usize, files: SourceFiles) -> Self {
        Self {
            archive: Archive::new(files),
            statistics: Statistics::default(),
            waiting_attempts: HashSet::new(),
            timelines: Timelines::default(),
            connections: Connections::default(),
            counted: Counted::default(),
            changed: Vec::new(),
            changes_missed: false,
            memory: Memory { ceiling: ceiling.max(limits::MEMORY_LEAST), ..Memory::default() },
            lent: None,
            cleared: ExchangeNumber(0),
            cleared_packets: 0,
            end: ExchangeNumber(1),
        }
    }

    /// The next packet, before the engine gets it.
    pub fn packet(&mut self, packet: &Packet<'_>, kept: Kept) {
        let place = self.archive.add_packet(packet, kept);
        let (number, data) = (packet.number, packet.data);
        self.lent = Some(Lent { number, address: data.as_ptr().addr(), len: data.len(), place });
        if packet.at.is_known() {
            self.counted.span = Some(match self.counted.span {
                None => (packet.at, packet.at),
                Some((first, last)) => (first.min(packet.at), last.max(packet.at)),
            });
        }
        self.make_room();
    }

    /// What the engine tells while it has that packet, or later.
    pub fn take(&mut self, update: &EngineEvent<'_>) {
        match update {
            EngineEvent::Segment(connection) => self.archive.packet_is_of(connection.number),
            EngineEvent::Opened(opened) => {
                self.archive.open(opened.connection, &opened.ends);
                self.connections.open(opened);
            }
            EngineEvent::Late { connection, packet } => {
                self.archive.packet_was_of(*packet, connection.number);
            }
            EngineEvent::Attempted(exchange) => self.attempted(exchange),
            EngineEvent::Began(exchange, frame) => self.began(exchange, frame),
            EngineEvent::Replied(replied) => self.replied(replied),
            EngineEvent::Exchange(exchange) => self.ended(exchange),
            EngineEvent::Closed(closed) => {
                self.statistics.close(closed);
                self.connections.close(closed);
                self.archive.close(closed.connection);
            }
        }
    }

    /// How a connection stands. Asked of the engine now and then, between two packets.
    pub fn standing(&mut self, standing: &ConnectionFacts) {
        self.connections.standing(standing);
    }

    /// What was counted since the beginning. Asked of the engine and the source now and then,
    /// between two packets.
    pub fn counted(&mut self, counts: &Counts, kernel_drops: Option<u64>, file_bytes_cut: u64) {
        let completeness =
            Completeness { kernel_drops, file_bytes_cut, ..Completeness::new(counts) };
        self.counted.set((Capture::new(counts), completeness));
    }

    /// Packets that came since everything was cleared.
    pub fn packets(&self) -> u64 {
        let all = self.archive.packets().end.0.saturating_sub(1);
        all.saturating_sub(self.cleared_packets)
    }

    /// Whether packets came that were cleared.
    pub const fn is_cleared(&self) -> bool {
        self.cleared_packets > 0
    }

    /// Every exchange and every packet that is remembered.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Patterns and totals over everything since the beginning or the last [`clear`](Self::clear),
    /// what gave way included.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// A row per server end over the same time, with the attempts to connect to it that failed; the
    /// one with the largest sum of latencies first.
    pub fn servers(&self) -> Vec<&GroupRow> {
        self.statistics.servers()
    }

    /// What happened of each pattern when, over the same time as [`statistics`](Self::statistics).
    pub fn timelines(&self) -> &Timelines {
        &self.timelines
    }

    /// What was read, by what was [`counted`](Self::counted) last.
    pub fn capture(&self) -> &Capture {
        &self.counted.capture
    }

    /// What was seen whole, and what was not, by what was [`counted`](Self::counted) last.
    pub fn completeness(&self) -> &Completeness {
        &self.counted.completeness
    }

    /// The connections, in the order in which they were first seen. Of too many, those that are
    /// over and the least busy are left out.
    pub fn connections(&self) -> &[ConnectionRecord] {
        self.connections.records()
    }

    /// Connections that were left out.
    pub fn connections_folded(&self) -> u64 {
        self.connections.folded()
    }

    /// The numbers of the exchanges that began, got a reply or ended since this was last asked, in
    /// the order in which that happened; some may come more than once. All that are remembered,
    /// where nobody asked for so long that they are not known any more.
    pub fn changed(&mut self) -> Vec<ExchangeNumber> {
        let changed = std::mem::take(&mut self.changed);
        if std::mem::take(&mut self.changes_missed) {
            return ExchangeNumber::each(self.archive.numbers()).collect();
        }
        changed
    }

    /// How full the memory is.
    pub fn memory(&self) -> Memory {
        Memory { used: self.archive.weight(), ..self.memory }
    }

    /// Forgets every exchange and every number; what comes next is counted anew. Exchanges that
    /// began before are not counted when they end, and connections that stand stay.
    pub fn clear(&mut self) {
        self.archive.clear();
        self.statistics = Statistics::default();
        self.waiting_attempts.clear();
        self.timelines = Timelines::default();
        self.connections.clear();
        self.counted.clear();
        self.changed.clear();
        self.changes_missed = false;
        self.memory = Memory { ceiling: self.memory.ceiling, ..Memory::default() };
        self.cleared = self.end;
        self.cleared_packets += self.packets();
    }

    fn began(&mut self, exchange: &Exchange<'_>, frame: &Frame<'_>) {
        self.end = self.end.max(exchange.number.next());
        if exchange.number < self.cleared {
            return;
        }
        self.connections.began(exchange, frame);
        let from = match exchange.kind {
            ExchangeKind::Request | ExchangeKind::Event | ExchangeKind::Connect => Side::Client,
            ExchangeKind::Reply => Side::Server,
        };
        // Orphans are few, so that it may be read once more.
        let (failed, last) = match read_orphan(exchange, frame) {
            Some(Kind::Reply { failed, last, .. }) => (failed, last),
            _ => (false, false),
        };
        let record = self.record(from, frame, failed, last);
        if self.archive.begin(exchange, &record) {
            self.change(exchange.number);
        }
    }

    fn attempted(&mut self, exchange: &Exchange<'_>) {
        self.end = self.end.max(exchange.number.next());
        if exchange.number < self.cleared {
            return;
        }
        // It counts as one without an answer so far: of a service that is silent, nothing else is
        // known for two minutes.
        if self.waiting_attempts.insert(exchange.number) {
            self.statistics.add(exchange);
        }
        if self.archive.attempt(exchange) {
            self.change(exchange.number);
        }
    }

    fn replied(&mut self, replied: &Replied<'_>) {
        if replied.number < self.cleared {
            return;
        }
        let record = self.record(Side::Server, replied.frame, replied.failed, replied.last);
        if self.archive.reply(replied.number, &record) {
            self.change(replied.number);
        }
    }

    fn ended(&mut self, exchange: &Exchange<'_>) {
        self.end = self.end.max(exchange.number.next());
        if exchange.number < self.cleared {
            return;
        }
        if exchange.kind == ExchangeKind::Connect && self.waiting_attempts.remove(&exchange.number)
        {
            self.statistics.take_back_attempt(exchange);
        }
        self.statistics.add(exchange);
        self.timelines.add(exchange);
        self.connections.ended(exchange);
        if self.archive.end(exchange) {
            self.change(exchange.number);
        }
    }

    fn record(&self, from: Side, frame: &Frame<'_>, failed: bool, last: bool) -> FrameRecord {
        FrameRecord {
            from,
            span: frame.span,
            seq: frame.seq,
            held: frame.held,
            body_len: frame.body.len() as u64,
            failed,
            last,
            place: self.place(frame),
        }
    }

    /// Where the body of a frame is kept, if it lies in the packet that is being pushed. Whether it
    /// does is told by the addresses of the two; and its packet must be this one, so that a packet
    /// that is over is not taken for one whose memory was used again.
    fn place(&self, frame: &Frame<'_>) -> Option<Place> {
        let lent = self.lent?;
        if frame.span.first.number != lent.number || frame.span.last.number != lent.number {
            return None;
        }
        let within = frame.body.as_ptr().addr().checked_sub(lent.address)?;
        let fits = within.checked_add(frame.body.len())? <= lent.len;
        fits.then(|| lent.place.add(within as u64))
    }

    fn change(&mut self, number: ExchangeNumber) {
        if self.changed.last() == Some(&number) {
            return;
        }
        if self.changed.len() >= limits::CHANGES {
            self.changes_missed = true;
            return;
        }
        self.changed.push(number);
    }

    fn make_room(&mut self) {
        if self.archive.weight() > self.memory.ceiling {
            let dropped = self.archive.make_room(self.memory.ceiling);
            self.memory.packets_dropped += dropped.packets;
            self.memory.rows_dropped += dropped.rows;
        }
    }
}

/// What an orphan reply says; `None` for every other exchange.
fn read_orphan<'a>(exchange: &Exchange<'_>, frame: &Frame<'a>) -> Option<Kind<'a>> {
    match exchange.kind {
        ExchangeKind::Reply => read_body(frame.body, Side::Server),
        ExchangeKind::Request | ExchangeKind::Event | ExchangeKind::Connect => None,
    }
}

impl Counted {
    fn set(&mut self, now: (Capture, Completeness)) {
        self.now = now;
        let (capture, completeness) = &self.now;
        self.capture = Capture { span: self.span, ..capture.since(&self.before.0) };
        self.completeness = completeness.since(&self.before.1);
    }

    fn clear(&mut self) {
        self.before = self.now.clone();
        self.span = None;
        self.set(self.now.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::endpoint::{ConnectionId, ConnectionNumber, Endpoints};
    use crate::engine::{Config, Engine};
    use crate::exchange::{EndedBy, Span, Status};
    use crate::packet::PacketRef;
    use crate::source::file::CaptureFile;
    use crate::source::{Next, Stop};
    use crate::store::Listing;
    use crate::store::Outcomes;
    use crate::time::Nanos;

    /// An attempt of the connection of this number, which is its own too.
    fn attempt(number: u64) -> Exchange<'static> {
        let packet = |number: u64| PacketRef {
            number: PacketNumber(number),
            at: Timestamp::from_nanos(number.cast_signed() * 1_000),
        };
        let own = u32::try_from(number).unwrap();
        let connection = ConnectionId { number: ConnectionNumber(own), slot: 0 };
        let ends = Endpoints {
            client: ([10, 0, 0, 1], 40_000).into(),
            server: ([10, 0, 0, 2], 3_000).into(),
        };
        let (kind, status) = (ExchangeKind::Connect, Status::NoAnswer);
        Exchange {
            request: Some(Span::in_order(packet(number), packet(number), 0)),
            ..Exchange::empty(ExchangeNumber(number), connection, ends, kind, status)
        }
    }

    #[test]
    fn an_attempt_to_connect_is_a_row_until_it_is_answered() {
        let mut store = CaptureStore::default();
        let mut listing = Listing::new(Rc::new(|job: Box<dyn FnOnce() + Send>| job()));
        let mut shown = |store: &mut CaptureStore| {
            let changed = store.changed();
            listing.refresh(store.archive(), &changed);
            (0..listing.len())
                .filter_map(|row| listing.number(row))
                .map(|number| number.0)
                .collect::<Vec<_>>()
        };
        assert!(shown(&mut store).is_empty());
        for number in [1, 2, 3] {
            store.take(&EngineEvent::Attempted(&attempt(number)));
        }
        assert_eq!(shown(&mut store), [1, 2, 3]);
        let counted = |store: &CaptureStore| {
            let Outcomes { connects, no_answer, refused, .. } = *store.statistics().totals();
            let servers = store.statistics().servers();
            let of_servers: u64 = servers.iter().map(|row| row.outcomes.connects).sum();
            assert_eq!(of_servers, connects);
            (no_answer, refused)
        };
        assert_eq!(counted(&store), (3, 0), "they wait");
        let row = store.archive().row(ExchangeNumber(2)).unwrap();
        assert_eq!((row.kind, row.status), (ExchangeKind::Connect, Status::NoAnswer));

        let answered = Exchange { status: Status::Ok, ..attempt(1) };
        let SynsAndRst { syns, rst } = SynsAndRst::of(2);
        let refused = Exchange {
            status: Status::Refused,
            request: syns,
            reply: rst,
            waited: Some(Nanos::new(7_000)),
            ended_by: Some(EndedBy::ResetByServer),
            ..attempt(2)
        };
        // Of this one nobody told before.
        let unreachable = Exchange {
            request: syns,
            reply: rst,
            waited: Some(Nanos::new(7_000)),
            ended_by: Some(EndedBy::Network),
            error: Some(br#""host unreachable""#),
            attempts: 40,
            ..attempt(4)
        };
        for exchange in [&answered, &refused, &unreachable] {
            store.take(&EngineEvent::Exchange(exchange));
        }
        assert_eq!(shown(&mut store), [2, 3, 4]);
        assert_eq!(counted(&store), (2, 1), "one waits, one could not be reached");
        for exchange in [&refused, &unreachable] {
            let lines = store.archive().exchange(exchange.number, line);
            assert_eq!(lines, Some(line(exchange)));
            let detail = store.archive().detail(exchange.number).unwrap();
            assert_eq!((detail.request, detail.reply), (exchange.request, exchange.reply));
            assert!(detail.frames.is_empty());
        }
        let totals = *store.statistics().totals();
        assert_eq!((totals.connects, totals.refused, totals.no_answer), (3, 1, 2));
        let [server] = *store.servers() else { panic!("one server") };
        assert_eq!((server.outcomes.refused, server.outcomes.calls), (1, 0));
        // The one that waits is answered at last: nothing of it is left.
        store.take(&EngineEvent::Exchange(&Exchange { status: Status::Ok, ..attempt(3) }));
        assert_eq!(counted(&store), (1, 1));
        // All that is left are rows that may give way.
        store.clear();
        assert!(shown(&mut store).is_empty());
        assert_eq!(store.archive().ends(ConnectionNumber(2)), None);
    }

    struct SynsAndRst {
        syns: Option<Span>,
        rst: Option<Span>,
    }

    impl SynsAndRst {
        fn of(number: u64) -> Self {
            let packet = |number, at| PacketRef {
                number: PacketNumber(number),
                at: Timestamp::from_nanos(at),
            };
            let at = number.cast_signed() * 1_000;
            let (first, again) = (packet(number, at), packet(8, at + 3_000));
            let answer = packet(9, at + 7_000);
            Self {
                syns: Some(Span::in_order(first, again, 0)),
                rst: Some(Span::in_order(answer, answer, 0)),
            }
        }
    }

    /// What a row of `calls` would say.
    fn line(exchange: &Exchange<'_>) -> String {
        format!("{exchange:?}")
    }

    #[test]
    fn where_changes_were_missed_everything_counts_as_changed() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/basic-v11.pcap");
        let mut file = CaptureFile::open(path, Stop::default()).unwrap();
        let mut engine = Engine::new(Config { tell_progress: true, ..Config::default() });
        let mut store = CaptureStore::default();
        let mut number = 0;
        while let Next::Packet(packet) = file.next().unwrap() {
            number += 1;
            store.packet(&Packet { number: PacketNumber(number), ..packet }, Kept::Memory);
            engine.push(&Packet { number: PacketNumber(number), ..packet }, &mut |update| {
                store.take(&update)
            });
        }
        let all: Vec<_> = ExchangeNumber::each(store.archive().numbers()).collect();
        assert!(all.len() > 10);
        for number in 0..=limits::CHANGES as u64 {
            store.change(ExchangeNumber(1 + number % 2));
        }
        assert_eq!(store.changed(), all);
        store.change(ExchangeNumber(2));
        assert_eq!(store.changed(), [ExchangeNumber(2)]);
    }
}
