//! Connections between the same ends at the same time, and one that the capture saw twice.

use super::SEEDS;
use super::common::analyse;
use super::common::mutate::Dice;
use super::common::wire::Tcp;
use super::talk::{CLIENT, SERVER, Talk, assert_calls, merged, number, on_vlan, plain};

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
        let outcome = analyse(&merged([one.on_vlan(10), other.on_vlan(20)].concat()));
        let expected = [("one", one.calls), ("other", other.calls)];
        assert_calls(&format!("seed {seed}, late {late}"), &outcome, &expected);
        assert_eq!(outcome.counts.stream.retransmissions, 0, "seed {seed}");
    }
}

/// Two connections between the same ends on two VLANs, whose numbers lie near each other. Each
/// request comes in two segments, the later one first: it lies where the other connection goes on.
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
                if packet.from_port != CLIENT || packet.payload.is_empty() {
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

/// Each packet is in the capture twice: on another VLAN, some microseconds later, in bursts or one
/// by one.
#[test]
fn copies() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::opened(dice);
        talk.calls(5);
        talk.close();
        let vlan = if dice.below(2) == 0 { 20 } else { 10 };
        let later = 2_000 + i64::try_from(dice.below(30_000)).unwrap();
        let mut copies = talk.on_vlan(vlan);
        copies.iter_mut().for_each(|copy| copy.at += later);
        let outcome = analyse(&merged([talk.on_vlan(10), copies].concat()));
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
        let mut talk = Talk::opened(dice);
        talk.calls(2);
        talk.close();
        if dice.below(2) == 0 {
            talk.packets.drain(..3);
        }
        let pod = |packet: &Tcp| {
            let mut packet = Tcp { at: packet.at + 20_000, ..packet.clone() };
            let server = if packet.from_port == SERVER { &mut packet.from } else { &mut packet.to };
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
