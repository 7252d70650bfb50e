//! Ports used again.

use nestscope::exchange::Status;

use super::common::analyse;
use super::common::mutate::Dice;
use super::talk::{Talk, assert_calls, plain};
use super::{MILLI, SEEDS};

/// The ports are used again, and the capture lacks the handshake, or has it; the first connection
/// ended by FIN, by RST or in a hole.
#[test]
fn ports_used_again() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut first = Talk::new("first", 0, dice);
        first.handshake();
        first.calls(1 + dice.below(3));
        first.end_somehow(dice);
        let mut second = Talk::new("second", first.now + 20_000 * MILLI, dice);
        second.handshake_or_not(dice);
        second.calls(4);
        let expected = [("first", first.calls), ("second", second.calls)];
        let packets = [first.packets, second.packets].concat();
        assert_calls(&format!("seed {seed}"), &analyse(&plain(&packets)), &expected);
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
        first.request();
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
