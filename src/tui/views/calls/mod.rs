//! The calls: a row for each exchange, following the newest, filtered, sorted, searched, marked.
//!
//! ```text
//!   scene.area ┌ titles                                       ┐
//!              │ rows in sight            (lines, cells)      │  or why there are none (empty)
//!              │ …                                            │
//!              └ how many, in which order, under which filter ┘
//! ```
//!
//! The selected exchange is known by its number, so that it stays the selected one whatever comes,
//! goes or is sorted around it.

mod cells;
mod chooser;
mod columns;
mod empty;
mod lines;
mod percentiles;
mod search;
mod state;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use self::cells::Cells;
use self::chooser::Chooser;
use self::columns::{Column, Columns, Widths};
use self::lines::Lines;
use self::search::{Hunt, Sought};
use crate::exchange::ExchangeNumber;
use crate::query::{Filter, FilterError};
use crate::report::{count, counted};
use crate::store::listing::{Condition, Order, Spawn};
use crate::store::{Archive, Listing};
use crate::tui::keys::{Action, Context};
use crate::tui::search::Step;
use crate::tui::table::{self, Hit, Selection, TITLES, Table};
use crate::tui::text::{Align, LineBuilder};
use crate::tui::view::{Command, Effect, Mouse, Question, QuestionKind, Rows, Scene, View};
use crate::tui::views::copies;
use crate::tui::views::marks::Marks;
use crate::tui::views::times::TimeStyle;

/// A sorted list is put in order this often while exchanges change: often enough to be read as
/// live, and a few per cent of a core where it has millions of rows.
const SETTLED_EVERY: Duration = Duration::from_millis(250);

/// Columns of the screen from which on addresses are shown, and not ports alone.
const WIDE: u16 = 140;

/// Columns of an address with its port at most: those of IPv4. Longer ones lose their beginning.
const LONGEST_END: u16 = 21;

/// Where calls are saved unless the user names another file.
const SAVED: &str = "nestscope-calls.pcapng";

/// The calls view.
pub struct Calls {
    listing: Listing,
    filter: String,
    selection: Selection,
    /// The selected exchange.
    selected: Option<ExchangeNumber>,
    columns: Rc<Cell<Columns>>,
    marks: Marks,
    lines: Lines,
    sought: Option<Sought>,
    hunt: Option<Hunt>,
    /// What is to be said of a search that came to its end between two keys.
    remark: Option<String>,
    /// When a sorted list was last put in order, by the clock of the run.
    settled: Duration,
    /// One past the newest number that there was.
    end: ExchangeNumber,
}

impl Calls {
    /// A view of all exchanges that tells points in time as `times` says; what takes long is
    /// done by `spawn`.
    pub fn new(times: impl Into<TimeStyle>, spawn: Spawn) -> Self {
        Self {
            listing: Listing::new(spawn),
            filter: String::new(),
            selection: Selection::new(true),
            selected: None,
            columns: Rc::default(),
            marks: Marks::default(),
            lines: Lines::new(times.into()),
            sought: None,
            hunt: None,
            remark: None,
            settled: Duration::ZERO,
            end: ExchangeNumber(0),
        }
    }

    /// The same, beginning at the first exchange where it does not `follow` the newest.
    #[must_use]
    pub fn following(mut self, follow: bool) -> Self {
        self.selection.follow(follow);
        self
    }

    /// The same with a display filter in force from the beginning: `-Y`.
    ///
    /// # Errors
    ///
    /// Where `text` is no filter.
    pub fn with_filter(mut self, text: &str) -> Result<Self, FilterError> {
        self.listing = self.listing.with_condition(condition(text)?);
        text.trim().clone_into(&mut self.filter);
        Ok(self)
    }

    /// The room of the table, above the line that tells what is shown.
    fn room(area: Rect) -> Rect {
        Rect { height: area.height.saturating_sub(1), ..area }
    }

