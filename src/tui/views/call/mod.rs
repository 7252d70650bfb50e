//! One call: what was asked and answered, how long that took, what went on around it on its
//! connection, and the packets that carried it, down to their bytes.
//!
//! ```text
//!  #2 sum  ok  3.61ms …                     narrow: one pane at a time, chosen by its name
//!  Request │ Replies │ Time │ Ladder │ Packets
//!  ┌ Request ──────┐┌ Time ───────┐
//!  │               ││             │         wide: all at once; `z` gives one all the room
//!  ├ Replies ──────┤├ Ladder ─────┤
//!  │               │├ Packets ────┤
//!  └───────────────┘└─────────────┘
//! ```

mod draw;
mod ladder;
mod packets;
mod payload;
mod replies;
mod timing;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use self::ladder::Ladder;
use self::packets::Packets;
use self::payload::Payload;
use self::replies::Replies;
use crate::endpoint::Side;
use crate::exchange::{ExchangeKind, ExchangeNumber, Status};
use crate::store::{Detail, FrameRecord, Percentiles};
use crate::tui::keys::{Action, Context};
use crate::tui::table::Scroll;
use crate::tui::view::{Command, Effect, Mouse, Question, Scene, View};
use crate::tui::views::times::TimeStyle;
use crate::tui::views::{copies, endings};

/// Rows above the panes: what the call is, what came of it, the names of the panes.
const HEAD: u16 = 3;

/// A part of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pane {
    Request,
    Replies,
    Time,
    Ladder,
    Packets,
}

impl Pane {
    const ALL: &[Self] = &[Self::Request, Self::Replies, Self::Time, Self::Ladder, Self::Packets];
    /// Those of an attempt to connect, which carried nothing.
    const OF_ATTEMPT: &[Self] = &[Self::Time, Self::Ladder, Self::Packets];

    const fn name(self) -> &'static str {
        match self {
            Self::Request => "Request",
            Self::Replies => "Replies",
            Self::Time => "Time",
            Self::Ladder => "Ladder",
            Self::Packets => "Packets",
        }
    }
}

/// The view of one call, event or orphan reply.
pub struct Call {
    number: ExchangeNumber,
    times: TimeStyle,
    /// As it was when it was last looked at; `None` where it is not remembered.
    detail: Option<Detail>,
    pattern: String,
    /// The id and the error of the call: JSON.
    id: Option<Vec<u8>>,
    error: Option<Vec<u8>>,
    usual: Option<Percentiles>,
    pane: Pane,
    zoomed: bool,
    request: Payload,
    /// The frame that `request` shows.
    requested: Option<FrameRecord>,
    replies: Replies,
    time: Scroll,
    ladder: Ladder,
    packets: Packets,
}

impl Call {
    /// A view of exchange `number`; `times` says how its time is told.
    pub fn new(number: ExchangeNumber, times: impl Into<TimeStyle>) -> Self {
        Self {
            number,
            times: times.into(),
            detail: None,
            pattern: String::new(),
            id: None,
            error: None,
            usual: None,
            pane: Pane::Request,
            zoomed: false,
            request: Payload::nothing(""),
            requested: None,
            replies: Replies::default(),
            time: Scroll::default(),
            ladder: Ladder::default(),
            packets: Packets::default(),
        }
    }

