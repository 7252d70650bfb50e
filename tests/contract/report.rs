//! What a report tells of the capture as a whole, and of its patterns and connections: the sum of
//! the calls, counted once more.

use std::collections::BTreeMap;

use nestscope::packet::LinkType;
use serde_json::Value;

use super::common::sent::member;
use super::common::{fixtures, read};
use super::groups::check_servers;
use super::percentiles::{PERCENTILES, check_percentiles, latencies};
use super::{calls_of, captures, keys, report_of, rows_of, value};

const REPORT: [&str; 6] =
    ["capture", "completeness", "totals", "patterns", "connections", "servers"];

/// The counts of what the capture lacks.
const COMPLETENESS: [&str; 36] = [
    "frames",
    "frames_undecodable",
    "kernel_drops",
    "gaps",
    "gap_bytes",
    "truncated_packets",
    "orphan_replies",
    "frames_other",
    "malformed_packets",
    "unknown_link_packets",
    "unknown_link",
    "fragments_lost",
    "retransmissions",
    "conflicting_segments",
    "out_of_window_segments",
    "other_port_segments",
    "late_replies",
    "calls_open",
    "calls_evicted",
    "clock_steps",
    "patterns_folded",
    "connections_evicted",
    "connections_folded",
    "waits_given_up",
    "file_bytes_cut",
    "foreign_connections",
    "copies",
    "unsure",
    "unopened",
    "discarded",
    "unacknowledged_gaps",
    "without_time",
    "reply_first",
    "damaged_copies",
    "translated_connections",
    "one_sided_attempts",
];

/// How many of each there were, in all and of each server.
const TOTALS: [&str; 13] = [
    "calls",
    "events",
    "ok",
    "error",
    "open",
    "closed",
    "unknown",
    "no_reply",
    "http",
    "connects",
    "refused",
    "no_answer",
    "reset",
];

#[test]
fn a_report_is_the_sum_of_its_calls() {
    for (name, path) in captures() {
        let text = report_of(&path);
        let told = value(&text);
        assert_eq!(keys(&text), REPORT, "{name}");
        let capture = member(&text, "capture").unwrap();
        let of_capture = ["packets", "bytes", "segments", "first", "last", "duration_ns"];
        assert_eq!(keys(&capture), of_capture, "{name}");
        let completeness = member(&text, "completeness").unwrap();
        assert_eq!(keys(&completeness), COMPLETENESS, "{name}");
        for key in ["unopened", "discarded"] {
            assert!(told["completeness"][key].is_object(), "{name}: {key}");
        }
        assert_eq!(told["completeness"]["kernel_drops"], Value::Null, "{name}");

        let packets = read(&path);
        let (first, last) = (packets.iter().map(|raw| raw.at), packets.iter().map(|raw| raw.at));
        let (first, last) = (first.min().unwrap(), last.max().unwrap());
        assert_eq!(told["capture"]["packets"], packets.len(), "{name}");
        assert_eq!(told["capture"]["duration_ns"], last - first, "{name}");
        let bytes: u64 = packets.iter().map(|raw| u64::from(raw.original_len)).sum();
        assert_eq!(told["capture"]["bytes"], bytes, "{name}");

        // What is not sure is in no statistic, and counted.
        let (calls, unsure): (Vec<_>, Vec<_>) =
            calls_of(&path).iter().map(|line| value(line)).partition(|call| call["sure"] == true);
        assert_eq!(told["completeness"]["unsure"], unsure.len(), "{name}");
        let totals = member(&text, "totals").unwrap();
        assert_eq!(keys(&totals), TOTALS, "{name}");
        check_outcomes(&name, &told["totals"], &calls.iter().collect::<Vec<_>>());
        let with = |key: &str, what: &str| calls.iter().filter(|call| call[key] == what).count();
        assert_eq!(told["totals"]["connects"], with("kind", "connect"), "{name}");
        let unanswered = ["open", "closed", "unknown"].map(|status| with("status", status));
        assert_eq!(told["totals"]["no_reply"], unanswered.iter().sum::<usize>(), "{name}");
        assert_eq!(told["totals"]["http"], 0, "{name}");
        check_servers(&name, &text, &calls);
        check_patterns(&name, &text, &calls);
        check_connections(&name, &told, &calls);
    }
}

