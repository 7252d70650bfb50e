//! The servers: how the calls to each server end go, and how often it could not be reached.

mod columns;
mod fields;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::net::SocketAddr;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use self::columns::{COLUMNS, FIELDS, Field, Line};
pub use self::fields::FILTERED;
use super::{saving, waiting};
use crate::exchange::ExchangeNumber;
use crate::names::Names;
use crate::query::RowFilter;
use crate::report::{count, counted};
use crate::store::Outcomes;
use crate::time::{Nanos, Timestamp};
use crate::tui::keys::{Action, Context};
use crate::tui::status::Activity;
use crate::tui::table::{Hit, Selection, TITLES, Table};
use crate::tui::text::{Align, LineBuilder, found};
use crate::tui::theme::Theme;
use crate::tui::view::{Command, Effect, Mouse, Question, Rows, Scene, View};

/// Time after which the rows are told anew. By the time of the capture; more often nobody could
/// read them.
const TOLD_FOR: Nanos = Nanos::from_millis(250);

/// What a row is known by: servers that share one have no address.
type Server = Option<SocketAddr>;

/// The view of the servers.
#[derive(Debug)]
pub struct Servers {
    names: Names,
    selection: Selection,
    selected: Option<Server>,
    /// In the order in which they are shown.
    lines: Vec<Line>,
    /// How many servers there are.
    known: usize,
    /// The place of a field in `FIELDS`, and whether the rows ascend by it.
    sorted: (usize, bool),
    /// When they were told, and how everything had ended by then.
    told_at: Option<(Timestamp, Outcomes)>,
    needle: String,
    /// What the servers in the list are like.
    filter: Option<RowFilter>,
    marks: HashSet<Server>,
}

impl Default for Servers {
    fn default() -> Self {
        Self::new()
    }
}

impl Servers {
    /// No server yet.
    pub fn new() -> Self {
        Self {
            names: Names::default(),
            selection: Selection::new(false),
            selected: None,
            lines: Vec::new(),
            known: 0,
            sorted: (0, true),
            told_at: None,
            needle: String::new(),
            filter: None,
            marks: HashSet::new(),
        }
    }

    /// The same, with hosts called by their names.
    #[must_use]
    pub fn with_names(mut self, names: Names) -> Self {
        self.names = names;
        self
    }

