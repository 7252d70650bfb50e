//! What a filter asks of a server.

use super::columns::{self, Line};
use crate::query::FieldKind::{Address, Duration, Number};
use crate::query::{Field, Look, Value};

/// What a filter may ask for. They are named as their columns are.
pub const FILTERED: &[Field] = &[
    Field::of_row("server", Address, "its address", "server == 127.0.0.1:8888"),
    Field::of_row("port", Number, "its port", "port in {3000..3010, 8888}"),
    Field::of_row("calls", Number, "calls to it", "calls > 100"),
    Field::of_row("events", Number, "events to it", "events > 0"),
    Field::of_row("ok", Number, "calls that it answered", "ok == 0"),
    Field::of_row("errors", Number, "calls that it answered with an error", "errors > 0"),
    Field::of_row("no_reply", Number, "calls without a final reply", "no_reply > 0"),
    Field::of_row("refused", Number, "connections that it refused", "refused > 0"),
    Field::of_row("no_answer", Number, "connections that nothing answered", "no_answer > 0"),
    Field::of_row("reset", Number, "connections reset before a byte", "reset > 0"),
    Field::of_row("failed", Number, "all of these that failed", "failed > 0"),
    Field::of_row("p50", Duration, "the median latency", "p50 > 10ms"),
    Field::of_row("p90", Duration, "of 100 calls 90 took at most this", "p90 > 10ms"),
    Field::of_row("p99", Duration, "of 100 calls 99 took at most this", "p99 > 100ms"),
    Field::of_row("max", Duration, "the longest latency", "max > 1s"),
];

/// Says what `line` has in the field `name`.
pub fn tell(line: &Line, name: &str, look: &mut Look<'_>) {
    let column = match name {
        "server" => {
            return line.server.iter().for_each(|server| look(&Value::Address(*server)));
        }
        "port" => {
            let port = line.server.map(|server| server.port());
            return port.iter().for_each(|port| look(&Value::Number((*port).into())));
        }
        "failed" => return look(&Value::Number(line.outcomes.failures().into())),
        "calls" => columns::Field::Calls,
        "events" => columns::Field::Events,
        "ok" => columns::Field::Ok,
        "errors" => columns::Field::Errors,
        "no_reply" => columns::Field::NoReply,
        "refused" => columns::Field::Refused,
        "no_answer" => columns::Field::NoAnswer,
        "reset" => columns::Field::Reset,
        "p50" => columns::Field::P50,
        "p90" => columns::Field::P90,
        "p99" => columns::Field::P99,
        "max" => columns::Field::Max,
        _ => return,
    };
    let number = column.number(line).or(column.latency(line).map(crate::time::Nanos::get));
    number.iter().for_each(|number| look(&Value::Number((*number).into())));
}
