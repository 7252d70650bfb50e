//! Commands that repeat a call, judged by the shell that would run them.

#![allow(clippy::unwrap_used, reason = "clippy takes the helpers of a test for a program")]

use std::process::Command;

use nestscope::export::netcat;
use nestscope::report::is_acting;

#[test]
fn the_shell_gives_the_frame_byte_for_byte() {
    for body in [
        r#"{"pattern":"sum","data":[1,2,3],"id":"e32e6daac5b801d68adcf"}"#,
        r#"{"pattern":"it's 100% \"ok\" \\ \n","data":"余额 👍","id":"1"}"#,
        "{\"data\":\"\u{202e}\u{9b}\u{200b}'; rm -rf /; echo '\",\"id\":1}",
        r#"{"data":"$(id) `id` $HOME !! %s %n \0101","id":1}"#,
    ] {
        let line = netcat(body.as_bytes(), "[::1]:8888".parse().unwrap());
        assert!(!line.contains(is_acting), "{line}");
        let (printf, nc) = line.rsplit_once(" | ").unwrap();
        assert_eq!(nc, "nc -w 5 ::1 8888");
        let shell = Command::new("sh").args(["-c", printf]).output().unwrap();
        let units = body.encode_utf16().count();
        assert_eq!(String::from_utf8(shell.stdout).unwrap(), format!("{units}#{body}"));
    }
}
