//! Chosen fields of exchanges, one line each: `-T fields -e pattern -e latency`, as tshark has it.
//!
//! A field is a key of the JSON output, told as it stands there, or a field of the filter language.
//! Nothing is quoted: control characters, the separator's tab among them, are shown as symbols.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::ControlFlow;

use super::json::{KEYS, push_exchange};
use crate::exchange::{Exchange, Span};
use crate::json::{Step, at_path, text};
use crate::query::{Subject, fields, nearest};
use crate::report::Moments;
use crate::report::civil::Civil;
use crate::report::moments::push_seconds;
use crate::report::visible::push_visible;
use crate::time::{Nanos, Timestamp};

/// A name that is no field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "-e: `{name}` is no field{} `nestscope help calls` and docs/FILTERS.md tell which there are",
    .near.as_ref().map_or(".".to_owned(), |near| format!("; did you mean {near}?"))
)]
pub struct FieldError {
    name: String,
    near: Option<String>,
}

/// What is told of each exchange, and how.
#[derive(Clone, Debug)]
pub struct Selection {
    columns: Vec<Column>,
    /// Whether the names stand above the values.
    pub header: bool,
    /// What stands between two values.
    pub separator: char,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    /// What this path leads to in the JSON of the exchange.
    Json(Vec<Step>),
    /// When its first byte was seen.
    Time,
    /// A span of time, in seconds.
    Seconds(fn(&Exchange<'_>) -> Option<Nanos>),
    /// What only the filter language has a name for.
    Text(fn(&Exchange<'_>) -> String),
}

impl Selection {
    /// The fields of these names, in this order, separated by tabs and without a header.
    ///
    /// # Errors
    ///
    /// That of the first name that is no field.
    pub fn new(names: &[String]) -> Result<Self, FieldError> {
        let columns = names.iter().map(|name| Column::named(name)).collect::<Result<_, _>>()?;
        Ok(Self { columns, header: false, separator: '\t' })
    }
}

impl Column {
    fn named(name: &str) -> Result<Self, FieldError> {
        let value = Value::named(name).ok_or_else(|| {
            let near = [
                nearest(name, KEYS.iter().copied()),
                nearest(name, fields().iter().map(|field| field.name)),
            ];
            let mut near: Vec<_> = near.into_iter().flatten().collect();
            near.dedup();
            let near = (!near.is_empty()).then(|| near.join(" or "));
            FieldError { name: name.to_owned(), near }
        })?;
        Ok(Self { name: name.to_owned(), value })
    }
}

impl Value {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "time" => Self::Time,
            "latency" => Self::Seconds(|exchange| exchange.latency.latency),
            "first_reply" => Self::Seconds(|exchange| exchange.latency.first_reply),
            "request_time" => Self::Seconds(|exchange| exchange.latency.request),
            "wait" => Self::Seconds(|exchange| exchange.latency.wait),
            "reply_time" => Self::Seconds(|exchange| exchange.latency.reply),
            "waited" => Self::Seconds(|exchange| exchange.waited),
            "request_held" => Self::Seconds(|exchange| exchange.request_held()),
            "reply_held" => Self::Seconds(|exchange| exchange.reply_held()),
            "held" => Self::Seconds(|exchange| {
                let held = [exchange.request_held(), exchange.reply_held()];
                let held = held.into_iter().flatten().map(Nanos::get);
                held.reduce(u64::saturating_add).map(Nanos::new)
            }),
            "attempts" => Self::Text(|exchange| exchange.attempts.to_string()),
            "client.port" => Self::Text(|exchange| exchange.ends.client.port().to_string()),
            "server.port" => Self::Text(|exchange| exchange.ends.server.port().to_string()),
            "port" => Self::Text(|exchange| {
                format!("{},{}", exchange.ends.client.port(), exchange.ends.server.port())
            }),
            "address" | "host" => Self::Text(|exchange| {
                format!("{},{}", exchange.ends.client.ip(), exchange.ends.server.ip())
            }),
            "request.bytes" => Self::Text(|exchange| {
                exchange.request.map_or(String::new(), |span| span.bytes.to_string())
            }),
            "reply.bytes" => Self::Text(|exchange| bytes(exchange.reply).to_string()),
            "bytes" => Self::Text(|exchange| {
                bytes(exchange.request).saturating_add(bytes(exchange.reply)).to_string()
            }),
            "packet" => Self::Text(|exchange| {
                let spans = [exchange.request, exchange.reply].into_iter().flatten();
                let told = spans.map(|span| match span.packets() {
                    [first, last] if first == last => first.to_string(),
                    [first, last] => format!("{first}-{last}"),
                });
                told.collect::<Vec<_>>().join(",")
            }),
            "connection" => Self::Text(|exchange| exchange.connection.number.to_string()),
            _ => Self::Json(path(name)?),
        })
    }
}

fn bytes(span: Option<Span>) -> u64 {
    span.map_or(0, |span| span.bytes)
}

/// The way to `data.items[0]["sku"]` from the object of an exchange; `None` where it does not begin
/// with one of its keys, or is no way.
fn path(name: &str) -> Option<Vec<Step>> {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (key, mut rest) = name.split_at_checked(end)?;
    let mut path = vec![Step::Key(KEYS.iter().find(|known| **known == key)?.to_string())];
    // As in a filter, a way into `response` is one into each of the replies.
    if key == "response" && !rest.is_empty() {
        path.push(Step::Each);
    }
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix("[\"") {
            let (key, behind) = inside.split_once("\"]")?;
            path.push(Step::Key(key.to_owned()));
            rest = behind;
        } else if let Some(inside) = rest.strip_prefix('[') {
            let (index, behind) = inside.split_once(']')?;
            path.push(if index == "*" { Step::Each } else { Step::Index(index.parse().ok()?) });
            rest = behind;
        } else {
            let inside = rest.strip_prefix('.')?;
            let end = inside.find(['.', '[']).unwrap_or(inside.len());
            let (key, behind) = inside.split_at_checked(end).filter(|(key, _)| !key.is_empty())?;
            path.push(Step::Key(key.to_owned()));
            rest = behind;
        }
    }
    Some(path)
}

