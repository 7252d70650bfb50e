//! What was learned, bounded: statistics per pattern and per connection, and what the capture
//! lacks. Fed exchange by exchange; asked read-only questions.

mod archive;
mod book;
mod completeness;
mod connections;
mod latencies;
pub mod listing;
mod statistics;

pub use archive::{Archive, Bodies, Detail, FrameRecord, Gone, PacketRecord, Row};
pub use book::{Book, ConnectionRecord, Kept, Memory};
pub use completeness::{Capture, Completeness};
pub use latencies::{Latencies, Percentiles};
pub use listing::Listing;
pub use statistics::{ConnectionRow, Outcomes, PatternRow, Statistics};
