//! `nestscope interfaces`: what can be captured on, and whether this user may.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use super::error::CliError;
use super::settings::Output;
use super::terminal;
use crate::report::table::{Column, write_text};
use crate::report::visible;
use crate::source::interfaces::{Interface, interfaces};

/// Lists the interfaces.
///
/// # Errors
///
/// Where the system does not tell, and where the output cannot be written.
pub fn run(output: &Output) -> Result<(), CliError> {
    let interfaces = interfaces()?;
    let layout = terminal::layout(output);
    let mut out = BufWriter::new(io::stdout().lock());
    write_text(&mut out, columns(&interfaces), layout.columns, layout.palette.heading)?;
    for (reason, names) in refusals(&interfaces) {
        writeln!(out, "\n{}: {}", names.join(", "), visible(reason))?;
    }
    Ok(out.flush()?)
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
        Column::texts("addresses", 1, cells(addresses)).at_least(24),
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

fn addresses(interface: &Interface) -> String {
    let addresses: Vec<_> = interface.addresses.iter().map(ToString::to_string).collect();
    addresses.join(", ")
}
