//! `nestscope report`: the capture as a whole.

use std::io::{self, BufWriter, Write};

use super::analysis::{self, Event};
use super::args::Format;
use super::error::CliError;
use super::settings::Settings;
use super::terminal;
use crate::engine::Update;
use crate::report::Summary;
use crate::store::Statistics;

/// Writes the report; whether every source was read to its end.
///
/// # Errors
///
/// Where nothing can be read, and where the output cannot be written.
pub fn run(settings: &Settings) -> Result<bool, CliError> {
    let mut statistics = Statistics::default();
    let outcome = analysis::run(settings, false, &mut |event| {
        match event {
            Event::Found(Update::Exchange(exchange)) => statistics.add(exchange),
            Event::Found(Update::Closed(connection)) => statistics.close(connection),
            Event::Idle => {}
        }
        Ok(())
    })?;
    let summary = Summary {
        capture: &outcome.capture,
        completeness: &outcome.completeness,
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
