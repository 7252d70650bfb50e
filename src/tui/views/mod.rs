//! The views: what the screen can show.

mod byte_range;
pub mod call;
pub mod calls;
pub mod connections;
mod copies;
mod endings;
pub mod help;
mod marks;
pub mod packets;
pub mod patterns;
mod rates;
mod saving;
pub mod servers;
pub mod start;
pub mod stream;
mod times;
mod waiting;

pub use self::times::{TimeStyle, first_packet};
use crate::names::Names;
use crate::query::FilterError;
use crate::store::listing::Spawn;
use crate::tui::app::App;
use crate::tui::theme::Theme;
use crate::tui::view::View;

/// A screen that shows nothing yet, and knows how a call is opened. Points in time are told
/// as `times` says.
pub fn app(theme: Theme, times: impl Into<TimeStyle>) -> App {
    let times = times.into();
    let of_calls = times.clone();
    App::new(theme, Vec::new())
        .with_call(move |number| Box::new(call::Call::new(number, of_calls.clone())))
        .with_stream(move |number| Box::new(stream::Stream::new(number, times.clone())))
}

/// What is shown of a capture, on the keys 1, 2, …: the exchanges that pass `filter` first, where
/// `follow` says so the newest of them. What takes long is done by `spawn`; hosts are called by
/// their `names`.
///
/// # Errors
///
/// Where `filter` is none.
pub fn of_capture(
    times: impl Into<TimeStyle>,
    spawn: Spawn,
    filter: &str,
    follow: bool,
    names: Names,
) -> Result<Vec<Box<dyn View>>, FilterError> {
    let times = times.into();
    Ok(vec![
        Box::new(calls::Calls::new(times.clone(), spawn).following(follow).with_filter(filter)?),
        Box::new(patterns::Patterns::new()),
        Box::new(connections::Connections::new(times.clone()).with_names(names.clone())),
        Box::new(packets::Packets::new(times)),
        Box::new(servers::Servers::new().with_names(names)),
    ])
}
