//! The time line of a call: sending, waiting and answering to scale, each reply where it came, and
//! the whole beside what the pattern takes otherwise.

use ratatui::style::Style;

use crate::endpoint::Side;
use crate::exchange::{ExchangeKind, Held, Status};
use crate::limits::HELD_AT_LEAST;
use crate::report::{count, counted, percent};
use crate::store::{Detail, Percentiles, Row};
use crate::time::Nanos;
use crate::tui::text::LineBuilder;
use crate::tui::theme::Theme;
use crate::tui::views::times::since;

/// Columns of the names and the numbers.
const NAME: usize = 13;
const NUMBERS: usize = 29;

/// The lines, `width` columns wide. `usual`: what calls of the pattern take; `ending`: how it ended
/// without an answer.
pub(super) fn lines(
    detail: &Detail,
    usual: Option<&Percentiles>,
    ending: Option<&str>,
    width: u16,
    theme: &Theme,
) -> Vec<LineBuilder> {
    let mut lines = Lines { width, theme, lines: Vec::new() };
    let latency = &detail.latency;
    let Some(whole) = latency.latency else {
        lines.unfinished(detail, ending);
        return lines.lines;
    };
    let [light, .., full] = theme.symbols.shades;
    let [_, middle, ..] = theme.symbols.shades;
    let mut from = 0;
    for (name, span, shade, style) in [
        ("sending", latency.request, middle, theme.client),
        ("waiting", latency.wait, light, theme.warning),
        ("answering", latency.reply, full, theme.server),
    ] {
        let Some(span) = span else { continue };
        let share = percent(span.get(), whole.get());
        lines.bar((name, span, &share), (from, span.get(), whole.get()), shade, style);
        from = from.saturating_add(span.get());
    }
    lines.held(detail);
    lines.numbers("latency", Some(whole), "first byte asked to last byte answered");
    if detail.row.replies > 1 {
        lines.numbers("first reply", latency.first_reply, "to its last byte");
        lines.replies(detail, whole);
    }
    // One call alone is compared with nothing.
    if let Some(usual) = usual.filter(|usual| usual.count > 1) {
        lines.compare(whole, usual);
    }
    lines.lines
}

struct Lines<'a> {
    width: u16,
    theme: &'a Theme,
    lines: Vec<LineBuilder>,
}

