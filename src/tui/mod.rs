//! The screen: keys → action → state, state → buffer. The only user of ratatui and crossterm.
//!
//! ```text
//!  terminal::events ──► App::key, mouse, paste ──► View::act … ──► Command ──► Effect ──► cli
//!                       App::refresh ────────────► View::refresh
//!                       App::draw ───────────────► View::draw ──► Buffer ──► terminal
//! ```

pub mod app;
pub mod charts;
pub mod filters;
pub mod find;
mod header;
pub mod hex;
pub mod json_tree;
pub mod keys;
pub mod question;
pub mod search;
pub mod status;
pub mod table;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod view;
pub mod views;
pub mod wrapped;

#[cfg(test)]
mod tests;
