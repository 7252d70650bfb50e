//! The ladder of a connection around a call: an arrow for each frame, from who sent it to the other
//! side, those of the call standing out.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::timing;
use crate::decode::{Flags, Headers};
use crate::endpoint::{Endpoints, Side};
use crate::exchange::{ExchangeKind, ExchangeNumber, Held};
use crate::limits;
use crate::packet::{Packet, PacketNumber};
use crate::report::{packet_line, size};
use crate::store::{Archive, Detail};
use crate::time::Timestamp;
use crate::tui::keys::Action;
use crate::tui::table::Selection;
use crate::tui::text::{Align, LineBuilder};
use crate::tui::theme::Theme;
use crate::tui::views::endings;
use crate::tui::views::times::since;

/// Rows above the arrows.
const HEAD: u16 = 1;

/// The arrows, and where the user is among them.
#[derive(Debug, Default)]
pub(super) struct Ladder {
    arrows: Vec<Arrow>,
    /// Whether the call itself has more frames.
    cut: bool,
    rows: Selection,
    /// The present call, its last packet and the number of exchanges when the arrows were gathered.
    gathered: Option<(ExchangeNumber, usize, PacketNumber, ExchangeNumber)>,
}

/// A frame on its way.
#[derive(Clone, Debug)]
struct Arrow {
    /// The exchange.
    number: ExchangeNumber,
    from: Side,
    /// The packet of its last byte.
    packet: PacketNumber,
    at: Timestamp,
    bytes: u64,
    held: Held,
    failed: bool,
    /// What it says: the pattern, or that it answers.
    label: String,
    /// The flags of its last packet, once that was looked at.
    flags: Option<String>,
}

impl Ladder {
    /// Gathers the frames around `call`, if there may be others than before.
    pub(super) fn gather(&mut self, archive: &Archive, call: &Detail) {
        let ways = [call.request, call.reply].into_iter().flatten();
        let last = ways.map(|way| way.last.number).max().unwrap_or_default();
        let now = (call.row.number, call.frames.len(), last, archive.numbers().end);
        let before = self.gathered.replace(now);
        if before == Some(now) {
            return;
        }
        let same = before.is_some_and(|before| before.0 == now.0);
        let chosen = self.rows.selected().and_then(|row| self.arrows.get(row)).cloned();
        let mut arrows = arrows(archive, call);
        for arrow in &mut arrows {
            let old = self.arrows.iter().find(|old| old.packet == arrow.packet);
            arrow.flags = old.and_then(|old| old.flags.clone());
        }
        self.arrows = arrows;
        let own = self.arrows.iter().filter(|arrow| arrow.number == now.0).count();
        self.cut = own < call.frames.len();
        let wanted = |arrow: &Arrow| match &chosen {
            Some(chosen) if same => (arrow.number, arrow.packet) == (chosen.number, chosen.packet),
            _ => arrow.number == now.0,
        };
        let row = self.arrows.iter().position(wanted).unwrap_or_default();
        self.rows.fit(self.arrows.len(), 1);
        self.rows.select(row);
    }

    /// The room is this: reads the flags of what is in sight.
    pub(super) fn fit(&mut self, area: Rect, archive: &Archive) {
        self.rows.fit(self.arrows.len(), area.height.saturating_sub(HEAD));
        for arrow in self.arrows.get_mut(self.rows.in_sight()).unwrap_or(&mut []) {
            arrow.flags.get_or_insert_with(|| flags(archive, arrow.packet).unwrap_or_default());
        }
    }

    pub(super) fn act(&mut self, action: Action) -> bool {
        self.rows.act(action)
    }

    /// How many frames are shown, where the call has more.
    pub(super) fn cut(&self) -> Option<usize> {
        self.cut.then_some(self.arrows.len())
    }

    pub(super) fn click(&mut self, row: usize) {
        if let Some(row) = row.checked_sub(usize::from(HEAD)) {
            self.rows.select(self.rows.in_sight().start.saturating_add(row));
        }
    }

    pub(super) fn wheel(&mut self, lines: i32) {
        self.rows.wheel(lines);
    }

    /// The exchange of the selected arrow.
    pub(super) fn selected(&self) -> Option<ExchangeNumber> {
        self.arrows.get(self.rows.selected()?).map(|arrow| arrow.number)
    }

