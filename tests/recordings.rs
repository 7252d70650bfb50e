//! Recordings of real Nest services, compared call by call with what the processes say they sent.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Outcome, Record, analyse, fixtures, read, recordings, sent};
use nestscope::exchange::{ExchangeKind, Status};

/// Compares what was found with what was sent; `name` says in a failure where.
fn check(name: &str, outcome: &Outcome, expected: &[sent::Expected]) {
    let of_call = |record: &&Record| record.kind != ExchangeKind::Reply;
    let records: Vec<_> = outcome.records.iter().filter(of_call).collect();
    for expected in expected {
        let found: Vec<_> = records
            .iter()
            .filter(|record| {
                (&record.client, &record.server) == (&expected.client, &expected.server)
                    && record.kind == expected.kind
                    && record.id == expected.id
                    && record.pattern.as_ref() == Some(&expected.pattern)
                    && record.data == expected.data
            })
            .collect();
        assert!(!found.is_empty(), "{name}: not found: {expected:?}\nin {records:#?}");
        for record in found {
            let told = (record.replies, record.request_bytes, record.reply_bytes);
            let sent = (expected.replies, expected.request_bytes, expected.reply_bytes);
            assert_eq!(told, sent, "{name}: {record:?}");
            assert_eq!(record.responses, expected.responses, "{name}: {record:?}");
            assert_eq!(record.error, expected.error, "{name}: {record:?}");
            match expected.status {
                Some(status) => assert_eq!(record.status, status, "{name}: {record:?}"),
                None => {
                    let unanswered = matches!(record.status, Status::Open | Status::Closed);
                    assert!(unanswered, "{name}: {record:?}");
                }
            }
        }
    }
    assert_eq!(records.len(), expected.len(), "{name}");
    assert_eq!(outcome.counts.stream.gaps, 0, "{name}");
    assert_eq!(outcome.counts.exchange.clock_steps, 0, "{name}");
    assert_eq!(outcome.counts.exchange.orphan_replies, 0, "{name}");
    let numbers: Vec<_> = outcome.records.iter().map(|record| record.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{name}");
}

#[test]
fn every_call_is_what_nest_sent() {
    let mut compared = 0;
    for (name, path) in recordings(&fixtures()) {
        // Hand-made bytes: writes there are no frames. `raw` has a test of its own.
        if name.starts_with("raw-") {
            continue;
        }
        let expected = sent::exchanges(&sent::frames(&path));
        check(&name, &analyse(&read(&path)), &expected);
        compared += expected.len();
    }
    assert!(compared > 2_000, "{compared}");
}

#[test]
fn the_walkthrough_reads_as_in_the_readme() {
    let outcome = analyse(&read(&fixtures().join("walkthrough.pcap")));
    let told: Vec<_> = outcome
        .records
        .iter()
        .map(|record| {
            let pattern = record.pattern.as_deref().unwrap();
            (pattern, record.data.as_deref().unwrap(), record.responses.clone(), record.status)
        })
        .collect();
    let expected = [
        ("log", "\"求和\"", vec![], Status::Sent),
        ("sum", "[1,2,3]", vec!["6".to_owned()], Status::Ok),
        ("sum", "[3,5,6]", vec!["14".to_owned()], Status::Ok),
    ];
    assert_eq!(told, expected);
    assert!(outcome.records.iter().all(|record| record.server == "127.0.0.1:8888"));
}