    /// The columns that are chosen, and the table's description of each.
    fn layout(&self, scene: &Scene<'_>) -> (Vec<Column>, Vec<table::Column>) {
        let newest = scene.capture.archive().numbers().end.saturating_sub(1);
        let digits = u16::try_from(newest.0.max(1).ilog10() + 1).unwrap_or(4);
        let end = if scene.area.width >= WIDE {
            self.lines.widest_end().clamp(6, LONGEST_END)
        } else {
            6
        };
        let widths = Widths {
            number: digits.max(4),
            time: self.lines.time_width(),
            pattern: self.lines.widest_pattern(),
            status: self.lines.widest_status(),
            end,
        };
        let chosen: Vec<_> = self.columns.get().iter().collect();
        let layouts = chosen.iter().filter_map(|column| column.layout(widths)).collect();
        (chosen, layouts)
    }

    fn table<'a>(&'a self, chosen: &[Column], layouts: &'a [table::Column]) -> Table<'a> {
        let order = self.listing.order();
        let by = Column::of(order);
        let place = chosen.iter().position(|column| Some(*column) == by);
        let sorted = place.map(|place| (place, !order.descending));
        Table { columns: layouts, selection: &self.selection, sorted }
    }
}

/// Keys and what they lead to.
impl Calls {
    fn go_to(&mut self, number: ExchangeNumber, scene: &Scene<'_>) -> Vec<Command> {
        let archive = scene.capture.archive();
        let numbers = archive.numbers();
        let place = self.listing.position(number, 0);
        if let Some(row) = place.or_else(|| self.listing.nearest(archive, number)) {
            self.selection.follow(false);
            self.selection.select(row);
            self.note_selected();
        }
        if place.is_some() {
            return Vec::new();
        }
        let named = count(number.0);
        notice(if number >= numbers.end {
            let newest = count(numbers.end.saturating_sub(1).0);
            format!("There is no exchange {named} yet; the newest is {newest}")
        } else if archive.row(number).is_some() {
            format!("Exchange {named} is hidden by the filter; Esc clears it")
        } else if number < numbers.start {
            format!("Exchange {named} gave way to newer ones")
        } else {
            format!("There is no exchange {named}")
        })
    }

    fn open_stream(&self, scene: &Scene<'_>) -> Vec<Command> {
        let row = self.selected.and_then(|number| scene.capture.archive().row(number));
        row.map(|row| Command::OpenStream(row.connection)).into_iter().collect()
    }

    fn open(&self) -> Vec<Command> {
        self.selected.map(Command::OpenCall).into_iter().collect()
    }

    /// Follows the newest, which is the last row only where rows are in the order of their numbers.
    fn follow(&mut self, scene: &Scene<'_>) {
        let follow = !self.selection.is_following();
        if follow && self.listing.order() != Order::BY_NUMBER {
            self.listing.set_order(scene.capture.archive(), Order::BY_NUMBER);
        }
        self.selection.follow(follow);
    }

    fn mark_selected(&mut self) {
        if let Some(number) = self.selected {
            self.marks.switch(number.0);
            self.selection.act(Action::Down);
            self.note_selected();
        }
    }

    /// The numbers of all that are listed.
    fn all(&self) -> Marks {
        self.listing.numbers().map(|number| number.0).collect()
    }

    fn mark_all(&mut self) {
        self.marks = if self.marks.is_empty() { self.all() } else { Marks::default() };
    }

    fn sort_by(&mut self, order: Order, scene: &Scene<'_>) {
        self.listing.set_order(scene.capture.archive(), order);
        // In another order, the newest is anywhere.
        self.selection.follow(order == Order::BY_NUMBER && self.selection.is_following());
    }

    fn reverse(&mut self, scene: &Scene<'_>) {
        let order = self.listing.order();
        self.sort_by(Order { descending: !order.descending, ..order }, scene);
    }

