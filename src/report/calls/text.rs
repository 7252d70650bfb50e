//! Lines for people, aligned while they stream.
//!
//! ```text
//!      # 2026-11-22   latency status    pattern client → server                   data ⇒ response
//!      1 03:52:01.123       - sent    ! log     127.0.0.1:51304 → 127.0.0.1:8888  "求和"
//!      2 03:52:01.130  3.61ms ok      → sum     127.0.0.1:51304 → 127.0.0.1:8888  [1,2,3] ⇒ 6
//! ```
//!
//! The widths depend on the terminal alone, so no line waits for the next one. A narrow terminal
//! tells the ends by their ports.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::SocketAddr;

use unicode_width::UnicodeWidthStr;

use crate::exchange::{EndedBy, Exchange, ExchangeKind, Status};
use crate::report::civil::{Civil, offset};
use crate::report::units::counted;
use crate::report::visible::push_visible;
use crate::report::{Layout, Moments, TimeFormat};
use crate::time::{Nanos, Timestamp};

/// Writes exchanges for people.
#[derive(Debug)]
pub struct Text<W> {
    out: W,
    layout: Layout,
    widths: Widths,
    date: Civil,
    time: Moments,
    /// The day that the last header told.
    day: String,
    line: String,
    payload: String,
}

/// Columns of what differs from terminal to terminal.
#[derive(Clone, Copy, Debug)]
struct Widths {
    number: usize,
    time: usize,
    pattern: usize,
    ends: usize,
    payload: usize,
}

/// Columns of latency, status, kind and the spaces between all fields.
const FIXED: usize = 7 + 7 + 1 + 8;

/// Below this many columns the ends are told by their ports.
const NARROW: usize = 110;

/// Payloads have at least this many columns, even where the line does not fit then.
const PAYLOAD: usize = 12;

impl Widths {
    const fn of(columns: usize, format: TimeFormat) -> Self {
        let time = format.width(decimals(format));
        let (number, pattern, ends) = match columns {
            ..NARROW => (5, 13 + columns.saturating_sub(80) / 3, 11),
            NARROW..160 => (7, 16 + (columns - NARROW) / 5, 33),
            _ => (7, 32, 43),
        };
        let payload = columns.saturating_sub(FIXED + number + time + pattern + ends);
        Self {
            number,
            time,
            pattern,
            ends,
            payload: if payload < PAYLOAD { PAYLOAD } else { payload },
        }
    }
}

impl<W: Write> Text<W> {
    /// Writes to `out`, one `write` per exchange.
    pub fn new(out: W, layout: Layout) -> Self {
        Self {
            out,
            widths: Widths::of(layout.columns, layout.time),
            date: Civil::new(layout.zone.clone(), "%Y-%m-%d"),
            time: Moments::new(layout.zone.clone(), layout.time),
            layout,
            day: String::new(),
            line: String::new(),
            payload: String::new(),
        }
    }

    /// The capture begins at this point in time.
    pub fn begin(&mut self, first: Timestamp) {
        self.time.begin(first);
    }

    /// Writes one exchange; before the first one of a day, what the columns are.
    pub fn write(&mut self, exchange: &Exchange<'_>) -> io::Result<()> {
        self.line.clear();
        // Where the lines tell no time of day, one header is enough.
        let day = match self.layout.time.is_of_day() {
            true => self.date.second(exchange.time()),
            false => "time",
        };
        if day != self.day {
            self.day.clear();
            self.day.push_str(day);
            self.push_header(exchange.time());
        }
        self.push_line(exchange);
        self.out.write_all(self.line.as_bytes())
    }

