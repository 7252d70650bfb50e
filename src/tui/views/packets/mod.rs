//! The packets: every one of them in a line, and the bytes of the selected one below.

mod bytes;
mod fields;
mod filter;
mod reading;
mod search;
#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use self::bytes::BytesPane;
pub use self::fields::FILTERED;
use self::filter::Filtered;
pub use self::reading::{Beginnings, Reading};
use self::search::step;
use super::byte_range::{ByteRange, exchange_of};
use super::times::{self, TimeStyle, Times};
use super::waiting;
use crate::decode::{Flags, Headers, Seq};
use crate::endpoint::Side;
use crate::exchange::ExchangeNumber;
use crate::packet::PacketNumber;
use crate::report::{BYTES_PER_COLUMN, count, counted};
use crate::tui::find::Needle;
use crate::tui::keys::{Action, Context};
use crate::tui::search::{Search, Step};
use crate::tui::status::Activity;
use crate::tui::table::{Column, Hit, Selection, TITLES, Table, Width};
use crate::tui::text::{Align, LineBuilder};
use crate::tui::view::{Command, Effect, Mouse, Question, Rows, Scene, View};

/// Exchanges among which that of a packet is looked for: takes some hundredths of a second.
const REACH: u64 = 200_000;

const NUMBER: usize = 0;
const TIME: usize = 1;
const FROM: usize = 2;
const TO: usize = 3;
const LENGTH: usize = 4;
const COLUMNS: [Column; 6] = [
    column("#", Width::Fixed(6), 9, Align::Right),
    column("time", Width::Fixed(times::WIDTH), 8, Align::Right),
    column("source", Width::Flexible { min: 13, weight: 1 }, 5, Align::Left),
    column("destination", Width::Flexible { min: 13, weight: 1 }, 5, Align::Left),
    column("length", Width::Fixed(6), 7, Align::Right),
    column("reading", Width::Flexible { min: 45, weight: 6 }, 10, Align::Left),
];

const fn column(title: &'static str, width: Width, priority: u8, align: Align) -> Column {
    Column { title, width, priority, align }
}

/// The view of the packets.
#[derive(Debug)]
pub struct Packets {
    times: Times,
    /// [`COLUMNS`], that of the time as wide as times are.
    columns: [Column; 6],
    selection: Selection,
    /// The number of the packet in row 0.
    first: PacketNumber,
    /// The number of the selected packet; 0 for none.
    selected: PacketNumber,
    /// The packets in sight, and what they were read of.
    lines: Vec<Line>,
    lines_of: Option<LinesOf>,
    beginnings: Beginnings,
    reading: Option<Reading>,
    pane: BytesPane,
    filtered: Option<Filtered>,
    needle: Option<(String, Needle)>,
    hunt: Option<Search>,
    /// What came of the last search, where it found nothing.
    verdict: String,
    /// Whether it was refreshed before: then it is known whether packets still come.
    begun: bool,
}

/// What lines depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LinesOf {
    /// The row of the first one.
    start: usize,
    count: usize,
    width: u16,
    /// Packets that a filter let through, as far as it looked.
    filtered: Option<usize>,
    /// Packets and connections that are known of: those that come may tell more of those that came.
    known: (PacketNumber, usize),
}

/// A packet in sight, as it is shown.
#[derive(Debug)]
struct Line {
    number: PacketNumber,
    time: String,
    from: String,
    to: String,
    length: u32,
    text: String,
    /// The beginning of what it carried.
    payload: Vec<u8>,
    side: Option<Side>,
    is_gone: bool,
}

impl Packets {
    /// No packet yet; `times` says how points in time are told.
    pub fn new(times: impl Into<TimeStyle>) -> Self {
        let mut view = Self {
            times: Times::since_first(times.into()),
            columns: COLUMNS,
            selection: Selection::new(false),
            first: PacketNumber(1),
            selected: PacketNumber(0),
            lines: Vec::new(),
            lines_of: None,
            beginnings: Beginnings::default(),
            reading: None,
            pane: BytesPane::default(),
            filtered: None,
            needle: None,
            hunt: None,
            verdict: String::new(),
            begun: false,
        };
        view.widen();
        view
    }

