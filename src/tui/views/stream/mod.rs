//! A stream followed: all that both sides of a connection sent, frame by frame, as text or as hex.
//!
//! ```text
//!  archive ──► Follower ──► Index: where things lie ──► Desk: rows in sight ──► draw
//!              some packets a refresh, as far as somebody looks
//! ```

mod draw;
mod follower;
mod index;
mod rows;
mod search;
#[cfg(test)]
mod tests;
mod viewport;

use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::follower::Follower;
use self::index::{Index, Item, Items, Kind, Source};
use self::rows::{Form, Layout};
use self::search::step;
use self::viewport::{Place, Viewport};
use super::byte_range::{ByteRange, exchange_of};
use super::packets::{Beginnings, Reading};
use super::saving;
use super::times::{self, TimeStyle, Times, since};
use crate::endpoint::{ConnectionNumber, Endpoints, Side};
use crate::exchange::ExchangeNumber;
use crate::limits::{REORDER_AT_MOST_FILE, REORDER_AT_MOST_LIVE};
use crate::packet::PacketNumber;
use crate::report::count;
use crate::store::{CaptureStore, ConnectionRecord};
use crate::tui::find::Needle;
use crate::tui::keys::{Action, Context};
use crate::tui::search::{Search, Step};
use crate::tui::status::Activity;
use crate::tui::table::{Scroll, lines};
use crate::tui::view::{Command, Effect, Mouse, Question, Scene, View};

/// Packets of the connection that are read between two frames of the screen while somebody reads
/// what is there, and while somebody waits for the end.
const AT_LEISURE: usize = 1_000;
const IN_HASTE: usize = 8_000;

/// Packets before the first by time among which others may be that were captured too late.
const BEFORE: u64 = 4_096;

/// Exchanges among which that of a frame is looked for: for each frame in sight, and where somebody
/// wants to open it.
const REACH: u64 = 4_000;
const FAR_REACH: u64 = 200_000;

/// Packets that are listed of a connection on which no byte was sent: more than a screen has rows.
const SILENT: usize = 200;

/// Bytes of a frame that are copied.
const COPIED: usize = 4 << 20;

/// Columns of a call before its frame, and of the mark of its sender.
const CALL: u16 = 7;
const MARK: u16 = 2;

/// The view of a stream.
pub struct Stream {
    connection: ConnectionNumber,
    times: Times,
    follower: Option<Follower>,
    /// Whether there are packets that were not read yet.
    is_more: bool,
    form: Form,
    is_unfolded: bool,
    /// The only side that is shown, in the roles that the messages showed.
    only: Option<Side>,
    /// Whether those roles are other ones than the stream's.
    roles_swapped: bool,
    viewport: Viewport,
    /// On the way to the end; following keeps there.
    to_end: bool,
    is_following: bool,
    needle: Option<(String, Needle)>,
    hunt: Option<Search>,
    verdict: String,
    shown: Vec<Shown>,
    /// Its packets, where they carried nothing.
    silent: Vec<String>,
    calls: HashMap<u64, Option<ExchangeNumber>>,
}

/// A row in sight.
#[derive(Debug)]
struct Shown {
    place: Place,
    kind: Kind,
    from: Side,
    time: String,
    call: String,
    text: String,
}

impl Stream {
    /// Follows the connection with this number; `times` says how points in time are told.
    pub fn new(connection: ConnectionNumber, times: impl Into<TimeStyle>) -> Self {
        Self {
            connection,
            times: Times::since_first(times.into()),
            follower: None,
            is_more: true,
            form: Form::Frames,
            is_unfolded: false,
            only: None,
            roles_swapped: false,
            viewport: Viewport::default(),
            to_end: false,
            is_following: false,
            needle: None,
            hunt: None,
            verdict: String::new(),
            shown: Vec::new(),
            silent: Vec::new(),
            calls: HashMap::new(),
        }
    }

