//! The commands, each with the groups of options that mean something to it.

use clap::{Args as ClapArgs, Subcommand};
use clap_complete::Shell;

use super::{
    FieldOptions, FilterOptions, FormatOptions, GroupingOptions, MessageOptions, Options,
    PacketOptions, SaveOptions, TimeOptions, ZoneOptions,
};

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Every call and event, as it ends.
    Calls,
    /// The capture as a whole.
    Report,
    /// What can be captured on.
    Interfaces,
    /// What a shell needs to complete the command line.
    Completions(Shell),
    /// The manual page.
    Man,
}

/// A command with the options that mean something to it.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Typed {
    /// Every call and event, as it ends
    #[command(override_usage = "nestscope calls [OPTIONS] [FILE]...")]
    Calls(CallsArgs),
    /// Latency and outcome per pattern, per connection, and what the capture lacks
    #[command(override_usage = "nestscope report [OPTIONS] [FILE]...")]
    Report(ReportArgs),
    /// What can be captured on, and whether this user may
    Interfaces(InterfacesArgs),
    /// What a shell needs to complete the command line, for its folder of completions
    ///
    /// For bash:
    /// nestscope completions bash > ~/.local/share/bash-completion/completions/nestscope
    Completions {
        /// The shell
        shell: Shell,
    },
    /// The manual page, in roff
    ///
    /// To read it: nestscope man | man -l -
    Man,
}

#[derive(Clone, Debug, ClapArgs)]
pub(super) struct CallsArgs {
    #[command(flatten)]
    packets: PacketOptions,
    #[command(flatten)]
    save: SaveOptions,
    #[command(flatten)]
    filter: FilterOptions,
    #[command(flatten)]
    format: FormatOptions,
    #[command(flatten)]
    fields: FieldOptions,
    #[command(flatten)]
    time: TimeOptions,
    #[command(flatten)]
    zone: ZoneOptions,
    #[command(flatten)]
    messages: MessageOptions,
}

#[derive(Clone, Debug, ClapArgs)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    packets: PacketOptions,
    #[command(flatten)]
    save: SaveOptions,
    #[command(flatten)]
    filter: FilterOptions,
    #[command(flatten)]
    format: FormatOptions,
    #[command(flatten)]
    grouping: GroupingOptions,
    #[command(flatten)]
    zone: ZoneOptions,
    #[command(flatten)]
    messages: MessageOptions,
}

#[derive(Clone, Debug, ClapArgs)]
pub(super) struct InterfacesArgs {
    #[command(flatten)]
    format: FormatOptions,
    #[command(flatten)]
    messages: MessageOptions,
}

impl Typed {
    /// The command, and the options that were given to it.
    pub(super) fn split(self) -> (Command, Options) {
        let none = Options::default();
        match self {
            Self::Calls(CallsArgs {
                packets,
                save,
                filter,
                format,
                fields,
                time,
                zone,
                messages,
            }) => {
                let options =
                    Options { packets, save, filter, format, fields, time, zone, messages, ..none };
                (Command::Calls, options)
            }
            Self::Report(ReportArgs {
                packets,
                save,
                filter,
                format,
                grouping,
                zone,
                messages,
            }) => {
                let options =
                    Options { packets, save, filter, format, grouping, zone, messages, ..none };
                (Command::Report, options)
            }
            Self::Interfaces(InterfacesArgs { format, messages }) => {
                (Command::Interfaces, Options { format, messages, ..none })
            }
            Self::Completions { shell } => (Command::Completions(shell), none),
            Self::Man => (Command::Man, none),
        }
    }
}
