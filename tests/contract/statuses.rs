//! Each status, from a capture that has it.

use serde_json::Value;

use super::common::sent::member;
use super::common::{Raw, fixtures, mutate, read, wire};
use super::{keys, of_packets, value};

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
