//! The recordings taken through what wire, tap and format can do to them. What loses nothing gives
//! the same calls with the same latencies; what loses bytes gives every frame that is still whole,
//! and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::{HashMap, HashSet};

use common::{
    Outcome, Raw, Record, analyse, encapsulate, fixtures, mutate, read, recordings, sent, wire,
};
use nestscope::endpoint::Side;
use nestscope::exchange::ExchangeKind;
use nestscope::packet::LinkType;

/// Recordings on Ethernet whose frames are what Nest wrote.
fn sources() -> Vec<(String, Vec<Raw>, Vec<sent::Frame>)> {
    let chosen = |(name, path): (String, std::path::PathBuf)| {
        let heavy = ["megabyte", "raw-", "refused"].iter().any(|start| name.starts_with(start));
        if heavy {
            return None;
        }
        let packets = read(&path);
        let ethernet = packets.iter().all(|raw| raw.link == LinkType::ETHERNET);
        ethernet.then(|| (name, packets, sent::frames(&path)))
    };
    let sources: Vec<_> = recordings(&fixtures()).into_iter().filter_map(chosen).collect();
    assert!(sources.len() >= 20, "{}", sources.len());
    sources
}

/// Records in an order that does not depend on that of the packets, without their numbers.
fn sorted(mut records: Vec<Record>) -> Vec<Record> {
    records.iter_mut().for_each(|record| record.number = 0);
    records.sort_by_cached_key(|record| format!("{record:?}"));
    records
}

fn assert_same(name: &str, what: &str, original: &Outcome, mutated: &Outcome) {
    // An attempt to connect has no frame; out of order its RST may come before its SYN.
    let frames = |outcome: &Outcome| {
        let records = outcome.records.iter().cloned();
        sorted(records.filter(|record| record.kind != ExchangeKind::Connect).collect())
    };
    let (original, mutated) = (frames(original), frames(mutated));
    for (original, mutated) in original.iter().zip(&mutated) {
        assert_eq!(original, mutated, "{name}, {what}");
    }
    assert_eq!(original.len(), mutated.len(), "{name}, {what}");
}

fn lossless(what: &str, mutate: impl Fn(&[Raw]) -> Vec<Raw>) {
    for (name, packets, _) in sources() {
        let original = analyse(&packets);
        let mutated = analyse(&mutate(&packets));
        assert_eq!(mutated.counts.stream.gaps, 0, "{name}, {what}");
        assert_same(&name, what, &original, &mutated);
    }
}

#[test]
fn another_link_changes_nothing() {
    for (name, packets, _) in sources() {
        let original = analyse(&packets);
        for (link, mutated) in mutate::links(&packets) {
            assert_same(&name, link, &original, &analyse(&mutated));
        }
    }
}

/// A few that differ: IPv4, IPv6, streams, a connection that was reset.
fn few() -> impl Iterator<Item = (String, Vec<Raw>)> {
    let names = ["basic-v11", "ipv6", "reset", "twoclients"];
    sources()
        .into_iter()
        .filter(move |(name, ..)| names.contains(&name.as_str()))
        .map(|(name, packets, _)| (name, packets))
}

#[test]
fn an_encapsulation_changes_nothing() {
    let mut taken = 0;
    for (name, packets) in few() {
        let original = analyse(&packets);
        let mut mutated = encapsulate::each(&packets);
        for depth in [2, 3, 8] {
            mutated.extend(encapsulate::nested(&packets, depth));
        }
        for (what, packets) in mutated {
            let outcome = analyse(&packets);
            assert_same(&name, &what, &original, &outcome);
            assert_eq!(outcome.counts.decode.unopened().count(), 0, "{name}, {what}");
            taken += 1;
        }
    }
    assert!(taken > 300, "{taken}");
}

#[test]
fn a_tunnel_in_fragments_changes_nothing() {
    for (name, packets) in few() {
        let original = analyse(&packets);
        for (what, tunnel) in encapsulate::TUNNELS {
            let outside = encapsulate::tunnelled(&packets, *tunnel);
            for reversed in [false, true] {
                let outside = mutate::fragments(&outside, 512, reversed);
                assert_same(&name, &format!("{what}, outside"), &original, &analyse(&outside));
                let inside = mutate::fragments(&packets, 512, reversed);
                let both = encapsulate::tunnelled(&inside, *tunnel);
                assert_same(&name, &format!("{what}, inside"), &original, &analyse(&both));
                let both = mutate::fragments(&both, 256, reversed);
                assert_same(&name, &format!("{what}, both"), &original, &analyse(&both));
            }
        }
    }
}

