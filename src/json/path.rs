//! Values deep inside a JSON text, found without decoding what lies beside them. The texts were
//! scanned before; in what is no JSON after all, nothing is found.

use std::ops::ControlFlow;

use super::scan::{after_string, before, token};
use super::string::key_is;

/// A step from a value to one inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the member of an object with this key; of equal keys the last one counts.
    Key(String),
    /// To this element of an array, from 0.
    Index(usize),
    /// To every element of an array.
    Each,
}

/// A part of a JSON text that holds no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf<'a> {
    /// A string or a key, raw and without its quotes.
    Text(&'a [u8]),
    /// A number, `true`, `false` or `null`.
    Word(&'a [u8]),
}

/// Tells the values that `path` leads to, raw, until `tell` breaks. Goes as deep as `path` is long.
pub fn at_path<'a>(
    value: &'a [u8],
    path: &[Step],
    tell: &mut dyn FnMut(&'a [u8]) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let Some((step, path)) = path.split_first() else { return tell(value) };
    let next = match step {
        Step::Key(name) => member(value, name),
        Step::Index(index) => elements(value).nth(*index),
        Step::Each => {
            return elements(value).try_for_each(|element| at_path(element, path, tell));
        }
    };
    next.map_or(ControlFlow::Continue(()), |value| at_path(value, path, tell))
}

/// Tells the leaves of a value at any depth, keys included, until `tell` breaks.
pub fn leaves<'a>(
    value: &'a [u8],
    tell: &mut dyn FnMut(Leaf<'a>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut rest = value;
    loop {
        rest = match rest {
            [b'"', inside @ ..] => {
                let Some((text, behind)) = text(inside) else { break };
                tell(Leaf::Text(text))?;
                behind
            }
            [
                b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r',
                behind @ ..,
            ] => behind,
            [] => break,
            _ => {
                let (word, behind) = word(rest);
                tell(Leaf::Word(word))?;
                behind
            }
        };
    }
    ControlFlow::Continue(())
}

/// The value of the last member with this key.
fn member<'a>(object: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = token(token(object).strip_prefix(b"{")?);
    let mut found = None;
    while let [b'"', inside @ ..] = rest {
        let (key, behind) = text(inside)?;
        let (member, behind) = value(token(behind).strip_prefix(b":")?)?;
        if key_is(key, name) {
            found = Some(member);
        }
        rest = next(behind);
    }
    found
}

/// The elements of an array; none where it is something else.
fn elements(array: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = token(array).strip_prefix(b"[").unwrap_or_default();
    std::iter::from_fn(move || {
        let (element, behind) = value(rest)?;
        rest = next(behind);
        Some(element)
    })
}

/// What follows the comma behind a value.
fn next(rest: &[u8]) -> &[u8] {
    token(token(rest).strip_prefix(b",").unwrap_or_default())
}

/// The value that `rest` begins with, and what follows it.
fn value(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = token(rest);
    let behind = match rest {
        [b'"', inside @ ..] => after_string(inside).ok()?,
        [b'{' | b'[', ..] => container(rest)?,
        [] | [b'}' | b']' | b',' | b':', ..] => return None,
        _ => word(rest).1,
    };
    Some((before(rest, behind), behind))
}

/// What follows the object or array that `rest` begins with.
fn container(mut rest: &[u8]) -> Option<&[u8]> {
    let mut depth = 0_usize;
    loop {
        rest = match rest {
            [b'"', inside @ ..] => after_string(inside).ok()?,
            [b'{' | b'[', behind @ ..] => {
                depth += 1;
                behind
            }
            [b'}' | b']', behind @ ..] if depth == 1 => return Some(behind),
            [b'}' | b']', behind @ ..] => {
                depth -= 1;
                behind
            }
            [_, behind @ ..] => behind,
            [] => return None,
        };
    }
}

/// The inside of a string, from behind its opening quote, and what follows the closing one.
fn text(inside: &[u8]) -> Option<(&[u8], &[u8])> {
    let behind = after_string(inside).ok()?;
    let (_quote, text) = before(inside, behind).split_last()?;
    Some((text, behind))
}

