//! Scenarios: what a capture shows, line by line, and what is told of it.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::*;
use crate::decode::{Flags, Seq};
use crate::endpoint::{PerSide, Roles, Side};
use crate::packet::PacketRef;

/// A capture in words, one packet a line, and what came of it:
///
/// ```text
/// C SYN               the side, its flags; sequence numbers begin at 1000 (C) and 5000 (S)
/// C hello             bytes that come next of what this side sent; all seen so far is acknowledged
/// S 5 world ack=10    bytes at offset 5, acknowledging the other side's first 10
/// C missing=7 abc     three bytes captured of ten
/// C -1 x              a keep-alive's byte
/// wait 300            milliseconds pass, `expire` is called
/// pass                the window of reordering passes
/// pause               nothing more is under way
/// ```
struct Script {
    streams: Streams,
    number: u64,
    millis: i64,
    /// Offset of what each side sends next, and whether its SYN counted.
    next: PerSide<i64>,
    spoke: PerSide<bool>,
    told: String,
    client: SocketAddr,
    server: SocketAddr,
}

impl Script {
    fn new(config: Config) -> Self {
        Self {
            streams: Streams::new(config),
            number: 0,
            millis: 0,
            next: PerSide::default(),
            spoke: PerSide::default(),
            told: String::new(),
            client: "10.0.0.1:40000".parse().unwrap(),
            server: "10.0.0.2:8888".parse().unwrap(),
        }
    }

    fn run(&mut self, script: &str) -> &mut Self {
        for line in script.lines().map(str::trim).filter(|l| !l.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[0] {
                "wait" => self.wait(words[1].parse().unwrap()),
                "pass" => self.wait(10_000),
                "pause" => self.pause(),
                "C" => self.segment(Side::Client, &words[1..]),
                "S" => self.segment(Side::Server, &words[1..]),
                _ => panic!("{line}"),
            }
        }
        self
    }

    fn pause(&mut self) {
        let (told, client) = (&mut self.told, self.client);
        self.streams.pause(&mut |event| tell(told, client, event));
    }

    fn wait(&mut self, millis: i64) {
        self.millis += millis;
        let now = Timestamp::from_nanos(self.millis * 1_000_000);
        let (told, client) = (&mut self.told, self.client);
        self.streams.expire(now, &mut |event| tell(told, client, event));
    }

    fn segment(&mut self, side: Side, words: &[&str]) {
        self.number += 1;
        self.millis += 1;
        let mut flags = Flags::default();
        let mut offset = *self.next.of(side);
        let mut data = "";
        let mut missing = 0;
        let mut number = self.number;
        let mut ack = self.spoke.of(side.other()).then(|| *self.next.of(side.other()));
        for word in words {
            match (*word, word.split_once('=')) {
                ("SYN", _) => flags.0 |= Flags::SYN.0,
                ("FIN", _) => flags.0 |= Flags::FIN.0,
                ("RST", _) => flags.0 |= Flags::RST.0,
                ("noack", _) => ack = None,
                (_, Some(("ack", n))) => ack = Some(n.parse().unwrap()),
                (_, Some(("missing", n))) => missing = n.parse().unwrap(),
                // Captured out of order: the number and the time are those of another place.
                (_, Some(("#", n))) => number = n.parse().unwrap(),
                _ if word.parse::<i64>().is_ok() => offset = word.parse().unwrap(),
                _ => data = word,
            }
        }
        let syn = flags.has(Flags::SYN);
        if ack.is_some() {
            flags.0 |= Flags::ACK.0;
        }
        let end = offset + i64::try_from(data.len()).unwrap() + i64::from(missing);
        let next = self.next.of_mut(side);
        if !flags.has(Flags::RST) {
            *next = (*next).max(end + i64::from(flags.has(Flags::FIN)));
        }
        *self.spoke.of_mut(side) = true;
        let seq = |side: Side, offset: i64| {
            let first = if side == Side::Client { 1001_i64 } else { 5001 };
            Seq(u32::try_from((first + offset).rem_euclid(1 << 32)).unwrap())
        };
        let (from, to) = match side {
            Side::Client => (self.client, self.server),
            Side::Server => (self.server, self.client),
        };
        let at = self.millis - i64::try_from(self.number).unwrap() + i64::try_from(number).unwrap();
        let segment = Segment {
            packet: PacketRef { number, at: Timestamp::from_nanos(at * 1_000_000) },
            from,
            to,
            seq: seq(side, offset - i64::from(syn)),
            ack: ack.map(|ack| seq(side.other(), ack)),
            flags,
            window: 1000,
            payload: data.as_bytes(),
            missing,
        };
        let (told, client) = (&mut self.told, self.client);
        self.streams.push(&segment, &mut |event| tell(told, client, event));
    }

