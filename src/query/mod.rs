//! The filter language over exchanges: text → filter, filter + exchange → yes or no.
//!
//! ```text
//!  text ──► lexer ──► parser ──► Filter ──► Evaluator ──► matches(Subject)
//!                       │ fields    │ cheap questions first, answers by pattern remembered
//!                       ▼
//!                  FilterError: the place, what is expected there, what was perhaps meant
//! ```
//!
//! `docs/FILTERS.md` is its reference.

mod complete;
mod error;
mod field;
mod filter;
mod lexer;
mod parser;
mod quoting;
mod row;
mod subject;
mod term;
mod value;

pub use complete::{Candidate, Completions, complete};
pub use error::FilterError;
pub use field::{Field, FieldKind, fields, nearest};
pub use filter::{Evaluator, Filter};
pub use quoting::quoted;
pub use row::{Look, RowFilter, Value};
pub use subject::Subject;

#[cfg(test)]
mod tests;
