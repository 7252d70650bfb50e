//! `nestscope report`: the capture as a whole.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::num::NonZero;
use std::thread;

use super::analysis::{self, Event, Outcome};
use super::args::Format;
use super::error::CliError;
use super::settings::{Input, Output, Settings};
use super::terminal;
use crate::engine::{Shard, Update};
use crate::report::Summary;
use crate::source::Stop;
use crate::store::Statistics;

/// More threads than this wait for the memory, not for the processor: each reads all packets.
const THREADS: usize = 4;

/// Below this many bytes of files one thread is quick enough.
const WORTH_THREADS: u64 = 16 << 20;

/// Writes the report; whether every source was read to its end.
///
/// # Errors
///
/// Where nothing can be read, and where the output cannot be written.
pub fn run(settings: &Settings) -> Result<bool, CliError> {
    let (outcome, statistics) = analyse(settings)?;
    let summary = Summary {
        capture: &outcome.capture(),
        completeness: &outcome.completeness(),
        statistics: &statistics,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match settings.output.format {
        Format::Text => summary.write_text(&mut out, &terminal::layout(&settings.output))?,
        Format::Json => summary.write_json(&mut out)?,
        Format::Csv => summary.write_csv(&mut out)?,
        Format::Markdown => summary.write_markdown(&mut out)?,
    }
    out.flush()?;
    if matches!(settings.output.format, Format::Json | Format::Csv) {
        terminal::tell_losses(&settings.output, summary.losses());
    }
    Ok(!outcome.failed)
}

/// Reads the capture; large files in several threads, each for a part of the connections.
fn analyse(settings: &Settings) -> Result<(Outcome, Statistics), CliError> {
    let count = threads(settings);
    let shard = |index| Shard { index, count };
    let Input::Files(files) = &settings.input else { return analyse_shard(settings, shard(0)) };
    let stop = &Stop::default();
    let (outcome, statistics) = thread::scope(|scope| {
        let others: Vec<_> = (1..count)
            .map(|index| {
                scope.spawn(move || {
                    let mut statistics = Statistics::default();
                    let mut found = |update: Update<'_>| take(&mut statistics, &update);
                    let counts =
                        analysis::run_beside(settings, files, stop, shard(index), &mut found)?;
                    Ok::<_, CliError>((counts, statistics))
                })
            })
            .collect();
        let first = analyse_shard(settings, shard(0));
        if first.is_err() {
            stop.set();
        }
        let (mut outcome, mut statistics) = first?;
        for other in others {
            let other = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let (counts, learned) = other?;
            outcome.counts.add_shard(counts);
            statistics.merge(learned);
        }
        Ok::<_, CliError>((outcome, statistics))
    })?;
    // Bounds are those of an engine. Where one bit, what it cost must not depend on the threads.
    if count > 1 && outcome.counts.met_a_bound() {
        let quietly =
            Settings { output: Output { quiet: true, ..settings.output }, ..settings.clone() };
        return analyse_shard(&quietly, Shard::default());
    }
    Ok((outcome, statistics))
}

fn analyse_shard(settings: &Settings, shard: Shard) -> Result<(Outcome, Statistics), CliError> {
    let mut statistics = Statistics::default();
    let outcome = analysis::run(settings, false, shard, &mut |event| {
        if let Event::Found(update) = event {
            take(&mut statistics, &update);
        }
        Ok(())
    })?;
    Ok((outcome, statistics))
}

fn take(statistics: &mut Statistics, update: &Update<'_>) {
    match update {
        Update::Exchange(exchange) => statistics.add(exchange),
        Update::Closed(connection) => statistics.close(connection),
        _ => {}
    }
}

/// In how many threads the capture can be read: one, unless it is large, and stays where it is to
/// be read again.
fn threads(settings: &Settings) -> u32 {
    let Input::Files(files) = &settings.input else { return 1 };
    if settings.duration.is_some() || settings.save.is_some() {
        return 1;
    }
    let size = |file: &String| {
        let metadata = fs::metadata(file).ok().filter(fs::Metadata::is_file);
        metadata.map(|metadata| metadata.len())
    };
    match files.iter().map(size).sum::<Option<u64>>() {
        Some(bytes) if bytes >= WORTH_THREADS => {
            let processors = thread::available_parallelism().map_or(1, NonZero::get);
            u32::try_from(processors.min(THREADS)).unwrap_or(1)
        }
        _ => 1,
    }
}
