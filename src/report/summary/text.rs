//! The report for people.

use std::io::{self, Write};

use super::{Summary, columns};
use crate::report::civil::{Civil, millis, offset};
use crate::report::table::{Column, write_text};
use crate::report::units::{count, counted, size};
use crate::report::{Layout, visible};
use crate::store::GroupBy;
use crate::time::Timestamp;

/// Writes the report; the last line is the completeness line.
pub fn write(summary: &Summary<'_>, out: &mut impl Write, layout: &Layout) -> io::Result<()> {
    write_capture(summary, out, layout)?;
    writeln!(out)?;
    match summary.statistics.groups() {
        Some(groups) => {
            let rows = groups.rows();
            let table = columns::groups(summary, &rows, groups.by(), visible);
            write_table(summary, out, layout, rows.is_empty(), table)?;
        }
        None => write_parts(summary, out, layout)?,
    }
    writeln!(out)?;
    summary.losses().write(out, layout)
}

/// Writes the tables of patterns, servers and connections.
fn write_parts(summary: &Summary<'_>, out: &mut impl Write, layout: &Layout) -> io::Result<()> {
    let heading = layout.palette.heading;
    let patterns = summary.statistics.patterns();
    let table = columns::patterns(&patterns, visible);
    write_table(summary, out, layout, patterns.is_empty(), table)?;
    let (servers, more) = summary.first_servers();
    if !servers.is_empty() {
        writeln!(out)?;
        let table = columns::groups(summary, &servers, &[GroupBy::Server], visible);
        write_text(out, table, layout.columns, heading)?;
        write_more(out, more, "more server", "more servers")?;
    }
    let (connections, more) = summary.busiest_connections();
    if !connections.is_empty() {
        writeln!(out)?;
        write_text(out, columns::connections(&connections), layout.columns, heading)?;
        write_more(out, more, "more connection", "more connections")?;
    }
    Ok(())
}

/// Writes the table that was asked for, or that there is nothing in it.
fn write_table(
    summary: &Summary<'_>,
    out: &mut impl Write,
    layout: &Layout,
    is_empty: bool,
    table: Vec<Column>,
) -> io::Result<()> {
    if !is_empty {
        return write_text(out, table, layout.columns, layout.palette.heading);
    }
    let what = match summary.filter {
        Some(_) => "No call or event matches the filter.",
        None => "No message of Nest was seen.",
    };
    writeln!(out, "{what}")
}

fn write_more(out: &mut impl Write, more: u64, one: &str, many: &str) -> io::Result<()> {
    if more > 0 {
        writeln!(out, "and {}", counted(more, one, many))?;
    }
    Ok(())
}

fn write_capture(summary: &Summary<'_>, out: &mut impl Write, layout: &Layout) -> io::Result<()> {
    let heading = layout.palette.heading;
    let capture = summary.capture;
    writeln!(
        out,
        "{heading}capture{heading:#}  {}, {}, {}",
        counted(capture.packets, "packet", "packets"),
        size(capture.bytes),
        counted(capture.segments, "TCP segment", "TCP segments"),
    )?;
    if let Some((first, last)) = capture.span {
        writeln!(
            out,
            "{heading}time{heading:#}     {} to {} ({})",
            moment(first, layout),
            moment(last, layout),
            last.saturating_since(first),
        )?;
    }
    writeln!(out, "{heading}seen{heading:#}     {}", totals(summary))?;
    if let Some(failed) = failed_attempts(summary) {
        writeln!(out, "{heading}failed{heading:#}   {failed}")?;
    }
    if let Some(filter) = summary.filter {
        let filter = visible(filter);
        writeln!(out, "{heading}filter{heading:#}   only exchanges matching: {filter}")?;
    }
    Ok(())
}

/// How many calls and events there were, and how the calls ended.
pub fn totals(summary: &Summary<'_>) -> String {
    let totals = summary.statistics.totals();
    let calls = counted(totals.calls, "call", "calls");
    let events = counted(totals.events, "event", "events");
    let outcomes = in_brackets(&[
        (totals.ok, "ok"),
        (totals.error, "error"),
        (totals.open, "open"),
        (totals.closed, "closed"),
        (totals.unknown, "unknown"),
    ]);
    format!("{calls}{outcomes}, {events}")
}

/// How many attempts to connect failed, and how; `None` where none did.
pub fn failed_attempts(summary: &Summary<'_>) -> Option<String> {
    let totals = summary.statistics.totals();
    let attempts = counted(totals.connects, "attempt", "attempts");
    let how = in_brackets(&[
        (totals.refused, "refused"),
        (totals.no_answer, "no answer"),
        (totals.reset, "reset"),
    ]);
    (totals.connects > 0).then(|| format!("{attempts} to connect{how}"))
}

/// Those that there were.
fn in_brackets(outcomes: &[(u64, &str)]) -> String {
    let some = outcomes.iter().filter(|(number, _)| *number > 0);
    let told: Vec<_> = some.map(|(number, name)| format!("{} {name}", count(*number))).collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

/// A point in time with the offset of its zone, to the millisecond.
fn moment(at: Timestamp, layout: &Layout) -> String {
    let second = Civil::new(layout.zone.clone(), "%Y-%m-%d %H:%M:%S").second(at).to_owned();
    format!("{second}.{:03} {}", millis(at), offset(&layout.zone, at))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::report::summary::samples::Sample;
    use crate::report::{Palette, TimeFormat};

    fn text(sample: &Sample, columns: usize) -> String {
        let layout = Layout {
            columns,
            zone: TimeZone::UTC,
            time: TimeFormat::OfDay,
            palette: Palette::PLAIN,
        };
        let mut out = Vec::new();
        write(&sample.summary(), &mut out, &layout).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn reports_for_terminals_of_several_widths() {
        for columns in [80, 120, 200] {
            let written = text(&Sample::many(12), columns);
            let (tables, _) = written.rsplit_once("\n\n").unwrap();
            for line in tables.lines() {
                assert!(line.width() <= columns, "{columns}: {line}");
            }
            insta::assert_snapshot!(format!("report_{columns}"), written);
        }
    }

    #[test]
    fn exchanges_are_grouped_by_what_was_asked_for() {
        use GroupBy::{Client, Connection, Pattern, Server};
        for (name, by) in [
            ("server", vec![Server]),
            ("server_pattern", vec![Server, Pattern]),
            ("all", vec![Pattern, Server, Client, Connection]),
        ] {
            let written = text(&Sample::some_by(by), 80);
            let (tables, _) = written.rsplit_once("\n\n").unwrap();
            for line in tables.lines() {
                assert!(line.width() <= 80, "{line}");
            }
            insta::assert_snapshot!(format!("by_{name}"), written);
        }
    }

    #[test]
    fn a_report_of_nothing_says_so() {
        insta::assert_snapshot!(text(&Sample::default(), 80));
    }

    #[test]
    fn a_filter_is_named() {
        let layout = Layout {
            columns: 80,
            zone: TimeZone::UTC,
            time: TimeFormat::OfDay,
            palette: Palette::PLAIN,
        };
        for (sample, last) in [
            (Sample::some(), "filter   only exchanges matching: data ~ \"␛\""),
            (Sample::default(), "No call or event matches the filter."),
        ] {
            let summary = Summary { filter: Some("data ~ \"\u{1b}\""), ..sample.summary() };
            let mut out = Vec::new();
            write(&summary, &mut out, &layout).unwrap();
            let written = String::from_utf8(out).unwrap();
            assert!(written.lines().any(|line| line == last), "{written}");
        }
    }
}
