//! What was typed. Types and spelling only: what it means, and whether it makes sense together, is
//! decided in [`settings`](super::settings).
//!
//! An option stands in a group of options that belong together, and a command lists the groups that
//! mean something to it. Whoever gives no command may give every option.

use std::ffi::OsString;
use std::str::FromStr;
use std::time::Duration;

use clap::{
    ArgAction, Args as ClapArgs, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand,
    ValueEnum,
};
use clap_complete::Shell;

use super::error::CliError;
use super::words::arranged;
use crate::endpoint::Ports;
use crate::report::TimeFormat;
use crate::source::RingLimit;
use crate::store::GroupBy;

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
enum Typed {
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
struct CallsArgs {
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
struct ReportArgs {
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
struct InterfacesArgs {
    #[command(flatten)]
    format: FormatOptions,
    #[command(flatten)]
    messages: MessageOptions,
}

impl Typed {
    /// The command, and the options that were given to it.
    fn split(self) -> (Command, Options) {
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

/// Which packets are read.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Packets")]
pub struct PacketOptions {
    /// Capture on this interface; `any` for all of them
    ///
    /// May be given several times.
    #[arg(short = 'i', long = "interface", value_name = "IFACE")]
    pub interfaces: Vec<String>,

    /// Read these capture files, `-` for standard input
    ///
    /// They are pcap or pcapng, also .gz and .zst; several are merged by time. Words that follow are files too, up to an option or a command. Where
    /// neither a file nor an interface is named, what is piped in is read.
    #[arg(short = 'r', long = "read", value_name = "FILE")]
    pub files: Vec<String>,

    /// Ports of the servers: `3000`, `3000,3001`, `3000-3010`
    ///
    /// Only their packets count, and the end with this port is the server. Without it Nest is recognised by its bytes on every port.
    #[arg(short = 'p', long = "port", value_name = "PORT")]
    pub ports: Vec<Ports>,

    /// Capture filter in the language of tcpdump, for live capture
    #[arg(short = 'f', long = "filter", value_name = "BPF")]
    pub capture_filter: Option<String>,

    /// Stop after this many packets
    #[arg(short = 'c', long = "count", value_name = "PACKETS")]
    #[arg(value_parser = packets)]
    pub count: Option<u64>,

    /// Stop after a time: `duration:10` for ten seconds
    #[arg(short = 'a', long = "autostop", value_name = "duration:SECONDS")]
    pub autostop: Option<Autostop>,

    /// Bytes captured of each packet, for live capture [default: 262144]
    #[arg(short = 's', long = "snapshot-length", value_name = "BYTES")]
    #[arg(value_parser = snap_len)]
    pub snap_len: Option<u32>,

    /// Buffer of the kernel in KiB, for live capture
    #[arg(short = 'B', long = "buffer-size", value_name = "KIB")]
    #[arg(value_parser = buffer_kib)]
    pub buffer_kib: Option<u32>,

    /// Let tunnels through the filter made from -p: VXLAN, Geneve, GRE, IP in IP
    ///
    /// Let tunnels through the capture filter that is made from -p (VXLAN, Geneve, GRE, IP in IP, 6in4,
    /// MPLS, PPPoE). The kernel cannot look for a port inside of them, so each of their packets and each
    /// fragment of UDP is captured. In files they are always opened.
    #[arg(long = "tunnels")]
    pub tunnels: bool,
}

/// Where packets are saved.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Packets")]
pub struct SaveOptions {
    /// Save the packets to this file, as pcapng
    #[arg(short = 'w', long = "write", value_name = "FILE")]
    pub file: Option<String>,

    /// Save to a ring of files: `filesize:KB`, `duration:SECONDS`, `files:NUMBER`
    ///
    /// The next file begins after `filesize:KB` (of 1000 bytes) or
    /// `duration:SECONDS`; with `files:NUMBER` the oldest gives way. May be given several times, or
    /// joined by commas. `-w trace.pcapng` then names trace_00001_20261125160000.pcapng and so on.
    /// No file that is there is written over.
    #[arg(short = 'b', long = "ring-buffer", value_name = "LIMIT", value_delimiter = ',')]
    pub ring: Vec<RingLimit>,

    /// Let -w replace a file that is there already
    #[arg(long = "overwrite", conflicts_with = "ring")]
    pub overwrite: bool,
}

/// Which exchanges are shown.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct FilterOptions {
    /// Only exchanges that match, such as 'status == error && latency > 10ms'
    ///
    /// The language is in docs/FILTERS.md.
    #[arg(short = 'Y', long = "display-filter", value_name = "FILTER")]
    pub display_filter: Option<String>,
}

/// In which format they are shown.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct FormatOptions {
    // Its help names the formats of the command: see `definition`.
    #[arg(short = 'T', long = "format", value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<Format>,
}

/// Which fields of an exchange are shown.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct FieldOptions {
    /// A field of -T fields, such as `pattern`, `latency_ns` or `data.user.id`
    ///
    /// They stand in the order in which they are given, separated by tabs. Each is a key of the
    /// JSON output, such as `pattern` or `latency_ns`, or a field of a filter, such as `latency` (in
    /// seconds), `client.port` or `data.user.id`.
    #[arg(short = 'e', long = "field", value_name = "FIELD", value_delimiter = ',')]
    pub fields: Vec<String>,

