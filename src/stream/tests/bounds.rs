//! How long is waited, and how much is buffered.

use super::*;

#[test]
fn the_window_has_passed_after_enough_packets_and_time() {
    // A hole of connection 1 that its other side has acknowledged, then packets of others.
    let gap_after = |packets: u64, nanos: i64| {
        let mut run = Script::new(Config::default());
        run.run("C SYN\nS SYN\nC 5 world\nS ack=10");
        let mut gaps = 0;
        for number in 1..=packets {
            let segment = plain(9, 4 + number, 4_000_000 + nanos, 0, b"");
            run.streams.push(&segment, &mut |event| {
                gaps += usize::from(matches!(event, StreamEvent::Gap(_)));
            });
        }
        gaps
    };
    assert_eq!(gap_after(256, 20_000_000), 1);
    assert_eq!(gap_after(255, 20_000_000), 0);
    assert_eq!(gap_after(256, 19_999_999), 0);
    assert_eq!(gap_after(1, 10_000_000_000), 1);
}

#[test]
fn somebody_who_looks_on_does_not_wait_long() {
    let config =
        Config { reorder_at_most: crate::limits::REORDER_AT_MOST_LIVE, ..Config::default() };
    let mut run = Script::new(config);
    run.run("C SYN\nS SYN\nS world ack=5\nwait 50");
    assert!(!run.told.contains("gap"));
    run.run("wait 10");
    assert!(run.told.ends_with("C gap 5 #3\nS 0 world #3\n"), "{}", run.told);
}

#[test]
fn a_clock_that_is_set_back_stops_nothing() {
    let mut run = Script::new(Config::default());
    run.run("C SYN\nS SYN");
    run.millis -= 3_600_000;
    run.run("C 5 world\nS ack=10\npass");
    assert!(run.told.ends_with("C gap 5 #3\nC 5 world #3\n"), "{}", run.told);
}

#[test]
fn what_one_side_holds_is_bounded() {
    let mut streams = Streams::new(Config::default());
    let data = vec![b'x'; 50_000];
    let mut delivered = 0;
    let mut gaps = 0;
    let mut take = |event: StreamEvent<'_>| match event {
        StreamEvent::Data(chunk) => delivered += chunk.data.len(),
        StreamEvent::Gap(gap) => gaps += gap.bytes,
        _ => {}
    };
    // A hole in front of everything, and time stands still.
    streams.push(&syn(1, 1, 0), &mut take);
    for piece in 0..400 {
        let segment = plain(1, 2 + u64::from(piece), 0, 2 + piece * 50_000, &data);
        streams.push(&segment, &mut take);
        assert!(streams.shared.buffered <= crate::limits::BUFFERED_PER_SIDE);
    }
    assert_eq!(streams.counts().waits_given_up, 2, "settled early, then the hole given up");
    assert_eq!((delivered, gaps), (400 * 50_000, 1));
}

#[test]
fn what_all_hold_is_bounded() {
    let mut streams = Streams::new(Config::default());
    let data = vec![b'x'; 60_000];
    let mut delivered = 0_usize;
    let mut take = |event: StreamEvent<'_>| {
        if let StreamEvent::Data(chunk) = event {
            delivered += chunk.data.len();
        }
    };
    for port in 1..=50 {
        for piece in 0..20 {
            let segment = plain(port, 1, 0, 1 + piece * 60_001, &data);
            streams.push(&segment, &mut take);
            assert!(streams.shared.buffered <= crate::limits::BUFFERED_IN_ALL);
        }
    }
    streams.finish(&mut take);
    assert_eq!(delivered, 50 * 20 * 60_000);
    assert!(streams.counts().waits_given_up > 0);
}

/// Bytes that make the checksum of `segment` valid.
fn right(segment: Segment<'_>) -> [u8; 2] {
    let is_valid = |word: &u16| {
        Segment { raw: &word.to_be_bytes(), ..segment }.checksum_is_valid() == Some(true)
    };
    (0..=u16::MAX).find(is_valid).unwrap().to_be_bytes()
}

#[test]
fn damaged_segments_are_bounded_over_all_connections() {
    let mut streams = Streams::new(Config::default());
    let data = vec![b'x'; 1_400];
    let mut take = |_: StreamEvent<'_>| {};
    for port in 1..=1_000 {
        let right = right(plain(port, 1, 0, 0, b""));
        let wrong = right.map(|byte| byte ^ 1);
        for (piece, raw) in (0..).zip([right; 2].into_iter().chain([wrong; 3])) {
            let segment = plain(port, 1, 0, 1 + piece * 1_400, &data);
            streams.push(&Segment { raw: &raw, ..segment }, &mut take);
        }
        // As many again, with a valid one between them, so that they are believed to be damaged.
        for round in 1..14 {
            for (piece, raw) in (round * 5..).zip([[right; 2], [wrong; 2]].concat()) {
                let segment = plain(port, 1, 0, 1 + piece * 1_400, &data);
                streams.push(&Segment { raw: &raw, ..segment }, &mut take);
            }
        }
        assert!(streams.shared.buffered <= crate::limits::BUFFERED_IN_ALL);
    }
    assert!(streams.counts().damaged > 1_000 * 20, "{:?}", streams.counts());
    let kept =
        streams.table.slots_in_order().into_iter().filter_map(|slot| streams.table.get(slot));
    let weight: usize = kept.map(|it| it.halves.client.damaged.buffered()).sum();
    assert!((1..=crate::limits::BUFFERED_IN_ALL).contains(&weight), "{weight}");
}

