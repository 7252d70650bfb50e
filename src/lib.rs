//! nestscope reads packets, puts TCP streams together, decodes the messages of NestJS
//! microservices, pairs each request with its replies, and measures what the caller waited.
//!
//! ```text
//!  live ─┐            ┌──────────────────────── engine ────────────────────────┐
//!  file ─┼─ source ──►│ decode ──► stream ──► protocol ──► exchange            │──► store ──► report
//!  pipe ─┘  Packet<'_>│   Segment<'_>  Chunk<'_>   Message<'_>   Exchange<'_>  │
//!                     └────────────────────────────────────────────────────────┘
//! ```
//!
//! Each module is a floor of the house and imports only from the floors below it
//! (`tests/floors.rs` holds that). From the top:
//!
//! - [`cli`]: what was typed, what it means, one file per command; the wiring, the only clock.
//! - [`report`]: numbers and exchanges → text, JSON, CSV, Markdown. Pure, to a `Write`.
//! - [`store`]: what was learned, bounded: statistics per pattern and connection, losses.
//! - [`engine`]: the floors below joined; no root, file, thread or clock. Where tests enter.
//! - [`exchange`]: messages → exchanges: pairing, and the one place where latency is computed.
//! - [`protocol`]: bytes → messages: a decoder per protocol, chosen by a table.
//! - [`stream`]: segments → bytes in order, per side of a connection.
//! - [`decode`]: one packet → its TCP segment. Link, IP, fragments.
//! - [`source`]: where packets come from: an interface, a file, a pipe; the writer of captures.
//!
//! Below them lies the shared vocabulary: [`time`], [`packet`], [`endpoint`], [`json`], [`limits`].

pub mod cli;
pub mod decode;
pub mod endpoint;
pub mod engine;
pub mod exchange;
pub mod json;
pub mod limits;
pub mod packet;
pub mod protocol;
pub mod report;
pub mod source;
pub mod store;
pub mod stream;
pub mod time;
