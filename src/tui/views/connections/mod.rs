//! The connections: who talks to whom, how it goes, and what is lost on the way.

mod columns;
mod fields;
#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use self::columns::{COLUMNS, FIELDS, Field, SPEAKS, is_over, speaks_within};
pub use self::fields::FILTERED;
use super::marks::Marks;
use super::saving;
use super::times::{self, TimeStyle, Times};
use super::waiting;
use crate::endpoint::ConnectionNumber;
use crate::exchange::ExchangeNumber;
use crate::names::Names;
use crate::query::RowFilter;
use crate::report::{UNKNOWN_COLUMNS, count, counted};
use crate::store::{CaptureStore, ConnectionRecord};
use crate::time::{Nanos, Timestamp};
use crate::tui::keys::{Action, Context};
use crate::tui::table::{Column, Hit, Selection, TITLES, Table, Width};
use crate::tui::text::{Align, LineBuilder, found};
use crate::tui::theme::Theme;
use crate::tui::view::{Command, Effect, Mouse, Question, Rows, Scene, View};

/// Time after which the rows are sorted anew though none came. By the time of the capture; more
/// often nobody could read them.
const SORTED_FOR: Nanos = Nanos::from_millis(250);

/// The view of the connections.
#[derive(Debug)]
pub struct Connections {
    names: Names,
    times: Times,
    /// [`COLUMNS`], that of the time as wide as times are.
    columns: [Column; FIELDS.len()],
    selection: Selection,
    /// The number of the selected connection.
    selected: Option<ConnectionNumber>,
    /// Row → index among the connections of the store.
    order: Vec<usize>,
    /// The place of a field in `FIELDS`, and whether the rows ascend by it.
    sorted: (usize, bool),
    sorted_at: Option<Timestamp>,
    needle: String,
    /// What the connections in the list are like.
    filter: Option<RowFilter>,
    /// Their numbers.
    marks: Marks,
    /// Connections of the store when the list was made.
    known: usize,
    /// Columns of the widest of what connections in sight spoke so far.
    speaks: u16,
    /// When the connections in sight began, as it is shown.
    began: Vec<String>,
}

impl Connections {
    /// No connection yet; `times` says how points in time are told.
    pub fn new(times: impl Into<TimeStyle>) -> Self {
        let mut view = Self {
            names: Names::default(),
            times: Times::of_day(times.into()),
            columns: COLUMNS,
            selection: Selection::new(false),
            selected: None,
            order: Vec::new(),
            sorted: (0, true),
            sorted_at: None,
            needle: String::new(),
            filter: None,
            marks: Marks::default(),
            known: 0,
            speaks: SPEAKS,
            began: Vec::new(),
        };
        view.widen();
        view
    }

    /// The same, with hosts called by their names.
    #[must_use]
    pub fn with_names(mut self, names: Names) -> Self {
        self.names = names;
        self
    }

    fn widen(&mut self) {
        for (column, field) in self.columns.iter_mut().zip(FIELDS) {
            match field {
                Field::Began => column.width = Width::Fixed(self.times.width()),
                Field::Speaks if self.speaks > SPEAKS => {
                    column.width = Width::Growing { min: SPEAKS, most: self.speaks, weight: 6 };
                }
                _ => {}
            }
        }
    }

