//! What stands in each cell of the list.

use std::net::SocketAddr;
use std::ops::Range;

use ratatui::style::{Modifier, Style};

use super::columns::Column;
use super::lines::{Line, without_pattern};
use super::percentiles::Pace;
use crate::exchange::{EndedBy, ExchangeKind, Status};
use crate::report::size;
use crate::store::Row;
use crate::time::Nanos;
use crate::tui::text::{LineBuilder, found};
use crate::tui::theme::Theme;

/// Writes cells.
pub struct Cells<'a> {
    /// Colours and symbols.
    pub theme: &'a Theme,
    /// What is searched for.
    pub needle: &'a str,
}

impl Cells<'_> {
    /// Writes what `line` has in `column`.
    pub fn write(&self, line: &Line, column: Column, pen: &mut LineBuilder) {
        let theme = self.theme;
        let plain = Style::new();
        let Some(row) = &line.row else {
            if column == Column::Number {
                pen.put(&line.number.to_string(), theme.dim);
            } else if column == Column::Pattern {
                pen.put("(gave way to newer ones)", theme.dim);
            }
            return;
        };
        match column {
            Column::Number => _ = pen.put(&row.number.to_string(), theme.dim),
            Column::Time => _ = pen.put_number(&line.time, plain),
            Column::Kind => self.write_kind(row.kind, pen),
            Column::Pattern => match &line.pattern {
                Some(pattern) => self.write_found(pattern, plain, pen),
                None => _ = pen.put(&without_pattern(row), theme.dim),
            },
            Column::Latency => self.write_latency(line, pen),
            Column::Pace => self.write_pace(line.pace, pen),
            Column::Waited => {
                let waited = row.waited.map(|waited| waited.to_string());
                pen.put_number(&waited.unwrap_or_default(), plain);
            }
            Column::Held => self.write_held(row, pen),
            Column::Status => {
                let style = if row.sure { theme.status(row.status) } else { theme.warning };
                self.write_found(&line.status, style, pen);
            }
            Column::EndedBy => {
                let by = row.ended_by.map_or("", EndedBy::name);
                self.write_found(by, theme.status(row.status), pen);
            }
            Column::Client => self.write_end(line.ends.map(|ends| ends.client), pen),
            Column::Server => self.write_end(line.ends.map(|ends| ends.server), pen),
            Column::Connection => _ = pen.put(&row.connection.to_string(), theme.dim),
            Column::RequestBytes if row.request_bytes > 0 => {
                pen.put(&size(row.request_bytes), plain);
            }
            Column::ReplyBytes if row.reply_bytes > 0 => _ = pen.put(&size(row.reply_bytes), plain),
            Column::Replies if row.replies > 0 => _ = pen.put(&row.replies.to_string(), plain),
            Column::RequestBytes | Column::ReplyBytes | Column::Replies => {}
            Column::Data => self.write_data(line, pen),
        }
    }

    fn write_kind(&self, kind: ExchangeKind, pen: &mut LineBuilder) {
        let (symbol, style) = match kind {
            ExchangeKind::Request => (self.theme.symbols.right, self.theme.client),
            ExchangeKind::Event => ('!', self.theme.client),
            ExchangeKind::Reply => (self.theme.symbols.left, self.theme.server),
            ExchangeKind::Connect if self.theme.symbols.is_ascii => ('x', self.theme.error),
            ExchangeKind::Connect => ('×', self.theme.error),
        };
        pen.put(symbol.encode_utf8(&mut [0; 4]), style);
    }

    fn write_latency(&self, line: &Line, pen: &mut LineBuilder) {
        let latency = line.row.and_then(|row| row.latency);
        let style = match (latency, line.pace) {
            (Some(_), Some(Pace { slow: true, .. })) => self.slow(),
            (Some(_), _) => Style::new(),
            (None, _) => self.theme.dim,
        };
        if let Some(waited) = latency.or(line.age) {
            pen.put_number(&waited.to_string(), style);
            return;
        }
        let Some((row, waited)) = line.row.and_then(|row| Some((row, row.waited?))) else { return };
        // The server said no then; all others would have waited on.
        let is_answer = matches!(row.status, Status::Refused | Status::Reset);
        let sign = if is_answer { "" } else { ">" };
        pen.put_number(&format!("{sign}{waited}"), self.theme.status(row.status));
    }

    /// The most that its frames were held back.
    fn write_held(&self, row: &Row, pen: &mut LineBuilder) {
        let held = [row.request_held, row.reply_held];
        let nanos = held.map(|held| held.at_most.get());
        let at_most = Nanos::new(nanos.into_iter().fold(0, u64::saturating_add));
        if at_most > Nanos::ZERO {
            let certain = held.iter().any(|held| held.certain);
            pen.put_number(
                &at_most.to_string(),
                if certain { self.slow() } else { self.theme.dim },
            );
        }
    }

    /// A bar from the median of the pattern to its slowest call.
    fn write_pace(&self, pace: Option<Pace>, pen: &mut LineBuilder) {
        let Some(Pace { share, slow }) = pace else { return };
        let steps = pen.room() * 8;
        // Whole eighths: at most a few hundred.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let filled = (share * steps as f64).round() as usize;
        let lying = &self.theme.symbols.lying;
        let mut bar: String =
            std::iter::repeat_n(lying.last().copied().unwrap_or('#'), filled / 8).collect();
        bar.extend((filled % 8).checked_sub(1).and_then(|eighths| lying.get(eighths)));
        pen.put(&bar, if slow { self.slow() } else { self.theme.dim });
    }

    fn slow(&self) -> Style {
        self.theme.warning.add_modifier(Modifier::BOLD)
    }

    /// An address with its port, or its end where there is no room for all of it: the port is what
    /// tells services of one host apart.
    fn write_end(&self, end: Option<SocketAddr>, pen: &mut LineBuilder) {
        let Some(end) = end else { return };
        let text = end.to_string();
        if text.len() <= pen.room() {
            return self.write_found(&text, Style::new(), pen);
        }
        let port = format!(":{}", end.port());
        let Some(before) = pen.room().checked_sub(port.len() + 1).filter(|before| *before > 3)
        else {
            return self.write_found(&port, Style::new(), pen);
        };
        let ellipsis = self.theme.symbols.ellipsis.to_string();
        let host = text.strip_suffix(&port).unwrap_or_default();
        let from = host.len().saturating_sub(before);
        pen.put(&ellipsis, self.theme.dim);
        self.write_found(
            &format!("{}{port}", host.get(from..).unwrap_or_default()),
            Style::new(),
            pen,
        );
    }

    fn write_data(&self, line: &Line, pen: &mut LineBuilder) {
        let (Some(preview), Some(row)) = (&line.preview, line.row) else { return };
        let theme = self.theme;
        if preview.large {
            let bytes = size(row.request_bytes.saturating_add(row.reply_bytes));
            pen.put(&format!("{bytes}: Enter shows them"), theme.dim);
            return;
        }
        let arrow = theme.symbols.right;
        if let Some(data) = &preview.data {
            // What answered gets its part of the room.
            let is_answered = preview.answer.is_some() || preview.ending.is_some();
            let share = if is_answered { pen.room() / 2 } else { pen.room() };
            let mut half =
                LineBuilder::new(u16::try_from(share).unwrap_or(u16::MAX), &theme.symbols);
            half.put_bytes(data, Style::new());
            pen.append(&half);
        }
        if let Some(answer) = &preview.answer {
            let style = if preview.failed { theme.error } else { theme.server };
            pen.put(&format!(" {arrow} "), theme.dim);
            match preview.more {
                0 => {}
                more if preview.failed => _ = pen.put(&format!("({more} before) "), theme.dim),
                more => _ = pen.put(&format!("(1 of {}) ", more + 1), theme.dim),
            }
            pen.put_bytes(answer, style);
        } else if let Some(ending) = &preview.ending {
            if preview.data.is_some() {
                pen.put(&format!(" {arrow} "), theme.dim);
            }
            pen.put(ending, theme.status(row.status));
        } else if row.status == Status::Open {
            pen.put(&format!(" {arrow} "), theme.dim);
        }
    }

    fn write_found(&self, text: &str, style: Style, pen: &mut LineBuilder) {
        let marks: Vec<Range<usize>> = found(text, self.needle);
        pen.put_marked(text, &marks, style, self.theme.found);
    }
}
