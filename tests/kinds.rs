//! The kinds of traffic on which numbers alone mislead: holes in which sequence numbers go round,
//! ports used again, a second SYN-ACK, a SYN into a standing connection, two connections between
//! the same ends, packets that are of no connection. Each is made many times, with other numbers,
//! orders and sides. Whoever made it knows all calls: each of them, and no other, must be told.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::mutate::Dice;
use common::wire::{FIN, RST, SYN, Tcp, with_link};
use common::{Outcome, Raw, Record, analyse};
use nestscope::exchange::{ExchangeKind, Status};
use nestscope::limits::UNDECIDED_FRAMES;
use nestscope::packet::LinkType;

const ACK: u8 = 0x10;
const MILLI: i64 = 1_000_000;
const SEEDS: u64 = 60;

/// What two processes say to each other, packet by packet.
struct Talk {
    now: i64,
    client: u32,
    server: u32,
    calls: usize,
    name: &'static str,
    packets: Vec<Tcp>,
    /// Each acknowledgement was sent so many packets ago.
    lag: usize,
    /// The numbers of both, as they were before each packet since the last hole.
    past: Vec<(u32, u32)>,
}

impl Talk {
    fn new(name: &'static str, now: i64, dice: &mut Dice) -> Self {
        let (client, server) = (number(dice), number(dice));
        let (packets, past) = (Vec::new(), Vec::new());
        Self { now, client, server, calls: 0, name, packets, lag: 0, past }
    }

    fn packet(&mut self, by_client: bool, flags: u8, payload: &[u8]) -> Tcp {
        self.now += MILLI;
        let (client, server) = ((vec![10, 0, 0, 1], 40_000), (vec![10, 0, 0, 2], 3_000));
        let ((from, from_port), (to, to_port)) =
            if by_client { (client, server) } else { (server, client) };
        let numbers = (self.client, self.server);
        let ago = self.past.len().saturating_sub(self.lag);
        let known = *self.past.get(ago).unwrap_or(&numbers);
        let (seq, ack) = if by_client { (numbers.0, known.1) } else { (numbers.1, known.0) };
        let payload = payload.to_vec();
        let ack = if flags & ACK == 0 { 0 } else { ack };
        let at = self.now;
        Tcp { at, from, to, from_port, to_port, seq, ack, flags, window: 500, payload }
    }

    fn push(&mut self, by_client: bool, flags: u8, payload: &[u8]) {
        let packet = self.packet(by_client, flags, payload);
        let len = packet.len();
        self.past.push((self.client, self.server));
        let next = if by_client { &mut self.client } else { &mut self.server };
        *next = next.wrapping_add(len);
        self.packets.push(packet);
    }

    fn handshake(&mut self) {
        self.push(true, SYN, b"");
        self.push(false, SYN | ACK, b"");
        self.push(true, ACK, b"");
    }

