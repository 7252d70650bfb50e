//! The rows in sight, with everything that is drawn of them: looked up once a refresh.

use std::collections::HashMap;
use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::columns::{Column, Columns};
use super::percentiles::{Pace, PercentileCache};
use crate::endpoint::Endpoints;
use crate::exchange::{ExchangeKind, ExchangeNumber, Status};
use crate::report::counted;
use crate::store::{Archive, Listing, Row};
use crate::time::Nanos;
use crate::tui::view::Scene;
use crate::tui::views::endings;
use crate::tui::views::times::{self, TimeStyle, Times};

/// Bytes of an exchange up to which its payloads are read to show how they begin. More than a
/// screen of such rows can be read between two frames.
const READ: u64 = 64 << 10;

/// Bytes of a payload that are kept of it: more than a terminal has columns.
const KEPT: usize = 512;

/// Columns of `unknown`, the longest status but for attempts to connect.
const USUAL_STATUS: u16 = 7;

/// Columns that the pattern has at most for what has none.
const WITHOUT_PATTERN: usize = 12;

/// A row in sight.
#[derive(Debug)]
pub struct Line {
    /// Its exchange.
    pub number: ExchangeNumber,
    /// `None` where it gave way meanwhile.
    pub row: Option<Row>,
    /// What was called; `None` where there is none.
    pub pattern: Option<String>,
    /// How it ended; with a `?` where it is not sure that it was an exchange.
    pub status: String,
    /// Its client and its server.
    pub ends: Option<Endpoints>,
    /// When it was.
    pub time: String,
    /// What was waited so far, where it is still waited for.
    pub age: Option<Nanos>,
    /// How slow it is.
    pub pace: Option<Pace>,
    /// How its payloads begin.
    pub preview: Option<Preview>,
}

/// How the payloads of an exchange begin.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What the exchange was like then.
    of: (Status, u32, Option<Nanos>),
    /// What was sent: JSON, or the beginning of it.
    pub data: Option<Vec<u8>>,
    /// The first value that answered, or the error that did.
    pub answer: Option<Vec<u8>>,
    /// Whether `answer` is an error.
    pub failed: bool,
    /// Values that answered after the first.
    pub more: usize,
    /// Whether it was too large to be read for this.
    pub large: bool,
    /// How it ended, where nothing answered.
    pub ending: Option<String>,
}

/// The rows in sight.
pub struct Lines {
    /// The first one's place in the list.
    first: usize,
    lines: Vec<Line>,
    times: Times,
    paces: PercentileCache,
    /// Of the rows in sight.
    previews: HashMap<ExchangeNumber, Preview>,
    /// The widest end so far, so that columns do not jump about with what is in sight.
    widest_end: u16,
    /// The same of patterns.
    widest_pattern: u16,
    /// And of what is said of how they ended.
    widest_status: u16,
}

impl Lines {
    /// Tells points in time as `style` says.
    pub fn new(style: TimeStyle) -> Self {
        Self {
            first: 0,
            lines: Vec::new(),
            times: Times::of_day(style),
            paces: PercentileCache::default(),
            previews: HashMap::new(),
            widest_end: 0,
            widest_pattern: 0,
            widest_status: USUAL_STATUS,
        }
    }

    /// The line that shows row `index` of the list.
    pub fn get(&self, index: usize) -> Option<&Line> {
        self.lines.get(index.checked_sub(self.first)?)
    }

