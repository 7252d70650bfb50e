//! Against the pairing of calls: ids, patterns, replies and times without measure.

use nestscope::endpoint::Side;
use nestscope::exchange::Status;

use super::Attack;
use super::common::framed;
use super::talk::{Run, Talk};

pub const ATTACKS: &[Attack] = &[
    ("a_million_open_calls", || {
        let mut run = Run::new(false);
        let mut talk = Talk::open(&mut run, 1);
        for id in 0..1_000_000 {
            talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":"p","data":1,"id":{id}}}"#));
        }
        let counts = run.finish();
        assert!(counts.exchange.calls_evicted >= 900_000, "{counts:?}");
        assert_eq!(run.told(Status::Unknown) + run.told(Status::Open), 1_000_000);
    }),
    ("a_million_calls_with_one_id", || {
        let mut run = Run::new(true);
        let mut talk = Talk::open(&mut run, 1);
        let request = framed(r#"{"pattern":"p","data":1,"id":"same"}"#).repeat(1_000);
        for _ in 0..1_000 {
            talk.say(&mut run, Side::Client, request.as_bytes());
        }
        let reply = framed(r#"{"response":1,"isDisposed":true,"id":"same"}"#).repeat(1_000);
        for _ in 0..50 {
            talk.say(&mut run, Side::Server, reply.as_bytes());
        }
        let counts = run.finish();
        assert!(counts.exchange.calls_evicted >= 900_000, "{counts:?}");
        assert_eq!(run.told(Status::Ok), 50_000);
    }),
    ("long_ids", || {
        let mut run = Run::new(false);
        let mut talk = Talk::open(&mut run, 1);
        let long = "x".repeat(50_000);
        for number in 0..5_000 {
            let id = format!("\"{number} {long}\"");
            talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":"p","id":{id}}}"#));
            talk.frame(&mut run, Side::Server, &format!(r#"{{"isDisposed":true,"id":{id}}}"#));
        }
        assert_eq!(run.told(Status::Ok), 5_000);
        // Long ids of calls that are open, and then short ones in the places that they had.
        for round in 0..60 {
            for number in 0..300 {
                let id = format!("\"{round} {number} {long}{long}\"");
                talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":"p","id":{id}}}"#));
            }
            for number in 0..1_000 {
                let id = format!("\"{round} {number}\"");
                talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":"p","id":{id}}}"#));
            }
        }
        let huge = format!("\"{}\"", r"\u0041".repeat(1 << 20));
        talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":"p","id":{huge}}}"#));
        talk.frame(&mut run, Side::Server, &format!(r#"{{"isDisposed":true,"id":{huge}}}"#));
        run.finish();
        assert_eq!(run.told(Status::Ok), 5_001);
    }),
    ("long_patterns", || {
        let mut run = Run::new(false);
        let mut talk = Talk::open(&mut run, 1);
        let blanks = " ".repeat(60_000);
        for number in 0..5_000 {
            let more = " ".repeat(number / 900);
            let pattern = format!("{{\"a\":{blanks}{more}{}}}", number % 900);
            talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":{pattern},"data":1}}"#));
        }
        let long = "p".repeat(1 << 20);
        for number in 0..100 {
            let body = format!(r#"{{"pattern":"{number}{long}","data":1,"id":{number}}}"#);
            talk.frame(&mut run, Side::Client, &body);
        }
        let counts = run.finish();
        // Long patterns have names too: their beginning and a hash.
        assert_eq!(counts.patterns_folded, 0);
        assert_eq!(run.told(Status::Sent), 5_000);
    }),
    ("a_hundred_thousand_patterns", || {
        let mut run = Run::new(false);
        let mut talk = Talk::open(&mut run, 1);
        // Answered after times that differ widely, often enough for a histogram of their own.
        for round in 0..90_i64 {
            for number in 0..1_100 {
                let request = format!(r#"{{"pattern":"user.{number}","id":1}}"#);
                talk.frame(&mut run, Side::Client, &request);
                run.pace = 1 << (round % 44);
                talk.frame(&mut run, Side::Server, r#"{"isDisposed":true,"id":1}"#);
                run.pace = 10_000;
            }
        }
        for number in 0..100_000 {
            let request = format!(r#"{{"pattern":"user.{number}","id":1}}"#);
            talk.frame(&mut run, Side::Client, &request);
            talk.frame(&mut run, Side::Server, r#"{"isDisposed":true,"id":1}"#);
        }
        let counts = run.finish();
        assert_eq!(counts.patterns_folded, 90 * 100 + 99_000);
        assert_eq!(run.statistics.patterns().len(), 1_001);
        assert_eq!(run.told(Status::Ok), 199_000);
    }),
    ("endless_replies", || {
        for keep in [true, false] {
            let mut run = Run::new(keep);
            let mut talk = Talk::open(&mut run, 1);
            talk.frame(&mut run, Side::Client, r#"{"pattern":"stream","id":1}"#);
            talk.frame(&mut run, Side::Client, r#"{"pattern":"other","id":2}"#);
            let reply = framed(r#"{"response":"0123456789","id":1}"#).repeat(1_000);
            for _ in 0..3_000 {
                talk.say(&mut run, Side::Server, reply.as_bytes());
            }
            talk.frame(&mut run, Side::Server, r#"{"isDisposed":true,"id":2}"#);
            let counts = run.finish();
            if keep {
                assert!(counts.exchange.calls_evicted >= 1, "{counts:?}");
                assert!(counts.exchange.orphan_replies > 0, "{counts:?}");
            } else {
                assert_eq!(counts.exchange.calls_evicted, 0);
                assert_eq!((run.told(Status::Ok), run.told(Status::Open)), (1, 1));
            }
        }
    }),
    ("replies_without_requests", || {
        let mut run = Run::new(true);
        let mut talk = Talk::open(&mut run, 1);
        for id in 0..1_000_000 {
            let body = format!(r#"{{"response":"0123456789","isDisposed":true,"id":{id}}}"#);
            talk.frame(&mut run, Side::Server, &body);
        }
        let counts = run.finish();
        assert_eq!(counts.exchange.orphan_replies, 1_000_000);
        assert_eq!(run.told(Status::Orphan), 1_000_000);
    }),
    ("a_clock_that_goes_backwards", || {
        let mut run = Run::new(true);
        run.pace = -1_000_000_000;
        for number in 0..20_000 {
            let mut talk = Talk::open(&mut run, number);
            for id in 0..3 {
                talk.frame(&mut run, Side::Client, &format!(r#"{{"pattern":"p","id":{id}}}"#));
                talk.frame(&mut run, Side::Server, &format!(r#"{{"isDisposed":true,"id":{id}}}"#));
            }
            // Held out of order, while no time passes.
            talk.client_seq += 10;
            talk.say(&mut run, Side::Client, &[b'x'; 1_000]);
        }
        let counts = run.finish();
        assert_eq!(run.told(Status::Ok), 60_000);
        assert!(counts.exchange.clock_steps >= 60_000, "{counts:?}");
        for row in run.statistics.patterns() {
            assert!(row.latency.percentiles().is_none(), "{row:?}");
        }
    }),
];
