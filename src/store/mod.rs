//! What was learned, bounded: statistics per pattern and per connection, and what the capture
//! lacks. Fed exchange by exchange; asked read-only questions.

mod archive;
mod completeness;
mod latencies;
mod statistics;

pub use archive::{Archive, Detail, FrameRecord, Gone, PacketRecord, Row};
pub use completeness::{Capture, Completeness};
pub use latencies::{Latencies, Percentiles};
pub use statistics::{ConnectionRow, Outcomes, PatternRow, Statistics};
