//! What leaves the screen: files, judged by tshark and by a JSON reader of others, and the
//! clipboard.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::tmux::Terminal;

const FAILED: &str = "status == error";

/// Filters the failed calls out of a fixture, and asks for a file.
fn with_failed_calls() -> Terminal {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/basic-v11.pcap");
    terminal.wait_for("62 exchanges");
    terminal.press(&["/"]);
    terminal.wait_for("Filter:");
    terminal.answer(FAILED);
    terminal.wait_for("11 of 62 shown");
    terminal
}

fn save(terminal: &Terminal, question: &str, name: &str) {
    terminal.press(&["w"]);
    terminal.wait_for(question);
    terminal.answer(name);
}

/// The failed calls by `nestscope calls`, in the order of their numbers.
fn failed_calls() -> Vec<Value> {
    let arguments = ["calls", "-r", "fixtures/basic-v11.pcap", "-T", "json", "-Y", FAILED];
    let output = Command::new(env!("CARGO_BIN_EXE_nestscope"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let mut calls: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    calls.sort_by_key(|call| call["n"].as_u64());
    assert_eq!(calls.len(), 11);
    calls
}

/// Time, ends and payload of each packet that fulfils `filter`, by tshark.
fn packets_by_tshark(file: &Path, filter: &str) -> Vec<String> {
    let fields = ["frame.time_epoch", "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.payload"];
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(file).args(["-Y", filter, "-T", "fields"]);
    tshark.args(fields.iter().flat_map(|field| ["-e", field])).stdin(Stdio::null());
    let output = tshark.output().unwrap_or_else(|error| panic!("tshark: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("cut short"), "{said}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn filtered_calls_are_saved_with_their_packets_alone() {
    let terminal = with_failed_calls();
    save(&terminal, "Save the 11 calls shown as", "failed.pcapng");
    let file = terminal.wait_for_file("failed.pcapng", "saved 11 exchanges (");
    // In the original: the packets in which an id of a failed call stands.
    let ids: Vec<_> =
        failed_calls().iter().map(|call| format!("frame contains {}", call["id"])).collect();
    let expected = packets_by_tshark(Path::new("fixtures/basic-v11.pcap"), &ids.join(" || "));
    assert!(expected.len() > 22, "{expected:?}");
    assert_eq!(packets_by_tshark(&file, "frame"), expected);
    terminal.wait_for(&format!("({} packets)", expected.len()));
    // Another call of the same name is not written over.
    save(&terminal, "Save the 11 calls shown as", "failed.pcapng");
    terminal.wait_for("is there already: Enter overwrites it");
    assert_eq!(packets_by_tshark(&file, "frame"), expected);
    // Unless the user says so.
    fs::write(&file, "another file").unwrap();
    terminal.press(&["Enter"]);
    terminal.wait_for(&format!("({} packets)", expected.len()));
    assert_eq!(packets_by_tshark(&file, "frame"), expected);
}

#[test]
fn a_name_that_cannot_be_written_is_mended_and_a_free_one_proposed() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/walkthrough.pcap");
    terminal.wait_for("3 exchanges");
    terminal.press(&["w"]);
    terminal.wait_for("nestscope-calls.pcapng");
    terminal.press(&["Enter"]);
    terminal.wait_for_file("nestscope-calls.pcapng", "saved 3 exchanges");
    terminal.press(&["w"]);
    terminal.wait_for("nestscope-calls-2.pcapng");
    // What is typed takes the place of the proposal.
    terminal.type_text("nosuch/calls.csv");
    terminal.press(&["Enter"]);
    let screen = terminal.wait_for("cannot save to nosuch/calls.csv");
    assert!(screen.contains("jsonl, .csv): nosuch/calls.csv"), "{screen}");
    terminal.press(&["Home"]);
    terminal.press(&["Delete"; 7]);
    terminal.press(&["Enter"]);
    terminal.wait_for_file("calls.csv", "saved 3 exchanges to calls.csv");
    // The capture itself is never written over.
    fs::copy("fixtures/walkthrough.pcap", terminal.folder().join("own.pcapng")).unwrap();
    terminal.press(&[":"]);
    terminal.wait_for("a number, or q");
    terminal.answer("o own.pcapng");
    terminal.wait("the calls of own.pcapng", |screen| {
        screen.starts_with("own.pcapng") && screen.contains("3 exchanges")
    });
    terminal.press(&["w"]);
    terminal.wait_for("Save the 3 calls");
    terminal.answer("own.pcapng");
    terminal.wait_for("in use");
    terminal.press(&["Enter"]);
    terminal.wait_for("in use");
    let own = fs::read(terminal.folder().join("own.pcapng")).unwrap();
    assert_eq!(own, fs::read("fixtures/walkthrough.pcap").unwrap());
}

#[test]
fn what_tmux_would_drop_is_said_with_the_line_that_mends_it() {
    let set = "until [ \"$(tmux show -sv set-clipboard)\" = on ]; do :; done; \
               tmux set -s set-clipboard external";
    let show = "nestscope -r fixtures/walkthrough.pcap";
    let terminal = Terminal::run(120, 32, &format!("{set}; {show}"));
    terminal.wait_for("3 exchanges");
    terminal.go_to(2);
    terminal.press(&["y", "y"]);
    terminal.wait_for(
        "Not copied: tmux has set-clipboard external. Type: tmux set -g set-clipboard on",
    );
}

#[test]
fn filtered_calls_are_saved_as_lines_of_json_and_as_csv() {
    let terminal = with_failed_calls();
    save(&terminal, "Save the 11 calls shown as", "failed.jsonl");
    let file = terminal.wait_for_file("failed.jsonl", "saved 11 exchanges to");
    let text = fs::read_to_string(file).unwrap();
    let saved: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = failed_calls();
    assert_eq!(saved, expected);

    save(&terminal, "Save the 11 calls shown as", "failed.csv");
    let file = terminal.wait_for_file("failed.csv", "failed.csv");
    let mut reader = csv::Reader::from_path(file).unwrap();
    let columns: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), expected.len());
    for (row, call) in rows.iter().zip(&expected) {
        let of = |name: &str| &row[columns.iter().position(|column| column == name).unwrap()];
        assert_eq!(of("n"), call["n"].to_string());
        assert_eq!(of("pattern"), call["pattern"].as_str().unwrap());
        assert_eq!(of("latency_ns"), call["latency_ns"].to_string());
    }
}

#[test]
fn marked_calls_are_saved_alone() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/walkthrough.pcap");
    terminal.wait_for("3 exchanges");
    for number in [1, 3] {
        terminal.go_to(number);
        terminal.press(&["Space"]);
    }
    save(&terminal, "Save the 2 calls marked as", "marked.pcapng");
    let file = terminal.wait_for_file("marked.pcapng", "saved 2 exchanges (3 packets)");
    let expected = packets_by_tshark(
        Path::new("fixtures/walkthrough.pcap"),
        r#"frame contains "log" || frame contains "a1b38290e7ce365d44942""#,
    );
    assert_eq!(expected.len(), 3);
    assert_eq!(packets_by_tshark(&file, "frame"), expected);
    // What nestscope itself reads there.
    let output = Command::new(env!("CARGO_BIN_EXE_nestscope"))
        .args(["calls", "-T", "json", "-q", "-r"])
        .arg(&file)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let patterns: BTreeSet<_> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["pattern"].to_string())
        .collect();
    assert_eq!(patterns, BTreeSet::from([r#""log""#.to_owned(), r#""sum""#.to_owned()]));
}

#[test]
fn what_is_copied_reaches_the_clipboard_of_the_terminal() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/walkthrough.pcap");
    terminal.wait_for("3 exchanges");
    terminal.go_to(2);
    terminal.copies(&["y", "y"], "[1,2,3]");
    terminal.copies(&["y", "r"], "6");
    terminal.copies(&["y", "i"], r#""ba1b38290e7ce365d4494""#);
    terminal.copies(&["y", "t"], r#"await firstValueFrom(client.send("sum", [1,2,3]));"#);
    terminal.press(&["y"]);
    terminal.wait_for("TypeScript");
    let frame = r##"61#{"pattern":"sum","data":[1,2,3],"id":"ba1b38290e7ce365d4494"}"##;
    let line = format!("printf '{frame}' | nc -w 5 127.0.0.1 8888");
    terminal.copies(&["n"], &line);
    assert_eq!(sent_by(&line, &terminal.folder()), format!("-w 5 127.0.0.1 8888\n{frame}"));
    // The event, whose text is not ASCII.
    terminal.go_to(1);
    terminal.copies(&["Y"], r#""求和""#);
}

/// What a shell sends where `nc` is one that writes down its arguments and what it is given.
fn sent_by(line: &str, folder: &Path) -> String {
    let nc = folder.join("nc");
    fs::write(&nc, "#!/bin/sh\n{ echo \"$*\"; cat; } >\"$0.told\"\n").unwrap();
    fs::set_permissions(&nc, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let done = Command::new("sh").args(["-c", line]).env("PATH", path).status().unwrap();
    assert!(done.success(), "{line}");
    fs::read_to_string(folder.join("nc.told")).unwrap()
}