#[test]
fn the_connection_that_was_silent_gives_way() {
    let mut streams = Streams::new(Config::default());
    let mut evicted = Vec::new();
    let limit = u16::try_from(crate::limits::CONNECTIONS - 1).unwrap();
    let mut take = |event: StreamEvent<'_>| {
        if let StreamEvent::Closed(closed) = event {
            evicted.push((closed.connection.number.0, closed.end.why));
        }
    };
    // Port 0 counts too: as many connections as the table takes.
    for port in 0..=limit {
        streams.push(&syn(port, 1 + u64::from(port), 0), &mut take);
    }
    assert_eq!(streams.counts().evicted_connections, 0);
    // One more, from another address. All were heard of: the hand goes round once.
    let stranger =
        |last: u8| Segment { from: SocketAddr::from(([10, 9, 9, last], 1)), ..syn(1, 70_000, 0) };
    streams.push(&stranger(1), &mut take);
    assert_eq!(streams.counts().evicted_connections, 1);
    // The next in turn speaks again, and is spared.
    streams.push(&plain(1, 70_001, 0, 1, b"x"), &mut take);
    streams.push(&stranger(2), &mut take);
    assert_eq!(evicted, [(0, CloseReason::Evicted), (2, CloseReason::Evicted)]);
    assert_eq!(streams.table.find(&stranger(3).from, &stranger(3).to), None);
    let spared = plain(1, 0, 0, 0, b"");
    assert!(streams.table.find(&spared.from, &spared.to).is_some());
}

#[test]
fn more_connections_between_the_same_ends_than_are_told_apart_are_given_up_not_closed() {
    let mut streams = Streams::new(Config::default());
    let mut ends = Vec::new();
    let mut take = |event: StreamEvent<'_>| {
        if let StreamEvent::Closed(closed) = event {
            ends.push(closed.end.why);
        }
    };
    let twins = u32::try_from(crate::limits::TWINS).unwrap();
    let mut numbers = 1..;
    let mut next = || plain(9, numbers.next().unwrap(), 0, 0, b"");
    for place in 0..=twins {
        let seq = place << 26;
        let ask = Segment { flags: Flags::SYN, seq: Seq(seq), ..next() };
        streams.push(&ask, &mut take);
        let accept = Segment { ack: Some(Seq(seq + 1)), seq: Seq(seq + 7), ..ask };
        let accept = Segment { from: ask.to, to: ask.from, packet: next().packet, ..accept };
        streams.push(&accept, &mut take);
        // All that stand speak, by turns.
        for earlier in 0..=place {
            let seq = earlier << 26;
            let offset = place - earlier;
            let (seq, ack) = (Seq(seq + 1 + offset), Some(Seq(seq + 8)));
            streams.push(&Segment { seq, ack, payload: b"x", ..next() }, &mut take);
        }
    }
    assert_eq!(streams.counts().evicted_connections, 1);
    streams.finish(&mut take);
    assert_eq!(ends.iter().filter(|why| **why == CloseReason::Evicted).count(), 1, "{ends:?}");
}

#[test]
fn a_part_of_the_connections_has_a_part_of_the_room() {
    let mut streams = Streams::new(Config { connections: 2, ..Config::default() });
    for port in 1..=3 {
        streams.push(&syn(port, u64::from(port), 0), &mut |_| {});
    }
    assert_eq!(streams.counts().evicted_connections, 1);
}

#[test]
fn waits_are_bounded_where_time_stands_still() {
    let mut streams = Streams::new(Config::default());
    let mut number = 0;
    for round in 0..6_u32 {
        for port in 1..=60_000 {
            number += 1;
            let again = Segment { seq: Seq(round << 28), ..syn(port, number, 0) };
            streams.push(&again, &mut |_| {});
            assert!(streams.shared.waits.len() <= 4 * crate::limits::WAITS);
        }
    }
}

#[test]
fn a_pause_ends_what_waits_for_packets_out_of_order() {
    let mut run = Script::new(Config::default());
    run.run("C 0 hello ack=0\nS 0 world ack=5\nC 5 again ack=5");
    assert_eq!(run.told, "", "begun late: an earlier packet may come");
    run.run("pause");
    assert!(run.told.contains("C 0 hello #1\nS 0 world #2\nC 5 again #3\n"), "{}", run.told);
    // What the receiver has not acknowledged may still be sent again.
    run.run("C 15 x ack=5\npause");
    assert!(!run.told.contains("x #4"), "{}", run.told);
}
