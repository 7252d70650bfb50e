use proptest::prelude::*;

use super::*;

fn tree(text: &str) -> JsonTree {
    JsonTree::new(text.as_bytes().to_vec()).unwrap()
}

/// Each line: its depth, its name, and its value.
fn lines(tree: &JsonTree) -> Vec<String> {
    let text = |part| String::from_utf8_lossy(tree.part(part)).into_owned();
    tree.lines
        .iter()
        .map(|line| {
            let name = match line.name {
                Name::Top => String::new(),
                Name::Key(start, end) => text((start, end)),
                Name::Index(index) => index.to_string(),
                Name::Elements(first) | Name::Members(first) => {
                    return format!("{} {first}+{}", line.depth, line.items);
                }
            };
            format!("{} {name} {}", line.depth, text(line.value))
        })
        .collect()
}

#[test]
fn values_stay_what_they_were_on_the_wire() {
    let text = r#"{"b":123456789012345678901234567890.10,"a":"\ud83d","b":[1e400,-0]}"#;
    assert_eq!(
        lines(&tree(text)),
        [
            &format!("0  {text}"),
            r#"1 "b" 123456789012345678901234567890.10"#,
            r#"1 "a" "\ud83d""#,
            r#"1 "b" [1e400,-0]"#,
            "2 0 1e400",
            "2 1 -0",
        ]
    );
}

#[test]
fn folding_hides_what_is_below_and_keeps_the_place() {
    let mut tree = tree(r#"{"a":{"x":1,"y":[2]},"b":3}"#);
    assert_eq!(tree.lines.len(), 6);
    tree.select(4);
    assert_eq!((tree.value(), tree.path().as_str()), (&b"2"[..], "a.y[0]"));
    tree.left();
    assert_eq!(tree.path(), "a.y");
    tree.left();
    assert_eq!((tree.lines.len(), tree.path().as_str()), (5, "a.y"));
    tree.left();
    tree.left();
    assert_eq!((tree.lines.len(), tree.path().as_str()), (3, "a"));
    tree.right();
    tree.right();
    assert_eq!((tree.lines.len(), tree.path().as_str()), (5, "a.x"));
    assert!(!tree.toggle(), "a number has nothing to fold");
    assert!(tree.unfold_all());
    assert_eq!((tree.lines.len(), tree.path().as_str()), (6, "a.x"));
    tree.fold_all();
    assert_eq!((tree.lines.len(), tree.path().as_str()), (3, "a"));
    tree.go(i64::MAX);
    assert_eq!(tree.value(), b"3");
    tree.go(i64::MIN);
    assert!(tree.toggle());
    assert_eq!(tree.lines.len(), 1);
}

#[test]
fn a_path_quotes_what_is_no_word() {
    let mut tree = tree(r#"{"求 x":[[7]],"0":1}"#);
    tree.select(3);
    assert_eq!(tree.path(), r#"["求 x"][0][0]"#);
    tree.select(4);
    assert_eq!(tree.path(), r#"["0"]"#);
}

#[test]
fn a_search_unfolds_the_way_and_goes_round() {
    let mut tree = tree(r#"{"a":[{"deep":{"Needle":1}},2],"needle":{"x":"a needle"}}"#);
    tree.fold_all();
    tree.look_for(Needle::new("needle"));
    let mut found = Vec::new();
    for _ in 0..4 {
        assert!(tree.find(false));
        found.push(tree.path());
    }
    assert_eq!(found, ["a[0].deep.Needle", "needle", "needle.x", "a[0].deep.Needle"]);
    assert!(tree.find(true));
    assert_eq!(tree.path(), "needle.x");
    tree.look_for(Needle::new("nowhere"));
    assert!(!tree.find(false) && !tree.find(true));
    assert_eq!(tree.path(), "needle.x");
}

#[test]
fn large_containers_come_in_ranges() {
    let elements: Vec<_> = (0..2_500).map(|n| n.to_string()).collect();
    let mut array = tree(&format!("[{}]", elements.join(",")));
    let shown = lines(&array);
    assert_eq!(shown[1..], ["1 0+1000", "1 1000+1000", "1 2000+500"]);
    array.look_for(Needle::new("2300"));
    assert!(array.find(false));
    assert_eq!((array.path().as_str(), array.value()), ("[2300]", &b"2300"[..]));
    assert_eq!(array.lines.len(), 504);

    let members: Vec<_> = (0..1_001).map(|n| format!("\"k{n}\" : [{n}]")).collect();
    let mut object = tree(&format!("{{ {} }}", members.join(" , ")));
    assert_eq!(lines(&object)[1..], ["1 0+1000", "1 1000+1"]);
    assert!(object.unfold_all());
    assert_eq!(object.lines.len(), 1 + 2 + 1_001 * 2);
    object.go(i64::MAX);
    assert_eq!(object.path(), "k1000[0]");
}

#[test]
fn sixteen_megabytes_open_at_once_and_scroll_to_their_end() {
    let element = r#"{"id":12345,"name":"求和 the sum","tags":["a","b"]},"#;
    let count = (16 << 20) / element.len();
    let mut tree = tree(&format!("[{}0]", element.repeat(count)));
    assert!(tree.lines.len() < 400);
    tree.go(i64::MAX);
    tree.right();
    tree.go(i64::MAX);
    assert_eq!(tree.value(), b"0");
    assert!(!tree.unfold_all(), "there are two million lines");
    assert!(tree.lines.len() <= limits::TREE_LINES);
}

#[test]
fn depth_costs_no_stack() {
    let depth = 1_000_000;
    let mut tree = tree(&("[".repeat(depth) + "7" + &"]".repeat(depth)));
    assert!(!tree.unfold_all());
    tree.fold_all();
    tree.look_for(Needle::new("7"));
    assert!(tree.find(false));
    assert!(tree.lines.len() <= limits::TREE_LINES);
    assert!(tree.path().len() < 1_000);
    drop(tree);
}

#[test]
fn what_is_no_json_is_given_back() {
    for text in ["", "[1,2", "hello", "{\"a\":1}x"] {
        assert_eq!(JsonTree::new(text.into()).err(), Some(text.as_bytes().to_vec()));
    }
}

#[test]
fn the_picture_follows_the_selected_line() {
    let mut tree = tree(&format!("[{}0]", "0,".repeat(49)));
    tree.select(30);
    tree.show_selected(10);
    assert_eq!(tree.top, 21);
    tree.select(25);
    tree.show_selected(10);
    assert_eq!(tree.top, 21, "no jump while it is in sight");
    tree.select(3);
    tree.show_selected(10);
    assert_eq!(tree.top, 3);
    tree.go(i64::MAX);
    tree.show_selected(10);
    assert_eq!(tree.top, 41);
    tree.show_selected(100);
    assert_eq!(tree.top, 0, "no empty rows while lines could fill them");
}

/// A value too simple to be wrong.
#[derive(Clone, Debug)]
enum Model {
    Scalar(String),
    Array(Vec<Model>),
    Object(Vec<(String, Model)>),
}

impl Model {
    fn write(&self, blank: &str) -> String {
        match self {
            Self::Scalar(text) => text.clone(),
            Self::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| item.write(blank)).collect();
                format!("[{blank}{}{blank}]", items.join(&format!("{blank},{blank}")))
            }
            Self::Object(items) => {
                let item = |(key, item): &(String, Self)| {
                    format!("{key}{blank}:{blank}{}", item.write(blank))
                };
                let items: Vec<_> = items.iter().map(item).collect();
                format!("{{{blank}{}{blank}}}", items.join(&format!("{blank},{blank}")))
            }
        }
    }

    fn lines(&self, depth: u32, name: &str, blank: &str, out: &mut Vec<String>) {
        out.push(format!("{depth} {name} {}", self.write(blank)));
        match self {
            Self::Scalar(_) => {}
            Self::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.lines(depth + 1, &index.to_string(), blank, out);
                }
            }
            Self::Object(items) => {
                for (key, item) in items {
                    item.lines(depth + 1, key, blank, out);
                }
            }
        }
    }
}

fn models() -> impl Strategy<Value = Model> {
    let string = || any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just(r#""\ud800\\\"]""#.to_owned()),
        any::<f64>().prop_filter_map("JSON", |n| serde_json::to_string(&n).ok()),
        string(),
        "[a-z]{250,300}".prop_map(|text| format!("\"{text}\"")),
    ];
    scalar.prop_map(Model::Scalar).prop_recursive(6, 60, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Model::Array),
            proptest::collection::vec((prop_oneof![Just("\"k\"".into()), string()], inner), 0..8)
                .prop_map(Model::Object),
        ]
    })
}

