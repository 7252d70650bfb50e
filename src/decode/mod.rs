//! One packet → its TCP segment. Reads link and IP headers and puts IP fragments together; knows
//! nothing of connections. Pure: no clock, no I/O. The only user of etherparse.

mod segment;

pub use segment::{Flags, Segment, Seq};
