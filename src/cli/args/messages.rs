//! What is said beside the output.

use clap::{ArgAction, Args as ClapArgs, ColorChoice};

/// What is said beside the output.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Messages")]
pub struct MessageOptions {
    /// Nothing on standard error but errors
    #[arg(short = 'q', long = "quiet", conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more on standard error; twice for more still
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count)]
    pub verbose: u8,

    /// Colours: auto is for terminals, unless NO_COLOR is set [default: auto]
    #[arg(long = "color", value_name = "WHEN", hide_default_value = true, default_value = "auto")]
    pub color: ColorChoice,
}