    /// Flushes what was written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// The writer below.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn push_header(&mut self, at: Timestamp) {
        let Widths { number, time, pattern, ends, payload } = self.widths;
        let heading = self.layout.palette.heading;
        let told = if ends < 30 { "ports" } else { "client → server" };
        let zone = match self.layout.time {
            TimeFormat::Epoch | TimeFormat::SinceAbove | TimeFormat::SinceFirst => String::new(),
            _ => format!("  (times: {})", offset(&self.layout.zone, at)),
        };
        // Told where there is room for it.
        let zone = if zone.len() + 15 <= payload { zone.as_str() } else { "" };
        // Writing to a String cannot fail, here and below.
        _ = writeln!(
            self.line,
            "{heading}{:>number$} {:<time$} {:>7} {:<7}   {:<pattern$} {told:<ends$} data ⇒ response{zone}{heading:#}",
            "#", self.day, "latency", "status", "pattern",
        );
    }

    fn push_line(&mut self, exchange: &Exchange<'_>) {
        let Widths { number, time, pattern, ends, payload } = self.widths;
        let palette = self.layout.palette;
        let at = exchange.time();
        _ = write!(self.line, "{:>number$} ", exchange.number);
        self.payload.clear();
        self.time.push(&mut self.payload, at, decimals(self.layout.time));
        _ = write!(self.line, "{:>time$} ", self.payload);
        match (exchange.latency.latency, exchange.waited) {
            (Some(latency), _) => _ = write!(self.line, "{latency:>7}"),
            (None, Some(waited)) if is_answer(exchange.status) => {
                _ = write!(self.line, "{waited:>7}");
            }
            // The caller waited so long, and has no answer.
            (None, Some(waited)) => _ = write!(self.line, "{:>7}", format!(">{waited}")),
            (None, None) => self.line.push_str("      -"),
        }
        let status = palette.status(exchange.status);
        let name = exchange.status.name();
        // Only attempts to connect have a longer one, and no pattern.
        let excess = name.len().saturating_sub(7);
        let doubt = if exchange.sure { ' ' } else { '?' };
        let kind = match exchange.kind {
            ExchangeKind::Request => '→',
            ExchangeKind::Event => '!',
            ExchangeKind::Reply => '←',
            ExchangeKind::Connect => '×',
        };
        _ = write!(self.line, " {status}{name:<7}{status:#}{doubt}{kind} ");
        let name = exchange.pattern.unwrap_or("-");
        let width = push_visible(&mut self.line, name.as_bytes(), pattern - excess);
        pad(&mut self.line, pattern + 1 - excess - width);
        let width = push_ends(&mut self.line, exchange, ends);
        pad(&mut self.line, (ends + 1).saturating_sub(width));
        self.push_payloads(exchange, payload);
        self.line.truncate(self.line.trim_end().len());
        self.line.push('\n');
    }

    /// `data ⇒ response ⇒ response`. The answer is what most people look for: it has half of the
    /// room at least.
    fn push_payloads(&mut self, exchange: &Exchange<'_>, columns: usize) {
        self.payload.clear();
        let mut answered = 0;
        // How long it took to fail tells more than what was asked.
        let mut least = columns / 2;
        if exchange.waited.is_some() {
            answered = push_ending(&mut self.payload, exchange, columns);
            least = columns / 4;
        }
        for payload in exchange.responses.iter().chain(exchange.error) {
            if answered + 3 > columns {
                // Too long by this, so that the end of the line shows that there is more.
                self.payload.push_str(" ⇒ …");
                break;
            }
            self.payload.push_str(" ⇒ ");
            answered += 3 + push_visible(&mut self.payload, payload, columns - answered - 3);
        }
        let asked = columns.saturating_sub(answered).max(least);
        let style = match exchange.error {
            None if exchange.waited.is_none() => anstyle::Style::new(),
            _ => self.layout.palette.status(exchange.status),
        };
        let data = exchange.data.unwrap_or_default();
        let width = push_visible(&mut self.line, data, asked);
        if self.payload.is_empty() {
            return;
        }
        let answer = self.payload.trim_start_matches(if width == 0 { " " } else { "" });
        _ = write!(self.line, "{style}");
        push_visible(&mut self.line, answer.as_bytes(), columns - width);
        _ = write!(self.line, "{style:#}");
    }
}

/// Milliseconds where the clock is told; where the difference counts, as much as tshark tells.
const fn decimals(format: TimeFormat) -> usize {
    match format {
        TimeFormat::Epoch | TimeFormat::SinceAbove | TimeFormat::SinceFirst => 6,
        _ => 3,
    }
}

