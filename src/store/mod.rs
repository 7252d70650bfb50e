//! What was learned, bounded: statistics per pattern and per connection, and what the capture
//! lacks. Fed exchange by exchange; asked read-only questions.

mod archive;
mod capture_store;
mod completeness;
mod connections;
mod groups;
mod latencies;
pub mod listing;
mod outcomes;
mod scale;
mod statistics;
mod timeline;

pub use archive::{Archive, Bodies, Detail, FrameRecord, PacketRecord, Row, Unavailable};
pub use capture_store::{CaptureStore, ConnectionRecord, Kept, Memory};
pub use completeness::{Capture, Completeness};
pub use groups::{Group, GroupBy, GroupRow, Groups};
pub use latencies::{Latencies, Percentiles};
pub use listing::Listing;
pub use outcomes::{HeldBack, Outcomes};
pub use scale::Scale;
pub use statistics::{ConnectionRow, PatternRow, Statistics};
pub use timeline::{Counted, FINE, HEAT, Timeline, Timelines};