    fn call(&mut self) {
        let id = format!("{}-{}", self.name, self.calls);
        self.calls += 1;
        let request = format!(r#"{{"pattern":"{}","data":1,"id":"{id}"}}"#, self.name);
        let reply = format!(r#"{{"response":2,"isDisposed":true,"id":"{id}"}}"#);
        self.push(true, ACK, format!("{}#{request}", request.len()).as_bytes());
        self.push(false, ACK, format!("{}#{reply}", reply.len()).as_bytes());
    }

    fn calls(&mut self, count: usize) {
        for _ in 0..count {
            self.call();
        }
    }

    fn close(&mut self) {
        self.push(true, ACK | FIN, b"");
        self.push(false, ACK | FIN, b"");
        self.push(true, ACK, b"");
    }
}

fn number(dice: &mut Dice) -> u32 {
    u32::try_from(dice.below(1 << 16) << 16 | dice.below(1 << 16)).unwrap()
}

fn plain(packets: &[Tcp]) -> Vec<Raw> {
    packets.iter().map(Tcp::ethernet).collect()
}

fn on_vlan(packet: &Tcp, vlan: u8) -> Raw {
    let header = [&[0; 12][..], &[0x81, 0, 0, vlan, 8, 0]].concat();
    with_link(packet.at, LinkType::ETHERNET, &header, &packet.ip())
}

/// All packets in the order of their times.
fn merged(mut packets: Vec<Raw>) -> Vec<Raw> {
    packets.sort_by_key(|packet| packet.at);
    packets
}

/// Each call was answered after a millisecond, and nothing else is told.
fn assert_calls(what: &str, outcome: &Outcome, expected: &[(&str, usize)]) {
    let is_attempt = |record: &&Record| record.kind == ExchangeKind::Connect;
    assert_eq!(outcome.records.iter().filter(is_attempt).count(), 0, "{what}");
    assert_calls_beside_attempts(what, outcome, expected);
}

/// The same where attempts to connect failed too.
fn assert_calls_beside_attempts(what: &str, outcome: &Outcome, expected: &[(&str, usize)]) {
    let calls = outcome.records.iter().filter(|record| record.kind != ExchangeKind::Connect);
    let mut told: Vec<_> = calls
        .map(|call| {
            let latency = call.latency.latency.map(|latency| latency.get());
            (call.pattern.clone().unwrap_or_default(), call.status, latency)
        })
        .collect();
    told.sort_unstable();
    let millisecond = Some(u64::try_from(MILLI).unwrap());
    let mut all: Vec<_> = expected
        .iter()
        .flat_map(|&(name, count)| {
            std::iter::repeat_n((name.to_owned(), Status::Ok, millisecond), count)
        })
        .collect();
    all.sort_unstable();
    assert_eq!(told, all, "{what}: {:?}", outcome.counts);
}

/// A hole of any size in what one side or both sent, before and behind it the same connection.
#[test]
fn a_hole_of_any_size() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        if dice.below(2) == 0 {
            talk.handshake();
        }
        talk.calls(1 + dice.below(3));
        let before = talk.calls;
        let (client, server) = (number(dice), number(dice));
        let sides = dice.below(3);
        if sides != 0 {
            talk.client = talk.client.wrapping_add(client);
        }
        if sides != 1 {
            talk.server = talk.server.wrapping_add(server);
        }
        talk.now += 600_000 * MILLI;
        talk.past.clear();
        talk.lag = dice.below(6);
        talk.calls(8);
        let outcome = analyse(&plain(&talk.packets));
        let Talk { lag, .. } = talk;
        let what = format!("seed {seed}: sides {sides}, {client} and {server} behind {before}");
        let what = format!("{what}, lag {lag}");
        assert_calls(&what, &outcome, &[("call", talk.calls)]);
        assert!(outcome.counts.stream.gaps > 0, "{what}");
        assert_eq!(outcome.counts.stream.retransmissions, 0, "{what}");
        if sides != 2 {
            assert_eq!(outcome.counts.stream.connections, 1, "{what}");
        }
    }
}

/// The ports are used again, and the capture lacks the handshake, or has it; the first connection
/// ended by FIN, by RST or in a hole.
#[test]
fn ports_used_again() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut first = Talk::new("first", 0, dice);
        first.handshake();
        first.calls(1 + dice.below(3));
        match dice.below(3) {
            0 => first.close(),
            1 => first.push(true, RST | ACK, b""),
            _ => {}
        }
        let mut second = Talk::new("second", first.now + 20_000 * MILLI, dice);
        if dice.below(2) == 0 {
            second.handshake();
        }
        second.calls(4);
        let expected = [("first", first.calls), ("second", second.calls)];
        let packets = [first.packets, second.packets].concat();
        assert_calls(&format!("seed {seed}"), &analyse(&plain(&packets)), &expected);
    }
}

/// A second SYN-ACK with another number; the client goes on with one of them.
#[test]
fn two_syn_acks() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.push(true, SYN, b"");
        let mut refused = talk.packet(false, SYN | ACK, b"");
        refused.seq = number(dice);
        let when = dice.below(3);
        if when == 0 {
            talk.packets.push(refused.clone());
        }
        talk.push(false, SYN | ACK, b"");
        if when == 1 {
            refused.at = talk.now + 1;
            talk.packets.push(refused.clone());
        }
        talk.push(true, ACK, b"");
        if when == 2 {
            refused.at = talk.now + 1;
            talk.packets.push(refused);
        }
        talk.calls(3);
        talk.close();
        let outcome = analyse(&plain(&talk.packets));
        assert_calls(&format!("seed {seed}, {when}"), &outcome, &[("call", talk.calls)]);
    }
}

