//! Captures from which packets, bytes or the beginning are missing, checked against an oracle:
//! every request and every reply that is whole in the capture is paired, by file and live, and
//! nothing else is told.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::cast_possible_wrap)]

mod common;

use std::collections::BTreeMap;

use common::mutate::{Dice, snapped};
use common::oracle::{Recording, Row};
use common::{Raw, fixtures, mutate, read, recordings, sent, wire};
use nestscope::endpoint::Side;
use nestscope::engine::{Config, Engine, EngineEvent};
use nestscope::exchange::{Exchange, ExchangeKind, Status};
use nestscope::limits::REORDER_AT_MOST_LIVE;
use nestscope::packet::LinkType;
use nestscope::stream;
use nestscope::time::Timestamp;

/// Recordings on Ethernet whose frames are what Nest wrote.
fn sources() -> Vec<Recording> {
    let chosen = ["basic", "concurrent", "together", "twoclients", "timeout", "medium", "killed"];
    let recording = |(name, path): (String, std::path::PathBuf)| {
        let is_chosen = chosen.iter().any(|start| name.starts_with(start)) || name == "reset";
        let packets = read(&path);
        let is_ethernet = packets.iter().all(|raw| raw.link == LinkType::ETHERNET);
        let is_taken = is_chosen && is_ethernet;
        is_taken.then(|| Recording::new(&name, packets, &sent::frames(&path)))
    };
    let sources: Vec<_> = recordings(&fixtures()).into_iter().filter_map(recording).collect();
    assert!(sources.len() >= 20, "{}", sources.len());
    sources
}

fn row(exchange: &Exchange<'_>) -> Row {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Row {
        kind: exchange.kind,
        client: exchange.ends.client.to_string(),
        server: exchange.ends.server.to_string(),
        id: exchange.id.map(text),
        data: exchange.data.map(text),
        replies: exchange.replies,
        latency: exchange.latency,
    }
}

/// What was told, and of how many rows it was sure.
#[derive(Default)]
struct Found {
    rows: Vec<(Row, Status)>,
    sure: usize,
}

impl Found {
    fn take(&mut self, event: &EngineEvent<'_>) {
        if let EngineEvent::Exchange(exchange) = event
            && exchange.kind != ExchangeKind::Connect
        {
            self.rows.push((row(exchange), exchange.status));
            self.sure += usize::from(exchange.sure);
        }
    }
}

fn of_file(packets: &[Raw]) -> Found {
    let mut found = Found::default();
    let mut engine = Engine::new(Config { keep_payloads: true, ..Config::default() });
    for (raw, number) in packets.iter().zip(1..) {
        engine.push(&raw.packet(number), &mut |event| found.take(&event));
    }
    engine.finish(&mut |event| found.take(&event));
    let unsure = found.rows.len() - found.sure;
    assert_eq!(engine.counts().exchange.unsure, unsure as u64);
    assert_eq!(engine.counts().exchange.waits_given_up, 0);
    found
}

/// As on an interface, where the source says when nothing came for a while.
fn of_interface(packets: &[Raw]) -> Found {
    let mut found = Found::default();
    let stream = stream::Config { reorder_at_most: REORDER_AT_MOST_LIVE, ..Default::default() };
    let mut engine = Engine::new(Config { stream, keep_payloads: true, ..Config::default() });
    let mut before = packets.first().map_or(0, |raw| raw.at);
    for (raw, number) in packets.iter().zip(1..) {
        while raw.at > before + 100_000_000 {
            before += 100_000_000;
            engine.expire(Timestamp::from_nanos(before), &mut |event| found.take(&event));
        }
        before = raw.at;
        engine.push(&raw.packet(number), &mut |event| found.take(&event));
    }
    engine.finish(&mut |event| found.take(&event));
    found
}

/// Adds up what was found of one kind of capture.
#[derive(Default)]
struct Shares {
    rows: usize,
    sure: usize,
    /// Calls whose request and final reply are whole.
    answered: usize,
}

/// An order of rows that depends on nothing but what they say.
fn key(row: &Row) -> String {
    format!("{row:?}")
}

fn check(what: &str, recording: &Recording, left: &[Raw], shares: &mut Shares) {
    let mut expected = recording.expected(left);
    expected.sort_by_cached_key(|(row, _)| key(row));
    for (way, found) in [("file", of_file(left)), ("live", of_interface(left))] {
        let what = format!("{}, {what}, {way}", recording.name);
        let Found { mut rows, sure } = found;
        rows.sort_by_cached_key(|(row, _)| key(row));
        let (mut lacking, mut invented) = (Vec::new(), Vec::new());
        let mut told = rows.iter().map(|(row, _)| row).peekable();
        for (row, _) in &expected {
            invented.extend(std::iter::from_fn(|| told.next_if(|told| key(told) < key(row))));
            if told.next_if_eq(&row).is_none() {
                lacking.push(row);
            }
        }
        invented.extend(told);
        assert!(
            lacking.is_empty() && invented.is_empty(),
            "{what}: lacking {lacking:#?}, invented {invented:#?}"
        );
        for ((row, status), (_, may)) in rows.iter().zip(&expected) {
            assert!(may.contains(status), "{what}: {status:?}, not one of {may:?}: {row:#?}");
        }
        shares.rows += rows.len();
        shares.sure += sure;
        shares.answered += rows.iter().filter(|(row, _)| row.latency.latency.is_some()).count();
    }
}

