//! Traffic made to harm: what it may cost is bounded, in memory and in time, and is counted.
//!
//! Each attack runs in a process of its own, so that the most memory it ever had can be asked of
//! the system. The packets are made one at a time: the attack itself needs no memory.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "clippy takes the helpers of a test for a program"
)]

mod common;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use common::Raw;
use common::mutate::Dice;
use common::wire::{FIN, RST, SYN, Tcp};
use nestscope::endpoint::Side;
use nestscope::engine::{Config, Counts, Engine, EngineEvent};
use nestscope::exchange::{ExchangeKind, Status};
use nestscope::packet::LinkType;
use nestscope::report::calls::JsonLines;
use nestscope::store::Statistics;
use proptest::prelude::*;

const ACK: u8 = 0x10;

/// The most memory that any attack may lead to.
const MEMORY_KIB: u64 = 256 << 10;

/// The longest that any attack may take, with the little optimisation that tests have, on a busy
/// machine. Work that grows with the square of the attack takes minutes.
const TIME: Duration = Duration::from_secs(60);

/// Everything that a run of the program has, but the file.
struct Run {
    engine: Engine,
    output: JsonLines<io::Sink>,
    statistics: Statistics,
    number: u64,
    at: i64,
    /// Time between packets.
    pace: i64,
    /// Exchanges that were told, by status.
    told: [u64; 10],
    /// Those of them that have no row by pattern: attempts to connect, and what is not sure.
    uncounted: u64,
}

impl Run {
    fn new(keep_payloads: bool) -> Self {
        Self {
            engine: Engine::new(Config { keep_payloads, ..Config::default() }),
            output: JsonLines::new(io::sink()),
            statistics: Statistics::default(),
            number: 0,
            at: 1_795_000_000_000_000_000,
            pace: 10_000,
            told: [0; 10],
            uncounted: 0,
        }
    }

    fn segment(&mut self, tcp: &Tcp) {
        self.number += 1;
        self.at += self.pace;
        let raw = Raw { at: self.at, ..tcp.ethernet() };
        let Self { engine, output, statistics, number, told, uncounted, .. } = self;
        engine.push(&raw.packet(*number), &mut |update| {
            take(update, output, statistics, (told, uncounted));
        });
    }

    fn finish(&mut self) -> Counts {
        let Self { engine, output, statistics, told, uncounted, .. } = self;
        engine.finish(&mut |update| take(update, output, statistics, (told, uncounted)));
        engine.counts()
    }

    fn told(&self, status: Status) -> u64 {
        self.told[status as usize]
    }
}

fn take(
    update: EngineEvent<'_>,
    output: &mut JsonLines<io::Sink>,
    statistics: &mut Statistics,
    (told, uncounted): (&mut [u64; 10], &mut u64),
) {
    match update {
        EngineEvent::Exchange(exchange) => {
            told[exchange.status as usize] += 1;
            let has_row = match exchange.kind {
                ExchangeKind::Connect => false,
                // Replies are counted apart.
                ExchangeKind::Reply => true,
                _ => exchange.sure,
            };
            *uncounted += u64::from(!has_row);
            output.write(exchange).unwrap();
            statistics.add(exchange);
        }
        EngineEvent::Closed(closed) => statistics.close(closed),
        _ => {}
    }
}

/// A connection whose two sides say what the attack wants.
struct Talk {
    client: [u8; 4],
    port: u16,
    client_seq: u32,
    server_seq: u32,
}

impl Talk {
    /// The connection with this number, begun with its SYNs.
    fn open(run: &mut Run, number: u32) -> Self {
        let mut talk = Self::unopened(number);
        talk.segment(run, Side::Client, SYN, b"");
        talk.segment(run, Side::Server, SYN | ACK, b"");
        talk
    }

    fn unopened(number: u32) -> Self {
        let [a, b, c, _] = (number / 50_000).to_le_bytes();
        let port = u16::try_from(number % 50_000).unwrap() + 10_000;
        Self { client: [10, c, b, a], port, client_seq: 1_000, server_seq: 2_000 }
    }

