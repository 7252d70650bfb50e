//! `nestscope interfaces`: what can be captured on, and whether this user may.

use std::io::{self, BufWriter, Write};

use super::args::Format;
use super::error::CliError;
use super::settings::Output;
use super::terminal;
use crate::report::Interfaces;
use crate::source::interfaces::interfaces;

/// Lists the interfaces.
///
/// # Errors
///
/// Where the system does not tell, and where the output cannot be written.
pub fn run(output: &Output) -> Result<(), CliError> {
    let interfaces = interfaces()?;
    let interfaces = Interfaces(&interfaces);
    let mut out = BufWriter::new(io::stdout().lock());
    match output.format {
        Format::Json => interfaces.write_json(&mut out)?,
        Format::Csv => interfaces.write_csv(&mut out)?,
        Format::Text | Format::Markdown | Format::Fields => {
            interfaces.write_text(&mut out, &terminal::layout(output))?;
        }
    }
    Ok(out.flush()?)
}
