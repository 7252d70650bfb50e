//! The screen in a real terminal: the built program in tmux, keys in, screen out. What each view
//! shows is compared as text in `src/tui`; here it is shown that all of it comes together.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy takes the helpers of a test for a program"
)]

#[cfg(all(feature = "live", target_os = "linux"))]
#[path = "../common/lab.rs"]
mod lab;
#[path = "../common/tmux.rs"]
mod tmux;

mod ending;
#[cfg(all(feature = "live", target_os = "linux"))]
mod live;
mod looking;
mod looks;
mod playing;
mod saving;
mod start;
