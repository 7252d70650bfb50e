//! What the engine tells on the way, for a screen: it agrees with what it tells in the end, with
//! the packets, and with tshark.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::{BTreeMap, HashMap};
use std::process::Command;

use common::wire::{self, FIN, RST, SYN, Tcp};
use common::{Raw, fixtures, mutate, read, recordings};
use nestscope::endpoint::{ConnectionId, Endpoints, PerSide};
use nestscope::engine::{Config, ConnectionFacts, Engine, EngineEvent};
use nestscope::exchange::{Exchange, ExchangeKind, Frame, Status};
use nestscope::packet::{LinkType, PacketNumber};
use nestscope::stream::CloseReason;
use nestscope::time::Nanos;

/// A frame that is kept.
#[derive(Clone, Debug, PartialEq)]
struct KeptFrame {
    seq: u32,
    wire_len: usize,
    first: u64,
    last: u64,
    body: Vec<u8>,
}

impl KeptFrame {
    fn of(frame: &Frame<'_>) -> Self {
        Self {
            seq: frame.seq.0,
            wire_len: usize::try_from(frame.span.bytes).unwrap(),
            first: frame.span.first.number.0,
            last: frame.span.last.number.0,
            body: frame.body.to_vec(),
        }
    }
}

/// What was told, in order, each with the packet that was being pushed (`None` at the end).
#[derive(Clone, Debug)]
enum Told {
    Segment(ConnectionId),
    Opened(ConnectionId, Endpoints),
    Attempted,
    Late(ConnectionId, PacketNumber),
    Began(KeptExchange, KeptFrame),
    Replied { number: u64, connection: ConnectionId, frame: KeptFrame, failed: bool, last: bool },
    Exchange(KeptExchange),
    Closed(ConnectionFacts),
}

/// An exchange that is kept.
#[derive(Clone, Debug, PartialEq)]
struct KeptExchange {
    number: u64,
    connection: ConnectionId,
    ends: Endpoints,
    kind: ExchangeKind,
    status: Status,
    pattern: Option<String>,
    id: Option<Vec<u8>>,
    replies: u32,
    data: Option<Vec<u8>>,
    sure: bool,
    /// All else.
    rest: String,
}

impl KeptExchange {
    fn of(exchange: &Exchange<'_>) -> Self {
        let responses: Vec<_> = exchange.responses.iter().collect();
        let Exchange { request, reply, latency, error, pattern_id, .. } = exchange;
        Self {
            number: exchange.number.0,
            connection: exchange.connection,
            ends: exchange.ends,
            kind: exchange.kind,
            status: exchange.status,
            pattern: exchange.pattern.map(str::to_owned),
            id: exchange.id.map(<[u8]>::to_vec),
            replies: exchange.replies,
            data: exchange.data.map(<[u8]>::to_vec),
            sure: exchange.sure,
            rest: format!(
                "{request:?} {reply:?} {latency:?} {error:?} {pattern_id:?} {responses:?}"
            ),
        }
    }
}

fn keep(update: &EngineEvent<'_>) -> Told {
    match update {
        EngineEvent::Segment(connection) => Told::Segment(*connection),
        EngineEvent::Late { connection, packet } => Told::Late(*connection, *packet),
        EngineEvent::Opened(opened) => Told::Opened(opened.connection, opened.ends),
        EngineEvent::Attempted(_) => Told::Attempted,
        EngineEvent::Began(exchange, frame) => {
            Told::Began(KeptExchange::of(exchange), KeptFrame::of(frame))
        }
        EngineEvent::Replied(replied) => Told::Replied {
            number: replied.number.0,
            connection: replied.connection,
            frame: KeptFrame::of(replied.frame),
            failed: replied.failed,
            last: replied.last,
        },
        EngineEvent::Exchange(exchange) => Told::Exchange(KeptExchange::of(exchange)),
        EngineEvent::Closed(closed) => Told::Closed(**closed),
    }
}

fn config(keep_payloads: bool, tell_progress: bool) -> Config {
    Config { keep_payloads, tell_progress, ..Config::default() }
}

