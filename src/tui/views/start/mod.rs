//! The page for who named no source: the interfaces with what flows on each, and capture files.
//!
//! ```text
//!  Capture on an interface
//!   interface  state  packets/s  bytes/s             addresses
//!   lo         up         1,204   310 kB  ▁▂▅█▃▂     127.0.0.1, ::1
//!  what the selected one is, or why it may not be captured on
//!
//!  Read a capture file
//!   file                                    size  changed
//! ```

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::exchange::ExchangeNumber;
use crate::report::{count, size};
use crate::source::interfaces::Interface;
use crate::time::Timestamp;
use crate::tui::keys::{Action, Context};
use crate::tui::table::{Column, Hit, Selection, TITLES, Table, Width};
use crate::tui::text::{self, Align, LineBuilder};
use crate::tui::theme::{Symbols, Theme};
use crate::tui::view::{Command, Effect, Mouse, Question, Scene, Traffic, View};

/// Rates that are remembered of an interface, and shown side by side.
const RATES: u16 = 12;

/// A capture file that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureFile {
    /// Its path, as it is to be opened.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was written last, where the system tells.
    pub modified: Option<Timestamp>,
}

/// The start page.
#[derive(Debug)]
pub struct Start {
    /// `Err`: why the system lists none.
    interfaces: Result<Vec<Interface>, String>,
    files: Vec<CaptureFile>,
    rates: HashMap<String, Rates>,
    /// The pane that the keys move in.
    pane: Pane,
    chosen_interface: Selection,
    chosen_file: Selection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pane {
    Interfaces,
    Files,
}

/// What an interface carries.
#[derive(Clone, Debug)]
struct Rates {
    /// The counts of the last sample, and its time.
    last: (u64, u64, Duration),
    /// Packets and bytes a second; the newest last; at most [`RATES`].
    known: VecDeque<(u64, u64)>,
}

impl Start {
    /// The page for these interfaces, or why there are none to be had, and these files. Interfaces
    /// that can be captured on come first, and among them the loopback one: services of one host
    /// talk there.
    pub fn new(interfaces: Result<Vec<Interface>, String>, files: Vec<CaptureFile>) -> Self {
        let interfaces = interfaces.map(|mut interfaces| {
            interfaces.sort_by_key(|one| (one.permitted.is_err(), !one.up, !one.loopback));
            interfaces
        });
        let none_permitted =
            interfaces.iter().flatten().all(|interface| interface.permitted.is_err());
        let pane = if none_permitted && !files.is_empty() { Pane::Files } else { Pane::Interfaces };
        Self {
            interfaces,
            files,
            rates: HashMap::new(),
            pane,
            chosen_interface: Selection::default(),
            chosen_file: Selection::default(),
        }
    }

    fn interfaces(&self) -> &[Interface] {
        self.interfaces.as_deref().unwrap_or_default()
    }

    const fn selection(&mut self) -> &mut Selection {
        match self.pane {
            Pane::Interfaces => &mut self.chosen_interface,
            Pane::Files => &mut self.chosen_file,
        }
    }

    /// Moves within a pane, and over its edge into the other one.
    fn step(&mut self, action: Action) {
        let last = self.interfaces().len().checked_sub(1);
        match (self.pane, action) {
            (Pane::Interfaces, Action::Down)
                if self.chosen_interface.selected() == last && !self.files.is_empty() =>
            {
                self.pane = Pane::Files;
                self.chosen_file.select(0);
            }
            (Pane::Files, Action::Up)
                if matches!(self.chosen_file.selected(), None | Some(0)) && last.is_some() =>
            {
                self.pane = Pane::Interfaces;
                self.chosen_interface.select(usize::MAX);
            }
            _ => _ = self.selection().act(action),
        }
    }

