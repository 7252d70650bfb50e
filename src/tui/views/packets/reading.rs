//! What a packet is, in one line.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::decode::{Decoder, Headers};
use crate::endpoint::{ConnectionNumber, Side};
use crate::packet::{Packet, PacketNumber};
use crate::report::packet_line::{Beginning, packet_line};
use crate::store::{CaptureStore, PacketRecord};

/// Packets of a connection by which the numbers of its first bytes are learned: more than a
/// handshake has.
const HANDSHAKE: usize = 8;

/// Packets of the capture among which those are looked for.
const AMONG: u64 = 4_096;

/// Connections whose beginnings are remembered: more than are in sight.
const REMEMBERED: usize = 1_024;

/// A packet, as far as it could be read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What is remembered of it.
    pub record: PacketRecord,
    /// Its bytes, or why they are gone.
    pub data: Result<Vec<u8>, String>,
    /// What its TCP header says, where it has one.
    pub headers: Option<Headers>,
}

impl Reading {
    /// Reads packet `number`; `None` where nothing is known of it.
    pub fn new(number: PacketNumber, capture: &CaptureStore) -> Option<Self> {
        let record = capture.archive().packet(number)?;
        let data = capture.archive().packet_data(number).map_err(|gone| gone.to_string());
        let headers = data.as_ref().ok().and_then(|data| Headers::of(&packet(&record, data)));
        Some(Self { record, data, headers })
    }

    /// The bytes that TCP carried in it, or all where it is no TCP segment.
    pub fn payload(&self) -> &[u8] {
        let data = self.data.as_deref().unwrap_or_default();
        match &self.headers {
            Some(headers) => data.get(headers.payload.clone()).unwrap_or_default(),
            None => data,
        }
    }

    /// Which side of its connection sent it, in the roles that the messages showed.
    pub fn from(&self, capture: &CaptureStore) -> Option<Side> {
        let ends = capture.archive().ends(self.record.connection?)?;
        let from = self.headers.as_ref()?.from;
        Some(if from == ends.client { Side::Client } else { Side::Server })
    }

    /// What its headers say, in one line.
    pub fn line(&self, beginnings: &mut Beginnings, capture: &CaptureStore) -> String {
        let data = match &self.data {
            Ok(data) => data,
            Err(gone) => return gone.clone(),
        };
        match &self.headers {
            Some(headers) => {
                let beginning = beginnings.of(&self.record, headers.from, capture);
                packet_line(headers, data, beginning, 0)
            }
            None => other(&packet(&self.record, data)),
        }
    }
}

const fn packet<'a>(record: &PacketRecord, data: &'a [u8]) -> Packet<'a> {
    Packet {
        number: record.number,
        at: record.at,
        link: record.link,
        point: record.point,
        data,
        original_len: record.original_len,
    }
}

/// What a packet is that is no TCP segment.
fn other(packet: &Packet<'_>) -> String {
    let mut decoder = Decoder::new();
    decoder.push(packet, &mut |_| {});
    let counts = decoder.counts();
    if let Some(link) = counts.unknown_link {
        return format!("Link type {}, which is not read here", link.0);
    }
    let what = match (counts.malformed, counts.fragments, counts.not_tcp) {
        (1.., _, _) => "Headers that are cut or make no sense",
        (_, 1.., _) => "IP fragment",
        (_, _, 1..) => "Not TCP",
        _ => "Not a TCP segment of its own",
    };
    what.to_owned()
}

/// Where the sequence numbers of connections begin, so that they can be told from 0.
#[derive(Debug, Default)]
pub struct Beginnings {
    /// The beginning from the view of one end, by the number of the connection.
    known: HashMap<ConnectionNumber, (SocketAddr, Beginning)>,
}

impl Beginnings {
    /// That of the connection of a packet, from the view of its sender.
    fn of(&mut self, record: &PacketRecord, from: SocketAddr, capture: &CaptureStore) -> Beginning {
        let Some(connection) = record.connection else { return Beginning::default() };
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        let learned = self.known.get(&connection).copied().or_else(|| learn(connection, capture));
        let Some((end, beginning)) = learned else { return Beginning::default() };
        self.known.insert(connection, (end, beginning));
        if end == from { beginning } else { beginning.turned() }
    }
}

/// Learns the beginning of a connection from its first packets.
fn learn(connection: ConnectionNumber, capture: &CaptureStore) -> Option<(SocketAddr, Beginning)> {
    let first = capture
        .connections()
        .iter()
        .find(|record| record.facts.connection.number == connection)?
        .facts
        .first
        .number;
    // The first one by time may have been captured a little later than others.
    let start = first.saturating_sub(AMONG / 16);
    let packets = capture.archive().packets_of(connection, start..first.saturating_add(AMONG));
    let mut learned: Option<(SocketAddr, Beginning)> = None;
    for packet in packets.take(HANDSHAKE) {
        let Some(headers) = Reading::new(packet.number, capture).and_then(|it| it.headers) else {
            continue;
        };
        let (end, mut beginning) = learned.unwrap_or((headers.from, Beginning::default()));
        if end == headers.from {
            beginning.learn(&headers);
        } else {
            beginning = beginning.turned();
            beginning.learn(&headers);
            beginning = beginning.turned();
        }
        learned = Some((end, beginning));
    }
    learned
}
