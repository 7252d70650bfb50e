//! What the tests over captures share: reading one, running the engine over it, and what the Nest
//! processes themselves say they sent.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::expect_used)]

pub mod encapsulate;
pub mod mutate;
pub mod oracle;
pub mod sent;
pub mod wire;

use std::fs;
use std::path::{Path, PathBuf};

use nestscope::engine::{Config, Counts, Engine, EngineEvent};
use nestscope::exchange::{Exchange, ExchangeKind, Latency, Status};
use nestscope::packet::{LinkType, Packet, PacketNumber};
use nestscope::source::file::CaptureFile;
use nestscope::source::{Next, Stop};
use nestscope::store::{Archive, CaptureStore, Kept};
use nestscope::time::{Nanos, Timestamp};

/// A packet that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    pub at: i64,
    pub link: LinkType,
    pub data: Vec<u8>,
    pub original_len: u32,
}

impl Raw {
    /// As the packet with this number of a capture.
    pub fn packet(&self, number: u64) -> Packet<'_> {
        Packet {
            number: PacketNumber(number),
            at: Timestamp::from_nanos(self.at),
            link: self.link,
            point: Default::default(),
            data: &self.data,
            original_len: self.original_len,
        }
    }
}

/// An exchange that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub number: u64,
    pub kind: ExchangeKind,
    pub pattern: Option<String>,
    pub id: Option<String>,
    pub client: String,
    pub server: String,
    pub status: Status,
    pub replies: u32,
    pub request_bytes: u64,
    pub reply_bytes: u64,
    pub latency: Latency,
    pub waited: Option<Nanos>,
    pub data: Option<String>,
    pub responses: Vec<String>,
    pub error: Option<String>,
    pub attempts: u32,
}

impl Record {
    fn of(exchange: &Exchange<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            number: exchange.number.0,
            kind: exchange.kind,
            pattern: exchange.pattern.map(str::to_owned),
            id: exchange.id.map(text),
            client: exchange.ends.client.to_string(),
            server: exchange.ends.server.to_string(),
            status: exchange.status,
            replies: exchange.replies,
            request_bytes: exchange.request.map_or(0, |span| span.bytes),
            reply_bytes: exchange.reply.map_or(0, |span| span.bytes),
            latency: exchange.latency,
            waited: exchange.waited,
            data: exchange.data.map(text),
            responses: exchange.responses.iter().map(text).collect(),
            error: exchange.error.map(text),
            attempts: exchange.attempts,
        }
    }
}

/// What an engine made of a capture. The records are in the order of their numbers.
#[derive(Debug)]
pub struct Outcome {
    pub records: Vec<Record>,
    pub counts: Counts,
}

/// A text as Nest sends it: behind its length in UTF-16 code units.
pub fn framed(body: &str) -> String {
    format!("{}#{body}", body.encode_utf16().count())
}

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The captures of the lab, by name and path, in the order of their names.
pub fn recordings(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?;
            let name = name.strip_suffix(".pcap").or_else(|| name.strip_suffix(".pcap.gz"))?;
            Some((name.to_owned(), path.clone()))
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no captures in {}", folder.display());
    found
}

pub fn read(path: &Path) -> Vec<Raw> {
    let mut file = CaptureFile::open(path.to_str().unwrap(), Stop::default()).unwrap();
    let mut packets = Vec::new();
    loop {
        match file.next().unwrap() {
            Next::Packet(packet) => packets.push(Raw {
                at: packet.at.as_nanos(),
                link: packet.link,
                data: packet.data.to_vec(),
                original_len: packet.original_len,
            }),
            Next::Idle(_) => {}
            Next::End => return packets,
        }
    }
}

pub fn analyse(packets: &[Raw]) -> Outcome {
    analyse_with(packets, Config { keep_payloads: true, ..Config::default() })
}

/// What the store keeps of a capture, in memory.
pub fn archive(packets: &[Raw]) -> Archive {
    let mut store = CaptureStore::new(usize::MAX);
    let mut engine =
        Engine::new(Config { keep_payloads: true, tell_progress: true, ..Config::default() });
    for (raw, number) in packets.iter().zip(1..) {
        let packet = raw.packet(number);
        store.packet(&packet, Kept::Memory);
        engine.push(&packet, &mut |update| store.take(&update));
    }
    engine.finish(&mut |update| store.take(&update));
    store.archive().clone()
}

pub fn analyse_with(packets: &[Raw], config: Config) -> Outcome {
    let mut records = Vec::new();
    let mut engine = Engine::new(config);
    let mut emit = |update: EngineEvent<'_>| {
        if let EngineEvent::Exchange(exchange) = update {
            records.push(Record::of(exchange));
        }
    };
    for (raw, number) in packets.iter().zip(1..) {
        engine.push(&raw.packet(number), &mut emit);
    }
    engine.finish(&mut emit);
    let counts = engine.counts();
    records.sort_by_key(|record| record.number);
    Outcome { records, counts }
}
