use insta::assert_snapshot;
use ratatui::crossterm::event::{MouseButton, MouseEventKind};

use super::*;
use crate::exchange::ExchangeNumber;
use crate::tui::tests::harness::{Harness, Raw, fixture};
use crate::tui::theme::Theme;

/// A stopped service, then one that answers, one whose clients are killed, and one that nothing
/// answers for.
fn packets() -> Vec<Raw> {
    let mut packets = fixture("refused.pcap");
    let mut silent: Vec<Raw> =
        packets.iter().filter(|(_, _, data)| flags(data) == SYN).cloned().collect();
    for (_, _, data) in &mut silent {
        // The port of the server.
        data[36..38].copy_from_slice(&9_999_u16.to_be_bytes());
    }
    packets.extend(fixture("killed-v11.pcap"));
    packets.extend(fixture("basic-v11.pcap"));
    // Nothing comes when they are sent again either.
    for (at, link, data) in silent.clone() {
        let later = Timestamp::from_nanos(at.as_nanos() + 3_000_000_000);
        silent.push((later, link, data));
    }
    packets.extend(silent);
    packets.sort_by_key(|(at, ..)| *at);
    packets
}

const SYN: u8 = 2;

/// Of a segment over IPv4 in Ethernet.
fn flags(data: &[u8]) -> u8 {
    data[14 + 20 + 13]
}

fn stage(size: (u16, u16)) -> Harness {
    let mut stage = Harness::empty(Box::new(Servers::new()), size, Theme::new(false, false));
    stage.take(&packets());
    stage.finish();
    stage
}

#[test]
fn what_failed_is_seen_before_percentiles() {
    assert_snapshot!("80x24", stage((80, 24)).screen());
    assert_snapshot!("140x24", stage((140, 24)).screen());
}

#[test]
fn before_the_first_packet_it_says_what_it_waits_for() {
    let mut stage = Harness::empty(Box::new(Servers::new()), (80, 12), Theme::new(false, true));
    stage.status.activity = Activity::Live;
    stage.refresh();
    let screen = stage.screen();
    assert!(screen.contains("No server yet: nothing came yet."), "{screen}");
    assert!(screen.is_ascii(), "{screen}");
}

#[test]
fn rows_are_sorted_both_ways_and_the_selected_one_is_kept() {
    let mut stage = stage((140, 24));
    stage.keys("j");
    let chosen = stage.selected();
    stage.keys("s");
    assert!(stage.lines()[3].contains("calls▼"), "{}", stage.screen());
    assert_eq!(stage.selected(), chosen);
    let calls = |stage: &mut Harness| -> Vec<u64> {
        let lines = stage.lines();
        let rows = lines.iter().skip(4).take_while(|line| line.contains("127.0.0.1"));
        let title = lines[3].chars().collect::<String>();
        let column = title.chars().count() - title.split_once("calls").unwrap().1.chars().count();
        let cell = |line: &String| line.chars().skip(column - 7).take(8).collect::<String>();
        rows.map(|line| cell(line).trim().parse().unwrap_or(0)).collect()
    };
    let downwards = calls(&mut stage);
    assert!(downwards.iter().rev().is_sorted() && downwards[0] == 57, "{downwards:?}");
    stage.keys("S");
    assert!(calls(&mut stage).is_sorted(), "{}", stage.screen());
    assert_eq!(stage.selected(), chosen);
    // A click on a title does the same.
    stage.mouse(MouseEventKind::Down(MouseButton::Left), 2, 3);
    assert!(stage.lines()[3].contains("server▲"), "{}", stage.screen());
}

#[test]
fn enter_shows_the_calls_to_the_server() {
    let stage = stage((140, 24));
    let mut view = Servers::new();
    let (capture, status, theme) = (&stage.capture, &stage.status, &Theme::new(false, false));
    let area = Rect::new(0, 3, 140, 20);
    let scene = Scene { capture, status, now: stage.now, theme, area };
    view.refresh(&[], &scene);
    for row in 0..view.lines.len() {
        let server = view.lines[row].server.unwrap();
        let commands = view.act(Action::Enter, &scene);
        let [Command::ShowCalls(filter)] = &commands[..] else { panic!("{server}") };
        assert_eq!(*filter, format!("server == {server}"));
        let filter = crate::query::Filter::parse(filter).unwrap();
        let archive = capture.archive();
        let matching = ExchangeNumber::each(archive.numbers()).filter(|number| {
            archive.exchange(*number, |exchange| filter.matches(exchange)) == Some(true)
        });
        let outcomes = &view.lines[row].outcomes;
        assert_eq!(matching.count() as u64, outcomes.messages() + outcomes.connects);
        view.act(Action::Down, &scene);
    }
}

#[test]
fn a_filter_a_search_and_a_copy() {
    let mut stage = stage((120, 24));
    stage.keys("/refused > 0 or no_answer > 0<Enter>");
    assert!(stage.screen().contains("3 of 4 shown"), "{}", stage.screen());
    stage.keys("<Esc><^S>:9999<Enter>");
    assert!(stage.selected().starts_with("127.0.0.1:9999"), "{}", stage.selected());
    stage.keys("yy");
    assert_eq!(stage.effects.pop(), Some(Effect::Copy("127.0.0.1:9999".to_owned())));
    stage.keys(" wx.jsonl<Enter>");
    let Some(Effect::Save { numbers, .. }) = stage.effects.pop() else { panic!() };
    let archive = stage.capture.archive();
    let port = |number: ExchangeNumber| archive.detail(number).unwrap().ends.server.port();
    assert!(!numbers.is_empty() && numbers.iter().all(|number| port(*number) == 9_999));
}

#[test]
fn every_field_of_a_filter_has_values_and_a_valid_example() {
    let stage = stage((120, 24));
    let rows = stage.capture.servers();
    let line = Line::new(rows[0], Nanos::from_millis(1_000));
    for field in FILTERED {
        let filter = RowFilter::parse(FILTERED, field.example);
        assert!(filter.is_ok(), "{}: {filter:?}", field.example);
        let mut values = 0;
        fields::tell(&line, field.name, &mut |_| values += 1);
        assert!(values > 0, "{}", field.name);
    }
}
