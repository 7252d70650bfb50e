//! The same language over rows that are no exchanges, such as packets: each kind of row brings a
//! table of fields, and tells what it has in each.

use std::fmt;
use std::net::SocketAddr;

use super::error::FilterError;
use super::field::{Fact, Field};
use super::filter::Filter;

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number, a size in bytes, or a duration in nanoseconds.
    Number(i128),
    /// The place of a word among those of the field.
    Word(u32),
    /// A text.
    Text(&'a str),
    /// An address with its port.
    Address(SocketAddr),
}

/// Looks at one value.
pub type Look<'l> = dyn FnMut(&Value<'_>) + 'l;

/// A filter over rows.
#[derive(Clone, Debug)]
pub struct RowFilter(Filter);

impl RowFilter {
    /// Reads a filter over rows that have these `fields`. An empty one matches everything.
    ///
    /// # Errors
    ///
    /// Where the text is no filter: with the place and what is expected there.
    pub fn parse(fields: &'static [Field], text: &str) -> Result<Self, FilterError> {
        Filter::parse_over(fields, text).map(Self)
    }

    /// Whether it says nothing, and so matches everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a row is as wanted. `tell` says every value that it has in the field of that name;
    /// it is asked only for what the answer depends on.
    pub fn matches(&self, tell: &dyn Fn(&str, &mut Look<'_>)) -> bool {
        self.0.answer(&mut |term| match term.fact {
            Fact::OfRow(name) => Some(term.matches_row(|look| tell(name, look))),
            _ => None,
        })
    }
}

impl fmt::Display for RowFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
