//! The help: every key that works where it was asked for, how to filter, then all other keys. Made
//! from the key table and from what the language of filters tells of itself.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use crate::exchange::ExchangeNumber;
use crate::tui::keys::{self, Action, Binding, Context};
use crate::tui::table::Scroll;
use crate::tui::text::{Align, LineBuilder};
use crate::tui::view::{Command, Mouse, Scene, View};

/// Columns of the keys and words.
const KEYS: usize = 18;

/// The help, as asked for in one place.
#[derive(Debug)]
pub struct Help {
    lines: Vec<Line>,
    scroll: Scroll,
}

#[derive(Clone, Debug)]
enum Line {
    Heading(String),
    Row(String, String),
    Blank,
}

impl Help {
    /// The help for who was in `context`. `filters`: words of the language and their sentences; a
    /// heading has none.
    pub fn new(context: Context, filters: &[(String, String)]) -> Self {
        let own = |row: &&Binding| !row.contexts.is_empty();
        let mut lines = Vec::new();
        add(&mut lines, "Here", keys::bindings(context).filter(own));
        let shared = keys::TABLE.iter().filter(|row| row.contexts.is_empty());
        add(&mut lines, "Everywhere", shared);
        if !filters.is_empty() {
            lines.push(Line::Blank);
            lines.push(Line::Heading("Filters".to_owned()));
        }
        lines.extend(filters.iter().map(|(word, sentence)| match sentence.as_str() {
            "" => Line::Heading(word.clone()),
            sentence => Line::Row(word.clone(), sentence.to_owned()),
        }));
        for (other, name) in SECTIONS.iter().filter(|(other, _)| *other != context) {
            // What is the same there was told already.
            let rows = keys::bindings(*other).filter(own).filter(|row| !row.holds_in(context));
            add(&mut lines, name, rows);
        }
        Self { lines, scroll: Scroll::default() }
    }
}

/// The places that have keys of their own, as the help calls them.
const SECTIONS: [(Context, &str); 11] = [
    (Context::Start, "On the start page"),
    (Context::Calls, "In the calls"),
    (Context::Call, "In a call"),
    (Context::Patterns, "In the patterns"),
    (Context::Pattern, "In a pattern"),
    (Context::Connections, "In the connections"),
    (Context::Stream, "In a stream"),
    (Context::Packets, "In the packets"),
    (Context::Servers, "In the servers"),
    (Context::Choice, "In a list of choices"),
    (Context::Help, "In this help"),
];

fn add(lines: &mut Vec<Line>, heading: &'static str, rows: impl Iterator<Item = &'static Binding>) {
    if !lines.is_empty() {
        lines.push(Line::Blank);
    }
    lines.push(Line::Heading(heading.to_owned()));
    lines.extend(rows.map(|row| Line::Row(row.keys.join("  "), row.help.to_owned())));
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

    fn refresh(&mut self, _changed: &[ExchangeNumber], scene: &Scene<'_>) {
        self.scroll.fit(self.lines.len(), scene.area.height);
    }

    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        let theme = scene.theme;
        let text = self.scroll.draw_bar(scene.area, theme, buf);
        let rows = text.y..text.bottom();
        for (y, line) in rows.zip(self.lines.iter().skip(self.scroll.offset())) {
            let mut pen = LineBuilder::new(text.width, &theme.symbols);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::filters::Filters;
    use crate::tui::question::Checker;
    use crate::tui::theme::Theme;
    use crate::tui::view::Rows;

    /// All that the help of `context` tells, however long it is.
    fn told(context: Context) -> String {
        let mut help = Help::new(context, &Filters.help(Rows::Calls));
        let (capture, status) = Default::default();
        let theme = Theme::new(false, true);
        let area = ratatui::layout::Rect::new(0, 0, 80, 400);
        let scene = Scene {
            capture: &capture,
            status: &status,
            now: Default::default(),
            theme: &theme,
            area,
        };
        let mut buf = Buffer::empty(area);
        help.refresh(&[], &scene);
        help.draw(&scene, &mut buf);
        let line = |y| -> String { (0..80).map(|x| buf[(x, y)].symbol()).collect() };
        (0..400).map(|y| line(y).trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn it_tells_every_key_without_cutting_a_sentence() {
        for (context, _) in SECTIONS {
            let told = told(context);
            for row in keys::TABLE {
                assert!(told.contains(row.help), "{} in {context:?}", row.help);
                assert!(row.keys.iter().all(|key| told.contains(key)), "{:?}", row.keys);
            }
            assert!(told.is_ascii());
            assert!(told.contains("join conditions"));
        }
    }

    #[test]
    fn it_looks_like_this() {
        insta::assert_snapshot!(told(Context::Calls).trim_end());
    }

    #[test]
    fn it_scrolls_and_is_left() {
        let mut help = Help::new(Context::Calls, &[]);
        let (capture, status) = Default::default();
        let theme = Theme::new(false, true);
        let area = ratatui::layout::Rect::new(0, 3, 80, 20);
        let scene = Scene {
            capture: &capture,
            status: &status,
            now: Default::default(),
            theme: &theme,
            area,
        };
        help.refresh(&[], &scene);
        help.act(Action::Down, &scene);
        assert_eq!(help.scroll.offset(), 1);
        help.act(Action::Bottom, &scene);
        assert_eq!(help.scroll.in_sight().end, help.lines.len());
        help.mouse(Mouse::Wheel(Default::default(), -3), &scene);
        assert_eq!(help.scroll.in_sight().end, help.lines.len() - 3);
        assert!(matches!(help.act(Action::Back, &scene)[..], [Command::Close]));
    }
}
