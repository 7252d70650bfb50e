//! The help: every key that works where it was asked for, then all others, made from the key table.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use crate::tui::keys::{self, Action, Binding, Context};
use crate::tui::table::Scroll;
use crate::tui::text::{Align, Pen};
use crate::tui::view::{Command, Mouse, Scene, View};

/// Columns of the keys.
const KEYS: usize = 14;

/// The help, as asked for in one place.
#[derive(Debug)]
pub struct Help {
    lines: Vec<Line>,
    scroll: Scroll,
}

#[derive(Clone, Debug)]
enum Line {
    Heading(&'static str),
    Row(String, &'static str),
    Blank,
}

impl Help {
    /// The help for who was in `context`.
    pub fn new(context: Context) -> Self {
        let mut lines = Vec::new();
        add(&mut lines, "Here", keys::bindings(context).filter(|row| !row.contexts.is_empty()));
        add(&mut lines, "Everywhere", keys::TABLE.iter().filter(|row| row.contexts.is_empty()));
        for (other, name) in SECTIONS.iter().filter(|(other, _)| *other != context) {
            let rows = keys::bindings(*other).filter(|row| !row.contexts.is_empty());
            add(&mut lines, name, rows);
        }
        Self { lines, scroll: Scroll::default() }
    }
}

/// The places that have keys of their own, as the help calls them.
const SECTIONS: [(Context, &str); 9] = [
    (Context::Start, "On the start page"),
    (Context::Calls, "In the calls"),
    (Context::Call, "In a call"),
    (Context::Patterns, "In the patterns"),
    (Context::Pattern, "In a pattern"),
    (Context::Connections, "In the connections"),
    (Context::Stream, "In a stream"),
    (Context::Packets, "In the packets"),
    (Context::Choice, "In a list of choices"),
];

fn add(lines: &mut Vec<Line>, heading: &'static str, rows: impl Iterator<Item = &'static Binding>) {
    if !lines.is_empty() {
        lines.push(Line::Blank);
    }
    lines.push(Line::Heading(heading));
    lines.extend(rows.map(|row| Line::Row(row.keys.join("  "), row.help)));
}

impl View for Help {
    fn title(&self, _scene: &Scene<'_>) -> String {
        "Help".to_owned()
    }

    fn context(&self) -> Context {
        Context::Help
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Command> {
        match action {
            Action::Back => return vec![Command::Close],
            Action::Enter => _ = self.scroll.act(Action::PageDown),
            _ => _ = self.scroll.act(action),
        }
        self.refresh(&[], scene);
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, scene: &Scene<'_>) -> Vec<Command> {
        if let Mouse::Wheel(_, lines) = mouse {
            self.scroll.by(i64::from(lines));
            self.refresh(&[], scene);
        }
        Vec::new()
    }

    fn refresh(&mut self, _changed: &[u64], scene: &Scene<'_>) {
        self.scroll.fit(self.lines.len(), scene.area.height);
    }

    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        let theme = scene.theme;
        let text = self.scroll.draw_bar(scene.area, theme, buf);
        let rows = text.y..text.bottom();
        for (y, line) in rows.zip(self.lines.iter().skip(self.scroll.offset())) {
            let mut pen = Pen::new(text.width, &theme.symbols);
            match line {
                Line::Heading(heading) => pen.put(heading, theme.heading),
                Line::Row(keys, help) => pen
                    .put("  ", Style::new())
                    .put(keys, theme.key)
                    .put("  ", Style::new())
                    .pad_to(KEYS)
                    .put(help, Style::new()),
                Line::Blank => &mut pen,
            };
            pen.draw(buf, text.x, y, Align::Left);
        }
    }
}