/// A SYN into a standing connection draws an acknowledgement with the old numbers, and changes
/// nothing (RFC 5961, section 4).
#[test]
fn a_syn_that_is_challenged() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.handshake();
        talk.calls(2);
        let mut syn = talk.packet(true, SYN, b"");
        syn.seq = match dice.below(4) {
            0 => number(dice),
            1 => talk.client.wrapping_add(u32::try_from(dice.below(50_000)).unwrap()),
            2 => talk.client.wrapping_sub(u32::try_from(dice.below(50)).unwrap()),
            _ => talk.client.wrapping_add(1 << 29),
        };
        talk.packets.push(syn);
        talk.push(false, ACK, b"");
        talk.calls(2);
        if dice.below(2) == 0 {
            talk.now += 8_000 * MILLI;
        }
        talk.calls(2);
        talk.close();
        let outcome = analyse(&plain(&talk.packets));
        assert_calls(&format!("seed {seed}"), &outcome, &[("call", talk.calls)]);
        assert_eq!(outcome.counts.stream.gaps, 0, "seed {seed}");
    }
}

/// Packets that are of no connection: data, RST and acknowledgements of numbers that nobody uses.
#[test]
fn strays() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        if dice.below(2) == 0 {
            talk.handshake();
        }
        talk.calls(2);
        for _ in 0..6 {
            let by_client = dice.below(2) == 0;
            let flags = if dice.below(4) == 0 { RST } else { ACK };
            let body = r#"{"pattern":"forged","data":1,"id":"x"}"#;
            let payload = format!("{}#{body}", body.len());
            let mut stray = talk.packet(by_client, flags, payload.as_bytes());
            // Beyond any window: nearer, nobody could tell.
            stray.seq = stray.seq.wrapping_add((16 << 20) + number(dice) % (1 << 31));
            if flags == ACK && dice.below(2) == 0 {
                stray.ack = number(dice);
            }
            talk.packets.push(stray);
            talk.calls(1 + dice.below(2));
        }
        talk.close();
        let outcome = analyse(&plain(&talk.packets));
        assert_calls(&format!("seed {seed}"), &outcome, &[("call", talk.calls)]);
        assert_eq!(outcome.counts.stream.gaps, 0, "seed {seed}");
        let discarded = outcome.counts.stream.discarded;
        assert_eq!(discarded.outside_window + discarded.forged_reset, 6, "seed {seed}");
    }
}

/// Two connections between the same ends at the same time, on two VLANs, with and without their
/// handshakes.
#[test]
fn twins() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut one = Talk::new("one", 0, dice);
        let mut other = Talk::new("other", 400_000, dice);
        let late = dice.below(2) == 0;
        for talk in [&mut one, &mut other] {
            talk.handshake();
            talk.calls(3);
            talk.close();
            if late {
                talk.packets.drain(..3);
            }
        }
        let packets = one.packets.iter().map(|packet| on_vlan(packet, 10));
        let packets = packets.chain(other.packets.iter().map(|packet| on_vlan(packet, 20)));
        let outcome = analyse(&merged(packets.collect()));
        let expected = [("one", one.calls), ("other", other.calls)];
        assert_calls(&format!("seed {seed}, late {late}"), &outcome, &expected);
        assert_eq!(outcome.counts.stream.retransmissions, 0, "seed {seed}");
    }
}

/// Each packet is in the capture twice: on another VLAN, some microseconds later, in bursts or one
/// by one.
#[test]
fn copies() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.handshake();
        talk.calls(5);
        talk.close();
        let vlan = if dice.below(2) == 0 { 20 } else { 10 };
        let later = 2_000 + i64::try_from(dice.below(30_000)).unwrap();
        let copy = |packet: &Tcp| on_vlan(&Tcp { at: packet.at + later, ..packet.clone() }, vlan);
        let packets = talk.packets.iter().map(|packet| on_vlan(packet, 10));
        let outcome = analyse(&merged(packets.chain(talk.packets.iter().map(copy)).collect()));
        assert_calls(&format!("seed {seed}"), &outcome, &[("call", talk.calls)]);
        let counts = outcome.counts.stream;
        assert_eq!((counts.copies, counts.retransmissions), (10, 0), "seed {seed}");
        assert_eq!(counts.connections, 1, "seed {seed}");
    }
}

