//! Properties of streams under disorder, loss and malice, by comparing what is told with what was
//! sent.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;
use crate::decode::{Flags, Seq};
use crate::endpoint::{ConnectionId, ConnectionNumber, PerSide, Side};
use crate::limits::{BUFFERED_IN_ALL, BUFFERED_OVERHEAD};
use crate::packet::{PacketNumber, PacketRef};

/// One packet of a conversation, by offsets in the streams of both sides.
#[derive(Clone, Debug)]
struct Sent {
    number: u64,
    side: Side,
    /// Offset of the first byte; -1 is the SYN.
    offset: i64,
    data: Vec<u8>,
    missing: u32,
    /// What the sender had received of the other side.
    ack: Option<i64>,
    flags: Flags,
}

/// A turn of a conversation: one side sends segments, and the other may acknowledge them alone.
#[derive(Clone, Debug)]
struct Turn {
    side: Side,
    lengths: Vec<usize>,
    acknowledged: bool,
}

/// Segments of one byte alone are left out: before the first bytes of a side are certain, one
/// cannot be told from a keep-alive.
fn turn() -> impl Strategy<Value = Turn> {
    let side = prop_oneof![Just(Side::Client), Just(Side::Server)];
    (side, prop::collection::vec(2..40_usize, 1..4), any::<bool>())
        .prop_map(|(side, lengths, acknowledged)| Turn { side, lengths, acknowledged })
}

/// The byte that `side` sends at `offset`.
fn byte(side: Side, offset: u64) -> u8 {
    let salt = if side == Side::Client { 7 } else { 11 };
    u8::try_from((offset * offset + offset / 7 * salt) % 251).unwrap()
}

/// The packets of a conversation, in order, from SYN to FIN.
fn conversation(turns: &[Turn]) -> Vec<Sent> {
    let mut packets = Vec::new();
    let mut next = PerSide::<u64>::default();
    let mut send = |side, offset, length: u64, ack, flags: u8| {
        packets.push(Sent {
            number: packets.len() as u64 + 1,
            side,
            offset,
            data: (0..length).map(|i| byte(side, i + u64::try_from(offset).unwrap_or(0))).collect(),
            missing: 0,
            ack,
            flags: Flags(flags | if ack.is_some() { Flags::ACK.0 } else { 0 }),
        });
    };
    let at = |next: &PerSide<u64>, side| i64::try_from(*next.of(side)).unwrap();
    send(Side::Client, -1, 0, None, Flags::SYN.0);
    send(Side::Server, -1, 0, Some(0), Flags::SYN.0);
    send(Side::Client, 0, 0, Some(0), 0);
    for turn in turns {
        let other = turn.side.other();
        for &length in &turn.lengths {
            send(turn.side, at(&next, turn.side), length as u64, Some(at(&next, other)), 0);
            *next.of_mut(turn.side) += length as u64;
        }
        if turn.acknowledged {
            send(other, at(&next, other), 0, Some(at(&next, turn.side)), 0);
        }
    }
    let (client, server) = (at(&next, Side::Client), at(&next, Side::Server));
    send(Side::Client, client, 0, Some(server), Flags::FIN.0);
    send(Side::Server, server, 0, Some(client + 1), Flags::FIN.0);
    send(Side::Client, client + 1, 0, Some(server + 1), 0);
    packets
}

/// What was told of the one connection of a capture.
#[derive(Debug, Default)]
struct Told {
    bytes: PerSide<BTreeMap<u64, (u8, u64)>>,
    gap_bytes: PerSide<u64>,
    /// Chunks in the order in which they came: side, packet, and how far the other side was.
    chunks: Vec<(Side, u64, u64)>,
    /// Whether anything came from what was buffered.
    from_start: bool,
    why: Option<CloseReason>,
}

/// Checks what every sequence of events must hold to, for each connection.
#[derive(Default)]
struct Checker {
    live: HashMap<ConnectionId, PerSide<(u64, u64, u64)>>,
    slots: HashMap<u32, ConnectionId>,
    numbers: HashSet<ConnectionNumber>,
    /// Segments that were told of connections that are not over.
    segments: HashMap<ConnectionId, u64>,
}

