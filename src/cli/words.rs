//! The words that were typed, put in the order in which clap reads them; and what is wrong with
//! those that it cannot read, where we know more than it does.
//!
//! The command comes to the front, so that options before it are its own; words that are neither
//! options nor a command become files. `-r a b -p 1 report c` is read as
//! `report -r a --read=b -p 1 --read=c`.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::error::CliError;

/// `words` (the program's name first) for clap.
pub fn arranged(line: &clap::Command, words: Vec<OsString>) -> Vec<OsString> {
    let mut words = words.into_iter();
    let mut arranged: Vec<_> = words.next().into_iter().collect();
    let mut behind: Vec<OsString> = Vec::new();
    let mut command: Option<String> = None;
    // Behind -r, up to the next option or command; behind `--`, up to the end.
    let (mut reads, mut only_files) = (false, false);
    while let Some(word) = words.next() {
        let text = word.to_string_lossy().into_owned();
        if text == "--" {
            only_files = true;
        } else if !only_files && text.starts_with('-') && text.len() > 1 {
            reads = text.starts_with("-r") || text == "--read" || text.starts_with("--read=");
            behind.push(word);
            if takes_the_next(line, &text) {
                behind.extend(words.next());
            }
        } else if !only_files && command.is_none() && is_command(line, &text) {
            command = Some(text);
            reads = false;
        } else {
            let is_own = match &command {
                Some(command) => takes_words(line, command),
                None => !reads && !only_files && !is_file(&text),
            };
            let mut read = OsString::from(if is_own { "" } else { "--read=" });
            read.push(word);
            behind.push(read);
        }
    }
    arranged.extend(command.map(OsString::from));
    arranged.extend(behind);
    arranged
}

/// What clap's `error` about the arranged `words` means, where we can say it better.
pub fn explain(line: &clap::Command, words: &[OsString], error: &clap::Error) -> Option<CliError> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let near = match error.get(ContextKind::SuggestedSubcommand) {
                Some(ContextValue::Strings(near)) => near.first().cloned(),
                Some(ContextValue::String(near)) => Some(near.clone()),
                _ => None,
            };
            let word = text(ContextKind::InvalidSubcommand)?;
            if words.get(1).is_some_and(|first| first == "help") {
                return Some(CliError::NoHelp { word });
            }
            Some(CliError::NoCommand { word, near })
        }
        ErrorKind::UnknownArgument => {
            let option = text(ContextKind::InvalidArg)?;
            let command = words.get(1)?.to_str().filter(|word| is_command(line, word))?;
            let is_meant =
                |of: &clap::Command| of.get_arguments().any(|arg| is_spelled(arg, &option));
            let takers = line.get_subcommands().filter(|of| is_meant(of));
            let mut takers: Vec<_> = takers.map(|of| of.get_name().to_owned()).collect();
            if takers.is_empty() && is_meant(line) {
                takers.push("the screen (no command)".to_owned());
            }
            let command = command.to_owned();
            let file = words.iter().find_map(|word| word.to_str()?.strip_prefix("--read="));
            if let (Some(word), "--read") = (file, option.as_str()) {
                return Some(CliError::NoFileOfCommand { word: word.to_owned(), command });
            }
            (!takers.is_empty()).then_some(CliError::NotOfCommand { option, command, takers })
        }
        _ => None,
    }
}

/// Whether a word that is no command is a capture file, to be opened or told of as one.
fn is_file(word: &str) -> bool {
    word.contains(['.', '/']) || word == "-" || Path::new(word).exists()
}

fn is_command(line: &clap::Command, word: &str) -> bool {
    word == "help" || line.find_subcommand(word).is_some()
}

/// Whether the words behind this command are its own, and no files.
fn takes_words(line: &clap::Command, command: &str) -> bool {
    let own = line.find_subcommand(command);
    own.is_none_or(|own| own.get_positionals().next().is_some())
}

fn is_spelled(arg: &clap::Arg, option: &str) -> bool {
    match option.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => arg
            .get_short()
            .is_some_and(|short| option.strip_prefix('-') == Some(&short.to_string())),
    }
}

/// Whether the value of this option is the next word.
fn takes_the_next(line: &clap::Command, word: &str) -> bool {
    let takes_value = |option: &str| {
        let every = std::iter::once(line).chain(line.get_subcommands());
        let mut every = every.flat_map(clap::Command::get_arguments);
        every.any(|arg| is_spelled(arg, option) && arg.get_action().takes_values())
    };
    if word.starts_with("--") {
        return takes_value(word);
    }
    // `-qr file`, `-rfile`: the first that takes a value takes the rest of the word, if there is
    // one.
    let mut letters = word.chars().skip(1);
    let first = letters.find(|letter| takes_value(&format!("-{letter}")));
    first.is_some() && letters.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::definition;

    fn arranged_line(line: &str) -> String {
        let words = line.split(' ').map(OsString::from).collect();
        let words = arranged(&definition(), words);
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn commands_come_first_and_bare_words_are_files() {
        for (typed, read) in [
            ("x", "x"),
            ("x -r a -p 1 report -r b -p 2", "x report -r a -p 1 -r b -p 2"),
            ("x -r a b c -T json", "x -r a --read=b --read=c -T json"),
            ("x -r a.pcap b.pcap report c.pcap", "x report -r a.pcap --read=b.pcap --read=c.pcap"),
            ("x trace.pcap", "x --read=trace.pcap"),
            ("x report trace", "x report --read=trace"),
            ("x ./report", "x --read=./report"),
            ("x -r calls report -r c", "x report -r calls -r c"),
            ("x -w report -r calls", "x -w report -r calls"),
            ("x -qr a.pcap report", "x report -qr a.pcap"),
            ("x -ra.pcap report", "x report -ra.pcap"),
            ("x --read a.pcap --read=b.pcap report", "x report --read a.pcap --read=b.pcap"),
            ("x -r - report", "x report -r -"),
            ("x report -", "x report --read=-"),
            ("x help report", "x help report"),
            ("x -q completions bash", "x completions -q bash"),
            ("x -q -- -odd report", "x -q --read=-odd --read=report"),
            // No command and no file: clap tells of it.
            ("x raport", "x raport"),
        ] {
            assert_eq!(arranged_line(typed), read, "{typed}");
        }
    }
}
