//! The patterns: what each costs, and for the selected one how its latencies are spread.
//!
//! ```text
//!        ┌───────┐  Enter, Tab   ┌────────────────────────────────┐  Enter
//!        │ table │ ────────────► │ histogram ─ Tab ─ curve ─ heat │ ────────► calls, filtered
//!        └───────┘ ◄──────────── └────────────────────────────────┘
//!                   Esc, Tab       arrows choose a bar or a cell
//! ```

mod charts;
mod chosen;
mod lines;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use charts::{Chart, Charts, Choice};
use chosen::Chosen;
use lines::{COLUMNS, Key, Line, TOTAL, rises, sorts};

use crate::exchange::ExchangeNumber;
use crate::limits;
use crate::report::count;
use crate::store::Row;
use crate::tui::keys::{Action, Context};
use crate::tui::status::Activity;
use crate::tui::table::{Hit, Selection, TITLES, Table};
use crate::tui::text::{found, put};
use crate::tui::view::{Command, Effect, Mouse, Question, Rows, Scene, View};

/// How long lines are shown before they are counted anew, while exchanges come.
const FRESH: Duration = Duration::from_millis(250);

/// With fewer columns or rows there is either the table or the charts.
const ROOM_FOR_BOTH: (u16, u16) = (96, 28);

/// The patterns view.
#[derive(Debug, Default)]
pub struct Patterns {
    lines: Vec<Line>,
    /// By the clock of the run; `None` where they must be counted anew.
    counted: Option<Duration>,
    /// Exchanges came since.
    stale: bool,
    sorted: Option<(usize, bool)>,
    selection: Selection,
    /// The selected pattern, wherever its line goes.
    selected: Option<Key>,
    marks: HashSet<Key>,
    /// The focused chart; `None` while the keys move in the table.
    focus: Option<Chart>,
    /// Whether the charts have all the room.
    zoomed: bool,
    choice: Choice,
    search: String,
}

impl Patterns {
    /// Knows no pattern yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The room of the table, and of the charts.
    fn rooms(&self, area: Rect) -> (Option<Rect>, Option<Rect>) {
        let has_both = area.width >= ROOM_FOR_BOTH.0 && area.height >= ROOM_FOR_BOTH.1;
        match (self.zoomed, has_both) {
            (true, _) => (None, Some(area)),
            (false, false) => (Some(area), None),
            (false, true) => {
                let upper = area.height * 2 / 5;
                let table = Rect { height: upper - 1, ..area };
                let charts = Rect { y: area.y + upper, height: area.height - upper, ..area };
                (Some(table), Some(charts))
            }
        }
    }

