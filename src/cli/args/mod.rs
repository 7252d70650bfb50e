//! What was typed. Types and spelling only: what it means, and whether it makes sense together, is
//! decided in [`settings`](super::settings).
//!
//! An option stands in a group of options that belong together, and a command lists the groups that
//! mean something to it. Whoever gives no command may give every option.

mod commands;
mod messages;
mod output;
mod packets;
mod screen;

use std::ffi::OsString;

use clap::{Args as ClapArgs, CommandFactory, FromArgMatches, Parser};

pub use commands::Command;
use commands::Typed;
pub use messages::MessageOptions;
pub use output::{
    By, FieldLook, FieldOptions, FilterOptions, Format, FormatOptions, GroupingOptions,
    TimeOptions, ZoneOptions,
};
pub use packets::{Autostop, PacketOptions, SaveOptions};
pub use screen::{MemorySize, ScreenOptions, Speed};

use super::error::CliError;
use super::words::arranged;

const TEMPLATE: &str = "\
{about}

{before-help}{usage-heading} {usage}

{all-args}{after-help}
";

const USAGE: &str = "\
nestscope [OPTIONS] [FILE]...
       nestscope COMMAND [OPTIONS] [FILE]...";

const EXAMPLES: &str = "\
Examples:
  sudo nestscope -i lo -p 8888            every call as it happens, on the loopback interface
  nestscope trace.pcap                    the same for a capture file, without root
  nestscope                               choose an interface or a file on the screen
  nestscope calls trace.pcap              the calls as lines of text
  nestscope report trace-*.pcapng         latency and outcome per pattern, over several files
  nestscope trace.pcap -T json            one JSON object per call, for jq
  nestscope trace.pcap -T fields -e pattern -e latency
  nestscope trace.pcap -Y 'status == error || latency > 100ms'
  ssh host sudo tcpdump -i any -U -w - port 8888 | nestscope";

const AFTER: &str = "\
Options go before or after the command. Without a command it is the screen, whose keys ? tells;
where the output is no terminal, or with -T, the same as calls. A word that is neither an option
nor a command is a capture file, as those after -r are; ./report reads a file of that name.

Exit codes: 0 done; 2 could not run (arguments, permission, unreadable file).
";

const AFTER_SHORT: &str = "\
--help says more and shows examples; nestscope help COMMAND tells what a command takes.
";

/// What was typed: a command, and the options that it takes.
#[derive(Clone, Debug)]
pub struct Args {
    /// What to do; where nothing was typed, the screen, or `calls` where there is no terminal.
    pub command: Option<Command>,
    /// The options. Those that the command does not take are as if they were not given.
    pub options: Options,
}

/// Why there are no [`Args`].
#[derive(Debug)]
pub enum Refusal {
    /// Help or the version was asked for, or clap says what is wrong.
    Clap(clap::Error),
    /// We know better what is wrong.
    Known(CliError),
}

impl Args {
    /// Reads the words that were typed, the program's name first.
    ///
    /// # Errors
    ///
    /// Where they are spelled wrong; also help and version, which end the program as well.
    pub fn read<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Result<Self, Refusal> {
        let definition = definition();
        let words = arranged(&definition, words.into_iter().map(Into::into).collect());
        let line = definition
            .clone()
            .try_get_matches_from(&words)
            .and_then(|matches| Line::from_arg_matches(&matches))
            .map_err(|error| match super::words::explain(&definition, &words, &error) {
                Some(known) => Refusal::Known(known),
                None => Refusal::Clap(error),
            })?;
        Ok(match line.command {
            None => Self { command: None, options: line.options },
            Some(typed) => {
                let (command, options) = typed.split();
                Self { command: Some(command), options }
            }
        })
    }
}

/// The command line as clap knows it: what help, completions and the man page are made from.
pub fn definition() -> clap::Command {
    let formats = |command: clap::Command, of: Command| {
        let names = super::error::either(of.formats());
        command.mut_arg("format", |arg| {
            arg.help(format!("Format of the output: {names} [default: text]"))
        })
    };
    let line = formats(Line::command(), Command::Calls);
    [Command::Calls, Command::Report, Command::Interfaces]
        .into_iter()
        .fold(line, |line, command| {
            line.mut_subcommand(command.name(), |own| formats(own, command))
        })
}

/// Reads NestJS microservice traffic from the network or from capture files, and shows every call
/// with its answer and its latency.
#[derive(Clone, Debug, Parser)]
#[command(name = "nestscope", version, max_term_width = 100, help_template = TEMPLATE)]
#[command(override_usage = USAGE, before_long_help = EXAMPLES)]
#[command(after_help = AFTER_SHORT, after_long_help = AFTER)]
struct Line {
    #[command(subcommand)]
    command: Option<Typed>,
    #[command(flatten)]
    options: Options,
}

/// Every option, in its group. The short names are those of tcpdump and tshark.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Options {
    #[command(flatten)]
    pub packets: PacketOptions,
    #[command(flatten)]
    pub save: SaveOptions,
    #[command(flatten)]
    pub filter: FilterOptions,
    #[command(flatten)]
    pub format: FormatOptions,
    #[command(flatten)]
    pub fields: FieldOptions,
    #[command(flatten)]
    pub grouping: GroupingOptions,
    #[command(flatten)]
    pub time: TimeOptions,
    #[command(flatten)]
    pub zone: ZoneOptions,
    #[command(flatten)]
    pub screen: ScreenOptions,
    #[command(flatten)]
    pub messages: MessageOptions,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Ports;

    #[test]
    fn the_definitions_hold() {
        definition().debug_assert();
    }

    fn read(line: &str) -> Result<Args, Refusal> {
        Args::read(line.split(' '))
    }

    #[test]
    fn what_may_be_given_several_times_counts_on_both_sides_of_the_command() {
        for line in [
            "nestscope -r a -p 1 report -r b -p 2 -T json",
            "nestscope -T json -r a -r b -p 1 report -p 2",
            "nestscope report -r a b -T json -p 1 -p 2",
            "nestscope -r a b -p 1 -p 2 report -T json",
            "nestscope -p 1 report a -T json -p 2 b",
        ] {
            let Args { command, options } = read(line).unwrap();
            assert_eq!(command, Some(Command::Report), "{line}");
            assert_eq!(options.format.format, Some(Format::Json), "{line}");
            assert_eq!(options.packets.files, ["a", "b"], "{line}");
            let ports: Vec<Ports> = vec!["1".parse().unwrap(), "2".parse().unwrap()];
            assert_eq!(options.packets.ports, ports, "{line}");
        }
        // A value may be spelled like a command.
        let args = read("nestscope -w report -r calls report -r c").unwrap();
        assert_eq!(args.options.packets.files, ["calls", "c"]);
        assert_eq!(args.options.save.file.as_deref(), Some("report"));
        assert_eq!(args.command, Some(Command::Report));
    }

    #[test]
    fn a_command_takes_only_what_means_something_to_it() {
        let refused =
            |line| matches!(read(line), Err(Refusal::Known(CliError::NotOfCommand { .. })));
        assert!(refused("nestscope report -r a -t ad"));
        assert!(refused("nestscope -r a -t ad report"));
        assert!(refused("nestscope calls -r a --speed 1"));
        assert!(refused("nestscope interfaces -Y n"));
        assert!(!refused("nestscope -r a -t ad --speed 1"));
    }
}
