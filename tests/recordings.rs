//! Recordings of real Nest services, compared call by call with what the processes say they sent.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::path::{Path, PathBuf};

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
    let attempts = records.iter().filter(|record| record.kind == ExchangeKind::Connect).count();
    assert_eq!(records.len() - attempts, expected.len(), "{name}");
    assert_eq!(outcome.counts.stream.gaps, 0, "{name}");
    assert_eq!(outcome.counts.exchange.clock_steps, 0, "{name}");
    assert_eq!(outcome.counts.exchange.orphan_replies, 0, "{name}");
    let numbers: Vec<_> = outcome.records.iter().map(|record| record.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{name}");
}

/// Compares every recording of a folder; how many exchanges there were.
fn check_all(folder: &Path) -> usize {
    let mut compared = 0;
    for (name, path) in recordings(folder) {
        // Hand-made bytes: writes there are no frames. tests/raw.rs reads them.
        if name.starts_with("raw") {
            continue;
        }
        let expected = sent::exchanges(&sent::frames(&path));
        check(&name, &analyse(&read(&path)), &expected);
        compared += expected.len();
    }
    compared
}

#[test]
fn every_call_is_what_nest_sent() {
    let compared = check_all(&fixtures());
    assert!(compared > 2_000, "{compared}");
}

/// Other recordings than those that the program was built with: made by `tests/lab/record --out`,
/// and named by an environment variable.
#[test]
fn every_call_of_fresh_recordings_is_what_nest_sent() {
    match std::env::var_os("NESTSCOPE_RECORDINGS") {
        None => eprintln!("skipped: NESTSCOPE_RECORDINGS names no folder"),
        Some(folder) => {
            let compared = check_all(&PathBuf::from(folder));
            eprintln!("{compared} exchanges compared");
        }
    }
}

fn outcome(name: &str) -> Outcome {
    analyse(&read(&fixtures().join(format!("{name}.pcap"))))
}

/// Pattern, responses and status of each exchange.
fn told(outcome: &Outcome) -> Vec<(&str, Vec<&str>, Status)> {
    outcome
        .records
        .iter()
        .filter(|record| record.kind != ExchangeKind::Connect)
        .map(|record| {
            let responses = record.responses.iter().map(String::as_str).collect();
            (record.pattern.as_deref().unwrap(), responses, record.status)
        })
        .collect()
}

/// The only exchange with this pattern.
fn only<'a>(outcome: &'a Outcome, pattern: &str) -> &'a Record {
    let mut found =
        outcome.records.iter().filter(|record| record.pattern.as_deref() == Some(pattern));
    let record = found.next().unwrap_or_else(|| panic!("no {pattern}"));
    assert!(found.next().is_none(), "{pattern} twice");
    record
}

fn connections(outcome: &Outcome) -> u64 {
    outcome.counts.stream.connections
}

#[test]
fn a_server_that_dies_closes_its_calls() {
    for name in ["killed-v7", "killed-v11"] {
        let outcome = outcome(name);
        let open = ("delay", vec![], Status::Closed);
        let expected = [("sum", vec!["1"], Status::Ok), open.clone(), open.clone(), open];
        assert_eq!(told(&outcome), expected, "{name}");
        for record in &outcome.records[1..] {
            assert_eq!(record.latency.latency, None, "{name}");
            assert_eq!(record.latency.wait, None, "{name}");
        }
        // The call that nobody took any more is a connection without a word.
        assert_eq!(connections(&outcome), 2, "{name}");
        assert_eq!(outcome.counts.open_calls, 0, "{name}");
    }
    let reset = outcome("reset");
    let expected = [
        ("sum", vec!["1"], Status::Ok),
        ("block", vec![], Status::Closed),
        ("sum", vec![], Status::Closed),
        ("echo", vec![], Status::Closed),
    ];
    assert_eq!(told(&reset), expected);
}

#[test]
fn where_nobody_listens_nothing_was_exchanged() {
    let outcome = outcome("refused");
    assert_eq!(told(&outcome), []);
    let statuses: Vec<_> = outcome.records.iter().map(|record| record.status).collect();
    assert_eq!(statuses, [Status::Refused; 2]);
    assert_eq!(connections(&outcome), 2);
    let counts = &outcome.counts.protocol;
    assert_eq!((counts.frames, counts.undecodable, counts.foreign.len()), (0, 0, 0));
}

#[test]
fn answers_that_come_after_the_caller_gave_up_are_paired() {
    let outcome = outcome("timeout");
    let expected = [
        ("sum", vec!["1"], Status::Ok),
        ("delay", vec!["\"late\""], Status::Ok),
        ("sum", vec!["2"], Status::Ok),
        ("streamTimer3", vec!["0", "1", "2"], Status::Ok),
        ("delay", vec![], Status::Closed),
    ];
    assert_eq!(told(&outcome), expected);
    let late = outcome.records[1].latency.latency.unwrap().get();
    assert!((150_000_000..250_000_000).contains(&late), "{late}");
    let stream = &outcome.records[3];
    assert!(stream.latency.first_reply < stream.latency.latency);
    assert_eq!(stream.replies, 3);
}

#[test]
fn connections_that_stay_idle_are_no_calls() {
    for (name, expected) in [("together-v5", 3), ("together-v7", 3), ("together-v11", 1)] {
        let outcome = outcome(name);
        let sums = ["2", "4", "6"].map(|sum| ("sum", vec![sum], Status::Ok));
        assert_eq!(told(&outcome), sums, "{name}");
        assert!(outcome.records.iter().all(|record| record.client == outcome.records[0].client));
        assert_eq!(connections(&outcome), expected, "{name}");
    }
}

