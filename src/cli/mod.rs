//! What was typed, what it means, one file per command; the wiring, the threads, the only clock.
//!
//! ```text
//!  argv ──► args ──► settings ──┬──► calls ───┬──► analysis: source ──► engine ──► report
//!                               ├──► report ──┘
//!                               ├──► screen: reader thread ──► engine ──► store ──► tui
//!                               └──► interfaces
//! ```

mod analysis;
mod args;
mod calls;
mod error;
mod interfaces;
mod progress;
mod report;
mod screen;
mod settings;
mod terminal;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::ColorChoice;
use clap::error::{ContextKind, ContextValue};

use args::Args;
use error::CliError;
use settings::{Plan, Task};

/// The program could not run.
const FAILED: u8 = 2;

/// What is shown to who typed neither `-i` nor `-r`.
const HINT: &str = "
  sudo nestscope -i lo -p 8888     every call as it happens, on the loopback interface
  nestscope -r trace.pcap          the same for a capture file, without root
";

/// Runs the program: the one place that prints errors and knows exit codes.
pub fn run() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let args = match Args::read(&words) {
        Ok(args) => args,
        Err(refusal) => return refuse(&refusal),
    };
    let color = args.options.color;
    match Plan::new(args, terminal::is_interactive()).and_then(|plan| execute(&plan)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(color, "error", &error);
            if matches!(error, CliError::NoInput) {
                hint();
            }
            ExitCode::from(FAILED)
        }
    }
}

/// Does what was asked; whether every source was read to its end.
fn execute(plan: &Plan) -> Result<bool, CliError> {
    match plan {
        Plan::Interfaces(output) => interfaces::run(output).map(|()| true),
        Plan::Analyse(settings) => match settings.task {
            Task::Screen => screen::run(settings),
            Task::Calls => calls::run(settings),
            Task::Report => report::run(settings),
        },
    }
}

/// Prints help, the version, or what clap finds wrong with the arguments.
fn refuse(refusal: &clap::Error) -> ExitCode {
    let word =
        [ContextKind::InvalidSubcommand, ContextKind::InvalidArg].into_iter().find_map(|kind| {
            match refusal.get(kind) {
                Some(ContextValue::String(word)) => Some(word),
                _ => None,
            }
        });
    if let Some(file) = word.filter(|word| is_capture(word)) {
        let file = file.clone();
        terminal::complain(ColorChoice::Auto, "error", &CliError::FileWithoutOption { file });
        return ExitCode::from(FAILED);
    }
    // Help that nobody reads, as after `| head`, is no failure.
    let _ = refusal.print();
    ExitCode::from(if refusal.use_stderr() { FAILED } else { 0 })
}

/// Whether `word` looks like a capture file that was typed without `-r`.
fn is_capture(word: &str) -> bool {
    let extension = Path::new(word).extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("pcap" | "pcapng" | "cap" | "gz" | "zst")) || Path::new(word).is_file()
}

/// Shows how the program is usually called.
fn hint() {
    let mut stderr = io::stderr().lock();
    // Where standard error is closed nobody wants to know.
    let _ = write!(stderr, "{HINT}");
    if terminal::has_piped_input() {
        let _ = writeln!(stderr, "  … | nestscope -r -               what is piped in");
    }
    let _ = writeln!(stderr, "\nnestscope --help shows the rest.");
}
