//! The interfaces of this host: text, JSON Lines, CSV.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::table::{Column, write_text as write_table};
use super::{Layout, csv_error, visible};
use crate::source::interfaces::Interface;

/// What can be captured on.
#[derive(Clone, Copy, Debug)]
pub struct Interfaces<'a>(pub &'a [Interface]);

/// An interface as JSON and CSV tell it.
#[derive(Serialize)]
struct Row<'a, Addresses> {
    name: &'a str,
    state: &'static str,
    loopback: bool,
    addresses: Addresses,
    description: Option<&'a str>,
    capture: bool,
    /// Why not.
    reason: Option<&'a str>,
}

impl<'a, Addresses> Row<'a, Addresses> {
    fn new(interface: &'a Interface, addresses: Addresses) -> Self {
        Self {
            name: &interface.name,
            state: state(interface),
            loopback: interface.loopback,
            addresses,
            description: interface.description.as_deref(),
            capture: interface.permitted.is_ok(),
            reason: interface.permitted.as_ref().err().map(String::as_str),
        }
    }
}

impl Interfaces<'_> {
    /// A table for people, and below it why this user may not capture where he may not.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_text(&self, out: &mut impl Write, layout: &Layout) -> io::Result<()> {
        write_table(out, columns(self.0), layout.columns, layout.palette.heading)?;
        for (reason, names) in refusals(self.0) {
            writeln!(out, "\n{}: {}", names.join(", "), visible(reason))?;
        }
        Ok(())
    }

    /// An object a line.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        for interface in self.0 {
            serde_json::to_writer(&mut *out, &Row::new(interface, &interface.addresses))?;
            writeln!(out)?;
        }
        Ok(())
    }

    /// A row for each, under the names of the JSON keys; addresses are separated by spaces.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        for interface in self.0 {
            let addresses = joined(interface, " ");
            csv.serialize(Row::new(interface, addresses)).map_err(csv_error)?;
        }
        csv.flush()
    }
}

fn columns(interfaces: &[Interface]) -> Vec<Column> {
    let cells = |cell: fn(&Interface) -> String| interfaces.iter().map(cell).collect();
    vec![
        Column::texts("interface", 0, cells(|interface| visible(&interface.name))),
        Column::texts("state", 2, cells(|interface| state(interface).to_owned())),
        Column::texts(
            "capture",
            0,
            cells(|interface| if interface.permitted.is_ok() { "yes" } else { "no" }.to_owned()),
        ),
        Column::texts("addresses", 1, cells(|interface| joined(interface, ", "))).at_least(24),
        Column::texts(
            "description",
            3,
            cells(|interface| interface.description.as_deref().map(visible).unwrap_or_default()),
        ),
    ]
}

/// Why this user may not capture, and on which interfaces.
fn refusals(interfaces: &[Interface]) -> BTreeMap<&str, Vec<String>> {
    let mut refusals = BTreeMap::<_, Vec<_>>::new();
    for interface in interfaces {
        if let Err(reason) = &interface.permitted {
            let names = refusals.entry(reason.as_str()).or_default();
            names.push(visible(&interface.name));
        }
    }
    refusals
}

const fn state(interface: &Interface) -> &'static str {
    match (interface.up, interface.running) {
        (false, _) => "down",
        (true, false) => "no link",
        (true, true) => "up",
    }
}

fn joined(interface: &Interface, separator: &str) -> String {
    let addresses: Vec<_> = interface.addresses.iter().map(ToString::to_string).collect();
    addresses.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Palette;
    use crate::report::TimeFormat;
    use crate::source::interfaces::Connection;

    fn sample() -> Vec<Interface> {
        let interface = |name: &str, up, permitted| Interface {
            name: name.to_owned(),
            description: None,
            addresses: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
            up,
            running: up,
            loopback: name == "lo",
            connection: Connection::Unknown,
            permitted,
        };
        vec![interface("lo", true, Ok(())), interface("eth0", false, Err("not root".to_owned()))]
    }

    fn written(write: impl Fn(&Interfaces<'_>, &mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&Interfaces(&sample()), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_has_an_object_a_line() {
        let json = written(|interfaces, out| interfaces.write_json(out));
        let expected = concat!(
            r#"{"name":"lo","state":"up","loopback":true,"addresses":["127.0.0.1","::1"],"#,
            r#""description":null,"capture":true,"reason":null}"#,
            "\n",
            r#"{"name":"eth0","state":"down","loopback":false,"addresses":["127.0.0.1","::1"],"#,
            r#""description":null,"capture":false,"reason":"not root"}"#,
            "\n",
        );
        assert_eq!(json, expected);
    }

    #[test]
    fn csv_has_a_row_for_each() {
        let csv = written(|interfaces, out| interfaces.write_csv(out));
        let expected = "name,state,loopback,addresses,description,capture,reason\n\
                        lo,up,true,127.0.0.1 ::1,,true,\n\
                        eth0,down,false,127.0.0.1 ::1,,false,not root\n";
        assert_eq!(csv, expected);
    }

    #[test]
    fn text_says_below_the_table_why_not() {
        let layout = |columns| Layout {
            columns,
            zone: jiff::tz::TimeZone::UTC,
            time: TimeFormat::OfDay,
            palette: Palette::PLAIN,
        };
        let text = written(|interfaces, out| interfaces.write_text(out, &layout(80)));
        assert!(text.contains("lo"), "{text}");
        assert!(text.ends_with("\neth0: not root\n"), "{text}");
    }
}
