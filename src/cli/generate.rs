//! `nestscope completions` and `nestscope man`: made from the definitions that arguments are read
//! by.

use std::io::{self, Write};

use clap_complete::Shell;
use clap_mangen::Man;

use super::args::definition;
use super::error::CliError;

/// Writes what `shell` needs to complete the command line.
///
/// # Errors
///
/// Where the output cannot be written.
pub fn completions(shell: Shell) -> Result<(), CliError> {
    // Generated into memory: clap_complete panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definition(), "nestscope", &mut script);
    Ok(io::stdout().lock().write_all(&script)?)
}

/// Writes the manual page, in roff.
///
/// # Errors
///
/// Where the output cannot be written.
pub fn man() -> Result<(), CliError> {
    let mut page = Vec::new();
    Man::new(definition()).render(&mut page)?;
    Ok(io::stdout().lock().write_all(&page)?)
}
