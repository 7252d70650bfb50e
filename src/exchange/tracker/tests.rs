use super::*;
use crate::decode::Seq;
use crate::endpoint::ConnectionNumber;
use crate::exchange::{EndedBy, ExchangeKind};
use crate::limits;
use crate::packet::PacketNumber;
use crate::stream::{ConnectionCounts, Ended};

const CONNECTION: ConnectionId = ConnectionId { number: ConnectionNumber(0), slot: 0 };

/// A packet, its time in milliseconds.
fn packet(number: u64, millis: i64) -> PacketRef {
    PacketRef { number: PacketNumber(number), at: Timestamp::from_nanos(millis * 1_000_000) }
}

/// What is told in the end of an exchange.
#[derive(Debug, PartialEq)]
struct Row {
    number: u64,
    kind: ExchangeKind,
    status: Status,
    latency: Option<Nanos>,
    waited: Option<Nanos>,
    ended_by: Option<EndedBy>,
    sure: bool,
}

struct Talk {
    tracker: Tracker,
    rows: Vec<Row>,
}

impl Talk {
    fn new() -> Self {
        let config = Config {
            keep_payloads: true,
            tell_progress: false,
            reorder_at_most: limits::REORDER_AT_MOST_LIVE,
        };
        let mut tracker = Tracker::new(config);
        tracker.open(CONNECTION, Self::parties().ends);
        Self { tracker, rows: Vec::new() }
    }

    fn parties() -> Parties {
        let ends = Endpoints {
            client: ([10, 0, 0, 1], 40_000).into(),
            server: ([10, 0, 0, 2], 3_000).into(),
        };
        Parties { connection: CONNECTION, ends, client: Some(Side::Client) }
    }

    fn push(&mut self, at: PacketRef, from: Side, placed: Placed, kind: Kind<'_>) {
        self.push_over(at, at, from, placed, kind);
    }

    fn push_over(
        &mut self,
        first: PacketRef,
        last: PacketRef,
        from: Side,
        placed: Placed,
        kind: Kind<'_>,
    ) {
        let message = Message {
            from,
            first,
            earliest: first,
            last,
            begins_segment: true,
            seq: Seq::default(),
            after: None,
            wire_len: 10,
            placed,
            hold: None,
            body: b"",
            kind,
        };
        let Self { tracker, rows } = self;
        tracker.packet(last);
        let parties = Self::parties();
        tracker.push(&parties, &Decoded::Message(message), &mut |event| keep(rows, &event));
        tracker.expire(&mut |event| keep(rows, &event));
    }

    fn request(&mut self, at: PacketRef, placed: Placed, id: &str) {
        let kind = Kind::Request { id: id.as_bytes(), pattern: Some(b"\"p\""), data: None };
        self.push(at, Side::Client, placed, kind);
    }

    fn event(&mut self, at: PacketRef, placed: Placed) {
        self.push(at, Side::Client, placed, Kind::Event { pattern: b"\"e\"", data: None });
    }

    fn reply(&mut self, at: PacketRef, placed: Placed, id: &str) {
        let id = id.as_bytes();
        let kind = Kind::Reply { id, response: Some(b"1"), error: None, failed: false, last: true };
        self.push(at, Side::Server, placed, kind);
    }

    fn gap(&mut self, from: Side, until: PacketRef) {
        let gap = Gap { connection: CONNECTION, from, bytes: 1, until, certain: true };
        self.tracker.gap(&Self::parties(), &gap);
    }

    fn pass(&mut self, at: PacketRef) {
        let Self { tracker, rows } = self;
        tracker.packet(at);
        tracker.expire(&mut |event| keep(rows, &event));
    }

    fn close(&mut self, end: Ended, fins: PerSide<Option<PacketRef>>, data: Option<PacketRef>) {
        let packets = PerSide { client: 9, server: 9 };
        let closed = Closed {
            connection: CONNECTION,
            end,
            counts: ConnectionCounts { packets, ..ConnectionCounts::default() },
            fins,
            last_data: PerSide { client: None, server: data },
        };
        let Self { tracker, rows } = self;
        tracker.capture_ended(packet(0, 90_000).at);
        tracker.close(&Self::parties(), &closed, &mut |event| keep(rows, &event));
    }

    fn end(&mut self) {
        let end = Ended { why: CloseReason::CaptureEnded, at: packet(99, 50), by: None };
        self.close(end, PerSide::default(), None);
    }

    fn statuses(&self) -> Vec<(u64, Status, bool)> {
        self.rows.iter().map(|row| (row.number, row.status, row.sure)).collect()
    }
}

