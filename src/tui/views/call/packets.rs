//! The packets of a connection while a call was under way: those that carried it marked, each in
//! one line, and the bytes of the selected one with the call's own bytes standing out.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::decode::{Flags, Headers, Seq};
use crate::endpoint::{PerSide, Side};
use crate::exchange::ExchangeKind;
use crate::limits;
use crate::packet::{Packet, PacketNumber};
use crate::report::packet_line::{Beginning, packet_line};
use crate::store::{Archive, Detail, PacketRecord, Unavailable};
use crate::tui::hex::{self, Part};
use crate::tui::keys::Action;
use crate::tui::table::{Scroll, Selection};
use crate::tui::text::{self, Align, LineBuilder};
use crate::tui::theme::Theme;
use crate::tui::views::endings;
use crate::tui::views::times::since;

/// Columns of a line that are kept: more than a wide screen has.
const LINE: usize = 240;

/// The packets, and where the user is among them.
#[derive(Debug, Default)]
pub(super) struct Packets {
    records: Vec<PacketRecord>,
    /// Whether there are more.
    cut: bool,
    /// What was made of the first of them, as far as they were looked at: what a packet is called
    /// depends on those before it.
    read: Vec<Read>,
    /// Where the numbers begin, from the view of the client.
    beginning: Beginning,
    /// Behind the last byte that each side sent so far.
    sent: PerSide<Option<Seq>>,
    rows: Selection,
    /// The bytes of the selected packet.
    data: Option<(PacketNumber, Result<Vec<u8>, Unavailable>)>,
    bytes: Scroll,
    /// Whether the bytes are shown.
    hex: Hex,
}

/// How the bytes of the selected packet are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Hex {
    Hidden,
    #[default]
    Beside,
    /// The keys scroll them.
    Entered,
}

/// What one packet is.
#[derive(Debug, Default)]
struct Read {
    line: String,
    note: Option<&'static str>,
    /// Where its payload lies.
    payload: Range<usize>,
    /// Bytes of it that are the call's.
    own: Vec<Range<usize>>,
    from: Option<Side>,
}

impl Packets {
    /// The packets of `call`.
    pub(super) fn load(&mut self, archive: &Archive, call: &Detail, opened: Option<PacketNumber>) {
        let chosen = self.rows.selected().and_then(|row| self.records.get(row)).copied();
        let connection = call.row.connection;
        let some = limits::CALL_PACKETS + 1;
        self.records = if call.row.kind == ExchangeKind::Connect {
            archive.packets_of_attempt(call).take(some).collect()
        } else {
            let numbers = || call.frames.iter().flat_map(|frame| frame.span.packets());
            let (Some(first), Some(last)) = (numbers().min(), numbers().max()) else { return };
            archive.packets_of(connection, first..last.next()).take(some).collect()
        };
        self.cut = self.records.len() == some;
        self.records.truncate(limits::CALL_PACKETS);
        let Some(first) = self.records.first().map(|record| record.number) else { return };
        self.read.clear();
        self.sent = PerSide::default();
        self.beginning = Beginning::default();
        // The handshake, or whatever came first, tells where the numbers begin.
        let opened = opened.unwrap_or(first);
        let opening = archive.packets_of(connection, opened..first.next());
        for record in opening.take(OPENING) {
            if let Some((headers, _)) = headers(archive, &record) {
                self.beginning = learnt(self.beginning, &headers, call);
            }
        }
        self.rows.fit(self.records.len(), 1);
        let row = chosen.and_then(|chosen| {
            self.records.iter().position(|record| record.number == chosen.number)
        });
        self.rows.select(row.unwrap_or_default());
    }

    /// How many of the first packets are listed, where there are more.
    pub(super) fn cut(&self) -> Option<usize> {
        self.cut.then_some(self.records.len())
    }

    /// The room is this: reads what is in sight and the selected packet.
    pub(super) fn fit(&mut self, area: Rect, archive: &Archive, call: &Detail) {
        let (list, bytes) = self.split(area);
        self.rows.fit(self.records.len(), list.height);
        let wanted = self.rows.in_sight().end;
        while self.read.len() < wanted {
            let Some(record) = self.records.get(self.read.len()).copied() else { break };
            let read = self.read_packet(archive, &record, call);
            self.read.push(read);
        }
        let Some(row) = self.rows.selected() else { return };
        let Some(record) = self.records.get(row) else { return };
        let is_new = self.data.as_ref().is_none_or(|(number, _)| *number != record.number);
        if is_new {
            self.data = Some((record.number, archive.packet_data(record.number)));
        }
        let Some((_, Ok(data))) = &self.data else { return };
        self.bytes.fit(hex::rows(data.len(), bytes.width), bytes.height);
        if is_new {
            let own = self.read.get(row).and_then(|read| read.own.first());
            let at = own.map_or(0, |own| own.start) / hex::bytes_per_row(bytes.width);
            self.bytes.by(i64::MIN);
            // As much of the call's own bytes as there is room for, and a row of what is before.
            let last = (at + usize::from(bytes.height)).saturating_sub(2);
            self.bytes.show(last.max(at));
        }
    }

