//! nestscope reads packets, puts TCP streams together, decodes the messages of NestJS
//! microservices, pairs each request with its replies, and measures what the caller waited.
//!
//! ```text
//!  live ─┐           ┌──────────────────────── engine ───────────────────────┐
//!  file ─┼─ source ─►│ decode ──► stream ──► protocol ──► exchange           │─► store ─► report
//!  pipe ─┘ Packet<'_>│   Segment<'_>  Chunk<'_>   Message<'_>   Exchange<'_> │
//!                    └───────────────────────────────────────────────────────┘
//! ```
//!
//! Each module is a floor of the house and imports only from the floors below it
//! (`tests/floors.rs` holds that). From the top:
//!
//! - [`cli`]: what was typed, what it means, one file per command; the wiring, the only clock.
//! - [`tui`]: the screen: keys → action → state, state → buffer. The only user of ratatui.
//! - [`export`]: exchanges → files and commands that others take: pcapng, `nc`, TypeScript. Pure.
//! - [`report`]: numbers and exchanges → text, JSON, CSV, Markdown. Pure, to a `Write`.
//! - [`store`]: what was learned, bounded: exchanges and where their bytes lie, statistics, losses.
//! - [`query`]: the filter language over exchanges.
//! - [`engine`]: the floors below joined; no root, file, thread or clock. Where tests enter.
//! - [`exchange`]: messages → exchanges: pairing, and the one place where latency is computed.
//! - [`protocol`]: bytes → messages: a decoder per protocol, chosen by a table.
//! - [`stream`]: segments → bytes in order, per side of a connection.
//! - [`decode`]: one packet → its TCP segment. Link, IP, fragments.
//! - [`source`]: where packets come from: an interface, a file, a pipe; the writer of captures.
//!
//! Below them lies the shared vocabulary: [`time`], [`packet`], [`endpoint`], [`json`], [`limits`],
//! [`names`].

pub mod cli;
pub mod decode;
pub mod endpoint;
pub mod engine;
pub mod exchange;
pub mod export;
pub mod json;
pub mod limits;
pub mod names;
pub mod packet;
pub mod protocol;
pub mod query;
pub mod report;
pub mod source;
pub mod store;
pub mod stream;
pub mod time;
pub mod tui;
