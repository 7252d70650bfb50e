//! The views: what the screen can show.

pub mod help;
pub mod patterns;
