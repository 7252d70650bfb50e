//! Keys. The footer and the help are made from their table, so that they cannot go stale.
//!
//! ```text
//!  KeyEvent ──► name ──► Reader (two strokes, numbers) ──► TABLE (by Context) ──► Action
//! ```

mod action;
mod reader;
mod table;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

pub use self::action::{Action, Context};
pub use self::reader::{Pressed, Reader};
pub use self::table::{Binding, TABLE};

/// The name of a key as the table has it: `j`, `^F`, `PgDn`, `Shift-Tab`; `None` for keys that have
/// none.
pub fn name(event: &KeyEvent) -> Option<String> {
    let held = event.modifiers;
    if held.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META) {
        return None;
    }
    let name = match event.code {
        KeyCode::Char(c) if held.contains(KeyModifiers::CONTROL) => {
            return Some(format!("^{}", c.to_ascii_uppercase()));
        }
        KeyCode::Char(' ') => "Space",
        KeyCode::Char(c) => return Some(c.to_string()),
        KeyCode::F(number) => return Some(format!("F{number}")),
        KeyCode::Tab if held.contains(KeyModifiers::SHIFT) => "Shift-Tab",
        KeyCode::BackTab => "Shift-Tab",
        KeyCode::Tab => "Tab",
        KeyCode::Up => "Up",
        KeyCode::Down => "Down",
        KeyCode::Left => "Left",
        KeyCode::Right => "Right",
        KeyCode::PageUp => "PgUp",
        KeyCode::PageDown => "PgDn",
        KeyCode::Home => "Home",
        KeyCode::End => "End",
        KeyCode::Enter => "Enter",
        KeyCode::Esc => "Esc",
        _ => return None,
    };
    Some(name.to_owned())
}

/// What the key of this name asks for in `context`.
pub fn lookup(context: Context, name: &str) -> Option<Action> {
    bindings(context).find(|binding| binding.keys.contains(&name)).map(|binding| binding.action)
}

/// The rows that hold in `context`.
pub fn bindings(context: Context) -> impl Iterator<Item = &'static Binding> {
    TABLE.iter().filter(move |binding| binding.holds_in(context))
}

/// What a footer of `columns` offers in `context`: keys and words, as many as fit in the order of
/// their priority, shown in the order of the table. Two blanks stand between them. Keys that come
/// in two strokes are offered once, by their first.
pub fn footer(context: Context, columns: usize) -> Vec<(&'static str, &'static str)> {
    let mut offers: Vec<(usize, u8, &str, &str)> = Vec::new();
    for (place, row) in bindings(context).enumerate().filter(|(_, row)| row.priority > 0) {
        match row.keys.iter().find_map(|key| key.split_once(' ')) {
            None => {
                let key = row.keys.first().copied().unwrap_or_default();
                offers.push((place, row.priority, key, row.short));
            }
            Some((first, _)) if offers.iter().all(|(_, _, key, _)| *key != first) => {
                offers.push((place, row.priority, first, COPY));
            }
            Some(_) => {}
        }
    }
    offers.sort_by_key(|(place, priority, ..)| (Reverse(*priority), *place));
    // No blanks follow the last one.
    let mut room = columns + GAP;
    offers.retain(|(_, _, key, short)| {
        let width = key.len() + 1 + short.len() + GAP;
        let fits = width <= room;
        room -= if fits { width } else { 0 };
        fits
    });
    offers.sort_by_key(|(place, ..)| *place);
    offers.into_iter().map(|(_, _, key, short)| (key, short)).collect()
}

/// What all keys of two strokes do.
const COPY: &str = "copy";

/// Columns between two keys of the footer.
const GAP: usize = 2;

/// What can follow `prefix` in `context`: the second strokes and their words.
pub fn continuations(context: Context, prefix: &str) -> Vec<(&'static str, &'static str)> {
    let second = |key: &'static str| key.strip_prefix(prefix)?.strip_prefix(' ');
    bindings(context)
        .filter_map(|binding| {
            let key = binding.keys.iter().copied().rev().find_map(second)?;
            Some((key, binding.short))
        })
        .collect()
}
