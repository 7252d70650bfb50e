//! What the arguments mean. A value of [`Settings`] can be acted on; arguments that make no sense
//! together do not become one.

use std::time::Duration;

use clap::ColorChoice;
use clap_complete::Shell;
use jiff::tz::TimeZone;

use super::args::{
    Args, Autostop, By, Command, FieldLook, FieldOptions, Format, MemorySize, MessageOptions,
    Options, PacketOptions, SaveOptions, Speed,
};
use super::error::CliError;
use super::terminal::Streams;
use crate::endpoint::Ports;
use crate::limits;
use crate::query::Filter;
use crate::report::calls::Selection;
use crate::report::{Moments, TimeFormat};
use crate::source::RingLimits;
use crate::store::GroupBy;

/// What to do.
#[derive(Clone, Debug)]
pub enum Plan {
    /// Write what this shell needs to complete the command line.
    Completions(Shell),
    /// Write the manual page.
    Man,
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
    pub save: Option<Save>,
    /// What `-T fields` shows of an exchange.
    pub fields: Option<Selection>,
    /// Packets after which the run ends.
    pub packets: Option<u64>,
    /// Time after which it ends.
    pub duration: Option<Duration>,
    /// How the output looks.
    pub output: Output,
    /// What only the screen needs.
    pub screen: Screen,
}

/// Where packets are saved.
#[derive(Clone, Debug)]
pub struct Save {
    /// The file; of a ring, what its files are named after.
    pub file: String,
    /// Whether it may be there already.
    pub overwrite: bool,
    /// When a ring goes on to its next file; `None` for one file.
    pub ring: Option<RingLimits>,
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
    /// Whether tunnels pass the filter that is made from the ports.
    pub tunnels: bool,
}

/// How the output looks.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Its format.
    pub format: Format,
    /// How points in time are told; `None` where nobody asked for another way than the usual one.
    pub time: Option<TimeFormat>,
    /// Whether they are told in UTC, not in the zone of this machine.
    pub utc: bool,
    /// Whether it is coloured.
    pub color: ColorChoice,
    /// Whether standard error is for errors only.
    pub quiet: bool,
    /// How much more is said on standard error.
    pub verbose: u8,
}

impl Plan {
    /// What `args` mean. `streams` says whether there is a terminal to draw a screen on, and
    /// whether something is piped in.
    ///
    /// # Errors
    ///
    /// Where they make no sense together.
    pub fn new(args: Args, streams: Streams) -> Result<Self, CliError> {
        let mut options = args.options;
        let PacketOptions { interfaces, files, .. } = &mut options.packets;
        if streams.is_piped && interfaces.is_empty() && files.is_empty() {
            files.push("-".to_owned());
        }
        let output = Output::new(args.command.unwrap_or(Command::Calls), &options)?;
        let task = match args.command {
            Some(Command::Completions(shell)) => return Ok(Self::Completions(shell)),
            Some(Command::Man) => return Ok(Self::Man),
            Some(Command::Interfaces) => return Ok(Self::Interfaces(output)),
            Some(Command::Report) => Task::Report,
            Some(Command::Calls) => Task::Calls,
            // Who asks for a format wants lines.
            None if streams.is_interactive && options.format.format.is_none() => Task::Screen,
            None => Task::Calls,
        };
        Settings::new(task, output, options).map(Box::new).map(Self::Analyse)
    }
}

impl Settings {
    fn new(task: Task, output: Output, options: Options) -> Result<Self, CliError> {
        let filter = options.filter.display_filter.as_deref().map(Filter::parse).transpose()?;
        let mut by: Vec<GroupBy> = Vec::new();
        for By(asked) in &options.grouping.by {
            if !by.contains(asked) {
                by.push(*asked);
            }
        }
        let screen = Screen::new(task, &options)?;
        let mut ports = Ports::default();
        options.packets.ports.iter().cloned().for_each(|more| ports.extend(more));
        Ok(Self {
            task,
            ports,
            // What a report does anyway.
            by: if by == [GroupBy::Pattern] { Vec::new() } else { by },
            save: Save::new(options.save)?,
            fields: selection(options.fields, output.format)?,
            packets: options.packets.count,
            duration: options.packets.autostop.map(|Autostop(duration)| duration),
            output,
            screen,
            filter: filter.filter(|filter| !filter.is_empty()),
            input: Input::new(task, options.packets)?,
        })
    }

    /// Whether somebody may be waiting for each line.
    pub const fn is_live(&self) -> bool {
        matches!(self.input, Input::Live(_))
    }
}

impl Save {
    fn new(options: SaveOptions) -> Result<Option<Self>, CliError> {
        let SaveOptions { file, ring, overwrite } = options;
        let Some(file) = file else {
            return match () {
                () if !ring.is_empty() => Err(CliError::SaveWithoutFile { option: "-b" }),
                () if overwrite => Err(CliError::SaveWithoutFile { option: "--overwrite" }),
                () => Ok(None),
            };
        };
        if file == "-" {
            return Err(CliError::SaveToOutput);
        }
        let limits: RingLimits = ring.iter().copied().collect();
        if !ring.is_empty() && !limits.ends_files() {
            return Err(CliError::RingWithoutEnd);
        }
        Ok(Some(Self { file, overwrite, ring: (!ring.is_empty()).then_some(limits) }))
    }
}

