//! The screen: keys → action → state, state → buffer. The only user of ratatui and crossterm.

pub mod find;
pub mod hex;
pub mod json_tree;
pub mod keys;
mod pen;
pub mod status;
pub mod theme;
pub mod view;
pub mod wrapped;
