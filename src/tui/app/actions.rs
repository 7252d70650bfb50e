//! What keys and views ask for, and what comes of it.

use std::time::Duration;

use ratatui::crossterm::event::KeyEvent;

use super::{App, DEPTH, ONE_NUMBER, Present, scene};
use crate::exchange::ExchangeNumber;
use crate::report::{count, counted, size};
use crate::tui::keys::{Action, Context};
use crate::tui::question::{Asking, Outcome};
use crate::tui::status::{Activity, Status};
use crate::tui::view::{Command, Effect, Question, QuestionKind, Rows, View};
use crate::tui::views::help::Help;

/// Keys and what they lead to.
impl App {
    pub(super) fn forget_old_digits(&mut self, clock: Duration) {
        if !self.reader.digits().is_empty() && clock.saturating_sub(self.typed) > ONE_NUMBER {
            self.reader.forget();
        }
    }

    pub(super) fn key_of_answer(&mut self, event: &KeyEvent, present: Present<'_>) -> Vec<Effect> {
        let Some(asking) = &mut self.asking else { return Vec::new() };
        let outcome = asking.key(event, &mut self.history, self.checker.as_ref(), present.capture);
        if outcome == Outcome::Open {
            return Vec::new();
        }
        let Some(asking) = self.asking.take() else { return Vec::new() };
        let Outcome::Answered(text) = outcome else { return Vec::new() };
        match asking.question().id {
            COMMAND => self.command(&text, present),
            CLEAR => vec![Effect::Clear],
            QUIT => vec![Effect::Quit],
            _ => {
                let mut effects = self.answer(asking.question(), &text, present);
                for effect in &mut effects {
                    if let Effect::Save { overwrite, .. } = effect {
                        *overwrite = asking.insists();
                    }
                }
                effects
            }
        }
    }

    /// Gives an answer to the view that is shown, which asked for it.
    fn answer(&mut self, question: &Question, text: &str, present: Present<'_>) -> Vec<Effect> {
        if question.kind == QuestionKind::Save {
            self.saving = Some((question.clone(), text.to_owned()));
        }
        let scene = scene(&self.theme, present, self.body());
        let Some(tab) = self.tabs.get_mut(self.shown) else { return Vec::new() };
        let commands = tab.top_mut().answer(question, text, &scene);
        self.run(commands, present)
    }

    pub(super) fn act(&mut self, action: Action, present: Present<'_>) -> Vec<Effect> {
        match action {
            Action::QuitNow => return vec![Effect::Quit],
            Action::Quit if self.close() => {}
            Action::Quit => return self.quit(present),
            Action::View(number) => self.choose(usize::from(number).saturating_sub(1)),
            Action::Help => self.help(present),
            Action::CommandLine => self.ask_for_command(),
            Action::Clear => self.ask(Question::new(
                CLEAR,
                QuestionKind::Confirm,
                "Forget every call and every number so far? (y/n)",
                "",
            )),
            Action::Pause if present.status.activity == Activity::Ended => {
                self.notice("Nothing to pause: it has ended");
            }
            Action::Pause => return vec![Effect::Pause(!present.status.paused)],
            Action::Step if present.status.paused => return vec![Effect::Step],
            Action::Step => self.notice("Pause first (p), then . takes in one packet more"),
            Action::Faster | Action::Slower => {
                return self.change_speed(action == Action::Faster, present.status);
            }
            Action::GoTo(_) => {
                self.shown = self.home.min(self.tabs.len().saturating_sub(1));
                return self.act_of_view(action, present);
            }
            _ => return self.act_of_view(action, present),
        }
        Vec::new()
    }

    /// Leaves, or asks first where something would be lost.
    fn quit(&mut self, present: Present<'_>) -> Vec<Effect> {
        let packets = present.capture.packets();
        if !present.status.is_unsaved || packets == 0 {
            return vec![Effect::Quit];
        }
        let lost = counted(packets, "packet is", "packets are");
        let question = format!("Quit? {lost} saved nowhere; -w would have. (y or q quits)");
        self.ask(Question::new(QUIT, QuestionKind::Confirm, &question, "q"));
        Vec::new()
    }

    fn act_of_view(&mut self, action: Action, present: Present<'_>) -> Vec<Effect> {
        let scene = scene(&self.theme, present, self.body());
        let Some(tab) = self.tabs.get_mut(self.shown) else { return Vec::new() };
        let step = match action {
            Action::NextCall if tab.is_call() => tab.base.step(true, &scene),
            Action::PreviousCall if tab.is_call() => tab.base.step(false, &scene),
            _ => None,
        };
        let action = step.map_or(action, |number| Action::GoTo(number.0));
        let commands = tab.top_mut().act(action, &scene);
        self.run(commands, present)
    }

    /// Does what a view asked for.
    pub(super) fn run(&mut self, commands: Vec<Command>, present: Present<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for command in commands {
            match command {
                Command::Open(view) => self.open(view, present),
                Command::OpenCall(number) => {
                    if let Some(view) = self.call.as_ref().map(|call| call(number)) {
                        self.open(view, present);
                    }
                }
                Command::OpenStream(number) => {
                    if let Some(view) = self.stream.as_ref().map(|stream| stream(number)) {
                        self.open(view, present);
                    }
                }
                Command::Close => _ = self.close(),
                Command::Notice(text) => self.notice = Some(text),
                Command::Ask(question) => self.ask(question),
                Command::Mark(number) => self.mark(number),
                Command::ShowCalls(filter) => effects.extend(self.show_calls(&filter, present)),
                Command::Effect(effect) => {
                    // No terminal answers that it took a text: the user sees what was sent.
                    if let Effect::Copy(text) = &effect {
                        self.notice = Some(copied(text));
                    }
                    effects.push(effect);
                }
            }
        }
        effects
    }

