//! Percentiles, against those counted from all values.

use serde_json::Value;

use super::common::{framed, mutate, wire};
use super::{lines, pcap, value};

pub const PERCENTILES: [&str; 9] =
    ["count", "min", "mean", "p50", "p90", "p95", "p99", "p999", "max"];

/// The value below which `share` of all lie, counted.
fn exact(sorted: &[u64], share: f64) -> u64 {
    let rank = ((sorted.len() as f64 * share).ceil() as usize).max(1);
    sorted[rank - 1]
}

pub fn check_percentiles(place: &str, told: &Value, mut values: Vec<u64>) {
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

pub fn latencies(calls: &[&Value]) -> Vec<u64> {
    calls.iter().filter_map(|call| call["latency_ns"].as_u64()).collect()
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
        say(at, true, 0x10, &framed(&body));
        let latency = 1_000 + ((1_u64 << dice.below(22)) * (dice.below(1_000) as u64 + 1));
        latencies.push(latency);
        at += latency.cast_signed();
        let body = format!(r#"{{"response":1,"isDisposed":true,"id":{id}}}"#);
        say(at, false, 0x10, &framed(&body));
        at += 1_000;
    }
    let text = lines(&["report", "-q", "-T", "json", "-r", "-"], &pcap(&packets)).join("");
    let told = value(&text);
    assert_eq!(told["totals"]["ok"], 3_000);
    check_percentiles("many", &told["patterns"][0]["latency_ns"], latencies.clone());
    check_percentiles("many", &told["patterns"][0]["wait_ns"], latencies);
}
