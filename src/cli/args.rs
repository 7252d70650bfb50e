//! What was typed. Types and spelling only: what it means, and whether it makes sense together, is
//! decided in [`settings`](super::settings).

use std::ffi::OsString;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgAction, Args as ClapArgs, ColorChoice, Parser, Subcommand, ValueEnum};

use crate::endpoint::Ports;
use crate::store::GroupBy;

const TEMPLATE: &str = "\
{about}

Examples:
  sudo nestscope -i lo -p 8888            every call as it happens, on the loopback interface
  nestscope -r trace.pcap                 the same for a capture file, without root
  nestscope                               choose an interface or a file on the screen
  nestscope calls -r trace.pcap           the calls as lines of text
  nestscope report -r trace.pcap          latency and outcome per pattern
  nestscope -r trace.pcap -T json         one JSON object per call, for jq
  nestscope -r trace.pcap -Y 'status == error || latency > 100ms'
  ssh host sudo tcpdump -i any -U -w - port 8888 | nestscope -r -

{usage-heading} {usage}

{all-args}{after-help}
";

const AFTER: &str = "\
Options go before or after the command. Without a command it is the screen, whose keys ? tells;
where the output is no terminal, or with -T, the same as calls.

Exit codes: 0 done; 2 could not run (arguments, permission, unreadable file).
";

/// Reads NestJS microservice traffic from the network or from capture files, and shows every call
/// with its answer and its latency.
#[derive(Clone, Debug, Parser)]
#[command(version, max_term_width = 100, help_template = TEMPLATE, after_help = AFTER)]
#[command(disable_help_subcommand = true)]
pub struct Args {
    /// What to do; where nothing was typed, the screen, or `calls` where there is no terminal.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options, the same for every command.
    #[command(flatten)]
    pub options: Options,
}

impl Args {
    /// Reads the words that were typed, the program's name first. Of an option that may be given
    /// several times, clap keeps those behind the command only; here those before it count too.
    ///
    /// # Errors
    ///
    /// Where they are spelled wrong; also help and version, which end the program as well.
    pub fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let mut args = Self::try_parse_from(words)?;
        let before = (1..words.len()).find_map(|at| {
            let before = Self::try_parse_from(words.get(..at)?).ok()?;
            let behind = words.first().into_iter().chain(words.get(at + 1..)?);
            let behind = Self::try_parse_from(behind).ok()?;
            let is_command = Self::try_parse_from(words.get(..=at)?).ok()?.command.is_some();
            (is_command && behind.command.is_none()).then_some((before.options, behind.options))
        });
        if let Some((before, behind)) = before {
            args.options.interfaces = [before.interfaces, behind.interfaces].concat();
            args.options.files = [before.files, behind.files].concat();
            args.options.ports = [before.ports, behind.ports].concat();
        }
        Ok(args)
    }
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// Every call and event, as it ends
    Calls,
    /// Latency and outcome per pattern, per connection, and what the capture lacks
    Report,
    /// What can be captured on, and whether this user may
    Interfaces,
}

