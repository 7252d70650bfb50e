//! JSON as Nest peers write it.
