//! SYNs and what answers them: twice, in the wrong order, or to a connection that stands.

use nestscope::exchange::{ExchangeKind, Status};

use super::common::analyse;
use super::common::mutate::Dice;
use super::common::wire::{RST, SYN};
use super::talk::{ACK, Talk, assert_calls_beside_attempts, number, plain};
use super::{MILLI, SEEDS};

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
        talk.assert_told(&format!("seed {seed}, {when}"));
    }
}

/// A SYN-ACK that answers no SYN of this connection, but one of an older attempt, before the right
/// one.
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
        let outcome = talk.assert_told(&format!("seed {seed}"));
        assert_eq!(outcome.counts.stream.gaps, 0, "seed {seed}");
    }
}

/// A SYN into a standing connection draws an acknowledgement with the old numbers, and changes
/// nothing (RFC 5961, section 4).
#[test]
fn a_syn_that_is_challenged() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::opened(dice);
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
        let outcome = talk.assert_told(&format!("seed {seed}"));
        assert_eq!(outcome.counts.stream.gaps, 0, "seed {seed}");
    }
}

/// A refusal that was captured before its SYN: the two are swapped in the capture, with their times
/// or without, on ports that nobody used before or that were used before. Refused all the same.
#[test]
fn a_reset_before_its_syn() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut old = Talk::new("old", 0, dice);
        if dice.below(2) == 0 {
            old.handshake();
            old.calls(2);
            old.end_somehow(dice);
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
        other.client_port = 50_000;
        for _ in 0..4 {
            other.call();
            other.now += 1_000 * MILLI;
        }
        let packets = [old.packets, talk.packets, other.packets].concat();
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
