//! What the capture lacks, without which no number can be read.

use std::io::{self, Write};

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::table::{Column, write_markdown, write_text};
use super::units::{count, counted, size};
use super::{Layout, Palette};
use crate::packet::LinkType;
use crate::protocol::Foreign;
use crate::store::{Capture, Completeness};

/// What was read, and what was not.
#[derive(Clone, Copy, Debug)]
pub struct Losses<'a> {
    /// What was read.
    pub capture: &'a Capture,
    /// What was seen whole, and what was not.
    pub completeness: &'a Completeness,
}

/// One thing that the capture says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The diagnosis that it is; empty where it is none.
    pub id: &'static str,
    /// How often.
    pub count: u64,
    /// Of what.
    pub what: String,
    /// What it means, or what to do.
    pub advice: String,
}

impl Losses<'_> {
    /// Writes the table of what there is to say, and the completeness line as the last.
    pub fn write(&self, out: &mut impl Write, layout: &Layout) -> io::Result<()> {
        let rows = self.rows();
        if !rows.is_empty() {
            let columns = columns(&rows, Some(layout.columns));
            write_text(out, columns, layout.columns, layout.palette.heading)?;
            writeln!(out)?;
        }
        self.write_line(out, &layout.palette, layout.columns)
    }

    /// Writes the same as Markdown.
    pub fn write_markdown(&self, out: &mut impl Write) -> io::Result<()> {
        let rows = self.rows();
        if !rows.is_empty() {
            write_markdown(out, &columns(&rows, None))?;
            writeln!(out)?;
        }
        self.write_line(out, &Palette::PLAIN, usize::MAX)
    }

    /// Writes the completeness line: the counts that are always told, zeros included. Only who is
    /// told a zero knows that somebody looked. Where it is longer than `columns` it goes on below,
    /// each count whole.
    pub fn write_line(
        &self,
        out: &mut impl Write,
        palette: &Palette,
        columns: usize,
    ) -> io::Result<()> {
        let losses = self.completeness;
        let loss = |number: u64, one, many| (counted(number, one, many), number > 0);
        let mut told = vec![
            (counted(self.capture.packets, "packet", "packets"), false),
            match losses.kernel_drops {
                None => ("kernel drops unknown".to_owned(), false),
                Some(drops) => loss(drops, "kernel drop", "kernel drops"),
            },
            loss(losses.gaps, "gap", "gaps"),
            loss(losses.truncated_packets, "cut packet", "cut packets"),
            loss(losses.frames_undecodable, "undecodable frame", "undecodable frames"),
            loss(losses.orphan_replies, "orphan reply", "orphan replies"),
            loss(losses.calls_open, "call still open", "calls still open"),
            loss(losses.unsure, "unsure", "unsure"),
        ];
        // Neither is a loss: what the sender repeated, and what the capture did.
        told.push((format!("{} sent again", count(losses.retransmissions)), false));
        told.push((counted(losses.copies, "copy", "copies"), false));
        let last = told.len() - 1;
        let mut used = 0;
        for (index, (text, is_loss)) in told.into_iter().enumerate() {
            let comma = if index < last { "," } else { "" };
            let width = text.width() + comma.len();
            if used > 0 && used + 1 + width > columns {
                write!(out, "\n{CONTINUED}")?;
                used = CONTINUED.len();
            } else if used > 0 {
                write!(out, " ")?;
                used += 1;
            }
            used += width;
            let style = if is_loss { palette.warning } else { Style::new() };
            write!(out, "{style}{text}{style:#}{comma}")?;
        }
        writeln!(out)
    }

    /// What there is to say.
    pub fn rows(&self) -> Vec<Loss> {
        let losses = self.completeness;
        let mut rows = self.of_nothing();
        rows.extend(COUNTED.iter().filter_map(|row| row.told(losses)));
        let mut say = |id, count, what: String, advice: &str| {
            rows.push(Loss { id, count, what, advice: advice.to_owned() });
        };
        for (reason, &count) in &losses.discarded {
            let what = format!("discarded: {}", reason.replace('_', " "));
            say("", count, what, "segments that are no part of their connection");
        }
        if let Some(link) = losses.unknown_link {
            let (name, advice) = link_type(link);
            say("", losses.unknown_link_packets, format!("packets of {name}"), advice);
        }
        for (kind, &count) in &losses.unopened {
            say("", count, format!("packets of {kind}"), "what they carry was not looked at");
        }
        for (foreign, &count) in &losses.foreign_connections {
            let what = match foreign {
                Foreign::Unknown => "an unknown protocol",
                known => known.name(),
            };
            let what = if count == 1 {
                format!("connection of {what}")
            } else {
                format!("connections of {what}")
            };
            say("", count, what, "not Nest TCP: nothing of it is in the calls");
        }
        rows
    }

    /// What to say where nothing was found.
    fn of_nothing(&self) -> Vec<Loss> {
        let losses = self.completeness;
        let row = |id, count, what: &str, advice: &str| {
            vec![Loss { id, count, what: what.to_owned(), advice: advice.to_owned() }]
        };
        if self.capture.packets == 0 {
            let advice =
                "is it the right interface and port? `nestscope interfaces` lists what there is";
            return row("", 0, "packets came", advice);
        }
        if losses.frames == 0 && losses.other_port_segments > 0 {
            let advice = "no frame on the ports of -p: without it Nest is found on every port";
            return row("CAP10", losses.other_port_segments, "segments on other ports", advice);
        }
        Vec::new()
    }
}