/// A number or a literal, and what follows it. Never empty where `rest` is not.
fn word(rest: &[u8]) -> (&[u8], &[u8]) {
    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b'"' | b' ' | b'\t' | b'\n' | b'\r');
    rest.split_at(rest.iter().position(ends).unwrap_or(rest.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn found(text: &str, path: &[Step]) -> Vec<String> {
        let mut found = Vec::new();
        let _ = at_path(text.as_bytes(), path, &mut |value| {
            found.push(String::from_utf8_lossy(value).into_owned());
            ControlFlow::Continue(())
        });
        found
    }

    fn key(name: &str) -> Step {
        Step::Key(name.to_owned())
    }

    #[test]
    fn a_path_leads_to_its_values() {
        let text = r#" {"user":{"id":7,"tags":["a\"]","b",[]]}, "items":[{"sku":"x"},{},
            {"sku" : "y","sku":"z"}],"":0,"caf\u00e9":null} "#;
        let cases: [(&[Step], &[&str]); 10] = [
            (&[key("user"), key("id")], &["7"]),
            (&[key("user"), key("tags"), Step::Index(0)], &[r#""a\"]""#]),
            (&[key("user"), key("tags"), Step::Index(2)], &["[]"]),
            (&[key("user"), key("tags"), Step::Index(3)], &[]),
            (&[key("items"), Step::Each, key("sku")], &[r#""x""#, r#""z""#]),
            (&[key("items"), Step::Each], &[r#"{"sku":"x"}"#, "{}", r#"{"sku" : "y","sku":"z"}"#]),
            (&[key("")], &["0"]),
            (&[key("café")], &["null"]),
            (&[key("items"), key("sku")], &[]),
            (&[Step::Each], &[]),
        ];
        for (path, expected) in cases {
            assert_eq!(found(text, path), expected, "{path:?}");
        }
        assert_eq!(found("[[1,2],[3]]", &[Step::Each, Step::Each]), ["1", "2", "3"]);
    }

    #[test]
    fn leaves_are_keys_strings_numbers_and_words() {
        let mut found = Vec::new();
        let _ = leaves(br#"{"a":[1.5e3,"\u0062",true],"c":{}}"#, &mut |leaf| {
            found.push(leaf);
            ControlFlow::Continue(())
        });
        let expected = [
            Leaf::Text(b"a"),
            Leaf::Word(b"1.5e3"),
            Leaf::Text(br"\u0062"),
            Leaf::Word(b"true"),
            Leaf::Text(b"c"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_value_is_as_deep_as_it_likes() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert_eq!(found(&deep, &[Step::Index(0), Step::Index(0), Step::Index(1)]), [""; 0]);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-c\"\\\\\n\\[{]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec(("[ab\"]{0,1}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            "[ab\"]{0,1}".prop_map(Step::Key),
            (0_usize..3).prop_map(Step::Index),
            Just(Step::Each)
        ]
    }

    fn judged<'a>(value: &'a Value, path: &[Step]) -> Vec<&'a Value> {
        let Some((step, path)) = path.split_first() else { return vec![value] };
        match step {
            Step::Key(name) => value.get(name).map_or(vec![], |value| judged(value, path)),
            Step::Index(index) => value.get(index).map_or(vec![], |value| judged(value, path)),
            Step::Each => {
                let elements = value.as_array().map(Vec::as_slice).unwrap_or_default();
                elements.iter().flat_map(|value| judged(value, path)).collect()
            }
        }
    }

    proptest! {
        #[test]
        fn finds_what_serde_json_finds(
            value in any_value(),
            path in proptest::collection::vec(any_step(), 0..4),
            pretty in any::<bool>(),
        ) {
            let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
            let ours: Vec<Value> = found(&write(&value).unwrap(), &path)
                .iter()
                .map(|text| serde_json::from_str(text).unwrap())
                .collect();
            prop_assert_eq!(ours.iter().collect::<Vec<_>>(), judged(&value, &path));
        }

        #[test]
        fn any_bytes_are_answered(
            text in proptest::collection::vec(any::<u8>(), 0..100),
            path in proptest::collection::vec(any_step(), 0..4),
        ) {
            let _ = at_path(&text, &path, &mut |_| ControlFlow::Continue(()));
            let _ = leaves(&text, &mut |_| ControlFlow::Continue(()));
        }
    }
}
