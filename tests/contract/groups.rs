//! The rows of a report by server, and by whatever else is asked for: each is the sum of its calls.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::common::fixtures;
use super::percentiles::{check_percentiles, latencies};
use super::report::check_outcomes;
use super::{calls_of, keys, lines, report_of, rows_of, run, value};

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

/// Each server end is the sum of its calls, and all of them are the sum of all.
pub fn check_servers(name: &str, text: &str, calls: &[Value]) {
    let rows = rows_of(text, "servers");
    let mut by_server = BTreeMap::<&str, Vec<&Value>>::new();
    for call in calls.iter().filter(|call| call["kind"] != "reply") {
        by_server.entry(call["server"].as_str().unwrap()).or_default().push(call);
    }
    assert_eq!(rows.len(), by_server.len(), "{name}");
    let seconds = value(text)["capture"]["duration_ns"].as_f64().unwrap() / 1e9;
    for row in rows {
        assert_eq!(keys(&row), SERVER, "{name}");
        let row = value(&row);
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
    let calls: Vec<_> = calls_of(&path).iter().map(|line| value(line)).collect();
    let path = path.to_str().unwrap();
    let by =
        |what: &str| lines(&["report", "-q", "-T", "json", "--by", what, "-r", path], b"").join("");
    assert_eq!(by("pattern"), report_of(Path::new(path)), "what a report does anyway");
    for (what, members) in [
        ("server", vec!["server"]),
        ("server,pattern", vec!["pattern", "kind", "server"]),
        ("connection,client", vec!["client", "connection"]),
        ("server,server", vec!["server"]),
    ] {
        let text = by(what);
        assert_eq!(keys(&text)[6..], ["by", "groups"], "{what}");
        let groups = rows_of(&text, "groups");
        let expected: Vec<_> = members.into_iter().chain(SERVER[1..].iter().copied()).collect();
        let mut counted = 0;
        for group in &groups {
            assert_eq!(keys(group), expected, "{what}");
            let group = value(group);
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
