//! What is said where there is no row to show: why, and what to try.

use crate::report::{count, counted};
use crate::store::ConnectionRecord;
use crate::stream::CloseReason;
use crate::tui::status::{Activity, Status};
use crate::tui::view::Scene;

/// A line, and whether it is a heading rather than advice.
pub type Said = (String, bool);

/// Nothing fulfils `filter`.
pub fn no_match(filter: &str) -> Vec<Said> {
    vec![
        (format!("No exchange matches: {filter}"), true),
        (String::new(), false),
        ("Esc clears the filter, / changes it.".to_owned(), false),
    ]
}

/// There is no exchange at all.
pub fn nothing(scene: &Scene<'_>) -> Vec<Said> {
    let status = scene.status;
    let packets = scene.capture.packets();
    let totals = scene.capture.statistics().totals();
    let mut lines = vec![(heading(status, packets), true), (String::new(), false)];
    let advice = match status.activity {
        _ if status.paused => vec!["Paused: p goes on.".to_owned()],
        Activity::None => vec!["There is no source: -i names an interface, -r a file.".to_owned()],
        Activity::Opening | Activity::Reading(..) if packets == 0 => Vec::new(),
        _ if packets > 0 && totals.connects > 0 => {
            let attempts = counted(totals.connects, "attempt", "attempts");
            vec![format!("{attempts} to connect failed: 5 shows at which server.")]
        }
        _ if scene.capture.completeness().one_sided_attempts > 0 => {
            of_silent_servers(scene.capture.completeness().one_sided_attempts)
        }
        _ if packets > 0 => of_connections(scene.capture.connections(), status),
        Activity::Live if scene.capture.is_cleared() => {
            vec!["Cleared: no packet came since.".to_owned()]
        }
        Activity::Live => of_silence(status),
        _ if scene.capture.is_cleared() => vec!["Cleared: nothing is left of the file.".to_owned()],
        _ if status.is_live => vec!["No packet came while it ran.".to_owned()],
        _ => vec!["The file holds no packet.".to_owned()],
    };
    lines.extend(advice.into_iter().map(|line| (line, false)));
    lines
}

fn heading(status: &Status, packets: u64) -> String {
    let mut source = match status.activity {
        Activity::Live => format!("Listening on {}", status.source),
        Activity::Opening => format!("Opening {}", status.source),
        Activity::Reading(..) => format!("Reading {}", status.source),
        Activity::Ended if status.is_live => format!("The capture on {} has ended", status.source),
        Activity::Ended => format!("Read {} to its end", status.source),
        Activity::None => return "Nothing is captured.".to_owned(),
    };
    if !status.filter.is_empty() {
        source.push_str(&format!(", {}", status.filter));
    }
    let packets = counted(packets, "packet", "packets");
    match status.activity {
        Activity::Live => format!("{source}: {packets}, {} s", status.running.as_secs()),
        _ => format!("{source}: {packets}, no exchange"),
    }
}

/// No packet comes.
fn of_silence(status: &Status) -> Vec<String> {
    let mut lines = vec![
        "No packet came yet. Where calls are being made:".to_owned(),
        "  - Services on one host talk over lo, whatever address they use. Those in".to_owned(),
        "    containers talk over docker0 or br-….  -i any listens on all of them;".to_owned(),
        "    `nestscope interfaces` lists them.".to_owned(),
    ];
    if !status.filter.is_empty() {
        lines.push(format!("  - Only `{}` is let through. Is that the port of the", status.filter));
        lines.push("    server? Without -p, Nest is recognised on every port.".to_owned());
    }
    lines.push(
        "  - A client sends nothing before somebody subscribes to what send() returns.".to_owned(),
    );
    lines
}

/// Clients ask for connections, and nothing that was sent to them is in the capture.
fn of_silent_servers(attempts: u64) -> Vec<String> {
    vec![
        format!(
            "{} to connect, and no packet of a server:",
            counted(attempts, "attempt", "attempts")
        ),
        "  - nobody answers there: a firewall drops it, or the host is down; or".to_owned(),
        "  - only what clients send is captured here. Then nobody knows what failed.".to_owned(),
    ]
}

/// Packets come, but nothing in them is a whole frame of Nest.
fn of_connections(connections: &[ConnectionRecord], status: &Status) -> Vec<String> {
    if connections.is_empty() {
        return vec![
            "None of the packets is a TCP segment of a connection that is followed.".to_owned(),
            "Is -p the port of the server? Without -p, Nest is recognised on every port."
                .to_owned(),
        ];
    }
    let number = |speaks: &dyn Fn(&ConnectionRecord) -> bool| -> u64 {
        connections.iter().filter(|connection| speaks(connection)).count() as u64
    };
    // Everything was cleared, or only what is neither call nor event came.
    let nest = number(&|connection| connection.facts.spoke_nest);
    if nest > 0 {
        let on = counted(nest, "connection", "connections");
        return vec![format!("Nest TCP is spoken on {on}: the next call or event is shown here.")];
    }
    let all = connections.len() as u64;
    let mut lines = vec![format!(
        "{}, and no whole message of Nest TCP on {}:",
        counted(all, "connection", "connections"),
        if all == 1 { "it" } else { "any of them" }
    )];
    let mut foreign: Vec<&str> =
        connections.iter().filter_map(|connection| connection.foreign()).collect();
    foreign.sort_unstable();
    foreign.dedup();
    for name in foreign {
        let speaking = number(&|connection| connection.foreign() == Some(name));
        lines.push(format!("  - {} {name}", verb(speaking, "speaks", "speak")));
    }
    let is_silent = |connection: &ConnectionRecord| {
        let bytes = connection.facts.counts.bytes;
        connection.foreign().is_none() && bytes.client == 0 && bytes.server == 0
    };
    let is_reset = |connection: &ConnectionRecord| connection.why() == Some(CloseReason::Reset);
    let refused = number(&|connection| is_silent(connection) && is_reset(connection));
    if refused > 0 {
        let were = verb(refused, "was", "were");
        lines.push(format!("  - {were} refused: does the server listen on that port?"));
    }
    let silent = number(&|connection| is_silent(connection) && !is_reset(connection));
    if silent > 0 {
        lines.push(format!("  - {} no data", verb(silent, "carried", "carried")));
    }
    let late =
        number(&|connection| connection.foreign().is_none() && !connection.facts.is_from_start());
    if late > 0 && status.activity == Activity::Live {
        lines.push(format!(
            "  - {} before the capture did: the next message on them will be found",
            verb(late, "began", "began")
        ));
    }
    if lines.len() == 1 {
        lines.push("  - what they carry is not recognised: is it Nest's TCP transport?".to_owned());
    }
    lines
}

fn verb(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}
