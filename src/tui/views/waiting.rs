//! What a list shows while there is nothing to list.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use crate::report::counted;
use crate::tui::status::Activity;
use crate::tui::text::put;
use crate::tui::view::Scene;

/// Says that there is no `what` yet, what is listened to, and what may be amiss.
pub fn draw(what: &str, scene: &Scene<'_>, buf: &mut Buffer) {
    let seen = match scene.capture.packets() {
        0 => "nothing came yet".to_owned(),
        packets => format!("none in {}", counted(packets, "packet", "packets")),
    };
    let mut lines = vec![(format!("No {what} yet: {seen}."), scene.theme.heading)];
    if matches!(scene.status.activity, Activity::Live | Activity::Opening) {
        let listening = match (scene.status.source.as_str(), scene.status.filter.as_str()) {
            (source, "") => format!("Listening on {source}."),
            (source, filter) => format!("Listening on {source}: {filter}."),
        };
        lines.push((listening, Style::new()));
        let hint = "Services on one host talk over the loopback (-i lo); in containers try -i any.";
        lines.push((hint.to_owned(), scene.theme.dim));
    }
    let area = scene.area;
    for (y, (line, style)) in (area.y + 1..area.bottom()).zip(lines) {
        put(buf, (area.x + 2, y), area.width.saturating_sub(2), &line, style, scene.theme);
    }
}
