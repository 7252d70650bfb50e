//! A run of everything that the program has, and the connections on which an attack speaks.

use std::io;

use nestscope::endpoint::Side;
use nestscope::engine::{Config, Counts, Engine, EngineEvent};
use nestscope::exchange::{ExchangeKind, Status};
use nestscope::report::calls::JsonLines;
use nestscope::store::Statistics;

use super::common::wire::{SYN, Tcp};
use super::common::{Raw, framed};

pub const ACK: u8 = 0x10;

/// Everything that a run of the program has, but the file.
pub struct Run {
    engine: Engine,
    output: JsonLines<io::Sink>,
    pub statistics: Statistics,
    number: u64,
    at: i64,
    /// Time between packets.
    pub pace: i64,
    /// Exchanges that were told, by status.
    pub told: [u64; 10],
    /// Those of them that have no row by pattern: attempts to connect, and what is not sure.
    pub uncounted: u64,
}

impl Run {
    pub fn new(keep_payloads: bool) -> Self {
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

    pub fn finish(&mut self) -> Counts {
        let Self { engine, output, statistics, told, uncounted, .. } = self;
        engine.finish(&mut |update| take(update, output, statistics, (told, uncounted)));
        engine.counts()
    }

    pub fn told(&self, status: Status) -> u64 {
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
pub struct Talk {
    client: [u8; 4],
    port: u16,
    pub client_seq: u32,
    pub server_seq: u32,
}

impl Talk {
    /// The connection with this number, begun with its SYNs.
    pub fn open(run: &mut Run, number: u32) -> Self {
        let mut talk = Self::unopened(number);
        talk.segment(run, Side::Client, SYN, b"");
        talk.segment(run, Side::Server, SYN | ACK, b"");
        talk
    }

    pub fn unopened(number: u32) -> Self {
        let [a, b, c, _] = (number / 50_000).to_le_bytes();
        let port = u16::try_from(number % 50_000).unwrap() + 10_000;
        Self { client: [10, c, b, a], port, client_seq: 1_000, server_seq: 2_000 }
    }

    pub fn segment(&mut self, run: &mut Run, from: Side, flags: u8, payload: &[u8]) {
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
    pub fn say(&mut self, run: &mut Run, from: Side, bytes: &[u8]) {
        for part in bytes.chunks(65_000) {
            self.segment(run, from, ACK, part);
        }
    }

    /// A frame, and whatever is glued to it.
    pub fn frame(&mut self, run: &mut Run, from: Side, body: &str) {
        self.say(run, from, framed(body).as_bytes());
    }
}
