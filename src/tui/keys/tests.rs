use Action as A;
use Context as C;

use std::collections::BTreeMap;

use super::*;

fn press(reader: &mut Reader, context: Context, keys: &str) -> Vec<Pressed> {
    let event = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
    keys.chars().map(|c| reader.press(context, &event(c))).collect()
}

#[test]
fn no_key_means_two_things_in_one_place() {
    for context in Context::all() {
        let mut seen = BTreeMap::new();
        for binding in bindings(context) {
            for key in binding.keys {
                let before = seen.insert(*key, binding.action);
                assert_eq!(before, None, "{key} in {context:?}");
                // The first of two strokes means nothing on its own.
                let first = key.split(' ').next().unwrap();
                assert!(*key == first || lookup(context, first).is_none(), "{key}");
            }
        }
    }
}

#[test]
fn a_key_means_one_thing_in_all_views() {
    let mut meanings = BTreeMap::new();
    for (binding, key) in TABLE.iter().flat_map(|row| row.keys.iter().map(move |key| (row, key))) {
        let action = *meanings.entry(key).or_insert(binding.action);
        assert_eq!(action, binding.action, "{key}");
    }
    // What the hand knows: filter, search, mark, pause.
    for (key, action) in [("/", A::Filter), ("^S", A::Search), ("Space", A::Mark), ("p", A::Pause)]
    {
        assert_eq!(meanings.get(&key), Some(&action), "{key}");
    }
}

#[test]
fn whatever_can_be_asked_for_has_a_key_and_a_sentence() {
    for action in Action::all().into_iter().chain((1..=5).map(A::View)) {
        let rows: Vec<_> = TABLE.iter().filter(|row| row.action == action).collect();
        assert!(!rows.is_empty(), "{action:?}");
        assert!(rows.iter().all(|row| !row.keys.is_empty() && !row.help.is_empty()));
    }
}

#[test]
fn every_key_of_the_table_can_be_typed() {
    use KeyCode::*;
    let mut typed: Vec<String> = (' '..='~')
        .map(|c| KeyEvent::new(Char(c), KeyModifiers::NONE))
        .chain(('a'..='z').map(|c| KeyEvent::new(Char(c), KeyModifiers::CONTROL)))
        .chain(
            [Up, Down, Left, Right, PageUp, PageDown, Home, End, Enter, Esc, Tab, F(1)]
                .map(|code| KeyEvent::new(code, KeyModifiers::NONE)),
        )
        .chain([KeyEvent::new(BackTab, KeyModifiers::SHIFT)])
        .filter_map(|event| name(&event))
        .collect();
    typed.sort();
    for stroke in TABLE.iter().flat_map(|row| row.keys).flat_map(|key| key.split(' ')) {
        assert!(typed.binary_search(&stroke.to_owned()).is_ok(), "{stroke}");
    }
}

#[test]
fn a_number_goes_before_g() {
    let mut reader = Reader::default();
    let pressed = press(&mut reader, C::Calls, "25G");
    assert_eq!(pressed.last(), Some(&Pressed::Act(A::GoTo(25))));
    assert_eq!(press(&mut reader, C::Calls, "G"), [Pressed::Act(A::Bottom)]);
    // One digit chose a view.
    let bottom_of_two = [Pressed::Act(A::View(2)), Pressed::Act(A::Bottom)];
    assert_eq!(press(&mut reader, C::Calls, "2G"), bottom_of_two);
    assert_eq!(press(&mut reader, C::Calls, "7g"), [Pressed::Wait, Pressed::Act(A::GoTo(7))]);
    let long = "9".repeat(100) + "G";
    assert_eq!(
        press(&mut reader, C::Calls, &long).last(),
        Some(&Pressed::Act(A::GoTo(9_999_999_999_999_999_999)))
    );
    // What stands between ends it.
    assert_eq!(press(&mut reader, C::Calls, "12jG").last(), Some(&Pressed::Act(A::Bottom)));
}

#[test]
fn two_strokes_copy() {
    let mut reader = Reader::default();
    let id = [Pressed::Wait, Pressed::Act(A::CopyId)];
    assert_eq!(press(&mut reader, C::Calls, "yi"), id);
    // An unknown second stroke does nothing, not even what it does alone.
    assert_eq!(press(&mut reader, C::Calls, "yq"), [Pressed::Wait, Pressed::Nothing]);
    assert_eq!(press(&mut reader, C::Calls, "q"), [Pressed::Act(A::Quit)]);
    assert_eq!(press(&mut reader, C::Help, "y"), [Pressed::Nothing]);
    let offered =
        [("p", "payload"), ("r", "response"), ("i", "id"), ("n", "nc"), ("t", "TypeScript")];
    assert_eq!(continuations(C::Calls, "y"), offered);
}

#[test]
fn the_footer_takes_what_fits() {
    for context in Context::all() {
        for columns in 0..200 {
            let offers = footer(context, columns);
            let width: usize = offers.iter().map(|(key, short)| key.len() + short.len() + 3).sum();
            assert!(width <= columns + 2, "{context:?} {columns} {offers:?}");
        }
        let wide = footer(context, 80);
        assert!(wide.contains(&("?", "help")), "{context:?}");
        assert!(wide.contains(&("q", "quit")), "{context:?}");
    }
}