/// Whether an attempt to connect was answered, if only by a refusal.
const fn is_answer(status: Status) -> bool {
    matches!(status, Status::Refused | Status::Reset)
}

/// Tells how an exchange ended that has no final reply, as whole as there is room for; the time
/// alone stands in the column of latencies. Says how many columns that took.
fn push_ending(line: &mut String, exchange: &Exchange<'_>, columns: usize) -> usize {
    let Some(waited) = exchange.waited else { return 0 };
    let (ended, by) = match exchange.ended_by {
        Some(EndedBy::Client) => ("closed by client", "by client"),
        Some(EndedBy::Server) => ("closed by server", "by server"),
        Some(EndedBy::ResetByClient) => ("reset by client", "by client"),
        Some(EndedBy::ResetByServer) => ("reset by server", "by server"),
        Some(EndedBy::Network) => ("unreachable", "unreachable"),
        Some(EndedBy::Capture) | None => ("no answer", ""),
    };
    let ended = if exchange.status == Status::Refused { "refused" } else { ended };
    let attempts = match exchange.attempts {
        ..=1 => String::new(),
        more => counted(more.into(), "attempt", "attempts"),
    };
    let short = if attempts.is_empty() { by } else { &attempts };
    let whole = match ended {
        "no answer" if waited == Nanos::ZERO => "no answer to its only SYN".to_owned(),
        _ => format!("{ended} after {waited}"),
    };
    let told = match attempts.is_empty() {
        true => whole.clone(),
        false => format!("{whole}, {attempts}"),
    };
    let asked = if exchange.data.is_some() { columns / 4 } else { 0 };
    let room = columns.saturating_sub(asked + 3);
    let fits = |text: &&str| text.width() <= room;
    let told = [&*told, &*whole, short].into_iter().find(fits).filter(|text| !text.is_empty());
    let Some(told) = told else { return 0 };
    line.push_str(" ⇒ ");
    line.push_str(told);
    told.width() + 3
}

/// Appends the ends of an exchange: whole, or cut from the left, as the port tells most; their
/// ports alone where there is no room for more.
fn push_ends(line: &mut String, exchange: &Exchange<'_>, columns: usize) -> usize {
    let start = line.len();
    let (client, server) = (exchange.ends.client, exchange.ends.server);
    if columns < 30 {
        _ = write!(line, "{}→{}", client.port(), server.port());
    } else {
        _ = write!(line, "{client} → {server}");
    }
    // An arrow has three bytes and one column; all else is ASCII.
    let width = line.len() - start - 2;
    if width <= columns {
        return width;
    }
    line.truncate(start);
    let half = (columns - 3) / 2;
    let client = push_end(line, client, half);
    line.push_str(" → ");
    client + 3 + push_end(line, server, half)
}

fn push_end(line: &mut String, end: SocketAddr, columns: usize) -> usize {
    let text = end.to_string();
    if text.len() <= columns {
        line.push_str(&text);
        return text.len();
    }
    let tail = text.get(text.len() + 1 - columns..).unwrap_or_default();
    line.push('…');
    line.push_str(tail);
    columns
}

