//! The views: what the screen can show.

pub mod calls;
pub mod help;