    const fn table(&self) -> Table<'_> {
        Table { columns: &COLUMNS, selection: &self.selection, sorted: Some(self.sorted) }
    }

    fn selected_line(&self) -> Option<&Line> {
        self.lines.get(self.selection.selected()?)
    }

    /// Reads the rows, puts them into their order and finds the selected one again.
    fn tell(&mut self, scene: &Scene<'_>) {
        let rows = scene.capture.servers();
        let span = scene.capture.timelines().span();
        let time =
            span.map_or(Nanos::ZERO, |(first, last)| scene.now.max(last).saturating_since(first));
        self.known = rows.len();
        self.lines = rows.into_iter().map(|row| Line::new(row, time)).collect();
        if let Some(filter) = &self.filter {
            let lines = &mut self.lines;
            lines.retain(|line| filter.matches(&|name, look| fields::tell(line, name, look)));
        }
        self.told_at = Some((scene.now, *scene.capture.statistics().totals()));
        self.sort(scene);
    }

    fn sort(&mut self, scene: &Scene<'_>) {
        let (by, ascending) = self.sorted;
        let field = FIELDS.get(by).copied().unwrap_or(Field::Server);
        self.lines.sort_by(|a, b| {
            let order = field.compare(a, b);
            let order = if ascending { order } else { order.reverse() };
            order.then(a.server.cmp(&b.server))
        });
        self.fit(scene);
        let place = |server| self.lines.iter().position(|line| line.server == server);
        if let Some(row) = self.selected.and_then(place) {
            self.selection.keep(row);
        }
        self.remember();
    }

    /// The room of the table: a filter in force is told below it.
    fn room(&self, area: Rect) -> Rect {
        let below = u16::from(self.tells_state());
        Rect { height: area.height.saturating_sub(below), ..area }
    }

    fn tells_state(&self) -> bool {
        self.filter.is_some() || !self.marks.is_empty()
    }

    fn fit(&mut self, scene: &Scene<'_>) {
        let room = self.room(scene.area);
        self.selection.fit(self.lines.len(), room.height.saturating_sub(TITLES));
    }

    fn remember(&mut self) {
        self.selected = self.selected_line().map(|line| line.server);
    }

    fn set_filter(&mut self, text: &str, scene: &Scene<'_>) -> Vec<Command> {
        match RowFilter::parse(FILTERED, text) {
            Ok(filter) => {
                self.filter = (!filter.is_empty()).then_some(filter);
                self.tell(scene);
                Vec::new()
            }
            Err(error) => notice(error.to_string()),
        }
    }

    /// Leaves one thing: a search, then the filter.
    fn back(&mut self, scene: &Scene<'_>) -> Vec<Command> {
        if !self.needle.is_empty() {
            self.needle.clear();
            return Vec::new();
        }
        if self.filter.is_some() {
            return self.set_filter("", scene);
        }
        vec![Command::Close]
    }

    fn open(&self) -> Vec<Command> {
        match self.selected {
            Some(Some(server)) => vec![Command::ShowCalls(format!("server == {server}"))],
            Some(None) => notice("These are several servers: no filter names them".to_owned()),
            None => Vec::new(),
        }
    }

    fn mark(&mut self) {
        let Some(server) = self.selected else { return };
        if !self.marks.remove(&server) {
            self.marks.insert(server);
        }
        self.selection.act(Action::Down);
    }

    fn mark_all(&mut self) {
        if self.marks.is_empty() {
            self.marks = self.lines.iter().map(|line| line.server).collect();
        } else {
            self.marks.clear();
        }
    }

    fn sort_by(&mut self, column: usize, scene: &Scene<'_>) {
        let (by, ascending) = self.sorted;
        // Names are read upwards, and of numbers the largest is looked for.
        let first = FIELDS.get(column) == Some(&Field::Server);
        self.sorted = (column, if by == column { !ascending } else { first });
        self.sort(scene);
    }

    /// The column in sight that lies `by` columns further on, round the ends.
    fn next_column(&self, by: isize, scene: &Scene<'_>) -> usize {
        let shown = self.table().shown(scene.area.width);
        let here = shown.iter().position(|column| *column == self.sorted.0);
        let count = shown.len().max(1);
        let next = here.map_or(0, |here| (here + count).saturating_add_signed(by) % count);
        shown.get(next).copied().unwrap_or(0)
    }

    fn find(&mut self, backwards: bool) -> Vec<Command> {
        if self.needle.is_empty() {
            return vec![Command::Ask(Question::search())];
        }
        let rows = self.lines.len();
        let here = self.selection.selected().unwrap_or(0);
        let holds = |row: &usize| {
            let texts = |line: &Line| FIELDS.map(|field| field.text(line, &self.names));
            let shows = |text: &String| !found(text, &self.needle).is_empty();
            self.lines.get(*row).is_some_and(|line| texts(line).iter().any(shows))
        };
        let row = if backwards {
            (0..here).rev().chain((here..rows).rev()).find(holds)
        } else {
            (here + 1..rows).chain(0..(here + 1).min(rows)).find(holds)
        };
        let Some(row) = row else { return notice(format!("No server shows {}", self.needle)) };
        self.selection.select(row);
        self.remember();
        Vec::new()
    }

    fn ask_where_to_save(&self) -> Vec<Command> {
        let (number, which) = match self.marks.len() {
            0 => (usize::from(self.selected.is_some()), "selected"),
            marked => (marked, "marked"),
        };
        if number == 0 {
            return Vec::new();
        }
        let number = counted(number as u64, "server", "servers");
        let label = format!("Save the calls to the {number} {which} as:");
        vec![Command::Ask(Question { label, ..Question::save("nestscope-server.pcapng") })]
    }

    /// How many are listed, under which filter, and how many are marked.
    fn draw_state(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        let mut pen = LineBuilder::new(area.width, &theme.symbols);
        let (shown, all) = (self.lines.len() as u64, self.known as u64);
        pen.put(&format!("{} of {} shown", count(shown), count(all)), Style::new());
        let gap = format!(" {} ", theme.symbols.dot);
        if !self.marks.is_empty() {
            let marked = format!("{} marked", count(self.marks.len() as u64));
            pen.put(&gap, theme.dim).put(&marked, theme.marked);
        }
        if let Some(filter) = &self.filter {
            pen.put(&gap, theme.dim).put("filter ", theme.dim);
            pen.put(&filter.to_string(), Style::new());
        }
        pen.draw(buf, area.x, area.bottom().saturating_sub(1), Align::Left);
    }
}

