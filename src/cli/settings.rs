//! What the arguments mean. A value of [`Settings`] can be acted on; arguments that make no sense
//! together do not become one.

use std::time::Duration;

use clap::ColorChoice;

use super::args::{Args, Autostop, Command, Format, Options};
use super::error::CliError;
use crate::endpoint::Ports;
use crate::query::Filter;

/// What to do.
#[derive(Clone, Debug)]
pub enum Plan {
    /// List the interfaces.
    Interfaces(Output),
    /// Analyse packets.
    Analyse(Settings),
}

/// An analysis, as it was asked for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is to be told.
    pub task: Task,
    /// Where they come from.
    pub input: Input,
    /// The ports of the servers; none where Nest is to be recognised by its bytes.
    pub ports: Ports,
    /// What exchanges must be like to be told; `None` for all of them.
    pub filter: Option<Filter>,
    /// Where the packets are saved.
    pub save: Option<String>,
    /// Packets after which the run ends.
    pub packets: Option<u64>,
    /// Time after which it ends.
    pub duration: Option<Duration>,
    /// How the output looks.
    pub output: Output,
}

/// What is told of the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Every exchange, as it ends.
    Calls,
    /// The capture as a whole.
    Report,
}

/// Where packets come from.
#[derive(Clone, Debug)]
pub enum Input {
    /// Capture files, merged by time; `-` is standard input.
    Files(Vec<String>),
    /// Interfaces.
    Live(Live),
}

/// A live capture.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The interfaces.
    pub interfaces: Vec<String>,
    /// What the user wants of their packets, in the language of tcpdump.
    pub filter: Option<String>,
    /// Bytes captured of each packet; `None` for as many as there are.
    pub snap_len: Option<u32>,
    /// Buffer of the kernel in KiB.
    pub buffer_kib: Option<u32>,
}

/// How the output looks.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Its format.
    pub format: Format,
    /// Whether it is coloured.
    pub color: ColorChoice,
    /// Whether standard error is for errors only.
    pub quiet: bool,
    /// How much more is said on standard error.
    pub verbose: u8,
}

impl Plan {
    /// What `args` mean.
    ///
    /// # Errors
    ///
    /// Where they make no sense together.
    pub fn new(args: Args) -> Result<Self, CliError> {
        let command = args.command.unwrap_or(Command::Calls);
        let options = args.options;
        let output = Output::new(command, &options)?;
        let task = match command {
            Command::Interfaces if options.display_filter.is_some() => {
                return Err(CliError::NoExchanges { command });
            }
            Command::Interfaces => return Ok(Self::Interfaces(output)),
            Command::Calls => Task::Calls,
            Command::Report => Task::Report,
        };
        Settings::new(task, output, options).map(Self::Analyse)
    }
}

impl Settings {
    fn new(task: Task, output: Output, options: Options) -> Result<Self, CliError> {
        let filter = options.display_filter.as_deref().map(Filter::parse).transpose()?;
        if options.save.as_deref() == Some("-") {
            return Err(CliError::SaveToOutput);
        }
        let mut ports = Ports::default();
        options.ports.iter().cloned().for_each(|more| ports.extend(more));
        Ok(Self {
            task,
            ports,
            save: options.save.clone(),
            packets: options.packets,
            duration: options.autostop.map(|Autostop(duration)| duration),
            output,
            filter: filter.filter(|filter| !filter.is_empty()),
            input: Input::new(options)?,
        })
    }

    /// Whether somebody may be waiting for each line.
    pub const fn is_live(&self) -> bool {
        matches!(self.input, Input::Live(_))
    }
}

impl Input {
    fn new(options: Options) -> Result<Self, CliError> {
        let Options { interfaces, files, capture_filter, snap_len, buffer_kib, .. } = options;
        match (interfaces.is_empty(), files.is_empty()) {
            (true, true) => Err(CliError::NoInput),
            (false, false) => Err(CliError::LiveAndFiles),
            (false, true) => Ok(Self::Live(Live {
                interfaces,
                filter: capture_filter,
                // tcpdump's way of saying: all of it.
                snap_len: snap_len.filter(|&bytes| bytes > 0),
                buffer_kib,
            })),
            (true, false) => {
                if capture_filter.is_some() {
                    return Err(CliError::FilterOfFile);
                }
                let live_only = [("-s", snap_len.is_some()), ("-B", buffer_kib.is_some())];
                match live_only.into_iter().find(|&(_, given)| given) {
                    Some((option, _)) => Err(CliError::LiveOnly { option }),
                    None => Ok(Self::Files(files)),
                }
            }
        }
    }
}

impl Output {
    fn new(command: Command, options: &Options) -> Result<Self, CliError> {
        let format = options.format.unwrap_or(Format::Text);
        if !command.formats().contains(&format) {
            return Err(CliError::Format { command, format });
        }
        Ok(Self { format, color: options.color, quiet: options.quiet, verbose: options.verbose })
    }
}

impl Command {
    /// Its name, as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Report => "report",
            Self::Interfaces => "interfaces",
        }
    }

    /// The formats in which it can tell.
    pub const fn formats(self) -> &'static [Format] {
        match self {
            Self::Calls => &[Format::Text, Format::Json, Format::Csv],
            Self::Report => &[Format::Text, Format::Json, Format::Csv, Format::Markdown],
            Self::Interfaces => &[Format::Text, Format::Json, Format::Csv],
        }
    }
}

impl Format {
    /// Its name, as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn settings(line: &str) -> Result<Settings, CliError> {
        match Plan::new(Args::try_parse_from(line.split(' ')).unwrap())? {
            Plan::Analyse(settings) => Ok(settings),
            Plan::Interfaces(_) => panic!("{line}"),
        }
    }

    #[test]
    fn no_command_shows_the_calls() {
        let settings = settings("nestscope -r a.pcap -r - -p 3000 -p 3001-3002,8888").unwrap();
        assert_eq!(settings.task, Task::Calls);
        assert!(matches!(&settings.input, Input::Files(files) if files == &["a.pcap", "-"]));
        assert_eq!(settings.output.format, Format::Text);
        let mut ports: Ports = "3000".parse().unwrap();
        ports.extend("3001-3002,8888".parse().unwrap());
        assert_eq!(settings.ports, ports);
    }

    #[test]
    fn a_filter_is_read_and_an_empty_one_is_none() {
        let with = |filter: &str| {
            let args = ["nestscope", "report", "-r", "a", "-Y", filter];
            let plan = Plan::new(Args::try_parse_from(args).unwrap())?;
            let Plan::Analyse(settings) = plan else { panic!("{filter}") };
            Ok::<_, CliError>(settings.filter.map(|filter| filter.to_string()))
        };
        assert_eq!(with(" n == 1 ").unwrap().as_deref(), Some("n == 1"));
        assert_eq!(with(" ").unwrap(), None);
        assert!(matches!(with("sum"), Err(CliError::DisplayFilter(_))));
    }

    #[test]
    fn a_live_run_has_its_limits() {
        let line = "nestscope -i lo -i eth0 -f tcp -s 0 -B 4096 -c 7 -a duration:2";
        let settings = settings(line).unwrap();
        assert!(settings.is_live());
        assert_eq!(settings.packets, Some(7));
        assert_eq!(settings.duration, Some(Duration::from_secs(2)));
        let Input::Live(live) = settings.input else {
            panic!("{line}");
        };
        assert_eq!(live.interfaces, ["lo", "eth0"]);
        assert_eq!(live.filter.as_deref(), Some("tcp"));
        assert_eq!(live.snap_len, None);
        assert_eq!(live.buffer_kib, Some(4_096));
    }
}