#[test]
fn ids_that_run_through_several_connections_stay_apart() {
    let outcome = outcome("twoclients");
    assert_eq!(connections(&outcome), 4);
    assert_eq!(outcome.records.len(), 40);
    for record in &outcome.records {
        assert_eq!((record.status, record.replies), (Status::Ok, 1));
        // Each answers with the value that it was asked with.
        let data = record.data.as_deref().unwrap();
        assert!(data.contains(&format!("\"value\":{}}}", record.responses[0])), "{record:?}");
    }
}

#[test]
fn every_kind_of_link_and_address_tells_the_same() {
    for (name, ends) in [("any", "127.0.0.1:"), ("any-sll", "127.0.0.1:"), ("ipv6", "[::1]:")] {
        let outcome = outcome(name);
        let expected = [
            ("log", vec![], Status::Sent),
            ("sum", vec!["6"], Status::Ok),
            ("echo", vec!["\"求和 😀\""], Status::Ok),
            ("streamTimer3", vec!["0", "1", "2"], Status::Ok),
            ("nobody", vec![], Status::Error),
        ];
        assert_eq!(told(&outcome), expected, "{name}");
        for record in &outcome.records {
            assert!(record.client.starts_with(ends) && record.server.starts_with(ends), "{name}");
        }
    }
}

#[test]
fn each_version_answers_in_its_own_way() {
    for version in 5..=12 {
        let outcome = outcome(&format!("basic-v{version}"));
        let (old, lossy) = (version == 5, (7..=10).contains(&version));
        // Nest 5 marks the end in a frame of its own, and says `response` beside each `err`.
        let single = if old { 2 } else { 1 };
        let none: Vec<String> = Vec::new();
        let ok: [(&str, u32, &[&str]); 8] = [
            ("streamOf3", single + 2, &["1", "2", "3"]),
            ("streamTimer3", single + 2, &["0", "1", "2"]),
            ("streamLate", 3, &["\"a\"", "\"b\""]),
            ("streamEmpty", 1, &[]),
            ("streamUndefined", single + 2, &["0", "2"]),
            ("giveUndefined", single, &[]),
            ("giveNull", single, &["null"]),
            ("giveZero", single, &["0"]),
        ];
        for (pattern, replies, responses) in ok {
            let place = format!("{version}: {pattern}");
            let record = only(&outcome, pattern);
            assert_eq!((record.status, record.replies), (Status::Ok, replies), "{place}");
            assert_eq!(record.responses, responses, "{place}");
        }
        for (pattern, err) in [
            ("rpcString", r#"{"status":"error","message":"boom"}"#),
            ("rpcObject", r#"{"code":7,"message":"bad","status":400}"#),
            ("rpcNull", r#"{"status":"error","message":null}"#),
            ("rpcEmpty", "{}"),
            ("rpcError", "{}"),
            ("generic", r#"{"status":"error","message":"Internal server error"}"#),
        ] {
            let record = only(&outcome, pattern);
            assert_eq!((record.status, record.replies), (Status::Error, 1), "{version}: {pattern}");
            assert_eq!(record.error.as_deref(), Some(err), "{version}: {pattern}");
            let beside = if version <= 6 { vec!["null".to_owned()] } else { none.clone() };
            assert_eq!(record.responses, beside, "{version}: {pattern}");
        }
        for pattern in ["nobody", "没有人"] {
            let word = if old { "equivalent" } else { "matching" };
            let err = only(&outcome, pattern).error.clone().unwrap();
            assert!(err.starts_with(&format!("\"There is no {word}")), "{version}: {err}");
        }
        let stream = only(&outcome, "streamError");
        assert_eq!((stream.status, stream.replies), (Status::Error, 2), "{version}");
        // The final frame that versions 7 to 10 lose is not found, and not invented.
        let lost = only(&outcome, "streamNextTick");
        let expected = if lossy { Status::Closed } else { Status::Ok };
        assert_eq!(
            (lost.status, lost.responses.join(",")),
            (expected, "1".to_owned()),
            "{version}"
        );
        assert_eq!(only(&outcome, "streamNever").status, Status::Closed, "{version}");
        let unspeakable = only(&outcome, "giveCycle");
        let expected = if old { (Status::Ok, 1) } else { (Status::Closed, 0) };
        assert_eq!((unspeakable.status, unspeakable.replies), expected, "{version}");
        // What comes behind an error is neither another answer nor an orphan.
        let late = outcome.counts.exchange.late_replies;
        let errors = outcome.records.iter().filter(|record| record.status == Status::Error).count();
        let without_mark = if old { 3 } else { errors };
        assert_eq!(late, (errors - without_mark) as u64, "{version}");
        assert_eq!(outcome.counts.exchange.orphan_replies, 0, "{version}");
    }
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

/// Nest 5 clients write errors of their own, over several packets here: numbers are taken for them
/// when they begin, and given back.
#[test]
fn what_is_no_exchange_leaves_no_hole_in_the_numbers() {
    for name in ["basic-v5", "mixed-old-server", "mixed-old-client"] {
        let packets = read(&fixtures().join(format!("{name}.pcap")));
        let outcome = analyse(&common::mutate::recut(&packets, 50));
        let numbers: Vec<_> = outcome.records.iter().map(|record| record.number).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{name}");
    }
}