    fn finish(&mut self) -> String {
        let (told, client) = (&mut self.told, self.client);
        self.streams.finish(&mut |event| tell(told, client, event));
        assert_eq!(self.streams.shared.held, 0);
        std::mem::take(&mut self.told)
    }
}

/// An event as one line. `C` is always the side that the script calls so.
fn tell(told: &mut String, client: SocketAddr, event: StreamEvent<'_>) {
    thread_local! {
        /// Whether the sides are exchanged in the connection told of last.
        static EXCHANGED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }
    let name = |side: Side| match (side, EXCHANGED.get()) {
        (Side::Client, false) | (Side::Server, true) => "C",
        _ => "S",
    };
    let line = match event {
        StreamEvent::Segment(_) => return,
        StreamEvent::Opened(opened) => {
            EXCHANGED.set(opened.ends.client != client);
            let roles = match opened.roles {
                Roles::Known => "known",
                Roles::Guessed => "guessed",
            };
            let from_start = match (opened.from_start.client, opened.from_start.server) {
                (true, true) => "both".to_owned(),
                (true, false) => name(Side::Client).to_owned(),
                (false, true) => name(Side::Server).to_owned(),
                (false, false) => "neither".to_owned(),
            };
            let server = name(Side::Server);
            format!("open: server {server} {roles}, from start {from_start} #{}", opened.at.number)
        }
        StreamEvent::Data(chunk) => format!(
            "{} {} {} #{}",
            name(chunk.from),
            chunk.offset,
            std::str::from_utf8(chunk.data).unwrap(),
            chunk.packet.number
        ),
        StreamEvent::Gap(gap) => {
            format!("{} gap {} #{}", name(gap.from), gap.bytes, gap.until.number)
        }
        StreamEvent::Closed(closed) => format!("{:?} #{}", closed.why, closed.at.number),
    };
    writeln!(told, "{line}").unwrap();
}

/// Runs a script to the end of the capture, and compares what is told without its first and last
/// event where `expected` does not begin with `open`.
fn check(script: &str, expected: &str) {
    check_with(Config::default(), script, expected);
}

fn check_with(config: Config, script: &str, expected: &str) {
    let mut run = Script::new(config);
    let told = run.run(script).finish();
    let lines = |text: &str| {
        text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&told), lines(expected), "\n{told}");
}

#[test]
fn a_whole_connection() {
    check(
        "
        C SYN
        S SYN
        C hello
        S world
        C FIN
        S bye FIN
        C
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        S 0 world #4
        S 5 bye #6
        Finished #6
        ",
    );
}

#[test]
fn a_handshake_alone_is_told_of() {
    check(
        "
        C SYN
        S SYN
        C
        ",
        "
        open: server S known, from start both #1
        CaptureEnded #3
        ",
    );
}

#[test]
fn a_refused_connection() {
    check(
        "
        C SYN
        S RST 0
        ",
        "
        open: server S known, from start C #1
        Reset #2
        ",
    );
}

#[test]
fn segments_out_of_order_keep_their_packets() {
    check(
        "
        C SYN
        S SYN
        C 5 world
        C 15 again
        C 10 dlrow
        C 0 hello
        S ok ack=20
        ",
        "
        open: server S known, from start both #1
        C 0 hello #6
        C 5 world #3
        C 10 dlrow #5
        C 15 again #4
        S 0 ok #7
        CaptureEnded #7
        ",
    );
}

#[test]
fn a_retransmission_is_counted_and_not_told_again() {
    let mut run = Script::new(Config::default());
    let told = run.run("C SYN\nS SYN\nC hello\nC 0 hello\nC 0 helloworld\nC 3 lowor").finish();
    assert!(told.contains("C 0 hello #3\nC 5 world #5\nCaptureEnded #6"), "{told}");
    assert_eq!(run.streams.counts().retransmissions, 2);
    assert_eq!(run.streams.counts().conflicting, 0);
}

