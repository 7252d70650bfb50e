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
use crate::endpoint::ConnectionId;
use crate::engine::{EngineEvent, Shard};
use crate::exchange::{Exchange, ExchangeKind};
use crate::query::{Evaluator, Filter};
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
    let filter = settings.filter.as_ref().map(Filter::to_string);
    let summary = Summary {
        filter: filter.as_deref(),
        capture: &outcome.capture(),
        completeness: &outcome.completeness(),
        statistics: &statistics,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match settings.output.format {
        // The settings let no fields through.
        Format::Text | Format::Fields => {
            summary.write_text(&mut out, &terminal::layout(&settings.output))?
        }
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
                    let mut tally = Tally::new(settings);
                    let payloads = needs_payloads(settings);
                    let mut found = |update: EngineEvent<'_>| tally.take(&update);
                    let counts = analysis::run_beside(
                        settings,
                        payloads,
                        (files, stop),
                        shard(index),
                        &mut found,
                    )?;
                    Ok::<_, CliError>((counts, tally.statistics))
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
    // What is told must not depend on the threads.
    if count > 1 && (outcome.counts.needs_one_engine() || statistics.met_a_bound()) {
        let quietly =
            Settings { output: Output { quiet: true, ..settings.output }, ..settings.clone() };
        return analyse_shard(&quietly, Shard::default());
    }
    Ok((outcome, statistics))
}

fn analyse_shard(settings: &Settings, shard: Shard) -> Result<(Outcome, Statistics), CliError> {
    let mut tally = Tally::new(settings);
    let outcome = analysis::run(settings, needs_payloads(settings), shard, &mut |event| {
        if let Event::Found(update) = event {
            tally.take(&update);
        }
        Ok(())
    })?;
    Ok((outcome, tally.statistics))
}

fn needs_payloads(settings: &Settings) -> bool {
    settings.filter.as_ref().is_some_and(Filter::needs_payloads)
}

/// The statistics of what the filter lets through: all exchanges and connections where there is
/// none, else the exchanges that match and the connections that carried one.
struct Tally<'s> {
    filter: Option<Evaluator<'s>>,
    /// Whether a living connection carried an exchange that matches, by slot.
    carried: Vec<bool>,
    statistics: Statistics,
}

impl<'s> Tally<'s> {
    fn new(settings: &'s Settings) -> Self {
        Self {
            filter: settings.filter.as_ref().map(Evaluator::new),
            carried: Vec::new(),
            statistics: Statistics::by(settings.by.clone()),
        }
    }

    fn take(&mut self, update: &EngineEvent<'_>) {
        match update {
            EngineEvent::Exchange(exchange) if self.lets_through(exchange) => {
                self.statistics.add(exchange);
            }
            EngineEvent::Closed(connection) if self.carried(connection.connection) => {
                self.statistics.close(connection);
            }
            _ => {}
        }
    }

    fn lets_through(&mut self, exchange: &Exchange<'_>) -> bool {
        let Some(filter) = &mut self.filter else { return true };
        let matches = filter.matches(exchange);
        // An attempt that failed is of no connection, whoever has its slot.
        if matches && exchange.kind != ExchangeKind::Connect {
            let slot = exchange.connection.slot as usize;
            if self.carried.len() <= slot {
                self.carried.resize(slot + 1, false);
            }
            self.carried.get_mut(slot).into_iter().for_each(|carried| *carried = true);
        }
        matches
    }

    /// Whether a connection that is over belongs into the report; its slot is free then.
    fn carried(&mut self, connection: ConnectionId) -> bool {
        let carried = self.carried.get_mut(connection.slot as usize);
        self.filter.is_none() || carried.is_some_and(std::mem::take)
    }
}

/// In how many threads the capture can be read: one, unless it is large, stays where it is to be
/// read again, and nobody asks for numbers that are counted over all connections.
fn threads(settings: &Settings) -> u32 {
    let Input::Files(files) = &settings.input else { return 1 };
    let is_numbered = settings.filter.as_ref().is_some_and(Filter::needs_number);
    if settings.duration.is_some() || settings.save.is_some() || is_numbered {
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
