//! What is told of a server, column by column.

use std::cmp::Ordering;
use std::net::SocketAddr;

use ratatui::style::Style;

use crate::names::Names;
use crate::report::count;
use crate::store::{GroupRow, Outcomes, Percentiles};
use crate::time::Nanos;
use crate::tui::table::{Column, Width};
use crate::tui::text::Align;
use crate::tui::theme::Theme;
use crate::tui::views::rates::{per_second, rate};

/// What is known of a server end.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its address; `None` for those that came when there were too many.
    pub server: Option<SocketAddr>,
    /// How its exchanges ended.
    pub outcomes: Outcomes,
    /// Calls and events a second.
    pub rate: Option<f64>,
    /// Latency of its calls that ended `ok` or `error`.
    pub latency: Option<Percentiles>,
}

impl Line {
    /// What `row` tells after so much time.
    pub fn new(row: &GroupRow, time: Nanos) -> Self {
        Self {
            server: row.group.server,
            outcomes: row.outcomes,
            rate: rate(row.outcomes.messages(), time),
            latency: row.latency.percentiles(),
        }
    }

    /// Its name for people.
    pub fn name(&self, names: &Names) -> String {
        self.server.map_or_else(|| "(other servers)".to_owned(), |server| names.end(server))
    }
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Server,
    Calls,
    Events,
    Ok,
    Errors,
    NoReply,
    Refused,
    NoAnswer,
    Reset,
    Rate,
    P50,
    P90,
    P99,
    Max,
}

/// The columns from left to right.
pub const FIELDS: [Field; 14] = [
    Field::Server,
    Field::Calls,
    Field::Events,
    Field::Ok,
    Field::Errors,
    Field::NoReply,
    Field::Refused,
    Field::NoAnswer,
    Field::Reset,
    Field::Rate,
    Field::P50,
    Field::P90,
    Field::P99,
    Field::Max,
];

/// The same, for the table. Where there is little room, what failed is seen before what was quick.
pub const COLUMNS: [Column; FIELDS.len()] = [
    Column {
        title: "server",
        width: Width::Flexible { min: 15, weight: 1 },
        priority: 20,
        align: Align::Left,
    },
    number("calls", 7, 19),
    number("events", 7, 10),
    number("ok", 7, 9),
    number("errors", 6, 18),
    number("no reply", 8, 17),
    number("refused", 7, 16),
    number("no answer", 9, 15),
    number("reset", 5, 14),
    number("rate", 7, 11),
    number("p50", 7, 12),
    number("p90", 7, 7),
    number("p99", 7, 13),
    number("max", 7, 8),
];

const fn number(title: &'static str, width: u16, priority: u8) -> Column {
    Column { title, width: Width::Fixed(width), priority, align: Align::Right }
}

impl Field {
    /// The order of two servers by this column; what has nothing there counts least.
    pub fn compare(self, a: &Line, b: &Line) -> Ordering {
        match self {
            Self::Server => a.server.cmp(&b.server),
            Self::Rate => a.rate.unwrap_or(-1.0).total_cmp(&b.rate.unwrap_or(-1.0)),
            _ => self
                .number(a)
                .cmp(&self.number(b))
                .then_with(|| self.latency(a).cmp(&self.latency(b))),
        }
    }

    /// Its number, where it counts something.
    pub fn number(self, line: &Line) -> Option<u64> {
        let outcomes = &line.outcomes;
        Some(match self {
            Self::Calls => outcomes.calls,
            Self::Events => outcomes.events,
            Self::Ok => outcomes.ok,
            Self::Errors => outcomes.error,
            Self::NoReply => outcomes.no_reply(),
            Self::Refused => outcomes.refused,
            Self::NoAnswer => outcomes.no_answer,
            Self::Reset => outcomes.reset,
            Self::Server | Self::Rate | Self::P50 | Self::P90 | Self::P99 | Self::Max => {
                return None;
            }
        })
    }

    /// Its latency, where it tells one.
    pub fn latency(self, line: &Line) -> Option<Nanos> {
        let latency = line.latency.as_ref()?;
        let nanos = match self {
            Self::P50 => latency.p50,
            Self::P90 => latency.p90,
            Self::P99 => latency.p99,
            Self::Max => latency.max,
            _ => return None,
        };
        Some(Nanos::new(nanos))
    }

    /// Its text; empty where there is nothing to tell.
    pub fn text(self, line: &Line, names: &Names) -> String {
        match self {
            Self::Server => line.name(names),
            Self::Rate if line.outcomes.messages() > 0 => {
                line.rate.map(per_second).unwrap_or_default()
            }
            Self::Rate => String::new(),
            _ => match (self.number(line), self.latency(line)) {
                (Some(number), _) if number > 0 => count(number),
                (_, Some(latency)) => latency.to_string(),
                _ => String::new(),
            },
        }
    }

    /// How its text looks.
    pub const fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Errors | Self::Refused | Self::NoAnswer | Self::Reset => theme.error,
            Self::NoReply => theme.warning,
            _ => Style::new(),
        }
    }
}
