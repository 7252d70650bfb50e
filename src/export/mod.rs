//! Exchanges → what other programs take: captures, lines of JSON or CSV, commands that repeat a
//! call. Pure, to a `Write` or a `String`.

mod commands;
mod saved;

pub use commands::{netcat, typescript};
pub use saved::{Form, Saved, save};
