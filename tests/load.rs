//! The program itself, capturing live on loopback: under the lab's load, at rest, and in every way
//! of ending. Needs the right to capture, and for the load node with the lab's packages: without
//! them each test says that it is skipped.

#![cfg(all(feature = "live", target_os = "linux"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy takes the helpers of a test for a program"
)]

#[path = "common/lab.rs"]
mod lab;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use lab::{Talk, free_port, lab};

const PROGRAM: &str = env!("CARGO_BIN_EXE_nestscope");

/// How long anything may take that should be done at once, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program while it runs. It is killed when the test is over.
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Its lines, as they come, each with the time at which it came.
    lines: Receiver<(Instant, String)>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let lines = lines(child.stdout.take().unwrap());
        Self { child, stdin, lines }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// The next line that holds `part`.
    fn line_with(&self, part: &str) -> (Instant, String) {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("no line with {part}"));
            if line.1.contains(part) {
                return line;
            }
        }
    }

    /// Waits until it ends; its exit code, the lines that were not taken, and what it said.
    fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        drop(self.stdin.take());
        let until = Instant::now() + PATIENCE;
        let mut stderr = self.child.stderr.take().unwrap();
        let said = thread::spawn(move || {
            let mut said = String::new();
            stderr.read_to_string(&mut said).unwrap();
            said
        });
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "does not end");
            thread::sleep(Duration::from_millis(5));
        }
        let code = self.child.wait().unwrap().code();
        (code, self.lines.iter().map(|(_, line)| line).collect(), said.join().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(from: ChildStdout) -> Receiver<(Instant, String)> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(line) = line else { break };
            if send.send((Instant::now(), line)).is_err() {
                break;
            }
        }
    });
    receive
}

fn nestscope(arguments: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments.split_whitespace());
    command
}

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// One test at a time: what one sends would delay what another measures.
static ALONE: Mutex<()> = Mutex::new(());

/// The right to capture on the loopback, alone; `None`, and a word why, where this user may not.
fn may_capture() -> Option<MutexGuard<'static, ()>> {
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let output = run(&mut nestscope("-i lo -a duration:0.01 -q"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("no permission") {
        eprintln!("skipped: no permission to capture");
        return None;
    }
    assert!(output.status.success(), "{said}");
    Some(alone)
}

/// Calls until the program has shown one: it listens.
fn call_until_seen(talk: &mut Talk, running: &Running) {
    let begun = Instant::now();
    for number in 0.. {
        talk.call(&format!("hello {number}"));
        if running.lines.recv_timeout(Duration::from_millis(100)).is_ok() {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "nothing is seen");
    }
    // Those that it saw, but showed later.
    while running.lines.recv_timeout(Duration::from_millis(300)).is_ok() {}
}

/// What tshark says that a file holds; `None` where tshark is not there.
fn packets_by_tshark(file: &Path) -> Option<usize> {
    let mut tshark = Command::new("tshark");
    let output =
        output_of(tshark.arg("-r").arg(file).args(["-T", "fields", "-e", "frame.number"]))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("cut short") && !said.contains("isn't"), "{said}");
    Some(output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count())
}

fn output_of(command: &mut Command) -> Option<Output> {
    match command.stdin(Stdio::null()).output() {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("skipped: {}: {error}", command.get_program().display());
            None
        }
    }
}

fn completeness(said: &str) -> &str {
    said.lines().last().unwrap_or_default()
}

/// The number before ` {what}` in the completeness line.
fn counted(line: &str, what: &str) -> u64 {
    let part = line.split(", ").find(|part| part.ends_with(what)).unwrap_or_else(|| {
        panic!("no {what} in {line}");
    });
    let number: String = part.chars().filter(char::is_ascii_digit).collect();
    number.parse().unwrap()
}

