//! Messages → exchanges: requests paired with their replies, and the one place where latency is
//! computed. Knows no protocol: the decoder says what is a request and what is its last reply.
//!
//! - [`Tracker`] pairs, by connection and id, whichever of the two can be read first;
//! - `waiting` has the calls that wait for a reply, `waiting_call` is one of them;
//! - `deferred` keeps what may still be paired or confirmed, `kept` is an exchange in it;
//! - `runs` knows which frames are confirmed, `clock` what the clock of the capture did;
//! - `record` is what is told, `patterns` names patterns.

mod clock;
mod deferred;
mod kept;
mod patterns;
mod record;
mod runs;
mod tracker;
mod waiting;
mod waiting_call;

pub(crate) use record::CompactHeld;
pub use record::{
    EndedBy, Exchange, ExchangeKind, ExchangeNumber, Frame, Held, Latency, PatternId, Payloads,
    Replied, Span, Spoiled, Status, TrackerEvent,
};
pub use tracker::{Config, Counts, Parties, Tracker};
