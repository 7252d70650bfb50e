//! The screen as a user meets it: keys and clicks in, cells out.

mod app;
mod fuzz;
pub mod harness;
