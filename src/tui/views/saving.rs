//! Saving the calls of one connection.

use crate::store::Archive;
use crate::tui::view::{Command, Effect};

/// Asks for the exchanges of a connection to be saved to `path`, or says that there are none.
pub fn save_calls(archive: &Archive, connection: u32, path: &str) -> Vec<Command> {
    if path.is_empty() {
        return Vec::new();
    }
    let of_it = |row: &crate::store::Row| row.connection == connection;
    let rows = archive.rows(archive.numbers().start).filter(of_it);
    let numbers: Vec<_> = rows.map(|row| row.number).collect();
    if numbers.is_empty() {
        return vec![Command::Notice("No call of this connection is remembered".to_owned())];
    }
    vec![Command::Effect(Effect::Save { path: path.to_owned(), numbers })]
}