fn keep(rows: &mut Vec<Row>, event: &TrackerEvent<'_>) {
    if let TrackerEvent::Ended(exchange) = event {
        rows.push(Row {
            number: exchange.number.0,
            kind: exchange.kind,
            status: exchange.status,
            latency: exchange.latency.latency,
            waited: exchange.waited,
            ended_by: exchange.ended_by,
            sure: exchange.sure,
        });
    }
}

#[test]
fn a_reply_waits_for_its_request() {
    let mut talk = Talk::new();
    // Read before its request, with another final frame behind it, as Nest 5 sends it.
    talk.reply(packet(2, 3), Placed::Found, "7");
    talk.reply(packet(3, 4), Placed::Joined, "7");
    assert_eq!(talk.rows, []);
    talk.request(packet(1, 1), Placed::Found, "7");
    assert_eq!(talk.statuses(), [(1, Status::Ok, true)]);
    assert_eq!(talk.rows[0].latency, Some(Nanos::from_millis(2)));
    talk.end();
    let counts = talk.tracker.counts();
    assert_eq!((counts.late_replies, counts.orphan_replies), (1, 0));
}

#[test]
fn a_reply_is_an_orphan_when_its_request_can_no_longer_appear() {
    let mut talk = Talk::new();
    talk.reply(packet(1, 0), Placed::Certain, "1");
    talk.reply(packet(2, 1), Placed::Certain, "2");
    talk.pass(packet(3, 5_059));
    assert_eq!(talk.rows, []);
    talk.pass(packet(4, 5_060));
    assert_eq!(talk.statuses(), [(1, Status::Orphan, true)]);
    talk.end();
    assert_eq!(talk.statuses()[1..], [(2, Status::Orphan, true)]);
    assert_eq!(talk.tracker.counts().orphan_replies, 2);
}

#[test]
fn no_reply_answers_a_request_that_was_sent_behind_it() {
    let mut talk = Talk::new();
    talk.reply(packet(1, 0), Placed::Certain, "1");
    talk.request(packet(2, 1), Placed::Certain, "1");
    talk.reply(packet(3, 3), Placed::Certain, "1");
    talk.end();
    assert_eq!(talk.statuses(), [(2, Status::Ok, true), (1, Status::Orphan, true)]);
    assert_eq!(talk.rows[0].latency, Some(Nanos::from_millis(2)));
}

#[test]
fn a_reply_to_something_else_stays_an_orphan_where_the_call_has_no_final_reply() {
    let mut talk = Talk::new();
    talk.reply(packet(1, 0), Placed::Certain, "1");
    let (id, response) = (&b"1"[..], Some(&b"1"[..]));
    let value = Kind::Reply { id, response, error: None, failed: false, last: false };
    talk.push(packet(3, 3), Side::Server, Placed::Certain, value);
    talk.request(packet(2, 1), Placed::Certain, "1");
    talk.end();
    let counts = talk.tracker.counts();
    assert_eq!((counts.late_replies, counts.orphan_replies), (0, 1), "{:?}", talk.rows);
}

#[test]
fn replies_that_wait_are_bounded() {
    let mut talk = Talk::new();
    let most = limits::EARLY_REPLIES_OF_CONNECTION as u64;
    for number in 1..=most + 3 {
        talk.reply(packet(number, 0), Placed::Certain, &number.to_string());
    }
    let counts = talk.tracker.counts();
    assert_eq!((counts.waits_given_up, counts.orphan_replies), (3, 3));
    assert_eq!(talk.statuses()[2], (3, Status::Orphan, true));
}

#[test]
fn a_latency_that_the_clock_spoiled_is_none() {
    let answered = |request: PacketRef, reply: PacketRef, between: &[PacketRef]| {
        let mut talk = Talk::new();
        talk.request(request, Placed::Certain, "1");
        between.iter().for_each(|at| talk.pass(*at));
        talk.reply(reply, Placed::Certain, "1");
        let Counts { clock_steps, without_time, reply_first, .. } = *talk.tracker.counts();
        assert_eq!(talk.rows[0].status, Status::Ok);
        (talk.rows[0].latency, (clock_steps, without_time, reply_first))
    };
    let ms = |millis| Some(Nanos::from_millis(millis));
    assert_eq!(answered(packet(1, 10), packet(2, 12), &[]), (ms(2), (0, 0, 0)));
    // In the other order, with true times.
    assert_eq!(answered(packet(2, 10), packet(1, 12), &[]), (ms(2), (0, 0, 0)));
    assert_eq!(answered(packet(1, 10), packet(2, 9), &[]), (None, (1, 0, 0)));
    assert_eq!(answered(packet(2, 10), packet(1, 9), &[]), (None, (0, 0, 1)));
    // Set back by more than any packet is late, and the call outlived it.
    let between = [packet(2, 20_000), packet(3, 9_000)];
    assert_eq!(answered(packet(1, 8_000), packet(4, 9_100), &between), (None, (1, 0, 0)));
    let between = [packet(2, 18_000), packet(3, 9_000)];
    assert_eq!(answered(packet(1, 8_000), packet(4, 9_100), &between), (ms(1_100), (0, 0, 0)));
}

