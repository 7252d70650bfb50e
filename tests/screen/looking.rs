//! From view to view, over the fixtures: move, filter, open, down to the bytes.

use crate::tmux::Terminal;

#[test]
fn keys_move_the_selection() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/basic-v11.pcap");
    let screen = terminal.wait_for("62 exchanges");
    assert!(screen.starts_with("basic-v11.pcap"), "{screen}");
    assert!(
        screen.contains("147 packets  57 calls  5 events  13 failed:  11 errors  2 no reply"),
        "{screen}"
    );
    terminal.wait_for_selected("  1 05:54:27.937 → sum ");
    terminal.press(&["j", "Down"]);
    terminal.wait_for_selected("  3 ");
    terminal.press(&["k"]);
    terminal.wait_for_selected("  2 ");
    terminal.type_text("25G");
    terminal.wait_for_selected(" 25 ");
    terminal.go_to(40);
    terminal.wait_for_selected(" 40 05:54:28.095 → streamChinese");
    terminal.press(&["G"]);
    terminal.wait_for_selected(" 62 ");
    terminal.press(&["g"]);
    terminal.wait_for_selected("  1 ");
}

#[test]
fn times_are_told_as_was_asked_for_and_t_still_switches_them() {
    let terminal =
        Terminal::run(120, 32, "TZ=Asia/Tokyo nestscope -t ad -r fixtures/basic-v11.pcap");
    // As tshark -t ad tells the first packet of data: 2026-11-22 05:54:27.937 in UTC.
    terminal.wait_for_selected("  1 2026-11-22 14:54:27.937 → sum ");
    terminal.press(&["T"]);
    terminal.wait_for("Times in seconds since the first packet");
    terminal.press(&["T", "T"]);
    terminal.wait_for("Dates and times of day");
    terminal.wait_for_selected("  1 2026-11-22 14:54:27.937 → sum ");
    terminal.press(&["w"]);
    terminal.wait_for("Save");
    terminal.answer("calls.csv");
    let saved = std::fs::read_to_string(terminal.wait_for_file("calls.csv", "saved ")).unwrap();
    assert!(saved.contains(",2026-11-22 14:54:27.937"), "{saved}");
}

#[test]
fn a_filter_with_an_error_is_mended() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/basic-v11.pcap");
    terminal.wait_for("62 exchanges");
    terminal.press(&["/"]);
    terminal.wait_for("Filter:");
    terminal.type_text("latancy > 40ms");
    terminal.wait_for("At 1: `latancy` is no field; did you mean latency?");
    // Wrong as it is, it is not taken, and all rows stay.
    terminal.press(&["Enter"]);
    terminal.press(&["Home", "Delete", "Delete", "Delete", "Delete"]);
    let screen = terminal.wait_for("Filter: ncy > 40ms");
    assert!(screen.contains(" 62 "), "{screen}");
    terminal.type_text("late");
    terminal.wait_for("valid");
    terminal.press(&["Enter"]);
    // By tests/recordings.rs: the streams, and the call to an event handler.
    let screen = terminal.wait_for("of 62 shown");
    assert!(screen.contains("· filter latency > 40ms"), "{screen}");
    assert!(screen.contains("streamOf3") && !screen.contains(" echo "), "{screen}");
    terminal.press(&["/"]);
    terminal.wait_for("Filter: latency > 40ms");
    terminal.answer("n > 100000");
    let screen = terminal.wait_for("No exchange matches: n > 100000");
    assert!(screen.contains("Esc clears the filter, / changes it."), "{screen}");
    terminal.press(&["Escape"]);
    terminal.wait_for("62 exchanges");
}

#[test]
fn the_filter_of_the_command_line_is_in_force() {
    let command = r#"nestscope -r fixtures/basic-v11.pcap -Y 'status == error'"#;
    let terminal = Terminal::run(120, 32, command);
    let screen = terminal.wait_for("11 of 62 shown");
    assert!(screen.contains("rpcString") && !screen.contains("streamOf3"), "{screen}");
}

