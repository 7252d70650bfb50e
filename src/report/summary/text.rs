//! The report for people.

use std::io::{self, Write};

use super::{Summary, columns};
use crate::report::civil::{Civil, millis, offset};
use crate::report::table::write_text;
use crate::report::units::{count, counted, size};
use crate::report::{Layout, visible};
use crate::time::Timestamp;

/// Writes the report; the last line is the completeness line.
pub fn write(summary: &Summary<'_>, out: &mut impl Write, layout: &Layout) -> io::Result<()> {
    let heading = layout.palette.heading;
    write_capture(summary, out, layout)?;
    writeln!(out)?;
    let patterns = summary.statistics.patterns();
    if patterns.is_empty() {
        let what = match summary.filter {
            Some(_) => "No call or event matches the filter.",
            None => "No message of Nest was seen.",
        };
        writeln!(out, "{what}")?;
    } else {
        write_text(out, columns::patterns(&patterns, visible), layout.columns, heading)?;
    }
    let (connections, more) = summary.busiest_connections();
    if !connections.is_empty() {
        writeln!(out)?;
        write_text(out, columns::connections(&connections), layout.columns, heading)?;
        if more > 0 {
            writeln!(out, "and {}", counted(more, "more connection", "more connections"))?;
        }
    }
    writeln!(out)?;
    summary.losses().write(out, &layout.palette)
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
    if let Some(filter) = summary.filter {
        let filter = visible(filter);
        writeln!(out, "{heading}filter{heading:#}   only exchanges matching: {filter}")?;
    }
    Ok(())
}

/// How many calls and events there were, and how the calls ended.
pub fn totals(summary: &Summary<'_>) -> String {
    let totals = summary.statistics.totals();
    let outcomes: Vec<_> = [
        (totals.ok, "ok"),
        (totals.error, "error"),
        (totals.open, "open"),
        (totals.closed, "closed"),
        (totals.unknown, "unknown"),
    ]
    .iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, name)| format!("{} {name}", count(*number)))
    .collect();
    let calls = counted(totals.calls, "call", "calls");
    let events = counted(totals.events, "event", "events");
    match outcomes.is_empty() {
        true => format!("{calls}, {events}"),
        false => format!("{calls} ({}), {events}", outcomes.join(", ")),
    }
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
            let tables = written.split("note:").next().unwrap();
            for line in tables.lines() {
                assert!(line.width() <= columns, "{columns}: {line}");
            }
            insta::assert_snapshot!(format!("report_{columns}"), written);
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
