//! The kinds of traffic on which numbers alone mislead: holes in which sequence numbers go round,
//! ports used again, a second SYN-ACK, a SYN into a standing connection, two connections between
//! the same ends, packets that are of no connection. Each is made many times, with other numbers,
//! orders and sides. Whoever made it knows all calls: each of them, and no other, must be told.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;

mod attempts;
mod damage;
mod holes;
mod ids;
mod ports;
mod strays;
mod talk;
mod twins;

const MILLI: i64 = 1_000_000;
const SEEDS: u64 = 60;
