//! The calls behind a bar or a cell, and the filter that lists them.

use crate::exchange::{ExchangeKind, PatternId};
use crate::query::quoted;
use crate::store::Row;
use crate::time::{Nanos, Timestamp};
use crate::tui::charts::bound;

/// Some exchanges of one pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) id: PatternId,
    /// Its text; `None` for requests that had no pattern.
    pub(super) pattern: Option<String>,
    pub(super) kind: ExchangeKind,
    /// From this latency on, and below that one if there is an end.
    pub(super) latency: Option<(Nanos, Option<Nanos>)>,
    /// Sent from this time on, and before that one.
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
}

impl Chosen {
    /// The filter that lists them and no others; `None` where no filter can, because their patterns
    /// were too many to be told apart.
    pub(super) fn filter(&self) -> Option<String> {
        if self.id == PatternId::OTHERS {
            return None;
        }
        let mut terms = vec![match &self.pattern {
            Some(pattern) => format!("pattern == {}", quoted(pattern)),
            None => "not pattern".to_owned(),
        }];
        match self.latency {
            // What has a latency is a call.
            Some((low, high)) => {
                if low > Nanos::ZERO || high.is_none() {
                    terms.push(format!("latency >= {}", duration(low)));
                }
                terms.extend(high.map(|high| format!("latency < {}", duration(high))));
            }
            None => terms.push(format!("kind == {}", self.kind.name())),
        }
        terms.extend(self.from.map(|from| format!("time >= {}", time(from))));
        terms.extend(self.to.map(|to| format!("time < {}", time(to))));
        Some(terms.join(" && "))
    }

    /// Whether an exchange is one of them.
    pub(super) fn takes(&self, row: &Row) -> bool {
        let within = |(low, high): (Nanos, Option<Nanos>)| {
            row.latency
                .is_some_and(|latency| low <= latency && high.is_none_or(|high| latency < high))
        };
        row.pattern == self.id
            && row.kind == self.kind
            && self.latency.is_none_or(within)
            && self.from.is_none_or(|from| row.time >= from)
            && self.to.is_none_or(|to| row.time < to)
    }
}

/// A latency to the nanosecond: `1.6ms` where that is all of it.
fn duration(latency: Nanos) -> String {
    let nanos = latency.get();
    // Three digits at most are written with a larger unit.
    let digits = nanos.checked_ilog10().unwrap_or(0);
    if nanos.is_multiple_of(10_u64.pow(digits.saturating_sub(2))) {
        bound(latency, true)
    } else {
        format!("{nanos}ns")
    }
}

fn time(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_nanosecond(at.as_nanos().into());
    time.map_or_else(|_| String::new(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::ConnectionNumber;
    use crate::exchange::{ExchangeNumber, Status};
    use crate::query::Filter;

    fn chosen() -> Chosen {
        Chosen {
            id: PatternId(2),
            pattern: Some("sum".to_owned()),
            kind: ExchangeKind::Request,
            latency: None,
            from: None,
            to: None,
        }
    }

    #[test]
    fn filters_say_all_that_was_chosen() {
        let (low, high) = (Nanos::new(1_120_000), Nanos::new(1_250_000));
        let (from, to) = (Timestamp::from_nanos(1_795_319_521_123_456_789), Timestamp::default());
        for (chosen, filter) in [
            (chosen(), r#"pattern == "sum" && kind == request"#),
            (
                Chosen { kind: ExchangeKind::Event, ..chosen() },
                r#"pattern == "sum" && kind == event"#,
            ),
            (
                Chosen { pattern: Some(r#"{"cmd":"a\b"}"#.to_owned()), ..chosen() },
                r#"pattern == "{\"cmd\":\"a\\b\"}" && kind == request"#,
            ),
            (Chosen { pattern: None, ..chosen() }, "not pattern && kind == request"),
            (
                Chosen { latency: Some((low, Some(high))), ..chosen() },
                r#"pattern == "sum" && latency >= 1.12ms && latency < 1.25ms"#,
            ),
            (
                Chosen { latency: Some((Nanos::ZERO, Some(Nanos::new(1_000)))), ..chosen() },
                r#"pattern == "sum" && latency < 1us"#,
            ),
            (
                Chosen { latency: Some((Nanos::from_secs(1_000), None)), ..chosen() },
                r#"pattern == "sum" && latency >= 1000s"#,
            ),
            (
                Chosen { latency: Some((Nanos::new(3_141_592), None)), ..chosen() },
                r#"pattern == "sum" && latency >= 3141592ns"#,
            ),
            (
                Chosen { latency: Some((low, None)), from: Some(from), to: Some(to), ..chosen() },
                r#"pattern == "sum" && latency >= 1.12ms && time >= 2026-11-22T03:52:01.123456789Z && time < 1970-01-01T00:00:00Z"#,
            ),
        ] {
            assert_eq!(chosen.filter().unwrap(), filter);
            assert!(Filter::parse(filter).is_ok(), "{filter}");
        }
        assert_eq!(Chosen { id: PatternId::OTHERS, ..chosen() }.filter(), None);
    }

    #[test]
    fn rows_are_taken_by_the_same_bounds() {
        let row = Row {
            number: ExchangeNumber(1),
            time: Timestamp::from_nanos(50),
            kind: ExchangeKind::Request,
            status: Status::Ok,
            pattern: PatternId(2),
            connection: ConnectionNumber(0),
            latency: Some(Nanos::new(100)),
            waited: None,
            ended_by: None,
            request_held: Default::default(),
            reply_held: Default::default(),
            sure: true,
            attempts: 1,
            request_bytes: 1,
            reply_bytes: 1,
            replies: 1,
        };
        let latency = |low, high: u64| Some((Nanos::new(low), Some(Nanos::new(high))));
        let at = |nanos| Some(Timestamp::from_nanos(nanos));
        for (chosen, taken) in [
            (chosen(), true),
            (Chosen { id: PatternId(3), ..chosen() }, false),
            (Chosen { kind: ExchangeKind::Event, ..chosen() }, false),
            (Chosen { latency: latency(100, 101), ..chosen() }, true),
            (Chosen { latency: latency(99, 100), ..chosen() }, false),
            (Chosen { latency: latency(101, 102), ..chosen() }, false),
            (Chosen { from: at(50), to: at(51), ..chosen() }, true),
            (Chosen { from: at(51), ..chosen() }, false),
            (Chosen { to: at(50), ..chosen() }, false),
        ] {
            assert_eq!(chosen.takes(&row), taken, "{chosen:?}");
        }
        let open = Row { latency: None, ..row };
        assert!(
            chosen().takes(&open) && !Chosen { latency: latency(0, 200), ..chosen() }.takes(&open)
        );
    }
}
