//! Scenarios: what a capture shows, line by line, and what is told of it.

mod attempts;
mod bounds;
mod bytes;
mod life;

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::*;
use crate::decode::{Flags, Seq};
use crate::endpoint::{PerSide, Roles, Side};
use crate::packet::{PacketNumber, PacketRef};

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
            packet: PacketRef {
                number: PacketNumber(number),
                at: Timestamp::from_nanos(at * 1_000_000),
            },
            from,
            to,
            seq: seq(side, offset - i64::from(syn)),
            ack: ack.map(|ack| seq(side.other(), ack)),
            flags,
            window: 1000,
            payload: data.as_bytes(),
            missing,
            path: Default::default(),
            // Each packet is another one, and none the copy of another.
            ip_id: u16::try_from(self.number).unwrap(),
            ttl: 0,
            mss: None,
            checksum: 0,
            raw: &[],
        };
        let (told, client) = (&mut self.told, self.client);
        self.streams.push(&segment, &mut |event| tell(told, client, event));
    }

    fn finish(&mut self) -> String {
        let (told, client) = (&mut self.told, self.client);
        self.streams.finish(&mut |event| tell(told, client, event));
        assert_eq!(self.streams.shared.buffered, 0);
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
        StreamEvent::Late { packet, .. } => format!("late #{packet}"),
        StreamEvent::Notice(notice) => match notice.what {
            Noticed::Attempt(attempt, state) => {
                format!("{state:?} {} #{}", attempt.syns, notice.at.number)
            }
            Noticed::Translated(also) => format!("also {} {}", also.client, also.server),
        },
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
        StreamEvent::Closed(closed) => format!("{:?} #{}", closed.end.why, closed.end.at.number),
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

/// A segment of connection `port`, for tests that need many.
fn plain(port: u16, number: u64, nanos: i64, seq: u32, payload: &[u8]) -> Segment<'_> {
    Segment {
        packet: PacketRef { number: PacketNumber(number), at: Timestamp::from_nanos(nanos) },
        from: SocketAddr::from(([10, 0, (port >> 8) as u8, 1], port)),
        to: SocketAddr::from(([10, 0, 0, 2], 80)),
        seq: Seq(seq),
        ack: None,
        flags: Flags::default(),
        window: 0,
        payload,
        missing: 0,
        path: Default::default(),
        ip_id: 0,
        ttl: 0,
        mss: None,
        checksum: 0,
        raw: &[],
    }
}

fn syn(port: u16, number: u64, nanos: i64) -> Segment<'static> {
    Segment { flags: Flags::SYN, ..plain(port, number, nanos, 0, b"") }
}
