//! Saving the calls of connections.

use crate::endpoint::ConnectionNumber;
use crate::store::Archive;
use crate::tui::view::{Command, Effect};

/// Asks for the exchanges of the connections that `takes` to be saved to `path`, or says that there
/// are none.
pub fn save_calls(
    archive: &Archive,
    takes: impl Fn(ConnectionNumber) -> bool,
    path: &str,
) -> Vec<Command> {
    if path.is_empty() {
        return Vec::new();
    }
    let rows = archive.rows(archive.numbers().start).filter(|row| takes(row.connection));
    let numbers: Vec<_> = rows.map(|row| row.number).collect();
    if numbers.is_empty() {
        return vec![Command::Notice("No call over it is remembered".to_owned())];
    }
    vec![Command::Effect(Effect::save(path.to_owned(), numbers))]
}