    fn segment(&mut self, run: &mut Run, from: Side, flags: u8, payload: &[u8]) {
        let mut tcp = Tcp {
            at: 0,
            from: self.client.to_vec(),
            to: vec![10, 200, 0, 1],
            from_port: self.port,
            to_port: 3_000,
            seq: self.client_seq,
            ack: self.server_seq,
            flags,
            window: 65_535,
            payload: payload.to_vec(),
        };
        if from == Side::Server {
            std::mem::swap(&mut tcp.from, &mut tcp.to);
            std::mem::swap(&mut tcp.from_port, &mut tcp.to_port);
            std::mem::swap(&mut tcp.seq, &mut tcp.ack);
        }
        if flags & ACK == 0 {
            tcp.ack = 0;
        }
        let len = tcp.len();
        run.segment(&tcp);
        match from {
            Side::Client => self.client_seq = self.client_seq.wrapping_add(len),
            Side::Server => self.server_seq = self.server_seq.wrapping_add(len),
        }
    }

    /// Bytes, in segments as large as loopback has them.
    fn say(&mut self, run: &mut Run, from: Side, bytes: &[u8]) {
        for part in bytes.chunks(65_000) {
            self.segment(run, from, ACK, part);
        }
    }

    /// A frame, and whatever is glued to it.
    fn frame(&mut self, run: &mut Run, from: Side, body: &str) {
        self.say(run, from, frame(body).as_bytes());
    }
}

fn frame(body: &str) -> String {
    format!("{}#{body}", body.encode_utf16().count())
}