    fn open(&mut self, mut view: Box<dyn View>, present: Present<'_>) {
        view.refresh(&[], &scene(&self.theme, present, self.body()));
        let Some(tab) = self.tabs.get_mut(self.shown) else { return };
        if tab.opened.len() == DEPTH {
            tab.opened.remove(0);
        }
        tab.opened.push(view);
    }

    /// Goes back one level; whether there was one.
    fn close(&mut self) -> bool {
        self.tabs.get_mut(self.shown).is_some_and(|tab| tab.opened.pop().is_some())
    }

    /// Shows a view of the first level, with what was opened over it; where it is shown already,
    /// without.
    pub(super) fn choose(&mut self, index: usize) {
        if index == self.shown
            && let Some(tab) = self.tabs.get_mut(index)
        {
            tab.opened.clear();
        }
        if index < self.tabs.len() {
            self.shown = index;
        }
    }

    /// The place of the calls view.
    fn calls(&self) -> Option<usize> {
        self.tabs.iter().position(|tab| tab.base.context() == Context::Calls)
    }

    /// Marks an exchange among the calls, wherever it is shown.
    fn mark(&mut self, number: ExchangeNumber) {
        let calls = self.calls().and_then(|calls| self.tabs.get_mut(calls));
        let is_marked = calls.is_some_and(|tab| tab.base.mark(number));
        let what = if is_marked { "Marked" } else { "No longer marked" };
        self.notice(format!("{what}: {}", count(number.0)));
    }

    /// Shows the calls that `filter` lets through, as if it had been typed there.
    fn show_calls(&mut self, filter: &str, present: Present<'_>) -> Vec<Effect> {
        let Some(calls) = self.calls() else { return Vec::new() };
        if let Some(tab) = self.tabs.get_mut(calls) {
            tab.opened.clear();
        }
        self.shown = calls;
        self.answer(&Question::filter(Rows::Calls, filter), filter, present)
    }

    fn help(&mut self, present: Present<'_>) {
        let context = self.context();
        let rows = match context {
            Context::Connections => Rows::Connections,
            Context::Packets => Rows::Packets,
            Context::Servers => Rows::Servers,
            _ => Rows::Calls,
        };
        if context == Context::Help {
            self.close();
        } else {
            self.open(Box::new(Help::new(context, &self.checker.help(rows))), present);
        }
    }

    fn ask(&mut self, mut question: Question) {
        if question.kind == QuestionKind::Save {
            question.text = self.checker.free_name(&question.text);
        }
        self.asking = Some(Asking::new(question, self.checker.as_ref()));
    }

    fn ask_for_command(&mut self) {
        self.home = self.shown;
        let question = if self.context() == Context::Start {
            Question::new(FILE, QuestionKind::File, "Capture file:", "")
        } else {
            Question::new(COMMAND, QuestionKind::GoTo, ":", "")
        };
        self.ask(question);
    }

    /// Does what was typed after `:`.
    fn command(&mut self, text: &str, present: Present<'_>) -> Vec<Effect> {
        if let Ok(number) = text.parse() {
            return self.act(Action::GoTo(number), present);
        }
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let action = match word {
            "" => return Vec::new(),
            "q" | "quit" => return self.quit(present),
            "q!" | "qa" => Action::QuitNow,
            "w" | "save" if rest.trim().is_empty() => Action::Save,
            "w" | "save" => return self.answer(&Question::save(rest), rest.trim(), present),
            "help" | "h" => Action::Help,
            "clear" => Action::Clear,
            "pause" => Action::Pause,
            "filter" => Action::Filter,
            "o" | "open" | "e" if !rest.trim().is_empty() => {
                return vec![Effect::Read(rest.trim().to_owned())];
            }
            _ => {
                self.notice(format!(
                    "No such command: {text}. A number, q, w, o FILE, clear, help"
                ));
                return Vec::new();
            }
        };
        self.act(action, present)
    }

    fn change_speed(&mut self, faster: bool, status: &Status) -> Vec<Effect> {
        if !matches!(status.activity, Activity::Reading(..)) {
            self.notice("Only a file that is being read can be played faster or slower");
            return Vec::new();
        }
        let speed = if faster {
            status.speed.and_then(|speed| SPEEDS.into_iter().find(|next| *next > speed))
        } else {
            let below = |speed: f64| SPEEDS.into_iter().rev().find(|next| *next < speed);
            Some(status.speed.map_or(SPEEDS.last().copied(), below).unwrap_or(SLOWEST))
        };
        self.notice(match speed {
            Some(speed) => format!("Playing at {speed} times its own pace"),
            None => "Playing as fast as it can be read".to_owned(),
        });
        vec![Effect::Speed(speed)]
    }
}

/// The pace that a file can be played at, by `+` and `-`; behind the last one there is no bound.
const SPEEDS: [f64; 9] = [SLOWEST, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0, 1_000.0];
const SLOWEST: f64 = 0.1;

/// Questions that the app asks itself, and the one that the start page answers.
const COMMAND: &str = "command";
const CLEAR: &str = "clear";
const QUIT: &str = "quit";
const FILE: &str = "file";

/// What is said of a text that was copied: how much it is, and how it begins.
fn copied(text: &str) -> String {
    let bytes = size(u64::try_from(text.len()).unwrap_or(u64::MAX));
    let start: String = text.chars().take(BEGINNING).collect();
    format!("Copied {bytes}: {start}")
}

/// Characters of a text that was copied: more than a row shows.
const BEGINNING: usize = 1_000;
