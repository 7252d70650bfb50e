//! What is drawn of a call: its head, the names of its panes, and each of these.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Call, Pane, below_name, is_event, timing};
use crate::report::count;
use crate::store::Detail;
use crate::tui::text::{Align, LineBuilder};
use crate::tui::view::Scene;
use crate::tui::views::times;

impl Call {
    /// The names of the panes, and the columns in which they stand.
    pub(super) fn names(&self, scene: &Scene<'_>) -> Vec<(Pane, std::ops::Range<u16>)> {
        let mut x = scene.area.x;
        let names = self.all().iter().map(|&pane| {
            let width = u16::try_from(self.name(pane).len()).unwrap_or_default() + 2;
            let cells = x..x.saturating_add(width);
            x = cells.end.saturating_add(1);
            (pane, cells)
        });
        names.collect()
    }

    /// How many of the first things the pane shows, where there are more.
    pub(super) fn cut(&self, pane: Pane) -> Option<usize> {
        match pane {
            Pane::Packets => self.packets.cut(),
            Pane::Ladder => self.ladder.cut(),
            Pane::Request | Pane::Replies | Pane::Time => None,
        }
    }

    /// `Replies 3` where there are not just one.
    pub(super) fn name(&self, pane: Pane) -> String {
        match pane {
            Pane::Replies if self.replies.len() != 1 => {
                format!("{} {}", pane.name(), self.replies.len())
            }
            Pane::Packets | Pane::Ladder if self.cut(pane).is_some() => {
                let shown = self.cut(pane).unwrap_or_default();
                format!("{}: the first {}", pane.name(), count(shown as u64))
            }
            Pane::Request if self.detail.as_ref().is_some_and(is_event) => "Event".to_owned(),
            _ => pane.name().to_owned(),
        }
    }

    pub(super) fn draw_head(&self, detail: &Detail, scene: &Scene<'_>, buf: &mut Buffer) {
        let (theme, area) = (scene.theme, scene.area);
        let arrow = theme.symbols.right;
        let row = &detail.row;
        let mut pen = LineBuilder::new(area.width, &theme.symbols);
        pen.put(&format!("#{} ", row.number), theme.heading);
        let what = if self.is_attempt() { "attempt to connect" } else { &self.pattern };
        pen.put(what, theme.heading).put("  ", theme.dim);
        pen.put(row.status.name(), theme.status(row.status));
        if !row.sure {
            pen.put("?", theme.warning);
        }
        if let Some(latency) = row.latency {
            pen.put_number(&format!("  {latency}"), theme.heading);
        }
        let ends = format!("  {} {arrow} {}", detail.ends.client, detail.ends.server);
        pen.put(&ends, theme.dim);
        pen.draw(buf, area.x, area.y, Align::Left);

        let mut pen = LineBuilder::new(area.width, &theme.symbols);
        if let Some(error) = &self.error
            && detail.frames.iter().any(|frame| frame.failed)
        {
            pen.put("error ", theme.error).put_bytes(error, theme.error).put("  ", theme.dim);
        }
        if let Some(ending) = self.ending(detail) {
            pen.put(&ending, theme.status(row.status)).put("  ", theme.dim);
        }
        let first = times::first_packet(scene.capture);
        pen.put(&times::on_page(row.time, &self.times, first), theme.dim);
        if let Some(id) = &self.id {
            pen.put("  id ", theme.dim).put_bytes(id, theme.dim);
        }
        let payload = match self.pane() {
            Pane::Request => self.request.path(),
            Pane::Replies => self.replies.path(),
            _ => None,
        };
        if let Some(path) = payload {
            pen.put("  at ", theme.dim).put(&path, theme.name);
        }
        pen.draw(buf, area.x, area.y + 1, Align::Left);

        for (pane, cells) in self.names(scene) {
            let style = if pane == self.pane() { theme.selected } else { theme.dim };
            let mut pen =
                LineBuilder::new(area.right().saturating_sub(cells.start), &theme.symbols);
            pen.put(&format!(" {} ", self.name(pane)), style);
            pen.draw(buf, cells.start, area.y + 2, Align::Left);
        }
    }

    pub(super) fn draw_pane(
        &self,
        pane: Pane,
        detail: &Detail,
        area: Rect,
        scene: &Scene<'_>,
        buf: &mut Buffer,
    ) {
        let theme = scene.theme;
        let focused = pane == self.pane();
        let inner = below_name(area);
        let mut pen = LineBuilder::new(area.width, &theme.symbols);
        let line = theme.symbols.horizontal.to_string();
        pen.put(&line, theme.dim);
        let style = if focused { theme.heading } else { theme.dim };
        pen.put(&format!(" {} ", self.name(pane)), style);
        let rest = pen.room();
        pen.put(&line.repeat(rest), theme.dim);
        pen.draw(buf, area.x, area.y, Align::Left);
        match pane {
            Pane::Request => self.request.draw(inner, buf, theme, focused),
            Pane::Replies => self.replies.draw(detail, inner, buf, theme, focused),
            Pane::Time => {
                let (usual, ending) = (self.usual.as_ref(), self.ending(detail));
                let lines = timing::lines(detail, usual, ending.as_deref(), inner.width, theme);
                for (line, row) in lines.iter().skip(self.time.offset()).zip(inner.rows()) {
                    line.draw(buf, row.x, row.y, Align::Left);
                }
            }
            Pane::Ladder => self.ladder.draw(detail, inner, buf, theme, focused),
            Pane::Packets => self.packets.draw(detail, inner, buf, theme, focused),
        }
    }
}