    /// How -T fields looks: `header=y`, `separator=,`
    ///
    /// `header=y` is for the names above the values, `separator=,` for another
    /// character between them (`/t` is a tab, `/s` a space).
    #[arg(short = 'E', long = "field-option", value_name = "OPTION=VALUE")]
    pub looks: Vec<FieldLook>,
}

/// By what a report groups.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct GroupingOptions {
    /// Group by these, such as `server` or `server,pattern` [default: pattern]
    ///
    /// Group by these: pattern, server, client, connection; several give a row for each combination
    /// [default: pattern].
    #[arg(long = "by", value_name = "WHAT", value_delimiter = ',')]
    pub by: Vec<By>,
}

/// How points in time are told.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct TimeOptions {
    /// How times are told: a, ad, d, e, r, u, ud, as tshark has them
    ///
    /// For text, csv and fields: `a` time of day, `ad` with the date, `d` seconds
    /// since the line before, `e` seconds since 1970, `r` seconds since the first packet, `u` and
    /// `ud` as `a` and `ad` in UTC. JSON tells UTC always.
    #[arg(short = 't', long = "time", value_name = "FORMAT")]
    pub time: Option<TimeFormat>,
}

/// In which zone points in time are told.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct ZoneOptions {
    /// Tell times in UTC, not in the zone of this machine
    #[arg(long = "utc")]
    pub utc: bool,
}

/// How the screen looks and what it may use.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Screen")]
pub struct ScreenOptions {
    /// Pace at which a file is played: `1` for its own, `10`, `max` [default: max]
    ///
    /// `10` is ten times its own pace, `max` as fast as it can be read.
    #[arg(long = "speed", value_name = "TIMES")]
    pub speed: Option<Speed>,

    /// Memory, such as `512M` or `4G`; what is oldest gives way [default: 512M]
    #[arg(long = "memory", value_name = "SIZE")]
    pub memory: Option<MemorySize>,

    /// Draw with ASCII alone
    #[arg(long = "ascii")]
    pub ascii: bool,

    /// Show addresses, not the names that the hosts file has for them
    #[arg(short = 'n', long = "no-names")]
    pub no_names: bool,
}

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

/// The format of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    Csv,
    Markdown,
    Fields,
}

/// How the lines of `-T fields` look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldLook {
    /// Whether the names of the fields stand above them.
    Header(bool),
    /// What stands between two values.
    Separator(char),
}

fn packets(text: &str) -> Result<u64, &'static str> {
    text.parse().ok().filter(|&packets| packets > 0).ok_or("a number of packets, 1 or more")
}

fn snap_len(text: &str) -> Result<u32, &'static str> {
    let bytes = text.parse().ok().filter(|&bytes| bytes <= 262_144);
    bytes.ok_or("a number of bytes up to 262144; 0 stands for that")
}

fn buffer_kib(text: &str) -> Result<u32, &'static str> {
    let kib = text.parse().ok().filter(|kib| (1..=1_048_576).contains(kib));
    kib.ok_or("a number of KiB from 1 to 1048576, which is 1 GiB")
}

impl FromStr for FieldLook {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("header", "y")) => Ok(Self::Header(true)),
            Some(("header", "n")) => Ok(Self::Header(false)),
            Some(("separator", "/t")) => Ok(Self::Separator('\t')),
            Some(("separator", "/s")) => Ok(Self::Separator(' ')),
            Some(("separator", one)) if one.chars().count() == 1 => {
                Ok(Self::Separator(one.chars().next().unwrap_or('\t')))
            }
            _ => Err("header=y, header=n and separator= with one character are known".to_owned()),
        }
    }
}

