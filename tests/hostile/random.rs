//! Whatever is said, by nobody in particular: nothing panics, and the sums are those of the parts.

use std::fmt::Write as _;

use nestscope::endpoint::Side;
use nestscope::engine::{Config, Engine};
use nestscope::exchange::Status;
use nestscope::packet::LinkType;
use proptest::prelude::*;

use super::common::wire::{FIN, RST, SYN};
use super::common::{Raw, framed};
use super::talk::{ACK, Run, Talk};

/// What somebody says on a connection.
#[derive(Clone, Debug)]
struct Word {
    connection: u32,
    from_client: bool,
    flags: u8,
    payload: Vec<u8>,
    /// Moves the sequence number first: bytes lost, or sent again.
    skip: i32,
    pace: i64,
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        Just(r#"{"pattern":"p","data":1,"id":1}"#.to_owned()),
        Just(r#"{"pattern":{"b":1,"a":"求"},"data":"😀","id":"x"}"#.to_owned()),
        Just(r#"{"pattern":"e","data":"12#{\"id\":1}"}"#.to_owned()),
        Just(r#"{"response":6,"isDisposed":true,"id":1}"#.to_owned()),
        Just(r#"{"response":{"id":7},"id":"x"}"#.to_owned()),
        Just(r#"{"err":"no","id":"x"}"#.to_owned()),
        Just(r#"{"isDisposed":true,"id":"x"}"#.to_owned()),
        "\\PC{0,20}",
    ];
    let framed = text.prop_map(|text| framed(&text).into_bytes());
    prop_oneof![
        4 => framed.clone(),
        2 => (framed.clone(), any::<prop::sample::Index>()).prop_map(|(mut bytes, cut)| {
            bytes.truncate(cut.index(bytes.len()));
            bytes
        }),
        2 => (framed, any::<prop::sample::Index>()).prop_map(|(mut bytes, cut)| {
            bytes.drain(..cut.index(bytes.len()));
            bytes
        }),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => Just(Vec::new()),
    ]
}

fn word() -> impl Strategy<Value = Word> {
    let flags = prop_oneof![
        12 => Just(ACK), 1 => Just(SYN), 1 => Just(SYN | ACK), 1 => Just(FIN | ACK),
        1 => Just(RST), 1 => Just(RST | ACK), 1 => any::<u8>(),
    ];
    let skip = prop_oneof![12 => Just(0), 2 => -60..60, 1 => any::<i32>()];
    let pace = prop_oneof![8 => 0..1_000_000_i64, 1 => any::<i32>().prop_map(i64::from)];
    (0..3_u32, any::<bool>(), flags, payload(), skip, pace).prop_map(
        |(connection, from_client, flags, payload, skip, pace)| Word {
            connection,
            from_client,
            flags,
            payload,
            skip,
            pace,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever is said, nothing panics, every exchange is told once and has its number, and the
    /// sums are those of the parts.
    #[test]
    fn any_segments_are_borne(words in prop::collection::vec(word(), 0..60), keep: bool) {
        let mut run = Run::new(keep);
        let mut talks: Vec<_> = (0..3).map(Talk::unopened).collect();
        for word in &words {
            run.pace = word.pace;
            let talk = &mut talks[word.connection as usize];
            let from = if word.from_client { Side::Client } else { Side::Server };
            let seq = match from {
                Side::Client => &mut talk.client_seq,
                Side::Server => &mut talk.server_seq,
            };
            *seq = seq.wrapping_add_signed(word.skip);
            talk.segment(&mut run, from, word.flags, &word.payload);
        }
        let counts = run.finish();
        let told: u64 = run.told.iter().sum();
        prop_assert_eq!(counts.exchange.orphan_replies, run.told(Status::Orphan));
        prop_assert_eq!(counts.open_calls, run.told(Status::Open), "{:?}", counts);
        let totals = *run.statistics.totals();
        let rows = totals.calls + totals.events + run.told(Status::Orphan) + run.uncounted;
        prop_assert_eq!(rows, told);
        let ended = totals.ok + totals.error + totals.open + totals.closed + totals.unknown;
        prop_assert_eq!(ended, totals.calls);
        let rows: u64 = run.statistics.patterns().iter()
            .map(|row| row.outcomes.calls + row.outcomes.events).sum();
        prop_assert_eq!(rows, totals.calls + totals.events);
        let of_connections: u64 = run.statistics.connections().iter()
            .map(|row| row.outcomes.calls + row.outcomes.events).sum();
        prop_assert_eq!(of_connections, rows);
    }

    /// Bytes that are no packets at all.
    #[test]
    fn any_bytes_are_borne(
        packets in prop::collection::vec(
            (prop_oneof![Just(1_u16), Just(0), Just(101), Just(113), Just(276), any::<u16>()],
             prop::collection::vec(any::<u8>(), 0..120), any::<u32>(), any::<i64>()), 0..20)
    ) {
        let mut engine = Engine::new(Config { keep_payloads: true, ..Config::default() });
        let mut said = String::new();
        for ((link, data, original_len, at), number) in packets.iter().zip(1..) {
            let (link, data) = (LinkType(*link), data.clone());
            let raw = Raw { at: *at, link, data, original_len: *original_len };
            let packet = raw.packet(number);
            engine.push(&packet, &mut |update| write!(said, "{update:?}").unwrap());
        }
        engine.finish(&mut |update| write!(said, "{update:?}").unwrap());
        prop_assert_eq!(engine.counts().decode.packets, packets.len() as u64);
    }
}
