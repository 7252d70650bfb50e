//! Against the reader of frames: lengths, beginnings and nesting that are made up.

use nestscope::endpoint::Side;
use nestscope::exchange::Status;

use super::Attack;
use super::common::framed;
use super::talk::{ACK, Run, Talk};

pub const ATTACKS: &[Attack] = &[
    ("buffers_of_many_connections", || {
        let mut run = Run::new(true);
        let body = format!(r#"{{"pattern":"sum","data":"{}","id":"x"}}"#, "x".repeat(12_000));
        let reply =
            format!(r#"{{"response":"{}","isDisposed":true,"id":"x"}}"#, "x".repeat(12_000));
        for number in 0..60_000 {
            let mut talk = Talk::open(&mut run, number);
            for (from, body) in [(Side::Client, &body), (Side::Server, &reply)] {
                let frame = framed(body);
                let (head, tail) = frame.split_at(11_000);
                talk.say(&mut run, from, head.as_bytes());
                talk.say(&mut run, from, tail.as_bytes());
            }
        }
        run.finish();
        assert_eq!(run.told(Status::Ok), 60_000);
    }),
    ("lengths_beyond_measure", || {
        let mut run = Run::new(true);
        for number in 0..65_000 {
            let mut talk = Talk::open(&mut run, number);
            talk.say(&mut run, Side::Client, b"9999999#{\"pattern\":");
            talk.say(&mut run, Side::Server, b"9999#{\"response\":");
            talk.say(&mut run, Side::Client, b"1");
            talk.say(&mut run, Side::Server, b"1");
        }
        let mut talk = Talk::open(&mut run, 70_000);
        talk.say(&mut run, Side::Client, b"9999999999999999999#{\"pattern\":\"x\"");
        talk.frame(&mut run, Side::Client, r#"{"pattern":"sum","data":1,"id":1}"#);
        let counts = run.finish();
        assert!(counts.protocol.undecodable >= 1);
        assert_eq!(run.told.iter().sum::<u64>(), 1, "the frame behind it is found");
    }),
    ("beginnings_of_many_connections", || {
        let mut run = Run::new(true);
        // Seen from their middle: what may be a frame, and has not said a key yet.
        let beginning = format!("8888#{{\"x\":\"{}", "x".repeat(4_000));
        for number in 0..40_000 {
            let mut talk = Talk::unopened(number);
            talk.say(&mut run, Side::Client, beginning.as_bytes());
            talk.say(&mut run, Side::Server, beginning.as_bytes());
        }
        let counts = run.finish();
        assert!(counts.protocol.undecodable > 0, "{counts:?}");
    }),
    ("marks_of_many_connections", || {
        let mut run = Run::new(true);
        let mut talks: Vec<_> = (0..8_000).map(|number| Talk::open(&mut run, number)).collect();
        for talk in &mut talks {
            talk.say(&mut run, Side::Client, b"99999#{");
        }
        for _ in 0..300 {
            for talk in &mut talks {
                talk.say(&mut run, Side::Client, b" ");
            }
        }
        run.finish();
    }),
    ("deep_nesting", || {
        let mut run = Run::new(true);
        let mut talk = Talk::open(&mut run, 1);
        const DEPTH: usize = 1_000_000;
        let arrays = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
        let objects = format!("{}1{}", "{\"a\":".repeat(DEPTH), "}".repeat(DEPTH));
        for deep in [&arrays, &objects] {
            for body in [
                format!(r#"{{"pattern":"p","data":{deep},"id":1}}"#),
                format!(r#"{{"pattern":{deep},"data":1,"id":2}}"#),
                format!(r#"{{"pattern":"p","data":1,"id":{deep}}}"#),
            ] {
                talk.frame(&mut run, Side::Client, &body);
            }
            for id in ["1", "2", deep] {
                let body = format!(r#"{{"response":{deep},"isDisposed":true,"id":{id}}}"#);
                talk.frame(&mut run, Side::Server, &body);
            }
            // Never closed: no frame, and no harm.
            talk.frame(&mut run, Side::Client, &"[".repeat(DEPTH));
        }
        run.finish();
        assert_eq!(run.told(Status::Ok), 6);
    }),
    ("one_byte_a_segment_and_the_place_lost", || {
        let mut run = Run::new(true);
        for number in 0..4 {
            // Seen from its middle: what looks like a frame's beginning, and never says a key.
            let mut talk = Talk::unopened(number);
            talk.say(&mut run, Side::Client, b"88888#[");
            for _ in 0..100_000 {
                talk.segment(&mut run, Side::Client, ACK, b"[");
            }
        }
        run.finish();
    }),
    ("beginnings_inside_a_frame", || {
        for text in [r#"9999999#{"id":1,"#, r#"9999999#{"id":"求","#] {
            let mut run = Run::new(true);
            let mut talk = Talk::open(&mut run, 1);
            talk.frame(&mut run, Side::Client, r#"{"pattern":"p","id":0}"#);
            talk.say(&mut run, Side::Client, text.repeat((15 << 20) / text.len()).as_bytes());
            talk.say(&mut run, Side::Client, framed(r#"{"pattern":"p","id":1}"#).as_bytes());
            run.finish();
            assert_eq!(run.told(Status::Open), 1, "the one before");
        }
    }),
    ("frames_inside_of_what_is_none", || {
        let fakes: String = (0..300)
            .map(|id| framed(&format!(r#"{{"pattern":"fake","data":"é","id":{id}}}"#)))
            .collect();
        // Held, and too large to be held.
        for size in [1, (17 << 20) / fakes.len() + 1] {
            let body = format!("{{\"data\":{}", fakes.repeat(size));
            for part in [65_000, 1_448] {
                let mut run = Run::new(true);
                let mut talk = Talk::open(&mut run, 1);
                talk.frame(&mut run, Side::Client, r#"{"pattern":"p","id":1}"#);
                for part in framed(&body).as_bytes().chunks(part) {
                    talk.say(&mut run, Side::Client, part);
                }
                talk.frame(&mut run, Side::Client, r#"{"pattern":"p","id":2}"#);
                talk.frame(&mut run, Side::Server, r#"{"isDisposed":true,"id":1}"#);
                talk.frame(&mut run, Side::Server, r#"{"isDisposed":true,"id":2}"#);
                let counts = run.finish();
                assert_eq!(counts.protocol.undecodable, 1);
                assert_eq!((run.told(Status::Ok), run.told.iter().sum::<u64>()), (2, 2));
            }
        }
    }),
];
