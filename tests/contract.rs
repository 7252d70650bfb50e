//! What `calls -T json` and `report -T json` promise to scripts, to the letter: read from what the
//! program prints, and compared with the packets themselves and with a naive count.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "clippy takes the helpers of a test for a program"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::sent::{member, members};
use common::{Raw, analyse, fixtures, mutate, read, recordings, wire};
use nestscope::packet::LinkType;
use serde_json::Value;

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nestscope"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// The lines of a run that must go well.
fn lines(arguments: &[&str], input: &[u8]) -> Vec<String> {
    let output = run(arguments, input);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn calls(path: &Path) -> Vec<String> {
    lines(&["calls", "-q", "-T", "json", "-r", path.to_str().unwrap()], b"")
}

fn report(path: &Path) -> String {
    lines(&["report", "-q", "-T", "json", "-r", path.to_str().unwrap()], b"").join("\n")
}

/// A classic capture file with nanoseconds.
fn pcap(packets: &[Raw]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, u32::from(packets[0].link.0)] {
        file.extend(u32::to_le_bytes(word));
    }
    for raw in packets {
        let (seconds, nanos) = (raw.at / 1_000_000_000, raw.at % 1_000_000_000);
        let len = raw.data.len() as u32;
        for word in [seconds as u32, nanos as u32, len, raw.original_len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(&raw.data);
    }
    file
}

fn of_packets(packets: &[Raw]) -> Vec<String> {
    lines(&["calls", "-q", "-T", "json", "-r", "-"], &pcap(packets))
}

fn keys(json: &str) -> Vec<String> {
    members(json).into_iter().map(|(key, _)| key).collect()
}

fn value(line: &str) -> Value {
    // A lone surrogate is no Rust text: read the rest.
    serde_json::from_str(line).unwrap_or_else(|_| {
        let some: Vec<_> = members(line)
            .into_iter()
            .filter(|(key, _)| !["data", "response"].contains(&key.as_str()))
            .map(|(key, value)| format!("{key:?}:{value}"))
            .collect();
        serde_json::from_str(&format!("{{{}}}", some.join(","))).unwrap()
    })
}

const KEYS: [&str; 19] = [
    "n",
    "kind",
    "pattern",
    "id",
    "client",
    "server",
    "time",
    "status",
    "latency_ns",
    "first_reply_ns",
    "request_ns",
    "wait_ns",
    "reply_ns",
    "replies",
    "request_bytes",
    "reply_bytes",
    "packets",
    "data",
    "response",
];

/// What came with later versions.
const LATER: [&str; 14] = [
    "protocol",
    "waited_ns",
    "request_held_ns",
    "reply_held_ns",
    "ended_by",
    "service",
    "instance",
    "client_service",
    "parent",
    "parent_by",
    "candidates",
    "problems",
    "sure",
    "also",
];

fn captures() -> Vec<(String, PathBuf)> {
    recordings(&fixtures()).into_iter().filter(|(name, _)| name != "megabyte").collect()
}

#[test]
fn a_call_has_these_keys_in_this_order() {
    let mut seen = BTreeMap::<String, u64>::new();
    for (name, path) in captures() {
        let mut numbers = Vec::new();
        for line in calls(&path) {
            let call = value(&line);
            let (kind, status) = (call["kind"].as_str().unwrap(), call["status"].as_str().unwrap());
            let has_id = ["request", "reply"].contains(&kind);
            let mut expected: Vec<_> =
                KEYS.iter().copied().filter(|key| has_id || *key != "id").collect();
            expected.push("error");
            expected.extend(LATER);
            expected.extend((kind == "connect").then_some("attempts"));
            assert_eq!(keys(&line), expected, "{name}");
            assert_eq!(keys(&member(&line, "packets").unwrap()), ["request", "reply"], "{name}");
            *seen.entry(format!("{kind} {status}")).or_default() += 1;
            numbers.push(call["n"].as_u64().unwrap());

            let statuses: &[&str] = match kind {
                "request" => &["ok", "error", "open", "closed", "unknown"],
                "event" => &["sent"],
                "connect" => &["refused", "no answer", "reset"],
                _ => &["orphan"],
            };
            assert!(statuses.contains(&status), "{name}: {line}");
            let is_null = |key: &str| call[key].is_null();
            check_later(&name, &call);
            if kind == "connect" {
                check_attempt(&name, &call);
                continue;
            }
            let ended = ["ok", "error"].contains(&status);
            for key in ["latency_ns", "reply_ns"] {
                assert_eq!(call[key].is_u64(), ended, "{name}: {key}: {line}");
                assert_eq!(is_null(key), !ended, "{name}: {key}: {line}");
            }
            assert!(!ended || is_null("waited_ns"), "{name}: {line}");
            let replies = call["replies"].as_u64().unwrap();
            for key in ["first_reply_ns", "wait_ns"] {
                assert_eq!(call[key].is_u64(), kind == "request" && replies > 0, "{name}: {line}");
            }
            assert_eq!(call["packets"]["reply"].is_null(), replies == 0, "{name}: {line}");
            assert_eq!(call["reply_bytes"].as_u64().unwrap() == 0, replies == 0, "{name}: {line}");
            assert!(call["request_bytes"].as_u64().unwrap() > 0, "{name}: {line}");
            if status == "error" {
                assert!(!is_null("error"), "{name}: {line}");
            }
            for end in ["client", "server"] {
                let end = call[end].as_str().unwrap();
                let address: std::net::SocketAddr = end.parse().unwrap();
                assert_eq!(address.to_string(), end, "{name}");
                assert_eq!(end.starts_with("[::1]:"), name == "ipv6", "{name}");
            }
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{name}");
    }
    for expected in ["request ok", "request error", "request closed", "event sent"] {
        assert!(seen[expected] > 10, "{seen:?}");
    }
}

/// What is always there, whether anybody found it out or not.
fn check_later(name: &str, call: &Value) {
    let kind = call["kind"].as_str().unwrap();
    let is_message = kind != "connect";
    let protocol = if is_message { Value::from("nest-tcp") } else { Value::Null };
    assert_eq!(call["protocol"], protocol, "{name}: {call}");
    for key in ["service", "instance", "client_service", "parent", "parent_by", "also"] {
        assert!(call[key].is_null(), "{name}: {key}: {call}");
    }
    for key in ["candidates", "problems"] {
        assert_eq!(call[key], serde_json::json!([]), "{name}: {key}: {call}");
    }
    assert!(call["sure"].is_boolean(), "{name}: {call}");
    assert!(call["waited_ns"].is_u64() || call["waited_ns"].is_null(), "{name}: {call}");
    let has_request = is_message && kind != "reply";
    assert_eq!(call["request_held_ns"].is_u64(), has_request, "{name}: {call}");
    let has_reply = is_message && call["replies"].as_u64().unwrap() > 0;
    assert_eq!(call["reply_held_ns"].is_u64(), has_reply, "{name}: {call}");
    let ends = ["client", "server", "reset by client", "reset by server", "network", "capture"];
    assert!(
        call["ended_by"].as_str().map_or(call["ended_by"].is_null(), |end| ends.contains(&end)),
        "{name}: {call}"
    );
}

fn check_attempt(name: &str, call: &Value) {
    for key in ["pattern", "latency_ns", "first_reply_ns", "wait_ns", "reply_ns", "data"] {
        assert!(call[key].is_null(), "{name}: {key}: {call}");
    }
    assert!(call["waited_ns"].is_u64() && call["attempts"].as_u64() > Some(0), "{name}: {call}");
    assert!(call["packets"]["request"].is_array(), "{name}: {call}");
    assert_eq!(call["replies"], 0, "{name}: {call}");
}

#[test]
fn times_are_those_of_the_packets() {
    let mut compared = 0;
    for (name, path) in captures() {
        let packets = read(&path);
        let at = |number: &Value| packets[number.as_u64().unwrap() as usize - 1].at;
        for line in calls(&path) {
            let call = value(&line);
            let time = call["time"].as_str().unwrap();
            // 2026-11-22T03:52:01.123456789Z: nine digits, always.
            assert_eq!((time.len(), time.as_bytes()[19], &time[29..]), (30, b'.', "Z"), "{time}");
            let nanos = time.parse::<jiff::Timestamp>().unwrap().as_nanosecond();
            let (request, reply) = (&call["packets"]["request"], &call["packets"]["reply"]);
            assert_eq!(nanos, i128::from(at(&request[0])), "{name}: {line}");
            let span = |key: &str, from: i64, to: i64| {
                assert_eq!(call[key].as_i64(), Some(to - from), "{name}: {key}: {line}");
                compared += 1;
            };
            let mut span = span;
            if call["kind"] == "connect" {
                continue;
            }
            span("request_ns", at(&request[0]), at(&request[1]));
            if !call["latency_ns"].is_null() {
                span("latency_ns", at(&request[0]), at(&reply[1]));
                span("wait_ns", at(&request[1]), at(&reply[0]));
                span("reply_ns", at(&reply[0]), at(&reply[1]));
                if call["replies"] == 1 {
                    span("first_reply_ns", at(&request[0]), at(&reply[1]));
                }
                let first = call["first_reply_ns"].as_i64().unwrap();
                let latency = call["latency_ns"].as_i64().unwrap();
                assert!((at(&reply[0]) - at(&request[0])..=latency).contains(&first), "{line}");
            }
        }
    }
    assert!(compared > 8_000, "{compared}");
}

#[test]
fn payloads_are_what_was_on_the_wire() {
    let same = |name: &str, told: &str, wire: &str| {
        // Only what acts on a terminal is spelt as an escape: then the values are equal.
        let told_value = serde_json::from_str::<Value>(told);
        let equal = told == wire
            || told_value.is_ok_and(|told| serde_json::from_str::<Value>(wire).unwrap() == told);
        assert!(equal, "{name}: {told} for {wire}");
        u64::from(told == wire)
    };
    let (mut verbatim, mut all) = (0, 0);
    for (name, path) in captures() {
        let records = analyse(&read(&path)).records;
        for line in calls(&path) {
            let number: usize = member(&line, "n").unwrap().parse().unwrap();
            let record = &records[number - 1];
            let responses = format!("[{}]", record.responses.join(","));
            let texts = [
                ("id", record.id.clone()),
                ("data", Some(record.data.clone().unwrap_or("null".to_owned()))),
                ("response", Some(responses)),
                ("error", Some(record.error.clone().unwrap_or("null".to_owned()))),
            ];
            for (key, wire) in texts {
                match (member(&line, key), wire) {
                    (Some(told), Some(wire)) => {
                        verbatim += same(&name, &told, &wire);
                        all += 1;
                    }
                    (told, wire) => assert_eq!(told, wire, "{name}"),
                }
            }
        }
    }
    assert!(all > 10_000 && verbatim * 100 > all * 98, "{verbatim} of {all}");
    // Those that other readers of JSON would change.
    let basic = calls(&fixtures().join("basic-v11.pcap")).join("\n");
    for text in [r"a\ud800b", "1.7976931348623157e+308", r#"{"10":"numeric keys come first""#] {
        assert!(basic.contains(text), "{text}");
    }
    let raw = calls(&fixtures().join("raw-v11.pcap")).join("\n");
    assert!(raw.contains(r#""data":[123456789012345678901234567890,1e400,0.10]"#));
    assert!(raw.contains(r#""id":12345678901234567890,"#));
}

#[test]
fn patterns_are_routes() {
    let basic = calls(&fixtures().join("basic-v11.pcap"));
    let patterns: Vec<_> = basic.iter().map(|line| member(line, "pattern").unwrap()).collect();
    let count = |pattern: &str| patterns.iter().filter(|known| *known == pattern).count();
    assert_eq!(count(r#""{\"a\":1,\"cmd\":\"sum\"}""#), 2, "keys in either order");
    assert_eq!(count(r#""{\"a\":1,\"cmd\":\"audit\"}""#), 1, "an event's, sent as a text");
    assert_eq!((count("\"42\""), count("\"7\"")), (1, 1), "numbers, asked and told");
    assert_eq!(count("\"求和\""), 1);
}

fn walkthrough() -> Vec<Raw> {
    read(&fixtures().join("walkthrough.pcap"))
}

/// The walkthrough without its packets of which `lacks` is true.
fn without(lacks: impl Fn(&wire::Tcp) -> bool) -> Vec<Raw> {
    walkthrough().into_iter().filter(|raw| !lacks(&wire::parse(raw))).collect()
}

fn holds(tcp: &wire::Tcp, text: &str) -> bool {
    String::from_utf8_lossy(&tcp.payload).contains(text)
}

#[test]
fn each_status_comes_from_a_capture_that_has_it() {
    let statuses = |packets: &[Raw]| -> Vec<String> {
        let mut told: Vec<_> = of_packets(packets).iter().map(|line| value(line)).collect();
        told.sort_by_key(|call| call["n"].as_u64());
        let word = |call: &Value| format!("{} {}", call["kind"], call["status"]).replace('"', "");
        told.iter().map(word).collect()
    };
    let all = ["event sent", "request ok", "request ok"];
    assert_eq!(statuses(&walkthrough()), all);
    // Ends before the last answer: the connection stands.
    let packets = walkthrough();
    let last = packets.iter().position(|raw| holds(&wire::parse(raw), "\"response\":14")).unwrap();
    assert_eq!(statuses(&packets[..last]), ["event sent", "request ok", "request open"]);
    // The same, and then the ends of both sides.
    let finished = without(|tcp| holds(tcp, "\"response\":14"));
    assert_eq!(statuses(&finished), ["event sent", "request ok", "request unknown"]);
    // Begun after the last request.
    let orphan = statuses(&packets[last..]);
    assert_eq!(orphan, ["reply orphan"]);
    let orphan = of_packets(&packets[last..]);
    assert_eq!(member(&orphan[0], "pattern").unwrap(), "null");
    assert_eq!(member(&orphan[0], "response").unwrap(), "[14]");
    assert_eq!(member(&orphan[0], "request_bytes").unwrap(), "null");
    assert_eq!(keys(&orphan[0])[..4], ["n", "kind", "pattern", "id"]);
    // One direction: what was answered is not known.
    let asked = statuses(&mutate::one_direction(&packets, false));
    assert_eq!(asked, ["event sent", "request unknown", "request unknown"]);
    let answered = statuses(&mutate::one_direction(&packets, true));
    assert_eq!(answered, ["reply orphan", "reply orphan"]);
}

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
const SERVER: [&str; 13] = [
    "server",
    "calls",
    "events",
    "ok",
    "error",
    "open",
    "closed",
    "unknown",
    "refused",
    "no_answer",
    "reset",
    "per_second",
    "latency_ns",
];
const PERCENTILES: [&str; 9] = ["count", "min", "mean", "p50", "p90", "p95", "p99", "p999", "max"];

/// The value below which `share` of all lie, counted.
fn exact(sorted: &[u64], share: f64) -> u64 {
    let rank = ((sorted.len() as f64 * share).ceil() as usize).max(1);
    sorted[rank - 1]
}

fn check_percentiles(place: &str, told: &Value, mut values: Vec<u64>) {
    values.sort_unstable();
    if values.is_empty() {
        assert!(told.is_null(), "{place}");
        return;
    }
    let sum: u128 = values.iter().map(|value| u128::from(*value)).sum();
    let mean = (sum / values.len() as u128) as u64;
    assert_eq!(told["count"], values.len() as u64, "{place}");
    assert_eq!(told["min"], values[0], "{place}");
    assert_eq!(told["max"], values[values.len() - 1], "{place}");
    assert_eq!(told["mean"], mean, "{place}");
    for (key, share) in [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)]
    {
        let (told, exact) = (told[key].as_u64().unwrap(), exact(&values, share));
        assert!(told.abs_diff(exact) <= exact / 1_000, "{place}: {key}: {told} for {exact}");
    }
}

#[test]
fn a_report_is_the_sum_of_its_calls() {
    for (name, path) in captures() {
        let text = report(&path);
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
            calls(&path).iter().map(|line| value(line)).partition(|call| call["sure"] == true);
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
        for row in members(&text).iter().filter(|(key, _)| key == "patterns") {
            let rows: Vec<Box<serde_json::value::RawValue>> =
                serde_json::from_str(row.1.get()).unwrap();
            for row in rows {
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
                assert_eq!(keys(row.get()), expected, "{name}");
                let held = member(row.get(), "held").unwrap();
                assert_eq!(keys(&held), ["calls", "request_ns", "reply_ns"], "{name}");
                let latency = member(row.get(), "latency_ns").unwrap();
                assert!(latency == "null" || keys(&latency) == PERCENTILES, "{name}");
            }
        }
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
                check_percentiles(&name, &row["latency_ns"], latencies(&of_it));
            }
        }
        let sum: u64 = connections.iter().map(|each| each["calls"].as_u64().unwrap()).sum();
        assert_eq!(told["totals"]["calls"], sum, "{name}");
    }
}

fn latencies(calls: &[&Value]) -> Vec<u64> {
    calls.iter().filter_map(|call| call["latency_ns"].as_u64()).collect()
}

/// How calls and events ended, counted once more.
fn check_outcomes(place: &str, told: &Value, calls: &[&Value]) {
    let with = |key: &str, what: &str| calls.iter().filter(|call| call[key] == what).count();
    assert_eq!(told["calls"], with("kind", "request"), "{place}");
    assert_eq!(told["events"], with("kind", "event"), "{place}");
    for status in ["ok", "error", "open", "closed", "unknown", "refused", "no answer", "reset"] {
        let key = status.replace(' ', "_");
        assert_eq!(told[&key], with("status", status), "{place}: {status}");
    }
}

/// Each server end is the sum of its calls, and all of them are the sum of all.
fn check_servers(name: &str, text: &str, calls: &[Value]) {
    let rows: Vec<Box<serde_json::value::RawValue>> =
        serde_json::from_str(&member(text, "servers").unwrap()).unwrap();
    let mut by_server = BTreeMap::<&str, Vec<&Value>>::new();
    for call in calls.iter().filter(|call| call["kind"] != "reply") {
        by_server.entry(call["server"].as_str().unwrap()).or_default().push(call);
    }
    assert_eq!(rows.len(), by_server.len(), "{name}");
    let seconds = value(text)["capture"]["duration_ns"].as_f64().unwrap() / 1e9;
    for row in rows {
        assert_eq!(keys(row.get()), SERVER, "{name}");
        let row = value(row.get());
        let calls = &by_server[row["server"].as_str().unwrap()];
        let place = format!("{name}: {}", row["server"]);
        check_outcomes(&place, &row, calls);
        check_percentiles(&place, &row["latency_ns"], latencies(calls));
        let messages = calls.iter().filter(|call| call["kind"] != "connect").count() as f64;
        let rate = row["per_second"].as_f64().unwrap();
        assert!((rate - messages / seconds).abs() <= 0.001, "{place}: {rate}");
    }
}

#[test]
fn a_report_groups_by_what_is_asked_for() {
    let path = fixtures().join("concurrent-v11.pcap");
    let calls: Vec<_> = calls(&path).iter().map(|line| value(line)).collect();
    let path = path.to_str().unwrap();
    let by =
        |what: &str| lines(&["report", "-q", "-T", "json", "--by", what, "-r", path], b"").join("");
    assert_eq!(by("pattern"), report(Path::new(path)), "what a report does anyway");
    for (what, members) in [
        ("server", vec!["server"]),
        ("server,pattern", vec!["pattern", "kind", "server"]),
        ("connection,client", vec!["client", "connection"]),
        ("server,server", vec!["server"]),
    ] {
        let text = by(what);
        assert_eq!(keys(&text)[6..], ["by", "groups"], "{what}");
        let groups: Vec<Box<serde_json::value::RawValue>> =
            serde_json::from_str(&member(&text, "groups").unwrap()).unwrap();
        let expected: Vec<_> = members.into_iter().chain(SERVER[1..].iter().copied()).collect();
        let mut counted = 0;
        for group in &groups {
            assert_eq!(keys(group.get()), expected, "{what}");
            let group = value(group.get());
            let is_of_it = |call: &&Value| {
                let end = |key: &str| call[key].as_str().unwrap();
                let of_address = |told: &Value| {
                    let address: std::net::SocketAddr = end("client").parse().unwrap();
                    *told == address.ip().to_string()
                };
                group.get("server").is_none_or(|told| told == end("server"))
                    && group.get("client").is_none_or(of_address)
                    && group.get("pattern").is_none_or(|told| *told == call["pattern"])
                    && group.get("kind").is_none_or(|told| *told == call["kind"])
                    && group.get("connection").is_none_or(|told| {
                        told["client"] == end("client") && told["server"] == end("server")
                    })
            };
            let of_it: Vec<_> = calls.iter().filter(is_of_it).collect();
            check_outcomes(what, &group, &of_it);
            check_percentiles(what, &group["latency_ns"], latencies(&of_it));
            counted += of_it.len();
        }
        assert_eq!(counted, calls.len(), "{what}");
        assert!(groups.len() > usize::from(what == "server,pattern"), "{what}");
    }
    let refused = run(&["report", "--by", "service", "-r", path], b"");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("nothing tells the names of services yet"), "{said}");
}

/// Three thousand calls with latencies from 1 µs to some seconds: percentiles from a histogram.
#[test]
fn percentiles_of_many_calls_are_within_a_thousandth() {
    let mut dice = mutate::Dice(5);
    let mut packets = Vec::new();
    let (mut at, mut seqs) = (1_795_000_000_000_000_000, [1_000_u32, 2_000]);
    let mut latencies = Vec::new();
    let mut say = |at: i64, client: bool, flags: u8, text: &str| {
        let (mine, theirs) = if client { (0, 1) } else { (1, 0) };
        let tcp = wire::Tcp {
            at,
            from: vec![10, 0, 0, 1 + mine as u8],
            to: vec![10, 0, 0, 1 + theirs as u8],
            from_port: if client { 40_000 } else { 3_000 },
            to_port: if client { 3_000 } else { 40_000 },
            seq: seqs[mine],
            ack: seqs[theirs],
            flags,
            window: 1_000,
            payload: text.as_bytes().to_vec(),
        };
        seqs[mine] = seqs[mine].wrapping_add(tcp.len());
        packets.push(tcp.ethernet());
    };
    say(at, true, wire::SYN, "");
    say(at, false, wire::SYN | 0x10, "");
    for id in 0..3_000 {
        let body = format!(r#"{{"pattern":"p","data":1,"id":{id}}}"#);
        say(at, true, 0x10, &format!("{}#{body}", body.len()));
        let latency = 1_000 + ((1_u64 << dice.below(22)) * (dice.below(1_000) as u64 + 1));
        latencies.push(latency);
        at += latency.cast_signed();
        let body = format!(r#"{{"response":1,"isDisposed":true,"id":{id}}}"#);
        say(at, false, 0x10, &format!("{}#{body}", body.len()));
        at += 1_000;
    }
    let text = lines(&["report", "-q", "-T", "json", "-r", "-"], &pcap(&packets)).join("");
    let told = value(&text);
    assert_eq!(told["totals"]["ok"], 3_000);
    check_percentiles("many", &told["patterns"][0]["latency_ns"], latencies.clone());
    check_percentiles("many", &told["patterns"][0]["wait_ns"], latencies);
}

#[test]
fn every_way_to_read_a_capture_tells_the_same() {
    let path = fixtures().join("concurrent-v11.pcap");
    let whole = calls(&path);
    let bytes = fs::read(&path).unwrap();
    let args = ["calls", "-q", "-T", "json", "-r", "-"];
    assert_eq!(lines(&args, &bytes), whole, "standard input");
    let mut gzip = flate2::read::GzEncoder::new(&bytes[..], flate2::Compression::fast());
    let mut packed = Vec::new();
    gzip.read_to_end(&mut packed).unwrap();
    assert_eq!(lines(&args, &packed), whole, "gzip");
    let packed =
        ruzstd::encoding::compress_to_vec(&bytes[..], ruzstd::encoding::CompressionLevel::Fastest);
    assert_eq!(lines(&args, &packed), whole, "zstd");

    // Every other packet in another file.
    let folder = tempfile::tempdir().unwrap();
    let packets = read(&path);
    let parts = [0, 1].map(|odd| {
        let part = folder.path().join(format!("{odd}.pcap"));
        let each = packets.iter().enumerate().filter(|(index, _)| index % 2 == odd);
        let each: Vec<_> = each.map(|(_, raw)| raw.clone()).collect();
        fs::write(&part, pcap(&each)).unwrap();
        part.to_str().unwrap().to_owned()
    });
    let merged = lines(&["calls", "-q", "-T", "json", "-r", &parts[0], "-r", &parts[1]], b"");
    assert_eq!(merged, whole, "merged by time");

    let port = value(&whole[0])["server"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    let path = path.to_str().unwrap();
    let of_port = |port: &str| lines(&["calls", "-q", "-T", "json", "-p", port, "-r", path], b"");
    assert_eq!(of_port(&port), whole);
    assert_eq!(of_port(&format!("1-2,{port}")), whole);
    assert_eq!(of_port("1"), Vec::<String>::new());
}

/// More patterns than have a row, in a file large enough for several threads: which patterns share
/// the last row depends on who came first, and must not depend on the threads.
#[test]
fn a_bound_bites_alike_in_several_threads() {
    let mut packets = Vec::new();
    for port in 40_000..40_004_u16 {
        let mut seq = 1;
        let mut say = |flags, payload: Vec<u8>| {
            let tcp = wire::Tcp {
                at: 1_795_000_000_000_000_000 + i64::try_from(packets.len()).unwrap() * 1_000,
                from: vec![10, 0, 0, 1],
                to: vec![10, 0, 0, 2],
                from_port: port,
                to_port: 3_000,
                seq,
                ack: 0,
                flags,
                window: 1_000,
                payload,
            };
            seq += tcp.len();
            packets.push(tcp.ethernet());
        };
        say(wire::SYN, Vec::new());
        let padding = "x".repeat(4_000);
        for number in 0..1_200 {
            let body = format!(r#"{{"pattern":"p{number}","data":"{padding}"}}"#);
            say(0x10, format!("{}#{body}", body.len()).into_bytes());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.pcap");
    fs::write(&large, pcap(&packets)).unwrap();
    assert!(fs::metadata(&large).unwrap().len() > 16 << 20);
    let told = value(&report(&large));
    let rows = told["patterns"].as_array().unwrap();
    let calls = |pattern: &str| rows.iter().find(|row| row["pattern"] == pattern).unwrap();
    assert_eq!(rows.len(), 1_001);
    assert_eq!(calls("p0")["calls"], 4);
    assert_eq!(calls("(other patterns)")["calls"], 4 * 200);
    assert_eq!(told["capture"]["packets"], packets.len());
}

#[test]
fn a_file_cut_inside_a_packet_is_read_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.pcap");
    let bytes = fs::read(fixtures().join("walkthrough.pcap")).unwrap();
    for cut in [1, 20, 60] {
        fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
        let output = run(&["calls", "-T", "json", "-r", path.to_str().unwrap()], b"");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains(&format!("{} ends inside a packet", path.display())), "{said}");
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 3);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    // More than any pipe holds.
    let packets = read(&fixtures().join("concurrent-v11.pcap"));
    let later = |round: i64| {
        packets.iter().map(move |raw| Raw { at: raw.at + round * 10_000_000_000, ..raw.clone() })
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.pcap");
    fs::write(&path, pcap(&(0..20).flat_map(later).collect::<Vec<_>>())).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_nestscope"))
        .args(["calls", "-T", "json", "-r", path.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 100]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("error:") && !said.contains("panicked"), "{said}");
}

/// What speaks HTTP on the port of Nest is no row, and is named once a connection.
#[test]
fn other_protocols_are_named_once() {
    let path = fixtures().join("raw-v11.pcap");
    let told = value(&report(&path));
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
