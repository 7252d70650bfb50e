//! The terminal is given back as it was, however the program ends.

use std::fs;
use std::process::Command;

use crate::tmux::{Terminal, wait_until};

#[test]
fn it_ends_from_everywhere_and_gives_the_terminal_back() {
    for keys in [&["q"][..], &["C-c"], &["Enter", "C-c"], &["/", "C-c"], &["?", "q", "q"]] {
        let terminal = Terminal::run(100, 30, "nestscope -r fixtures/walkthrough.pcap");
        terminal.wait_for("3 exchanges");
        assert_eq!(terminal.flags(), "1 0 1", "its own screen, no cursor, the mouse");
        terminal.press(keys);
        let screen = terminal.wait_for_end(0);
        assert!(screen.contains("14 packets, kernel drops unknown, 0 gaps"), "{screen}");
    }
}

#[test]
fn a_signal_gives_the_terminal_back() {
    for signal in ["TERM", "INT", "HUP"] {
        let command = "sh -c 'echo $$ >id; exec nestscope -r fixtures/walkthrough.pcap'";
        let terminal = Terminal::run(100, 30, command);
        terminal.wait_for("3 exchanges");
        let id = fs::read_to_string(terminal.folder().join("id")).unwrap();
        let sent = Command::new("kill").args(["-s", signal, id.trim()]).status().unwrap();
        assert!(sent.success());
        terminal.wait_for_end(0);
    }
}

#[test]
fn what_is_wrong_is_said_before_the_screen() {
    for (arguments, said) in [
        ("-r nosuch.pcap", "error: cannot open nosuch.pcap: "),
        ("-r fixtures/README.md", "fixtures/README.md"),
        ("-r fixtures/walkthrough.pcap -Y 'latancy > 1ms'", "did you mean latency?"),
        ("-i nosuch0", "nosuch0"),
    ] {
        // All that the program writes to its terminal, by script of util-linux.
        let arguments = arguments.replace('\'', "'\\''");
        let command = format!("script -qec 'nestscope {arguments}' wrote");
        let terminal = Terminal::run(100, 30, &command);
        let screen = terminal.wait_for_end(2);
        assert!(screen.contains(said), "{screen}");
        let wrote = fs::read_to_string(terminal.folder().join("wrote")).unwrap();
        assert!(wrote.contains(said.trim_start_matches("error: ")));
        assert!(!wrote.contains("[?1049h"), "{wrote:?}");
    }
}

#[test]
fn a_pipe_brings_the_packets_and_the_terminal_the_keys() {
    let terminal = Terminal::run(100, 30, "cat fixtures/walkthrough.pcap | nestscope -r -");
    let screen = terminal.wait_for("3 exchanges");
    assert!(screen.starts_with("standard input"), "{screen}");
    terminal.go_to(2);
    terminal.press(&["Enter"]);
    terminal.wait_for("Call 2");
    terminal.press(&["C-c"]);
    terminal.wait_for_end(0);
}

#[test]
fn a_pipe_that_brings_nothing_can_be_left() {
    let terminal = Terminal::run(100, 30, "mkfifo pipe; nestscope -r - <>pipe");
    terminal.wait_for("waiting for the first bytes");
    terminal.press(&["q"]);
    terminal.wait_for_end(0);
}

#[test]
fn into_a_file_goes_text() {
    let terminal = Terminal::run(100, 30, "nestscope -q -r fixtures/walkthrough.pcap >out");
    terminal.wait_for_end(0);
    let text = wait_until(
        || fs::read_to_string(terminal.folder().join("out")).ok(),
        || "no output".to_owned(),
    );
    assert!(text.contains("[1,2,3] ⇒ 6") && !text.contains('\u{1b}'), "{text}");
}
