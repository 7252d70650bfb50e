//! Live on the loopback. Needs the right to capture, and for the load node with the lab's packages:
//! without them each test says that it is skipped.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::lab::{Talk, free_port, lab};
use crate::tmux::Terminal;

/// One test at a time: what one sends would take the time of another.
static ALONE: Mutex<()> = Mutex::new(());

/// The right to capture on the loopback, alone; `None`, and a word why, where this user may not.
fn may_capture() -> Option<MutexGuard<'static, ()>> {
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let output = Command::new(env!("CARGO_BIN_EXE_nestscope"))
        .args(["-i", "lo", "-a", "duration:0.01", "-q"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("no permission") {
        eprintln!("skipped: no permission to capture");
        return None;
    }
    assert!(output.status.success(), "{said}");
    Some(alone)
}

#[test]
fn calls_appear_wait_while_paused_and_are_filtered() {
    let Some(_alone) = may_capture() else { return };
    let mut talk = Talk::new();
    let port = talk.port;
    let terminal = Terminal::run(120, 32, &format!("nestscope -i lo -p {port}"));
    let screen = terminal.wait_for(&format!("Listening on lo, tcp port {port}: 0 packets"));
    assert!(screen.contains("live"), "{screen}");
    for id in ["one", "two", "three"] {
        talk.call(id);
    }
    let screen = terminal.wait_for("3 exchanges · following");
    assert!(screen.contains("[1,2,3] → 6"), "{screen}");

    terminal.press(&["p"]);
    terminal.wait_for("paused");
    for id in ["four", "five", "six", "seven", "eight"] {
        talk.call(id);
    }
    let screen = terminal.wait("ten packets that wait", |screen| waiting(screen) >= Some(10));
    assert!(screen.contains("3 exchanges"), "{screen}");
    terminal.press(&["p"]);
    let screen = terminal.wait_for("8 exchanges");
    assert!(!screen.contains("paused"), "{screen}");

    terminal.press(&["/"]);
    terminal.wait_for("Filter:");
    terminal.answer(r#"id == "two""#);
    terminal.wait_for("1 of 8 shown");
    talk.call("nine");
    terminal.wait_for("1 of 9 shown");
    talk.call("two");
    let screen = terminal.wait_for("2 of 10 shown");
    assert!(screen.contains("0 kernel drops"), "{screen}");
    terminal.press(&["Escape"]);
    terminal.wait_for("10 exchanges");

    terminal.press(&["C-l"]);
    terminal.wait_for("y yes");
    terminal.press(&["y"]);
    terminal.wait_for("0 calls");
    talk.call("after");
    let screen = terminal.wait_for("1 exchange ");
    assert!(screen.contains("1 call "), "{screen}");
    // What nobody saves is not lost by one key.
    terminal.press(&["q"]);
    terminal.wait_for("saved nowhere");
    terminal.press(&["Escape"]);
    terminal.wait_without("saved nowhere");
    // A payload is there, though the file that it could be read from is not.
    terminal.press(&["Enter"]);
    let screen = terminal.wait_for(r#""pattern": "sum""#);
    assert!(screen.contains(r#"id "after""#), "{screen}");
    terminal.press(&["q"]);
    terminal.wait_for("1 exchange ");
    terminal.press(&["q"]);
    terminal.wait_for("saved nowhere");
    terminal.press(&["q"]);
    terminal.wait_for_end(0);
}

/// Packets that wait in front of a pause, by the header.
fn waiting(screen: &str) -> Option<u64> {
    number_before(screen.lines().next()?, " packets wait")
}

/// The number that stands before `word`.
fn number_before(line: &str, word: &str) -> Option<u64> {
    let before = line.split(word).next().filter(|before| *before != line)?;
    let digits: String = before.rsplit(' ').next()?.chars().filter(|c| *c != ',').collect();
    digits.parse().ok()
}

/// Ends with the test.
struct Load(Child);

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn under_load_no_call_is_missing_while_the_user_looks_around() {
    let Some(lab) = lab() else { return };
    let Some(_alone) = may_capture() else { return };
    let port = free_port();
    let load = Command::new(lab.join("load"))
        .args(["--seconds", "5", "--port", &port.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut load = Load(load);
    let mut lines = BufReader::new(load.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.find(|line| line == "ready").as_deref(), Some("ready"));
    let terminal = Terminal::run(120, 32, &format!("nestscope -i lo -p {port} -B 65536"));
    terminal.wait_for("Listening on lo");
    load.0.stdin.take().unwrap().write_all(b"go\n").unwrap();

    terminal.wait_for("exchanges · following");
    terminal.press(&["2"]);
    terminal.wait_for("latency histogram");
    terminal.press(&["3"]);
    terminal.wait_for("RTT");
    terminal.press(&["p"]);
    terminal.wait_for("packets wait");
    terminal.press(&["p"]);
    terminal.wait_without("paused");
    terminal.press(&["1"]);
    terminal.wait_for("exchanges");
    terminal.press(&["/"]);
    terminal.wait_for("Filter:");
    terminal.answer("status == error");
    terminal.wait_for("shown");

    let sum = lines.find(|line| line.contains("calls_per_second")).unwrap();
    let sum: Value = serde_json::from_str(&sum).unwrap();
    let wanted = |what: &str| sum[what].as_u64();
    let header = |screen: &str| screen.lines().nth(1).unwrap_or_default().to_owned();
    let screen = terminal.wait(&format!("all of {sum}"), |screen| {
        let header = header(screen);
        number_before(&header, " calls") == wanted("calls")
            && number_before(&header, " events") == wanted("events")
            && number_before(&header, " errors") == wanted("errors")
    });
    let header = header(&screen);
    eprintln!("{sum}\n{header}");
    assert!(header.contains("0 kernel drops"), "{screen}");
    assert!(header.contains("0 gaps"), "{screen}");
    let listed = screen.lines().find(|line| line.contains(" shown")).unwrap_or_default();
    assert_eq!(number_before(listed, " of "), wanted("errors"), "{screen}");
    terminal.press(&["C-c"]);
    terminal.wait_for_end(0);
}
