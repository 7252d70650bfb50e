//! Segments → bytes in order, per side of a connection. Knows TCP and nothing of what the bytes
//! mean. Time comes with the segments; what is wrong with the traffic is an output, not an error.

mod event;

pub use event::{Chunk, Closed, ConnectionEnd, Gap, Opened, StreamEvent, Why};
