//! The floors below joined.