/// The walk that the program stands in for: from the call to the packet with PSH, and its bytes.
#[test]
fn a_call_is_followed_down_to_its_packet() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/walkthrough.pcap");
    terminal.wait_for("3 exchanges");
    terminal.go_to(2);
    terminal.wait_for_selected(" 2 06:04:50.989 → sum ");
    terminal.press(&["Enter"]);
    let screen = terminal.wait_for("1 Calls → Call 2");
    for part in [
        "#2 sum  ok  1.83ms  127.0.0.1:36580 → 127.0.0.1:8888",
        r#""pattern": "sum""#,
        r#""data": [] 3 items"#,
        r#""response": 6"#,
        "#2 sum  64 B  [PSH, ACK]",
    ] {
        assert!(screen.contains(part), "no {part} in\n{screen}");
    }
    terminal.press(&["x"]);
    terminal.press(&["z"]);
    // As tcpdump shows packet 6: 52 bytes of headers behind those of Ethernet, then the frame.
    let screen = terminal.wait_for("packet #6: 130 bytes, 64 of this call");
    assert!(screen.contains("36580 → 8888 [PSH, ACK] Seq=37 Ack=1 Win=64 Len=64"), "{screen}");
    let screen = terminal.wait_for("00080  22 7d");
    assert!(screen.contains("36 31 23 7b 22 70  61 74 74 65 72 6e 22 3a"), "{screen}");
    terminal.press(&["z"]);
    terminal.wait_for("─ Ladder ─");
    terminal.press(&["]"]);
    terminal.wait_for("1 Calls → Call 3");
    terminal.press(&["Escape"]);
    terminal.wait_for("3 exchanges");
}

#[test]
fn a_bar_of_the_histogram_lists_its_calls() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/walkthrough.pcap");
    terminal.wait_for("3 exchanges");
    terminal.press(&["2"]);
    let screen = terminal.wait_for("latency histogram");
    assert!(screen.contains("sum  p50 698µs  p90 1.83ms  p99 1.83ms  max 1.83ms"), "{screen}");
    terminal.press(&["Enter"]);
    terminal.wait_for("2 calls of 698µs to 1.83ms");
    // From all bars to the first one, of the call that took 698 µs.
    terminal.press(&["Right"]);
    let screen = terminal.wait_for("1 call, 50.0%; 0% are shorter");
    assert!(screen.contains("630µs to 710µs"), "{screen}");
    terminal.press(&["Enter"]);
    let screen = terminal.wait_for("1 of 3 shown · filter");
    assert!(screen.contains("latency >= 630us && latency < 710us"), "{screen}");
    assert!(screen.contains("[3,5,6] → 14"), "{screen}");
}

#[test]
fn connections_lead_to_their_stream_and_calls() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/walkthrough.pcap");
    terminal.wait_for("3 exchanges");
    terminal.press(&["3"]);
    let screen = terminal.wait_for("127.0.0.1:36580  127.0.0.1:8888");
    assert!(screen.contains("finished  Nest"), "{screen}");
    terminal.press(&["f"]);
    terminal.wait_for("Stream 0");
    terminal.wait_for(r##"29#{"pattern":"log","data":"求和"}"##);
    terminal.wait_for(r##"61#{"pattern":"sum","data":[1,2,3],"id":"ba1b38290e7ce365d4494"}"##);
    terminal.press(&["x"]);
    terminal.wait_for("both sides, text");
    terminal.press(&["x"]);
    terminal.wait_for("32 39 23 7b 22 70 61 74");
    terminal.press(&["Escape"]);
    terminal.wait_without("Stream 0");
    terminal.press(&["Enter"]);
    terminal.wait_for("3 of 3 shown · filter connection == 0");
}

#[test]
fn packets_are_read_in_a_line_and_lead_to_their_call() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/walkthrough.pcap");
    terminal.wait_for("3 exchanges");
    terminal.press(&["4"]);
    let screen = terminal.wait_for("[SYN]");
    assert!(screen.contains("36580 → 8888 [SYN] Seq=0 Win="), "{screen}");
    terminal.go_to(6);
    let screen = terminal.wait_for("00040  cc c1 36 31 23 7b 22 70");
    assert!(screen.contains("0000  00 00 00"), "{screen}");
    terminal.press(&["Enter"]);
    terminal.wait_for("Call 2");
}