impl Checker {
    fn see(&mut self, event: &StreamEvent<'_>) {
        match event {
            StreamEvent::Segment(connection) | StreamEvent::Late { connection, .. } => {
                *self.segments.entry(*connection).or_default() += 1;
            }
            StreamEvent::Opened(opened) => {
                assert!(self.numbers.insert(opened.connection.number), "one number, two lives");
                self.live.insert(opened.connection, PerSide::default());
                let old = self.slots.insert(opened.connection.slot, opened.connection);
                assert_eq!(old, None, "a slot is used twice");
            }
            StreamEvent::Data(chunk) => {
                let connection = self.live.get_mut(&chunk.connection).unwrap();
                let (reach, bytes, _) = connection.of_mut(chunk.from);
                assert!(!chunk.data.is_empty());
                assert_eq!(chunk.offset, *reach, "neither overlap nor hole");
                *reach += chunk.data.len() as u64;
                *bytes += chunk.data.len() as u64;
            }
            StreamEvent::Gap(gap) => {
                let connection = self.live.get_mut(&gap.connection).unwrap();
                let (reach, _, missing) = connection.of_mut(gap.from);
                *reach += gap.bytes;
                *missing += if gap.certain { gap.bytes } else { 0 };
            }
            StreamEvent::Notice(_) => {}
            StreamEvent::Closed(closed) => {
                let connection = self.live.remove(&closed.connection).unwrap();
                self.slots.remove(&closed.connection.slot);
                let segments = self.segments.remove(&closed.connection);
                let PerSide { client, server } = closed.counts.packets;
                assert_eq!(segments, Some(client + server));
                for side in Side::BOTH {
                    let (_, bytes, missing) = connection.of(side);
                    assert_eq!(closed.counts.bytes.of(side), bytes);
                    assert_eq!(closed.counts.gap_bytes.of(side), missing);
                }
            }
        }
    }
}

fn segment<'a>(sent: &'a Sent, first: &PerSide<u32>) -> Segment<'a> {
    let seq = |side: Side, offset: i64| {
        let low = u32::try_from(offset.rem_euclid(1 << 32)).unwrap();
        Seq(first.of(side).wrapping_add(low))
    };
    let client: SocketAddr = "[fe80::1]:40000".parse().unwrap();
    let server: SocketAddr = "[fe80::2]:8888".parse().unwrap();
    let (from, to) = match sent.side {
        Side::Client => (client, server),
        Side::Server => (server, client),
    };
    Segment {
        packet: place(sent.number),
        from,
        to,
        seq: seq(sent.side, sent.offset),
        ack: sent.ack.map(|ack| seq(sent.side.other(), ack)),
        flags: sent.flags,
        window: 0,
        payload: &sent.data,
        missing: sent.missing,
        path: Default::default(),
        ip_id: 0,
        ttl: 0,
        mss: None,
        checksum: 0,
        raw: &[],
    }
}

fn place(number: u64) -> PacketRef {
    PacketRef {
        number: PacketNumber(number),
        at: Timestamp::from_nanos(i64::try_from(number).unwrap() * 1_000_000),
    }
}

/// Pushes packets as captured, and notes what is told.
fn run(captured: &[Sent], first: PerSide<u32>) -> Told {
    let mut told = Told::default();
    let mut checker = Checker::default();
    let mut take = |event: StreamEvent<'_>| {
        checker.see(&event);
        match event {
            StreamEvent::Opened(opened) => {
                assert!(told.why.is_none(), "one connection is told as two");
                told.from_start = opened.from_start == PerSide { client: true, server: true };
            }
            StreamEvent::Data(chunk) => {
                let end = |side: Side| told.bytes.of(side).len() as u64 + told.gap_bytes.of(side);
                let other = end(chunk.from.other());
                told.chunks.push((chunk.from, chunk.packet.number.0, other));
                assert_eq!(chunk.packet, place(chunk.packet.number.0));
                let sent = &captured.iter().find(|sent| sent.number == chunk.packet.number.0);
                let sent = segment(sent.unwrap(), &first);
                let at = usize::try_from(chunk.seq.distance(sent.seq)).unwrap();
                assert!(sent.payload[at..].starts_with(chunk.data), "found by its number");
                for (offset, &byte) in (chunk.offset..).zip(chunk.data) {
                    let bytes = told.bytes.of_mut(chunk.from);
                    assert_eq!(bytes.insert(offset, (byte, chunk.packet.number.0)), None);
                }
            }
            StreamEvent::Gap(gap) => *told.gap_bytes.of_mut(gap.from) += gap.bytes,
            StreamEvent::Segment(_) | StreamEvent::Late { .. } | StreamEvent::Notice(_) => {}
            StreamEvent::Closed(closed) => told.why = Some(closed.end.why),
        }
    };
    let mut streams = Streams::new(Config::default());
    for sent in captured {
        streams.push(&segment(sent, &first), &mut take);
    }
    streams.finish(&mut take);
    assert_eq!(streams.shared.buffered, 0);
    told
}

