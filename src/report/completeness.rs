//! What the capture lacks, without which no number can be read.

use std::io::{self, Write};

use super::Palette;
use super::units::{count, counted, size};
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

impl Losses<'_> {
    /// Writes what each loss means, one line each, and the completeness line as the last.
    pub fn write(&self, out: &mut impl Write, palette: &Palette) -> io::Result<()> {
        let warning = palette.warning;
        for note in self.notes() {
            writeln!(out, "{warning}note:{warning:#} {note}")?;
        }
        self.write_line(out, palette)
    }

    /// Writes the completeness line: the counts that are always told, zeros included. Only who is
    /// told a zero knows that somebody looked.
    pub fn write_line(&self, out: &mut impl Write, palette: &Palette) -> io::Result<()> {
        let Completeness {
            gaps,
            truncated_packets,
            frames_undecodable,
            orphan_replies,
            calls_open,
            ..
        } = *self.completeness;
        write!(out, "{}, ", counted(self.capture.packets, "packet", "packets"))?;
        match self.completeness.kernel_drops {
            None => write!(out, "kernel drops unknown")?,
            Some(drops) => loss(out, palette, drops, "kernel drop", "kernel drops")?,
        }
        for (number, one, many) in [
            (gaps, "gap", "gaps"),
            (truncated_packets, "cut packet", "cut packets"),
            (frames_undecodable, "undecodable frame", "undecodable frames"),
            (orphan_replies, "orphan reply", "orphan replies"),
            (calls_open, "call still open", "calls still open"),
        ] {
            write!(out, ", ")?;
            loss(out, palette, number, one, many)?;
        }
        writeln!(out)
    }

    /// What each loss that there was means.
    pub fn notes(&self) -> Vec<String> {
        let losses = self.completeness;
        let drops = losses.kernel_drops.unwrap_or(0);
        let rows = [
            (
                drops,
                "packet was dropped by the kernel",
                "packets were dropped by the kernel",
                "the program could not keep up; a larger -B or a narrower -f helps",
            ),
            (
                losses.truncated_packets,
                "packet was cut",
                "packets were cut",
                "capture with a larger snap length (-s)",
            ),
            (
                losses.frames_undecodable,
                "frame could not be read",
                "frames could not be read",
                "cut by a gap, by the start or the end of the capture, or no Nest frame",
            ),
            (
                losses.orphan_replies,
                "reply has no request here",
                "replies have no request here",
                "the capture began later, or lost it",
            ),
            (
                losses.calls_open,
                "call had no final reply when the capture ended",
                "calls had no final reply when the capture ended",
                "slow, never answered, or answered later",
            ),
            (
                losses.calls_evicted,
                "call was given up",
                "calls were given up",
                "too many were open at once",
            ),
            (
                losses.late_replies,
                "reply came after the final one",
                "replies came after the final one",
                "counted in no latency",
            ),
            (
                losses.frames_other,
                "frame is neither request, event nor reply",
                "frames are neither request, event nor reply",
                "counted in no row",
            ),
            (
                losses.malformed_packets,
                "packet has headers that make no sense",
                "packets have headers that make no sense",
                "left out",
            ),
            (
                losses.fragments_lost,
                "IP fragment lacks the rest of its packet",
                "IP fragments lack the rest of their packet",
                "left out",
            ),
            (
                losses.conflicting_segments,
                "segment repeated a position with other bytes",
                "segments repeated a position with other bytes",
                "the bytes seen first were kept",
            ),
            (
                losses.out_of_window_segments,
                "segment cannot belong to its connection",
                "segments cannot belong to their connection",
                "left out",
            ),
            (
                losses.waits_given_up,
                "wait for missing bytes was cut short",
                "waits for missing bytes were cut short",
                "too much was held behind them",
            ),
            (
                losses.clock_steps,
                "latency was set to 0",
                "latencies were set to 0",
                "the clock of the capture stepped back",
            ),
            (
                losses.patterns_folded,
                "pattern shares a row with others",
                "patterns share a row",
                "there were too many to list",
            ),
            (
                losses.connections_evicted,
                "connection was given up",
                "connections were given up",
                "too many were followed at once",
            ),
        ];
        let mut notes = Vec::new();
        if self.capture.packets == 0 {
            notes.push(
                "no packet came: is it the right interface and port? `nestscope interfaces` lists \
                 them"
                    .to_owned(),
            );
        } else if losses.frames == 0 && losses.other_port_segments > 0 {
            let segments = counted(losses.other_port_segments, "segment is", "segments are");
            notes.push(format!("no frame on the ports of -p; {segments} on other ports"));
        }
        if losses.gaps > 0 {
            let bytes = match losses.gap_bytes {
                0 => "an unknown number of bytes".to_owned(),
                bytes => size(bytes),
            };
            let gaps = counted(losses.gaps, "place", "places");
            notes.push(format!(
                "{bytes} missing in {gaps}: a call whose final reply may lie there is unknown"
            ));
        }
        if let Some(link) = losses.unknown_link {
            let packets = counted(losses.unknown_link_packets, "packet has", "packets have");
            notes.push(format!("{packets} a link type that is not read: the first is {link}"));
        }
        for (number, one, many, meaning) in rows {
            if number > 0 {
                notes.push(format!("{}: {meaning}", counted(number, one, many)));
            }
        }
        if losses.file_bytes_cut > 0 {
            notes.push(format!(
                "the file ends inside a packet: its last {} were not read",
                counted(losses.file_bytes_cut, "byte", "bytes")
            ));
        }
        for (foreign, &number) in &losses.foreign_connections {
            let what = match foreign {
                Foreign::Unknown => "an unknown protocol",
                known => known.name(),
            };
            let number = counted(number, "connection", "connections");
            notes.push(format!(
                "{number} spoke {what}, not Nest TCP: nothing of it is in the calls"
            ));
        }
        notes
    }
}

/// Writes a count, in the colour of a warning where there is one to give.
fn loss(
    out: &mut impl Write,
    palette: &Palette,
    number: u64,
    one: &str,
    many: &str,
) -> io::Result<()> {
    let style = match number {
        0 => anstyle::Style::new(),
        _ => palette.warning,
    };
    let what = if number == 1 { one } else { many };
    write!(out, "{style}{} {what}{style:#}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(completeness: &Completeness, palette: &Palette) -> String {
        let capture = Capture { packets: 1_670_000, ..Capture::default() };
        let losses = Losses { capture: &capture, completeness };
        let mut out = Vec::new();
        losses.write(&mut out, palette).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn zeros_are_told() {
        assert_eq!(
            written(&Completeness::default(), &Palette::PLAIN),
            "1,670,000 packets, kernel drops unknown, 0 gaps, 0 cut packets, \
             0 undecodable frames, 0 orphan replies, 0 calls still open\n"
        );
    }

    #[test]
    fn each_loss_is_explained() {
        let completeness = Completeness {
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
        };
        insta::assert_snapshot!(written(&completeness, &Palette::PLAIN));
    }

    #[test]
    fn a_loss_has_the_colour_of_a_warning() {
        let completeness =
            Completeness { kernel_drops: Some(0), orphan_replies: 2, ..Completeness::default() };
        let written = written(&completeness, &Palette::COLOURED);
        assert!(written.contains(", 0 kernel drops, 0 gaps,"));
        assert!(written.contains("\x1b[33m2 orphan replies\x1b[0m"));
    }
}