    pub(super) fn draw(
        &self,
        call: &Detail,
        area: Rect,
        buf: &mut Buffer,
        theme: &Theme,
        focused: bool,
    ) {
        let columns = Columns::of(area.width);
        draw_head(call.ends, &columns, area, buf, theme);
        let seen = self.rows.in_sight();
        let begin = call.row.time;
        for (index, row) in seen.zip(area.rows().skip(usize::from(HEAD))) {
            let Some(arrow) = self.arrows.get(index) else { return };
            let before = index.checked_sub(1).and_then(|index| self.arrows.get(index));
            let present = arrow.number == call.row.number;
            let style = if present { Style::new() } else { theme.dim };
            let mut pen = LineBuilder::new(row.width, &theme.symbols);
            pen.put_number(&since(arrow.at, begin), style).pad_to(columns.delta);
            if columns.packet > columns.delta {
                let delta = before.map(|before| arrow.at.saturating_since(before.at));
                let text = delta.map_or_else(String::new, |delta| delta.to_string());
                pen.put_number(&text, theme.dim).pad_to(columns.packet);
            }
            pen.put(&format!("#{}", arrow.packet), style).pad_to(columns.lane);
            draw_arrow(arrow, present, &mut pen, theme);
            pen.draw(buf, row.x, row.y, Align::Left);
            if focused && self.rows.selected() == Some(index) {
                buf.set_style(row, theme.selected);
            }
        }
    }
}

/// Where the columns begin: time, delta, packet, and the lane of the arrows.
struct Columns {
    delta: usize,
    packet: usize,
    lane: usize,
}

impl Columns {
    /// Narrow panes go without the delta.
    const fn of(width: u16) -> Self {
        if width >= 68 {
            Self { delta: 10, packet: 19, lane: 27 }
        } else {
            Self { delta: 10, packet: 10, lane: 18 }
        }
    }
}

fn draw_head(ends: Endpoints, columns: &Columns, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let Some(row) = area.rows().next() else { return };
    let mut pen = LineBuilder::new(row.width, &theme.symbols);
    pen.put("time", theme.heading).pad_to(columns.delta);
    if columns.packet > columns.delta {
        pen.put("delta", theme.heading).pad_to(columns.packet);
    }
    pen.put("packet", theme.heading).pad_to(columns.lane);
    let server = format!("server {}", ends.server);
    pen.put(&format!("client {}", ends.client), theme.client);
    let right = usize::from(row.width).saturating_sub(server.len());
    if right > pen.width() + 1 {
        pen.pad_to(right).put(&server, theme.server);
    }
    pen.draw(buf, row.x, row.y, Align::Left);
}

/// `│─ #2 sum  64 B  [PSH, ACK] ────→│`, or the other way round.
fn draw_arrow(arrow: &Arrow, present: bool, pen: &mut LineBuilder, theme: &Theme) {
    let symbols = &theme.symbols;
    let bar = symbols.vertical.to_string();
    let line = |count: usize| symbols.horizontal.to_string().repeat(count);
    let side = if arrow.from == Side::Client { theme.client } else { theme.server };
    let style = match (present, arrow.failed) {
        (true, true) => theme.error,
        (true, false) => side,
        (false, _) => theme.dim,
    };
    let text = if present { style.patch(theme.heading) } else { style };
    let room = pen.room().saturating_sub(2);
    let inner = u16::try_from(room.saturating_sub(4)).unwrap_or(u16::MAX);
    let mut label = LineBuilder::new(inner, symbols);
    label.put(&format!(" #{} {}", arrow.number, arrow.label), text);
    if arrow.bytes > 0 {
        label.put(&format!("  {}", size(arrow.bytes)), text);
    }
    if let Some(held) = timing::held(arrow.held) {
        label.put(&format!("  {held}"), style);
    }
    if let Some(flags) = arrow.flags.as_deref().filter(|flags| !flags.is_empty()) {
        label.put(&format!("  {flags}"), style);
    }
    label.put(" ", style);
    let rest = room.saturating_sub(label.width() + 2);
    pen.put(&bar, theme.dim);
    if arrow.from == Side::Client {
        pen.put(&line(1), style).append(&label);
        pen.put(&line(rest), style).put(&symbols.right.to_string(), style);
    } else {
        pen.put(&symbols.left.to_string(), style).put(&line(rest), style);
        pen.append(&label).put(&line(1), style);
    }
    pen.put(&bar, theme.dim);
}

