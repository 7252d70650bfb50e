//! Exchanges of an archive, written to a file.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use crate::exchange::{ExchangeKind, ExchangeNumber};
use crate::packet::Packet;
use crate::report::Moments;
use crate::report::calls::{Csv, JsonLines};
use crate::source::CapturePoints;
use crate::source::options::Options;
use crate::source::writer::CaptureWriter;
use crate::store::Archive;

/// What a file of exchanges holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Their packets.
    Pcapng,
    /// An object per exchange, as `calls -T json` prints it.
    JsonLines,
    /// A row per exchange, as `calls -T csv` prints it.
    Csv,
}

impl Form {
    /// The form that the ending of `path` tells; `None` where it tells none.
    pub fn of_path(path: &str) -> Option<Self> {
        let ending = Path::new(path).extension()?.to_str()?;
        match ending.to_ascii_lowercase().as_str() {
            "pcapng" => Some(Self::Pcapng),
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// What was saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Exchanges.
    pub exchanges: u64,
    /// Packets, where packets were saved.
    pub packets: u64,
    /// Exchanges, or packets of them, that cannot be read any more. Of an exchange the rest is
    /// saved.
    pub missing: u64,
}

/// Writes the exchanges `numbers`, ascending, to `out`; in CSV their times as `moments` tells them,
/// else in UTC.
///
/// # Errors
///
/// Where `out` cannot be written.
pub fn save(
    archive: &Archive,
    numbers: &[ExchangeNumber],
    form: Form,
    moments: Option<Moments>,
    mut out: impl Write,
) -> io::Result<Saved> {
    match form {
        Form::Pcapng => save_packets(archive, numbers, out),
        Form::JsonLines => {
            let mut writer = JsonLines::new(&mut out);
            let saved = save_lines(archive, numbers, |exchange| writer.write(exchange))?;
            writer.flush()?;
            Ok(saved)
        }
        Form::Csv => {
            let mut writer = Csv::new(&mut out, moments)?;
            let saved = save_lines(archive, numbers, |exchange| writer.write(exchange))?;
            writer.flush()?;
            Ok(saved)
        }
    }
}

fn save_lines(
    archive: &Archive,
    numbers: &[ExchangeNumber],
    mut write: impl FnMut(&crate::exchange::Exchange<'_>) -> io::Result<()>,
) -> io::Result<Saved> {
    let mut saved = Saved::default();
    let mut bodies = archive.bodies();
    for &number in numbers {
        match bodies.exchange(number, &mut write) {
            Some(written) => {
                written?;
                saved.exchanges += 1;
                saved.missing += u64::from(bodies.gone().is_some());
            }
            None => saved.missing += 1,
        }
    }
    Ok(saved)
}

/// Writes the packets that carried the exchanges, each once, in the order of the capture.
fn save_packets(
    archive: &Archive,
    numbers: &[ExchangeNumber],
    out: impl Write,
) -> io::Result<Saved> {
    let mut saved = Saved::default();
    let mut packets = BTreeSet::new();
    let mut bodies = archive.bodies();
    for &number in numbers {
        match archive.detail(number) {
            Some(detail) => {
                saved.exchanges += 1;
                for frame in &detail.frames {
                    let carriers = bodies.carriers(detail.row.connection, frame);
                    let carriers = archive.packets_of(detail.row.connection, carriers);
                    packets.extend(carriers.map(|packet| packet.number));
                }
                if detail.row.kind == ExchangeKind::Connect {
                    let attempted = archive.packets_of_attempt(&detail);
                    packets.extend(attempted.map(|packet| packet.number));
                }
            }
            None => saved.missing += 1,
        }
    }
    let points = archive.points();
    let mut writer = CaptureWriter::new(out);
    for number in packets {
        let (Some(record), Ok(data)) = (archive.packet(number), archive.packet_data(number)) else {
            saved.missing += 1;
            continue;
        };
        writer.write(
            &Packet {
                number,
                at: record.at,
                link: record.link,
                point: record.point,
                data: &data,
                original_len: record.original_len,
            },
            Options::NONE,
            points,
        )?;
        saved.packets += 1;
    }
    writer.finish(&CapturePoints::default(), [])?;
    Ok(saved)
}