    /// Captures on the selected interface, or reads the selected file.
    fn open(&self) -> Vec<Command> {
        match self.pane {
            Pane::Interfaces => {
                let chosen = self.chosen_interface.selected();
                match chosen.and_then(|row| self.interfaces().get(row)) {
                    Some(Interface { name, permitted: Ok(()), .. }) => {
                        vec![Command::Effect(Effect::Capture(name.clone()))]
                    }
                    Some(Interface { name, up: false, .. }) => {
                        let next =
                            format!("{name} is down. Bring it up: sudo ip link set {name} up");
                        vec![Command::Notice(next)]
                    }
                    Some(Interface { name, permitted: Err(_), .. }) => {
                        let next = format!(
                            "You may not capture on {name}. Quit (q) and type: \
                             sudo nestscope -i {name}"
                        );
                        vec![Command::Notice(next)]
                    }
                    None => Vec::new(),
                }
            }
            Pane::Files => {
                let chosen = self.chosen_file.selected();
                let file = chosen.and_then(|row| self.files.get(row));
                file.map(|file| Command::Effect(Effect::Read(file.path.clone())))
                    .into_iter()
                    .collect()
            }
        }
    }

    /// Where things stand in `area`.
    fn places(&self, area: Rect) -> Places {
        let wanted = self.interfaces().len().max(1) + usize::from(TITLES);
        // The files keep a heading, the titles and three rows.
        let most = area.height.saturating_sub(4 + 5).max(2);
        let height = u16::try_from(wanted).unwrap_or(u16::MAX).min(most);
        let cut = |from: u16, height: u16| {
            let from = from.min(area.height);
            Rect { y: area.y + from, height: height.min(area.height - from), ..area }
        };
        Places {
            first_heading: cut(0, 1),
            interfaces: cut(1, height),
            remark: cut(1 + height, 1),
            second_heading: cut(3 + height, 1),
            files: cut(4 + height, u16::MAX),
        }
    }

    const fn table_of_interfaces(&self) -> Table<'_> {
        Table { columns: &INTERFACES, selection: &self.chosen_interface, sorted: None }
    }

    const fn table_of_files(&self) -> Table<'_> {
        Table { columns: &FILES, selection: &self.chosen_file, sorted: None }
    }

    fn draw_interfaces(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        if let Err(reason) = &self.interfaces {
            text::put(buf, (area.x, area.y), area.width, reason, theme.warning, theme);
            return;
        }
        let style = |row: usize| match self.interfaces().get(row) {
            Some(interface) if interface.permitted.is_err() || !interface.up => theme.dim,
            _ => Style::new(),
        };
        self.table_of_interfaces().draw(
            area,
            &focused(theme, self.pane == Pane::Interfaces),
            buf,
            style,
            |row, column, pen| {
                if let Some(interface) = self.interfaces().get(row) {
                    self.write_interface(interface, column, theme, pen);
                }
            },
        );
    }

    fn write_interface(
        &self,
        interface: &Interface,
        column: usize,
        theme: &Theme,
        pen: &mut LineBuilder,
    ) {
        let plain = Style::new();
        let rates = self.rates.get(&interface.name);
        let last = rates.and_then(|rates| rates.known.back());
        // What is not known is not a zero.
        let rate = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
        match column {
            0 => pen.put(&interface.name, plain),
            1 => pen.put(state(interface), plain),
            2 => match interface.permitted {
                Ok(()) => pen.put("yes", theme.ok),
                Err(_) => pen.put("no", theme.warning),
            },
            3 => pen.put(&rate(last.map(|(packets, _)| count(*packets))), plain),
            4 => pen.put(&rate(last.map(|(_, bytes)| size(*bytes))), plain),
            5 => {
                pen.put(&rates.map(|rates| bars(rates, &theme.symbols)).unwrap_or_default(), plain)
            }
            6 => {
                let addresses: Vec<_> =
                    interface.addresses.iter().map(ToString::to_string).collect();
                pen.put(&addresses.join(", "), plain)
            }
            _ => pen.put(interface.description.as_deref().unwrap_or_default(), plain),
        };
    }

    /// What Enter does with the selected interface, or why it does not.
    fn draw_remark(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        let chosen = self.chosen_interface.selected().filter(|_| self.pane == Pane::Interfaces);
        let Some(interface) = chosen.and_then(|row| self.interfaces().get(row)) else { return };
        let mut pen = LineBuilder::new(area.width, &theme.symbols);
        match &interface.permitted {
            Ok(()) => {
                pen.put("Enter captures on ", theme.dim).put(&interface.name, theme.dim);
            }
            Err(_) if !interface.up => {
                pen.put(&interface.name, theme.dim).put(" is down", theme.dim);
            }
            Err(reason) => {
                pen.put("You may not capture here; root may: ", theme.warning);
                pen.put("sudo nestscope -i ", theme.key).put(&interface.name, theme.key);
                pen.put(&format!("  ({reason})"), theme.dim);
            }
        }
        pen.draw(buf, area.x, area.y, Align::Left);
    }

    fn draw_files(&self, area: Rect, scene: &Scene<'_>, buf: &mut Buffer) {
        let theme = scene.theme;
        if self.files.is_empty() {
            let none = "None was found here. : takes the name of one.";
            text::put(buf, (area.x, area.y), area.width, none, theme.dim, theme);
            return;
        }
        self.table_of_files().draw(
            area,
            &focused(theme, self.pane == Pane::Files),
            buf,
            |_| Style::new(),
            |row, column, pen| {
                let Some(file) = self.files.get(row) else { return };
                match column {
                    0 => pen.put(&file.path, Style::new()),
                    1 => pen.put(&size(file.size), Style::new()),
                    _ => {
                        let modified = file.modified.map(|modified| ago(modified, scene.now));
                        pen.put(&modified.unwrap_or_default(), theme.dim)
                    }
                };
            },
        );
    }
}