#[test]
fn of_overlapping_bytes_the_first_win_and_a_difference_is_counted() {
    let mut run = Script::new(Config::default());
    let told = run.run("C SYN\nS SYN\nC 3 DEF\nC 8 IJ\nC 0 abcdefghijkl").finish();
    let expected = "C 0 abc #5\nC 3 DEF #3\nC 6 gh #5\nC 8 IJ #4\nC 10 kl #5\n";
    assert!(told.contains(expected), "{told}");
    assert_eq!(run.streams.counts().conflicting, 1);
}

#[test]
fn keep_alives_are_neither_data_nor_retransmissions() {
    let mut run = Script::new(Config::default());
    let told =
        run.run("C SYN\nS SYN\nC -1\nC -1 x\nC hello\nS\nC 4\nS\nC 4 x\nS\nC world\nS").finish();
    assert!(told.contains("C 0 hello #5\nC 5 world #11\nCapture"), "{told}");
    assert_eq!(run.streams.counts().retransmissions, 0);
    assert_eq!(run.streams.counts().gaps, 0);
}

#[test]
fn a_zero_window_probe_is_data() {
    check(
        "
        C SYN
        S SYN
        C hello
        C w
        S ack=6
        C orld
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        C 5 w #4
        C 6 orld #6
        CaptureEnded #6
        ",
    );
}

#[test]
fn data_on_the_syn() {
    check(
        "
        C SYN hello
        S SYN ack=5
        C world
        ",
        "
        open: server S known, from start both #1
        C 0 hello #1
        C 5 world #3
        CaptureEnded #3
        ",
    );
}

#[test]
fn a_half_closed_connection_goes_on() {
    check(
        "
        C SYN
        S SYN
        C hello FIN
        S
        pass
        S world
        pass
        S again
        C
        S FIN
        C
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        S 0 world #5
        S 5 again #6
        Finished #8
        ",
    );
}

#[test]
fn data_after_a_reset_is_delivered_while_the_connection_lingers() {
    check(
        "
        C SYN
        S SYN
        C hello
        C RST
        S world ack=0
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        S 0 world #5
        Reset #4
        ",
    );
}

#[test]
fn a_reset_that_does_not_fit_is_ignored() {
    check(
        "
        C SYN
        S SYN
        C hello
        C RST 100000000 ack=100000000
        pass
        C world
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        C 5 world #5
        CaptureEnded #5
        ",
    );
}

#[test]
fn bytes_that_were_acknowledged_are_a_gap_when_the_window_has_passed() {
    check(
        "
        C SYN
        S SYN
        C 5 world
        S ack=10
        wait 9000
        C again
        pass
        ",
        "
        open: server S known, from start both #1
        C gap 5 #3
        C 5 world #3
        C 10 again #5
        CaptureEnded #5
        ",
    );
}

#[test]
fn bytes_that_were_not_acknowledged_wait_for_their_retransmission() {
    check(
        "
        C SYN
        S SYN
        C 5 world
        S ack=0
        wait 3000
        C 0 hello
        C 15 again
        wait 3000
        wait 3000
        ",
        "
        open: server S known, from start both #1
        C 0 hello #5
        C 5 world #3
        C gap 5 #6
        C 15 again #6
        CaptureEnded #6
        ",
    );
}

#[test]
fn a_gap_at_the_tail_is_told_by_the_acknowledgement() {
    check(
        "
        C SYN
        S SYN
        C hello
        S ack=10
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        C gap 5 #4
        CaptureEnded #4
        ",
    );
}

#[test]
fn a_fin_that_the_capture_lacks_is_no_gap() {
    check(
        "
        C SYN
        S SYN
        C hello
        S ack=6
        pass
        S world ack=6 FIN
        C 6
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        S 0 world #5
        CaptureEnded #6
        ",
    );
}

#[test]
fn a_reply_is_never_told_before_its_request() {
    check(
        "
        C SYN
        S SYN
        S world ack=5 #=4
        C hello ack=0 #=3
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        S 0 world #4
        CaptureEnded #4
        ",
    );
}

#[test]
fn a_reply_to_a_request_that_the_capture_lacks_comes_behind_the_gap() {
    check(
        "
        C SYN
        S SYN
        S world ack=5
        wait 9000
        C 5 again ack=5
        pass
        ",
        "
        open: server S known, from start both #1
        C gap 5 #4
        S 0 world #3
        C 5 again #4
        CaptureEnded #4
        ",
    );
}

