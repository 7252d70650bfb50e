//! What the arguments mean. A value of [`Settings`] can be acted on; arguments that make no sense
//! together do not become one.

use std::time::Duration;

use clap::ColorChoice;

use super::args::{Args, Autostop, By, Command, Format, MemorySize, Options, Speed};
use super::error::CliError;
use crate::endpoint::Ports;
use crate::limits;
use crate::query::Filter;
use crate::store::GroupBy;

/// What to do.
#[derive(Clone, Debug)]
pub enum Plan {
    /// List the interfaces.
    Interfaces(Output),
    /// Analyse packets.
    Analyse(Box<Settings>),
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
    /// By what exchanges are grouped in a report; nothing where each part has its own table.
    pub by: Vec<GroupBy>,
    /// Where the packets are saved.
    pub save: Option<String>,
    /// Packets after which the run ends.
    pub packets: Option<u64>,
    /// Time after which it ends.
    pub duration: Option<Duration>,
    /// How the output looks.
    pub output: Output,
    /// What only the screen needs.
    pub screen: Screen,
}

/// How the screen looks and what it may use.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// How many times its own pace a file is played; `None` for as fast as it can be read.
    pub speed: Option<f64>,
    /// Bytes of memory for what it remembers.
    pub memory: usize,
    /// Whether it is drawn with ASCII alone.
    pub ascii: bool,
    /// Whether hosts are shown by their addresses, though they have names.
    pub no_names: bool,
}

/// What is told of the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Everything, on the screen.
    Screen,
    /// Every exchange, as it ends.
    Calls,
    /// The capture as a whole.
    Report,
}

/// Where packets come from.
#[derive(Clone, Debug)]
pub enum Input {
    /// Nothing was named: the screen offers what there is. An interface is captured on so.
    Choice(Live),
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
    /// What `args` mean. `interactive` says whether there is a terminal to draw a screen on.
    ///
    /// # Errors
    ///
    /// Where they make no sense together.
    pub fn new(args: Args, interactive: bool) -> Result<Self, CliError> {
        let options = args.options;
        let output = Output::new(args.command.unwrap_or(Command::Calls), &options)?;
        let task = match args.command {
            Some(command @ Command::Interfaces) if options.display_filter.is_some() => {
                return Err(CliError::NoExchanges { command });
            }
            Some(Command::Interfaces) => return Ok(Self::Interfaces(output)),
            Some(Command::Report) => Task::Report,
            Some(Command::Calls) => Task::Calls,
            // Who asks for a format wants lines.
            None if interactive && options.format.is_none() => Task::Screen,
            None => Task::Calls,
        };
        Settings::new(task, output, options).map(Box::new).map(Self::Analyse)
    }
}

impl Settings {
    fn new(task: Task, output: Output, options: Options) -> Result<Self, CliError> {
        let filter = options.display_filter.as_deref().map(Filter::parse).transpose()?;
        if options.save.as_deref() == Some("-") {
            return Err(CliError::SaveToOutput);
        }
        if task != Task::Report && !options.by.is_empty() {
            return Err(CliError::ReportOnly { option: "--by" });
        }
        let mut by: Vec<GroupBy> = Vec::new();
        for By(asked) in &options.by {
            if !by.contains(asked) {
                by.push(*asked);
            }
        }
        let screen = Screen::new(task, &options)?;
        let mut ports = Ports::default();
        options.ports.iter().cloned().for_each(|more| ports.extend(more));
        Ok(Self {
            task,
            ports,
            // What a report does anyway.
            by: if by == [GroupBy::Pattern] { Vec::new() } else { by },
            save: options.save.clone(),
            packets: options.packets,
            duration: options.autostop.map(|Autostop(duration)| duration),
            output,
            screen,
            filter: filter.filter(|filter| !filter.is_empty()),
            input: Input::new(task, options)?,
        })
    }

    /// Whether somebody may be waiting for each line.
    pub const fn is_live(&self) -> bool {
        matches!(self.input, Input::Live(_))
    }
}

impl Screen {
    fn new(task: Task, options: &Options) -> Result<Self, CliError> {
        let live = !options.interfaces.is_empty();
        if live && options.speed.is_some() {
            return Err(CliError::SpeedOfLive);
        }
        let only_here =
            [("--speed", options.speed.is_some()), ("--memory", options.memory.is_some())];
        match only_here.into_iter().find(|&(_, given)| given && task != Task::Screen) {
            Some((option, _)) => Err(CliError::ScreenOnly { option }),
            None => Ok(Self {
                speed: options.speed.and_then(|Speed(times)| times),
                memory: options.memory.map_or(limits::MEMORY, |MemorySize(bytes)| bytes),
                ascii: options.ascii,
                no_names: options.no_names,
            }),
        }
    }
}

impl Input {
    fn new(task: Task, options: Options) -> Result<Self, CliError> {
        let Options { interfaces, files, capture_filter, snap_len, buffer_kib, .. } = options;
        let live_only = [("-s", snap_len.is_some()), ("-B", buffer_kib.is_some())];
        let is_filtered = capture_filter.is_some();
        let from_files = interfaces.is_empty();
        let live = Live {
            interfaces,
            filter: capture_filter,
            // tcpdump's way of saying: all of it.
            snap_len: snap_len.filter(|&bytes| bytes > 0),
            buffer_kib,
        };
        match (from_files, files.is_empty()) {
            (true, true) if task == Task::Screen => Ok(Self::Choice(live)),
            (true, true) => Err(CliError::NoInput),
            (false, false) => Err(CliError::LiveAndFiles),
            (false, true) => Ok(Self::Live(live)),
            (true, false) => {
                if is_filtered {
                    return Err(CliError::FilterOfFile);
                }
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
        plan(line, false)
    }

    fn plan(line: &str, interactive: bool) -> Result<Settings, CliError> {
        match Plan::new(Args::try_parse_from(line.split(' ')).unwrap(), interactive)? {
            Plan::Analyse(settings) => Ok(*settings),
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
    fn a_terminal_gets_the_screen_unless_lines_were_asked_for() {
        let task = |line| plan(line, true).unwrap().task;
        assert_eq!(task("nestscope -r a.pcap"), Task::Screen);
        assert_eq!(task("nestscope -i lo -p 8888 --memory 64M"), Task::Screen);
        assert_eq!(task("nestscope -r a.pcap -T json"), Task::Calls);
        assert_eq!(task("nestscope calls -r a.pcap"), Task::Calls);
        assert_eq!(task("nestscope report -r a.pcap"), Task::Report);
        let chosen = plan("nestscope -f udp -s 96", true).unwrap().input;
        let Input::Choice(live) = chosen else { panic!("{chosen:?}") };
        assert_eq!((live.filter.as_deref(), live.snap_len), (Some("udp"), Some(96)));
        assert!(matches!(plan("nestscope", false), Err(CliError::NoInput)));
        let refused = plan("nestscope calls -r a.pcap --speed 1", true);
        assert!(matches!(refused, Err(CliError::ScreenOnly { option: "--speed" })));
        assert!(matches!(plan("nestscope -i lo --speed 1", true), Err(CliError::SpeedOfLive)));
        let refused = plan("nestscope calls -r a.pcap --by server", true);
        assert!(matches!(refused, Err(CliError::ReportOnly { option: "--by" })));
    }

    #[test]
    fn a_filter_is_read_and_an_empty_one_is_none() {
        let with = |filter: &str| {
            let args = ["nestscope", "report", "-r", "a", "-Y", filter];
            let plan = Plan::new(Args::try_parse_from(args).unwrap(), false)?;
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
