//! How long a kernel held frames back, against what the processes saw: from the write of a frame to
//! its packet. Recorded by the scenarios `held…` of the lab.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use common::{fixtures, read, recordings, sent};
use nestscope::endpoint::Side;
use nestscope::engine::{Config, Engine, EngineEvent};
use nestscope::exchange::{ExchangeKind, Held};
use nestscope::time::{Nanos, Timestamp};

/// A frame on the wire: the request or event of an exchange, or its first reply.
#[derive(Clone, Debug)]
struct Frame {
    from: Side,
    client: String,
    id: Option<String>,
    /// When it was whole.
    at: Timestamp,
    held: Held,
    /// In a call, what lies between its two frames.
    wait: Nanos,
}

/// The frames of a capture; those of requests and events in the order in which they were sent.
fn frames(path: &Path) -> Vec<Frame> {
    let mut found = Vec::new();
    let mut engine = Engine::new(Config { keep_payloads: true, ..Config::default() });
    let mut take = |event: EngineEvent<'_>| {
        let EngineEvent::Exchange(exchange) = event else { return };
        let request = exchange.request.unwrap();
        let id = exchange.id.map(|id| String::from_utf8(id.to_vec()).unwrap());
        let frame = |from, at, held| Frame {
            from,
            client: exchange.ends.client.to_string(),
            id: id.clone(),
            at,
            held,
            wait: exchange.latency.wait.unwrap_or_default(),
        };
        found.push((exchange.number, frame(Side::Client, request.last.at, exchange.request_held)));
        if let Some(first_reply) = exchange.latency.first_reply {
            let at = request.first.at.saturating_add(first_reply);
            found.push((exchange.number, frame(Side::Server, at, exchange.reply_held)));
        } else {
            assert_eq!(exchange.kind, ExchangeKind::Event);
        }
    };
    for (raw, number) in read(path).iter().zip(1..) {
        engine.push(&raw.packet(number), &mut take);
    }
    engine.finish(&mut take);
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, frame)| frame).collect()
}

/// Each frame of a recording, and how long after its write it was on the wire.
fn seen(path: &Path) -> Vec<(Frame, Nanos)> {
    let mut requests: HashMap<String, Vec<i64>> = HashMap::new();
    let mut replies: HashMap<(String, String), i64> = HashMap::new();
    for frame in sent::frames(path) {
        if frame.from == Side::Client {
            requests.entry(frame.client).or_default().push(frame.at);
        } else {
            let body = frame.text.split_once('#').unwrap().1;
            let id = sent::member(body, "id").unwrap();
            replies.entry((frame.client, id)).or_insert(frame.at);
        }
    }
    for writes in requests.values_mut() {
        writes.reverse();
    }
    let with_write = |frame: Frame| {
        let written = match (frame.from, &frame.id) {
            (Side::Server, Some(id)) => replies[&(frame.client.clone(), id.clone())],
            _ => requests.get_mut(&frame.client).unwrap().pop().unwrap(),
        };
        let seen = frame.at.saturating_since(Timestamp::from_nanos(written));
        (frame, seen)
    };
    frames(path).into_iter().map(with_write).collect()
}

const MILLISECOND: Nanos = Nanos::from_millis(1);

fn check(name: &str, frames: &[(Frame, Nanos)]) {
    for (frame, _) in frames.iter().filter(|(frame, _)| frame.from == Side::Server) {
        assert!(frame.held.at_most <= Nanos::new(frame.wait.get()), "{name}: {frame:?}");
    }
    if name.ends_with("no-delay") {
        for (frame, seen) in frames {
            assert!(!frame.held.certain, "{name}: written {seen} before: {frame:?}");
            // A request that follows at once on a reply that carried the ACK looks the same.
            let follows = frames.iter().any(|(reply, _)| {
                let after = frame.at.since(reply.at);
                reply.from == Side::Server
                    && reply.client == frame.client
                    && after.is_some_and(|after| after <= Nanos::from_millis(2))
            });
            let follows = follows && frame.from == Side::Client;
            let short = frame.held.at_most <= Nanos::from_millis(5);
            assert!(short || follows, "{name}: {frame:?}");
        }
        return;
    }
    let below = |(frame, seen): &&(Frame, Nanos)| {
        Nanos::new(frame.held.at_most.get() + MILLISECOND.get()) < *seen
    };
    let too_low: Vec<_> = frames.iter().filter(below).collect();
    let (low, all) = (too_low.len(), frames.len());
    eprintln!("{name}: {low} of {all} frames too low");
    assert!(low * 50 <= all, "{name}: {low} of {all}: {too_low:#?}");
    // What is certain was so, but for the frame that filled a segment for which others waited.
    let certain: Vec<_> = frames.iter().filter(|(frame, _)| frame.held.certain).collect();
    let waited = certain.iter().filter(|(_, seen)| *seen > Nanos::new(100_000)).count();
    eprintln!("{name}: {waited} of {} certain frames waited", certain.len());
    assert!(certain.len() > 100, "{name}: {}", certain.len());
    assert!(waited * 10 >= certain.len() * 9, "{name}: {waited} of {}", certain.len());
}

fn check_all(folder: &Path) {
    let mut checked = 0;
    for (name, path) in recordings(folder) {
        if name.starts_with("held") || name.starts_with("concurrent-v11") {
            check(&name, &seen(&path));
            checked += 1;
        }
    }
    assert!(checked > 0, "{}", folder.display());
}

#[test]
fn what_a_kernel_holds_back_is_not_below_what_the_processes_saw() {
    check_all(&fixtures());
}

/// As in tests/recordings.rs.
#[test]
fn nor_in_fresh_recordings() {
    match std::env::var_os("NESTSCOPE_RECORDINGS") {
        None => eprintln!("skipped: NESTSCOPE_RECORDINGS names no folder"),
        Some(folder) => check_all(&PathBuf::from(folder)),
    }
}
