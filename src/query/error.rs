//! Why a text is no filter, and where.

use std::fmt;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// Why a text is no filter. As text it is the message, the filter, and a line of `^` below the
/// place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The bytes of the text that are wrong; empty, at its end, where something is missing.
    pub span: Range<usize>,
    /// What was found, what is expected there, and what was perhaps meant; one line.
    pub message: String,
    text: String,
}

impl FilterError {
    pub(super) fn new(text: &str, span: Range<usize>, message: String) -> Self {
        Self { span, message, text: text.to_owned() }
    }
}

impl std::error::Error for FilterError {}

/// Characters of a long filter that are shown on either side of the place, and of the place itself.
const SHOWN: usize = 36;

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text.char_indices().take_while(|(at, _)| *at < self.span.start).count();
        let place = self.text.char_indices().filter(|(at, _)| self.span.contains(at)).count();
        let shown = before.saturating_sub(SHOWN)..before + place.min(SHOWN) + SHOWN;
        let (mut text, mut marks) = (String::new(), String::new());
        if shown.start > 0 {
            text.push('…');
            marks.push(' ');
        }
        let cells = self.text.chars().enumerate();
        for (index, c) in cells.skip(shown.start).take(shown.len()) {
            let (c, width) = cell(c);
            let mark = if (before..before + place).contains(&index) { "^" } else { " " };
            text.push(c);
            marks.push_str(&mark.repeat(width));
        }
        if self.text.chars().nth(shown.end).is_some() {
            text.push('…');
        }
        if place == 0 {
            marks.push('^');
        }
        write!(f, "{}\n  {text}\n  {}", self.message, marks.trim_end())
    }
}

/// A character as it is shown, and its width. What has none would shift what stands below it.
fn cell(c: char) -> (char, usize) {
    match c.width() {
        Some(width @ 1..) => (c, width),
        _ if c.is_whitespace() => (' ', 1),
        _ => (char::REPLACEMENT_CHARACTER, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, span: Range<usize>) -> String {
        FilterError::new(text, span, "no".to_owned()).to_string()
    }

    #[test]
    fn the_place_is_marked_whatever_stands_before_it() {
        assert_eq!(shown("a == b", 5..6), "no\n  a == b\n       ^");
        assert_eq!(shown("a ==", 4..4), "no\n  a ==\n      ^");
        assert_eq!(shown("求和\t\u{202e}= x", 10..11), "no\n  求和 \u{fffd}= x\n        ^");
    }

    #[test]
    fn a_long_filter_is_shown_around_the_place() {
        let text = format!("{}oops{}", "a ".repeat(1_000), " b".repeat(1_000));
        let shown = shown(&text, 2_000..2_004);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[1].chars().count(), 2 + 1 + 36 + 4 + 36 + 1);
        assert_eq!(lines[1].find("oops").map(|at| at - '…'.len_utf8() + 1), lines[2].find('^'));
        assert!(lines[1].ends_with('…'));
    }
}