fn pad(line: &mut String, columns: usize) {
    line.extend(std::iter::repeat_n(' ', columns));
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::endpoint::Endpoints;
    use crate::exchange::{ExchangeNumber, Payloads};
    use crate::report::Palette;
    use crate::report::calls::samples;

    fn text(columns: usize, palette: Palette, exchanges: &[Exchange<'_>]) -> String {
        let layout = Layout { columns, zone: TimeZone::UTC, time: TimeFormat::OfDay, palette };
        let mut writer = Text::new(Vec::new(), layout);
        for exchange in exchanges {
            writer.write(exchange).unwrap();
        }
        String::from_utf8(writer.into_inner()).unwrap()
    }

    fn some() -> Vec<Exchange<'static>> {
        let far = Endpoints {
            client: "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:51304".parse().unwrap(),
            server: "[2001:db8:85a3:8d3:1319:8a2e:370:7349]:8888".parse().unwrap(),
        };
        vec![
            samples::event(),
            samples::call(),
            samples::stream(),
            samples::failed(),
            samples::open(),
            samples::orphan(),
            samples::closed(),
            Exchange {
                status: Status::Open,
                ended_by: Some(EndedBy::Capture),
                ..samples::closed()
            },
            samples::unsure(),
            samples::refused(),
            samples::unanswered(),
            Exchange { attempts: 1, ended_by: None, error: None, ..samples::unanswered() },
            Exchange { ends: far, number: ExchangeNumber(12_345), ..samples::call() },
            Exchange {
                pattern: Some("orders.\u{202e}created.by.somebody.with.a.long.name"),
                data: Some(
                    "\"求和求和求和求和求和求和求和求和求和求和求和求和求和求和求和求和求和\""
                        .as_bytes(),
                ),
                responses: Payloads::new(b"\"\x1b[2J an answer too long for most\"", &[34]),
                ..samples::call()
            },
        ]
    }

    #[test]
    fn lines_for_terminals_of_several_widths() {
        for columns in [80, 120, 200] {
            let written = text(columns, Palette::PLAIN, &some());
            for line in written.lines() {
                assert!(line.width() <= columns, "{columns}: {line}");
            }
            insta::assert_snapshot!(format!("calls_{columns}"), written);
        }
    }

    #[test]
    fn colours_have_a_meaning_and_an_end() {
        let written = text(120, Palette::COLOURED, &[samples::call(), samples::failed()]);
        insta::assert_snapshot!(written.replace('\x1b', "␛"));
    }

    #[test]
    fn times_are_told_as_asked_in_lines_that_fit() {
        for (format, time) in [
            (TimeFormat::WithDate, "2026-11-22 03:52:01.123"),
            (TimeFormat::SinceFirst, "    0.123456"),
            (TimeFormat::Epoch, "1795319521.123456"),
        ] {
            let palette = Palette::PLAIN;
            let layout = Layout { columns: 120, zone: TimeZone::UTC, time: format, palette };
            let mut writer = Text::new(Vec::new(), layout);
            writer.begin(Timestamp::from_nanos(1_795_319_521_000_000_000));
            some().iter().for_each(|exchange| writer.write(exchange).unwrap());
            let written = String::from_utf8(writer.into_inner()).unwrap();
            let (heading, rows) = written.split_once('\n').unwrap();
            assert!(heading.contains("# time "), "{heading}");
            assert!(rows.contains(&format!(" {time} ")), "{rows}");
            assert!(written.lines().all(|line| line.width() <= 120), "{written}");
        }
    }

    #[test]
    fn a_new_day_is_told() {
        let mut tomorrow = samples::call();
        for span in [&mut tomorrow.request, &mut tomorrow.reply] {
            let span = span.as_mut().unwrap();
            span.first = samples::packet(9, 86_400_000_000_000);
        }
        let written = text(80, Palette::PLAIN, &[samples::call(), tomorrow]);
        let days: Vec<_> = written
            .lines()
            .filter_map(|line| line.split_whitespace().nth(1).filter(|word| word.len() == 10))
            .collect();
        assert_eq!(days, ["2026-11-22", "2026-11-23"]);
    }

    proptest! {
        #[test]
        fn any_exchange_is_one_clean_line_that_fits(
            pattern in any::<String>(),
            data in proptest::collection::vec(any::<u8>(), 0..200),
            response in any::<String>(),
            columns in 80_usize..240,
        ) {
            let ends = [response.len()];
            let exchange = Exchange {
                pattern: Some(&pattern),
                data: Some(&data),
                responses: Payloads::new(response.as_bytes(), &ends),
                ..samples::call()
            };
            let written = text(columns, Palette::PLAIN, &[exchange]);
            let lines: Vec<_> = written.split('\n').collect();
            prop_assert_eq!(lines.len(), 3);
            for line in lines {
                prop_assert!(line.width() <= columns);
                prop_assert!(!line.contains(crate::report::visible::is_acting));
            }
        }
    }
}
