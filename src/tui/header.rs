//! What stands above every view: where packets come from and whether they still come, how many
//! there were, and what is missing. Where there is no room, what matters least falls away; what
//! is shown is never rounded to the better.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::report::{count, size};
use crate::store::{Memory, Outcomes};
use crate::tui::app::Present;
use crate::tui::status::{Activity, Status};
use crate::tui::text::{Align, LineBuilder};
use crate::tui::theme::Theme;

/// Rows that it takes.
pub const ROWS: u16 = 2;

/// Cells of the bar that grows while a file is read.
const BAR: u64 = 12;

/// Draws it into the first [`ROWS`] of `area`.
pub fn draw(present: &Present<'_>, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let first = fields_of_source(present.status, theme);
    let second = match present.status.activity {
        Activity::None => vec![Field::new(1, theme.dim, "Choose where the packets come from")],
        _ => fields_of_book(present, theme),
    };
    for (row, fields) in [first, second].into_iter().enumerate() {
        let y = area.y + u16::try_from(row).unwrap_or(u16::MAX);
        if y < area.bottom() {
            draw_fields(&fields, theme, Rect { y, height: 1, ..area }, buf);
        }
    }
}

/// A part of the header.
struct Field {
    text: String,
    style: Style,
    /// The higher, the sooner it gets room.
    priority: u8,
}

impl Field {
    fn new(priority: u8, style: Style, text: impl Into<String>) -> Self {
        Self { text: text.into(), style, priority }
    }
}

/// Puts as many fields as fit side by side, those of high priority first in choice, all in order.
fn draw_fields(fields: &[Field], theme: &Theme, area: Rect, buf: &mut Buffer) {
    let width = |field: &Field| {
        let mut pen = LineBuilder::new(u16::MAX, &theme.symbols);
        pen.put_number(&field.text, field.style).width() + GAP.len()
    };
    let mut by_priority: Vec<_> = (0..fields.len()).zip(fields).collect();
    by_priority.sort_by_key(|(_, field)| std::cmp::Reverse(field.priority));
    // The gap behind the last field needs no room.
    let mut room = usize::from(area.width) + GAP.len();
    let mut shown = Vec::new();
    for (index, field) in by_priority {
        let width = width(field);
        // The most important one is shown cut rather than not at all.
        if width <= room || shown.is_empty() {
            room = room.saturating_sub(width);
            shown.push(index);
        }
    }
    let mut pen = LineBuilder::new(area.width, &theme.symbols);
    let chosen = fields.iter().enumerate().filter(|(index, _)| shown.contains(index));
    for (nth, (_, field)) in chosen.enumerate() {
        if nth > 0 {
            pen.put(GAP, Style::new());
        }
        pen.put_number(&field.text, field.style);
    }
    pen.draw(buf, area.x, area.y, Align::Left);
}

const GAP: &str = "  ";

/// The source and what it does.
fn fields_of_source(status: &Status, theme: &Theme) -> Vec<Field> {
    let mut fields = Vec::new();
    let source = if status.source.is_empty() { "nestscope" } else { &status.source };
    fields.push(Field::new(8, theme.heading, source));
    if !status.filter.is_empty() {
        fields.push(Field::new(4, Style::new(), &status.filter));
    }
    if status.paused {
        let waiting = match status.waiting {
            0 => "paused".to_owned(),
            waiting => format!("paused, {} packets wait", count(waiting)),
        };
        fields.push(Field::new(9, theme.warning, waiting));
    }
    let (style, activity) = match status.activity {
        Activity::None => return fields,
        Activity::Opening => (theme.warning, "waiting for the first bytes".to_owned()),
        Activity::Live => (theme.ok, "live".to_owned()),
        Activity::Reading(read, whole) => (theme.warning, progress(read, whole, theme)),
        Activity::Ended if status.is_live => (theme.dim, "capture ended".to_owned()),
        Activity::Ended => (theme.dim, "read to its end".to_owned()),
    };
    fields.push(Field::new(7, style, activity));
    if let (Activity::Reading(..), Some(speed)) = (status.activity, status.speed) {
        let sign = if theme.symbols.is_ascii { 'x' } else { '×' };
        fields.push(Field::new(6, Style::new(), format!("playing {sign}{speed}")));
    }
    if matches!(status.activity, Activity::Live | Activity::Opening) {
        fields.push(Field::new(5, Style::new(), elapsed(status.running)));
    }
    fields
}