    fn widen(&mut self) {
        self.columns[TIME].width = Width::Fixed(self.times.width());
    }

    const fn table(&self) -> Table<'_> {
        Table { columns: &self.columns, selection: &self.selection, sorted: None }
    }

    /// The room of the list, and that of the bytes with the line above them.
    fn rooms(&self, area: Rect) -> (Rect, Rect) {
        let below = self.pane.height(area.height);
        let list = Rect { height: area.height.saturating_sub(below), ..area };
        (list, Rect { y: list.bottom(), height: below, ..area })
    }

    /// Finds the selected packet again, and reads what is in sight.
    fn look(&mut self, scene: &Scene<'_>) {
        let (list, pane) = self.rooms(scene.area);
        let packets = scene.capture.archive().packets();
        let all =
            usize::try_from(packets.end.0.saturating_sub(packets.start.0)).unwrap_or(usize::MAX);
        let before = self.filtered.as_ref().and_then(|filtered| filtered.number(0));
        if let Some(filtered) = &mut self.filtered {
            filtered.step(scene.capture);
        }
        let first_shown = self.filtered.as_ref().and_then(|filtered| filtered.number(0));
        let rows = self.filtered.as_ref().map_or(all, Filtered::len);
        let height = list.height.saturating_sub(TITLES);
        if packets.start != self.first || before != first_shown {
            self.first = packets.start;
            self.selection.fit(rows, height);
            if !self.selection.is_following() && self.selected > PacketNumber(0) {
                self.selection.keep(self.row_of(self.selected));
            }
        }
        self.selection.fit(rows, height);
        self.selected =
            self.selection.selected().map_or(PacketNumber(0), |row| self.number_of(row));
        let read = self.reading.as_ref().map_or(PacketNumber(0), |reading| reading.record.number);
        if read != self.selected {
            self.reading = Reading::new(self.selected, scene.capture);
            self.pane.top();
        }
        self.pane.fit(self.reading.as_ref(), pane);
        let seen = self.selection.in_sight();
        let lines_of = LinesOf {
            start: seen.start,
            count: seen.len(),
            filtered: self.filtered.as_ref().map(Filtered::len),
            width: list.width,
            known: (packets.end, scene.capture.connections().len()),
        };
        if self.lines_of.replace(lines_of) != Some(lines_of) {
            self.read_lines(&lines_of, scene);
        }
    }

    fn read_lines(&mut self, of: &LinesOf, scene: &Scene<'_>) {
        let capture = scene.capture;
        let origin = times::first_packet(capture);
        let LinesOf { start, count, width, .. } = *of;
        let above = start.checked_sub(1).map(|row| self.number_of(row));
        let above = above.and_then(|number| capture.archive().packet(number));
        let mut above = above.map(|packet| packet.at);
        self.lines.clear();
        for row in (start..).take(count) {
            let number = self.number_of(row);
            let Some(reading) = Reading::new(number, capture) else { continue };
            let end = |end: Option<std::net::SocketAddr>| {
                end.map_or_else(String::new, |end| end.ip().to_string())
            };
            let headers = reading.headers.as_ref();
            let text = reading.line(&mut self.beginnings, capture);
            let shown = usize::from(width) * BYTES_PER_COLUMN;
            let payload = reading.headers.as_ref().map_or(&[][..], |_| reading.payload());
            self.lines.push(Line {
                number,
                time: self.times.text(reading.record.at, origin, above),
                from: end(headers.map(|headers| headers.from)),
                to: end(headers.map(|headers| headers.to)),
                length: reading.record.original_len,
                // The one arrow of ours comes first.
                text: text.replacen('→', &scene.theme.symbols.right.to_string(), 1),
                payload: payload.get(..shown).unwrap_or(payload).to_vec(),
                side: reading.from(capture),
                is_gone: reading.data.is_err(),
            });
            above = Some(reading.record.at);
        }
    }

    /// The number of the packet in this row; 0 where a filter let none through that far.
    fn number_of(&self, row: usize) -> PacketNumber {
        match &self.filtered {
            Some(filtered) => filtered.number(row).unwrap_or(PacketNumber(0)),
            None => self.first.saturating_add(row as u64),
        }
    }

    fn row_of(&self, number: PacketNumber) -> usize {
        match &self.filtered {
            Some(filtered) => filtered.row(number),
            None => usize::try_from(number.0.saturating_sub(self.first.0)).unwrap_or(usize::MAX),
        }
    }

    fn line(&self, row: usize) -> Option<&Line> {
        let number = self.number_of(row);
        let place = self.lines.binary_search_by_key(&number, |line| line.number).ok()?;
        self.lines.get(place)
    }

    fn set_filter(&mut self, text: &str) -> Vec<Command> {
        match Filtered::new(text) {
            Ok(filtered) => {
                let here = self.selected;
                self.filtered = filtered;
                self.lines_of = None;
                self.hunt = None;
                if !self.selection.is_following() {
                    self.go_to(here);
                }
                Vec::new()
            }
            Err(error) => vec![Command::Notice(error.to_string())],
        }
    }

    fn go_to(&mut self, number: PacketNumber) {
        self.selection.follow(false);
        self.selection.select(self.row_of(number));
    }

    /// Goes to the packet whose number was typed.
    fn go_to_typed(&mut self, number: PacketNumber, scene: &Scene<'_>) -> Vec<Command> {
        if !scene.capture.archive().packets().contains(&number) {
            return vec![Command::Notice(format!("No packet {number} is remembered"))];
        }
        self.go_to(number);
        match &self.filtered {
            Some(filtered) if !filtered.has(number) => {
                let hidden = format!("Packet {number} is hidden by the filter");
                vec![Command::Notice(hidden + "; Esc clears it")]
            }
            _ => Vec::new(),
        }
    }

    fn open_call(&self, scene: &Scene<'_>) -> Vec<Command> {
        let Some(reading) = &self.reading else { return Vec::new() };
        let no = |why: &str| vec![Command::Notice(why.to_owned())];
        let (Some(connection), Some(headers), Some(from)) =
            (reading.record.connection, &reading.headers, reading.from(scene.capture))
        else {
            return no("This packet is of no connection that is followed");
        };
        if headers.payload_len == 0 {
            return no("This packet carries no bytes of a call");
        }
        let bytes = ByteRange {
            connection,
            from,
            seq: payload_seq(headers),
            len: u64::from(headers.payload_len),
            at: reading.record.at,
        };
        match exchange_of(scene.capture.archive(), &bytes, REACH) {
            Some(number) => vec![Command::OpenCall(number)],
            None => no("No call is remembered that has bytes in this packet"),
        }
    }

    fn open_stream(&self) -> Vec<Command> {
        match self.reading.as_ref().and_then(|reading| reading.record.connection) {
            Some(connection) => vec![Command::OpenStream(connection)],
            None => {
                let why = "This packet is of no connection that is followed";
                vec![Command::Notice(why.to_owned())]
            }
        }
    }

    fn search(&mut self, backwards: bool, scene: &Scene<'_>) -> Vec<Command> {
        if self.needle.is_none() {
            return vec![Command::Ask(Question::search())];
        }
        self.verdict.clear();
        let packets = scene.capture.archive().packets();
        // Those that there are now: what comes meanwhile is not what was searched.
        let packets = packets.start.0..packets.end.0;
        self.hunt = Some(Search::round(packets, Some(self.selected.0), backwards));
        self.hunt_on(scene);
        Vec::new()
    }

    /// Looks at some packets more, where a search is under way.
    fn hunt_on(&mut self, scene: &Scene<'_>) {
        let (Some(hunt), Some((text, needle))) = (&mut self.hunt, &self.needle) else { return };
        match step(hunt, needle, self.filtered.as_ref(), scene.capture) {
            Step::GoesOn => {}
            Step::Found(number, ()) => {
                self.hunt = None;
                self.go_to(PacketNumber(number));
            }
            Step::Nowhere => {
                self.verdict = format!("No packet holds {text}");
                self.hunt = None;
            }
        }
    }

    fn back(&mut self) -> Vec<Command> {
        if self.hunt.take().is_some() || self.pane.back() {
            return Vec::new();
        }
        if self.needle.take().is_some() {
            self.verdict.clear();
            return Vec::new();
        }
        if self.filtered.is_some() {
            return self.set_filter("");
        }
        vec![Command::Close]
    }

    fn copy(&self) -> Vec<Command> {
        let Some(reading) = &self.reading else { return Vec::new() };
        let text = String::from_utf8_lossy(reading.payload()).into_owned();
        if text.is_empty() {
            return vec![Command::Notice("This packet has no payload to copy".to_owned())];
        }
        vec![Command::Effect(Effect::Copy(text))]
    }

    /// The line between the list and the bytes.
    fn about(&self) -> String {
        let Some(reading) = &self.reading else { return String::new() };
        let record = &reading.record;
        let mut about = format!("Packet {}, {}", record.number, length(record.original_len.into()));
        if record.captured_len < record.original_len {
            about.push_str(&format!(", {} of them captured", count(record.captured_len.into())));
        }
        let payload = reading.headers.as_ref().map_or(0, |headers| headers.payload_len);
        if payload > 0 {
            about.push_str(&format!(", {} of payload", length(payload.into())));
        }
        if let Some(connection) = record.connection {
            about.push_str(&format!(", connection {connection}"));
        }
        about
    }

    fn draw_about(&self, scene: &Scene<'_>, row: Rect, buf: &mut Buffer) {
        let theme = scene.theme;
        let mut pen = LineBuilder::new(row.width, &theme.symbols);
        let edge = theme.symbols.horizontal.to_string();
        let style = if self.pane.is_focused() { theme.heading } else { theme.dim };
        pen.put(&edge.repeat(2), theme.dim).put(" ", Style::new());
        if let Some(filtered) = &self.filtered {
            pen.put(&filtered.about(), Style::new()).put(" filter ", theme.dim);
            pen.put(&filtered.text(), Style::new()).put("  ", Style::new());
        }
        match (&self.hunt, self.verdict.as_str()) {
            (Some(hunt), _) => pen.put(&hunt.about(), theme.warning),
            (None, "") => pen.put(&self.about(), style),
            (None, verdict) => pen.put(verdict, theme.warning),
        };
        pen.put(" ", Style::new());
        let rest = pen.room();
        pen.put(&edge.repeat(rest), theme.dim);
        pen.draw(buf, row.x, row.y, Align::Left);
    }
}

