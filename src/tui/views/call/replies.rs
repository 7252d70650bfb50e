//! The replies to a call: the tree of one, and above it the list where there are several.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::payload::Payload;
use crate::report::size;
use crate::store::{Archive, Detail, FrameRecord};
use crate::tui::keys::Action;
use crate::tui::table::Selection;
use crate::tui::text::{self, Align, LineBuilder};
use crate::tui::theme::Theme;
use crate::tui::views::times::since;

/// The replies, and where the user is among them.
#[derive(Debug, Default)]
pub(super) struct Replies {
    frames: Vec<FrameRecord>,
    rows: Selection,
    /// The selected reply, and its payload.
    shown: Option<(FrameRecord, Payload)>,
    /// Whether the keys go to the payload, and not to the list.
    entered: bool,
    list_height: u16,
}

impl Replies {
    /// There are these now. `same`: of the call that was shown before.
    pub(super) fn load(&mut self, frames: &[FrameRecord], same: bool) {
        if !same {
            *self = Self::default();
        }
        self.frames = frames.to_vec();
    }

    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    const fn has_list(&self) -> bool {
        self.frames.len() > 1
    }

    /// The payload, where the keys go to it.
    pub(super) fn payload(&mut self) -> Option<&mut Payload> {
        self.shown.as_mut().map(|(_, payload)| payload)
    }

    pub(super) fn selected(&self) -> Option<&[u8]> {
        self.shown.as_ref()?.1.selected()
    }

    pub(super) fn path(&self) -> Option<String> {
        self.shown.as_ref()?.1.path()
    }

    /// Goes from the payload to the list; whether it was there.
    pub(super) fn leave(&mut self) -> bool {
        self.has_list() && std::mem::take(&mut self.entered)
    }

    pub(super) fn act(&mut self, action: Action) -> Option<&'static str> {
        let of_payload = matches!(
            action,
            Action::FindNext | Action::FindPrevious | Action::UnfoldAll | Action::FoldAll
        );
        if !self.has_list() || self.entered || of_payload {
            return self.payload().and_then(|payload| payload.act(action));
        }
        if matches!(action, Action::Enter | Action::Right) {
            self.entered = true;
        } else {
            self.rows.act(action);
        }
        None
    }

    pub(super) fn click(&mut self, row: usize, twice: bool) {
        let above = usize::from(self.list_height);
        if row < above {
            self.entered = false;
            self.rows.select(self.rows.in_sight().start.saturating_add(row));
        } else if let Some(payload) = self.payload() {
            payload.click(row - above, twice);
            self.entered = true;
        }
    }

    pub(super) fn wheel(&mut self, row: usize, lines: i32) {
        if row < usize::from(self.list_height) {
            self.rows.wheel(lines);
        } else if let Some(payload) = self.payload() {
            payload.wheel(lines);
        }
    }

    /// The room is this: reads the selected reply, once.
    pub(super) fn fit(&mut self, area: Rect, archive: &Archive, call: &Detail) {
        let rows = u16::try_from(self.frames.len()).unwrap_or(u16::MAX);
        self.list_height = if self.has_list() { rows.min(area.height / 3).max(1) } else { 0 };
        self.rows.fit(self.frames.len(), self.list_height);
        let frame = self.rows.selected().and_then(|row| self.frames.get(row));
        if let Some(frame) = frame
            && self.shown.as_ref().is_none_or(|(shown, _)| shown != frame)
        {
            self.shown = Some((*frame, Payload::new(archive.body(call, frame))));
        }
        if let Some((_, payload)) = &mut self.shown {
            payload.fit(below(area, self.list_height));
        }
    }

    pub(super) fn draw(
        &self,
        call: &Detail,
        area: Rect,
        buf: &mut Buffer,
        theme: &Theme,
        focused: bool,
    ) {
        if self.frames.is_empty() {
            text::put(buf, (area.x, area.y), area.width, "no reply", theme.dim, theme);
            return;
        }
        let list = Rect { height: self.list_height, ..area };
        for (index, row) in self.rows.in_sight().zip(list.rows()) {
            let Some(frame) = self.frames.get(index) else { break };
            let mut pen = LineBuilder::new(row.width, &theme.symbols);
            pen.put(&format!("{:>4}  ", index + 1), theme.dim);
            let at = since(frame.span.last.at, call.row.time);
            pen.put_number(&format!("{at:>9}  "), theme.heading);
            pen.put(&format!("{:>9}", size(frame.span.bytes)), theme.dim);
            let (what, style) = match (frame.failed, frame.last) {
                (true, _) => ("  error", theme.error),
                (false, true) => ("  final", theme.ok),
                (false, false) => ("", theme.dim),
            };
            pen.put(what, style);
            pen.draw(buf, row.x, row.y, Align::Left);
            if self.rows.selected() == Some(index) {
                let chosen = if focused && !self.entered { theme.selected } else { theme.heading };
                buf.set_style(row, chosen);
            }
        }
        if let Some((_, payload)) = &self.shown {
            let focused = focused && (self.entered || !self.has_list());
            payload.draw(below(area, self.list_height), buf, theme, focused);
        }
    }
}

/// The room below the list.
fn below(area: Rect, list: u16) -> Rect {
    Rect { y: area.y + list.min(area.height), height: area.height.saturating_sub(list), ..area }
}