/// Each packet is in the capture twice, under two addresses of the server.
#[test]
fn translated() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.handshake();
        talk.calls(2);
        talk.close();
        if dice.below(2) == 0 {
            talk.packets.drain(..3);
        }
        let pod = |packet: &Tcp| {
            let mut packet = Tcp { at: packet.at + 20_000, ..packet.clone() };
            let server = if packet.from_port == 3_000 { &mut packet.from } else { &mut packet.to };
            *server = vec![10, 244, 1, 7];
            packet
        };
        let pods: Vec<_> = talk.packets.iter().map(pod).collect();
        let packets = merged([plain(&talk.packets), plain(&pods)].concat());
        let outcome = analyse(&packets);
        assert_calls(&format!("seed {seed}"), &outcome, &[("call", 2 * talk.calls)]);
        assert_eq!(outcome.counts.stream.translated, 1, "seed {seed}");
    }
}

/// With the checksum of TCP, or one that is wrong.
fn with_checksum(packet: &Tcp, is_damaged: bool) -> Raw {
    let mut ip = packet.ip();
    let length = u32::try_from(ip.len() - 20).unwrap();
    let words = ip[12..].chunks(2).map(|word| match *word {
        [high, low] => u32::from(high) << 8 | u32::from(low),
        [high] => u32::from(high) << 8,
        _ => 0,
    });
    // The checksum of the header of the test's own packets is zero until now.
    let mut sum = words.sum::<u32>() + 6 + length;
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    let sum = u16::try_from(sum).unwrap();
    let checksum = !sum ^ u16::from(is_damaged);
    ip[36..38].copy_from_slice(&checksum.to_be_bytes());
    with_link(packet.at, LinkType::ETHERNET, &[&[0; 12][..], &[8, 0]].concat(), &ip)
}

/// The receiver took a segment whose checksum is wrong: its FIN counts as its bytes do.
#[test]
fn a_fin_on_a_damaged_segment_that_the_receiver_took() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.handshake();
        talk.calls(3);
        let damaged = talk.packets.len() + 1;
        talk.call();
        talk.packets.pop();
        talk.server = talk.packets.last().unwrap().ack;
        let event = r#"{"pattern":"bye","data":1}"#;
        talk.push(true, ACK | FIN, format!("{}#{event}", event.len()).as_bytes());
        talk.push(false, ACK | FIN, b"");
        talk.push(true, ACK, b"");
        let packets = talk.packets.iter().enumerate();
        let packets = packets.map(|(index, packet)| with_checksum(packet, index == damaged));
        let outcome = analyse(&packets.collect::<Vec<_>>());
        let counts = outcome.counts.stream;
        assert_eq!((counts.damaged, counts.damaged_believed), (1, 1), "seed {seed}");
        let told: Vec<_> = outcome.records.iter().map(|record| record.status).collect();
        assert!(told.contains(&Status::Closed) && told.contains(&Status::Sent), "{seed}: {told:?}");
    }
}

/// Ports used again while a call waits: it waited until the packet that shows it.
#[test]
fn a_call_waits_until_its_connection_is_replaced() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut first = Talk::new("first", 0, dice);
        first.handshake();
        first.calls(2);
        first.call();
        first.packets.pop();
        let asked = first.packets.last().unwrap().at;
        let mut second = Talk::new("second", first.now + 700 * MILLI, dice);
        second.handshake();
        second.calls(2);
        second.now += 20_000 * MILLI;
        second.calls(2);
        // Proven by the SYN-ACK.
        let until = second.packets[1].at;
        let outcome = analyse(&plain(&[first.packets, second.packets].concat()));
        let call = outcome.records.iter().find(|record| record.status == Status::Closed).unwrap();
        let waited = call.waited.map(|waited| i64::try_from(waited.get()).unwrap());
        assert_eq!(waited, Some(until - asked), "seed {seed}");
    }
}