/// A count of the capture, and how it is told.
struct Counted {
    id: &'static str,
    count: fn(&Completeness) -> u64,
    one: &'static str,
    many: &'static str,
    advice: &'static str,
}

impl Counted {
    fn told(&self, losses: &Completeness) -> Option<Loss> {
        let count = (self.count)(losses);
        let mut what = if count == 1 { self.one } else { self.many }.to_owned();
        if self.one == GAP {
            what.push_str(&match losses.gap_bytes {
                0 => " of unknown length".to_owned(),
                bytes => format!(" of {} in all", size(bytes)),
            });
        }
        (count > 0).then(|| Loss { id: self.id, count, what, advice: self.advice.to_owned() })
    }
}

const GAP: &str = "gap";

macro_rules! counted {
    ($($id:literal $count:expr, $one:expr, $many:literal, $advice:literal;)*) => {
        &[$(Counted { id: $id, count: $count, one: $one, many: $many, advice: $advice }),*]
    };
}

/// The ids are those of the diagnoses of captures; some counts are no diagnosis.
const COUNTED: &[Counted] = counted! {
    "CAP01" |told| told.kernel_drops.unwrap_or(0), "packet dropped by the kernel",
        "packets dropped by the kernel",
        "the program could not keep up: give a larger -B or a narrower -f";
    "CAP02" |told| told.truncated_packets, "packet cut", "packets cut",
        "capture with a larger snap length (-s)";
    "CAP03" |told| told.gaps, GAP, "gaps",
        "bytes that the capture lacks: a call whose final reply may lie there is unknown";
    "CAP03" |told| told.unacknowledged_gaps, "gap that nobody acknowledged",
        "gaps that nobody acknowledged", "no packet of the other side was captured there";
    "CAP04" |told| told.orphan_replies, "reply without request", "replies without request",
        "the capture began later, or lost it";
    "" |told| told.frames_undecodable, "frame that cannot be read", "frames that cannot be read",
        "cut by a gap, by the start or the end of the capture, or no Nest frame";
    "" |told| told.unsure, "row that is not sure", "rows that are not sure",
        "marked ? and in no statistic: nothing but its bytes says that it was a message";
    "" |told| told.calls_open, "call open at the end", "calls open at the end",
        "slow, never answered, or answered later";
    "" |told| told.calls_evicted, "call given up", "calls given up",
        "too many were open at once";
    "" |told| told.late_replies, "reply after the final one", "replies after the final one",
        "counted in no latency";
    "" |told| told.frames_other, "frame of another kind", "frames of another kind",
        "neither request, event nor reply: in no row";
    "CAP05" |told| told.one_sided_attempts, "attempt seen from one side",
        "attempts seen from one side",
        "whether they failed is not known: what the servers sent was not captured";
    "CAP06" |told| told.copies, "copy made by the capture", "copies made by the capture",
        "a packet seen at several points counts once";
    "" |told| told.damaged_copies, "damaged copy", "damaged copies",
        "another copy has the right checksum, and counts";
    "" |told| told.conflicting_segments, "segment with other bytes", "segments with other bytes",
        "a position was repeated: the bytes seen first were kept";
    "CAP06" |told| told.translated_connections, "connection seen twice", "connections seen twice",
        "before and after address translation: its calls are told and counted twice";
    "" |told| told.waits_given_up, "wait cut short", "waits cut short",
        "too much was held behind missing bytes";
    "CAP08" |told| told.clock_steps, "call without latency", "calls without latency",
        "the clock of the capture stepped back";
    "CAP08" |told| told.without_time, "call without latency", "calls without latency",
        "a packet has no time";
    "CAP08" |told| told.reply_first, "call without latency", "calls without latency",
        "the reply was captured before the request: merge the files by one clock";
    "" |told| told.malformed_packets, "packet with broken headers", "packets with broken headers",
        "left out";
    "" |told| told.fragments_lost, "IP fragment without the rest", "IP fragments without the rest",
        "left out";
    "" |told| told.patterns_folded, "message in the last row", "messages in the last row",
        "there were too many patterns to list";
    "" |told| told.connections_evicted, "connection given up", "connections given up",
        "too many were followed at once";
    "" |told| told.file_bytes_cut, "byte not read", "bytes not read",
        "the file ends inside a packet";
};