    /// The panes that there are.
    fn all(&self) -> &'static [Pane] {
        if self.is_attempt() { Pane::OF_ATTEMPT } else { Pane::ALL }
    }

    /// The pane that the keys go to.
    fn pane(&self) -> Pane {
        match self.all() {
            all if all.contains(&self.pane) => self.pane,
            all => all.first().copied().unwrap_or(self.pane),
        }
    }

    fn is_attempt(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.row.kind == ExchangeKind::Connect)
    }

    /// How it ended without an answer.
    fn ending(&self, detail: &Detail) -> Option<String> {
        endings::sentence(&detail.row, self.error.as_deref())
    }

    /// Reads again what changed.
    fn load(&mut self, scene: &Scene<'_>) {
        let archive = scene.capture.archive();
        // A stream of a million replies is looked at again only where there are more of them.
        let known = self.detail.as_ref().map(|detail| detail.row);
        let is_known = known.is_some() && known == archive.row(self.number);
        let detail = if is_known { None } else { archive.detail(self.number) };
        if detail.is_some() && detail != self.detail {
            self.detail = detail;
            self.read(scene);
        }
        let Some(detail) = &self.detail else { return };
        self.ladder.gather(archive, detail);
        let pattern = archive.pattern(detail.row.pattern);
        let rows = scene.capture.statistics().patterns();
        let row = rows
            .iter()
            .find(|row| row.kind == detail.row.kind && row.pattern.as_deref() == pattern);
        self.usual = row.and_then(|row| row.latency.percentiles());
    }

    /// Reads the payloads and the packets.
    fn read(&mut self, scene: &Scene<'_>) {
        let archive = scene.capture.archive();
        let Some(detail) = &self.detail else { return };
        self.pattern = archive.pattern(detail.row.pattern).unwrap_or_default().to_owned();
        // A stream that goes on is not read anew as a whole with each of its replies.
        if self.id.is_none() || detail.row.status != Status::Open {
            let own = |text: Option<&[u8]>| text.map(<[u8]>::to_vec);
            (self.id, self.error) = archive
                .exchange(self.number, |exchange| (own(exchange.id), own(exchange.error)))
                .unwrap_or_default();
        }
        let is_reply = detail.row.kind == ExchangeKind::Reply;
        let request = detail.frames.first().filter(|_| !is_reply).copied();
        let is_same = request.is_some() && request == self.requested;
        if !is_same {
            self.request = match &request {
                Some(frame) => Payload::new(archive.body(detail, frame)),
                None if self.is_attempt() => Payload::nothing("no byte was sent"),
                None => Payload::nothing("the capture lacks the request"),
            };
            self.requested = request;
        }
        let skipped = usize::from(request.is_some());
        self.replies.load(detail.frames.get(skipped..).unwrap_or(&[]), is_same);
        let connections = scene.capture.connections();
        let opened =
            connections.iter().find(|known| known.facts.connection.number == detail.row.connection);
        self.packets.load(archive, detail, opened.map(|known| known.facts.first.number));
    }

    /// Shows another exchange in the place of this one.
    fn go_to(&mut self, number: ExchangeNumber) {
        let fresh = Self::new(number, self.times.clone());
        let old = std::mem::replace(self, fresh);
        (self.pane, self.zoomed) = (old.pane, old.zoomed);
    }

    fn go_to_neighbour(&mut self, forward: bool, scene: &Scene<'_>) -> Vec<Command> {
        let archive = scene.capture.archive();
        let numbers = archive.numbers();
        let is_there = |number: &ExchangeNumber| archive.row(*number).is_some();
        let next = if forward {
            ExchangeNumber::each(self.number.next()..numbers.end).find(is_there)
        } else {
            let before = numbers.start..self.number.min(numbers.end);
            ExchangeNumber::each(before).rev().find(is_there)
        };
        match next {
            Some(number) => {
                self.go_to(number);
                Vec::new()
            }
            None => {
                vec![notice(if forward { "This is the last one" } else { "This is the first one" })]
            }
        }
    }

    /// The panes that are shown, and where; each with a row for its name above it.
    fn panes(&self, area: Rect) -> Vec<(Pane, Rect)> {
        let body = Rect {
            y: area.y + HEAD.min(area.height),
            height: area.height.saturating_sub(HEAD),
            ..area
        };
        if self.zoomed || body.width < 100 || body.height < 24 {
            return vec![(self.pane(), body)];
        }
        // Sixteen bytes of hex want 74 columns, a ladder with its deltas nearly as many.
        let columns: &[(u32, &[(Pane, u32)])] = if self.is_attempt() {
            &[(50, &[(Pane::Time, 40), (Pane::Ladder, 60)]), (50, &[(Pane::Packets, 100)])]
        } else if body.width >= 196 {
            &[
                (26, &[(Pane::Request, 50), (Pane::Replies, 50)]),
                (36, &[(Pane::Time, 35), (Pane::Ladder, 65)]),
                (38, &[(Pane::Packets, 100)]),
            ]
        } else {
            &[
                (37, &[(Pane::Request, 50), (Pane::Replies, 50)]),
                (63, &[(Pane::Time, 33), (Pane::Ladder, 27), (Pane::Packets, 40)]),
            ]
        };
        let mut panes = Vec::new();
        let mut left = body;
        for (index, (share, column)) in columns.iter().enumerate() {
            let is_last = index + 1 == columns.len();
            let width = if is_last { left.width } else { part(body.width, *share) };
            let mut below = Rect { width, ..left };
            for (index, (pane, share)) in column.iter().enumerate() {
                let is_last = index + 1 == column.len();
                let height = if is_last { below.height } else { part(body.height, *share) };
                panes.push((*pane, Rect { height, ..below }));
                below.y += height;
                below.height -= height;
            }
            // A blank column between two.
            left.x += width + 1;
            left.width = left.width.saturating_sub(width + 1);
        }
        panes
    }

    /// Tells the panes their room.
    fn fit(&mut self, scene: &Scene<'_>) {
        let archive = scene.capture.archive();
        let Some(detail) = &self.detail else { return };
        for (pane, area) in self.panes(scene.area) {
            let inner = below_name(area);
            match pane {
                Pane::Request => self.request.fit(inner),
                Pane::Replies => self.replies.fit(inner, archive, detail),
                Pane::Time => {
                    let usual = self.usual.as_ref();
                    let ending = self.ending(detail);
                    let width = inner.width;
                    let lines = timing::lines(detail, usual, ending.as_deref(), width, scene.theme);
                    self.time.fit(lines.len(), inner.height);
                }
                Pane::Ladder => self.ladder.fit(inner, archive),
                Pane::Packets => self.packets.fit(inner, archive, detail),
            }
        }
    }

    fn turn_pane(&mut self, forwards: bool) {
        let all = self.all();
        let at = all.iter().position(|pane| *pane == self.pane()).unwrap_or_default();
        let next = if forwards { at + 1 } else { at + all.len() - 1 } % all.len();
        self.pane = all.get(next).copied().unwrap_or(self.pane);
    }

    /// The payload that the keys go to.
    fn payload(&mut self) -> Option<&mut Payload> {
        match self.pane() {
            Pane::Request => Some(&mut self.request),
            Pane::Replies => self.replies.payload(),
            _ => None,
        }
    }

    /// Out of what is open, one level a time.
    fn back(&mut self) -> Vec<Command> {
        let left = self.payload().is_some_and(Payload::leave)
            || (self.pane() == Pane::Replies && self.replies.leave())
            || (self.pane() == Pane::Packets && self.packets.leave());
        if left {
            return Vec::new();
        }
        if std::mem::take(&mut self.zoomed) {
            return Vec::new();
        }
        vec![Command::Close]
    }

    fn copy(&mut self) -> Vec<Command> {
        let chosen = match self.pane() {
            Pane::Request => self.request.selected(),
            Pane::Replies => self.replies.selected(),
            Pane::Packets => self.packets.selected(),
            Pane::Time | Pane::Ladder => self.request.selected(),
        };
        copied(chosen, "There is nothing here to copy")
    }

    /// Copies what is of the call as a whole, whatever is chosen.
    fn copy_of_call(&self, action: Action, scene: &Scene<'_>) -> Vec<Command> {
        match copies::copied(scene.capture.archive(), self.number, action) {
            Ok(text) => copied(Some(text.as_bytes()), ""),
            Err(why) => vec![notice(&why)],
        }
    }

    fn act_in_pane(&mut self, action: Action) -> Vec<Command> {
        let said = match self.pane() {
            Pane::Request => self.request.act(action),
            Pane::Replies => self.replies.act(action),
            Pane::Time => {
                self.time.act(action);
                None
            }
            Pane::Ladder => {
                if action == Action::Enter
                    && let Some(number) = self.ladder.selected()
                {
                    self.go_to(number);
                } else {
                    self.ladder.act(action);
                }
                None
            }
            Pane::Packets => {
                self.packets.act(action);
                None
            }
        };
        said.map(notice).into_iter().collect()
    }
}