fn length(bytes: u64) -> String {
    counted(bytes, "byte", "bytes")
}

impl View for Packets {
    fn title(&self, _scene: &Scene<'_>) -> String {
        "Packets".to_owned()
    }

    fn context(&self) -> Context {
        Context::Packets
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Command> {
        let commands = match action {
            Action::Enter => self.open_call(scene),
            Action::Stream => self.open_stream(),
            Action::Copy => self.copy(),
            Action::Back => self.back(),
            Action::Filter => {
                let filter = self.filtered.as_ref().map(Filtered::text).unwrap_or_default();
                vec![Command::Ask(Question::filter(Rows::Packets, &filter))]
            }
            Action::Search => vec![Command::Ask(Question::search())],
            Action::FindNext => self.search(false, scene),
            Action::FindPrevious => self.search(true, scene),
            Action::GoTo(number) => self.go_to_typed(PacketNumber(number), scene),
            Action::TimeFormat => {
                self.lines_of = None;
                let about = self.times.next();
                self.widen();
                vec![Command::Notice(about.to_owned())]
            }
            _ if self.pane.act(action) => Vec::new(),
            _ => {
                self.selection.act(action);
                Vec::new()
            }
        };
        self.look(scene);
        commands
    }

    fn mouse(&mut self, mouse: Mouse, scene: &Scene<'_>) -> Vec<Command> {
        let (list, _) = self.rooms(scene.area);
        match mouse {
            Mouse::Wheel(at, lines) if list.contains(at) => self.selection.wheel(lines),
            Mouse::Wheel(_, lines) => self.pane.wheel(lines),
            Mouse::Click(at) | Mouse::DoubleClick(at) => {
                self.pane.focus(!list.contains(at));
                if let Some(Hit::Row(row, _)) = self.table().hit(list, at) {
                    self.go_to(self.number_of(row));
                    self.look(scene);
                    if matches!(mouse, Mouse::DoubleClick(_)) {
                        return self.act(Action::Enter, scene);
                    }
                }
            }
        }
        self.look(scene);
        Vec::new()
    }

    fn answer(&mut self, question: &Question, text: &str, scene: &Scene<'_>) -> Vec<Command> {
        if question.id == "filter" {
            let commands = self.set_filter(text);
            self.look(scene);
            return commands;
        }
        if question.id != "search" {
            return Vec::new();
        }
        self.needle = Needle::new(text).map(|needle| (text.to_owned(), needle));
        if self.needle.is_none() {
            return Vec::new();
        }
        let commands = self.search(false, scene);
        self.look(scene);
        commands
    }

    fn refresh(&mut self, _changed: &[ExchangeNumber], scene: &Scene<'_>) {
        if !self.begun && scene.status.activity != Activity::None {
            self.begun = true;
            self.look(scene);
            self.selection.follow(scene.status.activity == Activity::Live);
        }
        self.hunt_on(scene);
        self.look(scene);
    }

    fn is_at_work(&self) -> bool {
        self.hunt.is_some() || self.filtered.as_ref().is_some_and(Filtered::is_at_work)
    }

    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        if self.selection.rows() == 0 && self.filtered.is_none() {
            return waiting::draw("packet", scene, buf);
        }
        let theme = scene.theme;
        let (list, pane) = self.rooms(scene.area);
        self.table().draw(
            list,
            theme,
            buf,
            |_| Style::new(),
            |row, column, pen| {
                let Some(line) = self.line(row) else { return };
                let style = match line.side {
                    _ if line.is_gone => theme.dim,
                    Some(Side::Client) => theme.client,
                    Some(Side::Server) => theme.server,
                    None => theme.dim,
                };
                match column {
                    NUMBER => pen.put(&line.number.to_string(), theme.dim),
                    TIME => pen.put(&line.time, Style::new()),
                    FROM => pen.put(&line.from, style),
                    TO => pen.put(&line.to, Style::new()),
                    LENGTH => pen.put(&line.length.to_string(), Style::new()),
                    _ if line.payload.is_empty() => pen.put(&line.text, style),
                    _ => {
                        pen.put(&line.text, Style::new()).put("  ", Style::new());
                        pen.put_bytes(&line.payload, style)
                    }
                };
            },
        );
        let Some(above) = pane.rows().next() else { return };
        self.draw_about(scene, above, buf);
        let below = Rect { y: pane.y + 1, height: pane.height - 1, ..pane };
        let needle = self.needle.as_ref().map(|(_, needle)| needle);
        self.pane.draw(self.reading.as_ref(), needle, below, theme, buf);
    }
}

/// The sequence number of the first payload byte.
const fn payload_seq(headers: &Headers) -> Seq {
    // The SYN takes one itself.
    if headers.flags.has(Flags::SYN) { headers.seq.add(1) } else { headers.seq }
}