proptest! {
    #[test]
    fn unfolded_it_is_every_value_in_order(model in models(), blank in "[ \n]{0,2}") {
        let text = model.write(&blank);
        let parsed = serde_json::from_str::<serde::de::IgnoredAny>(&text);
        prop_assert!(parsed.is_ok());
        let mut tree = tree(&format!("{blank}{text}{blank}"));
        prop_assert!(tree.unfold_all());
        let mut expected = Vec::new();
        model.lines(0, "", &blank, &mut expected);
        prop_assert_eq!(lines(&tree), expected);
    }

    #[test]
    fn every_order_of_folding_keeps_the_tree_whole(
        model in models(),
        keys in proptest::collection::vec((0_usize..7, 0_usize..80), 0..40),
    ) {
        let mut tree = tree(&model.write(""));
        tree.look_for(Needle::new("a"));
        for (key, line) in keys {
            match key {
                0 => _ = tree.toggle(),
                1 => tree.left(),
                2 => tree.right(),
                3 => tree.select(line),
                4 => _ = tree.find(line % 2 == 0),
                5 => tree.fold_all(),
                _ => tree.show_selected(line),
            }
            prop_assert!(tree.selected < tree.lines.len());
            prop_assert!(tree.lines.is_sorted_by_key(Line::start));
        }
        tree.unfold_all();
        let mut expected = Vec::new();
        model.lines(0, "", "", &mut expected);
        prop_assert_eq!(lines(&tree), expected);
    }

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        if let Ok(mut tree) = JsonTree::new(bytes) {
            tree.unfold_all();
            tree.go(1);
        }
    }
}

#[test]
fn the_length_of_a_cut_value_is_told_whole() {
    let text = format!(r#"{{"data":"{}"}}"#, "x".repeat(1_048_576));
    let tree = tree(&text);
    let area = ratatui::layout::Rect::new(0, 0, 60, 2);
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    tree.draw(area, &mut buffer, &crate::tui::theme::Theme::new(false, false), true);
    let row: String = (0..60).map(|x| buffer[(x, 1)].symbol()).collect();
    assert!(row.ends_with("x…  1,048,578 bytes"), "{row}");
}