impl View for Servers {
    fn title(&self, _scene: &Scene<'_>) -> String {
        "Servers".to_owned()
    }

    fn context(&self) -> Context {
        Context::Servers
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Command> {
        match action {
            Action::Enter => return self.open(),
            Action::Copy => {
                let server = self.selected.flatten().map(|server| server.to_string());
                return server.map(|it| Command::Effect(Effect::Copy(it))).into_iter().collect();
            }
            Action::Save => return self.ask_where_to_save(),
            Action::GoTo(number) => {
                let row = number.checked_sub(1).and_then(|row| usize::try_from(row).ok());
                match row.filter(|row| *row < self.lines.len()) {
                    Some(row) => self.selection.select(row),
                    None => return notice(format!("There is no server {number} in the list")),
                }
            }
            Action::SortNext | Action::SortRight => {
                self.sort_by(self.next_column(1, scene), scene);
            }
            Action::SortLeft => self.sort_by(self.next_column(-1, scene), scene),
            Action::SortReverse => self.sort_by(self.sorted.0, scene),
            Action::Filter => {
                let filter = self.filter.as_ref().map(ToString::to_string).unwrap_or_default();
                return vec![Command::Ask(Question::filter(Rows::Servers, &filter))];
            }
            Action::Mark => self.mark(),
            Action::MarkAll => self.mark_all(),
            Action::Search => return vec![Command::Ask(Question::search())],
            Action::FindNext => return self.find(false),
            Action::FindPrevious => return self.find(true),
            Action::Back => return self.back(scene),
            _ => _ = self.selection.act(action),
        }
        self.remember();
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, scene: &Scene<'_>) -> Vec<Command> {
        let (Mouse::Click(at) | Mouse::DoubleClick(at)) = mouse else {
            if let Mouse::Wheel(_, lines) = mouse {
                self.selection.wheel(lines);
                self.remember();
            }
            return Vec::new();
        };
        match self.table().hit(self.room(scene.area), at) {
            Some(Hit::Title(column)) => self.sort_by(column, scene),
            Some(Hit::Row(row, _)) => {
                self.selection.select(row);
                self.remember();
                if matches!(mouse, Mouse::DoubleClick(_)) {
                    return self.open();
                }
            }
            None => {}
        }
        Vec::new()
    }

    fn answer(&mut self, question: &Question, text: &str, scene: &Scene<'_>) -> Vec<Command> {
        match question.id {
            "search" => {
                text.clone_into(&mut self.needle);
                if self.needle.is_empty() { Vec::new() } else { self.find(false) }
            }
            "filter" => self.set_filter(text, scene),
            "save" => {
                let archive = scene.capture.archive();
                let is_wanted = |server: Server| match self.marks.is_empty() {
                    true => self.selected == Some(server),
                    false => self.marks.contains(&server),
                };
                let takes =
                    |number| archive.ends(number).is_some_and(|ends| is_wanted(Some(ends.server)));
                saving::save_calls(archive, takes, text)
            }
            _ => Vec::new(),
        }
    }

    fn refresh(&mut self, _changed: &[ExchangeNumber], scene: &Scene<'_>) {
        let is_over = scene.status.activity == Activity::Ended;
        let is_fresh = self.told_at.is_some_and(|(at, totals)| {
            let is_same = at == scene.now && totals == *scene.capture.statistics().totals();
            let past = scene.now.since(at);
            is_same || !is_over && past.is_some_and(|past| past < TOLD_FOR)
        });
        if is_fresh {
            return self.fit(scene);
        }
        self.tell(scene);
    }

    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        let theme = scene.theme;
        if self.tells_state() {
            self.draw_state(scene.area, theme, buf);
        }
        if self.known == 0 {
            return waiting::draw("server", scene, buf);
        }
        let style = |row: usize| match self.lines.get(row) {
            Some(line) if self.marks.contains(&line.server) => theme.marked,
            _ => Style::new(),
        };
        self.table().draw(self.room(scene.area), theme, buf, style, |row, column, pen| {
            let (Some(line), Some(field)) = (self.lines.get(row), FIELDS.get(column)) else {
                return;
            };
            let text = field.text(line, &self.names);
            if field.latency(line).is_some() {
                pen.put_number(&text, field.style(theme));
                return;
            }
            pen.put_marked(&text, &found(&text, &self.needle), field.style(theme), theme.found);
        });
    }
}

fn notice(text: String) -> Vec<Command> {
    vec![Command::Notice(text)]
}