/// The capture begins, without a SYN, at frames that only carry an id: values of a stream that emits
/// `undefined`, or requests without pattern. Who speaks is told by the frames behind them.
#[test]
fn nothing_but_ids_at_first() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        let count = 1 + dice.below(40);
        let by_client = dice.below(2) == 0;
        for id in 0..count {
            let body = format!(r#"{{"id":"only-{id}"}}"#);
            talk.push(by_client, ACK, format!("{}#{body}", body.len()).as_bytes());
        }
        talk.calls(3);
        let outcome = analyse(&plain(&talk.packets));
        let is_only =
            |record: &&Record| record.id.as_ref().is_some_and(|id| id.starts_with("\"only-"));
        let of_ids: Vec<_> = outcome.records.iter().filter(is_only).collect();
        assert_eq!(of_ids.len(), count, "seed {seed}");
        let kind = if by_client { ExchangeKind::Request } else { ExchangeKind::Reply };
        assert!(of_ids.iter().all(|record| record.kind == kind), "seed {seed}: {of_ids:?}");
        assert_eq!(outcome.records.len(), count + talk.calls, "seed {seed}");
        assert_eq!(outcome.counts.protocol.other, 0, "seed {seed}");
    }
}

/// More of them than are held until it is known who speaks: the others say nothing.
#[test]
fn of_frames_that_only_have_an_id_some_are_held() {
    let dice = &mut Dice(1);
    let mut talk = Talk::new("call", 0, dice);
    for _ in 0..UNDECIDED_FRAMES + 5 {
        talk.push(false, ACK, br#"10#{"id":"x"}"#);
    }
    talk.calls(1);
    assert_eq!(analyse(&plain(&talk.packets)).counts.protocol.other, 5);
}

/// A refusal that was captured before its SYN: the two are swapped in the capture, with their times or
/// without, on ports that nobody used before or that were used before. Refused all the same.
#[test]
fn a_reset_before_its_syn() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut old = Talk::new("old", 0, dice);
        if dice.below(2) == 0 {
            old.handshake();
            old.calls(2);
            match dice.below(3) {
                0 => old.close(),
                1 => old.push(true, RST | ACK, b""),
                _ => {}
            }
        }
        let mut talk = Talk::new("refused", old.now + 20_000 * MILLI, dice);
        talk.push(true, SYN, b"");
        talk.server = 0;
        talk.push(false, RST | ACK, b"");
        let [syn, reset] = &mut talk.packets[..] else { panic!() };
        syn.ack = 0;
        reset.at = syn.at + 20_000;
        if dice.below(2) == 0 {
            (syn.at, reset.at) = (reset.at, syn.at);
        }
        talk.packets.reverse();
        // Something else goes on for longer than anybody waits for an answer.
        let mut other = Talk::new("other", talk.now, dice);
        for _ in 0..4 {
            other.call();
            other.now += 1_000 * MILLI;
        }
        let moved = |packet: &Tcp| {
            let mut packet = packet.clone();
            let port = if packet.from_port == 40_000 {
                &mut packet.from_port
            } else {
                &mut packet.to_port
            };
            *port = 50_000;
            packet
        };
        let others: Vec<_> = other.packets.iter().map(moved).collect();
        let packets = [old.packets, talk.packets, others].concat();
        let outcome = analyse(&plain(&packets));
        let expected = [("old", old.calls), ("other", 4)];
        assert_calls_beside_attempts(&format!("seed {seed}"), &outcome, &expected);
        let connects = outcome.records.iter().filter(|row| row.kind == ExchangeKind::Connect);
        let connects: Vec<_> =
            connects.map(|row| (row.status, &*row.client, &*row.server)).collect();
        let expected = (Status::Refused, "10.0.0.1:40000", "10.0.0.2:3000");
        assert_eq!(connects, [expected], "seed {seed}: {:?}", outcome.counts.stream);
        assert_eq!(outcome.counts.stream.discarded.forged_reset, 0, "seed {seed}");
    }
}

