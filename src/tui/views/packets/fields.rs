//! What a filter asks of a packet.

use std::cell::RefCell;

use super::reading::{Beginnings, Reading};
use crate::query::FieldKind::{Address, Number, Size, Text, Word};
use crate::query::{Field, Look, Value};
use crate::store::CaptureStore;

/// The words of `flags`, by the place of the bit.
const FLAGS: &[&str] = &["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];

/// What a filter may ask for.
pub const FILTERED: &[Field] = &[
    Field::of_row("n", Number, "its number, counted from 1", "n in {1..100}"),
    Field::of_row("src", Address, "who sent it", "src == 10.0.0.0/8"),
    Field::of_row("src.port", Number, "the port that it left", "src.port >= 32768"),
    Field::of_row("dst", Address, "who it was sent to", "dst == 127.0.0.1:8888"),
    Field::of_row("dst.port", Number, "the port that it went to", "dst.port == 8888"),
    Field::of_row("address", Address, "either address", "address == ::1"),
    Field::of_row("port", Number, "either port", "port in {3000..3010, 8888}"),
    Field::of_row("length", Size, "bytes on the link", "length > 1kB"),
    Field::of_row("payload", Size, "bytes that TCP carried", "payload > 0"),
    Field::of_row("flags", Word(FLAGS), "control bits; any that is set counts", "flags == rst"),
    Field::of_row("connection", Number, "the number of its connection, from 0", "connection == 0"),
    Field::of_row("info", Text, "what its line says", "info contains \"Win=0\""),
    Field::of_row("data", Text, "what it carried, as text", "data contains \"sum\""),
];

/// Says what a packet has in the field `name`.
pub fn tell(
    reading: &Reading,
    beginnings: &RefCell<Beginnings>,
    capture: &CaptureStore,
    name: &str,
    look: &mut Look<'_>,
) {
    let record = &reading.record;
    let ends = reading.headers.as_ref().map(|headers| [headers.from, headers.to]);
    let mut number = |number: i128| look(&Value::Number(number));
    match name {
        "n" => number(record.number.0.into()),
        "length" => number(record.original_len.into()),
        "connection" => record.connection.iter().for_each(|connection| number(connection.0.into())),
        "payload" => {
            number(reading.headers.as_ref().map_or(0, |headers| headers.payload_len).into());
        }
        "src.port" => ends.iter().for_each(|[from, _]| number(from.port().into())),
        "dst.port" => ends.iter().for_each(|[_, to]| number(to.port().into())),
        "port" => ends.iter().flatten().for_each(|end| number(end.port().into())),
        "src" => ends.iter().for_each(|[from, _]| look(&Value::Address(*from))),
        "dst" => ends.iter().for_each(|[_, to]| look(&Value::Address(*to))),
        "address" => ends.iter().flatten().for_each(|end| look(&Value::Address(*end))),
        "flags" => {
            let bits = reading.headers.as_ref().map_or(0, |headers| headers.flags.0);
            (0..8).filter(|bit| bits >> bit & 1 == 1).for_each(|bit| look(&Value::Word(bit)));
        }
        "info" => look(&Value::Text(&reading.line(&mut beginnings.borrow_mut(), capture))),
        "data" => look(&Value::Text(&String::from_utf8_lossy(reading.payload()))),
        _ => {}
    }
}
