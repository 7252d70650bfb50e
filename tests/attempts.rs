//! Attempts to connect of one client: which are rows of their own, and which are one scan.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::wire::{RST, SYN, Tcp};
use common::{Raw, analyse, analyse_with};
use nestscope::engine::{Config, Shard};
use nestscope::exchange::Status;

const ACK: u8 = 0x10;
const MILLI: i64 = 1_000_000;
const FIRST_PORT: u16 = 4_000;
const CLIENT_SEQ: u32 = 1_000;

/// What a client at 10.0.0.1 sends to the ports of a server, and what comes back.
#[derive(Default)]
struct Capture(Vec<Tcp>);

impl Capture {
    fn packet(&mut self, millis: i64, by_client: bool, port: u16, flags: u8, payload: &[u8]) {
        let (client, server) = ((vec![10, 0, 0, 1], port + 40_000), (vec![10, 0, 0, 2], port));
        let ((from, from_port), (to, to_port)) =
            if by_client { (client, server) } else { (server, client) };
        let seq = match (by_client, flags & SYN != 0) {
            (true, true) => CLIENT_SEQ,
            (true, false) => CLIENT_SEQ + 1,
            (false, true) => 5_000,
            (false, false) => 5_001,
        };
        let ack = match (flags & ACK != 0, by_client) {
            (false, _) => 0,
            (true, true) => 5_001,
            (true, false) => CLIENT_SEQ + 1,
        };
        let (at, payload) = (millis * MILLI, payload.to_vec());
        self.0.push(Tcp {
            at,
            from,
            to,
            from_port,
            to_port,
            seq,
            ack,
            flags,
            window: 500,
            payload,
        });
    }

    /// A SYN to each of `count` ports, a millisecond apart.
    fn ask(&mut self, millis: i64, count: u16) {
        for nth in 0..count {
            self.packet(millis + i64::from(nth), true, FIRST_PORT + nth, SYN, b"");
        }
    }

    fn answer(&mut self, millis: i64, nth: u16) {
        let port = FIRST_PORT + nth;
        self.packet(millis, false, port, SYN | ACK, b"");
        self.packet(millis + 1, true, port, ACK, b"");
    }

    fn refuse(&mut self, millis: i64, nth: u16) {
        self.packet(millis, false, FIRST_PORT + nth, RST | ACK, b"");
    }

    /// A connection on which nothing goes wrong, so that the capture shows both directions.
    fn go_on(&mut self, millis: i64) {
        self.packet(millis, true, 3_000, ACK, b"x");
        self.packet(millis, false, 3_000, ACK, b"");
    }

    fn packets(mut self) -> Vec<Raw> {
        self.0.sort_by_key(|packet| packet.at);
        self.0.iter().map(Tcp::ethernet).collect()
    }

    /// Status and attempts of each row, in the order of their numbers; no two have the same.
    fn rows(self) -> Vec<(Status, u32)> {
        let mut rows = analyse(&self.packets()).records;
        rows.sort_by_key(|row| row.number);
        assert!(rows.windows(2).all(|two| two[0].number < two[1].number), "{rows:?}");
        rows.iter().map(|row| (row.status, row.attempts)).collect()
    }
}

fn capture() -> Capture {
    let mut capture = Capture::default();
    capture.go_on(0);
    capture
}

#[test]
fn as_many_attempts_as_have_rows_and_one_more() {
    for (count, rows) in [(32, vec![(Status::NoAnswer, 1); 32]), (33, vec![(Status::NoAnswer, 33)])]
    {
        let mut capture = capture();
        capture.ask(1_000, count);
        capture.go_on(5_000);
        assert_eq!(capture.rows(), rows);
    }
}

#[test]
fn an_attempt_long_after_a_scan_is_none_of_it() {
    // Later than 10 s after the last attempt; the client still waits for an answer, or not.
    for later in [12_000, 3_600_000] {
        let mut capture = capture();
        capture.ask(1_000, 40);
        capture.packet(1_000 + later, true, 9_000, SYN, b"");
        capture.go_on(5_000 + later);
        assert_eq!(capture.rows(), [(Status::NoAnswer, 40), (Status::NoAnswer, 1)], "{later}");
    }
}

#[test]
fn attempts_one_behind_the_other_are_one_scan_however_long_it_takes() {
    let mut capture = capture();
    capture.ask(1_000, 40);
    for nth in 0..100 {
        capture.packet(10_000 + i64::from(nth) * 9_000, true, 6_000 + nth, SYN, b"");
    }
    capture.go_on(1_000_000);
    assert_eq!(capture.rows(), [(Status::NoAnswer, 140)]);
}

#[test]
fn a_scan_takes_no_row_of_an_attempt_that_ended() {
    let mut capture = capture();
    capture.packet(1_000, true, 9_000, SYN, b"");
    capture.packet(2_050, true, 9_000, SYN, b"");
    capture.packet(2_060, false, 9_000, RST | ACK, b"");
    capture.ask(2_100, 40);
    capture.go_on(9_000);
    assert_eq!(capture.rows(), [(Status::Refused, 1), (Status::NoAnswer, 40)]);
}

#[test]
fn attempts_that_were_answered_late_are_no_scan() {
    let mut capture = capture();
    capture.ask(1_000, 40);
    capture.ask(2_100, 40);
    for nth in 0..40 {
        capture.answer(2_300, nth);
    }
    capture.go_on(9_000);
    assert_eq!(capture.rows(), []);
}

#[test]
fn attempts_that_were_refused_late_are_rows_and_no_scan() {
    let mut capture = capture();
    capture.ask(1_000, 40);
    capture.ask(2_100, 40);
    for nth in 0..40 {
        capture.refuse(2_300, nth);
    }
    capture.go_on(9_000);
    assert_eq!(capture.rows(), vec![(Status::Refused, 1); 40]);
}

#[test]
fn a_scan_counts_what_nothing_answered() {
    let mut capture = capture();
    capture.ask(1_000, 40);
    for nth in 10..20 {
        capture.answer(2_300, nth);
    }
    for nth in 20..25 {
        capture.refuse(15_000, nth);
    }
    capture.go_on(200_000);
    let expected = [vec![(Status::NoAnswer, 25)], vec![(Status::Refused, 1); 5]].concat();
    assert_eq!(capture.rows(), expected);
}

/// Else shards would tell something else than one engine.
#[test]
fn a_scan_needs_one_engine() {
    let mut scan = capture();
    scan.ask(1_000, 33);
    scan.go_on(5_000);
    let packets = scan.packets();
    for count in [1, 2, 5] {
        let counts = (0..count).map(|index| {
            let shard = Shard { index, count };
            analyse_with(&packets, Config { shard, ..Config::default() }).counts
        });
        let sum = counts.reduce(|mut sum, counts| {
            sum.add_shard(counts);
            sum
        });
        assert!(sum.unwrap().needs_one_engine(), "{count}");
    }
}