/// The attacks, by name; each gives what is to be looked at beside memory and time.
const ATTACKS: &[(&str, fn())] = &[
    ("a_million_connections", || {
        let mut run = Run::new(false);
        let request = frame(r#"{"pattern":"sum","data":[1,2],"id":"9ea99b9305e3c3556fc16"}"#);
        for number in 0..1_000_000 {
            let mut talk = Talk::unopened(number);
            talk.segment(&mut run, Side::Client, SYN, b"");
            talk.segment(&mut run, Side::Client, ACK, request.as_bytes());
        }
        let counts = run.finish();
        assert!(counts.stream.evicted_connections > 900_000, "{counts:?}");
        assert_eq!(run.told.iter().sum::<u64>(), 1_000_000);
        assert!(run.statistics.connections_folded() > 900_000);
    }),
    ("buffers_of_many_connections", || {
        let mut run = Run::new(true);
        let body = format!(r#"{{"pattern":"sum","data":"{}","id":"x"}}"#, "x".repeat(12_000));
        let reply =
            format!(r#"{{"response":"{}","isDisposed":true,"id":"x"}}"#, "x".repeat(12_000));
        for number in 0..60_000 {
            let mut talk = Talk::open(&mut run, number);
            for (from, body) in [(Side::Client, &body), (Side::Server, &reply)] {
                let frame = frame(body);
                let (head, tail) = frame.split_at(11_000);
                talk.say(&mut run, from, head.as_bytes());
                talk.say(&mut run, from, tail.as_bytes());
            }
        }
        run.finish();
        assert_eq!(run.told(Status::Ok), 60_000);
    }),
    ("lengths_beyond_measure", || {
        let mut run = Run::new(true);
        for number in 0..65_000 {
            let mut talk = Talk::open(&mut run, number);
            talk.say(&mut run, Side::Client, b"9999999#{\"pattern\":");
            talk.say(&mut run, Side::Server, b"9999#{\"response\":");
            talk.say(&mut run, Side::Client, b"1");
            talk.say(&mut run, Side::Server, b"1");
        }
        let mut talk = Talk::open(&mut run, 70_000);
        talk.say(&mut run, Side::Client, b"9999999999999999999#{\"pattern\":\"x\"");
        talk.frame(&mut run, Side::Client, r#"{"pattern":"sum","data":1,"id":1}"#);
        let counts = run.finish();
        assert!(counts.protocol.undecodable >= 1);
        assert_eq!(run.told.iter().sum::<u64>(), 1, "the frame behind it is found");
    }),
    ("beginnings_of_many_connections", || {
        let mut run = Run::new(true);
        // Seen from their middle: what may be a frame, and has not said a key yet.
        let beginning = format!("8888#{{\"x\":\"{}", "x".repeat(4_000));
        for number in 0..40_000 {
            let mut talk = Talk::unopened(number);
            talk.say(&mut run, Side::Client, beginning.as_bytes());
            talk.say(&mut run, Side::Server, beginning.as_bytes());
        }
        let counts = run.finish();
        assert!(counts.protocol.undecodable > 0, "{counts:?}");
    }),
    ("marks_of_many_connections", || {
        let mut run = Run::new(true);
        let mut talks: Vec<_> = (0..8_000).map(|number| Talk::open(&mut run, number)).collect();
        for talk in &mut talks {
            talk.say(&mut run, Side::Client, b"99999#{");
        }
        for _ in 0..300 {
            for talk in &mut talks {
                talk.say(&mut run, Side::Client, b" ");
            }
        }
        run.finish();
    }),
    ("a_million_open_calls", || {
        let mut run = Run::new(false);
        let mut talk = Talk::open(&mut run, 1);
        for id in 0..1_000_000 {
            talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":"p","data":1,"id":{id}}}"#));
        }
        let counts = run.finish();
        assert!(counts.exchange.calls_evicted >= 900_000, "{counts:?}");
        assert_eq!(run.told(Status::Unknown) + run.told(Status::Open), 1_000_000);
    }),
    ("a_million_calls_with_one_id", || {
        let mut run = Run::new(true);
        let mut talk = Talk::open(&mut run, 1);
        let request = frame(r#"{"pattern":"p","data":1,"id":"same"}"#).repeat(1_000);
        for _ in 0..1_000 {
            talk.say(&mut run, Side::Client, request.as_bytes());
        }
        let reply = frame(r#"{"response":1,"isDisposed":true,"id":"same"}"#).repeat(1_000);
        for _ in 0..50 {
            talk.say(&mut run, Side::Server, reply.as_bytes());
        }
        let counts = run.finish();
        assert!(counts.exchange.calls_evicted >= 900_000, "{counts:?}");
        assert_eq!(run.told(Status::Ok), 50_000);
    }),
    ("long_ids", || {
        let mut run = Run::new(false);
        let mut talk = Talk::open(&mut run, 1);
        let long = "x".repeat(50_000);
        for number in 0..5_000 {
            let id = format!("\"{number} {long}\"");
            talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":"p","id":{id}}}"#));
            talk.frame(&mut run, Side::Server, &format!(r#"{{"isDisposed":true,"id":{id}}}"#));
        }
        assert_eq!(run.told(Status::Ok), 5_000);
        // Long ids of calls that are open, and then short ones in the places that they had.
        for round in 0..60 {
            for number in 0..300 {
                let id = format!("\"{round} {number} {long}{long}\"");
                talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":"p","id":{id}}}"#));
            }
            for number in 0..1_000 {
                let id = format!("\"{round} {number}\"");
                talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":"p","id":{id}}}"#));
            }
        }
        let huge = format!("\"{}\"", r"\u0041".repeat(1 << 20));
        talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":"p","id":{huge}}}"#));
        talk.frame(&mut run, Side::Server, &format!(r#"{{"isDisposed":true,"id":{huge}}}"#));
        run.finish();
        assert_eq!(run.told(Status::Ok), 5_001);
    }),
    ("long_patterns", || {
        let mut run = Run::new(false);
        let mut talk = Talk::open(&mut run, 1);
        let blanks = " ".repeat(60_000);
        for number in 0..5_000 {
            let more = " ".repeat(number / 900);
            let pattern = format!("{{\"a\":{blanks}{more}{}}}", number % 900);
            talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":{pattern},"data":1}}"#));
        }
        let long = "p".repeat(1 << 20);
        for number in 0..100 {
            let body = format!(r#"{{"pattern":"{number}{long}","data":1,"id":{number}}}"#);
            talk.frame(&mut run, Side::Client, &body);
        }
        let counts = run.finish();
        // Long patterns have names too: their beginning and a hash.
        assert_eq!(counts.patterns_folded, 0);
        assert_eq!(run.told(Status::Sent), 5_000);
    }),
    ("a_hundred_thousand_patterns", || {
        let mut run = Run::new(false);
        let mut talk = Talk::open(&mut run, 1);
        // Answered after times that differ widely, often enough for a histogram of their own.
        for round in 0..90_i64 {
            for number in 0..1_100 {
                let request = format!(r#"{{"pattern":"user.{number}","id":1}}"#);
                talk.frame(&mut run, Side::Client, &request);
                run.pace = 1 << (round % 44);
                talk.frame(&mut run, Side::Server, r#"{"isDisposed":true,"id":1}"#);
                run.pace = 10_000;
            }
        }
        for number in 0..100_000 {
            let request = format!(r#"{{"pattern":"user.{number}","id":1}}"#);
            talk.frame(&mut run, Side::Client, &request);
            talk.frame(&mut run, Side::Server, r#"{"isDisposed":true,"id":1}"#);
        }
        let counts = run.finish();
        assert_eq!(counts.patterns_folded, 90 * 100 + 99_000);
        assert_eq!(run.statistics.patterns().len(), 1_001);
        assert_eq!(run.told(Status::Ok), 199_000);
    }),
    ("deep_nesting", || {
        let mut run = Run::new(true);
        let mut talk = Talk::open(&mut run, 1);
        const DEPTH: usize = 1_000_000;
        let arrays = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
        let objects = format!("{}1{}", "{\"a\":".repeat(DEPTH), "}".repeat(DEPTH));
        for deep in [&arrays, &objects] {
            for body in [
                format!(r#"{{"pattern":"p","data":{deep},"id":1}}"#),
                format!(r#"{{"pattern":{deep},"data":1,"id":2}}"#),
                format!(r#"{{"pattern":"p","data":1,"id":{deep}}}"#),
            ] {
                talk.frame(&mut run, Side::Client, &body);
            }
            for id in ["1", "2", deep] {
                let body = format!(r#"{{"response":{deep},"isDisposed":true,"id":{id}}}"#);
                talk.frame(&mut run, Side::Server, &body);
            }
            // Never closed: no frame, and no harm.
            talk.frame(&mut run, Side::Client, &"[".repeat(DEPTH));
        }
        run.finish();
        assert_eq!(run.told(Status::Ok), 6);
    }),
    ("one_byte_a_segment", || {
        for (text, bytes) in [("x", 4 << 20), ("求", 1 << 20)] {
            let mut run = Run::new(true);
            let mut talk = Talk::open(&mut run, 1);
            let text = text.repeat(bytes / text.len());
            let wire = frame(&format!(r#"{{"pattern":"p","data":"{text}","id":1}}"#));
            for byte in wire.as_bytes().chunks(1) {
                talk.segment(&mut run, Side::Client, ACK, byte);
            }
            talk.frame(&mut run, Side::Server, r#"{"isDisposed":true,"id":1}"#);
            run.finish();
            assert_eq!(run.told(Status::Ok), 1);
        }
    }),
    ("one_byte_a_segment_and_the_place_lost", || {
        let mut run = Run::new(true);
        for number in 0..4 {
            // Seen from its middle: what looks like a frame's beginning, and never says a key.
            let mut talk = Talk::unopened(number);
            talk.say(&mut run, Side::Client, b"88888#[");
            for _ in 0..100_000 {
                talk.segment(&mut run, Side::Client, ACK, b"[");
            }
        }
        run.finish();
    }),
    ("beginnings_inside_a_frame", || {
        for text in [r#"9999999#{"id":1,"#, r#"9999999#{"id":"求","#] {
            let mut run = Run::new(true);
            let mut talk = Talk::open(&mut run, 1);
            talk.frame(&mut run, Side::Client, r#"{"pattern":"p","id":0}"#);
            talk.say(&mut run, Side::Client, text.repeat((15 << 20) / text.len()).as_bytes());
            talk.say(&mut run, Side::Client, frame(r#"{"pattern":"p","id":1}"#).as_bytes());
            run.finish();
            assert_eq!(run.told(Status::Open), 1, "the one before");
        }
    }),
    ("frames_inside_of_what_is_none", || {
        let fakes: String = (0..300)
            .map(|id| frame(&format!(r#"{{"pattern":"fake","data":"é","id":{id}}}"#)))
            .collect();
        // Held, and too large to be held.
        for size in [1, (17 << 20) / fakes.len() + 1] {
            let body = format!("{{\"data\":{}", fakes.repeat(size));
            for part in [65_000, 1_448] {
                let mut run = Run::new(true);
                let mut talk = Talk::open(&mut run, 1);
                talk.frame(&mut run, Side::Client, r#"{"pattern":"p","id":1}"#);
                for part in frame(&body).as_bytes().chunks(part) {
                    talk.say(&mut run, Side::Client, part);
                }
                talk.frame(&mut run, Side::Client, r#"{"pattern":"p","id":2}"#);
                talk.frame(&mut run, Side::Server, r#"{"isDisposed":true,"id":1}"#);
                talk.frame(&mut run, Side::Server, r#"{"isDisposed":true,"id":2}"#);
                let counts = run.finish();
                assert_eq!(counts.protocol.undecodable, 1);
                assert_eq!((run.told(Status::Ok), run.told.iter().sum::<u64>()), (2, 2));
            }
        }
    }),
    ("gaps_everywhere", || {
        let mut run = Run::new(false);
        let mut talk = Talk::open(&mut run, 1);
        let mut dice = Dice(7);
        let mut kept = 0;
        for id in 0..500_000 {
            let body = format!(r#"{{"pattern":"p","data":"{}","id":{id}}}"#, "x".repeat(200));
            let wire = frame(&body);
            if dice.below(2) == 0 {
                talk.client_seq = talk.client_seq.wrapping_add(wire.len() as u32);
            } else {
                kept += 1;
                talk.say(&mut run, Side::Client, wire.as_bytes());
            }
            if id % 10 == 0 {
                talk.say(&mut run, Side::Server, b"");
            }
        }
        let counts = run.finish();
        // Nothing acknowledges what lies behind them.
        assert!(counts.stream.unacknowledged_gaps > 100_000, "{counts:?}");
        assert_eq!(run.told.iter().sum::<u64>(), kept);
    }),
    ("endless_replies", || {
        for keep in [true, false] {
            let mut run = Run::new(keep);
            let mut talk = Talk::open(&mut run, 1);
            talk.frame(&mut run, Side::Client, r#"{"pattern":"stream","id":1}"#);
            talk.frame(&mut run, Side::Client, r#"{"pattern":"other","id":2}"#);
            let reply = frame(r#"{"response":"0123456789","id":1}"#).repeat(1_000);
            for _ in 0..3_000 {
                talk.say(&mut run, Side::Server, reply.as_bytes());
            }
            talk.frame(&mut run, Side::Server, r#"{"isDisposed":true,"id":2}"#);
            let counts = run.finish();
            if keep {
                assert!(counts.exchange.calls_evicted >= 1, "{counts:?}");
                assert!(counts.exchange.orphan_replies > 0, "{counts:?}");
            } else {
                assert_eq!(counts.exchange.calls_evicted, 0);
                assert_eq!((run.told(Status::Ok), run.told(Status::Open)), (1, 1));
            }
        }
    }),
    ("replies_without_requests", || {
        let mut run = Run::new(true);
        let mut talk = Talk::open(&mut run, 1);
        for id in 0..1_000_000 {
            let body = format!(r#"{{"response":"0123456789","isDisposed":true,"id":{id}}}"#);
            talk.frame(&mut run, Side::Server, &body);
        }
        let counts = run.finish();
        assert_eq!(counts.exchange.orphan_replies, 1_000_000);
        assert_eq!(run.told(Status::Orphan), 1_000_000);
    }),
    ("a_clock_that_goes_backwards", || {
        let mut run = Run::new(true);
        run.pace = -1_000_000_000;
        for number in 0..20_000 {
            let mut talk = Talk::open(&mut run, number);
            for id in 0..3 {
                talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":"p","id":{id}}}"#));
                talk.frame(&mut run, Side::Server, &format!(r#"{{"isDisposed":true,"id":{id}}}"#));
            }
            // Held out of order, while no time passes.
            talk.client_seq += 10;
            talk.say(&mut run, Side::Client, &[b'x'; 1_000]);
        }
        let counts = run.finish();
        assert_eq!(run.told(Status::Ok), 60_000);
        assert!(counts.exchange.clock_steps >= 60_000, "{counts:?}");
        for row in run.statistics.patterns() {
            assert!(row.latency.percentiles().is_none(), "{row:?}");
        }
    }),
    ("fragments_and_noise", || {
        let mut run = Run::new(true);
        let mut dice = Dice(3);
        let mut talks: Vec<_> = (0..100).map(|number| Talk::open(&mut run, number)).collect();
        for _ in 0..1_000_000 {
            let index = dice.below(talks.len());
            let talk = &mut talks[index];
            let flags = [ACK, ACK, ACK, ACK | FIN, RST | ACK, SYN, SYN | ACK][dice.below(7)];
            let from = if dice.below(2) == 0 { Side::Client } else { Side::Server };
            if dice.below(4) == 0 {
                talk.client_seq = talk.client_seq.wrapping_add(dice.below(1 << 31) as u32);
            }
            let payload: Vec<u8> = (0..dice.below(60)).map(|_| dice.below(256) as u8).collect();
            talk.segment(&mut run, from, flags, &payload);
        }
        run.finish();
    }),
];

/// One attack, in a process of its own.
#[test]
#[ignore = "part of the other tests"]
fn attack() {
    let name = std::env::var("NESTSCOPE_ATTACK").unwrap();
    let (_, attack) = ATTACKS.iter().find(|(known, _)| *known == name).unwrap();
    let begun = Instant::now();
    attack();
    let took = begun.elapsed();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("peak {} ms {}", peak.trim().trim_end_matches(" kB"), took.as_millis());
}

fn survives(name: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["attack", "--exact", "--ignored", "--nocapture"])
        .env("NESTSCOPE_ATTACK", name)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let measured = said.lines().find_map(|line| line.strip_prefix("peak ")).unwrap();
    let (peak, took) = measured.split_once(" ms ").unwrap();
    let (peak, took): (u64, u64) = (peak.parse().unwrap(), took.parse().unwrap());
    eprintln!("{name}: {} MiB, {took} ms", peak >> 10);
    assert!(peak < MEMORY_KIB, "{name}: {peak} KiB");
    assert!(Duration::from_millis(took) < TIME, "{name}: {took} ms");
}

macro_rules! attacks {
    ($($name:ident)*) => {
        $(#[test] fn $name() { survives(stringify!($name)); })*

        #[test]
        fn every_attack_is_a_test() {
            let names = [$(stringify!($name)),*];
            assert_eq!(names.to_vec(), ATTACKS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        }
    };
}

attacks! {
    a_million_connections
    buffers_of_many_connections
    lengths_beyond_measure
    beginnings_of_many_connections
    marks_of_many_connections
    a_million_open_calls
    a_million_calls_with_one_id
    long_ids
    long_patterns
    a_hundred_thousand_patterns
    deep_nesting
    one_byte_a_segment
    one_byte_a_segment_and_the_place_lost
    beginnings_inside_a_frame
    frames_inside_of_what_is_none
    gaps_everywhere
    endless_replies
    replies_without_requests
    a_clock_that_goes_backwards
    fragments_and_noise
}

/// What somebody says on a connection.
#[derive(Clone, Debug)]
struct Word {
    connection: u32,
    from_client: bool,
    flags: u8,
    payload: Vec<u8>,
    /// Moves the sequence number first: bytes lost, or sent again.
    skip: i32,
    pace: i64,
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        Just(r#"{"pattern":"p","data":1,"id":1}"#.to_owned()),
        Just(r#"{"pattern":{"b":1,"a":"求"},"data":"😀","id":"x"}"#.to_owned()),
        Just(r#"{"pattern":"e","data":"12#{\"id\":1}"}"#.to_owned()),
        Just(r#"{"response":6,"isDisposed":true,"id":1}"#.to_owned()),
        Just(r#"{"response":{"id":7},"id":"x"}"#.to_owned()),
        Just(r#"{"err":"no","id":"x"}"#.to_owned()),
        Just(r#"{"isDisposed":true,"id":"x"}"#.to_owned()),
        "\\PC{0,20}",
    ];
    let framed = text.prop_map(|text| frame(&text).into_bytes());
    prop_oneof![
        4 => framed.clone(),
        2 => (framed.clone(), any::<prop::sample::Index>()).prop_map(|(mut bytes, cut)| {
            bytes.truncate(cut.index(bytes.len()));
            bytes
        }),
        2 => (framed, any::<prop::sample::Index>()).prop_map(|(mut bytes, cut)| {
            bytes.drain(..cut.index(bytes.len()));
            bytes
        }),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => Just(Vec::new()),
    ]
}

fn word() -> impl Strategy<Value = Word> {
    let flags = prop_oneof![
        12 => Just(ACK), 1 => Just(SYN), 1 => Just(SYN | ACK), 1 => Just(FIN | ACK),
        1 => Just(RST), 1 => Just(RST | ACK), 1 => any::<u8>(),
    ];
    let skip = prop_oneof![12 => Just(0), 2 => -60..60, 1 => any::<i32>()];
    let pace = prop_oneof![8 => 0..1_000_000_i64, 1 => any::<i32>().prop_map(i64::from)];
    (0..3_u32, any::<bool>(), flags, payload(), skip, pace).prop_map(
        |(connection, from_client, flags, payload, skip, pace)| Word {
            connection,
            from_client,
            flags,
            payload,
            skip,
            pace,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever is said, nothing panics, every exchange is told once and has its number, and the
    /// sums are those of the parts.
    #[test]
    fn any_segments_are_borne(words in prop::collection::vec(word(), 0..60), keep: bool) {
        let mut run = Run::new(keep);
        let mut talks: Vec<_> = (0..3).map(Talk::unopened).collect();
        for word in &words {
            run.pace = word.pace;
            let talk = &mut talks[word.connection as usize];
            let from = if word.from_client { Side::Client } else { Side::Server };
            let seq = match from {
                Side::Client => &mut talk.client_seq,
                Side::Server => &mut talk.server_seq,
            };
            *seq = seq.wrapping_add_signed(word.skip);
            talk.segment(&mut run, from, word.flags, &word.payload);
        }
        let counts = run.finish();
        let told: u64 = run.told.iter().sum();
        prop_assert_eq!(counts.exchange.orphan_replies, run.told(Status::Orphan));
        prop_assert_eq!(counts.open_calls, run.told(Status::Open), "{:?}", counts);
        let totals = *run.statistics.totals();
        let rows = totals.calls + totals.events + run.told(Status::Orphan) + run.uncounted;
        prop_assert_eq!(rows, told);
        let ended = totals.ok + totals.error + totals.open + totals.closed + totals.unknown;
        prop_assert_eq!(ended, totals.calls);
        let rows: u64 = run.statistics.patterns().iter()
            .map(|row| row.outcomes.calls + row.outcomes.events).sum();
        prop_assert_eq!(rows, totals.calls + totals.events);
        let of_connections: u64 = run.statistics.connections().iter()
            .map(|row| row.outcomes.calls + row.outcomes.events).sum();
        prop_assert_eq!(of_connections, rows);
    }

    /// Bytes that are no packets at all.
    #[test]
    fn any_bytes_are_borne(
        packets in prop::collection::vec(
            (prop_oneof![Just(1_u16), Just(0), Just(101), Just(113), Just(276), any::<u16>()],
             prop::collection::vec(any::<u8>(), 0..120), any::<u32>(), any::<i64>()), 0..20)
    ) {
        let mut engine = Engine::new(Config { keep_payloads: true, ..Config::default() });
        let mut said = String::new();
        for ((link, data, original_len, at), number) in packets.iter().zip(1..) {
            let (link, data) = (LinkType(*link), data.clone());
            let raw = Raw { at: *at, link, data, original_len: *original_len };
            let packet = raw.packet(number);
            engine.push(&packet, &mut |update| write!(said, "{update:?}").unwrap());
        }
        engine.finish(&mut |update| write!(said, "{update:?}").unwrap());
        prop_assert_eq!(engine.counts().decode.packets, packets.len() as u64);
    }
}
