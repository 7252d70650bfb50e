//! The views: what the screen can show.

pub mod call;
pub mod calls;
mod carried;
pub mod connections;
pub mod help;
pub mod start;
pub mod patterns;
pub mod packets;
mod saving;
#[cfg(test)]
mod stage;
pub mod stream;
mod times;
mod waiting;
