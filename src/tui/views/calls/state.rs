//! What is told below the rows, and in the place of them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::columns::Column;
use super::{Calls, empty};
use crate::report::{count, counted};
use crate::store::listing::Order;
use crate::tui::text::{Align, LineBuilder};
use crate::tui::view::Scene;

impl Calls {
    /// The line below the list.
    pub(super) fn write_state(&self, scene: &Scene<'_>, pen: &mut LineBuilder) {
        let theme = scene.theme;
        let plain = Style::new();
        let numbers = scene.capture.archive().numbers();
        let all = numbers.end.0.saturating_sub(numbers.start.0);
        let shown = self.listing.len() as u64;
        let gap = format!(" {} ", theme.symbols.dot);
        if self.filter.is_empty() {
            pen.put(&counted(shown, "exchange", "exchanges"), plain);
        } else {
            pen.put(&format!("{} of {} shown", count(shown), count(all)), plain);
        }
        if let Some((done, of)) = self.listing.progress() {
            pen.put(&gap, theme.dim).put(&format!("looking, {}", percent(done, of)), theme.warning);
        }
        if let Some(hunt) = &self.hunt {
            let done = percent(hunt.looked_at(), self.listing.len());
            pen.put(&gap, theme.dim).put(&format!("searching, {done}"), theme.warning);
        }
        let order = self.listing.order();
        if order != Order::BY_NUMBER {
            let symbols = &theme.symbols;
            let turn = if order.descending { symbols.descending } else { symbols.ascending };
            let title = Column::of(order).map_or("", Column::title);
            pen.put(&gap, theme.dim).put(&format!("sorted by {title} {turn}"), plain);
        }
        if !self.marks.is_empty() {
            let marked = format!("{} marked", count(self.marks.len() as u64));
            pen.put(&gap, theme.dim).put(&marked, theme.marked);
        }
        if self.selection.is_following() {
            pen.put(&gap, theme.dim).put("following", theme.ok);
        }
        if let Some(remark) = &self.remark {
            pen.put(&gap, theme.dim).put(remark, theme.warning);
        } else if let Some(sought) = &self.sought {
            pen.put(&gap, theme.dim).put("search ", theme.dim).put(&sought.text, plain);
        }
        // Last, as it may be long.
        if !self.filter.is_empty() {
            pen.put(&gap, theme.dim).put("filter ", theme.dim).put(&self.filter, plain);
        }
    }

    pub(super) fn draw_empty(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let numbers = scene.capture.archive().numbers();
        let said = if self.listing.progress().is_some() {
            Vec::new()
        } else if numbers.is_empty() || self.filter.is_empty() {
            empty::nothing(scene)
        } else {
            empty::no_match(&self.filter)
        };
        let rows = area.y.saturating_add(1)..area.bottom();
        for (y, (text, is_heading)) in rows.zip(said) {
            let style = if is_heading { scene.theme.heading } else { Style::new() };
            let mut pen = LineBuilder::new(area.width.saturating_sub(2), &scene.theme.symbols);
            pen.put(&text, style).draw(buf, area.x + 2.min(area.width), y, Align::Left);
        }
    }
}

/// `done` of `of` in whole per cent, never 100 before the end.
fn percent(done: usize, of: usize) -> String {
    let share = (done as u128 * 100).checked_div(of as u128).unwrap_or_default();
    format!("{} %", share.min(99))
}
