//! Bytes that no Nest client writes: the `raw` recordings, against a splitter that knows which
//! version listens, and is as naive as that allows.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::sent::member;
use common::{analyse, fixtures, read};
use nestscope::exchange::{ExchangeKind, Status};
use nestscope::protocol::Foreign;
use serde_json::Value;

/// One write of the sent log, in its bytes.
struct Write {
    from_client: bool,
    client: String,
    bytes: Vec<u8>,
}

fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("{text}"),
    };
    let digits: Vec<_> = text.trim_end_matches('=').bytes().map(digit).collect();
    let mut bytes = Vec::new();
    for four in digits.chunks(4) {
        let word = four.iter().fold(0_u32, |word, digit| word << 6 | u32::from(*digit));
        let word = word << (6 * (4 - four.len()));
        bytes.extend(&word.to_be_bytes()[1..four.len()]);
    }
    bytes
}

fn writes(capture: &Path) -> Vec<Write> {
    let log = fs::read_to_string(capture.with_extension("sent.jsonl")).unwrap();
    log.lines()
        .map(|line| {
            let write: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| write[key].as_str().map(str::to_owned);
            let from_client = write["side"] == "client";
            Write {
                from_client,
                client: text(if from_client { "local" } else { "remote" }).unwrap(),
                bytes: match text("text") {
                    Some(text) => text.into_bytes(),
                    None => base64(&text("base64").unwrap()),
                },
            }
        })
        .collect()
}

/// What one side of a connection has written and was not read as a frame yet.
#[derive(Default)]
struct Splitter {
    bytes: Vec<u8>,
    /// Whether the place of the next frame was lost.
    lost: bool,
    faults: u64,
}

impl Splitter {
    /// The next whole frame, as text with its header. Lengths are in bytes or in UTF-16 units.
    fn next(&mut self, in_bytes: bool) -> Option<String> {
        loop {
            // The text that Node makes of the bytes; of those that may become a character later
            // nothing is known yet.
            let text = String::from_utf8_lossy(&self.bytes).into_owned();
            if self.lost {
                let digits =
                    |at: usize| text[..at].bytes().rev().take_while(u8::is_ascii_digit).count();
                let found = text
                    .match_indices("#{\"")
                    .map(|(at, _)| (at, digits(at)))
                    .find(|(_, digits)| *digits > 0)?;
                self.bytes = text.as_bytes()[found.0 - found.1..].to_vec();
                self.lost = false;
                continue;
            }
            let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            let (header, rest) = start.split_once('#')?;
            let number: String =
                header.trim_start_matches('+').chars().take_while(char::is_ascii_digit).collect();
            let Ok(length) = number.parse::<usize>() else {
                self.fault(rest);
                continue;
            };
            let body = if in_bytes {
                // Only whole characters were written so, in these recordings.
                let head = self.bytes.len() - rest.len();
                let head = if text.as_bytes() == self.bytes { head } else { header.len() + 1 };
                let body = self.bytes.get(head..head + length)?;
                String::from_utf8_lossy(body).into_owned()
            } else {
                let units: Vec<u16> = rest.encode_utf16().take(length).collect();
                if units.len() < length {
                    return None;
                }
                String::from_utf16(&units).unwrap()
            };
            if serde_json::from_str::<Box<serde_json::value::RawValue>>(&body).is_err() {
                self.fault(rest);
                continue;
            }
            let frame = format!("{header}#{body}");
            let rest = if in_bytes && text.as_bytes() != self.bytes {
                self.bytes[header.len() + 1 + length..].to_vec()
            } else {
                rest.as_bytes()[body.len()..].to_vec()
            };
            self.bytes = rest;
            return Some(frame);
        }
    }