/// Runs the engine; `look` sees it after each packet.
fn run_with(
    packets: &[Raw],
    config: Config,
    mut look: impl FnMut(&Engine, &[(Option<u64>, Told)]),
) -> Vec<(Option<u64>, Told)> {
    let mut engine = Engine::new(config);
    let mut told = Vec::new();
    for (raw, number) in packets.iter().zip(1..) {
        engine.push(&raw.packet(number), &mut |update| told.push((Some(number), keep(&update))));
        look(&engine, &told);
    }
    engine.finish(&mut |update| told.push((None, keep(&update))));
    told
}

fn run(packets: &[Raw], config: Config) -> Vec<(Option<u64>, Told)> {
    run_with(packets, config, |_, _| {})
}

/// Recordings on Ethernet whose packets are small enough to be looked at one by one.
fn sources() -> Vec<(String, Vec<Raw>)> {
    let chosen = |(name, path): (String, std::path::PathBuf)| {
        if ["megabyte", "raw-", "refused"].iter().any(|start| name.starts_with(start)) {
            return None;
        }
        let packets = read(&path);
        packets.iter().all(|raw| raw.link == LinkType::ETHERNET).then_some((name, packets))
    };
    let sources: Vec<_> = recordings(&fixtures()).into_iter().filter_map(chosen).collect();
    assert!(sources.len() >= 20, "{}", sources.len());
    sources
}

/// What may have happened to a capture: its name, the whole of it, and what is left of that.
fn mutations(packets: &[Raw]) -> Vec<(String, Vec<Raw>, Vec<Raw>)> {
    let mut all = vec![("as it is".to_owned(), packets.to_vec(), packets.to_vec())];
    let mut lossless = |what: &str, packets: Vec<Raw>| {
        all.push((what.to_owned(), packets.clone(), packets));
    };
    lossless("shuffled within 8", mutate::shuffled(packets, 8, 3));
    lossless("every packet twice", mutate::twice(packets));
    lossless("cut to 7", mutate::recut(packets, 7));
    for after in [0, 100] {
        lossless(&format!("wraps after {after}"), mutate::wrapped(packets, after));
    }
    let wrapped = mutate::recut(&mutate::wrapped(packets, 333), 50);
    lossless("wraps, cut to 50, shuffled", mutate::shuffled(&wrapped, 16, 5));
    for (percent, seed) in [(5, 1), (40, 2)] {
        let left = mutate::lost(packets, percent, seed);
        all.push((format!("{percent} % lost"), packets.to_vec(), left));
        let left = mutate::shuffled(&mutate::lost(&wrapped, percent, seed), 8, seed);
        all.push((format!("wraps, cut, {percent} % lost, shuffled"), wrapped.clone(), left));
    }
    for percent in [5, 60] {
        let left = wrapped[wrapped.len() * percent / 100..].to_vec();
        all.push((format!("wraps, begun at {percent} %"), wrapped.clone(), left));
    }
    for size in [300, 100] {
        all.push((format!("cut off at {size}"), packets.to_vec(), mutate::snapped(packets, size)));
    }
    for from_server in [true, false] {
        let left = mutate::one_direction(packets, from_server);
        all.push((format!("one direction, {from_server}"), packets.to_vec(), left));
    }
    all
}

fn every_capture(check: impl Fn(&str, &[Raw], &[Raw])) {
    for (name, packets) in sources() {
        for (what, whole, left) in mutations(&packets) {
            check(&format!("{name}, {what}"), &whole, &left);
        }
    }
}

type Address = (Vec<u8>, u16);