/// Every option. The short names are those of tcpdump and tshark.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Options {
    /// Capture on this interface; `any` for all of them. May be given several times
    #[arg(short = 'i', long = "interface", value_name = "IFACE", global = true)]
    pub interfaces: Vec<String>,

    /// Read this capture file, `-` for standard input: pcap or pcapng, also .gz and .zst. Several
    /// are merged by time
    #[arg(short = 'r', long = "read", value_name = "FILE", global = true)]
    pub files: Vec<String>,

    /// Ports of the servers: `3000`, `3000,3001`, `3000-3010`. Without it Nest is recognised by
    /// its bytes on every port
    #[arg(short = 'p', long = "port", value_name = "PORT", global = true)]
    pub ports: Vec<Ports>,

    /// Format of the output; markdown is for report [default: text]
    #[arg(short = 'T', long = "format", value_name = "FORMAT", global = true)]
    pub format: Option<Format>,

    /// For report: by what exchanges are grouped, such as `server` or `server,pattern`: pattern,
    /// server, client, connection [default: pattern]
    #[arg(long = "by", value_name = "WHAT", value_delimiter = ',', global = true)]
    pub by: Vec<By>,

    /// Capture filter in the language of tcpdump, for live capture
    #[arg(short = 'f', long = "filter", value_name = "BPF", global = true)]
    pub capture_filter: Option<String>,

    /// Only exchanges that match, such as 'status == error && latency > 10ms'; the language is in
    /// docs/FILTERS.md
    #[arg(short = 'Y', long = "display-filter", value_name = "FILTER", global = true)]
    pub display_filter: Option<String>,

    /// Save the packets to this file, as pcapng
    #[arg(short = 'w', long = "write", value_name = "FILE", global = true)]
    pub save: Option<String>,

    /// Stop after this many packets
    #[arg(
        short = 'c',
        long = "count",
        value_name = "PACKETS",
        global = true,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub packets: Option<u64>,

    /// Stop after a time: `duration:10` for ten seconds
    #[arg(short = 'a', long = "autostop", value_name = "duration:SECONDS", global = true)]
    pub autostop: Option<Autostop>,

    /// Bytes captured of each packet, for live capture [default: 262144]
    #[arg(
        short = 's',
        long = "snapshot-length",
        value_name = "BYTES",
        global = true,
        value_parser = clap::value_parser!(u32).range(0..=262_144)
    )]
    pub snap_len: Option<u32>,

    /// Buffer of the kernel in KiB, for live capture
    #[arg(
        short = 'B',
        long = "buffer-size",
        value_name = "KIB",
        global = true,
        value_parser = clap::value_parser!(u32).range(1..=1_048_576)
    )]
    pub buffer_kib: Option<u32>,

    /// Pace at which the screen plays a file: `1` for its own, `10` for ten times that, `max`
    /// [default: max]
    #[arg(long = "speed", value_name = "TIMES", global = true)]
    pub speed: Option<Speed>,

    /// Memory of the screen, such as `512M` or `4G`; what is oldest gives way [default: 512M]
    #[arg(long = "memory", value_name = "SIZE", global = true)]
    pub memory: Option<MemorySize>,

    /// Draw the screen with ASCII alone
    #[arg(long = "ascii", global = true)]
    pub ascii: bool,

    /// Show addresses, not the names that the hosts file has for them
    #[arg(short = 'n', global = true)]
    pub no_names: bool,

    /// Nothing on standard error but errors
    #[arg(short = 'q', long = "quiet", global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more on standard error; twice for more still
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count, global = true)]
    pub verbose: u8,

    /// Colours: auto is for terminals, unless NO_COLOR is set [default: auto]
    #[arg(long = "color", value_name = "WHEN", global = true, hide_default_value = true)]
    #[arg(default_value = "auto", hide_possible_values = false)]
    pub color: ColorChoice,
}

/// The format of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    Csv,
    Markdown,
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
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold() {
        Args::command().debug_assert();
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        for line in [
            "nestscope -r a.pcap -p 3000,3002-3004 report -T json",
            "nestscope report -r a.pcap -T json -p 3000,3002-3004",
        ] {
            let args = Args::try_parse_from(line.split(' ')).unwrap();
            assert!(matches!(args.command, Some(Command::Report)), "{line}");
            assert_eq!(args.options.format, Some(Format::Json), "{line}");
            assert_eq!(args.options.files, ["a.pcap"], "{line}");
            assert_eq!(args.options.ports, ["3000,3002-3004".parse().unwrap()], "{line}");
        }
    }

    #[test]
    fn what_may_be_given_several_times_counts_on_both_sides_of_the_command() {
        let read = |line: &str| {
            let words: Vec<_> = line.split(' ').map(OsString::from).collect();
            Args::read(&words).unwrap()
        };
        for line in [
            "nestscope -r a -p 1 report -r b -p 2",
            "nestscope -r a -r b -p 1 report -p 2",
            "nestscope report -r a -r b -p 1 -p 2",
            "nestscope -r a -r b -p 1 -p 2 report",
            "nestscope -r a -r b -p 1 -p 2",
        ] {
            let options = read(line).options;
            assert_eq!(options.files, ["a", "b"], "{line}");
            let ports: Vec<Ports> = vec!["1".parse().unwrap(), "2".parse().unwrap()];
            assert_eq!(options.ports, ports, "{line}");
        }
        // A value may be spelled like a command.
        let args = read("nestscope -w report -r calls report -r c");
        assert_eq!(args.options.files, ["calls", "c"]);
        assert_eq!(args.options.save.as_deref(), Some("report"));
        assert!(matches!(args.command, Some(Command::Report)));
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
        let args = Args::try_parse_from("nestscope report -r a --by server,pattern".split(' '));
        let by: Vec<_> = args.unwrap().options.by.iter().map(|by| by.0).collect();
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
