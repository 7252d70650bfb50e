//! Numbers and exchanges → text, JSON, CSV, Markdown. Every writer is pure: it takes what to tell
//! and a `Write`, and knows no terminal, no clock and no file. Nothing that came from the wire
//! reaches the output raw: [`visible()`] is for people, `payload` for JSON and CSV.

pub mod calls;
mod civil;
mod completeness;
mod interfaces;
mod layout;
mod moments;
pub mod packet_line;
mod payload;
pub mod summary;
pub mod table;
mod units;
mod visible;

pub use civil::{Civil, millis};
pub use completeness::{Loss, Losses};
pub use interfaces::Interfaces;
pub use layout::{Layout, Palette};
pub use moments::{Moments, TimeFormat};
pub use summary::{Summary, UNKNOWN_COLUMNS, unknown_protocol};
pub use units::{count, counted, percent, size};
pub use visible::{BYTES_PER_COLUMN, is_acting, push_fitting, push_visible, visible};

/// The error below one of the csv crate, whose own conversion hides its kind, and with it that
/// nobody reads the output any more.
fn csv_error(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}