impl View for Call {
    fn title(&self, _scene: &Scene<'_>) -> String {
        let kind = match self.detail.as_ref().map(|detail| detail.row.kind) {
            Some(ExchangeKind::Event) => "Event",
            Some(ExchangeKind::Reply) => "Reply",
            Some(ExchangeKind::Connect) => "Attempt to connect",
            Some(ExchangeKind::Request) | None => "Call",
        };
        format!("{kind} {}", self.number)
    }

    fn context(&self) -> Context {
        Context::Call
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Command> {
        let commands = match action {
            Action::Back => self.back(),
            Action::NextPane => {
                self.turn_pane(true);
                Vec::new()
            }
            Action::PreviousPane => {
                self.turn_pane(false);
                Vec::new()
            }
            Action::Zoom => {
                self.zoomed = !self.zoomed;
                Vec::new()
            }
            Action::NextCall => self.go_to_neighbour(true, scene),
            Action::PreviousCall => self.go_to_neighbour(false, scene),
            Action::GoTo(number)
                if scene.capture.archive().row(ExchangeNumber(number)).is_some() =>
            {
                self.go_to(ExchangeNumber(number));
                Vec::new()
            }
            Action::GoTo(number) => vec![notice(&format!("There is no call {number}"))],
            Action::Search if self.payload().is_some() => {
                vec![Command::Ask(Question::search())]
            }
            Action::Search => vec![notice("Search works in the payloads: Tab goes there")],
            Action::Hex if self.pane() != Pane::Packets => {
                self.pane = Pane::Packets;
                Vec::new()
            }
            Action::Stream => {
                let connection = self.detail.as_ref().map(|detail| detail.row.connection);
                connection.map(Command::OpenStream).into_iter().collect()
            }
            Action::Copy => self.copy(),
            Action::CopyId => copied(self.id.as_deref(), "It has no id"),
            Action::CopyResponse | Action::CopyNc | Action::CopyTypeScript => {
                self.copy_of_call(action, scene)
            }
            Action::Mark => vec![Command::Mark(self.number)],
            Action::Save => {
                vec![Command::Ask(Question::save(&format!("call-{}.pcapng", self.number)))]
            }
            _ => self.act_in_pane(action),
        };
        self.load(scene);
        self.fit(scene);
        commands
    }

    fn mouse(&mut self, mouse: Mouse, scene: &Scene<'_>) -> Vec<Command> {
        let (Mouse::Click(at) | Mouse::DoubleClick(at) | Mouse::Wheel(at, _)) = mouse;
        let mut commands = Vec::new();
        if at.y == scene.area.y + HEAD - 1 && !matches!(mouse, Mouse::Wheel(..)) {
            let named = self.names(scene).into_iter().find(|(_, cells)| cells.contains(&at.x));
            self.pane = named.map_or(self.pane, |(pane, _)| pane);
        }
        let hit = self.panes(scene.area).into_iter().find(|(_, area)| area.contains(at));
        if let Some((pane, area)) = hit {
            let area = below_name(area);
            let row = usize::from(at.y.saturating_sub(area.y));
            if !matches!(mouse, Mouse::Wheel(..)) {
                self.pane = pane;
            }
            commands = self.mouse_in_pane(mouse, pane, area, row, at);
        }
        self.load(scene);
        self.fit(scene);
        commands
    }

    fn answer(&mut self, question: &Question, text: &str, scene: &Scene<'_>) -> Vec<Command> {
        let commands = match question.id {
            "search" => {
                let found = self.payload().is_some_and(|payload| payload.look_for(text));
                if found || text.is_empty() { Vec::new() } else { vec![notice("Not found")] }
            }
            "save" if !text.is_empty() => {
                vec![Command::Effect(Effect::save(text.to_owned(), vec![self.number]))]
            }
            _ => Vec::new(),
        };
        self.fit(scene);
        commands
    }

    fn refresh(&mut self, _changed: &[ExchangeNumber], scene: &Scene<'_>) {
        self.load(scene);
        self.fit(scene);
    }

    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        let Some(detail) = &self.detail else {
            let text = format!("Call {} is no longer in memory: older ones gave way", self.number);
            crate::tui::text::put(
                buf,
                (scene.area.x, scene.area.y),
                scene.area.width,
                &text,
                scene.theme.dim,
                scene.theme,
            );
            return;
        };
        self.draw_head(detail, scene, buf);
        for (pane, area) in self.panes(scene.area) {
            self.draw_pane(pane, detail, area, scene, buf);
        }
    }
}

