//! How what has no answer ended.

use crate::exchange::{EndedBy, ExchangeKind, ExchangeNumber, Status};
use crate::report::counted;
use crate::store::{Archive, Row};
use crate::time::Nanos;

/// How a call without a final reply, or an attempt to connect, ended: by whom, and how long the
/// caller had waited then. `said`: what a router said of it, as JSON. `None` for everything else.
pub fn sentence(row: &Row, said: Option<&[u8]>) -> Option<String> {
    let Some(waited) = row.waited else {
        return still_waits(row).then(|| "no answer so far".to_owned());
    };
    if row.kind != ExchangeKind::Connect {
        let ended = match row.ended_by? {
            EndedBy::Client => "closed by client",
            EndedBy::Server => "closed by server",
            EndedBy::ResetByClient => "reset by client",
            EndedBy::ResetByServer => "reset by server",
            EndedBy::Network => "unreachable by network",
            EndedBy::Capture => {
                return Some(format!("no reply within {waited}, then the capture ended"));
            }
        };
        return Some(format!("{ended} after the caller had waited {waited}"));
    }
    let said = said.map_or_else(|| "unreachable".to_owned(), plain);
    let mut text = match (row.status, row.ended_by) {
        (Status::Refused, Some(EndedBy::Network)) => {
            format!("refused: {said} (ICMP) after {waited}")
        }
        (Status::Refused, _) => format!("refused: RST by the server after {waited}"),
        (Status::Reset, _) => format!("reset by the server after {waited}, before it sent a byte"),
        (_, Some(EndedBy::Network)) => format!("no answer: {said} (ICMP) after {waited}"),
        (_, Some(EndedBy::Client)) => format!("no answer for {waited}, then the client gave up"),
        // The capture ended, or no client waits any longer.
        _ if waited == Nanos::ZERO => "no answer to its only SYN".to_owned(),
        _ => format!("no answer for {waited}, then nothing more of it"),
    };
    if row.attempts > 1 {
        text.push_str(&format!(" ({})", counted(row.attempts.into(), "attempt", "attempts")));
    }
    Some(text)
}

/// Whether this is an attempt to connect that may still be answered.
pub fn still_waits(row: &Row) -> bool {
    row.status == Status::NoAnswer && row.waited.is_none()
}

/// What a router said of the attempt to connect with this number.
pub fn said(archive: &Archive, number: ExchangeNumber) -> Option<String> {
    archive.exchange(number, |exchange| exchange.error.map(plain)).flatten()
}

/// The text of a JSON string of plain words.
fn plain(json: &[u8]) -> String {
    String::from_utf8_lossy(json).replace('"', "")
}