fn address(end: std::net::SocketAddr) -> Address {
    let ip = match end.ip() {
        std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
        std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    (ip, end.port())
}

/// The bytes on the wire, by sender, receiver and sequence number.
fn by_number(packets: &[Raw]) -> HashMap<(Address, Address), HashMap<u32, u8>> {
    let mut bytes: HashMap<_, HashMap<u32, u8>> = HashMap::new();
    for tcp in packets.iter().map(wire::parse) {
        let place = bytes.entry(tcp.ends()).or_default();
        for (offset, &byte) in (0..).zip(&tcp.payload) {
            let old = place.insert(tcp.payload_seq().wrapping_add(offset), byte);
            assert!(old.is_none_or(|old| old == byte), "two connections of one name");
        }
    }
    bytes
}

#[test]
fn the_bytes_from_a_frames_number_on_are_the_frame() {
    every_capture(|what, whole, left| {
        let wire = by_number(whole);
        let told = run(left, config(false, true));
        let mut ends = HashMap::new();
        let mut frames = 0;
        let mut check = |from: Address, to: Address, frame: &KeptFrame| {
            let bytes = &wire[&(from, to)];
            let at = |offset: usize| frame.seq.wrapping_add(u32::try_from(offset).unwrap());
            let gathered: Option<Vec<u8>> =
                (0..frame.wire_len).map(|offset| bytes.get(&at(offset)).copied()).collect();
            let gathered = gathered.unwrap_or_else(|| panic!("{what}: {frame:?}"));
            let header = gathered.strip_suffix(frame.body.as_slice());
            let header = header.unwrap_or_else(|| panic!("{what}: {frame:?}"));
            let digits = header.strip_suffix(b"#").unwrap();
            assert!(!digits.is_empty() && digits.iter().all(u8::is_ascii_digit), "{what}");
            frames += 1;
        };
        for (_, told) in &told {
            match told {
                Told::Began(exchange, frame) => {
                    let Endpoints { client, server } = exchange.ends;
                    ends.insert(exchange.number, exchange.ends);
                    match exchange.kind {
                        ExchangeKind::Reply => check(address(server), address(client), frame),
                        _ => check(address(client), address(server), frame),
                    }
                }
                Told::Replied { number, frame, .. } => {
                    let Endpoints { client, server } = ends[number];
                    check(address(server), address(client), frame);
                }
                _ => {}
            }
        }
        assert!(frames > 0 || left != whole, "{what}");
    });
}

#[test]
fn what_is_told_on_the_way_agrees_with_what_is_told_in_the_end() {
    every_capture(|what, _, left| {
        let told = run(left, config(true, true));
        let ended: Vec<_> = told.iter().filter_map(|(at, told)| in_the_end(*at, told)).collect();
        let plain = run(left, config(true, false));
        let plain: Vec<_> = plain
            .iter()
            .map(|(at, told)| in_the_end(*at, told).expect("nothing on the way is told"))
            .collect();
        assert_eq!(ended, plain, "{what}");
        life_of_every_exchange(what, &told);
        life_of_every_connection(what, left, &told);
    });
}

/// What is told without progress too, as text.
fn in_the_end(at: Option<u64>, told: &Told) -> Option<String> {
    matches!(told, Told::Exchange(_) | Told::Closed(_)).then(|| format!("{at:?} {told:?}"))
}

fn life_of_every_exchange(what: &str, told: &[(Option<u64>, Told)]) {
    let mut open = BTreeMap::<u64, (KeptExchange, u32)>::new();
    // What must come next.
    let mut due = None;
    for (_, told) in told {
        if let Some((number, status)) = due.take() {
            let Told::Exchange(exchange) = told else { panic!("{what}: {told:?}") };
            assert_eq!((exchange.number, exchange.status), (number, status), "{what}");
        }
        match told {
            Told::Began(began, frame) => {
                let number = began.number;
                assert!(frame.first <= frame.last || what.contains("shuffled"), "{what}");
                match began.kind {
                    ExchangeKind::Request => assert_eq!(began.status, Status::Open, "{what}"),
                    // The end of one that nothing confirms yet comes later.
                    _ => due = began.sure.then_some((number, began.status)),
                }
                assert_eq!(open.insert(number, (began.clone(), 0)), None, "{what}: {number}");
            }
            Told::Replied { number, connection, failed, last, .. } => {
                let (began, replies) = open.get_mut(number).unwrap();
                assert_eq!(*connection, began.connection, "{what}");
                *replies += 1;
                assert!(*last || !failed, "{what}: an error ends the call");
                due = last.then_some((*number, if *failed { Status::Error } else { Status::Ok }));
            }
            // An attempt that was refused at once did not wait before.
            Told::Exchange(exchange) if exchange.kind == ExchangeKind::Connect => {}
            Told::Exchange(exchange) => {
                let (began, replies) = open.remove(&exchange.number).unwrap();
                match exchange.kind {
                    ExchangeKind::Request => assert_eq!(replies, exchange.replies, "{what}"),
                    // What is over at once begins as it ends.
                    _ => {
                        let sure = exchange.sure;
                        assert_eq!(&KeptExchange { sure, ..began.clone() }, exchange, "{what}");
                        assert!(sure || !began.sure, "{what}");
                    }
                }
                let common = |kind: &KeptExchange| {
                    let KeptExchange { connection, ends, kind, pattern, id, data, .. } =
                        kind.clone();
                    (connection, ends, kind, pattern, id, data)
                };
                assert_eq!(common(&began), common(exchange), "{what}");
            }
            _ => {}
        }
    }
    assert_eq!(due, None, "{what}");
    assert!(open.is_empty(), "{what}: {open:?}");
}

fn life_of_every_connection(what: &str, packets: &[Raw], told: &[(Option<u64>, Told)]) {
    let mut segments = HashMap::<ConnectionId, Vec<u64>>::new();
    let mut opened = HashMap::new();
    let mut latest = None;
    for (at, told) in told {
        match told {
            Told::Segment(connection) => {
                assert_ne!(latest, *at, "{what}: one segment a packet");
                latest = *at;
                segments.entry(*connection).or_default().push(at.unwrap());
            }
            // Kept until it turned out to be of this connection.
            Told::Late(connection, packet) => {
                segments.entry(*connection).or_default().push(packet.0);
            }
            Told::Attempted => {}
            Told::Opened(connection, ends) => {
                assert_eq!(opened.insert(*connection, *ends), None, "{what}: opened twice");
            }
            // An attempt that failed is told before the connection that never was.
            Told::Exchange(exchange) if exchange.kind == ExchangeKind::Connect => {}
            Told::Began(exchange, _) | Told::Exchange(exchange) => {
                assert!(opened.contains_key(&exchange.connection), "{what}: not opened");
            }
            Told::Replied { connection, .. } => {
                assert!(opened.contains_key(connection), "{what}: not opened");
            }
            Told::Closed(closed) => {
                let connection = closed.connection;
                let ends = opened.remove(&connection).unwrap();
                assert!([ends, ends.swapped()].contains(&closed.ends), "{what}");
                let PerSide { client, server } = closed.counts.packets;
                let segments = &segments[&connection];
                assert_eq!(segments.len() as u64, client + server, "{what}: segments");
                let pair = [address(ends.client), address(ends.server)];
                for number in segments {
                    let raw = &packets[usize::try_from(number - 1).unwrap()];
                    let (from, to) = wire::parse(&whole(raw)).ends();
                    assert!(pair.contains(&from) && pair.contains(&to), "{what}: #{number}");
                }
            }
        }
    }
    assert!(opened.is_empty(), "{what}: {opened:?}");
}

/// A packet as long as it was on the wire.
fn whole(raw: &Raw) -> Raw {
    let mut raw = raw.clone();
    raw.data.resize(raw.original_len as usize, 0);
    raw
}

#[test]
fn the_argument_is_lent_at_the_beginning_even_where_payloads_are_not_kept() {
    for (name, packets) in sources() {
        let data = |keep_payloads| -> Vec<_> {
            let told = run(&packets, config(keep_payloads, true));
            let began = told.into_iter().filter_map(|(_, told)| match told {
                Told::Began(exchange, _) => Some((exchange.number, exchange.data)),
                Told::Exchange(exchange) if !keep_payloads => {
                    assert_eq!(exchange.data, None);
                    None
                }
                _ => None,
            });
            began.collect()
        };
        assert_eq!(data(true), data(false), "{name}");
        assert!(data(false).iter().any(|(_, data)| data.is_some()), "{name}");
    }
}

/// A capture begun late whose client has the lower port: it is taken for the server.
fn swapped(packets: &[Raw]) -> Vec<Raw> {
    let segments = packets.iter().map(wire::parse).filter(|tcp| tcp.flags & SYN == 0);
    let moved = segments.map(|mut tcp| {
        let client = if tcp.from_port == 8_888 { &mut tcp.to_port } else { &mut tcp.from_port };
        *client = 1_025;
        tcp.ethernet()
    });
    moved.collect()
}

#[test]
fn messages_overrule_the_ports_on_the_way_too() {
    let packets = swapped(&read(&fixtures().join("walkthrough.pcap")));
    let (mut standing, mut told) = (Vec::new(), Vec::new());
    let mut engine = Engine::new(config(false, true));
    for (raw, number) in packets.iter().zip(1..) {
        engine.push(&raw.packet(number), &mut |update| told.push((Some(number), keep(&update))));
    }
    engine.pause(&mut |update| told.push((None, keep(&update))));
    engine.standing(&mut |connection| standing.push(*connection));
    engine.finish(&mut |update| told.push((None, keep(&update))));
    let ports = |ends: Endpoints| (ends.client.port(), ends.server.port());
    let Some((_, Told::Opened(_, taken))) =
        told.iter().find(|(_, told)| matches!(told, Told::Opened(..)))
    else {
        panic!("{told:?}")
    };
    assert_eq!(ports(*taken), (8_888, 1_025), "or nothing is shown");
    let mut began = 0;
    for (_, told) in &told {
        if let Told::Began(exchange, _) = told {
            assert_eq!(ports(exchange.ends), (1_025, 8_888));
            began += 1;
        }
    }
    assert!(began > 0);
    let Some((_, Told::Closed(closed))) = told.last() else { panic!("{told:?}") };
    let [standing] = standing[..] else { panic!("{standing:?}") };
    assert_eq!(standing.ends, closed.ends);
    assert_eq!(standing.counts, closed.counts);
}

#[test]
fn what_stands_is_what_was_opened_and_is_not_closed() {
    for (name, packets) in sources() {
        let mut last: Vec<ConnectionFacts> = Vec::new();
        let (mut expected, mut seen) = (Vec::new(), 0);
        let told = run_with(&packets, config(false, true), |engine, told| {
            last.clear();
            engine.standing(&mut |standing| last.push(*standing));
            for (_, told) in &told[std::mem::replace(&mut seen, told.len())..] {
                match told {
                    Told::Opened(connection, _) => expected.push(*connection),
                    Told::Closed(closed) => expected.retain(|c| *c != closed.connection),
                    _ => {}
                }
            }
            let mut standing: Vec<_> = last.iter().map(|standing| standing.connection).collect();
            expected.sort_unstable();
            standing.sort_unstable();
            assert_eq!(standing, expected, "{name}");
        });
        // At the end of these captures nothing is held: what stood is what is told as over.
        assert!(!last.is_empty(), "{name}");
        for standing in last {
            let closed = told.iter().find_map(|(_, told)| match told {
                Told::Closed(closed) if closed.connection == standing.connection => Some(closed),
                _ => None,
            });
            let closed = closed.unwrap();
            assert_eq!(standing.counts, closed.counts, "{name}");
            assert_eq!(standing.ends, closed.ends, "{name}");
            assert_eq!(standing.first, closed.first, "{name}");
            assert_eq!(standing.from_start, closed.from_start, "{name}");
            assert_eq!(standing.spoke_nest, closed.spoke_nest, "{name}");
            assert_eq!(standing.foreign, closed.foreign, "{name}");
            assert_eq!(
                standing.lingering,
                closed.end.unwrap().why != CloseReason::CaptureEnded,
                "{name}"
            );
            let ends = [address(standing.ends.client), address(standing.ends.server)];
            let of_it = |raw: &&Raw| {
                let (from, to) = wire::parse(raw).ends();
                ends.contains(&from) && ends.contains(&to)
            };
            let latest = packets.iter().rev().find(of_it).unwrap();
            assert_eq!(standing.last.at.as_nanos(), latest.at, "{name}");
        }
    }
}

/// The round trip of each connection, in the order in which they were first seen.
fn round_trips(packets: &[Raw]) -> Vec<Option<Nanos>> {
    let mut found: Vec<_> = run(packets, config(false, false))
        .into_iter()
        .filter_map(|(_, told)| match told {
            Told::Closed(closed) => Some((closed.first.number, closed.counts.round_trip)),
            _ => None,
        })
        .collect();
    found.sort_by_key(|(first, _)| *first);
    found.into_iter().map(|(_, round_trip)| round_trip).collect()
}

#[test]
fn the_round_trip_is_the_one_that_tshark_tells() {
    let mut compared = 0;
    for (name, path) in recordings(&fixtures()) {
        let output = Command::new("tshark")
            .arg("-r")
            .arg(&path)
            .args(["-T", "fields", "-e", "tcp.stream", "-e", "tcp.flags.str"])
            .args(["-e", "tcp.analysis.initial_rtt"])
            .output()
            .expect("this test compares with tshark, which cannot be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut theirs = BTreeMap::<usize, (Option<Nanos>, bool)>::new();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let fields: Vec<_> = line.split('\t').collect();
            let [stream, flags, seconds] = fields[..] else { panic!("{line}") };
            let (known, accepted) = theirs.entry(stream.parse().unwrap()).or_default();
            *accepted |= flags.contains('A') && flags.contains('S');
            if let Some((seconds, nanos)) = seconds.split_once('.') {
                assert_eq!(nanos.len(), 9);
                let nanos: u64 = format!("{seconds}{nanos}").parse().unwrap();
                *known = Some(Nanos::new(nanos));
            }
        }
        // It takes the RST that refuses a connection for the end of a handshake.
        let theirs: Vec<_> =
            theirs.into_values().map(|(known, accepted)| known.filter(|_| accepted)).collect();
        assert_eq!(round_trips(&read(&path)), theirs, "{name}");
        compared += theirs.iter().flatten().count();
    }
    assert!(compared > 20, "{compared}");
}

/// A handshake and a frame, each segment with its time in ms.
fn handshake(segments: &[(i64, bool, u32, u32, u8)]) -> Vec<Raw> {
    const ACK: u8 = 16;
    let segment = |&(at, from_client, seq, ack, flags): &(i64, bool, u32, u32, u8)| {
        let (client, server) = ((vec![10, 0, 0, 1], 40_000), (vec![10, 0, 0, 2], 8_888));
        let ((from, from_port), (to, to_port)) =
            if from_client { (client, server) } else { (server, client) };
        Tcp {
            at: at * 1_000_000,
            from,
            to,
            from_port,
            to_port,
            seq,
            ack,
            flags: if ack > 0 { flags | ACK } else { flags },
            window: 1_000,
            payload: if at == 9 { b"15#{\"pattern\":\"a\"}".to_vec() } else { Vec::new() },
        }
        .ethernet()
    };
    segments.iter().map(segment).collect()
}

#[test]
fn the_round_trip_is_known_only_if_the_whole_handshake_was_seen() {
    let (syn, syn_ack) = ((1, true, 99, 0, SYN), (3, false, 499, 100, SYN));
    let (ack, data) = ((6, true, 100, 500, 0), (9, true, 100, 500, 0));
    let ms = |millis| vec![Some(Nanos::from_millis(millis))];
    let cases: &[(&str, &[_], Vec<Option<Nanos>>)] = &[
        ("in order", &[syn, syn_ack, ack, data], ms(5)),
        ("the ACK before the SYN-ACK", &[syn, ack, syn_ack, data], ms(5)),
        ("the SYN last", &[syn_ack, ack, syn, data], ms(5)),
        ("the ACK behind the data", &[syn, syn_ack, data, ack], ms(5)),
        ("the first data completes it", &[syn, syn_ack, data], ms(8)),
        ("the SYN sent again", &[syn, (2, true, 99, 0, SYN), syn_ack, ack, data], ms(4)),
        ("the server speaks first", &[syn, syn_ack, (4, false, 500, 100, 0), ack, data], ms(5)),
        ("without SYN", &[syn_ack, ack, data], vec![None]),
        ("without SYN-ACK", &[syn, ack, data], vec![None]),
        ("without ACK", &[syn, syn_ack, (9, true, 150, 500, 0)], vec![None]),
        ("refused", &[syn, (3, false, 0, 100, RST)], vec![None]),
        ("ended", &[syn, syn_ack, ack, (7, true, 100, 500, FIN), data], ms(5)),
    ];
    for (what, segments, expected) in cases {
        assert_eq!(&round_trips(&handshake(segments)), expected, "{what}");
    }
}

#[test]
fn a_segment_in_fragments_is_told_once() {
    for (name, packets) in sources() {
        let told = run(&mutate::fragments(&packets, 64, false), config(false, true));
        let at: Vec<_> = told
            .iter()
            .filter(|(_, told)| matches!(told, Told::Segment(_)))
            .map(|(at, _)| at.unwrap())
            .collect();
        // With the last fragment of each packet.
        let fragments = |raw: &Raw| mutate::fragments(std::slice::from_ref(raw), 64, false).len();
        let last = packets.iter().scan(0, |sum, raw| {
            *sum += fragments(raw) as u64;
            Some(*sum)
        });
        assert_eq!(at, last.collect::<Vec<_>>(), "{name}");
    }
}
