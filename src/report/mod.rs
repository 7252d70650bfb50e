//! Numbers and exchanges → text, JSON, CSV, Markdown. Every writer is pure: it takes what to tell
//! and a `Write`, and knows no terminal, no clock and no file. Nothing that came from the wire
//! reaches the output raw: [`visible`] is for people, [`payload`] for JSON and CSV.

pub mod calls;
mod civil;
mod completeness;
mod layout;
mod payload;
pub mod summary;
mod units;
mod visible;

pub use completeness::Losses;
pub use layout::{Layout, Palette};
pub use summary::Summary;
pub use visible::visible;
