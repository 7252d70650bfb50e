//! The program as its users meet it: what it says to arguments that make no sense, and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy takes the helpers of a test for a program"
)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

const WALKTHROUGH: &str = "fixtures/walkthrough.pcap";

/// Runs the program with `arguments`, separated by spaces, and nothing on standard input.
fn run(arguments: &str) -> Output {
    run_with(arguments, b"")
}

fn run_with(arguments: &str, input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nestscope"))
        .args(arguments.split_whitespace())
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments does not read what is piped into it.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn a_refusal_says_what_to_do_and_ends_with_2() {
    let cases = [
        (
            "-i lo -r a.pcap",
            "error: -i and -r were both given: capture live with -i, or read files with -r, one at a time\n",
        ),
        (
            "-r a.pcap -f tcp",
            "error: -f applies to live capture (-i): what a file holds was chosen when it was captured. -p chooses ports of a file\n",
        ),
        ("-r a.pcap -s 96", "error: -s applies to live capture (-i), not to files\n"),
        ("report -r a.pcap -B 96", "error: -B applies to live capture (-i), not to files\n"),
        (
            "-r a.pcap -Y sum",
            "error: -Y: `sum` is no field; for a pattern write pattern == \"sum\"\n  sum\n  ^^^\n",
        ),
        (
            "report -r a.pcap -Y latency>10",
            "error: -Y: `10` needs a unit: ns, us, ms, s, m or h\n  latency>10\n          ^^\n",
        ),
        (
            "interfaces -Y n",
            "error: -Y means nothing to interfaces; it is for calls and report. `nestscope help interfaces` lists what it takes\n",
        ),
        (
            "report a.pcap --speed 1",
            "error: --speed means nothing to report; it is for the screen (no command). `nestscope help report` lists what it takes\n",
        ),
        (
            "a.pcap -T fields -e latancy",
            "error: -e: `latancy` is no field; did you mean latency? `nestscope help calls` and docs/FILTERS.md tell which there are\n",
        ),
        (
            "a.pcap -T fields",
            "error: -T fields needs to know which: -e pattern -e latency. docs/FILTERS.md lists them\n",
        ),
        (
            "a.pcap -e pattern",
            "error: -e is for -T fields: nestscope calls -T fields -e pattern -e latency\n",
        ),
        (
            "a.pcap -w x -b files:3",
            "error: -b files:… needs to know when the next file begins: -b filesize:KB or -b duration:SECONDS\n",
        ),
        (
            "raport",
            "error: `raport` is neither a command nor a file; did you mean report? `nestscope --help` lists the commands\n",
        ),
        (
            "-r a.pcap -T json -r b.pcap -Y status==eror",
            "error: -Y: `eror` is no status; did you mean error?\n  status==eror\n          ^^^^\n",
        ),
        (
            "-r a.pcap -T markdown",
            "error: calls cannot be written as markdown; it can be text, json, csv or fields\n",
        ),
        (
            "-r fixtures/walkthrough.pcap -w no-such-folder/x",
            "error: cannot save to no-such-folder/x: No such file or directory (os error 2). \
             Choose a file in a folder that exists and may be written to\n",
        ),
        (
            "interfaces -T markdown",
            "error: interfaces cannot be written as markdown; it can be text, json or csv\n",
        ),
        (
            "-i lo -w -",
            "error: -w -: standard output is for the calls. Save to a file, or capture with tcpdump -w - and pipe it into nestscope -r -\n",
        ),
        (
            "trace.pcap",
            "error: cannot open trace.pcap: No such file or directory (os error 2). \
             Is the name right, and this the folder that it is in?\n",
        ),
        (
            "help nosuch",
            "error: `nosuch` is no command, so there is no help on it. `nestscope --help` lists the commands\n",
        ),
        (
            "interfaces a",
            "error: interfaces reads no file: what is `a`? `nestscope help interfaces` lists what it takes\n",
        ),
        (
            "man a",
            "error: man reads no file: what is `a`? `nestscope help man` lists what it takes\n",
        ),
        (
            "-r a.pcap -b filesize:1",
            "error: -b is about the file that packets are saved to: name it with -w trace.pcapng\n",
        ),
        (
            "-r a.pcap --overwrite",
            "error: --overwrite is about the file that packets are saved to: name it with -w trace.pcapng\n",
        ),
        (
            "-r a.pcap -c 0",
            "error: invalid value '0' for '--count <PACKETS>': a number of packets, 1 or more\n\nFor more information, try '--help'.\n",
        ),
        (
            "-r there-is-no.pcap",
            "error: cannot open there-is-no.pcap: No such file or directory (os error 2). \
             Is the name right, and this the folder that it is in?\n",
        ),
    ];
    for (arguments, message) in cases {
        let output = run(arguments);
        assert_eq!(stderr(&output), message, "{arguments}");
        assert_eq!(stdout(&output), "", "{arguments}");
        assert_eq!(output.status.code(), Some(2), "{arguments}");
    }
}

#[test]
fn spelling_is_explained_by_its_place() {
    let cases = [
        ("-r a.pcap -p nest", "`nest` is neither a port (1 to 65535) nor a range of ports"),
        ("-r a.pcap -p 3000-", "`3000-` is neither a port"),
        ("-r a.pcap -a 10", "only duration:SECONDS is known, such as duration:10"),
        ("-r a.pcap -T yaml", "[possible values: text, json, csv, markdown, fields]"),
        ("-r a.pcap -t x", "a, ad, d, e, r, u and ud are known"),
        ("-r a.pcap -w x -b 10", "filesize:KB, duration:SECONDS and files:NUMBER are known"),
        ("-r a.pcap --color red", "[possible values: auto, always, never]"),
        ("-r a.pcap -q -v", "cannot be used with"),
        ("-i lo -s 262145", "a number of bytes up to 262144"),
        ("report -r a.pcap --colour never", "a similar argument exists: '--color'"),
        ("-r", "a value is required for '--read <FILE>'"),
    ];
    for (arguments, part) in cases {
        let output = run(arguments);
        assert!(stderr(&output).contains(part), "{arguments}: {}", stderr(&output));
        assert_eq!(output.status.code(), Some(2), "{arguments}");
    }
}

#[test]
fn who_types_nothing_is_shown_the_usual_ways() {
    for arguments in ["", "report", "calls -T json"] {
        let output = Command::new(env!("CARGO_BIN_EXE_nestscope"))
            .args(arguments.split_whitespace())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(
            stderr(&output),
            "error: nothing to read: neither -i nor -r was given\n\n  \
             sudo nestscope -i lo -p 8888     every call as it happens, on the loopback interface\n  \
             nestscope trace.pcap             the same for a capture file, without root\n  \
             … | nestscope                    what is piped in\n\n\
             nestscope --help shows the rest.\n"
        );
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_file_that_is_no_capture_is_named_with_what_it_is() {
    let mut file = tempfile::Builder::new().suffix(".pcap").tempfile().unwrap();
    file.write_all(b"{\"hello\":1}").unwrap();
    let path = file.path().to_str().unwrap();
    let output = run(&format!("-r {path}"));
    assert!(stderr(&output).starts_with(&format!("error: {path} is not a capture file: ")));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn help_shows_examples_before_options() {
    let output = run("--help");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
    insta::assert_snapshot!("help", stdout(&output));
    insta::assert_snapshot!("help_short", stdout(&run("-h")));
    insta::assert_snapshot!("help_report", stdout(&run("report -h")));
    for command in ["calls", "report", "interfaces", "completions", "man"] {
        let output = run(&format!("help {command}"));
        assert_eq!(output.status.code(), Some(0), "{command}");
        assert_eq!(stdout(&output), stdout(&run(&format!("{command} --help"))), "{command}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let output = run("--version");
    assert_eq!(stdout(&output), concat!("nestscope ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_capture_can_be_piped_in() {
    let capture = std::fs::read(WALKTHROUGH).unwrap();
    for arguments in
        ["-r - -T json", "-r - report -T json", "-r - -T csv", "-r - report -T markdown"]
    {
        let piped = run_with(arguments, &capture);
        let read = run(&arguments.replace("-r -", &format!("-r {WALKTHROUGH}")));
        assert_eq!(stdout(&piped), stdout(&read), "{arguments}");
        assert_eq!(piped.status.code(), Some(0), "{arguments}");
    }
}

#[test]
fn what_is_piped_in_is_read_without_being_named() {
    let capture = std::fs::read(WALKTHROUGH).unwrap();
    for arguments in ["-T json", "report -T json"] {
        let piped = run_with(arguments, &capture);
        assert_eq!(stdout(&piped), stdout(&run(&format!("{arguments} -r {WALKTHROUGH}"))));
        assert_eq!(piped.status.code(), Some(0), "{arguments}");
    }
    let nothing = run("report");
    assert!(stderr(&nothing).contains("standard input is not a capture"), "{}", stderr(&nothing));
}

#[test]
fn bare_words_are_files() {
    let two = "fixtures/walkthrough.pcap fixtures/basic-v11.pcap";
    let told = run(&format!("report -T json -r {}", two.replace(' ', " -r ")));
    assert_eq!(told.status.code(), Some(0));
    for arguments in [
        format!("report -T json -r {two}"),
        format!("-r {two} report -T json"),
        format!("report {two} -T json"),
        format!("{two} -T json report"),
        format!("report -T json -- {two}"),
    ] {
        assert_eq!(stdout(&run(&arguments)), stdout(&told), "{arguments}");
    }
}

#[test]
fn fields_stand_side_by_side_as_in_json() {
    let lines = run(&format!(
        "{WALKTHROUGH} -T fields -e n -e pattern,latency_ns,latency -e data[0] -E header=y"
    ));
    let mut lines = stdout(&lines).lines();
    assert_eq!(lines.next(), Some("n\tpattern\tlatency_ns\tlatency\tdata[0]"));
    let json = run(&format!("{WALKTHROUGH} -T json"));
    let mut count = 0;
    for (line, object) in lines.by_ref().zip(stdout(&json).lines()) {
        let object: serde_json::Value = serde_json::from_str(object).unwrap();
        let latency = object["latency_ns"].as_u64();
        let of = |text: Option<String>| text.unwrap_or_default();
        let expected = [
            object["n"].to_string(),
            object["pattern"].as_str().unwrap().to_owned(),
            of(latency.map(|ns| ns.to_string())),
            of(latency.map(|ns| format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000))),
            of(object["data"].get(0).map(ToString::to_string)),
        ];
        assert_eq!(line, expected.join("\t"));
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn one_zone_in_one_run() {
    let run_in = |zone: &str, arguments: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_nestscope"))
            .args(arguments.split_whitespace())
            .args(["-r", WALKTHROUGH])
            .env("TZ", zone)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let utc = run_in("UTC", "calls -t ad");
    let time = |text: &str| {
        let line = text.lines().nth(1).unwrap();
        line.split_whitespace().skip(1).take(2).collect::<Vec<_>>().join(" ")
    };
    for (zone, arguments) in
        [("Asia/Tokyo", "calls -t ud"), ("Asia/Tokyo", "calls -t ad --utc"), ("UTC", "calls -t ad")]
    {
        assert_eq!(time(&run_in(zone, arguments)), time(&utc), "{arguments}");
    }
    let tokyo = run_in("Asia/Tokyo", "calls -t ad");
    assert_ne!(time(&tokyo), time(&utc));
    assert!(tokyo.lines().next().unwrap().ends_with("(times: +09:00)"), "{tokyo}");
    assert!(run_in("Asia/Tokyo", "report").contains(" +09:00 to "));
    assert!(run_in("Asia/Tokyo", "report --utc").contains(" UTC to "));
    // JSON and CSV tell UTC, whatever the zone.
    for arguments in ["calls -T json", "calls -T csv", "calls -T fields -e time", "report -T json"]
    {
        assert_eq!(run_in("Asia/Tokyo", arguments), run_in("UTC", arguments), "{arguments}");
    }
    let relative = run_in("UTC", "calls -t r -T fields -e time");
    assert!(relative.lines().all(|line| line.starts_with("0.")), "{relative}");
}

#[test]
fn a_file_that_is_there_is_replaced_only_where_that_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.pcapng");
    std::fs::write(&path, "mine").unwrap();
    let copy = path.to_str().unwrap();
    let free = folder.path().join("copy-2.pcapng");
    let refused = run(&format!("calls -r {WALKTHROUGH} -w {copy}"));
    let expected = format!(
        "error: {copy} is there already. Save to {}, or replace it with --overwrite\n",
        free.display()
    );
    assert_eq!(stderr(&refused), expected);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    let replaced = run(&format!("calls -r {WALKTHROUGH} -w {copy} --overwrite"));
    assert_eq!(replaced.status.code(), Some(0), "{}", stderr(&replaced));
    assert_eq!(stdout(&run(copy)), stdout(&run(WALKTHROUGH)));
    // What is no file has nothing to lose.
    assert_eq!(run(&format!("calls -r {WALKTHROUGH} -w /dev/null")).status.code(), Some(0));
}

#[test]
fn a_ring_of_files_is_the_capture_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let capture = "fixtures/concurrent-v11.pcap";
    let ring = folder.path().join("ring.pcapng");
    let saved = run(&format!("report -r {capture} -w {} -b filesize:20", ring.display()));
    assert_eq!(saved.status.code(), Some(0), "{}", stderr(&saved));
    let mut files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    assert!(files.len() > 2, "{files:?}");
    assert!(files[0].contains("/ring_00001_20"), "{files:?}");
    let pieces = run(&format!("calls -T json -r {}", files.join(" ")));
    assert_eq!(stdout(&pieces), stdout(&run(&format!("calls -T json -r {capture}"))));
    let missing = run(&format!("report -r {capture} -w no-such-folder/x -b filesize:20"));
    assert!(stderr(&missing).starts_with("error: cannot save to no-such-folder/x: No such file"));
}

#[test]
fn completions_and_the_manual_page_know_every_option() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&format!("completions {shell}"));
        assert!(stdout(&script).contains("display-filter"), "{shell}");
        assert_eq!(script.status.code(), Some(0));
    }
    let page = run("man");
    assert!(stdout(&page).contains(".TH nestscope 1"), "{}", stdout(&page));
    for option in ["display", "ring", "utc", "overwrite"] {
        assert!(stdout(&page).contains(option), "{option}");
    }
}

#[test]
fn every_text_ends_with_the_completeness_line() {
    let last = "14 packets, kernel drops unknown, 0 gaps, 0 cut packets, \
                0 undecodable frames, 0 orphan replies, 0 calls still open, 0 unsure, 0 sent again, 0 copies";
    for arguments in ["", "report", "report -T markdown"] {
        let output = run(&format!("{arguments} -r {WALKTHROUGH}"));
        assert_eq!(stdout(&output).lines().last(), Some(last), "{arguments}");
        assert_eq!(stderr(&output), "", "{arguments}");
    }
    for arguments in ["-T json", "-T csv", "report -T json", "report -T csv"] {
        let output = run(&format!("{arguments} -r {WALKTHROUGH}"));
        assert_eq!(stderr(&output).lines().last(), Some(last), "{arguments}");
        let output = run(&format!("{arguments} -q -r {WALKTHROUGH}"));
        assert_eq!(stderr(&output), "", "{arguments}");
    }
}

#[test]
fn a_file_that_ends_inside_a_packet_is_read_to_its_last_whole_one() {
    let capture = std::fs::read(WALKTHROUGH).unwrap();
    let mut file = tempfile::Builder::new().suffix(".pcap").tempfile().unwrap();
    file.write_all(&capture[..capture.len() - 7]).unwrap();
    let path = file.path().to_str().unwrap();
    let output = run(&format!("report -T json -r {path}"));
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).starts_with(r#"{"capture":{"packets":13,"#));
    assert!(stderr(&output).contains(&format!("warning: {path} ends inside a packet")));
}

#[test]
fn a_run_ends_after_its_packets() {
    let output = run(&format!("report -T json -c 5 -r {WALKTHROUGH}"));
    assert!(stdout(&output).starts_with(r#"{"capture":{"packets":5,"#));
}

#[test]
fn a_filter_chooses_what_is_told() {
    let numbers = |filter: &str| -> Vec<u64> {
        let output = run(&format!("-T json -r {WALKTHROUGH} -Y {filter}"));
        assert_eq!(output.status.code(), Some(0), "{filter}: {}", stderr(&output));
        let number = |line: &str| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["n"].as_u64().unwrap()
        };
        stdout(&output).lines().map(number).collect()
    };
    assert_eq!(numbers("pattern==\"sum\""), [2, 3]);
    assert_eq!(numbers("kind==event"), [1]);
    assert_eq!(numbers("data[2]==3"), [2]);
    assert_eq!(numbers("response"), [2, 3]);
    assert_eq!(numbers("packet==6"), [2]);
    assert_eq!(numbers("replies>9"), [0; 0]);

    let report = |filter: &str| -> serde_json::Value {
        let output = run(&format!("report -T json -r {WALKTHROUGH} -Y {filter}"));
        serde_json::from_str(stdout(&output)).unwrap()
    };
    for filter in ["response==6", "data[2]==3", "n==2"] {
        let told = report(filter);
        assert_eq!(told["filter"], filter);
        assert_eq!(told["totals"]["calls"], 1, "{filter}");
        assert_eq!(told["totals"]["events"], 0, "{filter}");
        assert_eq!(told["patterns"].as_array().unwrap().len(), 1, "{filter}");
        assert_eq!(told["patterns"][0]["pattern"], "sum", "{filter}");
        assert_eq!(told["connections"].as_array().unwrap().len(), 1, "{filter}");
        assert_eq!(told["connections"][0]["calls"], 1, "{filter}");
        // What the capture lacks is told of all of it.
        assert_eq!(told["capture"]["packets"], 14, "{filter}");
    }
    let nothing = report("n==99");
    assert_eq!(nothing["connections"], serde_json::json!([]));
    assert_eq!(nothing["patterns"], serde_json::json!([]));
    let text = run(&format!("report -r {WALKTHROUGH} -Y n==99"));
    assert!(stdout(&text).contains("filter   only exchanges matching: n==99\n"));
}

#[test]
fn packets_are_saved_while_they_are_analysed() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.pcapng");
    let copy = copy.to_str().unwrap();
    let first = run(&format!("report -T json -r {WALKTHROUGH} -w {copy}"));
    assert_eq!(first.status.code(), Some(0));
    let second = run(&format!("report -T json -r {copy}"));
    assert_eq!(stdout(&first), stdout(&second));
}

#[test]
fn a_capture_is_not_saved_over_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (capture, link) = (folder.path().join("capture.pcap"), folder.path().join("link.pcap"));
    std::fs::copy(WALKTHROUGH, &capture).unwrap();
    std::os::unix::fs::symlink(&capture, &link).unwrap();
    for (read, save) in [(&capture, &capture), (&capture, &link), (&link, &capture)] {
        let output = run(&format!("report -r {} -w {}", read.display(), save.display()));
        assert_eq!(output.status.code(), Some(2));
        let expected = format!(
            "error: {} is being read; saving to it would destroy it. Save to another file\n",
            save.display()
        );
        assert_eq!(stderr(&output), expected);
        assert_eq!(std::fs::read(&capture).unwrap(), std::fs::read(WALKTHROUGH).unwrap());
    }
}

#[test]
fn colours_are_for_who_wants_them() {
    let coloured = |arguments: &str| {
        let output = run(&format!("report {arguments} -r {WALKTHROUGH}"));
        stdout(&output).contains('\x1b')
    };
    assert!(!coloured(""));
    assert!(!coloured("--color never"));
    assert!(coloured("--color always"));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    for arguments in ["calls", "calls -T json", "calls -T csv", "report", "report -T csv", "--help"]
    {
        let mut child = Command::new(env!("CARGO_BIN_EXE_nestscope"))
            .args(arguments.split(' '))
            .args(["-r", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let capture = std::fs::read(WALKTHROUGH).unwrap();
        let _ = child.stdin.take().unwrap().write_all(&capture);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments}: {}", stderr(&output));
        assert!(!stderr(&output).contains("error"), "{arguments}: {}", stderr(&output));
    }
}

#[test]
fn a_gap_of_unknown_length_is_not_of_no_byte() {
    let output = run("report -r fixtures/cases/jump-3e9.pcap");
    let said = stdout(&output);
    assert!(said.contains("gaps of unknown length") && !said.contains(" 0 B"), "{said}");
    assert!(said.lines().any(|line| line.ends_with("     some")), "{said}");
}
