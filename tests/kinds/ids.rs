//! Frames that only carry an id, before it is known who speaks.

use nestscope::exchange::ExchangeKind;
use nestscope::limits::UNDECIDED_FRAMES;

use super::SEEDS;
use super::common::mutate::Dice;
use super::common::{Record, framed};
use super::talk::{ACK, Talk};

/// The capture begins, without a SYN, at frames that only carry an id: values of a stream that
/// emits `undefined`, or requests without pattern. Who speaks is told by the frames behind them.
#[test]
fn nothing_but_ids_at_first() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::new("call", 0, dice);
        let count = 1 + dice.below(40);
        let by_client = dice.below(2) == 0;
        for id in 0..count {
            let only = framed(&format!(r#"{{"id":"only-{id}"}}"#));
            talk.push(by_client, ACK, only.as_bytes());
        }
        talk.calls(3);
        let outcome = talk.outcome();
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
    assert_eq!(talk.outcome().counts.protocol.other, 5);
}