/// Writes chosen fields of exchanges.
#[derive(Debug)]
pub struct Fields<W> {
    out: W,
    selection: Selection,
    /// For who wants times in another way than RFC 3339 in UTC.
    moments: Option<Moments>,
    civil: Civil,
    object: Vec<u8>,
    value: String,
    line: String,
}

impl<W: Write> Fields<W> {
    /// Writes to `out`, first the header, if there is to be one. Times are told by `moments`;
    /// without, as RFC 3339 in UTC.
    pub fn new(mut out: W, selection: Selection, moments: Option<Moments>) -> io::Result<Self> {
        if selection.header {
            let names: Vec<_> = selection.columns.iter().map(|column| &*column.name).collect();
            writeln!(out, "{}", names.join(&selection.separator.to_string()))?;
        }
        let civil = Civil::rfc3339();
        let (object, value, line) = (Vec::new(), String::new(), String::new());
        Ok(Self { out, selection, moments, civil, object, value, line })
    }

    /// The capture begins at this point in time.
    pub fn begin(&mut self, first: Timestamp) {
        self.moments.iter_mut().for_each(|moments| moments.begin(first));
    }

    /// Writes one exchange.
    pub fn write(&mut self, exchange: &Exchange<'_>) -> io::Result<()> {
        self.object.clear();
        push_exchange(&mut self.object, exchange, &mut self.civil);
        self.line.clear();
        for (index, column) in self.selection.columns.iter().enumerate() {
            if index > 0 {
                self.line.push(self.selection.separator);
            }
            self.value.clear();
            match (&column.value, &mut self.moments) {
                (Value::Json(path), _) => push_values(&mut self.value, &self.object, path),
                (Value::Time, Some(moments)) => moments.push(&mut self.value, exchange.time(), 9),
                (Value::Time, None) => self.value.push_str(&Civil::utc(exchange.time())),
                (Value::Seconds(span), _) => {
                    if let Some(span) = span(exchange) {
                        push_seconds(&mut self.value, span, 9);
                    }
                }
                // Writing to a String cannot fail.
                (Value::Text(text), _) => _ = write!(self.value, "{}", text(exchange)),
            }
            push_visible(&mut self.line, self.value.as_bytes(), usize::MAX);
        }
        self.line.push('\n');
        self.out.write_all(self.line.as_bytes())
    }

    /// Flushes what was written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Appends what `path` leads to, joined by commas: strings without their quotes, nothing for null.
fn push_values(out: &mut String, object: &[u8], path: &[Step]) {
    let mut is_first = true;
    _ = at_path(object, path, &mut |value| {
        if !std::mem::take(&mut is_first) {
            out.push(',');
        }
        match value {
            [b'"', inner @ .., b'"'] => out.push_str(&text(inner)),
            b"null" => {}
            value => out.push_str(&String::from_utf8_lossy(value)),
        }
        ControlFlow::Continue(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::calls::samples;

    fn told(names: &[&str], exchange: &Exchange<'_>) -> String {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut out = Vec::new();
        let mut writer = Fields::new(&mut out, Selection::new(&names).unwrap(), None).unwrap();
        writer.write(exchange).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_field_of_json_and_of_filters_can_be_told() {
        let names: Vec<_> =
            KEYS.iter().copied().chain(fields().iter().map(|field| field.name)).collect();
        assert!(names.len() > 30, "{names:?}");
        for name in names {
            let line = told(&[name], &samples::call());
            // Of a call that was answered these say nothing, or not yet.
            let empty = [
                "error",
                "waited",
                "waited_ns",
                "ended_by",
                "service",
                "instance",
                "client_service",
                "parent",
                "parent_by",
                "candidates",
                "problems",
                "also",
            ];
            assert!(line.len() > 1 || empty.contains(&name), "{name}");
        }
    }

    #[test]
    fn values_stand_side_by_side() {
        let line = told(
            &["n", "pattern", "latency", "latency_ns", "data[2]", "error", "client.port", "packet"],
            &samples::call(),
        );
        assert_eq!(line, "2\tsum\t0.003612000\t3612000\t3\t\t51304\t6,8\n");
        let stream =
            told(&["response[*]", "response", "data.to", "packets.reply[1]"], &samples::stream());
        assert!(stream.ends_with("\t3\t12\n"), "{stream}");
        let hostile = Exchange { pattern: Some("a\tb\n\u{1b}"), ..samples::call() };
        assert_eq!(told(&["pattern", "n"], &hostile), "a␉b␊␛\t2\n");
    }

    #[test]
    fn who_slips_is_told_what_is_near() {
        let error = |name: &str| Selection::new(&[name.to_owned()]).unwrap_err().to_string();
        assert!(error("latancy").contains("`latancy` is no field; did you mean latency?"));
        assert!(error("latancy_ns").contains("did you mean latency_ns?"));
        assert!(error("http").starts_with("-e: `http` is no field. "));
        for name in ["data.", "data[", "data[x]", "datax", ""] {
            assert!(Selection::new(&[name.to_owned()]).is_err(), "{name}");
        }
    }
}
