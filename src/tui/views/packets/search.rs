//! What a search through the payloads of packets looks at.

use std::ops::ControlFlow;

use super::filter::Filtered;
use super::reading::Reading;
use crate::packet::PacketNumber;
use crate::store::CaptureStore;
use crate::tui::find::Needle;
use crate::tui::search::{Search, Step};

/// Packets that are looked at in one step, so that the screen goes on meanwhile.
pub const PACKETS: usize = 4_000;

/// Looks at some packets more, of those that are shown.
pub fn step(
    search: &mut Search,
    needle: &Needle,
    filtered: Option<&Filtered>,
    capture: &CaptureStore,
) -> Step<()> {
    search.step(PACKETS, |number| {
        let number = PacketNumber(number);
        if filtered.is_some_and(|filtered| !filtered.has(number)) {
            return ControlFlow::Continue(0);
        }
        let Some(reading) = Reading::new(number, capture) else { return ControlFlow::Continue(0) };
        match needle.find(reading.payload(), 0) {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(reading.payload().len() as u64),
        }
    })
}