/// `percent` of the packets with payload are gone, of one side or of both.
fn lost(packets: &[Raw], percent: usize, side: Option<Side>, seed: u64) -> Vec<Raw> {
    let clients: Vec<_> = packets
        .iter()
        .map(wire::parse)
        .filter(|tcp| tcp.flags & (wire::SYN | 0x10) == wire::SYN)
        .map(|tcp| tcp.ends().0)
        .collect();
    let mut dice = Dice(seed);
    let keeps = |raw: &&Raw| {
        let tcp = wire::parse(raw);
        let from = if clients.contains(&tcp.ends().0) { Side::Client } else { Side::Server };
        tcp.payload.is_empty()
            || side.is_some_and(|side| side != from)
            || dice.below(100) >= percent
    };
    packets.iter().filter(keeps).cloned().collect()
}

/// With `pace` times as much time between the packets.
fn slowed(packets: &[Raw], pace: i64) -> Vec<Raw> {
    let first = packets.first().map_or(0, |raw| raw.at);
    let slow = |raw: &Raw| Raw { at: first + (raw.at - first) * pace, ..raw.clone() };
    packets.iter().map(slow).collect()
}

/// Each packet captured up to 0.4 ms late, so that those that come close together change places.
fn delayed(packets: &[Raw], seed: u64) -> Vec<Raw> {
    let mut dice = Dice(seed);
    let mut late = |raw: &Raw| Raw { at: raw.at + dice.below(400_000) as i64, ..raw.clone() };
    let mut packets: Vec<_> = packets.iter().map(&mut late).collect();
    packets.sort_by_key(|raw| raw.at);
    packets
}

fn begun_late(packets: &[Raw], seed: u64) -> Vec<Raw> {
    let percent = Dice(seed).below(95);
    packets[packets.len() * percent / 100..].to_vec()
}

fn print_shares(shares: BTreeMap<String, Shares>) {
    for (what, Shares { rows, sure, answered }) in shares {
        assert!(sure <= rows && answered <= sure, "{what}: {sure} of {rows}, {answered} answered");
        println!("{what}: {sure} of {rows} rows are sure, {answered} answered");
    }
}

/// Every kind of loss for each of these seeds, each time of another recording.
fn check_losses(seeds: std::ops::Range<u64>) {
    let sources = sources();
    let mut shares = BTreeMap::<String, Shares>::new();
    for seed in seeds {
        let mut turn = usize::try_from(seed).unwrap();
        let mut case = |what: String, mutate: &dyn Fn(&[Raw]) -> Vec<Raw>| {
            turn += 7;
            let recording = &sources[turn % sources.len()];
            let shares = shares.entry(what.clone()).or_default();
            // Slower, so that other waits end first.
            let pace = [1, 10, 100][Dice(seed + 1).below(3)];
            let left = slowed(&mutate(&recording.packets), pace);
            check(&format!("{what}, {pace} times slower, seed {seed}"), recording, &left, shares);
        };
        for (way, side) in
            [("", None), (" to the server", Some(Side::Client)), (" from it", Some(Side::Server))]
        {
            for percent in [1, 5, 10, 30] {
                case(format!("{percent:2} % lost{way}"), &|packets| {
                    lost(packets, percent, side, seed)
                });
            }
        }
        let size = 70 + Dice(seed).below(400);
        case("cut short".to_owned(), &|packets| snapped(packets, size));
        case("begun late".to_owned(), &|packets| begun_late(packets, seed));
        case("10 % lost and out of order".to_owned(), &|packets| {
            delayed(&lost(packets, 10, None, seed), seed)
        });
        case("all at once".to_owned(), &|packets| {
            let percent = [1, 5, 10, 30][Dice(seed).below(4)];
            snapped(&lost(&begun_late(packets, seed), percent, None, seed), 2 * size)
        });
    }
    print_shares(shares);
}

// Two, so that two processors share the work.
#[test]
fn whatever_is_whole_is_paired() {
    check_losses(1..105);
}

#[test]
fn whatever_is_whole_is_paired_of_other_seeds_too() {
    check_losses(105..210);
}

#[test]
fn of_small_segments_too() {
    let sources = sources();
    let mut shares = BTreeMap::<String, Shares>::new();
    for seed in 1..30 {
        let recording = &sources[usize::try_from(seed).unwrap() * 5 % sources.len()];
        if recording.name.starts_with("medium") {
            continue;
        }
        let small = mutate::recut(&recording.packets, 50);
        let shares = shares.entry("small segments, 2 % lost".to_owned()).or_default();
        check(&format!("small, seed {seed}"), recording, &lost(&small, 2, None, seed), shares);
    }
    print_shares(shares);
}