    const fn table(&self) -> Table<'_> {
        Table { columns: &self.columns, selection: &self.selection, sorted: Some(self.sorted) }
    }

    fn record<'a>(&self, row: usize, capture: &'a CaptureStore) -> Option<&'a ConnectionRecord> {
        capture.connections().get(*self.order.get(row)?)
    }

    fn selected_record<'a>(&self, capture: &'a CaptureStore) -> Option<&'a ConnectionRecord> {
        self.record(self.selection.selected()?, capture)
    }

    /// Puts the rows into their order: the ones that were there keep theirs where they are equal,
    /// and the selected one is found again.
    fn sort(&mut self, scene: &Scene<'_>) {
        let records = scene.capture.connections();
        // Everything was forgotten.
        if records.len() < self.known {
            self.marks.clear();
        }
        if let Some(filter) = &self.filter {
            // What it asks for changes all the time.
            let is_wanted = |record: &ConnectionRecord| {
                filter.matches(&|name, look| fields::tell(record, scene.now, name, look))
            };
            let wanted = records.iter().enumerate().filter(|(_, record)| is_wanted(record));
            self.order = wanted.map(|(index, _)| index).collect();
        } else if records.len() < self.known {
            self.order = (0..records.len()).collect();
        } else {
            self.order.extend(self.known..records.len());
        }
        self.known = records.len();
        let (by, ascending) = self.sorted;
        let field = FIELDS.get(by).copied().unwrap_or(Field::Number);
        // Percentiles are counted out once for each, and not for each comparison.
        let has_latency = matches!(field, Field::P50 | Field::P99);
        let latencies: Vec<_> = match has_latency {
            true => records.iter().map(|record| field.latency(record)).collect(),
            false => Vec::new(),
        };
        // What was sorted before is nearly sorted now, which costs this sort little.
        self.order.sort_by(|left, right| {
            let (Some(a), Some(b)) = (records.get(*left), records.get(*right)) else {
                return left.cmp(right);
            };
            let order = match has_latency {
                true => latencies.get(*left).cmp(&latencies.get(*right)),
                false => field.compare(a, b, scene.now),
            };
            let order = if ascending { order } else { order.reverse() };
            order.then(a.facts.connection.number.cmp(&b.facts.connection.number))
        });
        self.sorted_at = Some(scene.now);
        self.fit(scene);
        if !self.selection.is_following()
            && let Some(number) = self.selected
            && let Some(row) = self.row_of(number, records)
        {
            self.selection.keep(row);
        }
        self.remember(scene);
    }

    /// The room of the table: a filter in force is told below it.
    fn room(&self, area: Rect) -> Rect {
        let below = u16::from(self.tells_state());
        Rect { height: area.height.saturating_sub(below), ..area }
    }

    const fn tells_state(&self) -> bool {
        self.filter.is_some() || !self.marks.is_empty()
    }

    fn fit(&mut self, scene: &Scene<'_>) {
        let room = self.room(scene.area);
        self.selection.fit(self.order.len(), room.height.saturating_sub(TITLES));
    }

    fn set_filter(&mut self, text: &str, scene: &Scene<'_>) -> Vec<Command> {
        match RowFilter::parse(FILTERED, text) {
            Ok(filter) => {
                self.filter = (!filter.is_empty()).then_some(filter);
                self.order = (0..self.known).collect();
                self.sort(scene);
                Vec::new()
            }
            Err(error) => vec![Command::Notice(error.to_string())],
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

    fn mark(&mut self) {
        if let Some(number) = self.selected {
            self.marks.switch(number.0.into());
            self.selection.act(Action::Down);
        }
    }

    fn mark_all(&mut self, records: &[ConnectionRecord]) {
        let listed = self.order.iter().filter_map(|index| records.get(*index));
        let numbers = listed.map(|record| u64::from(record.facts.connection.number.0));
        self.marks = if self.marks.is_empty() { numbers.collect() } else { Marks::default() };
    }

    /// How many are listed, under which filter, and how many are marked.
    fn draw_state(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        let mut pen = LineBuilder::new(area.width, &theme.symbols);
        let (shown, all) = (self.order.len() as u64, self.known as u64);
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

    fn row_of(&self, number: ConnectionNumber, records: &[ConnectionRecord]) -> Option<usize> {
        let is_it = |index: &usize| {
            records.get(*index).is_some_and(|it| it.facts.connection.number == number)
        };
        self.order.iter().position(is_it)
    }

    /// Remembers which connection is selected, and reads what is in sight.
    fn remember(&mut self, scene: &Scene<'_>) {
        self.selected =
            self.selected_record(scene.capture).map(|record| record.facts.connection.number);
        self.began.clear();
        let origin = times::first_packet(scene.capture);
        let mut above = None;
        let mut widest = self.speaks;
        for row in self.selection.in_sight() {
            if let Some(record) = self.record(row, scene.capture) {
                let width =
                    u16::try_from(speaks_within(record, UNKNOWN_COLUMNS).len()).unwrap_or(u16::MAX);
                widest = widest.max(width);
            }
            let at = self.record(row, scene.capture).map_or(origin, |record| record.facts.first.at);
            self.began.push(self.times.text(at, origin, above));
            above = Some(at);
        }
        self.speaks = widest;
        self.widen();
    }

    fn sort_by(&mut self, column: usize, scene: &Scene<'_>) {
        let (by, ascending) = self.sorted;
        // Names are read upwards, and of numbers the largest is looked for.
        let names = [Field::Number, Field::Client, Field::Server, Field::State, Field::Speaks];
        let first = FIELDS.get(column).is_some_and(|field| names.contains(field));
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

    fn find(&mut self, backwards: bool, scene: &Scene<'_>) -> Vec<Command> {
        if self.needle.is_empty() {
            return vec![Command::Ask(Question::search())];
        }
        let rows = self.order.len();
        let here = self.selection.selected().unwrap_or(0);
        let holds = |row: &usize| {
            self.record(*row, scene.capture).is_some_and(|record| {
                FIELDS.iter().any(|field| {
                    !found(&field.text(record, &self.names, scene.now), &self.needle).is_empty()
                })
            })
        };
        let row = if backwards {
            (0..here).rev().chain((here..rows).rev()).find(holds)
        } else {
            (here + 1..rows).chain(0..(here + 1).min(rows)).find(holds)
        };
        match row {
            Some(row) => {
                self.selection.follow(false);
                self.selection.select(row);
                self.remember(scene);
                Vec::new()
            }
            None => vec![Command::Notice(format!("No connection shows {}", self.needle))],
        }
    }
}

impl View for Connections {
    fn title(&self, _scene: &Scene<'_>) -> String {
        "Connections".to_owned()
    }

    fn context(&self) -> Context {
        Context::Connections
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Command> {
        let record = self.selected_record(scene.capture);
        match action {
            Action::Enter => {
                let filter = record
                    .map(|record| format!("connection == {}", record.facts.connection.number));
                return filter.map(Command::ShowCalls).into_iter().collect();
            }
            Action::Stream => {
                let number = record.map(|record| record.facts.connection.number);
                return number.map(Command::OpenStream).into_iter().collect();
            }
            Action::Copy => {
                let ends =
                    record.map(|it| format!("{} {}", it.facts.ends.client, it.facts.ends.server));
                return ends.map(|it| Command::Effect(Effect::Copy(it))).into_iter().collect();
            }
            Action::Save => {
                let (number, which) = match self.marks.len() {
                    0 => (usize::from(record.is_some()), "selected"),
                    marked => (marked, "marked"),
                };
                if number == 0 {
                    return Vec::new();
                }
                let number = counted(number as u64, "connection", "connections");
                let label = format!("Save the calls of the {number} {which} as:");
                let question = Question { label, ..Question::save("nestscope-connection.pcapng") };
                return vec![Command::Ask(question)];
            }
            Action::GoTo(number) => {
                let records = scene.capture.connections();
                let wanted = u32::try_from(number).ok().map(ConnectionNumber);
                match wanted.and_then(|wanted| self.row_of(wanted, records)) {
                    Some(row) => {
                        self.selection.follow(false);
                        self.selection.select(row);
                    }
                    None => {
                        return vec![Command::Notice(format!("No connection {number} is known"))];
                    }
                }
            }
            Action::SortNext | Action::SortRight => {
                self.sort_by(self.next_column(1, scene), scene);
            }
            Action::SortLeft => self.sort_by(self.next_column(-1, scene), scene),
            Action::SortReverse => self.sort_by(self.sorted.0, scene),
            Action::TimeFormat => {
                let about = self.times.next();
                self.widen();
                self.remember(scene);
                return vec![Command::Notice(about.to_owned())];
            }
            Action::Filter => {
                let filter = self.filter.as_ref().map(ToString::to_string).unwrap_or_default();
                return vec![Command::Ask(Question::filter(Rows::Connections, &filter))];
            }
            Action::Mark => self.mark(),
            Action::MarkAll => self.mark_all(scene.capture.connections()),
            Action::Search => return vec![Command::Ask(Question::search())],
            Action::FindNext => return self.find(false, scene),
            Action::FindPrevious => return self.find(true, scene),
            Action::Back => return self.back(scene),
            _ => _ = self.selection.act(action),
        }
        self.remember(scene);
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, scene: &Scene<'_>) -> Vec<Command> {
        let (Mouse::Click(at) | Mouse::DoubleClick(at)) = mouse else {
            if let Mouse::Wheel(_, lines) = mouse {
                self.selection.wheel(lines);
                self.remember(scene);
            }
            return Vec::new();
        };
        match self.table().hit(self.room(scene.area), at) {
            Some(Hit::Title(column)) => self.sort_by(column, scene),
            Some(Hit::Row(row, _)) => {
                self.selection.follow(false);
                self.selection.select(row);
                self.remember(scene);
                if matches!(mouse, Mouse::DoubleClick(_)) {
                    return self.act(Action::Enter, scene);
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
                if self.needle.is_empty() { Vec::new() } else { self.find(false, scene) }
            }
            "filter" => self.set_filter(text, scene),
            "save" => {
                let takes = |number: ConnectionNumber| match self.marks.is_empty() {
                    true => self.selected == Some(number),
                    false => self.marks.has(number.0.into()),
                };
                saving::save_calls(scene.capture.archive(), takes, text)
            }
            _ => Vec::new(),
        }
    }

    fn refresh(&mut self, _changed: &[ExchangeNumber], scene: &Scene<'_>) {
        let is_fresh = |at: Timestamp| scene.now.since(at).is_some_and(|past| past < SORTED_FOR);
        if self.known == scene.capture.connections().len() && self.sorted_at.is_some_and(is_fresh) {
            self.fit(scene);
            return self.remember(scene);
        }
        self.sort(scene);
    }

    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        let theme = scene.theme;
        if self.tells_state() {
            self.draw_state(scene.area, theme, buf);
        }
        if self.known == 0 {
            return waiting::draw("connection", scene, buf);
        }
        let is_marked =
            |record: &ConnectionRecord| self.marks.has(record.facts.connection.number.0.into());
        let style = |row: usize| match self.record(row, scene.capture) {
            Some(record) if is_marked(record) => theme.marked,
            Some(record) if is_over(record) => theme.dim,
            _ => Style::new(),
        };
        self.table().draw(self.room(scene.area), theme, buf, style, |row, column, pen| {
            let (Some(record), Some(field)) = (self.record(row, scene.capture), FIELDS.get(column))
            else {
                return;
            };
            let text = match field {
                Field::Began => {
                    let line = row.checked_sub(self.selection.in_sight().start);
                    let began = line.and_then(|line| self.began.get(line));
                    began.cloned().unwrap_or_default()
                }
                Field::Speaks => speaks_within(record, pen.room()),
                Field::Age | Field::P50 | Field::P99 | Field::RoundTrip => {
                    pen.put_number(
                        &field.text(record, &self.names, scene.now),
                        field.style(record, theme),
                    );
                    return;
                }
                _ => field.text(record, &self.names, scene.now),
            };
            pen.put_marked(
                &text,
                &found(&text, &self.needle),
                field.style(record, theme),
                theme.found,
            );
        });
    }
}