#[test]
fn tunnels_that_are_too_deep_are_counted() {
    let (_, packets) = few().next().unwrap();
    for (what, packets) in encapsulate::nested(&packets, 9) {
        let counts = analyse(&packets).counts.decode;
        let unopened: Vec<_> = counts.unopened().map(|(kind, n)| (kind.to_string(), n)).collect();
        assert_eq!(unopened, [("too-deep".to_owned(), packets.len() as u64)], "{what}");
    }
}

#[test]
fn plain_and_tunnelled_traffic_beside_each_other() {
    let mut all: Vec<(String, Vec<Raw>)> = few().collect();
    let whole: usize = all.iter().map(|(_, packets)| analyse(packets).records.len()).sum();
    let mut mixed = Vec::new();
    for ((_, packets), (_, tunnel)) in all.iter_mut().zip(encapsulate::TUNNELS).skip(1) {
        mixed.append(&mut encapsulate::tunnelled(packets, *tunnel));
    }
    mixed.append(&mut all[0].1);
    mixed.sort_by_key(|raw| raw.at);
    assert_eq!(analyse(&mixed).records.len(), whole);
}

#[test]
fn fragments_change_nothing() {
    lossless("fragments of 64 bytes", |packets| mutate::fragments(packets, 64, false));
    lossless("fragments in reverse", |packets| mutate::fragments(packets, 512, true));
}

#[test]
fn every_packet_twice_changes_nothing() {
    lossless("twice", mutate::twice);
}

#[test]
fn a_shuffle_within_a_window_changes_nothing() {
    for (window, seed) in [(2, 1), (4, 2), (8, 3), (16, 4), (32, 5), (64, 6)] {
        let what = format!("shuffled within {window}");
        lossless(&what, |packets| mutate::shuffled(packets, window, seed));
    }
}

#[test]
fn a_sequence_wrap_changes_nothing() {
    for after in [0, 1, 100, 1_000] {
        lossless(&format!("wraps after {after}"), |packets| mutate::wrapped(packets, after));
    }
}

#[test]
fn segments_of_any_size_change_nothing() {
    for size in [1, 2, 7, 1_000] {
        lossless(&format!("cut to {size}"), |packets| mutate::recut(packets, size));
    }
}

#[test]
fn the_lengths_of_offload_change_nothing() {
    lossless("IP length 0", mutate::offloaded);
}

/// Which bytes of each direction a capture holds, as positions behind the SYN.
#[derive(Default)]
struct Seen {
    by_direction: HashMap<(String, String), HashSet<u32>>,
}

fn address(end: &(Vec<u8>, u16)) -> String {
    let (ip, port) = end;
    match <[u8; 4]>::try_from(ip.as_slice()) {
        Ok(ip) => format!("{}:{port}", std::net::Ipv4Addr::from(ip)),
        Err(_) => {
            let ip: [u8; 16] = ip.as_slice().try_into().unwrap();
            format!("[{}]:{port}", std::net::Ipv6Addr::from(ip))
        }
    }
}

/// The initial sequence number of each direction of the whole capture.
fn initial(packets: &[Raw]) -> HashMap<(String, String), u32> {
    let mut initial = HashMap::new();
    for tcp in packets.iter().map(wire::parse).filter(|tcp| tcp.flags & wire::SYN != 0) {
        let (from, to) = tcp.ends();
        initial.insert((address(&from), address(&to)), tcp.seq);
    }
    initial
}

impl Seen {
    fn of(packets: &[Raw], initial: &HashMap<(String, String), u32>) -> Self {
        let mut seen = Self::default();
        for raw in packets {
            // A packet cut inside its headers carries nothing.
            if raw.data.len() < 14 + 20 + 20 {
                continue;
            }
            let mut whole = raw.clone();
            whole.data.resize(raw.original_len as usize, 0);
            let tcp = wire::parse(&whole);
            let (from, to) = tcp.ends();
            let direction = (address(&from), address(&to));
            // A port that refuses says no SYN, and carries nothing.
            let Some(initial) = initial.get(&direction) else { continue };
            let start = tcp.payload_seq().wrapping_sub(*initial).wrapping_sub(1);
            let cut = raw.original_len as usize - raw.data.len();
            let bytes = tcp.payload.len().saturating_sub(cut);
            let positions = start..start + u32::try_from(bytes).unwrap();
            seen.by_direction.entry(direction).or_default().extend(positions);
        }
        seen
    }
}

/// The frames of which a capture holds every byte, and by which Nest would know them.
fn whole_frames<'a>(
    frames: &'a [sent::Frame],
    packets: &[Raw],
    initial: &HashMap<(String, String), u32>,
) -> Vec<&'a sent::Frame> {
    let seen = Seen::of(packets, initial);
    let mut position: HashMap<(String, String), u32> = HashMap::new();
    let mut whole = Vec::new();
    for frame in frames {
        let direction = match frame.from {
            Side::Client => (frame.client.clone(), frame.server.clone()),
            Side::Server => (frame.server.clone(), frame.client.clone()),
        };
        let start = position.entry(direction.clone()).or_insert(0);
        let end = *start + u32::try_from(frame.text.len()).unwrap();
        let held = seen.by_direction.get(&direction);
        if held.is_some_and(|held| (*start..end).all(|position| held.contains(&position))) {
            whole.push(frame);
        }
        *start = end;
    }
    whole
}

