//! The screen: keys → action → state, state → buffer. The only user of ratatui and crossterm.