    pub(super) fn act(&mut self, action: Action) {
        match (action, self.hex) {
            (Action::Hex, Hex::Hidden) => self.hex = Hex::Beside,
            (Action::Hex, _) => self.hex = Hex::Hidden,
            (Action::Enter, Hex::Entered) => self.hex = Hex::Beside,
            (Action::Enter, _) => self.hex = Hex::Entered,
            (_, Hex::Entered) => _ = self.bytes.act(action),
            _ => _ = self.rows.act(action),
        }
    }

    /// Leaves the bytes; whether the keys went there.
    pub(super) fn leave(&mut self) -> bool {
        let entered = self.hex == Hex::Entered;
        if entered {
            self.hex = Hex::Beside;
        }
        entered
    }

    pub(super) fn click(&mut self, area: Rect, row: usize) {
        let (list, _) = self.split(area);
        if row < usize::from(list.height) {
            self.rows.select(self.rows.in_sight().start.saturating_add(row));
        }
    }

    pub(super) fn wheel(&mut self, area: Rect, row: usize, lines: i32) {
        let (list, _) = self.split(area);
        if row < usize::from(list.height) {
            self.rows.wheel(lines);
        } else {
            self.bytes.by(i64::from(lines));
        }
    }

    /// The payload of the selected packet.
    pub(super) fn selected(&self) -> Option<&[u8]> {
        let (_, data) = self.data.as_ref()?;
        let read = self.read.get(self.rows.selected()?)?;
        data.as_ref().ok()?.get(read.payload.clone())
    }

    /// The list above, the bytes below.
    fn split(&self, area: Rect) -> (Rect, Rect) {
        if self.hex == Hex::Hidden {
            return (area, Rect { height: 0, ..area });
        }
        let packets = u16::try_from(self.records.len()).unwrap_or(u16::MAX);
        let list = packets.clamp(1, (area.height / 2).max(1)).min(area.height);
        let left = area.height - list;
        let bytes = Rect { y: area.y + list + 1.min(left), height: left.saturating_sub(1), ..area };
        (Rect { height: list, ..area }, bytes)
    }

    fn read_packet(&mut self, archive: &Archive, record: &PacketRecord, call: &Detail) -> Read {
        let Some((headers, data)) = headers(archive, record) else {
            let why = match archive.packet_data(record.number) {
                Ok(_) => match endings::said(archive, call.row.number) {
                    Some(said) if record.connection.is_none() => format!("ICMP: {said}"),
                    _ => "its headers cannot be read".to_owned(),
                },
                Err(gone) => gone.to_string(),
            };
            return Read { line: why, ..Read::default() };
        };
        self.beginning = learnt(self.beginning, &headers, call);
        let from = side(&headers, call);
        let view = if from == Side::Client { self.beginning } else { self.beginning.turned() };
        let own = |frame: &crate::store::FrameRecord| {
            let offset = i64::from(frame.seq.distance(headers.seq));
            let length = i64::try_from(frame.span.bytes).unwrap_or(i64::MAX);
            let captured = i64::try_from(headers.payload.len()).unwrap_or(i64::MAX);
            let start = usize::try_from(offset.max(0)).ok()?;
            let end = usize::try_from(offset.saturating_add(length).min(captured)).ok()?;
            let begin = headers.payload.start;
            (frame.from == from && start < end).then_some(begin + start..begin + end)
        };
        Read {
            line: packet_line(&headers, &data, view, LINE),
            note: self.note(from, &headers),
            own: call.frames.iter().filter_map(own).collect(),
            payload: headers.payload.clone(),
            from: Some(from),
        }
    }

