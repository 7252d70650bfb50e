//! Size, colours and characters.

use crate::tmux::Terminal;

const SHOW: &str = "nestscope -r fixtures/basic-v11.pcap";

#[test]
fn another_size_is_drawn_at_once() {
    let terminal = Terminal::run(120, 32, SHOW);
    terminal.wait_for("62 exchanges");
    terminal.wait_for_selected("  1 ");
    // Columns fall away.
    terminal.resize(80, 24);
    let screen = terminal.wait_without("request   reply");
    assert!(screen.contains("pattern") && screen.contains("latency"), "{screen}");
    terminal.wait_for_selected("  1 ");
    terminal.resize(20, 5);
    terminal.wait_for("Too small");
    terminal.resize(1, 1);
    terminal.resize(200, 60);
    let screen = terminal.wait_for("request   reply");
    assert!(screen.contains("62 exchanges") && screen.contains(" 52 05:"), "{screen}");
    assert!(screen.lines().any(|line| line.chars().count() > 150), "{screen}");
    terminal.wait_for_selected("  1 ");
    terminal.press(&["q"]);
    terminal.wait_for_end(0);
}

/// The colours of the screen: numbers of SGR but for 0 to 9 and 21 to 29 (bold, dim, reverse), and
/// the return to the default (39, 49).
fn colours(screen: &str) -> Vec<&str> {
    let sequences = screen.split("\u{1b}[").skip(1).filter_map(|part| part.split_once('m'));
    let codes = sequences.flat_map(|(codes, _)| codes.split(';'));
    codes.filter(|code| matches!(code.parse(), Ok(30..=38 | 40..=48 | 90..=107))).collect()
}

#[test]
fn without_colour_nothing_is_coloured() {
    let coloured = Terminal::run(120, 32, SHOW);
    coloured.wait_for("62 exchanges");
    assert!(!colours(&coloured.screen_with_looks()).is_empty());
    for command in [format!("NO_COLOR=1 {SHOW}"), format!("{SHOW} --color never")] {
        let terminal = Terminal::run(120, 32, &command);
        terminal.wait_for("62 exchanges");
        for (key, shown) in
            [("2", "latency histogram"), ("3", "RTT"), ("4", "[SYN]"), ("?", "Help")]
        {
            let screen = terminal.screen_with_looks();
            assert_eq!(colours(&screen), [""; 0], "{command}\n{screen}");
            terminal.press(&[key]);
            terminal.wait_for(shown);
        }
        // What is selected is seen all the same.
        terminal.press(&["Escape"]);
        terminal.wait_without("Help");
        terminal.press(&["1"]);
        terminal.wait_for_selected("  1 ");
    }
}

#[test]
fn ascii_alone_is_enough() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/walkthrough.pcap --ascii");
    let screen = terminal.wait_for("3 exchanges");
    assert!(screen.contains("[1,2,3] > 6"), "{screen}");
    // What is from the wire stays what it is.
    assert_eq!(beyond_ascii(&screen), "求和");
    terminal.go_to(3);
    terminal.press(&["Enter"]);
    terminal.wait_for("Call 3");
    assert_eq!(beyond_ascii(&terminal.wait_for("#3 reply  65 B")), "");
    terminal.press(&["2"]);
    assert_eq!(beyond_ascii(&terminal.wait_for("latency histogram")), "");
    terminal.press(&["Enter"]);
    for shown in ["percentile curve", "latency over time"] {
        terminal.press(&["Tab"]);
        assert_eq!(beyond_ascii(&terminal.wait_for(shown)), "");
    }
    for (key, shown) in [("3", "RTT"), ("4", "[SYN]"), ("?", "Help")] {
        terminal.press(&[key]);
        assert_eq!(beyond_ascii(&terminal.wait_for(shown)), "", "{shown}");
    }
}

fn beyond_ascii(screen: &str) -> String {
    screen.chars().filter(|c| !c.is_ascii()).collect()
}