    fn record<'a>(&self, capture: &'a CaptureStore) -> Option<&'a ConnectionRecord> {
        capture
            .connections()
            .iter()
            .find(|record| record.facts.connection.number == self.connection)
    }

    fn ends(&self, capture: &CaptureStore) -> Option<Endpoints> {
        capture.archive().ends(self.connection).or(self.follower.as_ref()?.ends())
    }

    fn index(&self) -> Option<&Index> {
        self.follower.as_ref().map(Follower::index)
    }

    fn items(&self) -> Option<&Items> {
        let index = self.index()?;
        Some(if self.form == Form::Frames { &index.frames } else { &index.blocks })
    }

    /// The sender of an item in the roles that the messages showed.
    const fn sender(&self, item: &Item) -> Side {
        if self.roles_swapped { item.from.other() } else { item.from }
    }

    /// Columns before a frame: its time, its call.
    const fn before_frame(&self) -> u16 {
        self.times.width() + 1 + CALL + 1
    }

    fn layout(&self, area: Rect) -> Layout {
        let left = if self.form == Form::Frames { self.before_frame() + MARK } else { MARK };
        // One column is the scroll bar's.
        let width = area.width.saturating_sub(left + 1).max(1);
        Layout { form: self.form, is_unfolded: self.is_unfolded, width }
    }

    /// Reads packets, as far as somebody looks.
    fn read_on(&mut self, scene: &Scene<'_>) {
        let archive = scene.capture.archive();
        let record = self.record(scene.capture);
        let is_live = scene.status.activity == Activity::Live;
        if self.follower.is_none() {
            let first = record.map_or(PacketNumber(0), |record| record.facts.first.number);
            let first = first.saturating_sub(BEFORE);
            let patience = if is_live { REORDER_AT_MOST_LIVE } else { REORDER_AT_MOST_FILE };
            if record.is_some_and(|record| !record.facts.spoke_nest) {
                self.form = Form::Text;
            }
            self.follower = Some(Follower::new(self.connection, first, patience));
        }
        let is_over = scene.status.activity == Activity::Ended
            || record.is_some_and(|record| record.facts.end.is_some());
        let in_haste = self.to_end || self.is_following || self.hunt.is_some();
        let behind = self
            .items()
            .map_or(0, |items| items.numbers().end.saturating_sub(self.viewport.cursor.item));
        let Some(follower) = &mut self.follower else { return };
        if in_haste || behind <= 2 * u64::from(scene.area.height) {
            let packets = if in_haste { IN_HASTE } else { AT_LEISURE };
            self.is_more = follower.step(archive, packets);
        } else {
            self.is_more = follower.next() < archive.packets().end;
        }
        if !self.is_more && is_over {
            follower.finish();
        } else if !self.is_more && is_live {
            follower.expire(scene.now);
        }
        let ours = follower.ends().map(|ends| ends.client);
        let theirs = archive.ends(self.connection).map(|ends| ends.client);
        self.roles_swapped = ours.is_some() && theirs.is_some() && ours != theirs;
    }

    /// Reads the packets of a connection on which no byte was sent.
    fn read_silence(&mut self, scene: &Scene<'_>) {
        self.silent.clear();
        let bytes = self.index().map_or(0, |it| it.len(Side::Client) + it.len(Side::Server));
        let facts = self.record(scene.capture).map(|record| record.facts);
        let Some(facts) = facts.filter(|_| !self.is_more && bytes == 0) else { return };
        let within = facts.first.number..facts.last.number.next();
        let mut beginnings = Beginnings::default();
        for packet in scene.capture.archive().packets_of(self.connection, within).take(SILENT) {
            let Some(reading) = Reading::new(packet.number, scene.capture) else { continue };
            let at = since(packet.at, facts.first.at);
            let line = reading.line(&mut beginnings, scene.capture);
            self.silent.push(format!("#{:<6} {at:>9}  {line}", packet.number));
        }
    }

    /// Finds the rows in sight.
    fn look(&mut self, scene: &Scene<'_>) {
        let layout = self.layout(scene.area);
        let height = usize::from(scene.area.height.saturating_sub(1));
        let Some(follower) = &self.follower else { return };
        let index = follower.index();
        let items = if self.form == Form::Frames { &index.frames } else { &index.blocks };
        let is_wanted = wanted(self.only, self.roles_swapped);
        let mut source = Source::new(scene.capture.archive());
        let end = self.to_end || self.is_following;
        self.viewport.look(&layout, height, end, index, items, &is_wanted, &mut source);
        if self.to_end && !self.is_more {
            self.to_end = false;
        }
        self.show(scene);
    }

    /// Reads what is shown of the rows in sight.
    fn show(&mut self, scene: &Scene<'_>) {
        let first = times::first_packet(scene.capture);
        let mut shown = Vec::with_capacity(self.viewport.in_sight().len());
        let top = self.viewport.in_sight().first().and_then(|place| place.item.checked_sub(1));
        let mut above = top.zip(self.items()).and_then(|(top, it)| it.get(top)).map(|it| it.at);
        for place in self.viewport.in_sight().to_vec() {
            let Some(item) = self.items().and_then(|items| items.get(place.item)).copied() else {
                continue;
            };
            let is_first = self.form == Form::Frames && place.row == 0;
            let call = match item.kind {
                Kind::Frame if is_first => self.call_of(place.item, &item, scene),
                _ => None,
            };
            shown.push(Shown {
                place,
                kind: item.kind,
                from: self.sender(&item),
                time: match is_first {
                    true => self.times.text(item.at, first, above),
                    false => String::new(),
                },
                call: call.map_or_else(String::new, |call| format!("#{call}")),
                text: self.viewport.text(place),
            });
            above = Some(item.at);
        }
        self.shown = shown;
    }

    /// The call of a frame, remembered once it was looked for.
    fn call_of(&mut self, number: u64, item: &Item, scene: &Scene<'_>) -> Option<ExchangeNumber> {
        if let Some(call) = self.calls.get(&number) {
            return *call;
        }
        // More than were ever in sight at once.
        if self.calls.len() > 4_096 {
            self.calls.clear();
        }
        let bytes = self.carried(item, 0, item.len)?;
        let call = exchange_of(scene.capture.archive(), &bytes, REACH);
        self.calls.insert(number, call);
        call
    }

    fn carried(&self, item: &Item, place: u64, len: u64) -> Option<ByteRange> {
        let seq = self.index()?.seq(item.from, item.offset.saturating_add(place))?;
        let (connection, from) = (self.connection, self.sender(item));
        Some(ByteRange { connection, from, seq, len, at: item.at })
    }

    fn selected(&self) -> Option<&Item> {
        self.items()?.get(self.viewport.cursor.item)
    }

    fn open_call(&self, scene: &Scene<'_>) -> Vec<Command> {
        let no = || vec![Command::Notice("No call is remembered at this place".to_owned())];
        let Some(item) = self.selected() else { return Vec::new() };
        if item.kind == Kind::Gap {
            return no();
        }
        let (place, len) = match self.form {
            Form::Frames => (0, item.len),
            // The row's first byte tells, for a row may hold several.
            Form::Text | Form::Hex => (self.viewport.part(self.viewport.cursor).0, 1),
        };
        let bytes = self.carried(item, place, len);
        let call = bytes.and_then(|it| exchange_of(scene.capture.archive(), &it, FAR_REACH));
        call.map_or_else(no, |call| vec![Command::OpenCall(call)])
    }

    fn copy(&self, scene: &Scene<'_>) -> Vec<Command> {
        let Some(item) = self.selected() else { return Vec::new() };
        let text = if item.kind == Kind::Gap || self.form == Form::Hex {
            let row = self.shown.iter().find(|shown| shown.place == self.viewport.cursor);
            row.map(|row| row.text.clone()).unwrap_or_default()
        } else {
            let (place, len) = match self.form {
                Form::Frames => (0, item.len),
                _ => self.viewport.part(self.viewport.cursor),
            };
            let Some(index) = self.index() else { return Vec::new() };
            let len = usize::try_from(len).unwrap_or(COPIED).min(COPIED);
            let mut source = Source::new(scene.capture.archive());
            match index.read(&mut source, item.from, item.offset.saturating_add(place), len) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(gone) => return vec![Command::Notice(gone.to_string())],
            }
        };
        vec![Command::Effect(Effect::Copy(text))]
    }

    /// Goes to the first item. Where that was forgotten, everything is read anew.
    fn go_to_top(&mut self) {
        if self.items().is_some_and(|items| items.numbers().start > 0) {
            self.follower = None;
            self.is_more = true;
            self.calls.clear();
            self.viewport.forget();
        }
        self.viewport.go_to(Place::default());
    }

    fn go_to(&mut self, number: u64) -> Vec<Command> {
        let item = number.saturating_sub(1);
        if self.items().is_some_and(|items| items.numbers().contains(&item)) {
            self.viewport.go_to(Place { item, row: 0 });
            return Vec::new();
        }
        let so_far = self.items().map_or(0, |items| items.numbers().end);
        let what = format!("No {number} here: {} were read so far", count(so_far));
        vec![Command::Notice(what)]
    }

    /// Another form, at the bytes that were selected.
    fn change_form(&mut self) {
        let before = self.selected().copied();
        let place = self.viewport.part(self.viewport.cursor).0;
        self.form = self.form.next();
        self.viewport.forget();
        self.calls.clear();
        let Some((before, items)) = before.zip(self.items()) else { return };
        let offset = before.offset.saturating_add(place);
        let here = items.numbers().find(|number| {
            items.get(*number).is_some_and(|item| {
                item.from == before.from && offset < item.offset.saturating_add(item.len.max(1))
            })
        });
        let item = here.unwrap_or_else(|| items.numbers().end.saturating_sub(1));
        self.viewport.go_to(Place { item, row: 0 });
    }

    fn search(&mut self, backwards: bool) -> Vec<Command> {
        if self.needle.is_none() {
            return vec![Command::Ask(Question::search())];
        }
        self.verdict.clear();
        self.hunt = Some(Search::to_the_end(self.viewport.cursor.item, backwards));
        Vec::new()
    }

    /// Looks at some items more, where a search is under way.
    fn hunt_on(&mut self, scene: &Scene<'_>) {
        let (Some(mut hunt), Some((text, needle))) = (self.hunt.clone(), &self.needle) else {
            return;
        };
        let (Some(index), Some(items)) = (self.index(), self.items()) else { return };
        let mut source = Source::new(scene.capture.archive());
        let is_wanted = wanted(self.only, self.roles_swapped);
        let step = step(&mut hunt, needle, items, index, &mut source, is_wanted);
        let goes_on = !hunt.is_backwards() && self.is_more;
        match step {
            Step::Found(item, place) => {
                let layout = self.layout(scene.area);
                let row = self.viewport.row_at(item, place, &layout, index, items, &mut source);
                self.hunt = None;
                self.is_following = false;
                self.to_end = false;
                self.viewport.go_to(Place { item, row });
            }
            Step::Nowhere if !goes_on => {
                let way = if hunt.is_backwards() { "before" } else { "behind" };
                self.verdict = format!("{text} is not found {way} this place");
                self.hunt = None;
            }
            Step::GoesOn | Step::Nowhere => self.hunt = Some(hunt),
        }
    }

    fn back(&mut self) -> Vec<Command> {
        if self.hunt.take().is_some() || self.to_end {
            self.to_end = false;
            return Vec::new();
        }
        if self.needle.take().is_some() {
            self.verdict.clear();
            return Vec::new();
        }
        vec![Command::Close]
    }

    /// Does what `action` says of movement; whether it says so.
    fn go(&mut self, action: Action, scene: &Scene<'_>) -> bool {
        match action {
            Action::Top => {
                self.is_following = false;
                self.to_end = false;
                self.go_to_top();
                return true;
            }
            Action::Bottom => {
                self.to_end = true;
                return true;
            }
            Action::Follow => {
                self.is_following = !self.is_following;
                return true;
            }
            _ => {}
        }
        let page = usize::from(scene.area.height.saturating_sub(1).max(1));
        let Some(lines) = lines(action, page) else { return false };
        self.is_following = false;
        self.to_end = false;
        self.move_by(lines, scene);
        true
    }

    fn move_by(&mut self, lines: i64, scene: &Scene<'_>) {
        let layout = self.layout(scene.area);
        let Some(follower) = &self.follower else { return };
        let index = follower.index();
        let items = if self.form == Form::Frames { &index.frames } else { &index.blocks };
        let is_wanted = wanted(self.only, self.roles_swapped);
        let mut source = Source::new(scene.capture.archive());
        self.viewport.move_by(lines, &layout, index, items, &is_wanted, &mut source);
    }
}