#[test]
fn a_retransmission_with_a_late_acknowledgement_does_not_stop_both_sides() {
    // The capture lacks the request, and sees it only when it is sent again, after the reply.
    check(
        "
        C SYN
        S SYN
        S world ack=5
        C 0 hello ack=5
        S again
        ",
        "
        open: server S known, from start both #1
        C 0 hello #4
        S 0 world #3
        S 5 again #5
        CaptureEnded #5
        ",
    );
}

#[test]
fn an_absurd_acknowledgement_is_ignored() {
    check(
        "
        C SYN
        S SYN
        C hello ack=1500000000
        S world
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        S 0 world #4
        CaptureEnded #4
        ",
    );
}

#[test]
fn a_capture_that_began_late() {
    check(
        "
        C 100 world ack=50
        C 95 hello ack=50
        S 50 reply ack=105
        wait 11000
        C 105 again
        ",
        "
        open: server S guessed, from start neither #1
        C 0 hello #2
        C 5 world #1
        S 0 reply #3
        C 10 again #4
        CaptureEnded #4
        ",
    );
}

#[test]
fn a_capture_that_began_with_keep_alives() {
    check(
        "
        C 99 ack=50
        S 50 ack=100
        pass
        C 100 hello ack=50
        S 50 world ack=105
        ",
        "
        open: server S guessed, from start neither #1
        C 0 hello #3
        S 0 world #4
        CaptureEnded #4
        ",
    );
}

#[test]
fn one_direction_only() {
    check(
        "
        S SYN ack=0
        S hello ack=10
        pass
        S world ack=20
        S again ack=20
        S 20 end ack=20
        S FIN ack=21
        pass
        ",
        "
        open: server S known, from start both #1
        C gap 10 #2
        C gap 11 #6
        S 0 hello #2
        S 5 world #3
        S 10 again #4
        S gap 5 #5
        S 20 end #5
        CaptureEnded #6
        ",
    );
}

#[test]
fn a_syn_after_its_data_belongs_to_it() {
    check(
        "
        C 0 hello ack=0 #=4
        C 0 ack=0 #=3
        C 0 SYN noack #=1
        S SYN ack=0 #=2
        S world #=5
        ",
        "
        open: server S known, from start both #1
        C 0 hello #4
        S 0 world #5
        CaptureEnded #5
        ",
    );
}

#[test]
fn a_port_used_again_is_a_new_connection() {
    check(
        "
        C SYN
        S SYN
        C hello
        C 77777 SYN noack
        S 88888 SYN
        C 77777 again
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        Replaced #3
        open: server S known, from start both #4
        C 0 again #6
        CaptureEnded #6
        ",
    );
}

#[test]
fn a_syn_sent_again_is_the_same_connection() {
    check(
        "
        C SYN
        C 0 SYN noack
        S SYN
        S 0 SYN
        C hello
        C 0 SYN noack
        ",
        "
        open: server S known, from start both #1
        C 0 hello #5
        CaptureEnded #6
        ",
    );
}

#[test]
fn what_follows_a_closed_connection_opens_none() {
    check(
        "
        C SYN
        S SYN
        C hello FIN
        S FIN
        pass
        C
        S FIN
        S RST
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        Finished #4
        ",
    );
}

#[test]
fn a_tail_cut_by_the_snap_length_is_a_gap() {
    check(
        "
        C SYN
        S SYN
        C missing=7 abc
        C next
        S ack=14
        pass
        C missing=2 x
        ",
        "
        open: server S known, from start both #1
        C 0 abc #3
        C gap 7 #4
        C 10 next #4
        C 14 x #6
        C gap 2 #6
        CaptureEnded #6
        ",
    );
}

#[test]
fn a_tail_cut_by_the_snap_length_may_be_filled() {
    check(
        "
        C SYN
        S SYN
        C missing=2 abc
        C 5 next
        C 3 de
        ",
        "
        open: server S known, from start both #1
        C 0 abc #3
        C 3 de #5
        C 5 next #4
        CaptureEnded #5
        ",
    );
}

