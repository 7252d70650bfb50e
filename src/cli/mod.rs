//! What was typed, what it means, one file per command; the wiring, the threads, the only clock.
//!
//! ```text
//!  argv ──► args ──► settings ──┬──► calls ───┬──► analysis: source ──► engine ──► report
//!                               ├──► report ──┘
//!                               ├──► screen: reader thread ──► engine ──► store ──► tui
//!                               └──► interfaces, completions, man
//! ```

mod analysis;
mod args;
mod calls;
mod error;
mod generate;
mod interfaces;
mod progress;
mod report;
mod screen;
mod settings;
mod terminal;
mod words;

use std::io::{self, Write};
use std::process::ExitCode;

use args::{Args, Refusal};
use clap::ColorChoice;
use error::CliError;
use settings::{Plan, Task};

/// The program could not run.
const FAILED: u8 = 2;

/// What is shown to who typed neither `-i` nor `-r`.
const HINT: &str = "
  sudo nestscope -i lo -p 8888     every call as it happens, on the loopback interface
  nestscope trace.pcap             the same for a capture file, without root
  … | nestscope                    what is piped in
";

/// Runs the program: the one place that prints errors and knows exit codes.
pub fn run() -> ExitCode {
    let args = match Args::read(std::env::args_os()) {
        Ok(args) => args,
        Err(Refusal::Clap(refusal)) => return refuse(&refusal),
        Err(Refusal::Known(error)) => {
            terminal::complain(ColorChoice::Auto, "error", &error);
            return ExitCode::from(FAILED);
        }
    };
    let color = args.options.messages.color;
    match Plan::new(args, terminal::streams()).and_then(|plan| execute(&plan)) {
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
        Plan::Completions(shell) => generate::completions(*shell).map(|()| true),
        Plan::Man => generate::man().map(|()| true),
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
    // Help that nobody reads, as after `| head`, is no failure.
    let _ = refusal.print();
    ExitCode::from(if refusal.use_stderr() { FAILED } else { 0 })
}

/// Shows how the program is usually called.
fn hint() {
    let mut stderr = io::stderr().lock();
    // Where standard error is closed nobody wants to know.
    let _ = write!(stderr, "{HINT}");
    let _ = writeln!(stderr, "\nnestscope --help shows the rest.");
}