/// How far a file was read: a bar and per cent, or bytes where its length is not known.
fn progress(read: u64, whole: Option<u64>, theme: &Theme) -> String {
    let Some(whole) = whole.filter(|whole| *whole > 0) else {
        return format!("reading, {}", size(read));
    };
    let read = u128::from(read.min(whole));
    let share = |of: u64| u64::try_from(read * u128::from(of) / u128::from(whole)).unwrap_or(of);
    let full = theme.symbols.lying.last().copied().unwrap_or('#');
    let bar: String =
        (0..BAR).map(|cell| if cell < share(BAR) { full } else { theme.symbols.dot }).collect();
    format!("reading {bar} {}%", share(100))
}

/// `12 s`, `4 min 05 s`, `2 h 03 min`.
fn elapsed(time: Duration) -> String {
    let secs = time.as_secs();
    match secs {
        0..60 => format!("{secs} s"),
        60..3_600 => format!("{} min {:02} s", secs / 60, secs % 60),
        _ => format!("{} h {:02} min", secs / 3_600, secs / 60 % 60),
    }
}

/// What was counted, and what is missing.
fn fields_of_book(present: &Present<'_>, theme: &Theme) -> Vec<Field> {
    let capture = present.capture;
    let totals = capture.statistics().totals();
    let plain = Style::new();
    let bad = |number: u64, style: Style| if number > 0 { style } else { plain };
    let mut fields = vec![
        Field::new(7, plain, counted(capture.packets(), "packet")),
        Field::new(9, plain, counted(totals.calls, "call")),
        Field::new(2, plain, counted(totals.events, "event")),
    ];
    fields.extend(failed(totals, theme));
    fields.push(match present.status.kernel_drops {
        Some(drops) => {
            let priority = if drops > 0 { 9 } else { 6 };
            Field::new(priority, bad(drops, theme.error), counted(drops, "kernel drop"))
        }
        None => Field::new(4, theme.dim, "kernel drops unknown"),
    });
    let gaps = capture.completeness().gaps;
    fields.push(Field::new(5, bad(gaps, theme.warning), counted(gaps, "gap")));
    let memory = capture.memory();
    if memory.packets_dropped > 0 || memory.rows_dropped > 0 {
        fields.push(Field::new(10, theme.warning, dropped(memory)));
    }
    fields.push(Field::new(3, plain, in_use(memory, present.status)));
    fields
}

/// What failed: all of it, then each kind.
fn failed(totals: &Outcomes, theme: &Theme) -> Vec<Field> {
    let failures = totals.failures();
    let named = |number: u64, name: &str| (number, format!("{} {name}", count(number)));
    let kinds = [
        (totals.error, counted(totals.error, "error")),
        named(totals.no_reply(), "no reply"),
        named(totals.refused, "refused"),
        named(totals.no_answer, "no answer"),
        named(totals.reset, "reset"),
    ];
    if failures == 0 {
        return vec![Field::new(8, Style::new(), counted(0, "error"))];
    }
    let mut fields = Vec::new();
    // Where all failed in one way, that says it.
    if kinds.iter().all(|(number, _)| *number != failures) {
        fields.push(Field::new(9, theme.error, format!("{} failed:", count(failures))));
    }
    let kinds = kinds.into_iter().filter(|(number, _)| *number > 0);
    fields.extend(kinds.map(|(_, text)| Field::new(8, theme.error, text)));
    fields
}

fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

fn dropped(memory: Memory) -> String {
    format!(
        "dropped: payloads of {} packets, {} rows",
        count(memory.packets_dropped),
        count(memory.rows_dropped)
    )
}

/// Memory: of the whole program where the system tells, else of what is kept; in the units in which
/// the ceiling is given (`--memory 512M`).
fn in_use(memory: Memory, status: &Status) -> String {
    let bytes = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let used = status.resident.unwrap_or(bytes(memory.used)).div_ceil(MIB);
    match status.memory.unwrap_or(bytes(memory.ceiling)) / MIB {
        0 => format!("memory {} MiB", count(used)),
        ceiling => format!("memory {}/{} MiB", count(used), count(ceiling)),
    }
}

const MIB: u64 = 1 << 20;