#[test]
fn ports_choose_the_connections_and_the_server() {
    let config = |ports: &str| Config { ports: ports.parse().unwrap(), ..Config::default() };
    let script = "C 7 hello\nS 7 world\npass";
    let told = |server, roles| {
        format!(
            "open: server {server} {roles}, from start neither #1\nC 0 hello #1\nS 0 world #2\nCaptureEnded #2"
        )
    };
    check_with(config("8888"), script, &told("S", "known"));
    check_with(config("40000"), script, &told("C", "known"));
    check_with(config("8000-50000"), script, &told("S", "guessed"));
    let mut run = Script::new(config("3000"));
    assert_eq!(run.run(script).finish(), "");
    assert_eq!(run.streams.counts().ignored, 2);
}

/// A segment of connection `port`, for tests that need many.
fn plain(port: u16, number: u64, nanos: i64, seq: u32, payload: &[u8]) -> Segment<'_> {
    Segment {
        packet: PacketRef { number, at: Timestamp::from_nanos(nanos) },
        from: SocketAddr::from(([10, 0, (port >> 8) as u8, 1], port)),
        to: SocketAddr::from(([10, 0, 0, 2], 80)),
        seq: Seq(seq),
        ack: None,
        flags: Flags::default(),
        window: 0,
        payload,
        missing: 0,
    }
}

fn syn(port: u16, number: u64, nanos: i64) -> Segment<'static> {
    Segment { flags: Flags::SYN, ..plain(port, number, nanos, 0, b"") }
}

#[test]
fn the_window_has_passed_after_enough_packets_and_time() {
    // A hole of connection 1 that its other side has acknowledged, then packets of others.
    let gap_after = |packets: u64, nanos: i64| {
        let mut run = Script::new(Config::default());
        run.run("C SYN\nS SYN\nC 5 world\nS ack=10");
        let mut gaps = 0;
        for number in 1..=packets {
            let segment = plain(9, 4 + number, 4_000_000 + nanos, 0, b"");
            run.streams.push(&segment, &mut |event| {
                gaps += usize::from(matches!(event, StreamEvent::Gap(_)));
            });
        }
        gaps
    };
    assert_eq!(gap_after(256, 20_000_000), 1);
    assert_eq!(gap_after(255, 20_000_000), 0);
    assert_eq!(gap_after(256, 19_999_999), 0);
    assert_eq!(gap_after(1, 10_000_000_000), 1);
}

#[test]
fn somebody_who_looks_on_does_not_wait_long() {
    let config =
        Config { reorder_at_most: crate::limits::REORDER_AT_MOST_LIVE, ..Config::default() };
    let mut run = Script::new(config);
    run.run("C SYN\nS SYN\nS world ack=5\nwait 50");
    assert!(!run.told.contains("gap"));
    run.run("wait 10");
    assert!(run.told.ends_with("C gap 5 #3\nS 0 world #3\n"), "{}", run.told);
}

#[test]
fn a_clock_that_is_set_back_stops_nothing() {
    let mut run = Script::new(Config::default());
    run.run("C SYN\nS SYN");
    run.millis -= 3_600_000;
    run.run("C 5 world\nS ack=10\npass");
    assert!(run.told.ends_with("C gap 5 #3\nC 5 world #3\n"), "{}", run.told);
}

#[test]
fn a_gap_does_not_end_before_what_lies_in_front_of_it() {
    // The bytes behind the hole were seen before those in front of it.
    check(
        "
        C SYN
        S SYN
        C 10 again
        C 0 hello
        S ack=15
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #4
        C gap 5 #4
        C 10 again #3
        CaptureEnded #5
        ",
    );
}

#[test]
fn what_one_side_holds_is_bounded() {
    let mut streams = Streams::new(Config::default());
    let data = vec![b'x'; 50_000];
    let mut delivered = 0;
    let mut gaps = 0;
    let mut take = |event: StreamEvent<'_>| match event {
        StreamEvent::Data(chunk) => delivered += chunk.data.len(),
        StreamEvent::Gap(gap) => gaps += gap.bytes,
        _ => {}
    };
    // A hole in front of everything, and time stands still.
    streams.push(&syn(1, 1, 0), &mut take);
    for piece in 0..400 {
        let segment = plain(1, 2 + u64::from(piece), 0, 2 + piece * 50_000, &data);
        streams.push(&segment, &mut take);
        assert!(streams.shared.held <= crate::limits::HELD_PER_SIDE);
    }
    assert_eq!(streams.counts().given_up, 2, "settled early, then the hole given up");
    assert_eq!((delivered, gaps), (400 * 50_000, 1));
}

