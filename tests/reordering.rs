//! When a frame begins and when it is whole where segments were captured out of order, against a
//! reader of bytes that knows nothing but where each byte was first seen.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::{BTreeMap, HashMap};

use common::sent::member;
use common::wire::{self, SYN};
use common::{Raw, analyse, fixtures, mutate, read};
use nestscope::exchange::{ExchangeKind, Status};

type End = (Vec<u8>, u16);

/// One side of a connection: each byte by its sequence number, with the time at which it was first
/// captured.
#[derive(Default)]
struct Side {
    first: u32,
    bytes: BTreeMap<u32, (u8, i64)>,
}

/// The frames of a side: the text, the time of the first byte, and the latest of all bytes.
fn frames(side: &Side) -> Vec<(String, i64, i64)> {
    let (bytes, times): (Vec<u8>, Vec<i64>) = side.bytes.values().copied().unzip();
    let text = String::from_utf8(bytes).unwrap();
    let mut frames = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (length, rest) = text[at..].split_once('#').unwrap();
        let mut units = length.parse::<usize>().unwrap();
        let chars = rest.chars().take_while(|char| {
            let goes_on = units > 0;
            units = units.saturating_sub(char.len_utf16());
            goes_on
        });
        let body: String = chars.collect();
        let end = at + length.len() + 1 + body.len();
        frames.push((body, times[at], *times[at..end].iter().max().unwrap()));
        at = end;
    }
    frames
}

/// The latency of each answered call, by client and id.
fn expected(packets: &[Raw]) -> HashMap<(u16, String), i64> {
    let mut sides = HashMap::<(End, End), Side>::new();
    let segments: Vec<_> = packets.iter().map(wire::parse).collect();
    for tcp in segments.iter().filter(|tcp| tcp.flags & SYN != 0) {
        sides.entry(tcp.ends()).or_default().first = tcp.payload_seq();
    }
    for (tcp, raw) in segments.iter().zip(packets) {
        let side = sides.get_mut(&tcp.ends()).unwrap();
        let start = tcp.payload_seq().wrapping_sub(side.first);
        for (byte, at) in tcp.payload.iter().zip(start..) {
            side.bytes.entry(at).or_insert((*byte, raw.at));
        }
    }
    let mut requests = HashMap::new();
    let mut latencies = HashMap::new();
    for ((from, _), side) in &sides {
        for (body, first, _) in frames(side) {
            if member(&body, "pattern").is_some()
                && let Some(id) = member(&body, "id")
            {
                requests.insert((from.1, id), first);
            }
        }
    }
    for ((_, to), side) in &sides {
        for (body, _, last) in frames(side) {
            let ends = member(&body, "isDisposed").is_some() || member(&body, "err").is_some();
            if ends && member(&body, "pattern").is_none() {
                let key = (to.1, member(&body, "id").unwrap());
                latencies.insert(key.clone(), last - requests[&key]);
            }
        }
    }
    latencies
}

#[test]
fn latencies_are_those_of_the_bytes_however_they_were_captured() {
    let mut differ = 0;
    for name in ["basic-v11", "concurrent-v11"] {
        let packets = read(&fixtures().join(format!("{name}.pcap")));
        let straight = expected(&packets);
        for (size, window) in [(1_448, 6), (100, 40), (31, 12)] {
            // Segments of one packet get times of their own, so that they are told apart.
            let mut cut = mutate::recut(&packets, size);
            for (raw, number) in cut.iter_mut().zip(0..) {
                raw.at += number;
            }
            for seed in 1..=4 {
                let shuffled = mutate::shuffled(&cut, window, seed);
                let expected = expected(&shuffled);
                assert_eq!(expected.len(), straight.len(), "{name}");
                let mut found = 0;
                for record in analyse(&shuffled).records {
                    let is_answered = matches!(record.status, Status::Ok | Status::Error);
                    if record.kind != ExchangeKind::Request || !is_answered {
                        continue;
                    }
                    found += 1;
                    let port = record.client.rsplit_once(':').unwrap().1.parse().unwrap();
                    let id = record.id.clone().unwrap();
                    let right = expected[&(port, id)];
                    let latency = record.latency.latency.unwrap().get();
                    assert_eq!(i64::try_from(latency).unwrap(), right.max(0), "{name} {record:?}");
                    differ += usize::from(right != straight[&(port, record.id.unwrap())]);
                }
                assert_eq!(found, expected.len(), "{name} {size} {seed}");
            }
        }
    }
    assert!(differ > 0);
}