/// One segment with bytes acknowledges what was never sent, by some bytes or by far. A receiver throws
/// it away, and it is sent again with the right number; or the number was only damaged in the capture, and
/// the receiver took it.
#[test]
fn an_absurd_acknowledgement() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        if dice.below(2) == 0 {
            talk.handshake();
        }
        talk.calls(2);
        let far = dice.below(2) == 0;
        let beyond =
            if far { (16 << 20) + number(dice) % (1 << 31) } else { 1 + number(dice) % 50_000 };
        let again = dice.below(2) == 0;
        let at = talk.packets.len() + dice.below(2);
        talk.calls(1);
        let mut absurd = talk.packets[at].clone();
        absurd.ack = absurd.ack.wrapping_add(beyond);
        if again {
            absurd.at -= 300_000;
            talk.packets.insert(at, absurd);
        } else {
            talk.packets[at] = absurd;
        }
        talk.calls(3);
        // For longer than anybody waits for a packet out of order.
        for _ in 0..3 {
            talk.now += 20_000 * MILLI;
            talk.calls(2);
        }
        talk.close();
        let outcome = analyse(&plain(&talk.packets));
        let what = format!("seed {seed}: packet {at}, {beyond} too far, sent again {again}");
        let statuses: Vec<_> = outcome.records.iter().map(|row| row.status).collect();
        assert_eq!(statuses, vec![Status::Ok; talk.calls], "{what}: {:?}", outcome.counts);
        let counts = outcome.counts.stream;
        assert_eq!((counts.gaps, counts.unacknowledged_gaps), (0, 0), "{what}");
        assert!(counts.out_of_order < 6, "{what}: what comes later waits for nothing, {counts:?}");
    }
}

/// A frame of the right length whose text is no JSON, where a reply was expected: nothing is lacking, the
/// peer threw it away just as well, so the call is not unknown.
#[test]
fn a_reply_that_is_no_json() {
    for ends in [false, true] {
        let mut talk = Talk::new("call", 0, &mut Dice(1));
        talk.handshake();
        talk.call();
        let reply = talk.packets.pop().unwrap();
        talk.server = reply.seq;
        let mut payload = reply.payload;
        let brace = payload.iter().position(|byte| *byte == b'{').unwrap();
        payload[brace] = b'!';
        talk.push(false, ACK, &payload);
        talk.call();
        if ends {
            talk.close();
        }
        let outcome = analyse(&plain(&talk.packets));
        let statuses: Vec<_> = outcome.records.iter().map(|row| row.status).collect();
        let lost = if ends { Status::Closed } else { Status::Open };
        assert_eq!(statuses, [lost, Status::Ok]);
        assert_eq!(outcome.counts.protocol.undecodable, 1);
    }
}

/// The capture shows what the client sends and nothing of the server, and behind a hole the numbers are
/// elsewhere: no acknowledgement tells that they hold.
#[test]
fn a_hole_in_one_direction_alone() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.calls(3);
        talk.client = talk.client.wrapping_add((16 << 20) + number(dice) % (1 << 31));
        talk.now += 20_000 * MILLI;
        talk.calls(4);
        talk.packets.retain(|packet| packet.from_port == 40_000);
        let outcome = analyse(&plain(&talk.packets));
        assert_eq!(outcome.records.len(), talk.calls, "seed {seed}: {:?}", outcome.counts.stream);
    }
}

/// Behind a hole both sides have other numbers, and packets of nobody lie between those of the calls.
#[test]
fn a_hole_and_strays() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.handshake();
        talk.calls(2);
        talk.now += 20_000 * MILLI;
        for next in [&mut talk.client, &mut talk.server] {
            *next = next.wrapping_add((64 << 20) + number(dice) % (1 << 31));
        }
        let real = talk.packets.len();
        talk.calls(4);
        for index in (real..talk.packets.len()).rev() {
            let mut stray = talk.packets[index].clone();
            stray.at -= 400_000;
            // Far from what was before the hole and from what is behind it.
            stray.seq = stray.seq.wrapping_add((16 << 20) + number(dice) % (1 << 24));
            if dice.below(2) == 0 {
                stray.ack = stray.ack.wrapping_add((16 << 20) + number(dice) % (1 << 24));
            }
            talk.packets.insert(index, stray);
        }
        let outcome = analyse(&plain(&talk.packets));
        assert_calls(&format!("seed {seed}"), &outcome, &[("call", talk.calls)]);
    }
}