/// The name of a link type that is not read, and what to do.
fn link_type(number: u16) -> (String, &'static str) {
    let link = LinkType(number);
    (link.to_string(), link.advice())
}

/// The table of `rows`. Within `width`, advice goes on below itself: it is not to be cut.
fn columns(rows: &[Loss], width: Option<usize>) -> Vec<Column> {
    let mut cells = [const { Vec::new() }; 4];
    let widest = |cell: fn(&Loss) -> usize, title: &str| {
        rows.iter().map(cell).chain([title.len()]).max().unwrap_or(0)
    };
    let before = widest(|row| row.id.len(), TITLES[0])
        + widest(|row| count(row.count).len(), TITLES[1])
        + widest(|row| row.what.width(), TITLES[2]);
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(before + 6).max(24));
    for row in rows {
        let told = [row.id.to_owned(), count(row.count), row.what.clone()];
        for (index, line) in wrapped(&row.advice, room).into_iter().enumerate() {
            let [id, number, what] = if index == 0 { told.clone() } else { Default::default() };
            for (column, cell) in cells.iter_mut().zip([id, number, what, line]) {
                column.push(cell);
            }
        }
    }
    let [ids, counts, whats, advice] = cells;
    vec![
        Column::texts(TITLES[0], 0, ids),
        Column::numbers(TITLES[1], 0, counts),
        Column::texts(TITLES[2], 0, whats),
        Column::texts(TITLES[3], 0, advice),
    ]
}

/// What stands before the rest of a completeness line.
const CONTINUED: &str = "  ";

const TITLES: [&str; 4] = ["id", "count", "what", "what it means, or what to do"];

