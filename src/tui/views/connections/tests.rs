use insta::assert_snapshot;
use jiff::tz::TimeZone;
use ratatui::crossterm::event::{MouseButton, MouseEventKind};
use ratatui::style::Modifier;

use super::*;
use crate::endpoint::ConnectionNumber;
use crate::exchange::ExchangeNumber;
use crate::tui::status::Activity;
use crate::tui::tests::harness::{Harness, fixture};
use crate::tui::theme::Theme;

fn stage(name: &str, size: (u16, u16)) -> Harness {
    Harness::over(Box::new(Connections::new(TimeZone::UTC)), name, size)
}

#[test]
fn columns_fall_away_by_what_they_matter() {
    assert_snapshot!("80x24", stage("killed-v11.pcap", (80, 24)).screen());
    assert_snapshot!("120x40", stage("twoclients.pcap", (120, 40)).screen());
    assert_snapshot!("200x60", stage("reset.pcap", (200, 60)).screen());
}

#[test]
fn ascii_and_no_colour_tell_the_same() {
    let view = Box::new(Connections::new(TimeZone::UTC));
    let mut stage = Harness::empty(view, (120, 12), Theme::new(false, true));
    stage.take(&fixture("reset.pcap"));
    let screen = stage.screen();
    assert!(screen.is_ascii(), "{screen}");
    assert_snapshot!("ascii", screen);
}

#[test]
fn before_the_first_packet_it_says_what_it_waits_for() {
    let view = Box::new(Connections::new(TimeZone::UTC));
    let mut stage = Harness::empty(view, (80, 12), Theme::new(false, false));
    stage.status.activity = Activity::Live;
    stage.status.filter = "tcp port 8888".to_owned();
    stage.refresh();
    assert_snapshot!("empty", stage.screen());
}

#[test]
fn rows_are_sorted_both_ways_and_the_selected_one_is_kept() {
    let mut stage = stage("twoclients.pcap", (120, 30));
    stage.keys("j");
    let chosen = stage.selected();
    assert!(chosen.starts_with("1 "), "{chosen}");
    // By client: upwards first.
    stage.keys("s");
    assert_eq!(stage.selected(), chosen);
    let clients = |stage: &mut Harness| -> Vec<String> {
        let lines = stage.lines();
        let rows = lines.iter().skip(4).take_while(|line| line.contains("127.0.0.1"));
        rows.map(|line| line.split_whitespace().nth(1).unwrap().to_owned()).collect()
    };
    let upwards = clients(&mut stage);
    assert!(upwards.is_sorted() && upwards.len() == 4, "{upwards:?}");
    stage.keys("S");
    let downwards = clients(&mut stage);
    assert!(downwards.iter().rev().is_sorted(), "{downwards:?}");
    assert_eq!(stage.selected(), chosen);
    stage.keys("<");
    assert!(stage.lines()[3].contains("#▲"), "{}", stage.screen());
    // A click on a title does the same.
    stage.mouse(MouseEventKind::Down(MouseButton::Left), 8, 3);
    assert!(stage.lines()[3].contains("client▲"), "{}", stage.screen());
}

#[test]
fn keys_lead_to_the_calls_and_the_stream() {
    let mut stage = stage("twoclients.pcap", (120, 30));
    let mut view = Connections::new(TimeZone::UTC);
    let (capture, status, theme) = (&stage.capture, &stage.status, &Theme::new(false, false));
    let area = ratatui::layout::Rect::new(0, 3, 120, 26);
    let scene = Scene { capture, status, now: stage.now, theme, area };
    view.refresh(&[], &scene);
    view.act(Action::Down, &scene);
    let commands = view.act(Action::Enter, &scene);
    assert!(matches!(&commands[..], [Command::ShowCalls(filter)] if filter == "connection == 1"));
    stage.keys("jf");
    assert!(stage.lines()[2].contains("Connections → Stream 1"), "{}", stage.screen());
}

#[test]
fn a_number_a_search_and_a_copy() {
    let mut stage = stage("twoclients.pcap", (120, 30));
    stage.keys(":3<Enter>");
    assert!(stage.selected().starts_with("3 "), "{}", stage.selected());
    let client = stage.selected().split_whitespace().nth(1).unwrap().to_owned();
    stage.keys("g<^S>").keys(&format!("{client}<Enter>"));
    assert!(stage.selected().starts_with("3 "), "{}", stage.selected());
    stage.keys("yy");
    assert!(
        matches!(&stage.effects[..], [Effect::Copy(text)] if text.starts_with(&client)),
        "{:?}",
        stage.effects
    );
    stage.keys("<Esc><^S>no such<Enter>");
    assert_eq!(stage.footer(), "No connection shows no such");
    stage.keys(":77<Enter>");
    assert_eq!(stage.footer(), "No connection 77 is known");
}

#[test]
fn calls_of_one_connection_are_saved() {
    let mut stage = stage("twoclients.pcap", (120, 30));
    stage.keys("jwcalls.jsonl<Enter>");
    let [Effect::Save { path, numbers, .. }] = &stage.effects[..] else { panic!() };
    assert_eq!(path, "calls.jsonl");
    let archive = stage.capture.archive();
    let connection = |number: &ExchangeNumber| archive.row(*number).unwrap().connection;
    assert!(numbers.iter().map(connection).all(|connection| connection == ConnectionNumber(1)));
    assert_eq!(numbers.len() as u64, {
        let record = &stage.capture.connections()[1];
        record.calls + record.events
    });
}