#[test]
fn a_call_without_an_end_says_who_ended_it_and_how_long_it_had_waited() {
    use CloseReason::{CaptureEnded, Evicted, Finished, Reset};
    use EndedBy::{Capture, Client, ResetByClient, ResetByServer, Server};
    let at = |number: u64| packet(number, i64::try_from(number).unwrap() * 10);
    let (none, client, server) = (None, Some(Side::Client), Some(Side::Server));
    let fin = |number: u64| (number > 0).then(|| at(number));
    // Why, who, the packets of: its end, the FINs of client and server, the server's last bytes;
    // then what is told: who, and how many milliseconds behind packet 1.
    let cases = [
        (Finished, server, 5, (5, 4), 2, Server, Some(30)),
        (Finished, client, 5, (3, 5), 2, Client, Some(20)),
        (Finished, client, 5, (3, 5), 4, Server, Some(40)),
        (Reset, server, 6, (0, 0), 2, ResetByServer, Some(50)),
        (Reset, client, 6, (0, 0), 2, ResetByClient, Some(50)),
        (Reset, client, 6, (0, 4), 2, Server, Some(30)),
        (CaptureEnded, none, 7, (0, 0), 2, Capture, Some(89_990)),
        (CaptureEnded, client, 7, (3, 0), 2, Client, Some(20)),
        (Evicted, none, 7, (0, 0), 2, Capture, None),
    ];
    for (why, by, end, (of_client, of_server), data, ended_by, waited) in cases {
        let mut talk = Talk::new();
        talk.request(at(1), Placed::Certain, "1");
        let fins = PerSide { client: fin(of_client), server: fin(of_server) };
        talk.close(Ended { why, at: at(end), by }, fins, Some(at(data)));
        let row = &talk.rows[0];
        let told = (row.ended_by, row.waited);
        assert_eq!(told, (Some(ended_by), waited.map(Nanos::from_millis)), "{why:?} {by:?}");
    }
}

#[test]
fn one_answered_call_confirms_all_that_joins_it() {
    let mut talk = Talk::new();
    talk.event(packet(1, 1), Placed::Found);
    talk.request(packet(2, 2), Placed::Joined, "1");
    talk.request(packet(3, 3), Placed::Joined, "2");
    assert_eq!(talk.rows, []);
    talk.reply(packet(4, 4), Placed::Found, "1");
    assert_eq!(talk.statuses(), [(1, Status::Sent, true), (2, Status::Ok, true)]);
    talk.event(packet(5, 5), Placed::Joined);
    assert_eq!(talk.rows.len(), 3, "sure at once");
    // Behind a gap nothing is confirmed any more.
    talk.gap(Side::Client, packet(6, 6));
    talk.event(packet(7, 7), Placed::Found);
    talk.request(packet(8, 8), Placed::Joined, "3");
    talk.end();
    let expected = [
        (4, Status::Sent, true),
        (5, Status::Sent, false),
        (3, Status::Open, true),
        (6, Status::Open, false),
    ];
    assert_eq!(talk.statuses()[2..], expected);
    assert_eq!(talk.tracker.counts().unsure, 2);
}

#[test]
fn an_event_that_nothing_confirms_waits_for_a_second() {
    let mut talk = Talk::new();
    talk.event(packet(1, 0), Placed::Found);
    talk.pass(packet(2, 999));
    assert_eq!(talk.rows, []);
    talk.pass(packet(3, 1_000));
    assert_eq!(talk.statuses(), [(1, Status::Sent, false)]);
}

#[test]
fn eight_frames_in_a_row_confirm_themselves_where_nothing_else_was_seen() {
    for noise in [false, true] {
        let mut talk = Talk::new();
        if noise {
            let from = Side::Client;
            let fault = Decoded::Undecodable { from, at: packet(1, 0), fault: Fault::Length };
            talk.tracker.push(&Talk::parties(), &fault, &mut |_| {});
        }
        for number in 1..=8 {
            let placed = if number == 1 { Placed::Found } else { Placed::Joined };
            talk.event(packet(number, 0), placed);
            assert_eq!(talk.rows.len(), if number == 8 && !noise { 7 + 1 } else { 0 });
        }
        talk.end();
        assert!(talk.rows.len() == 8 && talk.rows.iter().all(|row| row.sure != noise));
    }
}