impl View for Start {
    fn title(&self, _scene: &Scene<'_>) -> String {
        "Start".to_owned()
    }

    fn context(&self) -> Context {
        Context::Start
    }

    fn act(&mut self, action: Action, _scene: &Scene<'_>) -> Vec<Command> {
        match action {
            Action::Enter => return self.open(),
            Action::NextPane | Action::PreviousPane => {
                self.pane = match self.pane {
                    Pane::Interfaces if !self.files.is_empty() => Pane::Files,
                    Pane::Files if !self.interfaces().is_empty() => Pane::Interfaces,
                    pane => pane,
                };
            }
            action => self.step(action),
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, scene: &Scene<'_>) -> Vec<Command> {
        let places = self.places(scene.area);
        let at = match mouse {
            Mouse::Click(at) | Mouse::DoubleClick(at) | Mouse::Wheel(at, _) => at,
        };
        let (pane, hit) = if places.files.contains(at) {
            (Pane::Files, self.table_of_files().hit(places.files, at))
        } else {
            (Pane::Interfaces, self.table_of_interfaces().hit(places.interfaces, at))
        };
        match (mouse, hit) {
            (Mouse::Wheel(_, lines), _) => {
                self.pane = pane;
                self.selection().wheel(lines);
            }
            (_, Some(Hit::Row(row, _))) => {
                self.pane = pane;
                self.selection().select(row);
                if matches!(mouse, Mouse::DoubleClick(_)) {
                    return self.open();
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn answer(&mut self, _question: &Question, text: &str, _scene: &Scene<'_>) -> Vec<Command> {
        vec![Command::Effect(Effect::Read(text.to_owned()))]
    }

    fn traffic(&mut self, traffic: &[Traffic], clock: Duration) {
        let all = traffic.iter().fold((0_u64, 0_u64), |(packets, bytes), one| {
            (packets.saturating_add(one.packets), bytes.saturating_add(one.bytes))
        });
        for interface in self.interfaces.iter().flatten() {
            let own = traffic.iter().find(|one| one.name == interface.name);
            let now = match own {
                Some(own) => (own.packets, own.bytes),
                // Linux captures on all of them under this name.
                None if interface.name == "any" && !traffic.is_empty() => all,
                None => continue,
            };
            let (packets, bytes) = now;
            let last = (packets, bytes, clock);
            let rates = self
                .rates
                .entry(interface.name.clone())
                .or_insert_with(|| Rates { last, known: VecDeque::new() });
            rates.sample(last);
        }
    }

    fn refresh(&mut self, _changed: &[ExchangeNumber], scene: &Scene<'_>) {
        let places = self.places(scene.area);
        let rows = |area: Rect| area.height.saturating_sub(TITLES);
        self.chosen_interface.fit(self.interfaces().len(), rows(places.interfaces));
        self.chosen_file.fit(self.files.len(), rows(places.files));
    }

    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        let theme = scene.theme;
        let places = self.places(scene.area);
        let may_capture =
            self.interfaces().iter().any(|interface| interface.permitted.is_ok() && interface.up);
        let first_heading = match may_capture || self.interfaces().is_empty() {
            true => "Capture on an interface",
            false => "Capture on an interface (not permitted for this user)",
        };
        for (place, heading) in
            [(places.first_heading, first_heading), (places.second_heading, "Read a capture file")]
        {
            if place.height > 0 {
                text::put(buf, (place.x, place.y), place.width, heading, theme.heading, theme);
            }
        }
        if places.interfaces.height > 0 {
            self.draw_interfaces(places.interfaces, theme, buf);
        }
        if places.remark.height > 0 {
            self.draw_remark(places.remark, theme, buf);
        }
        if places.files.height > 0 {
            self.draw_files(places.files, scene, buf);
        }
    }
}

impl Rates {
    /// Takes the counts of now. Counts that fell are those of an interface that was made anew.
    fn sample(&mut self, now: (u64, u64, Duration)) {
        let (packets, bytes, clock) = now;
        let millis = clock.saturating_sub(self.last.2).as_millis();
        if millis == 0 {
            return;
        }
        let rate = |now: u64, before: u64| {
            let each = u128::from(now.saturating_sub(before)) * 1_000 / millis;
            u64::try_from(each).unwrap_or(u64::MAX)
        };
        self.known.push_back((rate(packets, self.last.0), rate(bytes, self.last.1)));
        if self.known.len() > usize::from(RATES) {
            self.known.pop_front();
        }
        self.last = now;
    }
}

struct Places {
    first_heading: Rect,
    interfaces: Rect,
    remark: Rect,
    second_heading: Rect,
    files: Rect,
}

/// Bytes a second as bars that stand side by side, the highest as high as a cell. Who carries
/// anything has more than the lowest.
fn bars(rates: &Rates, symbols: &Symbols) -> String {
    let most = rates.known.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0);
    let top = symbols.standing.len() - 1;
    let bar = |&(_, bytes): &(u64, u64)| {
        let level = match bytes {
            0 => 0,
            bytes => {
                let share = u128::from(bytes) * top as u128 / u128::from(most);
                usize::try_from(share).unwrap_or(top).clamp(1, top)
            }
        };
        symbols.standing.get(level).copied().unwrap_or(' ')
    };
    rates.known.iter().map(bar).collect()
}

const fn state(interface: &Interface) -> &'static str {
    match (interface.up, interface.running) {
        (false, _) => "down",
        (true, false) => "no link",
        (true, true) => "up",
    }
}

/// The selected row is shown only in the pane that the keys move in.
fn focused(theme: &Theme, is_focused: bool) -> Theme {
    if is_focused { theme.clone() } else { Theme { selected: Style::new(), ..theme.clone() } }
}

/// How long ago that was: `just now`, `5 min ago`, `3 days ago`.
fn ago(then: Timestamp, now: Timestamp) -> String {
    let secs = now.saturating_since(then).get() / 1_000_000_000;
    match secs {
        0..60 => "just now".to_owned(),
        60..3_600 => format!("{} min ago", secs / 60),
        3_600..172_800 => format!("{} h ago", secs / 3_600),
        _ => format!("{} days ago", secs / 86_400),
    }
}

const fn column(title: &'static str, width: Width, priority: u8, align: Align) -> Column {
    Column { title, width, priority, align }
}

const INTERFACES: [Column; 8] = [
    column("interface", Width::Flexible { min: 12, weight: 1 }, 9, Align::Left),
    column("state", Width::Fixed(7), 6, Align::Left),
    column("capture", Width::Fixed(7), 7, Align::Left),
    column("packets/s", Width::Fixed(10), 5, Align::Right),
    column("bytes/s", Width::Fixed(8), 4, Align::Right),
    column("", Width::Fixed(RATES), 3, Align::Right),
    column("addresses", Width::Flexible { min: 15, weight: 3 }, 2, Align::Left),
    column("description", Width::Flexible { min: 16, weight: 2 }, 1, Align::Left),
];

const FILES: [Column; 3] = [
    column("file", Width::Flexible { min: 20, weight: 1 }, 9, Align::Left),
    column("size", Width::Fixed(8), 5, Align::Right),
    column("changed", Width::Fixed(14), 3, Align::Right),
];