#[test]
fn a_call_is_shown_within_100_ms() {
    let Some(_alone) = may_capture() else { return };
    let mut talk = Talk::new();
    let running = Running::start(&mut nestscope(&format!("calls -T json -i lo -p {}", talk.port)));
    call_until_seen(&mut talk, &running);
    let mut delays = Vec::new();
    for number in 0..10 {
        // Nothing else flows, before or after.
        thread::sleep(Duration::from_millis(150));
        let id = format!("lonely {number}");
        talk.call(&id);
        let sent = Instant::now();
        let (shown, line) = running.line_with(&id);
        delays.push(shown.saturating_duration_since(sent));
        assert!(line.contains(r#""status":"ok""#) && line.contains(r#""response":[6]"#), "{line}");
    }
    delays.sort_unstable();
    eprintln!("delays: half {:?}, most {:?}", delays[5], delays[9]);
    // 100 ms, and what a busy machine takes to let three processes run.
    assert!(delays[5] < Duration::from_millis(100), "{delays:?}");
    assert!(delays[9] < Duration::from_millis(250), "{delays:?}");
    running.signal("INT");
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn a_signal_ends_the_run_with_its_summary_and_a_whole_file() {
    let Some(_alone) = may_capture() else { return };
    let folder = tempfile::TempDir::new().unwrap();
    for signal in ["INT", "TERM"] {
        let file = folder.path().join(signal);
        let mut talk = Talk::new();
        let mut command = nestscope(&format!("-T json -i lo -p {} -w", talk.port));
        let running = Running::start(command.arg(&file));
        call_until_seen(&mut talk, &running);
        for number in 0..200 {
            talk.call(&format!("{signal} {number}"));
        }
        running.signal(signal);
        let (code, lines, said) = running.end();
        assert_eq!(code, Some(0), "{said}");
        let of_loop = lines.iter().filter(|line| line.contains(&format!("\"id\":\"{signal} ")));
        assert_eq!(of_loop.count(), 200, "what was sent before the signal is shown");
        let line = completeness(&said);
        assert_eq!(counted(line, "kernel drops"), 0, "{line}");
        assert_eq!(counted(line, "calls still open"), 0, "{line}");
        if let Some(packets) = packets_by_tshark(&file) {
            assert_eq!(counted(line, "packets"), packets as u64, "{line}");
        }
        let again = run(nestscope("calls -T json -q -r").arg(&file));
        let again = String::from_utf8(again.stdout).unwrap();
        assert_eq!(again.lines().filter(|line| line.contains(signal)).count(), 200);
    }
}

#[test]
fn packets_or_time_end_the_run() {
    let Some(_alone) = may_capture() else { return };
    let mut talk = Talk::new();
    let port = talk.port;
    let running = Running::start(&mut nestscope(&format!("report -T json -i lo -p {port} -c 50")));
    let begun = Instant::now();
    let mut child = running;
    while child.child.try_wait().unwrap().is_none() {
        talk.call("many");
        thread::sleep(Duration::from_millis(2));
        assert!(begun.elapsed() < PATIENCE);
    }
    let (code, lines, _) = child.end();
    assert_eq!(code, Some(0));
    assert!(lines[0].starts_with(r#"{"capture":{"packets":50,"#), "{}", lines[0]);

    let begun = Instant::now();
    let running =
        Running::start(&mut nestscope(&format!("report -T json -i lo -p {port} -a duration:0.7")));
    let (code, lines, said) = running.end();
    assert_eq!((code, lines.len()), (Some(0), 1), "{said}");
    let took = begun.elapsed();
    assert!((700..3_000).contains(&took.as_millis()), "{took:?}");
}

#[test]
fn what_cannot_be_captured_on_is_explained() {
    let Some(_alone) = may_capture() else { return };
    let output = run(&mut nestscope("-i nosuch0"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.starts_with("error: there is no interface nosuch0. There are: "), "{said}");
    assert!(said.split([' ', ',', '.', '\n']).any(|word| word == "lo"), "{said}");
    assert_eq!(output.stdout, b"");
}

#[test]
fn without_permission_one_message_says_what_to_do() {
    // Where others can run it: a copy, as the folder of the build may be closed to them.
    let folder = tempfile::TempDir::new().unwrap();
    let program = folder.path().join("nestscope");
    fs::copy(PROGRAM, &program).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path(), open).unwrap();
    let rights = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"];
    let mut command = Command::new("setpriv");
    let Some(output) = output_of(command.args(rights).arg(&program).args(["-i", "lo"])) else {
        return;
    };
    let said = String::from_utf8(output.stderr).unwrap();
    if said.starts_with("setpriv") {
        eprintln!("skipped: cannot run as another user: {said}");
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{said}");
    let expected = format!(
        "error: no permission to capture on lo. Run it as root: sudo nestscope … ; or let this \
         program capture for every user: sudo setcap cap_net_raw+ep {}\n",
        program.display()
    );
    assert_eq!(said, expected);
    assert_eq!(output.stdout, b"");
}

#[test]
fn what_tcpdump_pipes_is_shown_as_it_happens() {
    let Some(_alone) = may_capture() else { return };
    let mut talk = Talk::new();
    let filter = format!("port {}", talk.port);
    let tcpdump = Command::new("tcpdump")
        .args(["-i", "lo", "-U", "--immediate-mode", "-w", "-", &filter])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut tcpdump) = tcpdump else {
        eprintln!("skipped: tcpdump is not there");
        return;
    };
    let mut command = nestscope("calls -T json -r -");
    let mut child = command
        .stdin(tcpdump.stdout.take().unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = lines(child.stdout.take().unwrap());
    let running = Running { child, stdin: None, lines };
    call_until_seen(&mut talk, &running);
    talk.call("piped");
    let sent = Instant::now();
    let (shown, _) = running.line_with("piped");
    let delay = shown.saturating_duration_since(sent);
    eprintln!("shown after {delay:?}");
    assert!(delay < Duration::from_secs(1), "{delay:?}");
    let id = tcpdump.id().to_string();
    Command::new("kill").args(["-s", "INT", &id]).status().unwrap();
    tcpdump.wait().unwrap();
    let (code, _, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
}

/// Nest's route text of a pattern of the load.
fn route(pattern: &Value) -> String {
    match pattern {
        Value::String(text) => text.clone(),
        // serde_json keeps the keys of an object sorted.
        other => other.to_string(),
    }
}

#[test]
fn under_load_every_call_is_found_once() {
    let Some(lab) = lab() else { return };
    let Some(_alone) = may_capture() else { return };
    let folder = tempfile::TempDir::new().unwrap();
    let (log, port) = (folder.path().join("log"), free_port());
    let mut load = Command::new(lab.join("load"));
    load.args(["--seconds", "5", "--port", &port.to_string(), "--log"]).arg(&log);
    let mut load = Running::start(&mut load);
    load.line_with("ready");

    // To a file: what the test itself does meanwhile must not slow what it measures.
    let out = folder.path().join("calls.jsonl");
    let mut command = nestscope(&format!("calls -T json -i lo -p {port} -B 65536"));
    let child = command
        .stdin(Stdio::null())
        .stdout(fs::File::create(&out).unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let program = Running { child, stdin: None, lines: channel().1 };
    // Until it listens: the kernel has a socket of raw packets more.
    thread::sleep(Duration::from_millis(500));
    load.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let (_, sum) = load.line_with("calls_per_second");
    assert_eq!(load.end().0, Some(0));
    thread::sleep(Duration::from_millis(300));
    program.signal("INT");
    let (code, _, said) = program.end();
    assert_eq!(code, Some(0), "{said}");
    let line = completeness(&said);
    eprintln!("{sum}\n{line}");

    let sum: Value = serde_json::from_str(&sum).unwrap();
    assert_eq!(sum["unanswered"], 0, "{sum}");
    assert_eq!(counted(line, "kernel drops"), 0, "{said}");
    for what in ["gaps", "undecodable frames", "orphan replies", "calls still open"] {
        assert_eq!(counted(line, what), 0, "{said}");
    }
    let rate = sum["calls_per_second"].as_u64().unwrap();
    assert!(rate >= 10_000, "the load itself was too slow: {sum}");

    // What each connection wrote, in its order.
    type Sent = Vec<(String, Option<String>)>;
    let mut sent: BTreeMap<String, Sent> = BTreeMap::new();
    for line in BufReader::new(fs::File::open(&log).unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let id = line["id"].as_str().map(str::to_owned);
        let client = line["client"].as_str().unwrap().to_owned();
        sent.entry(client).or_default().push((route(&line["pattern"]), id));
    }
    // What was shown of each connection, in the order of the first bytes.
    let mut shown: BTreeMap<String, Vec<(u64, String, Option<String>)>> = BTreeMap::new();
    let mut statuses: HashMap<String, u64> = HashMap::new();
    for line in BufReader::new(fs::File::open(&out).unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let text = |key: &str| line[key].as_str().map(str::to_owned);
        *statuses.entry(text("status").unwrap()).or_default() += 1;
        let (pattern, id) = (text("pattern").unwrap(), text("id"));
        let failed = ["rpcString", "nobody"].contains(&pattern.as_str());
        let expected = match (&id, failed) {
            (None, _) => "sent",
            (Some(_), true) => "error",
            (Some(_), false) => "ok",
        };
        assert_eq!(line["status"], expected, "{line}");
        let number = line["n"].as_u64().unwrap();
        shown.entry(text("client").unwrap()).or_default().push((number, pattern, id));
    }
    let count = |key: &str| sum[key].as_u64().unwrap();
    assert_eq!(statuses["sent"], count("events"));
    assert_eq!(statuses["error"], count("errors"));
    assert_eq!(statuses["ok"], count("calls") - count("errors"));
    let shown: BTreeMap<String, Sent> = shown
        .into_iter()
        .map(|(client, mut calls)| {
            calls.sort_unstable_by_key(|(number, ..)| *number);
            (client, calls.into_iter().map(|(_, pattern, id)| (pattern, id)).collect())
        })
        .collect();
    assert_eq!(sent.keys().collect::<Vec<_>>(), shown.keys().collect::<Vec<_>>());
    for (client, sent) in &sent {
        for (index, (sent, shown)) in sent.iter().zip(&shown[client]).enumerate() {
            assert_eq!(sent, shown, "{client}, the {index}. of its exchanges");
        }
        assert_eq!(sent.len(), shown[client].len(), "{client}");
    }
}
