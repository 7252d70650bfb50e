//! Against the streams: connections, segments and gaps without number.

use nestscope::endpoint::Side;
use nestscope::exchange::Status;

use super::Attack;
use super::common::framed;
use super::common::mutate::Dice;
use super::common::wire::{FIN, RST, SYN};
use super::talk::{ACK, Run, Talk};

pub const ATTACKS: &[Attack] = &[
    ("a_million_connections", || {
        let mut run = Run::new(false);
        let request = framed(r#"{"pattern":"sum","data":[1,2],"id":"9ea99b9305e3c3556fc16"}"#);
        for number in 0..1_000_000 {
            let mut talk = Talk::unopened(number);
            talk.segment(&mut run, Side::Client, SYN, b"");
            talk.segment(&mut run, Side::Client, ACK, request.as_bytes());
        }
        let counts = run.finish();
        assert!(counts.stream.evicted_connections > 900_000, "{counts:?}");
        assert_eq!(run.told.iter().sum::<u64>(), 1_000_000);
        assert!(run.statistics.connections_folded() > 900_000);
    }),
    ("one_byte_a_segment", || {
        for (text, bytes) in [("x", 4 << 20), ("求", 1 << 20)] {
            let mut run = Run::new(true);
            let mut talk = Talk::open(&mut run, 1);
            let text = text.repeat(bytes / text.len());
            let wire = framed(&format!(r#"{{"pattern":"p","data":"{text}","id":1}}"#));
            for byte in wire.as_bytes().chunks(1) {
                talk.segment(&mut run, Side::Client, ACK, byte);
            }
            talk.frame(&mut run, Side::Server, r#"{"isDisposed":true,"id":1}"#);
            run.finish();
            assert_eq!(run.told(Status::Ok), 1);
        }
    }),
    ("gaps_everywhere", || {
        let mut run = Run::new(false);
        let mut talk = Talk::open(&mut run, 1);
        let mut dice = Dice(7);
        let mut kept = 0;
        for id in 0..500_000 {
            let body = format!(r#"{{"pattern":"p","data":"{}","id":{id}}}"#, "x".repeat(200));
            let wire = framed(&body);
            if dice.below(2) == 0 {
                talk.client_seq = talk.client_seq.wrapping_add(wire.len() as u32);
            } else {
                kept += 1;
                talk.say(&mut run, Side::Client, wire.as_bytes());
            }
            if id % 10 == 0 {
                talk.say(&mut run, Side::Server, b"");
            }
        }
        let counts = run.finish();
        // Nothing acknowledges what lies behind them.
        assert!(counts.stream.unacknowledged_gaps > 100_000, "{counts:?}");
        assert_eq!(run.told.iter().sum::<u64>(), kept);
    }),
    ("fragments_and_noise", || {
        let mut run = Run::new(true);
        let mut dice = Dice(3);
        let mut talks: Vec<_> = (0..100).map(|number| Talk::open(&mut run, number)).collect();
        for _ in 0..1_000_000 {
            let index = dice.below(talks.len());
            let talk = &mut talks[index];
            let flags = [ACK, ACK, ACK, ACK | FIN, RST | ACK, SYN, SYN | ACK][dice.below(7)];
            let from = if dice.below(2) == 0 { Side::Client } else { Side::Server };
            if dice.below(4) == 0 {
                talk.client_seq = talk.client_seq.wrapping_add(dice.below(1 << 31) as u32);
            }
            let payload: Vec<u8> = (0..dice.below(60)).map(|_| dice.below(256) as u8).collect();
            talk.segment(&mut run, from, flags, &payload);
        }
        run.finish();
    }),
];