/// What every whole frame says, and from where.
fn said(frames: &[&sent::Frame]) -> Vec<String> {
    let mut said = Vec::new();
    for frame in frames {
        let body = frame.text.split_once('#').unwrap().1;
        let get = |key| sent::member(body, key);
        let (id, ends) = (get("id"), format!("{} {}", frame.client, frame.server));
        match frame.from {
            Side::Client if get("pattern").is_some() => {
                said.push(format!("{ends} asks {id:?} {:?}", get("data")));
            }
            Side::Server if id.is_some() => {
                said.push(format!("{ends} answers {id:?}"));
                if let Some(response) = get("response") {
                    said.push(format!("{ends} answers {id:?} {response}"));
                }
            }
            _ => {}
        }
    }
    said.sort();
    said
}

/// The same of what was found.
fn found(records: &[Record]) -> Vec<String> {
    let mut found = Vec::new();
    for record in records {
        let (id, ends) = (&record.id, format!("{} {}", record.client, record.server));
        if record.kind != ExchangeKind::Reply {
            found.push(format!("{ends} asks {id:?} {:?}", record.data));
        }
        for _ in 0..record.replies {
            found.push(format!("{ends} answers {id:?}"));
        }
        for response in &record.responses {
            found.push(format!("{ends} answers {id:?} {response}"));
        }
    }
    found.sort();
    found
}

/// Replies that came behind the final one are counted, not shown; take them out of what was said.
fn without_late(said: &mut Vec<String>, outcome: &Outcome, found: &[String]) {
    let mut late = outcome.counts.exchange.late_replies;
    let mut rest = found.iter().peekable();
    said.retain(|line| {
        while rest.peek().is_some_and(|next| *next < line) {
            rest.next();
        }
        if rest.peek() == Some(&line) {
            rest.next();
            return true;
        }
        let is_late = late > 0 && line.contains(" answers ");
        late -= u64::from(is_late);
        !is_late
    });
}

fn lossy(what: &str, mutate: impl Fn(&[Raw]) -> Vec<Raw>) {
    for (name, packets, frames) in sources() {
        let mutated = mutate(&packets);
        let outcome = analyse(&mutated);
        let whole = whole_frames(&frames, &mutated, &initial(&packets));
        let mut said = said(&whole);
        let frames = outcome.records.iter().cloned();
        let frames: Vec<_> = frames.filter(|record| record.kind != ExchangeKind::Connect).collect();
        let found = found(&frames);
        without_late(&mut said, &outcome, &found);
        let lacking: Vec<_> = said.iter().filter(|line| !found.contains(line)).collect();
        let invented: Vec<_> = found.iter().filter(|line| !said.contains(line)).collect();
        assert!(
            found == said,
            "{name}, {what}: lacking {lacking:#?}, invented {invented:#?}, {:#?}",
            outcome.counts
        );
    }
}

#[test]
fn of_lost_packets_every_whole_frame_is_found() {
    for seed in 1..=5 {
        lossy("1 % lost", |packets| mutate::lost(packets, 1, seed));
        lossy("10 % lost", |packets| mutate::lost(packets, 10, seed));
        lossy("40 % lost", |packets| mutate::lost(packets, 40, seed));
    }
}

#[test]
fn of_a_capture_begun_late_every_whole_frame_is_found() {
    for percent in [5, 30, 60, 90] {
        lossy(&format!("begun at {percent} %"), |packets| {
            packets[packets.len() * percent / 100..].to_vec()
        });
    }
}

#[test]
fn of_one_direction_every_whole_frame_is_found() {
    lossy("only from the server", |packets| mutate::one_direction(packets, true));
    lossy("only to the server", |packets| mutate::one_direction(packets, false));
}

#[test]
fn of_cut_packets_every_whole_frame_is_found() {
    for size in [300, 150, 100, 80, 60] {
        lossy(&format!("cut to {size}"), |packets| mutate::snapped(packets, size));
    }
}

#[test]
fn losses_of_several_kinds_at_once_are_borne() {
    for seed in 1..=3 {
        lossy("lost, shuffled, small and begun late", |packets| {
            let small = mutate::recut(packets, 50);
            let late = &small[small.len() / 5..];
            mutate::shuffled(&mutate::lost(late, 5, seed), 10, seed)
        });
    }
}