/// Tells the items of the side that is shown alone from the others, of which they are all where
/// none is.
fn wanted(only: Option<Side>, roles_swapped: bool) -> impl Fn(&Item) -> bool {
    move |item| {
        only.is_none_or(|side| side == if roles_swapped { item.from.other() } else { item.from })
    }
}

impl View for Stream {
    fn title(&self, _scene: &Scene<'_>) -> String {
        format!("Stream {}", self.connection)
    }

    fn context(&self) -> Context {
        Context::Stream
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Command> {
        let mut commands = Vec::new();
        match action {
            Action::Enter => return self.open_call(scene),
            Action::Copy => return self.copy(scene),
            Action::Save => {
                let name = format!("connection-{}.pcapng", self.connection);
                return vec![Command::Ask(Question::save(&name))];
            }
            Action::Search => return vec![Command::Ask(Question::search())],
            Action::Back => commands = self.back(),
            Action::FindNext => commands = self.search(false),
            Action::FindPrevious => commands = self.search(true),
            Action::GoTo(number) => commands = self.go_to(number),
            Action::TimeFormat => commands.push(Command::Notice(self.times.next().to_owned())),
            Action::Hex => self.change_form(),
            Action::UnfoldAll | Action::FoldAll => {
                self.is_unfolded = action == Action::UnfoldAll;
                self.viewport.forget();
            }
            Action::NextPane | Action::PreviousPane => {
                let forwards = action == Action::NextPane;
                self.only = match (self.only, forwards) {
                    (None, true) | (Some(Side::Server), false) => Some(Side::Client),
                    (Some(Side::Client), true) | (None, false) => Some(Side::Server),
                    (Some(_), _) => None,
                };
            }
            _ => _ = self.go(action, scene),
        }
        self.hunt_on(scene);
        self.look(scene);
        commands
    }

    fn mouse(&mut self, mouse: Mouse, scene: &Scene<'_>) -> Vec<Command> {
        self.is_following = false;
        self.to_end = false;
        match mouse {
            Mouse::Wheel(_, lines) => self.move_by(lines.into(), scene),
            Mouse::Click(at) | Mouse::DoubleClick(at) => {
                let row = at.y.checked_sub(scene.area.y + 1).map(usize::from);
                let place = row.and_then(|row| self.shown.get(row)).map(|shown| shown.place);
                let Some(place) = place else { return Vec::new() };
                self.viewport.go_to(place);
                if matches!(mouse, Mouse::DoubleClick(_)) {
                    self.look(scene);
                    return self.open_call(scene);
                }
            }
        }
        self.look(scene);
        Vec::new()
    }

    fn answer(&mut self, question: &Question, text: &str, scene: &Scene<'_>) -> Vec<Command> {
        match question.id {
            "search" => {
                self.needle = Needle::new(text).map(|needle| (text.to_owned(), needle));
                if self.needle.is_none() {
                    return Vec::new();
                }
                let commands = self.search(false);
                self.hunt_on(scene);
                self.look(scene);
                commands
            }
            "save" => {
                let is_it = |number| number == self.connection;
                saving::save_calls(scene.capture.archive(), is_it, text)
            }
            _ => Vec::new(),
        }
    }

    fn refresh(&mut self, _changed: &[ExchangeNumber], scene: &Scene<'_>) {
        self.read_on(scene);
        self.hunt_on(scene);
        self.look(scene);
        self.read_silence(scene);
    }

    fn is_at_work(&self) -> bool {
        self.hunt.is_some()
            || self.is_more && (self.to_end || self.is_following || self.shown.is_empty())
    }

    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        self.draw_about(scene, buf);
        if self.shown.is_empty() {
            return self.draw_empty(scene, buf);
        }
        let below =
            Rect { y: scene.area.y + 1, height: scene.area.height.saturating_sub(1), ..scene.area };
        let numbers = self.items().map_or(0..0, Items::numbers);
        let at = |number: u64| usize::try_from(number.saturating_sub(numbers.start)).unwrap_or(0);
        let mut scroll = Scroll::default();
        scroll.fit(at(numbers.end), below.height);
        let top = self.shown.first().map_or(0, |shown| at(shown.place.item));
        scroll.by(i64::try_from(top).unwrap_or(i64::MAX));
        let room = scroll.draw_bar(below, scene.theme, buf);
        for (row, shown) in room.rows().zip(&self.shown) {
            self.draw_row(shown, scene, row, buf);
        }
    }
}
