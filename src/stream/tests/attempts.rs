//! Scenarios of attempts to connect, of ports used again, and of resets that are none.

use super::*;
use crate::decode::{Unreachable, UnreachableCode};

fn told(script: &str) -> String {
    Script::new(Config::default()).run(script).finish()
}

/// A connection between other ends, of which both sides speak: the capture shows both ways.
fn both_ways(run: &mut Script) {
    let client = std::mem::replace(&mut run.client, "10.0.0.3:50000".parse().unwrap());
    run.run("C SYN\nS SYN");
    run.client = client;
    run.next = PerSide::default();
    run.spoke = PerSide::default();
    run.told.clear();
}

#[test]
fn a_reset_below_what_was_acknowledged_is_of_an_older_connection() {
    let told = told("C SYN\nS SYN\nC hello\nS\nC RST -500\nC slow\npass\npass\nS reply\nC");
    assert!(told.contains("S 0 reply #7\nCaptureEnded"), "{told}");
}

#[test]
fn a_reset_after_which_both_sides_go_on_is_none() {
    let mut run = Script::new(Config::default());
    let told = run
        .run("C SYN\nS SYN\nC hello\nS\nC RST 900\nC slow\nS reply\nC\npass\nC again\npass")
        .finish();
    assert!(told.contains("C 9 again #9\nCaptureEnded #9"), "{told}");
    assert_eq!(run.streams.counts().discarded.forged_reset, 1);
}

#[test]
fn a_reset_that_answers_another_syn_ends_nothing() {
    let mut run = Script::new(Config::default());
    let told =
        run.run("C SYN\nS RST 77777 ack=-400\nS SYN 0\nC\nC slow\npass\npass\nS reply\nC").finish();
    assert!(told.contains("S 0 reply #6\nCaptureEnded"), "{told}");
    assert_eq!(run.streams.counts().discarded.forged_reset, 1);
}

fn unreachable(run: &mut Script) {
    run.number += 1;
    run.millis += 1;
    let at = Timestamp::from_nanos(run.millis * 1_000_000);
    let message = Unreachable {
        packet: PacketRef { number: PacketNumber(run.number), at },
        by: "10.0.0.254".parse().unwrap(),
        from: run.client,
        to: run.server,
        seq: Seq(1000),
        code: UnreachableCode::Host,
    };
    let (told, client) = (&mut run.told, run.client);
    run.streams.unreachable(&message, &mut |event| tell(told, client, event));
}

#[test]
fn an_attempt_goes_on_after_an_unreachable_host() {
    let mut run = Script::new(Config::default());
    run.run("C SYN");
    unreachable(&mut run);
    run.run("wait 900\nC SYN -0 noack\nS SYN\nC hello\npass\npass\nC again");
    let told = run.finish();
    assert!(!told.contains("Unreachable"), "{told}");
    assert!(told.contains("C 5 again #6\nCaptureEnded"), "{told}");
}

#[test]
fn an_attempt_ends_at_the_message_that_says_why() {
    let mut run = Script::new(Config::default());
    run.run("C SYN");
    unreachable(&mut run);
    let told = run.run("wait 30000").finish();
    assert!(told.contains("Unreachable(Host) 1 #2"), "{told}");
    assert!(told.contains("\nUnreachable #2"), "{told}");
}

#[test]
fn a_side_that_speaks_alone_proves_by_going_on() {
    let mut run = Script::new(Config::default());
    run.run("C SYN\nC one\nC two");
    run.next.client = 100_000_000;
    let told = run.run("pass\nC SYN\nC three\nC four\npass\npass").told.clone();
    assert!(told.contains("three #5\n"), "{told}");
    assert!(told.contains("Replaced #5"), "{told}");
}

#[test]
fn nothing_is_said_of_answers_where_one_side_speaks_alone() {
    let told = told("C SYN\nwait 1100\nC SYN 0\nwait 2000\nC SYN 0\npass");
    assert!(!told.contains("NoAnswer") && !told.contains("Waiting"), "{told}");
}

#[test]
fn an_attempt_waits_until_the_capture_ends() {
    let mut run = Script::new(Config::default());
    both_ways(&mut run);
    let mut at = None;
    run.run("C SYN\nwait 30000");
    let end = run.millis;
    run.streams.finish(&mut |event| {
        if let StreamEvent::Notice(notice) = event {
            at = Some(notice.at.at);
        }
    });
    assert_eq!(at, Some(Timestamp::from_nanos(end * 1_000_000)));
}

#[test]
fn an_attempt_is_late_though_the_other_direction_appears_later() {
    let mut run = Script::new(Config::default());
    run.run("C SYN\nwait 2000");
    assert_eq!(run.streams.counts().one_sided_syns, 1);
    let client = std::mem::replace(&mut run.client, "10.0.0.3:50000".parse().unwrap());
    run.run("C SYN\nS SYN");
    assert!(run.told.contains("Waiting 1"), "told at once: {}", run.told);
    assert_eq!(run.streams.counts().one_sided_syns, 0);
    run.client = client;
    let told = run.finish();
    assert!(told.contains("NoAnswer 1"), "{told}");
}

#[test]
fn a_challenge_answers_a_syn() {
    let mut run = Script::new(Config::default());
    run.run("C SYN\nS SYN\nC hello\nS");
    run.next.client = 100_000_000;
    run.run("C SYN noack");
    run.next.client = 5;
    let told = run.run("S\nwait 2000\nC world\nS\npass\nC again\nS").finish();
    assert!(!told.contains("Waiting") && !told.contains("NoAnswer"), "{told}");
    assert!(told.contains("C 10 again"), "{told}");
}

#[test]
fn one_that_is_left_has_no_twin() {
    let mut run = Script::new(Config::default());
    run.run("C SYN\nS SYN\nC hello\nS");
    run.next.client = 100_000_000;
    run.next.server = 100_000_000;
    run.run("C SYN noack\nS SYN\nC other\nS\npass\npass");
    let slot = run.streams.table.find(&run.client, &run.server).unwrap();
    assert!(!run.streams.table.get(slot).unwrap().twin);
}

#[test]
fn strays_grow_old_though_the_clock_is_set_back() {
    let mut run = Script::new(Config::default());
    run.run("C SYN\nS SYN\nC hello\nS\nC 100000000 stray");
    run.next.client = 5;
    run.millis -= 3_600_000;
    run.run("S\nwait 3000\nS\nwait 3000\nS");
    assert!(run.streams.strays.is_empty());
}