    /// What is to be said of a packet beside its headers, given those before it.
    fn note(&mut self, from: Side, headers: &Headers) -> Option<&'static str> {
        let sent = self.sent.of_mut(from);
        let length = headers.payload_len.saturating_add(u32::from(headers.flags.has(Flags::SYN)));
        let end = headers.seq.add(length);
        let before = *sent;
        if before.is_none_or(|before| end.distance(before) > 0) {
            *sent = Some(end);
        }
        let before = before?;
        if headers.payload_len == 0 {
            return None;
        }
        let (start, end) = (headers.seq.distance(before), end.distance(before));
        if end <= 0 {
            Some("retransmission")
        } else if start < 0 {
            Some("partly a retransmission")
        } else if start > 0 {
            Some("bytes before it were not seen")
        } else {
            None
        }
    }

    pub(super) fn draw(
        &self,
        call: &Detail,
        area: Rect,
        buf: &mut Buffer,
        theme: &Theme,
        focused: bool,
    ) {
        let (list, bytes) = self.split(area);
        let last = self.records.last().map_or(PacketNumber(0), |record| record.number);
        let digits = last.to_string().len() + 1;
        for (index, row) in self.rows.in_sight().zip(list.rows()) {
            let (Some(record), Some(read)) = (self.records.get(index), self.read.get(index)) else {
                break;
            };
            let mut pen = LineBuilder::new(row.width, &theme.symbols);
            // All of an attempt to connect are its own, though they carry nothing.
            let is_own = !read.own.is_empty() || call.row.kind == ExchangeKind::Connect;
            let mark = if is_own { theme.symbols.mark } else { ' ' };
            let style = match (is_own, read.from) {
                (false, _) => theme.dim,
                (true, Some(Side::Client)) => theme.client,
                (true, _) => theme.server,
            };
            pen.put(&format!("{mark} {:<digits$} ", format!("#{}", record.number)), style);
            pen.put_number(&format!("{:>8}  ", since(record.at, call.row.time)), theme.dim);
            if let Some(note) = read.note {
                pen.put(&format!("[{note}] "), theme.warning);
            }
            let arrow = theme.symbols.right.to_string();
            pen.put(&read.line.replacen('→', &arrow, 1), style);
            pen.draw(buf, row.x, row.y, Align::Left);
            if focused && self.hex != Hex::Entered && self.rows.selected() == Some(index) {
                buf.set_style(row, theme.selected);
            }
        }
        if bytes.height > 0 {
            self.draw_bytes(bytes, buf, theme, focused);
        }
    }

    fn draw_bytes(&self, area: Rect, buf: &mut Buffer, theme: &Theme, focused: bool) {
        let Some((number, data)) = &self.data else { return };
        let head = Rect { y: area.y - 1, height: 1, ..area };
        let mut pen = LineBuilder::new(head.width, &theme.symbols);
        let style =
            if focused && self.hex == Hex::Entered { theme.selected } else { theme.heading };
        let read = self.rows.selected().and_then(|row| self.read.get(row));
        match data {
            Err(gone) => {
                pen.put(&format!("packet #{number}"), style);
                text::put(buf, (area.x, area.y), area.width, &gone.to_string(), theme.dim, theme);
            }
            Ok(data) => {
                pen.put(&format!("packet #{number}: {} bytes", data.len()), style);
                let own = read.map_or(0, |read| read.own.iter().map(ExactSizeIterator::len).sum());
                if own > 0 {
                    pen.put(&format!(", {own} of this call"), theme.marked);
                }
                let mut parts = Vec::new();
                if let Some(read) = read {
                    parts.push(Part { range: 0..read.payload.start, style: theme.dim });
                    let marked = theme.marked.patch(theme.heading);
                    let own = read.own.iter().cloned();
                    parts.extend(own.map(|range| Part { range, style: marked }));
                }
                let room = self.bytes.draw_bar(area, theme, buf);
                let room = Rect { width: room.width.max(area.width.saturating_sub(1)), ..room };
                hex::draw(data, &parts, self.bytes.offset(), room, buf, theme);
            }
        }
        pen.draw(buf, head.x, head.y, Align::Left);
    }
}

/// Packets after which both sides of a connection have told where their numbers begin.
const OPENING: usize = 8;

fn headers(archive: &Archive, record: &PacketRecord) -> Option<(Headers, Vec<u8>)> {
    let data = archive.packet_data(record.number).ok()?;
    let headers = Headers::of(&Packet {
        number: record.number,
        at: record.at,
        link: record.link,
        point: Default::default(),
        data: &data,
        original_len: record.original_len,
    })?;
    Some((headers, data))
}

fn side(headers: &Headers, call: &Detail) -> Side {
    if headers.from == call.ends.client { Side::Client } else { Side::Server }
}

/// `beginning`, from the view of the client, and what this packet tells of it.
fn learnt(beginning: Beginning, headers: &Headers, call: &Detail) -> Beginning {
    let turn = |it: Beginning| match side(headers, call) {
        Side::Client => it,
        Side::Server => it.turned(),
    };
    let mut own = turn(beginning);
    own.learn(headers);
    turn(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_before_is_named() {
        let mut packets = Packets::default();
        let mut note = |from, seq: u32, payload_len| {
            let headers = Headers {
                from: ([10, 0, 0, 1], 40_000).into(),
                to: ([10, 0, 0, 2], 3_000).into(),
                seq: Seq(seq),
                ack: None,
                flags: Flags::ACK,
                window: 0,
                payload: 0..0,
                payload_len,
            };
            packets.note(from, &headers)
        };
        // The numbers wrap after ten bytes.
        let start = u32::MAX - 9;
        assert_eq!(note(Side::Client, start, 10), None);
        assert_eq!(note(Side::Client, start, 10), Some("retransmission"));
        assert_eq!(note(Side::Client, start.wrapping_add(5), 10), Some("partly a retransmission"));
        assert_eq!(note(Side::Client, 5, 0), None, "an acknowledgement");
        assert_eq!(note(Side::Client, 8, 2), Some("bytes before it were not seen"));
        assert_eq!(note(Side::Client, 10, 2), None);
        assert_eq!(note(Side::Server, 10, 2), None, "each side counts its own");
    }
}
