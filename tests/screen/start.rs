//! The first page: where packets come from.

use std::fs;

use tempfile::TempDir;

use crate::tmux::Terminal;

#[test]
fn the_first_page_offers_interfaces_and_the_captures_of_this_folder() {
    let folder = TempDir::new().unwrap();
    fs::copy("fixtures/walkthrough.pcap", folder.path().join("here.pcap")).unwrap();
    fs::write(folder.path().join("notes.txt"), "no capture").unwrap();
    let terminal = Terminal::run_in(folder, 120, 32, "nestscope");
    let screen = terminal.wait_for("/here.pcap");
    assert!(screen.contains("Choose where the packets come from"), "{screen}");
    assert!(!screen.contains("notes.txt"), "{screen}");
    if cfg!(all(feature = "live", target_os = "linux")) {
        assert!(screen.lines().any(|line| line.starts_with("lo ")), "{screen}");
    }
    terminal.press(&["Tab"]);
    terminal.wait_for_selected("/here.pcap");
    terminal.press(&["Enter"]);
    let screen = terminal.wait_for("3 exchanges");
    assert!(screen.starts_with("here.pcap"), "{screen}");
    terminal.press(&["q"]);
    terminal.wait_for_end(0);
    let known =
        fs::read_to_string(terminal.folder().join(".local/state/nestscope/recent")).unwrap();
    assert!(known.ends_with("/here.pcap\n"), "{known}");
}

#[test]
fn a_name_can_be_typed_and_a_wrong_one_is_no_end() {
    let terminal = Terminal::run(100, 30, "nestscope");
    terminal.wait_for("Choose where the packets come from");
    terminal.press(&[":"]);
    terminal.wait_for("Enter take it");
    terminal.answer("fixtures/nosuch.pcap");
    terminal.wait_for("No such file");
    terminal.press(&["o"]);
    terminal.wait_for("Enter take it");
    terminal.answer("fixtures/walkthrough.pcap");
    terminal.wait_for("3 exchanges");
}

#[test]
fn a_pipe_that_is_waited_for_is_told_of() {
    let terminal = Terminal::run(100, 30, "sleep 1000 | nestscope report");
    terminal.wait_for("note: reading packets from the pipe on standard input; Ctrl-C ends");
}
