//! One payload: its tree, or its text where it is no JSON, or why it cannot be shown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::store::Unavailable;
use crate::tui::find::Needle;
use crate::tui::json_tree::JsonTree;
use crate::tui::keys::Action;
use crate::tui::theme::Theme;
use crate::tui::wrapped::{Breaks, Wrapped};
use crate::tui::{table, text};

/// A payload, and where the user is in it.
#[derive(Debug)]
pub(super) struct Payload {
    shown: Shown,
    /// A value of the tree that was opened over it.
    opened: Option<Wrapped>,
    height: usize,
}

#[derive(Debug)]
enum Shown {
    Tree(Box<JsonTree>),
    Text(Wrapped),
    /// Why there is nothing to see.
    Nothing(String),
}

impl Payload {
    /// What was read of the wire.
    pub(super) fn new(body: Result<Vec<u8>, Unavailable>) -> Self {
        let shown = match body.map(JsonTree::new) {
            Ok(Ok(tree)) => Shown::Tree(Box::new(tree)),
            Ok(Err(text)) => Shown::Text(Wrapped::new(text, Breaks::LineFeeds)),
            Err(gone) => Shown::Nothing(gone.to_string()),
        };
        Self { shown, opened: None, height: 0 }
    }

    /// Nothing, and why.
    pub(super) fn nothing(why: &str) -> Self {
        Self { shown: Shown::Nothing(why.to_owned()), opened: None, height: 0 }
    }

    /// What a copy takes: the selected value as it was on the wire.
    pub(super) fn selected(&self) -> Option<&[u8]> {
        match (&self.opened, &self.shown) {
            (Some(text), _) | (None, Shown::Text(text)) => Some(text.text()),
            (None, Shown::Tree(tree)) => Some(tree.value()),
            (None, Shown::Nothing(_)) => None,
        }
    }

    /// The name of the selected value: `data.items[3]`.
    pub(super) fn path(&self) -> Option<String> {
        match &self.shown {
            Shown::Tree(tree) => Some(tree.path()).filter(|path| !path.is_empty()),
            _ => None,
        }
    }

    /// Leaves an opened value; whether there was one.
    pub(super) fn leave(&mut self) -> bool {
        self.opened.take().is_some()
    }

    pub(super) fn look_for(&mut self, text: &str) -> bool {
        let needle = Needle::new(text);
        match &mut self.shown {
            Shown::Tree(tree) => tree.look_for(needle.clone()),
            Shown::Text(wrapped) => wrapped.look_for(needle.clone()),
            Shown::Nothing(_) => return false,
        }
        if let Some(opened) = &mut self.opened {
            opened.look_for(needle);
        }
        self.find(false)
    }

    fn find(&mut self, backwards: bool) -> bool {
        match (&mut self.opened, &mut self.shown) {
            (Some(text), _) | (None, Shown::Text(text)) => text.find(backwards),
            (None, Shown::Tree(tree)) => tree.find(backwards),
            (None, Shown::Nothing(_)) => false,
        }
    }

    /// Does what a key asks for; a sentence for the user where there is something to say.
    pub(super) fn act(&mut self, action: Action) -> Option<&'static str> {
        let by = table::lines(action, self.height);
        match action {
            Action::FindNext if !self.find(false) => return Some("Not found"),
            Action::FindPrevious if !self.find(true) => return Some("Not found"),
            _ => {}
        }
        match (&mut self.opened, &mut self.shown) {
            (Some(text), _) | (None, Shown::Text(text)) => match (by, action) {
                (Some(by), _) => text.go(by),
                (None, Action::Enter | Action::Left) => self.opened = None,
                _ => {}
            },
            (None, Shown::Tree(tree)) => match (by, action) {
                (Some(by), _) => tree.go(by),
                (None, Action::Right) => tree.right(),
                (None, Action::Left) => tree.left(),
                (None, Action::Enter) => {
                    let breaks =
                        if tree.is_on_string() { Breaks::Escapes } else { Breaks::LineFeeds };
                    self.opened =
                        (!tree.toggle()).then(|| Wrapped::new(tree.value().to_vec(), breaks));
                }
                (None, Action::UnfoldAll) if !tree.unfold_all() => {
                    return Some("Too much to unfold all of it: the rest stays folded");
                }
                (None, Action::FoldAll) => tree.fold_all(),
                _ => {}
            },
            (None, Shown::Nothing(_)) => {}
        }
        None
    }

    /// The mouse was pressed in this row of the payload; twice: it folds.
    pub(super) fn click(&mut self, row: usize, twice: bool) {
        if let (None, Shown::Tree(tree)) = (&self.opened, &mut self.shown)
            && tree.select_row(row)
            && twice
        {
            self.act(Action::Enter);
        }
    }

    /// The wheel: lines, downwards positive.
    pub(super) fn wheel(&mut self, lines: i32) {
        match (&mut self.opened, &mut self.shown) {
            (Some(text), _) | (None, Shown::Text(text)) => text.go(lines.into()),
            (None, Shown::Tree(tree)) => tree.go(lines.into()),
            (None, Shown::Nothing(_)) => {}
        }
    }

    /// The room is this.
    pub(super) fn fit(&mut self, area: Rect) {
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        self.height = height;
        match &mut self.shown {
            Shown::Tree(tree) => tree.show_selected(height),
            Shown::Text(text) => text.fit(width, height),
            Shown::Nothing(_) => {}
        }
        if let Some(opened) = &mut self.opened {
            opened.fit(width, height);
        }
    }

    pub(super) fn draw(&self, area: Rect, buf: &mut Buffer, theme: &Theme, focused: bool) {
        match (&self.opened, &self.shown) {
            (Some(opened), _) => opened.draw(area, buf, theme, theme.string),
            (None, Shown::Text(text)) => text.draw(area, buf, theme, Style::new()),
            (None, Shown::Tree(tree)) => tree.draw(area, buf, theme, focused),
            (None, Shown::Nothing(why)) if !area.is_empty() => {
                text::put(buf, (area.x, area.y), area.width, why, theme.dim, theme);
            }
            (None, Shown::Nothing(_)) => {}
        }
    }
}
