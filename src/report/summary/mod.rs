//! What a capture says as a whole: latency and outcome per pattern, server and connection, and what
//! the capture lacks. One file per format, each a pure function to a `Write`.

mod columns;
mod csv;
mod json;
mod markdown;
mod text;

use std::io::{self, Write};

use super::{Layout, Losses};
use crate::engine::{Beginning, ConnectionFacts};
use crate::exchange::ExchangeKind;
use crate::protocol::Foreign;
use crate::store::{
    Capture, Completeness, ConnectionRow, GroupRow, Outcomes, PatternRow, Statistics,
};

/// Connections that a report for people lists one by one; JSON lists them all.
const CONNECTIONS: usize = 10;

/// The same of servers.
const SERVERS: usize = 20;

/// What the groups share that came when there were too many.
const REST: &str = "(others)";

/// Everything that a report tells.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    /// The filter that the exchanges passed, if there was one. What the capture lacks is told
    /// without regard to it.
    pub filter: Option<&'a str>,
    /// What was read.
    pub capture: &'a Capture,
    /// What was seen whole, and what was not.
    pub completeness: &'a Completeness,
    /// The numbers.
    pub statistics: &'a Statistics,
}

impl Summary<'_> {
    /// Writes it as one JSON object on one line.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        json::write(self, out)
    }

    /// Writes a row per pattern, or per group where exchanges were grouped, as CSV.
    pub fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        csv::write(self, out)
    }

    /// Writes it for people. The last line is the completeness line.
    pub fn write_text(&self, out: &mut impl Write, layout: &Layout) -> io::Result<()> {
        text::write(self, out, layout)
    }

    /// Writes it for a pull request. The last line is the completeness line.
    pub fn write_markdown(&self, out: &mut impl Write) -> io::Result<()> {
        markdown::write(self, out)
    }

    /// Calls and events a second of the capture, to a thousandth.
    fn per_second(&self, outcomes: &Outcomes) -> Option<f64> {
        let (first, last) = self.capture.span?;
        let nanos = last.saturating_since(first).get();
        // A rate is told to three digits; what a float cannot hold lies far behind them.
        #[expect(clippy::cast_precision_loss)]
        let (messages, seconds) = (outcomes.messages() as f64, nanos as f64 / 1e9);
        (nanos > 0).then(|| (messages / seconds * 1_000.0).round() / 1_000.0)
    }

    /// What the capture lacks.
    pub const fn losses(&self) -> Losses<'_> {
        Losses { capture: self.capture, completeness: self.completeness }
    }

    /// The servers that are listed for people, and how many more there are.
    fn first_servers(&self) -> (Vec<&GroupRow>, u64) {
        let mut rows = self.statistics.servers();
        let more = rows.len().saturating_sub(SERVERS) as u64;
        rows.truncate(SERVERS);
        (rows, more)
    }

    /// The connections with the most exchanges, and how many more there are.
    fn busiest_connections(&self) -> (Vec<&ConnectionRow>, u64) {
        let mut rows = self.statistics.connections();
        // Stable: among equals the one that was seen first.
        rows.sort_by_key(|row| std::cmp::Reverse(row.outcomes.messages()));
        let more = rows.len().saturating_sub(CONNECTIONS) as u64;
        rows.truncate(CONNECTIONS);
        (rows, more + self.statistics.connections_folded())
    }
}

/// What a connection spoke, in every output; `None` where it said nothing that could be told.
fn protocol(row: &ConnectionRow) -> Option<&'static str> {
    let nest = row.facts.spoke_nest.then_some("nest-tcp");
    row.facts.foreign.map(|foreign| foreign.name()).or(nest)
}

/// What a connection spoke, for people; `None` where nothing was said.
fn spoken(facts: &ConnectionFacts) -> Option<String> {
    match facts.foreign {
        None if facts.spoke_nest => Some("nest-tcp".to_owned()),
        None | Some(Foreign::Unknown) if !facts.beginning.bytes().is_empty() => {
            Some(unknown_protocol(&facts.beginning, UNKNOWN_COLUMNS))
        }
        Some(foreign) => Some(foreign.name().to_owned()),
        None => None,
    }
}

/// Of a connection whose protocol is unknown, how it began: `unknown "\x05\x01\x00"`, in ASCII and
/// cut to `columns`. Where there is no room for more than the word, that alone.
pub fn unknown_protocol(beginning: &Beginning, columns: usize) -> String {
    let word = Foreign::Unknown.name();
    let room = columns.saturating_sub(word.len() + " \"\"...".len());
    let mut shown = String::new();
    let mut rest = "";
    for &byte in beginning.bytes() {
        let byte = byte.escape_ascii().to_string();
        if shown.len() + byte.len() > room {
            rest = "...";
            break;
        }
        shown += &byte;
    }
    if shown.is_empty() { word.to_owned() } else { format!("{word} \"{shown}\"{rest}") }
}

/// Columns of it in a table.
pub const UNKNOWN_COLUMNS: usize = 28;

/// The exchanges of a row: its calls, or its events.
const fn exchanges(row: &PatternRow) -> u64 {
    match row.kind {
        ExchangeKind::Event => row.outcomes.events,
        _ => row.outcomes.calls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_protocol_is_told_by_how_it_began() {
        let told = |data: &[u8]| unknown_protocol(&Beginning::of(data), 28);
        assert_eq!(told(b"\x05\x01\x00"), r#"unknown "\x05\x01\x00""#);
        assert_eq!(told(b"HELO \"me\"\r\n"), r#"unknown "HELO \"me\"\r\n""#);
        assert_eq!(told(b"\x1b[2J and much more than is kept"), r#"unknown "\x1b[2J and muc"..."#);
        assert_eq!(told(&[0xff; 100]), r#"unknown "\xff\xff\xff"..."#);
        assert_eq!(told(b""), "unknown");
        assert_eq!(unknown_protocol(&Beginning::of(&[0xff; 100]), 16), "unknown");
    }
}

#[cfg(test)]
mod samples;