    /// Sorts by the next of the chosen columns to the right, or to the left; round their end.
    fn sort_beside(&mut self, right: bool, scene: &Scene<'_>) {
        let mut columns: Vec<_> =
            self.columns.get().iter().filter(|column| column.order().is_some()).collect();
        if !right {
            columns.reverse();
        }
        let by = Column::of(self.listing.order());
        let place = columns.iter().position(|column| Some(*column) == by);
        let next = place.map_or(0, |place| place + 1);
        let next = columns.get(next).or(columns.first());
        if let Some(order) = next.and_then(|column| column.order()) {
            self.sort_by(order, scene);
        }
    }

    fn set_filter(&mut self, text: &str, scene: &Scene<'_>) -> Vec<Command> {
        match condition(text) {
            Ok(condition) => {
                self.listing.set_condition(scene.capture.archive(), condition);
                text.trim().clone_into(&mut self.filter);
                Vec::new()
            }
            Err(error) => notice(error.to_string()),
        }
    }

    /// Leaves one thing: a search, then the filter.
    fn back(&mut self, scene: &Scene<'_>) -> Vec<Command> {
        if self.sought.take().is_some() {
            self.hunt = None;
            return Vec::new();
        }
        if self.filter.is_empty() {
            return vec![Command::Close];
        }
        self.set_filter("", scene)
    }

    /// Whoever types a filter looks for what it lets through; anything else is a text.
    fn search(&mut self, text: &str, scene: &Scene<'_>) -> Vec<Command> {
        if text.is_empty() {
            self.sought = None;
            self.hunt = None;
            return Vec::new();
        }
        let is_filter = OPERATORS.iter().any(|operator| text.contains(operator));
        let condition = is_filter.then(|| condition(text).ok().flatten()).flatten();
        self.sought = Some(Sought { text: text.to_owned(), condition });
        self.find(true, scene)
    }

    fn find(&mut self, forth: bool, scene: &Scene<'_>) -> Vec<Command> {
        let Some(sought) = self.sought.clone() else {
            return notice("Search first: ^S".to_owned());
        };
        let from = self.selection.selected();
        self.hunt = Some(Hunt::new(sought, from, forth, self.listing.len()));
        self.go_on_hunting(scene);
        self.remark.take().map(Command::Notice).into_iter().collect()
    }

    fn go_on_hunting(&mut self, scene: &Scene<'_>) {
        let Some(hunt) = &mut self.hunt else { return };
        match hunt.step(&self.listing, scene.capture.archive()) {
            Step::GoesOn => return,
            Step::Found(row, ()) => {
                self.selection.follow(false);
                self.selection.select(usize::try_from(row).unwrap_or(usize::MAX));
                self.note_selected();
            }
            Step::Nowhere => {
                let text = self.sought.as_ref().map_or("", |sought| sought.text.as_str());
                self.remark = Some(format!("Not found: {text}"));
            }
        }
        self.hunt = None;
    }

    fn ask_where_to_save(&self) -> Vec<Command> {
        let (number, which) = match self.marks.len() {
            0 => (self.listing.len(), "shown"),
            marked => (marked, "marked"),
        };
        if number == 0 {
            return notice("There is nothing to save".to_owned());
        }
        let number = counted(number as u64, "call", "calls");
        let label = format!("Save the {number} {which} as (.pcapng, .jsonl, .csv):");
        vec![Command::Ask(Question { label, ..Question::save(SAVED) })]
    }

    fn save(&self, path: &str) -> Vec<Command> {
        if path.trim().is_empty() {
            return Vec::new();
        }
        let all = if self.marks.is_empty() { Some(self.all()) } else { None };
        let numbers = all.as_ref().unwrap_or(&self.marks).iter().map(ExchangeNumber).collect();
        vec![Command::Effect(Effect::save(path.trim().to_owned(), numbers))]
    }