    fn fault(&mut self, rest: &str) {
        self.faults += 1;
        self.lost = true;
        self.bytes = rest.as_bytes().to_vec();
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Told {
    id: Option<String>,
    pattern: Option<String>,
    data: Option<String>,
    responses: Vec<String>,
    error: Option<String>,
    replies: u32,
    status: Status,
}

/// Whether two ids are one value to JavaScript, whose numbers are doubles.
fn same_id(one: &str, other: &str) -> bool {
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    match (value(one), value(other)) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (one, other) => one == other,
    }
}

fn is_truthy(value: Option<&String>) -> bool {
    value.is_some_and(|value| !["null", "false", "0", "\"\""].contains(&value.as_str()))
}

/// What the log tells of each connection, and how many frames are none.
fn expected(capture: &Path, version: u32) -> (BTreeMap<String, Vec<Told>>, u64) {
    let mut sides = BTreeMap::<(String, bool), Splitter>::new();
    let mut told = BTreeMap::<String, Vec<Told>>::new();
    for write in writes(capture) {
        let side = sides.entry((write.client.clone(), write.from_client)).or_default();
        side.bytes.extend(&write.bytes);
        while let Some(frame) = side.next(version == 5) {
            let body = frame.split_once('#').unwrap().1;
            let calls = told.entry(write.client.clone()).or_default();
            let (id, pattern) = (member(body, "id"), member(body, "pattern"));
            if write.from_client {
                if id.is_none() && pattern.is_none() {
                    continue;
                }
                let status = if id.is_none() { Status::Sent } else { Status::Closed };
                calls.push(Told {
                    id,
                    pattern: pattern.map(|pattern| serde_json::from_str(&pattern).unwrap()),
                    data: member(body, "data"),
                    responses: Vec::new(),
                    error: None,
                    replies: 0,
                    status,
                });
            } else if let Some(id) = id {
                let waits = |call: &&mut Told| {
                    call.status == Status::Closed
                        && call.id.as_ref().is_some_and(|known| same_id(known, &id))
                };
                let Some(call) = calls.iter_mut().find(waits) else { continue };
                call.replies += 1;
                call.responses.extend(member(body, "response"));
                call.error = member(body, "err");
                if is_truthy(call.error.as_ref()) {
                    call.status = Status::Error;
                } else if is_truthy(member(body, "isDisposed").as_ref()) {
                    call.status = Status::Ok;
                }
            }
        }
    }
    // What is left of a frame whose header was read.
    let unfinished = sides.values().filter(|side| {
        let text = String::from_utf8_lossy(&side.bytes);
        !side.lost && text.split_once('#').is_some_and(|(head, _)| head.parse::<u64>().is_ok())
    });
    let faults = unfinished.count() as u64 + sides.values().map(|side| side.faults).sum::<u64>();
    told.retain(|_, calls| !calls.is_empty());
    (told, faults)
}

#[test]
fn hand_made_bytes_are_read_as_nest_reads_them() {
    for version in [5, 7, 11] {
        let capture = fixtures().join(format!("raw-v{version}.pcap"));
        let (expected, faults) = expected(&capture, version);
        let outcome = analyse(&read(&capture));
        let mut found = BTreeMap::<String, Vec<Told>>::new();
        for record in outcome.records {
            assert_ne!(record.kind, ExchangeKind::Reply, "{version}: {record:?}");
            let decoded = |text: &String| text.replace("\\ufffd", "\u{fffd}");
            found.entry(record.client).or_default().push(Told {
                id: record.id,
                pattern: record.pattern,
                data: record.data.as_ref().map(decoded),
                responses: record.responses,
                error: record.error,
                replies: record.replies,
                status: record.status,
            });
        }
        for (client, calls) in &expected {
            assert_eq!(found.get(client), Some(calls), "{version}, {client}");
        }
        assert_eq!(found.len(), expected.len(), "{version}");
        let counts = outcome.counts;
        assert_eq!(counts.protocol.undecodable, faults, "{version}");
        assert_eq!(faults, 4, "{version}: two refused, one too long, one half");
        let foreign = BTreeMap::from([(Foreign::Http1, 1), (Foreign::Tls, 1)]);
        assert_eq!(counts.protocol.foreign, foreign, "{version}");
        assert_eq!(counts.exchange.orphan_replies, 0, "{version}");

        // That the recording shows what it is for.
        let all: Vec<_> = expected.values().flatten().collect();
        let ids: Vec<_> = all.iter().filter_map(|call| call.id.as_deref()).collect();
        for id in ["null", "0", "\"\"", "false", "true", "7", "1.5", "[1]", "{\"a\":1}", "\"求\""]
        {
            assert!(ids.contains(&id), "{version}: {id}");
        }
        let twice: Vec<_> =
            all.iter().filter(|call| call.id.as_deref() == Some("\"twice\"")).collect();
        assert_eq!(twice.len(), 2, "{version}");
        assert!(twice.iter().all(|call| call.status == Status::Ok), "{version}");
        for id in
            ["space", "zeros", "plus", "letters", "line", "break", "mark", "last", "escaped keys"]
        {
            let id = format!("\"{id}\"");
            let call = all.iter().find(|call| call.id.as_ref() == Some(&id)).unwrap();
            assert_eq!((call.status, call.pattern.as_deref()), (Status::Ok, Some("sum")), "{id}");
        }
        let big = all.iter().find(|call| call.id.as_deref() == Some("12345678901234567890"));
        let big = big.unwrap();
        let data = "[123456789012345678901234567890,1e400,0.10]";
        assert_eq!((big.data.as_deref(), big.status), (Some(data), Status::Ok), "{version}");
    }
}