    fn table(&self) -> Table<'_> {
        let sorted = Some(self.sorted.unwrap_or((TOTAL, false)));
        Table { columns: &COLUMNS, selection: &self.selection, sorted }
    }

    fn line(&self) -> Option<&Line> {
        self.lines.get(self.selection.selected()?)
    }

    /// Asks the charts of the selected pattern, where they are shown.
    fn with_charts<R>(&self, scene: &Scene<'_>, ask: impl FnOnce(&Charts<'_>) -> R) -> Option<R> {
        let (_, area) = self.rooms(scene.area);
        let line = self.line()?;
        let (kind, id) = line.key;
        let rows = scene.capture.statistics().patterns();
        let row = rows.into_iter().find(|row| (row.kind, row.id) == line.key)?;
        let timeline = scene.capture.timelines().get(kind, id)?;
        let focused = self.focus.unwrap_or_default();
        Some(ask(&Charts { scene, line, row, timeline, area: area?, focused }))
    }

    /// What is chosen: in a chart, or the selected line.
    fn chosen(&self, scene: &Scene<'_>) -> Option<Chosen> {
        let in_chart =
            self.focus.and_then(|_| self.with_charts(scene, |charts| charts.chosen(&self.choice)));
        let line = self.line()?;
        let (kind, id) = line.key;
        let pattern = line.pattern.clone();
        Some(in_chart.unwrap_or(Chosen { id, pattern, kind, latency: None, from: None, to: None }))
    }

    fn show_calls(&self, scene: &Scene<'_>) -> Vec<Command> {
        let Some(chosen) = self.chosen(scene) else { return Vec::new() };
        vec![match chosen.filter() {
            Some(filter) => Command::ShowCalls(filter),
            None => Command::Notice(too_many()),
        }]
    }

    fn count_anew(&mut self, scene: &Scene<'_>) {
        self.lines = Line::all(scene.capture, scene.now);
        if self.lines.is_empty() {
            self.marks.clear();
        }
        self.counted = Some(scene.status.running);
        self.stale = false;
        self.sort();
    }

    /// Puts the lines into order; what is equal stays as the statistics have it. The selected
    /// pattern stays selected.
    fn sort(&mut self) {
        if let Some((column, upwards)) = self.sorted {
            self.lines.sort_by(|one, other| {
                let order = one.compare(other, column);
                if upwards { order } else { order.reverse() }
            });
        }
        self.follow_selected();
    }

    fn follow_selected(&mut self) {
        let at = |key: Key| self.lines.iter().position(|line| line.key == key);
        if let Some(row) = self.selected.and_then(at) {
            self.selection.keep(row);
        }
    }

    fn sort_by(&mut self, column: usize) {
        self.sorted = Some(match self.sorted.unwrap_or((TOTAL, false)) {
            (same, upwards) if same == column => (column, !upwards),
            _ => (column, rises(column)),
        });
        // From the order of the statistics, so that equal lines stand as they do there.
        self.counted = None;
    }

    /// Sorts by the next column that is shown, to the right or to the left.
    fn sort_beside(&mut self, right: bool, scene: &Scene<'_>) {
        let shown: Vec<_> = self.table().shown(scene.area.width);
        let shown: Vec<_> = shown.into_iter().filter(|column| sorts(*column)).collect();
        let (now, _) = self.sorted.unwrap_or((TOTAL, false));
        let at = shown.iter().position(|column| *column == now);
        let last = shown.len().saturating_sub(1);
        let next = match (at, right) {
            (Some(at), true) if at < last => at + 1,
            (Some(0), false) => last,
            (Some(at), false) => at - 1,
            _ => 0,
        };
        if let Some(&column) = shown.get(next).filter(|column| **column != now) {
            self.sort_by(column);
        }
    }

    /// Selects a line and remembers which pattern that is.
    fn select(&mut self, row: usize) {
        self.selection.select(row);
        self.note_selected();
    }

    fn note_selected(&mut self) {
        let key = self.line().map(|line| line.key);
        if key != self.selected {
            self.choice = Choice::default();
        }
        self.selected = key;
    }

    fn move_focus(&mut self, forward: bool, scene: &Scene<'_>) {
        let (table, charts) = self.rooms(scene.area);
        if charts.is_none() {
            return;
        }
        let beyond = if table.is_some() { None } else { Some(Chart::first(forward)) };
        self.focus = match self.focus {
            Some(chart) => chart.next(forward).or(beyond),
            None => Some(Chart::first(forward)),
        };
    }

    /// Into the charts; where they are not shown beside the table, over it.
    fn open_charts(&mut self, scene: &Scene<'_>) {
        if self.line().is_none() {
            return;
        }
        self.zoomed |= self.rooms(scene.area).1.is_none();
        self.focus = Some(self.focus.unwrap_or_default());
    }

    fn zoom(&mut self, scene: &Scene<'_>) {
        if self.zoomed {
            self.zoomed = false;
            if self.rooms(scene.area).1.is_none() {
                self.focus = None;
            }
        } else if self.line().is_some() {
            self.zoomed = true;
            self.focus = Some(self.focus.unwrap_or_default());
        }
    }

    fn back(&mut self) -> Vec<Command> {
        if self.focus.is_none() {
            return vec![Command::Close];
        }
        self.focus = None;
        self.zoomed = false;
        Vec::new()
    }

    /// To the next line whose pattern holds what was searched for.
    fn find(&mut self, forward: bool) -> Vec<Command> {
        let lines = self.lines.len();
        let from = self.selection.selected().unwrap_or(0);
        let nth = |step: usize| if forward { from + step } else { from + lines - step } % lines;
        let hit = (1..=lines).map(nth).find(|row| {
            let line = self.lines.get(*row);
            line.is_some_and(|line| !found(line.name(), &self.search).is_empty())
        });
        match hit {
            Some(row) => {
                self.select(row);
                Vec::new()
            }
            None => vec![Command::Notice(format!("no pattern holds \"{}\"", self.search))],
        }
    }

    fn mark(&mut self) {
        let Some(key) = self.selected else { return };
        if !self.marks.remove(&key) {
            self.marks.insert(key);
        }
        if self.focus.is_none() {
            self.selection.act(Action::Down);
            self.note_selected();
        }
    }

    fn mark_all(&mut self) {
        let keys = self.lines.iter().map(|line| line.key);
        self.marks = if self.marks.is_empty() { keys.collect() } else { HashSet::new() };
    }

    fn ask_where_to_save(&self) -> Vec<Command> {
        let which = match self.marks.len() {
            0 => "selected".to_owned(),
            marked => format!("{} marked", count(marked as u64)),
        };
        let label = format!("Save the calls of the {which} as (.pcapng, .jsonl, .csv):");
        vec![Command::Ask(Question { label, ..Question::save("nestscope-pattern.pcapng") })]
    }

    /// Saves the calls of the patterns that are marked, or those that are chosen.
    fn save(&self, path: &str, scene: &Scene<'_>) -> Vec<Command> {
        let chosen = self.chosen(scene);
        let takes = |row: &Row| match self.marks.is_empty() {
            true => chosen.as_ref().is_some_and(|chosen| chosen.takes(row)),
            false => self.marks.contains(&(row.kind, row.pattern)),
        };
        let rows = scene.capture.archive().rows(ExchangeNumber(0)).filter(takes);
        let numbers = rows.map(|row| row.number).collect();
        vec![Command::Effect(Effect::save(path.to_owned(), numbers))]
    }

    /// Moves in the table, or in the focused chart.
    fn go(&mut self, action: Action, scene: &Scene<'_>) {
        if self.focus.is_some() {
            let mut choice = self.choice;
            self.with_charts(scene, |charts| charts.act(action, &mut choice));
            self.choice = choice;
        } else if self.selection.act(action) {
            self.note_selected();
        }
    }

    fn click(&mut self, position: Position, scene: &Scene<'_>) -> bool {
        let (table, charts) = self.rooms(scene.area);
        if let Some(hit) = table.and_then(|area| self.table().hit(area, position)) {
            self.focus = None;
            match hit {
                Hit::Title(column) if sorts(column) => self.sort_by(column),
                Hit::Title(_) => {}
                Hit::Row(row, _) => {
                    self.select(row);
                    return true;
                }
            }
        } else if charts.is_some_and(|area| area.contains(position)) {
            let mut choice = self.choice;
            let chart = self.with_charts(scene, |charts| charts.choose(position, &mut choice));
            self.choice = choice;
            self.focus = chart.flatten().or(self.focus);
            return chart.flatten().is_some();
        }
        false
    }

    fn draw_table(&self, area: Rect, scene: &Scene<'_>, buf: &mut Buffer) {
        let theme = scene.theme;
        let cell = |row: usize, column: usize, pen: &mut _| {
            if let Some(line) = self.lines.get(row) {
                line.write(column, theme, pen);
            }
        };
        let is_marked =
            |row| self.lines.get(row).is_some_and(|line: &Line| self.marks.contains(&line.key));
        let style = |row| if is_marked(row) { theme.marked } else { Style::new() };
        self.table().draw(area, theme, buf, style, cell);
        if self.lines.is_empty() && area.height > 2 {
            let text = "No call or event yet: a pattern is listed when its first one has ended.";
            put(
                buf,
                (area.x + 1, area.y + 2),
                area.width.saturating_sub(1),
                text,
                theme.dim,
                theme,
            );
        }
    }
}