#[test]
fn what_is_over_is_dim_and_what_stands_is_not() {
    let view = Box::new(Connections::new(TimeZone::UTC));
    let mut stage = Harness::empty(view, (80, 24), Theme::new(true, false));
    let packets = fixture("walkthrough.pcap");
    stage.take(&packets[..8]);
    let is_dim = |stage: &mut Harness| stage.buffer()[(8, 4)].modifier.contains(Modifier::DIM);
    assert!(!is_dim(&mut stage));
    stage.take(&packets[8..]);
    stage.finish();
    assert!(is_dim(&mut stage), "{}", stage.screen());
}

#[test]
fn hosts_are_called_by_their_names() {
    let names = Names::of_hosts("10.0.0.7 orders");
    let view = Box::new(Connections::new(TimeZone::UTC).with_names(names));
    let mut stage = Harness::empty(view, (120, 24), Theme::new(false, false));
    let mut packets = fixture("walkthrough.pcap");
    for (_, _, data) in &mut packets {
        // The server is the end with port 8888.
        let (address, port) =
            if data[34..36] == 8888_u16.to_be_bytes() { (26, 34) } else { (30, 36) };
        assert_eq!(data[port..port + 2], 8888_u16.to_be_bytes());
        data[address..address + 4].copy_from_slice(&[10, 0, 0, 7]);
    }
    stage.take(&packets);
    stage.finish();
    let screen = stage.screen();
    assert!(screen.contains("orders:8888") && screen.contains("127.0.0.1:"), "{screen}");
}

#[test]
fn every_field_of_a_filter_has_values_and_a_valid_example() {
    let stage = stage("basic-v11.pcap", (120, 40));
    let record = &stage.capture.connections()[0];
    for field in FILTERED {
        let filter = RowFilter::parse(FILTERED, field.example);
        assert!(filter.is_ok(), "{}: {filter:?}", field.example);
        let mut values = 0;
        fields::tell(record, stage.now, field.name, &mut |_| values += 1);
        assert!(values > 0, "{}", field.name);
    }
}

#[test]
fn every_state_can_be_asked_for() {
    for state in ["opening", "refused", "no_answer", "'no answer'", "unreachable"] {
        let filter = RowFilter::parse(FILTERED, &format!("state == {state}"));
        assert!(filter.is_ok(), "{state}: {filter:?}");
    }
    // These rows have no pattern that could be meant.
    let error = RowFilter::parse(FILTERED, "syn").unwrap_err().to_string();
    assert!(!error.contains("pattern"), "{error}");
}

#[test]
fn a_filter_lists_the_connections_that_it_lets_through() {
    let mut stage = stage("twoclients.pcap", (120, 40));
    let all = stage.capture.connections().len();
    let later =
        |it: &&ConnectionRecord| it.facts.connection.number > ConnectionNumber(1) && it.calls > 0;
    let some = stage.capture.connections().iter().filter(later).count();
    assert!(some > 0 && some < all, "{some} of {all}");
    stage.keys("/connection > 1 and calls > 0<Enter>");
    let told = format!("{some} of {all} shown · filter connection > 1 and calls > 0");
    assert!(stage.screen().contains(&told), "{told}\n{}", stage.screen());
    // Esc takes it away again.
    stage.keys("<Esc>");
    assert!(!stage.screen().contains(" shown"), "{}", stage.screen());
}

#[test]
fn marked_connections_are_saved_together() {
    let mut stage = stage("twoclients.pcap", (120, 40));
    stage.keys("  ");
    assert!(stage.screen().contains("2 marked"), "{}", stage.screen());
    stage.keys("wx.jsonl<Enter>");
    let [Effect::Save { numbers, .. }] = &stage.effects[..] else { panic!() };
    let of_two = |row: &crate::store::Row| row.connection < ConnectionNumber(2);
    let rows = stage.capture.archive().rows(ExchangeNumber(0)).filter(of_two);
    assert_eq!(*numbers, rows.map(|row| row.number).collect::<Vec<_>>());
}

#[test]
fn what_is_not_recognised_is_told_by_how_it_began() {
    // The web request of the fixture, in words that nobody knows.
    let packets: Vec<_> = fixture("raw-v11.pcap")
        .into_iter()
        .map(|(at, link, mut data)| {
            for known in [&b"GET "[..], b"HTTP"] {
                if let Some(place) = data.windows(4).position(|window| window == known) {
                    data[place..place + 4].copy_from_slice(b"\x05\x01\x00\x1b");
                }
            }
            (at, link, data)
        })
        .collect();
    let screen = |size: (u16, u16)| {
        let view = Box::new(Connections::new(TimeZone::UTC));
        let mut stage = Harness::empty(view, size, Theme::new(false, false));
        stage.take(&packets);
        stage.finish();
        stage.screen()
    };
    let wide = screen((200, 24));
    assert!(wide.contains(r#"unknown "\x05\x01"..."#), "{wide}");
    // Where there is no room for them, the word alone.
    let narrow = screen((80, 24));
    assert!(narrow.contains("finished  unknown") && !narrow.contains(r#"unknown ""#), "{narrow}");
}