/// Two connections between the same ends on two VLANs, whose numbers lie near each other. Each request
/// comes in two segments, the later one first: it lies where the other connection goes on.
#[test]
fn twins_with_numbers_that_are_near() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut one = Talk::new("one", 0, dice);
        let mut other = Talk::new("two", 400_000, dice);
        // Farther than what may come another way, or exactly as far as half a request.
        let apart = if dice.below(2) == 0 { 20 } else { 70_000 + number(dice) % (1 << 20) };
        (other.client, other.server) =
            (one.client.wrapping_add(apart), one.server.wrapping_add(apart));
        let late = apart > 20 && dice.below(2) == 0;
        let mut packets = Vec::new();
        for (talk, vlan) in [(&mut one, 10), (&mut other, 20)] {
            talk.handshake();
            talk.calls(4);
            talk.close();
            for packet in talk.packets.iter().skip(if late { 3 } else { 0 }) {
                if packet.from_port != 40_000 || packet.payload.is_empty() {
                    packets.push(on_vlan(packet, vlan));
                    continue;
                }
                let (mut first, mut second) = (packet.clone(), packet.clone());
                second.payload = first.payload.split_off(20);
                second.seq = second.seq.wrapping_add(20);
                // Whole at the same moment as if it had come at once.
                (second.at, first.at) = (packet.at, packet.at);
                packets.extend([on_vlan(&second, vlan), on_vlan(&first, vlan)]);
            }
        }
        let outcome = analyse(&merged(packets));
        let expected = [("one", one.calls), ("two", other.calls)];
        assert_calls(&format!("seed {seed}, {apart} apart, late {late}"), &outcome, &expected);
        assert_eq!(outcome.counts.stream.connections, 2, "seed {seed}");
    }
}

/// A SYN-ACK that answers no SYN of this connection, but one of an older attempt, before the right one.
#[test]
fn a_syn_ack_of_an_older_attempt() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.push(true, SYN, b"");
        let mut stale = talk.packet(false, SYN | ACK, b"");
        stale.seq = number(dice);
        stale.ack = stale.ack.wrapping_sub(1 + number(dice) % 100_000);
        talk.packets.push(stale);
        talk.push(false, SYN | ACK, b"");
        talk.push(true, ACK, b"");
        talk.calls(3);
        talk.close();
        let outcome = analyse(&plain(&talk.packets));
        assert_calls(&format!("seed {seed}"), &outcome, &[("call", talk.calls)]);
        assert_eq!(outcome.counts.stream.gaps, 0, "seed {seed}");
    }
}

/// Where that of TCP lies, behind the headers of Ethernet and IP.
const CHECKSUM: usize = 14 + 20 + 16;

/// RFC 9293, section 3.1: over the addresses, the protocol, the length and the segment.
fn fill_checksum(frame: &mut [u8]) {
    let (ip, tcp) = frame[14..].split_at(20);
    let length = u16::try_from(tcp.len()).unwrap().to_be_bytes();
    let bytes = [&ip[12..20], &[0, 6], &length, tcp, &[0]].concat();
    let words = bytes.chunks_exact(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    let sum = !u16::try_from(sum).unwrap();
    frame[CHECKSUM..CHECKSUM + 2].copy_from_slice(&sum.to_be_bytes());
}

/// The checksum of one segment is wrong, and no better copy comes: the other side took it as it is.
#[test]
fn a_wrong_checksum_that_is_acknowledged() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.handshake();
        talk.calls(6);
        let wrong = 3 + 4 + dice.below(6);
        talk.close();
        let mut packets = plain(&talk.packets);
        packets.iter_mut().for_each(|packet| fill_checksum(&mut packet.data));
        packets[wrong].data[CHECKSUM] ^= 0x55;
        let outcome = analyse(&packets);
        let what = format!("seed {seed}, packet {wrong}");
        assert_calls(&what, &outcome, &[("call", talk.calls)]);
        let counts = outcome.counts.stream;
        assert_eq!((counts.damaged, counts.damaged_believed, counts.gaps), (1, 1, 0), "{what}");
    }
}