/// Each pattern is the sum of its calls, the costliest first, and has these keys.
fn check_patterns(name: &str, text: &str, calls: &[Value]) {
    let told = value(text);
    let mut rows = BTreeMap::<(String, String), Vec<&Value>>::new();
    for call in calls.iter().filter(|call| call["kind"] != "connect") {
        let row = (call["pattern"].to_string(), call["kind"].to_string());
        rows.entry(row).or_default().push(call);
    }
    let told_rows = told["patterns"].as_array().unwrap();
    assert_eq!(told_rows.len(), rows.len(), "{name}");
    let mut before = u128::MAX;
    for row in told_rows {
        let calls = &rows[&(row["pattern"].to_string(), row["kind"].to_string())];
        let place = format!("{name}: {}", row["pattern"]);
        assert_eq!(row["calls"], calls.len(), "{place}");
        for status in ["ok", "error", "open", "closed", "unknown"] {
            let count = calls.iter().filter(|call| call["status"] == status).count();
            assert_eq!(row[status], count, "{place}: {status}");
        }
        let sum = |key: &str| calls.iter().filter_map(|call| call[key].as_u64()).sum::<u64>();
        assert_eq!(row["request_bytes"], sum("request_bytes"), "{place}");
        assert_eq!(row["reply_bytes"], sum("reply_bytes"), "{place}");
        let ended = |call: &&&Value| !call["latency_ns"].is_null();
        let values = |key: &str| -> Vec<u64> {
            calls.iter().filter(ended).map(|call| call[key].as_u64().unwrap()).collect()
        };
        check_percentiles(&place, &row["latency_ns"], values("latency_ns"));
        check_percentiles(&place, &row["wait_ns"], values("wait_ns"));
        let total = u128::from(sum("latency_ns"));
        assert!(total <= before, "{place}: the costliest first");
        before = total;
    }
    let expected = [
        "pattern",
        "kind",
        "calls",
        "ok",
        "error",
        "open",
        "closed",
        "unknown",
        "latency_ns",
        "wait_ns",
        "request_bytes",
        "reply_bytes",
        "held",
    ];
    for row in rows_of(text, "patterns") {
        assert_eq!(keys(&row), expected, "{name}");
        let held = member(&row, "held").unwrap();
        assert_eq!(keys(&held), ["calls", "request_ns", "reply_ns"], "{name}");
        let latency = member(&row, "latency_ns").unwrap();
        assert!(latency == "null" || keys(&latency) == PERCENTILES, "{name}");
    }
}

/// The latencies of a connection are those of its calls, and all calls are of one.
fn check_connections(name: &str, told: &Value, calls: &[Value]) {
    let connections = told["connections"].as_array().unwrap();
    for row in connections {
        let of_it: Vec<_> = calls
            .iter()
            .filter(|call| ["client", "server"].iter().all(|end| call[*end] == row[*end]))
            .collect();
        let is_only_one = connections
            .iter()
            .filter(|other| ["client", "server"].iter().all(|end| other[*end] == row[*end]))
            .count();
        if is_only_one == 1 && row["latency_ns"]["count"].as_u64() <= Some(256) {
            check_percentiles(name, &row["latency_ns"], latencies(&of_it));
        }
    }
    let sum: u64 = connections.iter().map(|each| each["calls"].as_u64().unwrap()).sum();
    assert_eq!(told["totals"]["calls"], sum, "{name}");
}

/// How calls and events ended, counted once more.
pub fn check_outcomes(place: &str, told: &Value, calls: &[&Value]) {
    let with = |key: &str, what: &str| calls.iter().filter(|call| call[key] == what).count();
    assert_eq!(told["calls"], with("kind", "request"), "{place}");
    assert_eq!(told["events"], with("kind", "event"), "{place}");
    for status in ["ok", "error", "open", "closed", "unknown", "refused", "no answer", "reset"] {
        let key = status.replace(' ', "_");
        assert_eq!(told[&key], with("status", status), "{place}: {status}");
    }
}

/// What speaks HTTP on the port of Nest is no row, and is named once a connection.
#[test]
fn other_protocols_are_named_once() {
    let path = fixtures().join("raw-v11.pcap");
    let told = value(&report_of(&path));
    let foreign = &told["completeness"]["foreign_connections"];
    assert_eq!(foreign, &serde_json::json!({"HTTP/1": 1, "TLS": 1}));
    let connections = told["connections"].as_array().unwrap();
    let named: Vec<_> = connections
        .iter()
        .filter_map(|each| each["protocol"].as_str())
        .filter(|protocol| *protocol != "nest-tcp")
        .collect();
    assert_eq!(named, ["HTTP/1", "TLS"]);
    assert!(connections.iter().all(|each| each["protocol"] == "nest-tcp" || each["calls"] == 0));
    let silent: Vec<_> = connections.iter().filter(|each| each["protocol"].is_null()).collect();
    assert!(silent.iter().all(|each| each["events"] == 0), "{silent:?}");
    assert_eq!(read(&path)[0].link, LinkType::ETHERNET);
}