/// `text` in lines of at most `columns`, broken between words.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= columns {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::report::TimeFormat;

    fn written(completeness: &Completeness, palette: Palette, columns: usize) -> String {
        let capture = Capture { packets: 1_670_000, ..Capture::default() };
        let losses = Losses { capture: &capture, completeness };
        let mut out = Vec::new();
        let layout = Layout { columns, zone: TimeZone::UTC, time: TimeFormat::OfDay, palette };
        losses.write(&mut out, &layout).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn zeros_are_told() {
        assert_eq!(
            written(&Completeness::default(), Palette::PLAIN, 80),
            "1,670,000 packets, kernel drops unknown, 0 gaps, 0 cut packets,\n  \
             0 undecodable frames, 0 orphan replies, 0 calls still open, 0 unsure,\n  \
             0 sent again, 0 copies\n"
        );
        // No longer than it has to be, and no count cut in two.
        for columns in 1..200 {
            let told = written(&Completeness::default(), Palette::PLAIN, columns);
            let fits = |line: &str| line.len() <= columns.max("  0 undecodable frames,".len());
            assert!(told.lines().all(|line| fits(line) || columns < 25), "{columns}: {told}");
            assert_eq!(
                told.lines().map(str::trim).collect::<Vec<_>>().join(" ").matches(", ").count(),
                9
            );
        }
    }

    /// Everything that can be wrong.
    fn all() -> Completeness {
        Completeness {
            frames: 9,
            frames_undecodable: 1,
            frames_other: 2,
            kernel_drops: Some(3_000),
            gaps: 4,
            gap_bytes: 5_000,
            truncated_packets: 6,
            malformed_packets: 7,
            unknown_link_packets: 19,
            unknown_link: Some(147),
            out_of_window_segments: 20,
            waits_given_up: 21,
            fragments_lost: 8,
            retransmissions: 9,
            conflicting_segments: 10,
            orphan_replies: 11,
            other_port_segments: 1,
            late_replies: 12,
            calls_open: 1,
            calls_evicted: 14,
            clock_steps: 15,
            patterns_folded: 16,
            connections_evicted: 17,
            file_bytes_cut: 18,
            foreign_connections: [(Foreign::Tls, 1), (Foreign::Http1, 2), (Foreign::Unknown, 3)]
                .into(),
            copies: 22,
            unsure: 23,
            unopened: [("vxlan".to_owned(), 24), ("geneve".to_owned(), 1)].into(),
            discarded: [("outside_window", 25), ("unacknowledged", 26)].into(),
            unacknowledged_gaps: 1,
            without_time: 27,
            reply_first: 28,
            damaged_copies: 29,
            translated_connections: 30,
            one_sided_attempts: 31,
        }
    }

    #[test]
    fn each_loss_is_explained() {
        for columns in [80, 200] {
            let written = written(&all(), Palette::PLAIN, columns);
            let (table, _) = written.rsplit_once("\n\n").unwrap();
            for line in table.lines() {
                assert!(line.width() <= columns, "{line}");
            }
            insta::assert_snapshot!(format!("losses_{columns}"), written);
        }
        // Whatever is counted is told: nothing but these is without a row. 20, what lies beyond a
        // window, is told among what was discarded.
        let capture = Capture { packets: 1, ..Capture::default() };
        let rows = Losses { capture: &capture, completeness: &all() }.rows();
        let counts: std::collections::BTreeSet<_> = rows.iter().map(|row| row.count).collect();
        for number in (1..=31).filter(|number| ![5, 9, 13, 20].contains(number)) {
            assert!(counts.contains(&number) || number == 3, "{number}");
        }
        assert!(counts.contains(&3_000));
    }

    #[test]
    fn the_clock_is_mentioned_only_where_it_stepped() {
        let two_of_them_swapped = Completeness { retransmissions: 3, ..Completeness::default() };
        assert!(!written(&two_of_them_swapped, Palette::PLAIN, 80).contains("clock"));
        let stepped = Completeness { clock_steps: 1, ..Completeness::default() };
        assert!(written(&stepped, Palette::PLAIN, 80).contains("CAP08      1  call without"));
    }

    #[test]
    fn a_loss_has_the_colour_of_a_warning() {
        let completeness =
            Completeness { kernel_drops: Some(0), orphan_replies: 2, ..Completeness::default() };
        let written = written(&completeness, Palette::COLOURED, 80);
        assert!(written.contains(", 0 kernel drops, 0 gaps,"));
        assert!(written.contains("\x1b[33m2 orphan replies\x1b[0m"));
    }
}
