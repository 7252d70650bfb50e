//! The frame decoder against the receiving class of each Nest version, on the same bytes.
//!
//! `tests/lab/jsonsocket` ran the real classes over `tests/lab/frames.jsonl`; what they made of it
//! lies in `fixtures/jsonsocket/`. Compared are the texts of the frames before the first refusal,
//! and whether there was one. What a class does behind its refusal depends on where TCP cut the
//! bytes (it throws the rest of the chunk away), so there nothing is compared.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use nestscope::decode::Seq;
use nestscope::endpoint::{ConnectionId, ConnectionNumber, Endpoints, PerSide, Roles, Side};
use nestscope::packet::{PacketNumber, PacketRef};
use nestscope::protocol::{Decoded, Decoder, Fault, nest_tcp::NestTcp};
use nestscope::stream::{Chunk, Opened};
use serde_json::Value;

/// The JSON texts before the first refusal, and whether one came.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    texts: Vec<String>,
    refused: bool,
}

fn lines(path: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    text.lines().map(|line| serde_json::from_str(&without_halves(line)).unwrap()).collect()
}

/// JavaScript strings may hold half of a surrogate pair, which serde_json refuses.
fn without_halves(line: &str) -> String {
    let is_half = |escape: &str| u16::from_str_radix(escape, 16).is_ok_and(|unit| unit >> 11 == 27);
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let len = if escape.starts_with("\\u") { 6 } else { 2 };
        let half = len == 6 && is_half(&escape[2..6]);
        let pair = half && escape[6..].starts_with("\\u") && is_half(&escape[8..12]);
        let len = if pair { 12 } else { len };
        out.push_str(if half && !pair { "\\ufffd" } else { &escape[..len] });
        rest = &escape[len..];
    }
    out + rest
}

fn cases() -> Vec<(String, Vec<Vec<u8>>)> {
    let chunks = |case: &Value| {
        let chunks = case["chunks"].as_array().unwrap().iter();
        chunks.map(|chunk| base64(chunk.as_str().unwrap())).collect()
    };
    let cases = lines("tests/lab/frames.jsonl");
    cases.iter().map(|case| (case["name"].as_str().unwrap().to_owned(), chunks(case))).collect()
}

fn nest(version: &str) -> HashMap<String, Outcome> {
    let outcome = |line: &Value| {
        let before = line["refused_after"].as_u64().unwrap_or(u64::MAX);
        let texts = line["texts"].as_array().unwrap().iter();
        Outcome {
            texts: texts
                .take(usize::try_from(before).unwrap_or(usize::MAX))
                .map(|text| text.as_str().unwrap().to_owned())
                .collect(),
            refused: line["refused"].as_bool().unwrap(),
        }
    };
    let lines = lines(&format!("fixtures/jsonsocket/{version}.jsonl"));
    lines.iter().map(|line| (line["name"].as_str().unwrap().to_owned(), outcome(line))).collect()
}

/// What our decoder makes of the client's bytes.
fn ours(chunks: &[Vec<u8>]) -> Outcome {
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let connection = ConnectionId { number: ConnectionNumber(0), slot: 0 };
    let mut decoder = NestTcp::new(&Opened {
        connection,
        ends: Endpoints { client: address(50_000), server: address(3_000) },
        roles: Roles::Known,
        at: PacketRef::default(),
        from_start: PerSide { client: true, server: true },
        also: None,
    });
    let mut outcome = Outcome { texts: Vec::new(), refused: false };
    let mut emit = |decoded: Decoded<'_>| match decoded {
        Decoded::Message(message) if !outcome.refused => {
            outcome.texts.push(String::from_utf8_lossy(message.body).into_owned());
        }
        // Nest waits for ever where we say so much too early.
        Decoded::Undecodable { fault: Fault::TooLarge | Fault::Unfinished, .. } => {}
        Decoded::Undecodable { .. } | Decoded::Foreign(_) => outcome.refused = true,
        Decoded::Message(_) | Decoded::Client(_) | Decoded::Started { .. } => {}
    };
    let mut offset = 0;
    for (chunk, number) in chunks.iter().zip(1..) {
        if chunk.is_empty() {
            continue;
        }
        let packet = PacketRef { number: PacketNumber(number), ..PacketRef::default() };
        let data = chunk.as_slice();
        let seq = Seq(u32::try_from(offset).unwrap());
        let (hold, after, from) = (None, None, Side::Client);
        let chunk = Chunk { connection, from, packet, hold, offset, seq, after, data };
        decoder.push(&chunk, usize::MAX, &mut emit);
        offset += data.len() as u64;
    }
    decoder.finish(&mut emit);
    outcome
}

/// Where a decoder that watches differs from a class that receives, by the beginning of the case's
/// name, and why.
const EVERY_VERSION: [(&str, &str); 4] = [
    (
        "header: 2^32 and a little",
        "too large to hold: it is passed over, where Nest waits for ever",
    ),
    ("header: 2^64 and a little", "the same"),
    ("no delimiter: an HTTP request", "recognised and named, where Nest waits for a #"),
    ("no delimiter: a TLS hello", "the same"),
];
const FROM_6_1: [(&str, &str); 2] = [
    ("bytes: ", "what a client of 5.x or 6.0.0 sent is read as it was meant"),
    ("bytes or units: a string frame", "the same"),
];
const UP_TO_6_0: [(&str, &str); 5] = [
    ("long: ", "5.x refuses a frame whose chunk ends inside a character"),
    ("bytes", "5.x compares bytes but cuts characters, and refuses what comes glued"),
    ("units: a cut after every byte", "what a client of 6.1 or later sent is read as it was meant"),
    ("utf-8: ", "5.x counts bytes after decoding each chunk by itself"),
    ("header: hexadecimal", "5.x calls parseInt without a radix; no client sends that"),
];

fn check(version: &str, known: &[(&str, &str)]) {
    let nest = nest(version);
    let cases = cases();
    assert!(cases.len() >= 200, "{} cases", cases.len());
    assert_eq!(cases.len(), nest.len(), "{version}");
    for (name, chunks) in cases {
        let is_known = |(start, _): &&(&str, &str)| name.starts_with(start);
        if EVERY_VERSION.iter().chain(known).any(|known| is_known(&known)) {
            continue;
        }
        assert_eq!(ours(&chunks), nest[&name], "ours and Nest {version}'s: {name}");
    }
}

#[test]
fn agrees_with_each_version_from_6_to_12() {
    for version in ["v6", "v7", "v8", "v9", "v10", "v11", "v12"] {
        check(version, &FROM_6_1);
    }
}

#[test]
fn agrees_with_version_5() {
    check("v5", &UP_TO_6_0);
}

#[test]
fn frames_counted_in_bytes_are_read_whole() {
    let whole = r#"{"pattern":"echo","data":"求和 😀","id":"b9305e3c3556fc163fa37"}"#;
    for (name, chunks) in cases() {
        if ["bytes: alone", "bytes: a cut after every byte"].contains(&name.as_str()) {
            assert_eq!(ours(&chunks), Outcome { texts: vec![whole.to_owned()], refused: false });
        }
    }
}

/// RFC 4648, so that the test needs no crate for one field.
fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("no base64: {text}"),
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').map(digit).collect();
    let bytes = digits.chunks(4).flat_map(|group| {
        let word = group.iter().fold(0_u32, |word, digit| word << 6 | u32::from(*digit));
        let word = word << (6 * (4 - group.len())) << 8;
        word.to_be_bytes().into_iter().take(group.len() - 1)
    });
    bytes.collect()
}