/// By what exchanges are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct By(pub GroupBy);

impl FromStr for By {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [GroupBy::Pattern, GroupBy::Server, GroupBy::Client, GroupBy::Connection];
        if let Some(by) = all.into_iter().find(|by| by.name() == text) {
            return Ok(Self(by));
        }
        Err(match text {
            "service" | "instance" => {
                "nothing tells the names of services yet; `server` groups by address and port"
            }
            _ => "exchanges are grouped by pattern, server, client or connection",
        }
        .to_owned())
    }
}

/// When to stop by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Autostop(pub Duration);

impl FromStr for Autostop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text.strip_prefix("duration:").and_then(|text| text.parse().ok());
        if seconds == Some(0.0) {
            return Err("a run of no time sees nothing; give more than 0 seconds".to_owned());
        }
        seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .filter(|duration| !duration.is_zero())
            .map(Self)
            .ok_or_else(|| "only duration:SECONDS is known, such as duration:10".to_owned())
    }
}

/// How fast a file is played: a multiple of its own pace; `None` for as fast as it can be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed(pub Option<f64>);

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self(None));
        }
        let times = text.strip_suffix('x').unwrap_or(text).parse().ok();
        times
            .filter(|times: &f64| (1e-3..=1e6).contains(times))
            .map(|times| Self(Some(times)))
            .ok_or_else(|| "a pace such as 1, 10 or 0.5, or max".to_owned())
    }
}

/// Bytes of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySize(pub usize);

impl FromStr for MemorySize {
    type Err = String;

    /// Reads `512M`, `4G`; a number alone is of megabytes.
    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.to_ascii_uppercase();
        let text = upper.trim_end_matches("IB").trim_end_matches('B');
        let (digits, shift) = match text.strip_suffix(['K', 'M', 'G']) {
            Some(digits) if text.ends_with('K') => (digits, 10),
            Some(digits) if text.ends_with('G') => (digits, 30),
            Some(digits) => (digits, 20),
            None => (text, 20),
        };
        let bytes = digits.parse().ok().and_then(|number: usize| number.checked_mul(1 << shift));
        bytes
            .filter(|bytes| *bytes >= MEMORY_AT_LEAST)
            .map(Self)
            .ok_or_else(|| "a size of at least 16M, such as 512M or 4G".to_owned())
    }
}

/// With less the screen would forget a call before anybody could look at it.
const MEMORY_AT_LEAST: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn paces_and_sizes_are_read() {
        assert_eq!("max".parse(), Ok(Speed(None)));
        assert_eq!("10".parse(), Ok(Speed(Some(10.0))));
        assert_eq!("0.5x".parse(), Ok(Speed(Some(0.5))));
        for text in ["", "0", "-1", "fast", "NaN", "inf"] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
        for (text, bytes) in
            [("512M", 512 << 20), ("64", 64 << 20), ("2g", 2 << 30), ("65536KiB", 64 << 20)]
        {
            assert_eq!(text.parse(), Ok(MemorySize(bytes)), "{text}");
        }
        for text in ["", "1M", "-5G", "99999999999999G", "lots"] {
            assert!(text.parse::<MemorySize>().is_err(), "{text}");
        }
    }

    #[test]
    fn exchanges_are_grouped_by_what_is_known() {
        let words = "nestscope report -r a --by server,pattern".split(' ');
        let by = Args::read(words).unwrap().options.grouping.by;
        let by: Vec<_> = by.iter().map(|by| by.0).collect();
        assert_eq!(by, [GroupBy::Server, GroupBy::Pattern]);
        for (text, said) in [("service", "names of services"), ("ports", "pattern, server, client")]
        {
            assert!(text.parse::<By>().unwrap_err().contains(said), "{text}");
        }
    }

    #[test]
    fn a_run_can_end_by_time() {
        assert_eq!("duration:10".parse(), Ok(Autostop(Duration::from_secs(10))));
        assert_eq!("duration:0.5".parse(), Ok(Autostop(Duration::from_millis(500))));
        for text in ["10", "duration:", "duration:-1", "duration:0", "duration:NaN", "filesize:10"]
        {
            assert!(text.parse::<Autostop>().is_err(), "{text}");
        }
    }
}
