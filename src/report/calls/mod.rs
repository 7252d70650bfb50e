//! Exchanges, one at a time as they end. Each writer keeps its buffers, so that an exchange costs
//! no allocation.

mod csv;
mod fields;
mod json;
mod text;

pub use csv::Csv;
pub use fields::{FieldError, Fields, Selection};
pub use json::JsonLines;
pub use text::Text;

#[cfg(test)]
pub mod samples;
