//! What stands around the view: the names of the views, and the keys that work here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{App, LEAST, Present, Tab, scene};
use crate::tui::header;
use crate::tui::keys;
use crate::tui::text::{Align, LineBuilder};

/// The name of a view in the line of names.
pub(super) struct Name {
    pub(super) tab: usize,
    text: String,
    from: u16,
    width: u16,
}

impl Name {
    pub(super) fn holds(&self, x: u16) -> bool {
        (self.from..self.from.saturating_add(self.width)).contains(&x)
    }
}

/// What stands around the view.
impl App {
    /// The names of the views, and behind that of the shown one what was opened over it.
    pub(super) fn names(&self, present: Present<'_>) -> Vec<Name> {
        let scene = scene(&self.theme, present, self.body());
        let arrow = self.theme.symbols.right;
        let mut x = self.area.x;
        let name = |(index, tab): (usize, &Tab)| {
            let mut text = match self.tabs.len() {
                1 => tab.base.title(&scene),
                _ => format!("{} {}", index + 1, tab.base.title(&scene)),
            };
            if index == self.shown {
                for view in &tab.opened {
                    text.push_str(&format!(" {arrow} {}", view.title(&scene)));
                }
            }
            let room = self.area.right().saturating_sub(x);
            let mut pen = LineBuilder::new(room, &self.theme.symbols);
            let width = u16::try_from(pen.put(&format!(" {text} "), Style::new()).width());
            let name = Name { tab: index, text, from: x, width: width.unwrap_or(room) };
            x = x.saturating_add(name.width).saturating_add(1);
            name
        };
        self.tabs.iter().enumerate().map(name).collect()
    }

    pub(super) fn draw_names(&self, present: Present<'_>, buf: &mut Buffer) {
        let y = self.area.y + header::ROWS;
        for name in self.names(present) {
            let style = if name.tab == self.shown { self.theme.selected } else { self.theme.dim };
            let mut pen = LineBuilder::new(name.width, &self.theme.symbols);
            pen.put(&format!(" {} ", name.text), style);
            pen.draw(buf, name.from, y, Align::Left);
        }
    }

    /// The keys that work here, or how a half-typed one can go on.
    pub(super) fn draw_keys(&self, area: Rect, buf: &mut Buffer) {
        let mut pen = LineBuilder::new(area.width, &self.theme.symbols);
        let offers = match self.reader.first() {
            Some(first) => {
                pen.put(first, self.theme.key).put(" then  ", Style::new());
                keys::continuations(self.context(), first)
            }
            None if self.reader.digits().len() > 1 => {
                pen.put(self.reader.digits(), self.theme.key).put("  ", Style::new());
                vec![("G", "goes to this number")]
            }
            None => keys::footer(self.context(), usize::from(area.width)),
        };
        for (nth, (key, short)) in offers.into_iter().enumerate() {
            if nth > 0 {
                pen.put("  ", Style::new());
            }
            pen.put(key, self.theme.key).put(" ", Style::new()).put(short, Style::new());
        }
        pen.draw(buf, area.x, area.y, Align::Left);
    }

    pub(super) fn draw_too_small(&self, buf: &mut Buffer) {
        let sign = if self.theme.symbols.is_ascii { 'x' } else { '×' };
        let size = |(columns, rows): (u16, u16)| format!("{columns}{sign}{rows}");
        let lines = [
            format!("Too small: {}", size((self.area.width, self.area.height))),
            format!("nestscope needs {}", size(LEAST)),
        ];
        for (y, line) in (self.area.y..self.area.bottom()).zip(lines) {
            let mut pen = LineBuilder::new(self.area.width, &self.theme.symbols);
            pen.put(&line, self.theme.warning);
            pen.draw(buf, self.area.x, y, Align::Left);
        }
    }
}
