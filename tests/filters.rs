//! Display filters over the recordings of real services, judged by serde_json on the same payloads;
//! and their reference, compared with what the program knows.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{fixtures, read, recordings};
use nestscope::engine::{Config, Engine, EngineEvent};
use nestscope::exchange::Exchange;
use nestscope::query::{Evaluator, Filter, fields};
use serde_json::Value;

/// An exchange as a judge sees it.
struct Judged {
    pattern: Option<String>,
    data: Option<Value>,
    responses: Vec<Value>,
    latency: Option<u64>,
}

impl Judged {
    fn of(exchange: &Exchange<'_>) -> Self {
        // What serde_json does not read, such as half a surrogate pair, it cannot judge.
        let value = |json: &[u8]| serde_json::from_slice(json).ok();
        Self {
            pattern: exchange.pattern.map(str::to_owned),
            data: exchange.data.and_then(value),
            responses: exchange.responses.iter().filter_map(value).collect(),
            latency: exchange.latency.latency.map(|span| span.get()),
        }
    }
}

/// Whether `is` holds for a text or a scalar anywhere in `value`.
fn holds(value: &Value, is: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is(text),
        Value::Array(elements) => elements.iter().any(|element| holds(element, is)),
        Value::Object(members) => members.iter().any(|(key, value)| is(key) || holds(value, is)),
        scalar => is(&scalar.to_string()),
    }
}

type Judge = fn(&Judged) -> bool;

const CASES: &[(&str, Judge)] = &[
    (r#"pattern == "sum""#, |judged| judged.pattern.as_deref() == Some("sum")),
    (r#"pattern contains "cmd""#, |judged| {
        judged.pattern.as_ref().is_some_and(|text| text.contains("cmd"))
    }),
    (r#"not pattern matches "^[A-M]""#, |judged| {
        let first = judged.pattern.as_ref().and_then(|text| text.chars().next());
        !first.is_some_and(|c| c.is_ascii_alphabetic() && c.to_ascii_lowercase() <= 'm')
    }),
    ("latency > 1ms", |judged| judged.latency.is_some_and(|nanos| nanos > 1_000_000)),
    ("latency <= 1ms", |judged| judged.latency.is_some_and(|nanos| nanos <= 1_000_000)),
    ("data[0] == 1", |judged| judged.data.as_ref().is_some_and(|data| data[0] == 1)),
    ("data[*] > 2", |judged| {
        let elements = judged.data.as_ref().and_then(Value::as_array);
        elements.is_some_and(|all| all.iter().any(|one| one.as_f64().is_some_and(|n| n > 2.0)))
    }),
    ("response == null", |judged| judged.responses.contains(&Value::Null)),
    ("response", |judged| !judged.responses.is_empty()),
    ("response > 5", |judged| {
        judged.responses.iter().any(|value| value.as_f64().is_some_and(|number| number > 5.0))
    }),
    (r#"data contains "求""#, |judged| {
        judged.data.as_ref().is_some_and(|data| holds(data, &|text| text.contains('求')))
    }),
    (r#"response contains "1""#, |judged| {
        judged.responses.iter().any(|value| holds(value, &|text| text.contains('1')))
    }),
    (r#"data contains "a" or response contains "e, ""#, |judged| {
        judged.data.as_ref().is_some_and(|data| holds(data, &|text| text.contains('a')))
            || judged.responses.iter().any(|value| holds(value, &|text| text.contains("e, ")))
    }),
];

#[test]
fn payloads_are_found_as_serde_json_finds_them() {
    let filters: Vec<_> = CASES.iter().map(|(text, _)| Filter::parse(text).unwrap()).collect();
    let mut found = vec![0; CASES.len()];
    let mut exchanges = 0;
    for (name, path) in recordings(&fixtures()) {
        let mut evaluators: Vec<_> = filters.iter().map(Evaluator::new).collect();
        let mut engine = Engine::new(Config { keep_payloads: true, ..Config::default() });
        let mut judge = |update: EngineEvent<'_>| {
            let EngineEvent::Exchange(exchange) = update else { return };
            exchanges += 1;
            let judged = Judged::of(exchange);
            for (index, (text, judge)) in CASES.iter().enumerate() {
                let matches = evaluators[index].matches(exchange);
                let unread = judged.responses.len() < exchange.responses.iter().count()
                    || judged.data.is_some() != exchange.data.is_some();
                assert!(unread || matches == judge(&judged), "{name}: {text}: {exchange:?}");
                found[index] += usize::from(matches);
            }
        };
        for (raw, number) in read(&path).iter().zip(1..) {
            engine.push(&raw.packet(number), &mut judge);
        }
        engine.finish(&mut judge);
    }
    assert!(exchanges > 1_000, "only {exchanges} exchanges");
    for ((text, _), found) in CASES.iter().zip(found) {
        assert!(found > 0 && found < exchanges, "{text} finds {found} of {exchanges}");
    }
}

#[test]
fn the_reference_names_every_field() {
    let reference = include_str!("../docs/FILTERS.md");
    let table = reference.split("## Fields\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<_> = fields()
        .iter()
        .map(|field| {
            format!(
                "| `{}` | {} | {} | `{}` |",
                field.name, field.kind, field.meaning, field.example
            )
        })
        .collect();
    assert_eq!(rows, expected);
}
