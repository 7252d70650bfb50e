//! Why the program could not do what was asked. Printed once, by [`run`](super::run); each message
//! names the thing and the next step.

use std::io;

use super::args::{Command, Format};
use crate::query::FilterError;
use crate::report::calls::FieldError;
use crate::source::SourceError;

/// Why the program could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Neither `-i` nor `-r`.
    #[error("nothing to read: neither -i nor -r was given")]
    NoInput,
    /// Both of them.
    #[error(
        "-i and -r were both given: capture live with -i, or read files with -r, one at a time"
    )]
    LiveAndFiles,
    /// `-Y` with what is no filter.
    #[error("-Y: {0}")]
    DisplayFilter(#[from] FilterError),
    /// `-f` with a file.
    #[error(
        "-f applies to live capture (-i): what a file holds was chosen when it was captured. \
         -p chooses ports of a file"
    )]
    FilterOfFile,
    /// An option of the screen with another command, or where there is no terminal.
    #[error("{option} is for the screen, which is shown on a terminal where no command is given")]
    ScreenOnly {
        /// The option.
        option: &'static str,
    },
    /// `--speed` with `-i`.
    #[error("--speed plays a file (-r): a live capture goes at its own pace")]
    SpeedOfLive,
    /// The terminal cannot be drawn on.
    #[error("cannot draw on this terminal: {0}. `nestscope calls` prints lines instead")]
    Terminal(io::Error),
    /// Another option of live capture with a file.
    #[error("{option} applies to live capture (-i), not to files")]
    LiveOnly {
        /// The option.
        option: &'static str,
    },
    /// A format that the command does not have.
    #[error(
        "{} cannot be written as {}; it can be {}",
        .command.name(),
        .format.name(),
        either(.command.formats())
    )]
    Format {
        /// The command.
        command: Command,
        /// The format.
        format: Format,
    },
    /// `-w -`, where the exchanges go too.
    #[error(
        "-w -: standard output is for the calls. Save to a file, or capture with \
         tcpdump -w - and pipe it into nestscope -r -"
    )]
    SaveToOutput,
    /// `help` with a word that is no command.
    #[error(
        "`{word}` is no command, so there is no help on it. `nestscope --help` lists the commands"
    )]
    NoHelp {
        /// What was typed.
        word: String,
    },
    /// A word behind a command that takes none.
    #[error(
        "{command} reads no file: what is `{word}`? `nestscope help {command}` lists what it takes"
    )]
    NoFileOfCommand {
        /// What was typed.
        word: String,
        /// The command.
        command: String,
    },
    /// A word that is neither a command nor a file.
    #[error(
        "`{word}` is neither a command nor a file{} `nestscope --help` lists the commands",
        .near.as_ref().map_or(".".to_owned(), |near| format!("; did you mean {near}?"))
    )]
    NoCommand {
        /// What was typed.
        word: String,
        /// The command that was perhaps meant.
        near: Option<String>,
    },
    /// An option of other commands.
    #[error(
        "{option} means nothing to {command}; it is for {}. `nestscope help {command}` lists what \
         it takes",
        .takers.join(" and ")
    )]
    NotOfCommand {
        /// The option, as it was typed.
        option: String,
        /// The command.
        command: String,
        /// The commands that take it.
        takers: Vec<String>,
    },
    /// `-e` or `-E` without `-T fields`.
    #[error("{option} is for -T fields: nestscope calls -T fields -e pattern -e latency")]
    FieldsOnly {
        /// The option.
        option: &'static str,
    },
    /// `-T fields` without `-e`.
    #[error("-T fields needs to know which: -e pattern -e latency. docs/FILTERS.md lists them")]
    NoFields,
    /// `-e` with what is no field.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// `-b` or `--overwrite` without `-w`.
    #[error("{option} is about the file that packets are saved to: name it with -w trace.pcapng")]
    SaveWithoutFile {
        /// The option.
        option: &'static str,
    },
    /// `-b` without a limit that begins the next file.
    #[error(
        "-b files:… needs to know when the next file begins: -b filesize:KB or -b duration:SECONDS"
    )]
    RingWithoutEnd,
    /// The output could not be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// Packets cannot be read, or not be saved.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The program cannot be told to end.
    #[error("cannot catch Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
}

impl CliError {
    /// Whether nobody reads the output any more, as after `| head`: no failure of ours.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// `text, json or csv`.
pub fn either(formats: &[Format]) -> String {
    let names: Vec<_> = formats.iter().map(|format| format.name()).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