/// Why the patterns of a line cannot be named.
fn too_many() -> String {
    let patterns = count(limits::PATTERNS as u64);
    format!("patterns beyond the first {patterns}; no filter can name them")
}

impl View for Patterns {
    fn title(&self, _scene: &Scene<'_>) -> String {
        "Patterns".to_owned()
    }

    fn context(&self) -> Context {
        if self.focus.is_some() { Context::Pattern } else { Context::Patterns }
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Command> {
        match action {
            Action::Enter if self.focus.is_some() => return self.show_calls(scene),
            Action::Enter => self.open_charts(scene),
            Action::Back => return self.back(),
            Action::NextPane => self.move_focus(true, scene),
            Action::PreviousPane => self.move_focus(false, scene),
            Action::Zoom => self.zoom(scene),
            Action::SortNext | Action::SortRight => self.sort_beside(true, scene),
            Action::SortLeft => self.sort_beside(false, scene),
            Action::SortReverse => self.sort_by(self.sorted.map_or(TOTAL, |(column, _)| column)),
            Action::GoTo(row) => {
                self.select(usize::try_from(row).unwrap_or(usize::MAX).saturating_sub(1));
            }
            Action::NextCall => self.select(self.selection.selected().map_or(0, |row| row + 1)),
            Action::PreviousCall => {
                self.select(self.selection.selected().unwrap_or(0).saturating_sub(1));
            }
            Action::Filter => {
                let filter = self.chosen(scene).and_then(|chosen| chosen.filter());
                let filter = filter.unwrap_or_default();
                let question = Question::filter(Rows::Calls, &filter).proposing();
                return vec![Command::Ask(question)];
            }
            Action::Search => return vec![Command::Ask(Question::search())],
            Action::FindNext | Action::FindPrevious if self.search.is_empty() => {}
            Action::FindNext => return self.find(true),
            Action::FindPrevious => return self.find(false),
            Action::Mark => self.mark(),
            Action::MarkAll => self.mark_all(),
            Action::Save => return self.ask_where_to_save(),
            Action::Copy => {
                let text = self.line().map(|line| line.name().to_owned());
                return text.map(|text| Command::Effect(Effect::Copy(text))).into_iter().collect();
            }
            _ => self.go(action, scene),
        }
        self.refresh(&[], scene);
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, scene: &Scene<'_>) -> Vec<Command> {
        let commands = match mouse {
            Mouse::Click(position) => {
                self.click(position, scene);
                Vec::new()
            }
            Mouse::DoubleClick(position) if self.click(position, scene) => {
                return self.act(Action::Enter, scene);
            }
            Mouse::Wheel(position, lines) => {
                let table = self.rooms(scene.area).0;
                if table.is_some_and(|area| area.contains(position)) {
                    self.selection.wheel(lines);
                    self.note_selected();
                }
                Vec::new()
            }
            Mouse::DoubleClick(_) => Vec::new(),
        };
        self.refresh(&[], scene);
        commands
    }

    fn answer(&mut self, question: &Question, text: &str, scene: &Scene<'_>) -> Vec<Command> {
        match question.id {
            "filter" => vec![Command::ShowCalls(text.to_owned())],
            "search" => {
                text.clone_into(&mut self.search);
                if text.is_empty() { Vec::new() } else { self.find(true) }
            }
            "save" => self.save(text, scene),
            _ => Vec::new(),
        }
    }

    fn keep_up(&mut self, changed: &[ExchangeNumber], _scene: &Scene<'_>) {
        self.stale |= !changed.is_empty();
    }

    fn refresh(&mut self, changed: &[ExchangeNumber], scene: &Scene<'_>) {
        self.keep_up(changed, scene);
        let more_will_come =
            matches!(scene.status.activity, Activity::Live | Activity::Reading(..));
        let is_due = match self.counted {
            None => true,
            Some(at) => {
                self.stale && (!more_will_come || scene.status.running.saturating_sub(at) >= FRESH)
            }
        };
        if is_due {
            self.count_anew(scene);
        }
        let table = self.rooms(scene.area).0.unwrap_or(scene.area);
        self.selection.fit(self.lines.len(), table.height.saturating_sub(TITLES));
        self.follow_selected();
        self.note_selected();
    }

    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        let (table, charts) = self.rooms(scene.area);
        if let Some(area) = table {
            self.draw_table(area, scene, buf);
        }
        if charts.is_some() {
            let has_focus = self.focus.is_some();
            self.with_charts(scene, |charts| charts.draw(&self.choice, has_focus, buf));
        }
    }
}
