//! Charts: pure drawing of numbers into the cells of a buffer, in Unicode or ASCII, with colour or
//! without.
//!
//! Each chart is laid out for an area first: what it then says of a position, a bar or a cell is
//! what it draws there. A selection is kept as what it means (a latency, a time), not as a column,
//! so that it stays while the data grows and the terminal changes its size.

mod axis;
mod canvas;
mod curve;
mod heat;
mod histogram;
mod rate;

pub use axis::{bound, span};
pub use curve::Curve;
pub use heat::{Cell, HeatMap};
pub use histogram::{Bars, Marks};
pub use rate::{Rate, columns, sparkline};

/// The fewest columns and rows in which a chart is drawn; with less room its numbers are told.
const LEAST: (u16, u16) = (24, 6);

#[cfg(test)]
mod tests;
