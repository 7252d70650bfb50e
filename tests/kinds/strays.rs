//! Packets that are of no connection, and numbers that nobody uses.

use nestscope::exchange::Status;

use super::common::framed;
use super::common::mutate::Dice;
use super::common::wire::RST;
use super::talk::{ACK, Talk, far, number};
use super::{MILLI, SEEDS};

/// Packets that are of no connection: data, RST and acknowledgements of numbers that nobody uses.
#[test]
fn strays() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.handshake_or_not(dice);
        talk.calls(2);
        for _ in 0..6 {
            let by_client = dice.below(2) == 0;
            let flags = if dice.below(4) == 0 { RST } else { ACK };
            let payload = framed(r#"{"pattern":"forged","data":1,"id":"x"}"#);
            let mut stray = talk.packet(by_client, flags, payload.as_bytes());
            stray.seq = stray.seq.wrapping_add(far(dice));
            if flags == ACK && dice.below(2) == 0 {
                stray.ack = number(dice);
            }
            talk.packets.push(stray);
            talk.calls(1 + dice.below(2));
        }
        talk.close();
        let outcome = talk.assert_told(&format!("seed {seed}"));
        assert_eq!(outcome.counts.stream.gaps, 0, "seed {seed}");
        let discarded = outcome.counts.stream.discarded;
        assert_eq!(discarded.outside_window + discarded.forged_reset, 6, "seed {seed}");
    }
}

/// Behind a hole both sides have other numbers, and packets of nobody lie between those of the
/// calls.
#[test]
fn a_hole_and_strays() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::opened(dice);
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
        talk.assert_told(&format!("seed {seed}"));
    }
}

/// One segment with bytes acknowledges what was never sent, by some bytes or by far. A receiver
/// throws it away, and it is sent again with the right number; or the number was only damaged in
/// the capture, and the receiver took it.
#[test]
fn an_absurd_acknowledgement() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        talk.handshake_or_not(dice);
        talk.calls(2);
        let is_far = dice.below(2) == 0;
        let beyond = if is_far { far(dice) } else { 1 + number(dice) % 50_000 };
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
        let outcome = talk.outcome();
        let what = format!("seed {seed}: packet {at}, {beyond} too far, sent again {again}");
        let statuses: Vec<_> = outcome.records.iter().map(|row| row.status).collect();
        assert_eq!(statuses, vec![Status::Ok; talk.calls], "{what}: {:?}", outcome.counts);
        let counts = outcome.counts.stream;
        assert_eq!((counts.gaps, counts.unacknowledged_gaps), (0, 0), "{what}");
        assert!(counts.out_of_order < 6, "{what}: what comes later waits for nothing, {counts:?}");
    }
}