#[test]
fn the_help_names_the_keys_of_the_place_and_the_filters() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/walkthrough.pcap");
    terminal.wait_for("3 exchanges");
    terminal.press(&["?"]);
    let screen = terminal.wait_for("1 Calls → Help");
    assert!(screen.contains("Open the call: payload, timing, packets"), "{screen}");
    terminal.press(&["G"]);
    terminal.wait_without("Open the call: payload");
    terminal.press(&["Escape"]);
    terminal.wait_for("3 exchanges");
    terminal.press(&["2"]);
    terminal.wait_for("latency histogram");
    terminal.press(&["F1"]);
    let screen = terminal.wait_for("Open the pattern: its latencies");
    assert!(screen.contains("2 Patterns → Help"), "{screen}");
}

/// Fast fingers, tmux and ssh: ESC and the next key come in one read, as Alt and the key do.
#[test]
fn esc_and_the_next_key_may_come_at_once() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/walkthrough.pcap");
    terminal.wait_for("3 exchanges");
    terminal.press(&["Enter"]);
    terminal.wait_for("Event 1");
    terminal.press(&["Escape", "2"]);
    let screen = terminal.wait_for("latency histogram");
    assert!(!screen.contains("Event 1"), "{screen}");
    terminal.press(&["1", "Enter"]);
    terminal.wait_for("Event 1");
    // An arrow is a sequence of its own, which begins with ESC too.
    terminal.press(&["Escape", "Down"]);
    terminal.wait_for_selected("  2 ");
    terminal.press(&["/"]);
    terminal.wait_for("Filter:");
    terminal.press(&["Escape", "q"]);
    terminal.wait_for_end(0);
}

#[test]
fn connections_and_packets_are_filtered_by_their_own_fields() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/walkthrough.pcap");
    terminal.wait_for("3 exchanges");
    terminal.press(&["4", "/"]);
    terminal.wait_for("Filter:");
    terminal.type_text("latency > 1ms");
    terminal.wait_for("`latency` is no field");
    // By tshark: tcp.flags.syn == 1, and tcp.srcport == 8888 with a payload.
    terminal.answer("flags == syn");
    terminal.wait_for("2 of 14 shown filter flags == syn");
    terminal.press(&["/"]);
    terminal.answer("src.port == 8888 and payload > 0");
    let screen = terminal.wait_for("2 of 14 shown filter src.port");
    assert!(!screen.contains("[SYN]"), "{screen}");
    terminal.press(&["Escape"]);
    terminal.wait_for("[SYN]");
    terminal.press(&["3", "/"]);
    terminal.answer("state == open");
    terminal.wait_for("0 of 1 shown · filter state == open");
    terminal.press(&["/"]);
    terminal.answer("server.port == 8888 and calls == 2");
    terminal.wait_for("1 of 1 shown");
}

#[test]
fn what_is_typed_in_patterns_is_no_part_of_what_stood_there() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/basic-v11.pcap");
    terminal.wait_for("62 exchanges");
    terminal.press(&["2"]);
    terminal.wait_for("latency histogram");
    terminal.press(&["/"]);
    terminal.wait_for("Filter: pattern ==");
    terminal.type_text("status == error");
    terminal.wait_for("valid");
    terminal.press(&["Enter"]);
    terminal.wait_for("11 of 62 shown · filter status == error");
}

/// The failure that most people come for is seen at once, and opens like a call.
#[test]
fn a_stopped_service_is_seen_at_once() {
    let terminal = Terminal::run(120, 32, "nestscope -r fixtures/refused.pcap");
    let screen = terminal.wait_for("2 refused");
    // The column of the payload is too narrow for all of it: the page says it whole.
    assert!(screen.contains("refused: RST by the ser"), "{screen}");
    terminal.press(&["5"]);
    let screen = terminal.wait_for("no answer");
    assert!(screen.contains("127.0.0.1:36239"), "{screen}");
    terminal.press(&["Enter"]);
    terminal.wait_for("filter server == 127.0.0.1:36239");
    terminal.press(&["Enter"]);
    let screen = terminal.wait_for("attempt to connect  refused");
    assert!(screen.contains("refused: RST by the server after"), "{screen}");
    assert!(screen.contains("[SYN]") && screen.contains("[RST, ACK]"), "{screen}");
    terminal.press(&["f"]);
    terminal.wait_for("No byte was sent on this connection. Its packets:");
}
