//! The list in which columns are switched on and off.

use std::cell::Cell;
use std::rc::Rc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::columns::{Column, Columns};
use crate::exchange::ExchangeNumber;
use crate::tui::keys::{Action, Context};
use crate::tui::table::Selection;
use crate::tui::text::{Align, LineBuilder};
use crate::tui::view::{Command, Mouse, Scene, View};

/// Chooses columns; whoever shows them sees each choice at once.
pub struct Chooser {
    columns: Rc<Cell<Columns>>,
    selection: Selection,
}

impl Chooser {
    /// Chooses these.
    pub fn new(columns: Rc<Cell<Columns>>) -> Self {
        Self { columns, selection: Selection::new(false) }
    }

    fn switch(&mut self) {
        let column = self.selection.selected().and_then(|row| Column::all().nth(row));
        if let Some(column) = column {
            let mut columns = self.columns.get();
            columns.switch(column);
            // A list without any column shows nothing to come back from.
            if columns.iter().next().is_some() {
                self.columns.set(columns);
            }
        }
    }

    /// A line of heading, then the columns.
    fn rows(area: Rect) -> Rect {
        Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
    }
}

impl View for Chooser {
    fn title(&self, _scene: &Scene<'_>) -> String {
        "Columns".to_owned()
    }

    fn context(&self) -> Context {
        Context::Choice
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Command> {
        match action {
            Action::Mark => self.switch(),
            Action::Enter | Action::Back | Action::Columns => return vec![Command::Close],
            _ => _ = self.selection.act(action),
        }
        self.refresh(&[], scene);
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, scene: &Scene<'_>) -> Vec<Command> {
        match mouse {
            Mouse::Click(at) | Mouse::DoubleClick(at) if Self::rows(scene.area).contains(at) => {
                let row =
                    self.selection.in_sight().start + usize::from(at.y - Self::rows(scene.area).y);
                if row < self.selection.rows() {
                    self.selection.select(row);
                    self.switch();
                }
            }
            Mouse::Wheel(_, lines) => self.selection.wheel(lines),
            _ => {}
        }
        Vec::new()
    }

    fn refresh(&mut self, _changed: &[ExchangeNumber], scene: &Scene<'_>) {
        self.selection.fit(Column::all().count(), Self::rows(scene.area).height);
    }

    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        let theme = scene.theme;
        let area = scene.area;
        let mut heading = LineBuilder::new(area.width, &theme.symbols);
        heading.put("Columns", theme.heading);
        heading.put("   Space switches one on or off, Enter goes back", theme.dim);
        heading.draw(buf, area.x, area.y, Align::Left);
        let rows = Self::rows(area);
        let columns = self.columns.get();
        for (y, index) in (rows.y..rows.bottom()).zip(self.selection.in_sight()) {
            let Some(column) = Column::all().nth(index) else { continue };
            let mut pen = LineBuilder::new(rows.width, &theme.symbols);
            pen.put(if columns.has(column) { " [x] " } else { " [ ] " }, Style::new());
            pen.put(column.title(), Style::new()).pad_to(20).put(column.about(), theme.dim);
            pen.draw(buf, rows.x, y, Align::Left);
            if self.selection.selected() == Some(index) {
                buf.set_style(Rect { y, height: 1, ..rows }, theme.selected);
            }
        }
    }
}
