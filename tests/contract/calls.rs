//! What is told of a call: its keys in their order, its times, its payloads and its pattern.

use std::collections::BTreeMap;

use serde_json::Value;

use super::common::sent::member;
use super::common::{analyse, fixtures, read};
use super::{calls_of, captures, keys, value};

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

#[test]
fn a_call_has_these_keys_in_this_order() {
    let mut seen = BTreeMap::<String, u64>::new();
    for (name, path) in captures() {
        let mut numbers = Vec::new();
        for line in calls_of(&path) {
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
        for line in calls_of(&path) {
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
        for line in calls_of(&path) {
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
    let basic = calls_of(&fixtures().join("basic-v11.pcap")).join("\n");
    for text in [r"a\ud800b", "1.7976931348623157e+308", r#"{"10":"numeric keys come first""#] {
        assert!(basic.contains(text), "{text}");
    }
    let raw = calls_of(&fixtures().join("raw-v11.pcap")).join("\n");
    assert!(raw.contains(r#""data":[123456789012345678901234567890,1e400,0.10]"#));
    assert!(raw.contains(r#""id":12345678901234567890,"#));
}

#[test]
fn patterns_are_routes() {
    let basic = calls_of(&fixtures().join("basic-v11.pcap"));
    let patterns: Vec<_> = basic.iter().map(|line| member(line, "pattern").unwrap()).collect();
    let count = |pattern: &str| patterns.iter().filter(|known| *known == pattern).count();
    assert_eq!(count(r#""{\"a\":1,\"cmd\":\"sum\"}""#), 2, "keys in either order");
    assert_eq!(count(r#""{\"a\":1,\"cmd\":\"audit\"}""#), 1, "an event's, sent as a text");
    assert_eq!((count("\"42\""), count("\"7\"")), (1, 1), "numbers, asked and told");
    assert_eq!(count("\"求和\""), 1);
}
