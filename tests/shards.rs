//! The same capture read by one engine and by several, each for a part of the connections: what is
//! found must not depend on their number.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Outcome, Raw, analyse_with, fixtures, mutate, read, recordings};
use nestscope::engine::{Config, Shard};
use nestscope::packet::LinkType;

/// Everything that was found, in an order of its own, and the counts.
fn analysed(packets: &[Raw], count: u32) -> (Vec<String>, String, usize) {
    let mut found = Vec::new();
    let mut sum = None;
    let mut busy = 0;
    for index in 0..count {
        let shard = Shard { index, count };
        let config = Config { keep_payloads: true, shard, ..Config::default() };
        let Outcome { mut records, counts } = analyse_with(packets, config);
        busy += usize::from(!records.is_empty());
        // Numbers count the exchanges of one engine.
        records.iter_mut().for_each(|record| record.number = 0);
        found.extend(records.iter().map(|record| format!("{record:?}")));
        match &mut sum {
            None => sum = Some(counts),
            Some(sum) => sum.add_shard(counts),
        }
    }
    found.sort();
    (found, format!("{:?}", sum.unwrap()), busy)
}

#[test]
fn what_is_found_does_not_depend_on_the_number_of_engines() {
    let mut several_busy = false;
    for (name, path) in recordings(&fixtures()) {
        if name == "megabyte" {
            continue;
        }
        let packets = read(&path);
        let mut captures = vec![packets.clone()];
        if packets.iter().all(|raw| raw.link == LinkType::ETHERNET) {
            captures.push(mutate::lost(&packets, 10, 7));
            captures.push(packets[packets.len() / 3..].to_vec());
            captures.push(mutate::shuffled(&packets, 16, 7));
        }
        for packets in captures {
            let (found, counts, _) = analysed(&packets, 1);
            for shards in [2, 3, 8] {
                let (same, sum, busy) = analysed(&packets, shards);
                assert_eq!(found, same, "{name} in {shards}");
                assert_eq!(counts, sum, "{name} in {shards}");
                several_busy |= busy > 1;
            }
        }
    }
    assert!(several_busy, "no recording was divided");
}
