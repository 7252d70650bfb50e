//! `nestscope calls`: every exchange, as it ends.

use std::io::{self, BufWriter, StdoutLock, Write};

use super::analysis::{self, Event};
use super::args::Format;
use super::error::CliError;
use super::settings::Settings;
use super::terminal;
use crate::engine::{EngineEvent, Shard};
use crate::exchange::Exchange;
use crate::query::Evaluator;
use crate::report::Losses;
use crate::report::calls::{Csv, Fields, JsonLines, Text};
use crate::time::Timestamp;

/// Bytes that are gathered before they are written, where nobody waits for them.
const BUFFER: usize = 256 << 10;

/// Shows the exchanges; whether every source was read to its end.
///
/// # Errors
///
/// Where nothing can be read, and where the output cannot be written.
pub fn run(settings: &Settings) -> Result<bool, CliError> {
    let out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let mut writer = Writer::new(settings, out)?;
    let is_live = settings.is_live();
    let mut filter = settings.filter.as_ref().map(Evaluator::new);
    let mut is_wanted = |exchange: &Exchange<'_>| {
        !exchange.is_answered_attempt()
            && filter.as_mut().is_none_or(|filter| filter.matches(exchange))
    };
    let outcome = analysis::run(settings, true, Shard::default(), &mut |event| match event {
        Event::Found(EngineEvent::Exchange(exchange)) if is_wanted(exchange) => {
            writer.write(exchange)?;
            if is_live { writer.flush() } else { Ok(()) }
        }
        Event::Found(_) => Ok(()),
        Event::Began(at) => {
            writer.begin(at);
            Ok(())
        }
        Event::Idle => writer.flush(),
    })?;
    writer.flush()?;
    let losses = Losses { capture: &outcome.capture(), completeness: &outcome.completeness() };
    match writer {
        Writer::Text(text) => {
            let mut out = text.into_inner();
            losses.write(&mut out, &terminal::layout(&settings.output))?;
            out.flush()?;
        }
        Writer::Json(_) | Writer::Csv(_) | Writer::Fields(_) => {
            terminal::tell_losses(&settings.output, losses);
        }
    }
    Ok(!outcome.failed)
}

/// A writer of the format that was asked for.
enum Writer {
    Text(Text<Out>),
    Json(JsonLines<Out>),
    Csv(Csv<Out>),
    Fields(Box<Fields<Out>>),
}

type Out = BufWriter<StdoutLock<'static>>;

impl Writer {
    fn new(settings: &Settings, out: Out) -> io::Result<Self> {
        let moments = settings.output.moments();
        if let Some(selection) = &settings.fields {
            return Ok(Self::Fields(Box::new(Fields::new(out, selection.clone(), moments)?)));
        }
        Ok(match settings.output.format {
            Format::Json => Self::Json(JsonLines::new(out)),
            Format::Csv => Self::Csv(Csv::new(out, moments)?),
            // The settings let no other format through.
            Format::Text | Format::Markdown | Format::Fields => {
                Self::Text(Text::new(out, terminal::layout(&settings.output)))
            }
        })
    }

    /// The capture begins at this point in time.
    fn begin(&mut self, at: Timestamp) {
        match self {
            Self::Text(writer) => writer.begin(at),
            Self::Json(_) => {}
            Self::Csv(writer) => writer.begin(at),
            Self::Fields(writer) => writer.begin(at),
        }
    }

    fn write(&mut self, exchange: &Exchange<'_>) -> io::Result<()> {
        match self {
            Self::Text(writer) => writer.write(exchange),
            Self::Json(writer) => writer.write(exchange),
            Self::Csv(writer) => writer.write(exchange),
            Self::Fields(writer) => writer.write(exchange),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Text(writer) => writer.flush(),
            Self::Json(writer) => writer.flush(),
            Self::Csv(writer) => writer.flush(),
            Self::Fields(writer) => writer.flush(),
        }
    }
}
