//! Keys one by one → what they ask for.

use ratatui::crossterm::event::{KeyEvent, KeyEventKind};

use super::{Action, Context, continuations, lookup, name};

/// What came of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// It asks for this.
    Act(Action),
    /// It is the first of two strokes, or a digit of a number.
    Wait,
    /// It means nothing here.
    Nothing,
}

/// Reads keys one by one and remembers what is half typed: a first stroke, a number.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    first: Option<String>,
    /// At most [`DIGITS`].
    digits: String,
}

/// Digits of a row number: those of a `u64`.
const DIGITS: usize = 19;

impl Reader {
    /// Takes a key.
    pub fn press(&mut self, context: Context, event: &KeyEvent) -> Pressed {
        if event.kind == KeyEventKind::Release {
            return Pressed::Nothing;
        }
        let Some(name) = name(event) else {
            self.forget();
            return Pressed::Nothing;
        };
        if let Some(first) = self.first.take() {
            return lookup(context, &format!("{first} {name}"))
                .map_or(Pressed::Nothing, Pressed::Act);
        }
        if name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_digit()) {
            if self.digits.len() < DIGITS {
                self.digits.push_str(&name);
            }
            return lookup(context, &name).map_or(Pressed::Wait, Pressed::Act);
        }
        let digits = std::mem::take(&mut self.digits);
        let action = lookup(context, &name);
        if let (Some(Action::Bottom | Action::Top), Some(number)) = (action, number(&digits)) {
            return Pressed::Act(Action::GoTo(number));
        }
        if action.is_none() && !continuations(context, &name).is_empty() {
            self.first = Some(name);
            return Pressed::Wait;
        }
        action.map_or(Pressed::Nothing, Pressed::Act)
    }

    /// The first of two strokes, where the second is awaited.
    pub fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// The digits typed so far.
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// Forgets what is half typed.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

/// The number that `digits` tell. One digit of a view was meant for the view: `2G` is the bottom
/// of view 2.
fn number(digits: &str) -> Option<u64> {
    let is_view = matches!(digits, "1" | "2" | "3" | "4" | "5" | "6");
    if is_view { None } else { digits.parse().ok() }
}