#[test]
fn what_all_hold_is_bounded() {
    let mut streams = Streams::new(Config::default());
    let data = vec![b'x'; 60_000];
    let mut delivered = 0_usize;
    let mut take = |event: StreamEvent<'_>| {
        if let StreamEvent::Data(chunk) = event {
            delivered += chunk.data.len();
        }
    };
    for port in 1..=50 {
        for piece in 0..20 {
            let segment = plain(port, 1, 0, 1 + piece * 60_001, &data);
            streams.push(&segment, &mut take);
            assert!(streams.shared.held <= crate::limits::HELD_IN_ALL);
        }
    }
    streams.finish(&mut take);
    assert_eq!(delivered, 50 * 20 * 60_000);
    assert!(streams.counts().given_up > 0);
}

#[test]
fn the_connection_that_was_silent_gives_way() {
    let mut streams = Streams::new(Config::default());
    let mut evicted = Vec::new();
    let limit = u16::try_from(crate::limits::CONNECTIONS - 1).unwrap();
    let mut take = |event: StreamEvent<'_>| {
        if let StreamEvent::Closed(closed) = event {
            evicted.push((closed.connection.serial, closed.why));
        }
    };
    // Port 0 counts too: as many connections as the table takes.
    for port in 0..=limit {
        streams.push(&syn(port, 1 + u64::from(port), 0), &mut take);
    }
    assert_eq!(streams.counts().evicted_connections, 0);
    // One more, from another address. All were heard of: the hand goes round once.
    let stranger =
        |last: u8| Segment { from: SocketAddr::from(([10, 9, 9, last], 1)), ..syn(1, 70_000, 0) };
    streams.push(&stranger(1), &mut take);
    assert_eq!(streams.counts().evicted_connections, 1);
    // The next in turn speaks again, and is spared.
    streams.push(&plain(1, 70_001, 0, 1, b"x"), &mut take);
    streams.push(&stranger(2), &mut take);
    assert_eq!(evicted, [(0, Why::Evicted), (2, Why::Evicted)]);
    assert_eq!(streams.table.find(&stranger(3).from, &stranger(3).to), None);
    let spared = plain(1, 0, 0, 0, b"");
    assert!(streams.table.find(&spared.from, &spared.to).is_some());
}

#[test]
fn waits_are_bounded_where_time_stands_still() {
    let mut streams = Streams::new(Config::default());
    let mut number = 0;
    for round in 0..6_u32 {
        for port in 1..=60_000 {
            number += 1;
            let again = Segment { seq: Seq(round << 28), ..syn(port, number, 0) };
            streams.push(&again, &mut |_| {});
            assert!(streams.shared.waits.len() <= 2 * crate::limits::WAITS);
        }
    }
}

#[test]
fn what_is_left_of_an_older_connection_is_no_part_of_the_new_one() {
    check(
        "
        C SYN
        S SYN
        C hello
        C 900000000 SYN noack #=6
        C 5 older #=5
        S 700000000 SYN ack=900000000 #=7
        C 900000000 again #=8
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        Replaced #3
        open: server S known, from start both #6
        C 0 again #8
        CaptureEnded #8
        ",
    );
}

#[test]
fn what_was_taken_for_a_fin_was_a_byte_if_others_follow() {
    for last in ["pass", "", "wait 20000\nC 15 x"] {
        let mut run = Script::new(Config::default());
        let script = format!("C SYN\nS SYN\nC hello\nS ack=6\npass\nC 6 again\n{last}");
        let told = run.run(&script).finish();
        assert!(told.contains("C 0 hello #3\nC gap 1 #5\nC 6 again #5\n"), "{told}");
    }
}

#[test]
fn a_pause_ends_what_waits_for_packets_out_of_order() {
    let mut run = Script::new(Config::default());
    run.run("C 0 hello ack=0\nS 0 world ack=5\nC 5 again ack=5");
    assert_eq!(run.told, "", "begun late: an earlier packet may come");
    run.run("pause");
    assert!(run.told.contains("C 0 hello #1\nS 0 world #2\nC 5 again #3\n"), "{}", run.told);
    // What the receiver has not acknowledged may still be sent again.
    run.run("C 15 x ack=5\npause");
    assert!(!run.told.contains("x #4"), "{}", run.told);
}