/// The flags of a packet as Wireshark words them.
fn flags(archive: &Archive, number: PacketNumber) -> Option<String> {
    Some(packet_line::flags(headers(archive, number)?.flags))
}

fn headers(archive: &Archive, number: PacketNumber) -> Option<Headers> {
    let record = archive.packet(number)?;
    let data = archive.packet_data(number).ok()?;
    Headers::of(&Packet {
        number,
        at: record.at,
        link: record.link,
        point: Default::default(),
        data: &data,
        original_len: record.original_len,
    })
}

/// The frames around the call, in the order in which they were whole.
fn arrows(archive: &Archive, call: &Detail) -> Vec<Arrow> {
    let own = call.row.number;
    let of_it = |number: &ExchangeNumber| {
        archive.row(*number).is_some_and(|row| row.connection == call.row.connection)
    };
    let each_side = limits::LADDER_FRAMES / 4;
    let first = own.saturating_sub(limits::LADDER_LOOK).max(archive.numbers().start);
    let end = own.saturating_add(limits::LADDER_LOOK).min(archive.numbers().end);
    let before = ExchangeNumber::each(first..own).rev().filter(of_it).take(each_side);
    let after = ExchangeNumber::each(own.next()..end).filter(of_it).take(each_side);
    let mut arrows = Vec::new();
    for number in before.chain(after) {
        if let Some(detail) = archive.detail(number) {
            push_arrows(archive, &detail, &mut arrows);
        }
    }
    push_arrows(archive, call, &mut arrows);
    arrows.sort_by_key(|arrow| (arrow.packet, arrow.number));
    let present = arrows.iter().position(|arrow| arrow.number == own).unwrap_or_default();
    let skipped = present.saturating_sub(each_side);
    arrows.into_iter().skip(skipped).take(limits::LADDER_FRAMES).collect()
}

/// The packets of an attempt to connect.
fn push_attempt(archive: &Archive, attempt: &Detail, arrows: &mut Vec<Arrow>) {
    let mut is_first = true;
    for packet in archive.packets_of_attempt(attempt).take(limits::LADDER_FRAMES) {
        let headers = headers(archive, packet.number);
        let is_clients = headers.as_ref().is_some_and(|it| it.from == attempt.ends.client);
        let label = match headers.as_ref().map(|headers| headers.flags) {
            // What came from a router.
            None => endings::said(archive, attempt.row.number).unwrap_or_default(),
            Some(flags) if flags.has(Flags::RST) && !is_clients => {
                attempt.row.status.name().to_owned()
            }
            Some(flags) if flags.has(Flags::SYN) && !is_clients => "accepted".to_owned(),
            Some(flags) if flags.has(Flags::SYN) => {
                let text = if is_first { "connect" } else { "connect, again" };
                is_first = false;
                text.to_owned()
            }
            Some(_) => String::new(),
        };
        arrows.push(Arrow {
            held: Held::default(),
            number: attempt.row.number,
            from: if is_clients { Side::Client } else { Side::Server },
            packet: packet.number,
            at: packet.at,
            bytes: 0,
            failed: !is_clients,
            label,
            flags: headers.map(|headers| packet_line::flags(headers.flags)),
        });
    }
}

/// The frames of one exchange; of a long stream the first ones.
fn push_arrows(archive: &Archive, detail: &Detail, arrows: &mut Vec<Arrow>) {
    if detail.row.kind == ExchangeKind::Connect {
        return push_attempt(archive, detail, arrows);
    }
    let pattern = archive.pattern(detail.row.pattern).unwrap_or_default();
    for (index, frame) in detail.frames.iter().take(limits::LADDER_FRAMES).enumerate() {
        let is_reply = index > 0 || detail.row.kind == ExchangeKind::Reply;
        let label = match (is_reply, frame.failed, frame.last) {
            (false, ..) if detail.row.kind == ExchangeKind::Event => format!("event {pattern}"),
            (false, ..) => pattern.to_owned(),
            (true, true, _) => "error".to_owned(),
            (true, false, true) => "reply".to_owned(),
            (true, false, false) => "reply, more follow".to_owned(),
        };
        arrows.push(Arrow {
            number: detail.row.number,
            from: frame.from,
            packet: frame.span.last.number,
            at: frame.span.last.at,
            bytes: frame.span.bytes,
            held: frame.held,
            failed: frame.failed,
            label,
            flags: None,
        });
    }
}
