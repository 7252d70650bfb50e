//! The bytes of the selected packet, as hex and text.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::reading::Reading;
use crate::tui::find::Needle;
use crate::tui::hex::{self, Part};
use crate::tui::keys::Action;
use crate::tui::table::Scroll;
use crate::tui::text::put;
use crate::tui::theme::Theme;

/// Places of what is looked for that are marked in one packet: more than fit on a screen.
const MARKED: usize = 1_000;

/// The pane below the list.
#[derive(Debug)]
pub struct BytesPane {
    is_shown: bool,
    /// Whether it has all the room.
    is_zoomed: bool,
    /// Whether keys that move move in it.
    is_focused: bool,
    scroll: Scroll,
}

impl Default for BytesPane {
    fn default() -> Self {
        Self { is_shown: true, is_zoomed: false, is_focused: false, scroll: Scroll::default() }
    }
}

impl BytesPane {
    /// Its rows, the line above it among them, where there is room for `rows` in all.
    pub const fn height(&self, rows: u16) -> u16 {
        match (self.is_shown, self.is_zoomed) {
            (false, _) => 1,
            (true, false) => 1 + rows * 2 / 5,
            (true, true) => rows,
        }
    }

    /// Whether keys that move move in it.
    pub const fn is_focused(&self) -> bool {
        self.is_shown && (self.is_focused || self.is_zoomed)
    }

    /// Lets keys move in it, or in the list.
    pub const fn focus(&mut self, focused: bool) {
        self.is_focused = focused;
    }

    /// Another packet: shown from its first byte.
    pub fn top(&mut self) {
        self.scroll = Scroll::default();
    }

    /// Its room is `pane`, of which the first row is the line above it.
    pub fn fit(&mut self, reading: Option<&Reading>, pane: Rect) {
        let len = reading.and_then(|reading| reading.data.as_ref().ok()).map_or(0, Vec::len);
        let rows = hex::rows(len, pane.width.saturating_sub(1));
        self.scroll.fit(rows, pane.height.saturating_sub(1));
    }

    /// Gives room back, or the keys; whether there was anything to give.
    pub const fn back(&mut self) -> bool {
        let had = self.is_focused();
        self.is_zoomed = false;
        self.is_focused = false;
        had
    }

    /// Does what `action` asks of it; whether it did.
    pub fn act(&mut self, action: Action) -> bool {
        match action {
            Action::Hex => {
                self.is_shown = !self.is_shown;
                self.is_zoomed &= self.is_shown;
                self.is_focused &= self.is_shown;
            }
            Action::Zoom => {
                self.is_zoomed = !self.is_zoomed;
                self.is_shown = true;
            }
            Action::NextPane | Action::PreviousPane => {
                self.is_focused = self.is_shown && !self.is_focused;
            }
            _ => return self.is_focused() && self.scroll.act(action),
        }
        true
    }

    /// Scrolls by lines, downwards positive.
    pub fn wheel(&mut self, lines: i32) {
        self.scroll.by(i64::from(lines));
    }

    /// Draws the bytes: headers dim, what is looked for marked.
    pub fn draw(
        &self,
        reading: Option<&Reading>,
        needle: Option<&Needle>,
        area: Rect,
        theme: &Theme,
        buf: &mut Buffer,
    ) {
        if area.height == 0 {
            return;
        }
        let Some(reading) = reading else { return };
        let data = match &reading.data {
            Ok(data) => data,
            Err(gone) => {
                put(buf, (area.x, area.y), area.width, gone, theme.warning, theme);
                return;
            }
        };
        let room = self.scroll.draw_bar(area, theme, buf);
        let mut parts = vec![Part { range: 0..data.len(), style: theme.dim }];
        if let Some(headers) = &reading.headers {
            parts.push(Part { range: headers.payload.clone(), style: Style::new() });
        }
        let mut from = 0;
        while let Some(range) = needle.and_then(|needle| needle.find(data, from))
            && parts.len() < MARKED
        {
            from = range.end;
            parts.push(Part { range, style: theme.found });
        }
        hex::draw(data, &parts, self.scroll.offset(), room, buf, theme);
    }
}
