//! What of an exchange is copied.

use crate::exchange::{ExchangeKind, ExchangeNumber};
use crate::export::{netcat, typescript};
use crate::store::Archive;
use crate::tui::keys::Action;

/// What `action` copies of exchange `number`.
///
/// # Errors
///
/// Where there is no such thing: a sentence for the user.
pub fn copied(archive: &Archive, number: ExchangeNumber, action: Action) -> Result<String, String> {
    let kind = archive.row(number).map(|row| row.kind);
    if kind == Some(ExchangeKind::Connect) {
        return Err("It was an attempt to connect: no byte was sent".to_owned());
    }
    if action == Action::CopyNc {
        return command(archive, number);
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut bodies = archive.bodies();
    let read = bodies.exchange(number, |exchange| match action {
        Action::CopyId => exchange.id.map(text).ok_or("It has no id: nothing answers an event"),
        Action::CopyTypeScript => {
            typescript(exchange).ok_or("The capture lacks its request, so it cannot be repeated")
        }
        Action::CopyResponse => match exchange.error.filter(|_| exchange.responses.is_empty()) {
            Some(error) => Ok(text(error)),
            None if exchange.responses.is_empty() => Err("Nothing answered it"),
            None => Ok(exchange.responses.iter().map(text).collect::<Vec<_>>().join("\n")),
        },
        _ => exchange.data.map(text).ok_or("It has no payload"),
    });
    // What is left of an exchange is not what was sent.
    if let Some(gone) = bodies.gone() {
        return Err(gone.to_string());
    }
    read.unwrap_or(Err("It gave way to newer ones")).map_err(str::to_owned)
}

/// A shell command that sends its request, or the event, again.
fn command(archive: &Archive, number: ExchangeNumber) -> Result<String, String> {
    let detail = archive.detail(number).ok_or("It gave way to newer ones")?;
    let request = detail.frames.iter().find(|frame| frame.from == crate::endpoint::Side::Client);
    let request = request.ok_or("The capture lacks its request, so it cannot be repeated")?;
    let body = archive.body(&detail, request).map_err(|gone| gone.to_string())?;
    Ok(netcat(&body, detail.ends.server))
}
