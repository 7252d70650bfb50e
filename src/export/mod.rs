//! Exchanges → what other programs take. Pure, to a `Write` or a `String`.
