//! The `nestscope` program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    nestscope::cli::run()
}