impl Lines<'_> {
    fn pen(&self) -> LineBuilder {
        LineBuilder::new(self.width, &self.theme.symbols)
    }

    fn blank(&mut self) {
        self.lines.push(self.pen());
    }

    fn unfinished(&mut self, detail: &Detail, ending: Option<&str>) {
        let text = match detail.row.status {
            Status::Open => "no final reply yet",
            Status::Closed => "the connection ended before a final reply came",
            Status::Unknown => {
                "no final reply, but the capture lacks bytes in which it may have been"
            }
            Status::Sent => "an event: nothing answers it",
            Status::Orphan => "the capture lacks the request",
            Status::Refused => "the server refused the connection",
            Status::NoAnswer => "nothing answered the SYN",
            Status::Reset => "the server reset the connection before it sent a byte",
            Status::Ok | Status::Error => "the capture's clock does not tell",
        };
        let mut pen = self.pen();
        pen.put(text, self.theme.status(detail.row.status));
        self.lines.push(pen);
        if let Some(ending) = ending {
            let mut pen = self.pen();
            pen.put(ending, self.theme.status(detail.row.status));
            self.lines.push(pen);
        }
        if !detail.row.sure {
            let mut pen = self.pen();
            pen.put(
                "nothing confirms that this was a frame: it is in no statistic",
                self.theme.dim,
            );
            self.lines.push(pen);
        }
        if detail.row.kind == ExchangeKind::Connect {
            return self.attempt(detail);
        }
        self.numbers("waited", detail.row.waited, "first byte asked to the end");
        self.numbers("sending", detail.latency.request, "");
        self.numbers("first reply", detail.latency.first_reply, "");
    }

    /// When the SYNs of an attempt to connect came, and what answered them.
    fn attempt(&mut self, detail: &Detail) {
        self.numbers("waited", detail.row.waited, "first SYN to the end");
        let (request, reply) = (detail.request, detail.reply);
        let again = request.filter(|way| way.first.number != way.last.number);
        for (name, packet) in [
            ("first SYN", request.map(|way| way.first)),
            ("last SYN", again.map(|way| way.last)),
            ("answer", reply.map(|way| way.last)),
        ] {
            let Some(packet) = packet else { continue };
            let mut pen = self.pen();
            pen.put(name, self.theme.heading).pad_to(NAME);
            pen.put_number(&since(packet.at, detail.row.time), Style::new()).pad_to(NUMBERS);
            pen.put(&format!("packet #{}", packet.number), self.theme.dim);
            self.lines.push(pen);
        }
    }

    fn numbers(&mut self, name: &str, span: Option<Nanos>, note: &str) {
        let Some(span) = span else { return };
        let mut pen = self.pen();
        pen.put(name, self.theme.heading).pad_to(NAME);
        pen.put_number(&span.to_string(), Style::new()).pad_to(NUMBERS);
        pen.put(note, self.theme.dim);
        self.lines.push(pen);
    }

    /// A name, its span and share, and a bar that lies at `from` of `whole`.
    fn bar(
        &mut self,
        (name, span, share): (&str, Nanos, &str),
        (from, length, whole): (u64, u64, u64),
        shade: char,
        style: Style,
    ) {
        let mut pen = self.pen();
        pen.put(name, self.theme.heading).pad_to(NAME);
        pen.put_number(&format!("{:<9}", span.to_string()), Style::new());
        pen.put(share, self.theme.dim).pad_to(NUMBERS);
        let room = pen.room();
        let start = scaled(from, whole, room);
        let end = scaled(from.saturating_add(length), whole, room);
        // What took any time at all is seen.
        let cells = if length == 0 { 0 } else { end.saturating_sub(start).max(1) };
        pen.pad_to(NUMBERS + start.min(room.saturating_sub(cells)));
        pen.put(&String::from(shade).repeat(cells), style);
        self.lines.push(pen);
    }

    /// The parts of the kernels: that of the server within the waiting, that of the caller before
    /// the request's first byte, where no bar of this call can reach.
    fn held(&mut self, detail: &Detail) {
        let Detail { latency, frames, .. } = detail;
        let Row { request_held, reply_held, .. } = detail.row;
        let in_one_packet = |frame: usize| {
            frames.get(frame).is_some_and(|frame| frame.span.first == frame.span.last)
        };
        if let Some(text) = held(reply_held) {
            if let (true, Some(sending), Some(wait), Some(whole)) =
                (in_one_packet(1), latency.request, latency.wait, latency.latency)
            {
                let span = reply_held.at_most;
                let from = sending.get().saturating_add(wait.get()).saturating_sub(span.get());
                let share = percent(span.get(), whole.get());
                let [_, middle, ..] = self.theme.symbols.shades;
                let bar = (from, span.get(), whole.get());
                self.bar(("held of it", span, &share), bar, middle, self.theme.dim);
            }
            self.note("reply", &text);
        }
        if let Some(text) = held(request_held) {
            // Of a request over several packets it may be the last alone.
            let (name, more) = match in_one_packet(0) {
                true => ("before it", "; not in the latency"),
                false => ("request", ""),
            };
            let fits = NAME + text.len() + more.len() <= self.width.into();
            self.note(name, &format!("{text}{}", if fits { more } else { "" }));
        }
    }

    fn note(&mut self, name: &str, text: &str) {
        let mut pen = self.pen();
        pen.put(name, self.theme.heading).pad_to(NAME);
        pen.put(text, self.theme.warning);
        self.lines.push(pen);
    }

    /// Where on the line each reply came, and their times.
    fn replies(&mut self, detail: &Detail, whole: Nanos) {
        let begin = detail.row.time;
        let mut pen = self.pen();
        pen.put("replies", self.theme.heading).pad_to(NAME);
        pen.put(&count(detail.row.replies.into()), Style::new()).pad_to(NUMBERS);
        let room = pen.room();
        let mut cells = vec![' '; room];
        for frame in detail.frames.iter().filter(|frame| frame.from == Side::Server) {
            let at = frame.span.last.at.saturating_since(begin).get();
            let column = scaled(at, whole.get(), room.saturating_sub(1));
            if let Some(cell) = cells.get_mut(column) {
                *cell = self.theme.symbols.vertical;
            }
        }
        pen.put(&cells.into_iter().collect::<String>(), self.theme.server);
        self.lines.push(pen);
    }

    fn compare(&mut self, this: Nanos, usual: &Percentiles) {
        self.blank();
        let mut pen = self.pen();
        let slower = match this.get() {
            latency if latency > usual.p99 => ("slower than 99 of 100", self.theme.warning),
            latency if latency > usual.p50 => ("slower than most", Style::new()),
            _ => ("among the faster half", Style::new()),
        };
        pen.put("against its pattern: ", self.theme.heading).put(slower.0, slower.1);
        pen.put(&format!("  ({})", counted(usual.count, "call", "calls")), self.theme.dim);
        self.lines.push(pen);
        let most = usual.max.max(this.get());
        let [.., full] = self.theme.symbols.lying;
        for (name, span, style) in [
            ("this call", this, self.theme.heading),
            ("p50", Nanos::new(usual.p50), self.theme.dim),
            ("p99", Nanos::new(usual.p99), self.theme.dim),
            ("max", Nanos::new(usual.max), self.theme.dim),
        ] {
            self.bar((name, span, ""), (0, span.get(), most), full, style);
        }
    }
}

/// What is said of a frame that its sender's kernel held back, where that is worth a word.
pub(super) fn held(held: Held) -> Option<String> {
    let Held { at_most, certain } = held;
    let maybe = if certain { "" } else { "perhaps " };
    let text = || format!("{maybe}held up to {at_most} by Nagle and a delayed ACK");
    (at_most >= HELD_AT_LEAST).then(text)
}

/// `value` of `whole` as columns of `room`, rounded.
pub(super) fn scaled(value: u64, whole: u64, room: usize) -> usize {
    let (value, whole) = (u128::from(value.min(whole)), u128::from(whole.max(1)));
    let room = u128::try_from(room).unwrap_or_default();
    usize::try_from((value * room + whole / 2) / whole).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::scaled;

    #[test]
    fn values_are_scaled_and_never_leave_the_room() {
        assert_eq!([scaled(0, 10, 40), scaled(5, 10, 40), scaled(10, 10, 40)], [0, 20, 40]);
        assert_eq!([scaled(11, 10, 40), scaled(0, 0, 40), scaled(1, 0, 40)], [40, 0, 0]);
        assert_eq!(scaled(u64::MAX, u64::MAX, usize::MAX), usize::MAX);
    }
}