    fn copy(&self, action: Action, archive: &Archive) -> Vec<Command> {
        let Some(number) = self.selected else { return Vec::new() };
        match copies::copied(archive, number, action) {
            Ok(text) => vec![Command::Effect(Effect::Copy(text))],
            Err(reason) => notice(reason),
        }
    }
}

/// Which exchange is selected.
impl Calls {
    /// The selection moved: what is there now is what the user means.
    fn note_selected(&mut self) {
        self.selected = self.selection.selected().and_then(|row| self.listing.number(row));
    }

    /// The list changed around the selected exchange.
    fn keep_selected(&mut self, archive: &Archive) {
        if !self.selection.is_following()
            && let Some(number) = self.selected
        {
            let at = self.selection.selected().unwrap_or_default();
            let place = self.listing.position(number, at);
            let row = place.or_else(|| self.listing.nearest(archive, number)).unwrap_or(at);
            if row != at {
                self.selection.keep(row);
            }
            // It may come yet: the list grows.
            if place.is_none() && self.listing.progress().is_some() {
                return;
            }
        }
        self.note_selected();
    }
}

impl View for Calls {
    fn title(&self, _scene: &Scene<'_>) -> String {
        "Calls".to_owned()
    }

    fn context(&self) -> Context {
        Context::Calls
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Command> {
        self.remark = None;
        // What is in sight is what the user means, and not what a growing list may still bring.
        let is_in_sight = |number| self.listing.position(number, 0).is_some();
        if self.listing.progress().is_some() && !self.selected.is_some_and(is_in_sight) {
            self.note_selected();
        }
        match action {
            Action::GoTo(number) => return self.go_to(ExchangeNumber(number), scene),
            Action::Enter => return self.open(),
            Action::Back => return self.back(scene),
            Action::Follow => self.follow(scene),
            Action::Mark => self.mark_selected(),
            Action::MarkAll => self.mark_all(),
            Action::SortNext | Action::SortRight => self.sort_beside(true, scene),
            Action::SortLeft => self.sort_beside(false, scene),
            Action::SortReverse => self.reverse(scene),
            Action::Stream => return self.open_stream(scene),
            Action::Columns => {
                return vec![Command::Open(Box::new(Chooser::new(Rc::clone(&self.columns))))];
            }
            Action::TimeFormat => return notice(self.lines.next_times().to_owned()),
            Action::Filter => {
                return vec![Command::Ask(Question::filter(Rows::Calls, &self.filter))];
            }
            Action::Search => return vec![Command::Ask(Question::search())],
            Action::FindNext => return self.find(true, scene),
            Action::FindPrevious => return self.find(false, scene),
            Action::Save => return self.ask_where_to_save(),
            Action::Copy
            | Action::CopyResponse
            | Action::CopyId
            | Action::CopyNc
            | Action::CopyTypeScript => {
                return self.copy(action, scene.capture.archive());
            }
            _ if self.selection.act(action) => self.note_selected(),
            _ => {}
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, scene: &Scene<'_>) -> Vec<Command> {
        let room = Self::room(scene.area);
        let (Mouse::Click(at) | Mouse::DoubleClick(at) | Mouse::Wheel(at, _)) = mouse;
        let (chosen, layouts) = self.layout(scene);
        let hit = self.table(&chosen, &layouts).hit(room, at);
        match (mouse, hit) {
            (Mouse::Wheel(_, lines), _) => {
                self.selection.wheel(lines);
                self.note_selected();
            }
            (_, Some(Hit::Title(place))) => {
                let order = chosen.get(place).and_then(|column| column.order());
                match order {
                    Some(order) if order.column == self.listing.order().column => {
                        self.reverse(scene);
                    }
                    Some(order) => self.sort_by(order, scene),
                    None => {}
                }
            }
            (_, Some(Hit::Row(row, _))) => {
                self.selection.follow(false);
                self.selection.select(row);
                self.note_selected();
                if matches!(mouse, Mouse::DoubleClick(_)) {
                    return self.open();
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn mark(&mut self, number: ExchangeNumber) -> bool {
        self.marks.switch(number.0);
        self.marks.has(number.0)
    }

    fn step(&mut self, forward: bool, _scene: &Scene<'_>) -> Option<ExchangeNumber> {
        self.selection.follow(false);
        self.selection.act(if forward { Action::Down } else { Action::Up });
        self.note_selected();
        self.selected
    }

    fn answer(&mut self, question: &Question, text: &str, scene: &Scene<'_>) -> Vec<Command> {
        match question.kind {
            QuestionKind::Filter(_) => self.set_filter(text, scene),
            QuestionKind::Search => self.search(text, scene),
            QuestionKind::Save => self.save(text),
            QuestionKind::File | QuestionKind::GoTo | QuestionKind::Confirm => Vec::new(),
        }
    }

    fn keep_up(&mut self, changed: &[ExchangeNumber], scene: &Scene<'_>) {
        let archive = scene.capture.archive();
        let numbers = archive.numbers();
        // Everything was forgotten.
        if numbers.is_empty() || numbers.end < self.end {
            self.marks.clear();
            self.lines.clear();
            self.selected = None;
        }
        self.end = numbers.end;
        self.marks.forget_before(numbers.start.0);
        self.listing.refresh(archive, changed);
        let now = scene.status.running;
        if now.saturating_sub(self.settled) >= SETTLED_EVERY || now < self.settled {
            self.settled = now;
            self.listing.settle(archive);
        }
        let room = Self::room(scene.area);
        self.selection.fit(self.listing.len(), room.height.saturating_sub(TITLES));
        self.keep_selected(archive);
    }

    fn refresh(&mut self, changed: &[ExchangeNumber], scene: &Scene<'_>) {
        self.keep_up(changed, scene);
        self.go_on_hunting(scene);
        let (in_sight, columns) = (self.selection.in_sight(), self.columns.get());
        self.lines.refresh(&self.listing, in_sight, columns, scene);
    }

    fn is_at_work(&self) -> bool {
        self.hunt.is_some()
    }

    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        let theme = scene.theme;
        let room = Self::room(scene.area);
        let (chosen, layouts) = self.layout(scene);
        let sought = self.sought.as_ref().filter(|sought| sought.condition.is_none());
        let cells = Cells { theme, needle: sought.map_or("", |sought| sought.text.as_str()) };
        let is_marked = |row| {
            let line = self.lines.get(row);
            line.is_some_and(|line: &lines::Line| self.marks.has(line.number.0))
        };
        let style = |row| if is_marked(row) { theme.marked } else { Style::new() };
        self.table(&chosen, &layouts).draw(room, theme, buf, style, |row, place, pen| {
            if let (Some(line), Some(column)) = (self.lines.get(row), chosen.get(place)) {
                cells.write(line, *column, pen);
            }
        });
        if self.listing.is_empty() {
            let below = Rect { y: room.y + TITLES.min(room.height), ..room };
            let below = Rect { height: room.height.saturating_sub(TITLES), ..below };
            self.draw_empty(scene, below, buf);
        }
        let mut pen = LineBuilder::new(scene.area.width, &theme.symbols);
        self.write_state(scene, &mut pen);
        pen.draw(buf, scene.area.x, room.bottom(), Align::Left);
    }
}

/// What makes a text that is searched for a filter.
const OPERATORS: [&str; 8] = ["==", "!=", "<", ">", " contains ", " matches ", " in ", " not "];

/// What a display filter lets through; `None` for one that lets everything through.
fn condition(text: &str) -> Result<Option<Condition>, FilterError> {
    let filter = Filter::parse(text)?;
    Ok((!filter.is_empty()).then(|| Arc::new(filter) as Condition))
}

fn notice(text: String) -> Vec<Command> {
    vec![Command::Notice(text)]
}
