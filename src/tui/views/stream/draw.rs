//! What is drawn of a stream.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::follower::Follower;
use super::index::Kind;
use super::rows::Form;
use super::{CALL, Shown, Stream};
use crate::endpoint::Side;
use crate::report::{counted, size};
use crate::store::ConnectionRecord;
use crate::tui::text::{Align, LineBuilder, found, put};
use crate::tui::view::Scene;

impl Stream {
    /// The line above the rows.
    pub(super) fn draw_about(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        let theme = scene.theme;
        let area = scene.area;
        let plain = Style::new();
        let mut pen = LineBuilder::new(area.width, &theme.symbols);
        if let Some(hunt) = &self.hunt {
            pen.put(&hunt.about(), theme.warning);
        } else if !self.verdict.is_empty() {
            pen.put(&self.verdict, theme.warning);
        } else if let Some(ends) = self.ends(scene.capture) {
            let arrow = format!(" {} ", theme.symbols.right);
            pen.put(&ends.client.to_string(), theme.client).put(&arrow, plain);
            pen.put(&ends.server.to_string(), theme.server).put("  ", plain);
            let sides = match self.only {
                None => "both sides",
                Some(Side::Client) => "client only",
                Some(Side::Server) => "server only",
            };
            pen.put(sides, plain).put(", ", plain).put(self.form.name(), plain);
            let index = self.index();
            let bytes = index.map_or(0, |index| index.len(Side::Client) + index.len(Side::Server));
            pen.put("  ", plain).put(&self.progress(bytes, scene), plain);
            if self.is_following {
                pen.put("  following", theme.ok);
            }
            if let Some(gone) = self.follower.as_ref().and_then(Follower::gone) {
                pen.put("  some packets: ", theme.warning).put(gone, theme.warning);
            } else if self.record(scene.capture).is_some_and(is_begun_earlier) {
                pen.put("  began before the capture", theme.warning);
            }
        }
        pen.draw(buf, area.x, area.y, Align::Left);
    }

    /// How much was read, and of how much.
    fn progress(&self, bytes: u64, scene: &Scene<'_>) -> String {
        let whole = self.record(scene.capture).map(|record| {
            let both = (record.facts.counts.bytes, record.facts.counts.gap_bytes);
            both.0.client + both.0.server + both.1.client + both.1.server
        });
        match whole {
            Some(whole) if self.is_more && whole > bytes => {
                format!("{} of {} so far (G reads on)", size(bytes), size(whole))
            }
            _ => size(bytes),
        }
    }

    pub(super) fn draw_empty(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        let bytes = self.index().map_or(0, |it| it.len(Side::Client) + it.len(Side::Server));
        let text = if self.is_more {
            "Reading its packets.".to_owned()
        } else if self.form == Form::Frames && bytes > 0 {
            format!("No whole frame of Nest in {}: x shows them.", counted(bytes, "byte", "bytes"))
        } else if !self.silent.is_empty() {
            "No byte was sent on this connection. Its packets:".to_owned()
        } else if self.only.is_some() {
            "This side sent nothing: Tab shows the other.".to_owned()
        } else {
            "No bytes of this connection are remembered.".to_owned()
        };
        let at = (scene.area.x + 2, scene.area.y + 2);
        let room = scene.area.width.saturating_sub(2);
        put(buf, at, room, &text, Style::new(), scene.theme);
        for (y, line) in (at.1 + 2..scene.area.bottom()).zip(&self.silent) {
            put(buf, (at.0, y), room, line, scene.theme.dim, scene.theme);
        }
    }

    pub(super) fn draw_row(&self, shown: &Shown, scene: &Scene<'_>, room: Rect, buf: &mut Buffer) {
        let theme = scene.theme;
        let own = match shown.from {
            Side::Client => theme.client,
            Side::Server => theme.server,
        };
        let style = match shown.kind {
            Kind::Gap => theme.warning,
            Kind::Bytes if self.form == Form::Frames => theme.dim,
            Kind::Bytes | Kind::Frame => own,
        };
        let mut pen = LineBuilder::new(room.width, &theme.symbols);
        if self.form == Form::Frames {
            let right = |text: &str, width: u16| format!("{text:>width$} ", width = width.into());
            pen.put(&right(&shown.time, self.times.width()), theme.dim);
            pen.put(&right(&shown.call, CALL), Style::new());
        }
        let mark = match shown.from {
            Side::Client => ">",
            Side::Server => "<",
        };
        pen.put(mark, own).put(" ", Style::new());
        let needle = self.needle.as_ref().map_or("", |(text, _)| text.as_str());
        pen.put_marked(&shown.text, &found(&shown.text, needle), style, theme.found);
        pen.draw(buf, room.x, room.y, Align::Left);
        if shown.place == self.viewport.cursor {
            buf.set_style(room, theme.selected);
        }
    }
}

/// Whether the capture begins in the middle of it. Of an attempt that was refused, one side never
/// began.
const fn is_begun_earlier(record: &ConnectionRecord) -> bool {
    let facts = &record.facts;
    let is_attempt = (facts.from_start.client || facts.from_start.server)
        && facts.counts.bytes.client + facts.counts.bytes.server == 0;
    !facts.is_from_start() && !is_attempt
}
