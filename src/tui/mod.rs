//! The screen: keys → action → state, state → buffer. The only user of ratatui and crossterm.

pub mod charts;
pub mod keys;
pub mod status;
pub mod theme;
pub mod view;