    /// Tells times in the next format, and says which one that is.
    pub const fn next_times(&mut self) -> &'static str {
        self.times.next()
    }

    /// Columns of a time.
    pub const fn time_width(&self) -> u16 {
        self.times.width()
    }

    /// Columns of the widest end so far.
    pub const fn widest_end(&self) -> u16 {
        self.widest_end
    }

    /// Columns of the widest pattern so far.
    pub const fn widest_pattern(&self) -> u16 {
        self.widest_pattern
    }

    /// Columns of the widest status so far.
    pub const fn widest_status(&self) -> u16 {
        self.widest_status
    }

    /// Everything was forgotten.
    pub fn clear(&mut self) {
        self.widest_end = 0;
        self.widest_pattern = 0;
        self.widest_status = USUAL_STATUS;
        self.previews.clear();
    }

    /// Looks up what is shown in the rows `in_sight` of `listing`.
    pub fn refresh(
        &mut self,
        listing: &Listing,
        in_sight: Range<usize>,
        columns: Columns,
        scene: &Scene<'_>,
    ) {
        let archive = scene.capture.archive();
        let origin = times::first_packet(scene.capture);
        let rows: Vec<_> = in_sight
            .clone()
            .filter_map(|index| listing.number(index))
            .map(|number| (number, archive.row(number)))
            .collect();
        let patterns = rows.iter().filter_map(|(_, row)| row.as_ref());
        let patterns = patterns.filter(|row| row.kind == ExchangeKind::Request);
        self.paces.refresh(scene.capture, scene.status.running, patterns.map(|row| row.pattern));
        let above = in_sight.start.checked_sub(1).and_then(|index| listing.number(index));
        let mut above = above.and_then(|number| archive.row(number)).map(|row| row.time);
        self.first = in_sight.start;
        self.lines.clear();
        let mut seen = HashMap::with_capacity(rows.len());
        for (number, row) in rows {
            let time = row.map_or_else(String::new, |row| self.times.text(row.time, origin, above));
            above = row.map(|row| row.time).or(above);
            let preview = row.filter(|_| columns.has(Column::Data)).map(|row| {
                let known = self.previews.remove(&number);
                let known = known.filter(|known| known.of == (row.status, row.replies, row.waited));
                known.unwrap_or_else(|| Preview::read(archive, &row))
            });
            if let Some(preview) = &preview {
                seen.insert(number, preview.clone());
            }
            let age = row
                .filter(|row| row.status == Status::Open || endings::still_waits(row))
                .map(|row| scene.now.saturating_since(row.time));
            let ends = row.and_then(|row| archive.ends(row.connection));
            for end in ends.iter().flat_map(|ends| [ends.client, ends.server]) {
                let width = u16::try_from(end.to_string().len()).unwrap_or(u16::MAX);
                self.widest_end = self.widest_end.max(width);
            }
            let pace = row.and_then(|row| {
                let is_request = row.kind == ExchangeKind::Request;
                let waited = row.latency.or(age).filter(|_| is_request)?;
                self.paces.of(row.pattern, waited)
            });
            let pattern = row.and_then(|row| archive.pattern(row.pattern)).map(str::to_owned);
            let status = row.map_or_else(String::new, |row| {
                let doubt = if row.sure { "" } else { "?" };
                format!("{}{doubt}", row.status.name())
            });
            let width = u16::try_from(status.len()).unwrap_or(u16::MAX);
            self.widest_status = self.widest_status.max(width);
            let width = match (&pattern, &row) {
                (Some(pattern), _) => pattern.width(),
                (None, Some(row)) => without_pattern(row).len().min(WITHOUT_PATTERN),
                (None, None) => 0,
            };
            let width = u16::try_from(width);
            self.widest_pattern = self.widest_pattern.max(width.unwrap_or(u16::MAX));
            let line = Line { number, row, pattern, status, ends, time, age, pace, preview };
            self.lines.push(line);
        }
        self.previews = seen;
    }
}

/// What stands in place of a pattern where there is none.
pub fn without_pattern(row: &Row) -> String {
    match row.kind {
        ExchangeKind::Reply => "(reply without request)".to_owned(),
        ExchangeKind::Connect if row.attempts > 1 => {
            format!("({})", counted(row.attempts.into(), "connect", "connects"))
        }
        ExchangeKind::Connect => "(connect)".to_owned(),
        ExchangeKind::Request | ExchangeKind::Event => "(no pattern)".to_owned(),
    }
}

impl Preview {
    fn read(archive: &Archive, row: &Row) -> Self {
        let mut preview = Self {
            of: (row.status, row.replies, row.waited),
            data: None,
            answer: None,
            failed: false,
            more: 0,
            large: row.request_bytes.saturating_add(row.reply_bytes) > READ,
            ending: None,
        };
        if preview.large {
            return preview;
        }
        let beginning = |bytes: &[u8]| bytes.get(..KEPT).unwrap_or(bytes).to_vec();
        archive.exchange(row.number, |exchange| {
            preview.data = exchange.data.map(beginning);
            preview.ending = endings::sentence(row, exchange.error);
            preview.failed = exchange.status == Status::Error;
            let values = exchange.responses.iter().count();
            if let (Some(error), true) = (exchange.error, preview.failed) {
                preview.answer = Some(beginning(error));
                preview.more = values;
            } else {
                preview.answer = exchange.responses.iter().next().map(beginning);
                preview.more = values.saturating_sub(1);
            }
        });
        preview
    }
}