/// For each byte the packet in which the capture shows it first.
fn first_seen(captured: &[Sent]) -> PerSide<BTreeMap<u64, (u8, u64)>> {
    let mut seen = PerSide::<BTreeMap<u64, (u8, u64)>>::default();
    for sent in captured {
        for (i, &byte) in (0..).zip(&sent.data) {
            let offset = u64::try_from(sent.offset).unwrap() + i;
            seen.of_mut(sent.side).entry(offset).or_insert((byte, sent.number));
        }
    }
    seen
}

/// Moves each packet back by up to `delays` places.
fn shuffled(packets: &[Sent], delays: &[usize]) -> Vec<Sent> {
    let mut order: Vec<(usize, &Sent)> =
        packets.iter().enumerate().map(|(i, p)| (i + delays[i % delays.len()], p)).collect();
    order.sort_by_key(|(place, _)| *place);
    order.into_iter().map(|(_, p)| p.clone()).collect()
}

fn first() -> impl Strategy<Value = PerSide<u32>> {
    // Initial sequence numbers: often such that they wrap soon.
    let one = || prop_oneof![any::<u32>(), (0..300_u32).prop_map(|n| u32::MAX - n)];
    (one(), one()).prop_map(|(client, server)| PerSide { client, server })
}

fn delays() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![Just(vec![0]), prop::collection::vec(0..50_usize, 1..97)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Shuffled within a window, with packets captured twice: the same bytes, each with the packet
    /// that showed it first, and no reply before its request.
    #[test]
    fn disorder_changes_nothing(
        turns in prop::collection::vec(turn(), 1..30),
        first in first(),
        delays in delays(),
        twice in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let sent = conversation(&turns);
        let mut doubled = sent.clone();
        for index in twice {
            let at = index.index(doubled.len());
            doubled.insert(at, doubled[at].clone());
        }
        let captured = shuffled(&doubled, &delays);
        let told = run(&captured, first);
        let seen = first_seen(&captured);
        prop_assert_eq!(&told.bytes.client, &seen.client);
        prop_assert_eq!(&told.bytes.server, &seen.server);
        prop_assert_eq!(told.gap_bytes, PerSide::default());
        prop_assert!(told.from_start);
        prop_assert_eq!(told.why, Some(CloseReason::Finished));
        for (_, number, other) in told.chunks {
            let cause = sent[usize::try_from(number).unwrap() - 1].ack.unwrap();
            prop_assert!(cause <= i64::try_from(other).unwrap() + 1);
        }
    }

    /// Sent again in other pieces: every byte once, from the packet that showed it first.
    #[test]
    fn segmentation_changes_nothing(
        turns in prop::collection::vec(turn(), 1..20),
        first in first(),
        again in prop::collection::vec((any::<prop::sample::Index>(), 0..60_u64, 1..60_u64), 0..20),
    ) {
        let mut captured = conversation(&turns);
        // Each is put behind a segment of which it repeats some bytes, and some before those.
        for (index, before, length) in again {
            let at = index.index(captured.len());
            let model = captured[at].clone();
            let Ok(end) = u64::try_from(model.offset) else { continue };
            let end = end + model.data.len() as u64;
            let start = end.saturating_sub(before);
            let length = length.min(end - start);
            if length > 1 && !model.data.is_empty() {
                let data = (start..start + length).map(|i| byte(model.side, i)).collect();
                let offset = i64::try_from(start).unwrap();
                let flags = model.flags.without(Flags::FIN);
                captured.insert(at + 1, Sent { offset, data, flags, ..model });
            }
        }
        for (number, sent) in (1..).zip(&mut captured) {
            sent.number = number;
        }
        let told = run(&captured, first);
        let seen = first_seen(&captured);
        prop_assert_eq!(&told.bytes.client, &seen.client);
        prop_assert_eq!(&told.bytes.server, &seen.server);
        prop_assert_eq!(told.gap_bytes, PerSide::default());
        prop_assert_eq!(told.why, Some(CloseReason::Finished));
    }

    /// Packets are lost, cut and shuffled: every byte that the capture holds is told, at its
    /// place, and what it lacks is a gap.
    #[test]
    fn loss_becomes_gaps(
        turns in prop::collection::vec(turn(), 1..30),
        first in first(),
        delays in delays(),
        lost in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        cut in prop::collection::vec((any::<prop::sample::Index>(), 0..20_usize), 0..4),
    ) {
        let sent = conversation(&turns);
        let mut captured = sent.clone();
        for (index, keep) in cut {
            let packet = index.get_mut(&mut captured);
            let kept = keep.min(packet.data.len());
            packet.missing += u32::try_from(packet.data.len() - kept).unwrap();
            packet.data.truncate(kept);
        }
        for index in lost {
            // The handshake stays: without it the offsets have another origin.
            let at = 3 + index.index(captured.len() - 3);
            if at + 3 < captured.len() {
                captured.remove(at);
            }
        }
        let told = run(&shuffled(&captured, &delays), first);
        let seen = first_seen(&captured);
        for side in Side::BOTH {
            let all: u64 = sent.iter().filter(|s| s.side == side).map(|s| s.data.len() as u64).sum();
            prop_assert_eq!(told.bytes.of(side), seen.of(side));
            prop_assert_eq!(told.gap_bytes.of(side) + told.bytes.of(side).len() as u64, all);
        }
        prop_assert_eq!(told.why, Some(CloseReason::Finished));
    }

    /// The capture begins anywhere: all that it holds is told, in order.
    #[test]
    fn a_late_capture_tells_what_it_holds(
        turns in prop::collection::vec(turn(), 2..30),
        first in first(),
        delays in delays(),
        begin in 3..40_usize,
    ) {
        let sent = conversation(&turns);
        let captured = &sent[begin.min(sent.len() - 4)..];
        let told = run(&shuffled(captured, &delays), first);
        let seen = first_seen(captured);
        for side in Side::BOTH {
            // Offsets count from the first byte that is known.
            let bytes = |bytes: &BTreeMap<u64, (u8, u64)>| bytes.values().copied().collect::<Vec<_>>();
            // Without a SYN the lower port is taken for the server.
            prop_assert_eq!(bytes(told.bytes.of(side)), bytes(seen.of(side)));
        }
        prop_assert_eq!(told.gap_bytes, PerSide::default());
    }

    /// Anything at all: no panic, events in order, and bounds that hold.
    #[test]
    fn malice_is_bounded(
        segments in prop::collection::vec(
            (0..3_u16, any::<bool>(), sequence(), prop::option::of(sequence()), any::<u8>(),
             0..50_usize, 0..5_u32, -30_000_000_000..30_000_000_000_i64),
            1..200,
        ),
    ) {
        let mut checker = Checker::default();
        let mut streams = Streams::new(Config::default());
        let data = [0; 50];
        let mut at = 0_i64;
        let count = segments.len();
        for (number, (port, from_client, seq, ack, flags, length, missing, step)) in (1..).zip(segments) {
            at += step / if number % 7 == 0 { 1 } else { 10_000 };
            let client = SocketAddr::from(([10, 0, 0, 1], 1000 + port));
            let server = SocketAddr::from(([10, 0, 0, 2], 80));
            let (from, to) = if from_client { (client, server) } else { (server, client) };
            let segment = Segment {
                packet: PacketRef { number: PacketNumber(number), at: Timestamp::from_nanos(at) },
                from, to,
                seq: Seq(seq),
                ack: ack.map(Seq),
                flags: Flags(flags & if number % 3 == 0 { 0x17 } else { 0x10 }),
                window: 0,
                payload: &data[..length],
                missing,
                path: Default::default(),
                ip_id: 0,
                ttl: 0,
                mss: None,
                checksum: 0,
                raw: &[],
            };
            streams.push(&segment, &mut |event| checker.see(&event));
            prop_assert!(streams.shared.buffered <= BUFFERED_IN_ALL);
            prop_assert!(streams.shared.buffered <= count * (50 + 2 * BUFFERED_OVERHEAD));
        }
        streams.finish(&mut |event| checker.see(&event));
        prop_assert_eq!(streams.shared.buffered, 0);
        prop_assert!(checker.live.is_empty());
    }
}

/// Sequence numbers that often meet each other.
fn sequence() -> impl Strategy<Value = u32> {
    prop_oneof![
        8 => (0..200_u32).prop_map(|n| n.wrapping_sub(100)),
        1 => any::<u32>(),
    ]
}