/// What `-T fields` shows; `None` for every other format.
fn selection(options: FieldOptions, format: Format) -> Result<Option<Selection>, CliError> {
    let FieldOptions { fields, looks } = options;
    if format != Format::Fields {
        let given = [("-e", !fields.is_empty()), ("-E", !looks.is_empty())];
        return match given.into_iter().find(|&(_, given)| given) {
            Some((option, _)) => Err(CliError::FieldsOnly { option }),
            None => Ok(None),
        };
    }
    if fields.is_empty() {
        return Err(CliError::NoFields);
    }
    let mut selection = Selection::new(&fields)?;
    for look in looks {
        match look {
            FieldLook::Header(header) => selection.header = header,
            FieldLook::Separator(separator) => selection.separator = separator,
        }
    }
    Ok(Some(selection))
}

impl Screen {
    fn new(task: Task, options: &Options) -> Result<Self, CliError> {
        let live = !options.packets.interfaces.is_empty();
        if live && options.screen.speed.is_some() {
            return Err(CliError::SpeedOfLive);
        }
        let only_here = [
            ("--speed", options.screen.speed.is_some()),
            ("--memory", options.screen.memory.is_some()),
        ];
        match only_here.into_iter().find(|&(_, given)| given && task != Task::Screen) {
            Some((option, _)) => Err(CliError::ScreenOnly { option }),
            None => Ok(Self {
                speed: options.screen.speed.and_then(|Speed(times)| times),
                memory: options.screen.memory.map_or(limits::MEMORY, |MemorySize(bytes)| bytes),
                ascii: options.screen.ascii,
                no_names: options.screen.no_names,
            }),
        }
    }
}

impl Input {
    fn new(task: Task, options: PacketOptions) -> Result<Self, CliError> {
        let PacketOptions {
            interfaces, files, capture_filter, snap_len, buffer_kib, tunnels, ..
        } = options;
        let live_only =
            [("-s", snap_len.is_some()), ("-B", buffer_kib.is_some()), ("--tunnels", tunnels)];
        let is_filtered = capture_filter.is_some();
        let from_files = interfaces.is_empty();
        let live = Live {
            interfaces,
            filter: capture_filter,
            // tcpdump's way of saying: all of it.
            snap_len: snap_len.filter(|&bytes| bytes > 0),
            buffer_kib,
            tunnels,
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
        let format = options.format.format.unwrap_or(Format::Text);
        if !command.formats().contains(&format) {
            return Err(CliError::Format { command, format });
        }
        let MessageOptions { quiet, verbose, color } = options.messages;
        let time = options.time.time;
        let utc = options.zone.utc || time.is_some_and(TimeFormat::is_utc);
        Ok(Self { format, time, utc, color, quiet, verbose })
    }

    /// What tells points in time as it was asked for; `None` where nobody asked.
    pub fn moments(&self) -> Option<Moments> {
        self.time.map(|time| Moments::new(self.zone(), time))
    }

    /// The zone in which points in time are told to people.
    pub fn zone(&self) -> TimeZone {
        if self.utc { TimeZone::UTC } else { TimeZone::system() }
    }
}

impl Command {
    /// Its name, as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Report => "report",
            Self::Interfaces => "interfaces",
            Self::Completions(_) => "completions",
            Self::Man => "man",
        }
    }

    /// The formats in which it can tell.
    pub const fn formats(self) -> &'static [Format] {
        match self {
            Self::Calls => &[Format::Text, Format::Json, Format::Csv, Format::Fields],
            Self::Report => &[Format::Text, Format::Json, Format::Csv, Format::Markdown],
            Self::Interfaces => &[Format::Text, Format::Json, Format::Csv],
            Self::Completions(_) | Self::Man => &[Format::Text],
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
            Self::Fields => "fields",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(line: &str) -> Result<Settings, CliError> {
        plan(line, false)
    }

    fn plan(line: &str, interactive: bool) -> Result<Settings, CliError> {
        let streams = Streams { is_interactive: interactive, is_piped: false };
        match Plan::new(Args::read(line.split(' ')).unwrap(), streams)? {
            Plan::Analyse(settings) => Ok(*settings),
            _ => panic!("{line}"),
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
        let refused = plan("nestscope -r a.pcap -T text --speed 1", true);
        assert!(matches!(refused, Err(CliError::ScreenOnly { option: "--speed" })));
        assert!(matches!(plan("nestscope -i lo --speed 1", true), Err(CliError::SpeedOfLive)));
    }

    #[test]
    fn what_is_piped_in_is_read_where_nothing_else_was_named() {
        let input = |line: &str| {
            let streams = Streams { is_interactive: false, is_piped: true };
            let plan = Plan::new(Args::read(line.split(' ')).unwrap(), streams).unwrap();
            let Plan::Analyse(settings) = plan else { panic!("{line}") };
            settings.input
        };
        assert!(matches!(input("nestscope report"), Input::Files(files) if files == ["-"]));
        assert!(
            matches!(input("nestscope report a.pcap"), Input::Files(files) if files == ["a.pcap"])
        );
        assert!(matches!(input("nestscope -i lo"), Input::Live(_)));
    }

    #[test]
    fn a_filter_is_read_and_an_empty_one_is_none() {
        let with = |filter: &str| {
            let args = ["nestscope", "report", "-r", "a", "-Y", filter];
            let plan = Plan::new(Args::read(args).unwrap(), Streams::default())?;
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
