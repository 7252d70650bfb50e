//! Holes in what was captured, in which the numbers go on or go round.

use super::common::mutate::Dice;
use super::talk::{CLIENT, Talk, far, number};
use super::{MILLI, SEEDS};

/// A hole of any size in what one side or both sent, before and behind it the same connection.
#[test]
fn a_hole_of_any_size() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.handshake_or_not(dice);
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
        let lag = talk.lag;
        let what = format!("seed {seed}: sides {sides}, {client} and {server} behind {before}");
        let what = format!("{what}, lag {lag}");
        let outcome = talk.assert_told(&what);
        assert!(outcome.counts.stream.gaps > 0, "{what}");
        assert_eq!(outcome.counts.stream.retransmissions, 0, "{what}");
        if sides != 2 {
            assert_eq!(outcome.counts.stream.connections, 1, "{what}");
        }
    }
}

/// The capture shows what the client sends and nothing of the server, and behind a hole the numbers
/// are elsewhere: no acknowledgement tells that they hold.
#[test]
fn a_hole_in_one_direction_alone() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.calls(3);
        talk.client = talk.client.wrapping_add(far(dice));
        talk.now += 20_000 * MILLI;
        talk.calls(4);
        talk.packets.retain(|packet| packet.from_port == CLIENT);
        let outcome = talk.outcome();
        assert_eq!(outcome.records.len(), talk.calls, "seed {seed}: {:?}", outcome.counts.stream);
    }
}
