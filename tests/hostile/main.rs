//! Traffic made to harm: what it may cost is bounded, in memory and in time, and is counted.
//!
//! Each attack runs in a process of its own, so that the most memory it ever had can be asked of
//! the system. The packets are made one at a time: the attack itself needs no memory.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "clippy takes the helpers of a test for a program"
)]

#[path = "../common/mod.rs"]
mod common;

mod exchange;
mod protocol;
mod random;
mod stream;
mod talk;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// The most memory that any attack may lead to.
const MEMORY_KIB: u64 = 256 << 10;

/// The longest that any attack may take, with the little optimisation that tests have, on a busy
/// machine. Work that grows with the square of the attack takes minutes.
const TIME: Duration = Duration::from_secs(60);

/// Its name, and what it does; it looks at what is to be seen beside memory and time.
type Attack = (&'static str, fn());

/// All of them, by the floor that each is meant for.
fn attacks() -> Vec<Attack> {
    [stream::ATTACKS, protocol::ATTACKS, exchange::ATTACKS].concat()
}

/// One attack, in a process of its own.
#[test]
#[ignore = "part of the other tests"]
fn attack() {
    let name = std::env::var("NESTSCOPE_ATTACK").unwrap();
    let (_, attack) = attacks().into_iter().find(|(known, _)| *known == name).unwrap();
    let begun = Instant::now();
    attack();
    let took = begun.elapsed();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("peak {} ms {}", peak.trim().trim_end_matches(" kB"), took.as_millis());
}

fn survives(name: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["attack", "--exact", "--ignored", "--nocapture"])
        .env("NESTSCOPE_ATTACK", name)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let measured = said.lines().find_map(|line| line.strip_prefix("peak ")).unwrap();
    let (peak, took) = measured.split_once(" ms ").unwrap();
    let (peak, took): (u64, u64) = (peak.parse().unwrap(), took.parse().unwrap());
    eprintln!("{name}: {} MiB, {took} ms", peak >> 10);
    assert!(peak < MEMORY_KIB, "{name}: {peak} KiB");
    assert!(Duration::from_millis(took) < TIME, "{name}: {took} ms");
}

macro_rules! attacks {
    ($($name:ident)*) => {
        $(#[test] fn $name() { survives(stringify!($name)); })*

        #[test]
        fn every_attack_is_a_test() {
            let names = [$(stringify!($name)),*];
            assert_eq!(names.to_vec(), attacks().iter().map(|(name, _)| *name).collect::<Vec<_>>());
        }
    };
}

attacks! {
    a_million_connections
    one_byte_a_segment
    gaps_everywhere
    fragments_and_noise
    buffers_of_many_connections
    lengths_beyond_measure
    beginnings_of_many_connections
    marks_of_many_connections
    deep_nesting
    one_byte_a_segment_and_the_place_lost
    beginnings_inside_a_frame
    frames_inside_of_what_is_none
    a_million_open_calls
    a_million_calls_with_one_id
    long_ids
    long_patterns
    a_hundred_thousand_patterns
    endless_replies
    replies_without_requests
    a_clock_that_goes_backwards
}
