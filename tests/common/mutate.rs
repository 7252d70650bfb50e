//! What wire, tap and format can do to a capture.
