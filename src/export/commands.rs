//! A request as a command that sends it again.

use std::fmt::Write;
use std::net::SocketAddr;

use crate::exchange::{Exchange, ExchangeKind};
use crate::json::{Scan, Top, scan};
use crate::report::is_acting;

/// Seconds that `nc` waits for an answer. All its variants know `-w`; what else keeps them from
/// leaving at the end of their input differs between them.
const PATIENCE: u32 = 5;

/// A line for a POSIX shell that sends a frame with the JSON text `body` to `server` and prints
/// what comes back.
///
/// The frame's length is counted anew, in UTF-16 units as Nest counts it.
pub fn netcat(body: &[u8], server: SocketAddr) -> String {
    let text = String::from_utf8_lossy(body);
    let units = text.encode_utf16().count();
    let mut line = format!("printf '{units}#");
    for c in text.chars() {
        push_shell(&mut line, c);
    }
    // Writing to a String cannot fail, here and below.
    _ = write!(line, "' | nc -w {PATIENCE} {} {}", server.ip(), server.port());
    line
}

/// Appends `c` to a format of `printf` that stands in single quotes.
fn push_shell(line: &mut String, c: char) {
    match c {
        '\'' => line.push_str("'\\''"),
        '%' => line.push_str("%%"),
        '\\' => line.push_str("\\\\"),
        // A terminal into which it is pasted must not act on it.
        c if is_acting(c) => {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                _ = write!(line, "\\{byte:03o}");
            }
        }
        c => line.push(c),
    }
}

/// A TypeScript expression that repeats a call or an event by a `ClientProxy` named `client`;
/// `None` for a reply whose request the capture lacks.
pub fn typescript(exchange: &Exchange<'_>) -> Option<String> {
    let pattern = exchange.pattern.map_or_else(|| "undefined".to_owned(), pattern_literal);
    let data = exchange.data.map_or_else(|| "undefined".to_owned(), literal);
    match exchange.kind {
        ExchangeKind::Request => {
            Some(format!("await firstValueFrom(client.send({pattern}, {data}));"))
        }
        ExchangeKind::Event => {
            Some(format!("await firstValueFrom(client.emit({pattern}, {data}));"))
        }
        ExchangeKind::Reply | ExchangeKind::Connect => None,
    }
}

/// A route text as it was given to the client: an object where it is one, else a string. Nest
/// routes a number and its text alike.
fn pattern_literal(route: &str) -> String {
    if route.starts_with('{') && scan(route.as_bytes(), &mut ()) == Scan::Whole(Top::Object) {
        return literal(route.as_bytes());
    }
    literal(serde_json::Value::from(route).to_string().as_bytes())
}

/// A JSON text as a TypeScript expression: the same text, but for what a terminal would act on and
/// for a member `__proto__`, which in a program sets the prototype instead.
fn literal(json: &[u8]) -> String {
    let text = String::from_utf8_lossy(json);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => out.push(' '),
            c if is_acting(c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    // Its letters may be spelled as escapes; a text alone has no members.
    let has_members = !text.starts_with('"');
    if has_members && (text.contains("__proto__") || text.contains("\\u00")) {
        let quoted = serde_json::Value::from(out).to_string();
        return format!("JSON.parse({quoted})");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::calls::samples;

    #[test]
    fn a_call_is_an_expression() {
        let cases = [
            (samples::call(), r#"await firstValueFrom(client.send("sum", [1,2,3]));"#),
            (samples::event(), r#"await firstValueFrom(client.emit("log", "求和"));"#),
            (samples::stream(), r#"await firstValueFrom(client.send({"cmd":"count"}, {"to":3}));"#),
            (samples::open(), r#"await firstValueFrom(client.send("slow", undefined));"#),
        ];
        for (exchange, expected) in cases {
            assert_eq!(typescript(&exchange).unwrap(), expected);
        }
        assert_eq!(typescript(&samples::orphan()), None);
        let hostile = Exchange {
            pattern: Some("a\u{1b}\"\u{202e}"),
            data: Some("{\"__proto__\":\"\u{200b}\"}".as_bytes()),
            ..samples::call()
        };
        let expected = r#"await firstValueFrom(client.send("a\u001b\"\u202e", JSON.parse("{\"__proto__\":\"\\u200b\"}")));"#;
        assert_eq!(typescript(&hostile).unwrap(), expected);
        let spelled = Exchange { data: Some(br#"{"\u005f_proto__":1}"#), ..samples::call() };
        let expected =
            r#"await firstValueFrom(client.send("sum", JSON.parse("{\"\\u005f_proto__\":1}")));"#;
        assert_eq!(typescript(&spelled).unwrap(), expected);
    }
}
