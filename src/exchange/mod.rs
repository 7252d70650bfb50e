//! Messages → exchanges: requests paired with their replies, and the one place where latency is
//! computed. Knows no protocol: the decoder says what is a request and what is its last reply.

mod call;
mod calls;
mod patterns;
mod record;
mod tracker;

pub use record::{
    EndedBy, Exchange, ExchangeKind, Frame, Held, Latency, PatternId, Payloads, Replied, Span,
    Status, TrackerEvent,
};
pub use tracker::{Config, Counts, Parties, Tracker};