/// The mouse, and the drawing.
impl Call {
    fn mouse_in_pane(
        &mut self,
        mouse: Mouse,
        pane: Pane,
        area: Rect,
        row: usize,
        at: Position,
    ) -> Vec<Command> {
        let twice = matches!(mouse, Mouse::DoubleClick(_));
        match (mouse, pane) {
            // The row of its name.
            _ if !area.contains(at) => {}
            (Mouse::Wheel(_, lines), Pane::Request) => self.request.wheel(lines),
            (Mouse::Wheel(_, lines), Pane::Replies) => self.replies.wheel(row, lines),
            (Mouse::Wheel(_, lines), Pane::Time) => self.time.by(i64::from(lines)),
            (Mouse::Wheel(_, lines), Pane::Ladder) => self.ladder.wheel(lines),
            (Mouse::Wheel(_, lines), Pane::Packets) => self.packets.wheel(area, row, lines),
            (_, Pane::Request) => self.request.click(row, twice),
            (_, Pane::Replies) => self.replies.click(row, twice),
            (_, Pane::Time) => {}
            (_, Pane::Ladder) => {
                self.ladder.click(row);
                if twice {
                    return self.act_in_pane(Action::Enter);
                }
            }
            (_, Pane::Packets) => self.packets.click(area, row),
        }
        Vec::new()
    }
}

/// `share` per cent of `whole`, which is less than the whole.
fn part(whole: u16, share: u32) -> u16 {
    u16::try_from(u32::from(whole) * share.min(99) / 100).unwrap_or(whole)
}

fn is_event(detail: &Detail) -> bool {
    detail.row.kind == ExchangeKind::Event
        && detail.frames.iter().all(|frame| frame.from == Side::Client)
}

/// The room of a pane without the row of its name.
fn below_name(area: Rect) -> Rect {
    Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area }
}

fn notice(text: &str) -> Command {
    Command::Notice(text.to_owned())
}

/// Puts a text into the clipboard, or says why not.
fn copied(text: Option<&[u8]>, missing: &str) -> Vec<Command> {
    match text {
        Some(text) => {
            vec![Command::Effect(Effect::Copy(String::from_utf8_lossy(text).into_owned()))]
        }
        None => vec![notice(missing)],
    }
}

#[cfg(test)]
mod tests;
