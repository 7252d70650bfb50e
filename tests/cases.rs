//! Small captures of faults, each with what is right: public bug reports of other tools,
//! transplanted onto Nest TCP. `fixtures/README.md` says what happened on each wire.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::path::PathBuf;

use common::{Outcome, analyse, archive, fixtures, read};
use nestscope::exchange::{ExchangeKind, ExchangeNumber, Status};
use nestscope::packet::PacketNumber;

fn case(name: &str) -> PathBuf {
    fixtures().join("cases").join(name)
}

fn outcome(name: &str) -> Outcome {
    analyse(&read(&case(name)))
}

/// Pattern, status and latency in milliseconds of each row that is no attempt to connect.
fn calls(outcome: &Outcome) -> Vec<(String, Status, Option<u64>)> {
    let rows = outcome.records.iter().filter(|record| record.kind != ExchangeKind::Connect);
    rows.map(|row| {
        let millis = row.latency.latency.map(|latency| (latency.get() + 500_000) / 1_000_000);
        (row.pattern.clone().unwrap_or_default(), row.status, millis)
    })
    .collect()
}

fn ok(pattern: &str, millis: u64) -> (String, Status, Option<u64>) {
    (pattern.to_owned(), Status::Ok, Some(millis))
}

#[test]
fn two_files_behind_each_other_are_one_capture() {
    let outcome = outcome("cat.pcap");
    assert_eq!(calls(&outcome), [ok("sum", 1)]);
    assert_eq!(outcome.counts.decode.packets, 8);
}

#[test]
fn of_a_damaged_copy_and_a_good_one_the_good_one_counts() {
    let outcome = outcome("corrupt-header-resend.pcap");
    // From the good copy on, which came 200 ms later, as the receiver saw it.
    assert_eq!(calls(&outcome), [ok("sum", 1), ok("sum", 1)]);
    let counts = outcome.counts.stream;
    assert_eq!((counts.conflicting, counts.damaged), (1, 1));
}

#[test]
fn a_connection_before_and_after_translation_is_told_as_one_that_stands_twice() {
    let outcome = outcome("dnat.pcap");
    assert_eq!(calls(&outcome), [ok("sum", 1), ok("sum", 1)]);
    assert_eq!(outcome.counts.stream.translated, 1);
}

#[test]
fn copies_of_a_router_are_not_sent_again() {
    let outcome = outcome("dup-routed.pcap");
    assert_eq!(calls(&outcome), vec![ok("cart.add", 1); 3]);
    let counts = outcome.counts.stream;
    assert_eq!((counts.retransmissions, counts.copies), (0, 6));
}

#[test]
fn fragments_out_of_order_are_no_step_of_the_clock() {
    let outcome = outcome("frag-ooo-dup.pcap");
    // What was waited counts from the first byte, in packet 5; the last fragment came before it.
    assert_eq!(calls(&outcome), [ok("frag", 3)]);
    assert_eq!(outcome.counts.exchange.clock_steps, 0);
    let archive = archive(&read(&case("frag-ooo-dup.pcap")));
    let request = archive.detail(ExchangeNumber(1)).unwrap().request.unwrap();
    assert_eq!(request.packets(), [4, 7].map(PacketNumber));
}

#[test]
fn tunnels_are_opened() {
    for name in ["ipip.pcap", "llcsnap.pcap", "vxlan.pcap", "nflog.pcap"] {
        let outcome = outcome(name);
        assert_eq!(calls(&outcome), vec![ok("cart.add", 1); 3], "{name}");
        assert_eq!(outcome.counts.decode.segments, 12, "{name}");
    }
    let mut told = calls(&outcome("mixed-vxlan-plain.pcap"));
    told.sort();
    assert_eq!(told, [vec![ok("cart.add", 1); 3], vec![ok("plain", 1)]].concat());
}

#[test]
fn a_hole_in_which_the_numbers_went_round_loses_no_call() {
    let outcome = outcome("jump-3e9.pcap");
    assert_eq!(calls(&outcome), [vec![ok("before", 1); 2], vec![ok("after", 1); 5]].concat());
    let counts = outcome.counts.stream;
    assert!(
        counts.gaps > 0 && counts.believed_groups == 1 && counts.retransmissions == 0,
        "{counts:?}"
    );
}

#[test]
fn a_port_scan_pushes_no_connection_out_and_is_a_row_for_each_that_scans() {
    let outcome = outcome("port-scan.pcap.zst");
    assert_eq!(calls(&outcome), [ok("report.build", 19_997), ok("report.build", 1)]);
    let scans: Vec<_> =
        outcome.records.iter().filter(|record| record.kind == ExchangeKind::Connect).collect();
    assert_eq!(scans.len(), 2, "{scans:?}");
    assert!(scans.iter().all(|scan| scan.status == Status::NoAnswer));
}

#[test]
fn a_syn_into_a_standing_connection_changes_nothing() {
    let outcome = outcome("syn-challenge.pcap");
    assert_eq!(calls(&outcome), [ok("sum", 3), ok("sum", 1)]);
}

#[test]
fn of_two_syn_acks_the_one_that_the_client_acknowledges_counts() {
    let outcome = outcome("two-synack-first.pcap");
    assert_eq!(calls(&outcome), vec![ok("sum", 1); 3]);
    assert_eq!(outcome.counts.stream.connections, 1);
}

#[test]
fn two_vlans_have_a_connection_each() {
    let outcome = outcome("two-vlans.pcap");
    let mut told = calls(&outcome);
    told.sort();
    assert_eq!(told, [vec![ok("vlan10", 1); 2], vec![ok("vlan20", 1); 2]].concat());
    assert_eq!(outcome.counts.stream.connections, 2);
    assert_eq!(outcome.counts.stream.retransmissions, 0);
}
