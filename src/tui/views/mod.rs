//! The views: what the screen can show.

pub mod call;
pub mod calls;
pub mod help;
pub mod start;
pub mod patterns;
