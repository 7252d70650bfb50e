//! What happened of each pattern over time: counts in buckets of time and cells of latency, for
//! sparklines, heat maps and histograms. Bounded whatever the length of the run.
//!
//! ```text
//!    origin
//!      │ width │
//!  ┌───┬───┬───┬───┬───┐   the bucket of a call is that of its request's first byte: what was sent
//!  │-1 │ 0 │ 1 │ 2 │ 3 │   then, however long the answer took
//!  └───┴───┴───┴───┴───┘
//!      merge in pairs:     when the time that was seen needs more than BUCKETS of them, or there
//!  ┌───────┬───────┬───    are too many counts, the width doubles
//!  │  -1   │   0   │ 1
//! ```
//!
//! All patterns share the origin and the width, so that their charts stand below each other.

use crate::exchange::{Exchange, ExchangeKind, PatternId, Status};
use crate::limits;
use crate::store::Scale;
use crate::time::{Nanos, Timestamp};

/// Buckets of time, at most.
const BUCKETS: i64 = 128;

/// Nanoseconds of the narrowest bucket: doubled nine times it is a second, and then 2 s, 4 s, 8 s.
const NARROWEST: u64 = 1_953_125;

/// The cells of latency in a bucket.
pub const HEAT: Scale = Scale::Five;

/// The cells of latency over all of the time.
pub const FINE: Scale = Scale::Twenty;

/// The timelines of all patterns.
#[derive(Clone, Debug, Default)]
pub struct Timelines {
    division: Option<Division>,
    /// By kind and [`PatternId`].
    rows: [Vec<Option<Box<Timeline>>>; 2],
    /// Counts of all rows together.
    counts: usize,
}

/// How time is divided.
#[derive(Clone, Copy, Debug)]
struct Division {
    origin: Timestamp,
    width: u64,
    /// The first and the last bucket in which something happened; `first <= 0 <= last`.
    first: i64,
    last: i64,
    /// The time of the first and of the last exchange.
    earliest: Timestamp,
    latest: Timestamp,
}

/// What happened of one pattern.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Ascending by place, no place twice, no number 0.
    counts: Vec<Count>,
    /// Calls by the cell of [`FINE`] that takes their latency; empty where there is none.
    cells: Vec<u64>,
}

/// How many of one thing there were.
#[derive(Clone, Copy, Debug)]
struct Count {
    place: Place,
    /// Stops at its end, which takes more than a day of 40,000 calls a second in one cell.
    number: u32,
}

/// A bucket, and what is counted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    bucket: i16,
    /// 0 for all, 1 for errors, then the cells of [`HEAT`].
    what: u8,
}

/// What is counted in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Calls or events.
    All,
    /// Calls that ended `error`.
    Errors,
    /// Calls that ended `ok` or `error` with a latency that this cell of [`HEAT`] takes.
    Latency(usize),
}

const ALL: u8 = 0;
const ERRORS: u8 = 1;
const CELLS: u8 = 2;

impl Timelines {
    /// Takes an exchange that ended, or that stood open at the end. Orphan replies were sent at a
    /// time that nobody knows and are left out, and so is what is not sure to be an exchange.
    pub fn add(&mut self, exchange: &Exchange<'_>) {
        if !exchange.sure {
            return;
        }
        let rows = match exchange.kind {
            ExchangeKind::Request => 0,
            ExchangeKind::Event => 1,
            ExchangeKind::Reply | ExchangeKind::Connect => return,
        };
        let Some(bucket) = self.make_room(exchange.time()) else { return };
        let Some(rows) = self.rows.get_mut(rows) else { return };
        let id = exchange.pattern_id.0 as usize;
        if rows.len() <= id {
            rows.resize(id + 1, None);
        }
        let Some(row) = rows.get_mut(id) else { return };
        let row = row.get_or_insert_default();
        let before = row.counts.len();
        row.count(Place { bucket, what: ALL });
        if exchange.status == Status::Error {
            row.count(Place { bucket, what: ERRORS });
        }
        if matches!(exchange.status, Status::Ok | Status::Error)
            && let Some(latency) = exchange.latency.latency
        {
            row.count_latency(bucket, latency);
        }
        self.counts += row.counts.len() - before;
        if self.counts > limits::TIMELINE_COUNTS {
            // Until there is room for a while: doubling looks at all of them.
            while self.counts > limits::TIMELINE_COUNTS / 4 * 3 && self.double() {}
        }
    }

    /// What happened of one pattern; `None` where nothing did.
    pub fn get(&self, kind: ExchangeKind, pattern: PatternId) -> Option<&Timeline> {
        let rows = match kind {
            ExchangeKind::Request => self.rows.first(),
            ExchangeKind::Event => self.rows.get(1),
            ExchangeKind::Reply | ExchangeKind::Connect => None,
        };
        rows?.get(pattern.0 as usize)?.as_deref()
    }

    /// The time of the first and of the last exchange.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.division.map(|division| (division.earliest, division.latest))
    }

    /// How long a bucket is.
    pub fn width(&self) -> Nanos {
        Nanos::new(self.division.map_or(NARROWEST, |division| division.width))
    }

    /// How many buckets there are from the first exchange to `now`, or to the last exchange where
    /// that is later.
    pub fn buckets(&self, now: Timestamp) -> u64 {
        let Some(division) = self.division else { return 0 };
        division.last.max(division.bucket(now)).abs_diff(division.first) + 1
    }

    /// The bucket of a point in time, counted as [`start`](Self::start) counts them; the first one
    /// where it lies before that.
    pub fn bucket_at(&self, at: Timestamp) -> u64 {
        self.division
            .map_or(0, |division| division.bucket(at).max(division.first).abs_diff(division.first))
    }

    /// When `bucket` begins, counted from that of the first exchange; `None` beyond the end of
    /// time.
    pub fn start(&self, bucket: u64) -> Option<Timestamp> {
        let division = self.division?;
        let buckets = i128::from(division.first) + i128::from(bucket);
        let nanos = i128::from(division.origin.as_nanos()) + buckets * i128::from(division.width);
        let earliest = i128::from(i64::MIN);
        i64::try_from(nanos.max(earliest)).ok().map(Timestamp::from_nanos)
    }

    /// The counts of a timeline, by bucket, counted from that of the first exchange of all
    /// patterns. Ascending; what did not happen is left out.
    pub fn counts<'a>(
        &self,
        timeline: &'a Timeline,
    ) -> impl Iterator<Item = (u64, Counted, u64)> + use<'a> {
        let first = self.division.map_or(0, |division| division.first);
        timeline.counts.iter().map(move |count| {
            let what = match count.place.what {
                ALL => Counted::All,
                ERRORS => Counted::Errors,
                cell => Counted::Latency((cell - CELLS).into()),
            };
            (i64::from(count.place.bucket).abs_diff(first), what, count.number.into())
        })
    }

    /// The bucket of a point in time, which it makes room for.
    fn make_room(&mut self, at: Timestamp) -> Option<i16> {
        let division = self.division.get_or_insert(Division {
            origin: at,
            width: NARROWEST,
            first: 0,
            last: 0,
            earliest: at,
            latest: at,
        });
        division.earliest = division.earliest.min(at);
        division.latest = division.latest.max(at);
        loop {
            let division = self.division.as_mut()?;
            let bucket = division.bucket(at);
            let (first, last) = (division.first.min(bucket), division.last.max(bucket));
            if last - first < BUCKETS {
                (division.first, division.last) = (first, last);
                return i16::try_from(bucket).ok();
            }
            self.double();
        }
    }

    /// Merges the buckets in pairs; whether there were any.
    fn double(&mut self) -> bool {
        let Some(division) = &mut self.division else { return false };
        let Some(width) = division.width.checked_mul(2) else { return false };
        division.width = width;
        // Rounds down, as time before the origin needs it.
        (division.first, division.last) = (division.first >> 1, division.last >> 1);
        self.counts = 0;
        for row in self.rows.iter_mut().flatten().flatten() {
            row.merge_pairs();
            self.counts += row.counts.len();
        }
        true
    }
}

impl Division {
    fn bucket(&self, at: Timestamp) -> i64 {
        let since = i128::from(at.as_nanos()) - i128::from(self.origin.as_nanos());
        // The widest span, 2⁶⁴ ns, has far fewer buckets than i64 has numbers.
        i64::try_from(since.div_euclid(i128::from(self.width))).unwrap_or(i64::MAX)
    }
}

impl Timeline {
    /// Calls by the cell of [`FINE`] that takes their latency; empty where none has one. Exact.
    pub fn cells(&self) -> &[u64] {
        &self.cells
    }

    fn count_latency(&mut self, bucket: i16, latency: Nanos) {
        let what = u8::try_from(HEAT.cell(latency)).map_or(u8::MAX, |cell| CELLS + cell);
        self.count(Place { bucket, what });
        if self.cells.is_empty() {
            self.cells.resize(FINE.cells(), 0);
        }
        if let Some(cell) = self.cells.get_mut(FINE.cell(latency)) {
            *cell += 1;
        }
    }

    /// Most exchanges are of the last bucket: what has to move is little.
    fn count(&mut self, place: Place) {
        match self.counts.binary_search_by_key(&place, |count| count.place) {
            Ok(index) => {
                if let Some(count) = self.counts.get_mut(index) {
                    count.number = count.number.saturating_add(1);
                }
            }
            Err(index) => {
                if self.counts.len() == self.counts.capacity() {
                    // Not twice as many: the bound is on what is used.
                    self.counts.reserve_exact(4 + self.counts.len() / 4);
                }
                self.counts.insert(index, Count { place, number: 1 });
            }
        }
    }

    fn merge_pairs(&mut self) {
        for count in &mut self.counts {
            count.place.bucket >>= 1;
        }
        self.counts.sort_unstable_by_key(|count| count.place);
        self.counts.dedup_by(|later, kept| {
            let same = later.place == kept.place;
            if same {
                kept.number = kept.number.saturating_add(later.number);
            }
            same
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::endpoint::{ConnectionId, ConnectionNumber, Endpoints};
    use crate::exchange::{ExchangeNumber, Latency, Span};
    use crate::packet::PacketRef;

    fn add(timelines: &mut Timelines, pattern: u32, at: i64, status: Status, latency: Option<u64>) {
        let at = PacketRef { at: Timestamp::from_nanos(at), ..PacketRef::default() };
        let end = ([127, 0, 0, 1], 1).into();
        let kind = if status == Status::Sent { ExchangeKind::Event } else { ExchangeKind::Request };
        let connection = ConnectionId { number: ConnectionNumber(0), slot: 0 };
        let ends = Endpoints { client: end, server: end };
        timelines.add(&Exchange {
            pattern: Some("sum"),
            pattern_id: PatternId(pattern),
            request: Some(Span::in_order(at, at, 1)),
            latency: Latency { latency: latency.map(Nanos::new), ..Latency::default() },
            ..Exchange::empty(ExchangeNumber(1), connection, ends, kind, status)
        });
    }

    fn buckets(timelines: &Timelines, pattern: u32, what: Counted) -> Vec<(u64, u64)> {
        let Some(timeline) = timelines.get(ExchangeKind::Request, PatternId(pattern)) else {
            return Vec::new();
        };
        let counts = timelines.counts(timeline).filter(|(_, counted, _)| *counted == what);
        counts.map(|(bucket, _, number)| (bucket, number)).collect()
    }

    const MS: i64 = 1_000_000;

    #[test]
    fn a_call_belongs_to_the_time_of_its_request() {
        let mut timelines = Timelines::default();
        add(&mut timelines, 2, 5_000 * MS, Status::Ok, Some(90_000_000_000));
        add(&mut timelines, 2, 5_001 * MS, Status::Error, Some(100));
        add(&mut timelines, 2, 5_010 * MS, Status::Open, None);
        assert_eq!(buckets(&timelines, 2, Counted::All), [(0, 2), (5, 1)]);
        assert_eq!(buckets(&timelines, 2, Counted::Errors), [(0, 1)]);
        assert_eq!(buckets(&timelines, 2, Counted::Latency(0)), [(0, 1)], "below 1 µs");
        assert_eq!(timelines.start(0), Some(Timestamp::from_nanos(5_000 * MS)));
        let timeline = timelines.get(ExchangeKind::Request, PatternId(2)).unwrap();
        assert_eq!(timeline.cells().iter().sum::<u64>(), 2, "the open call has no latency");
    }

    #[test]
    fn buckets_are_shared_by_all_patterns_and_reach_to_the_present() {
        let mut timelines = Timelines::default();
        add(&mut timelines, 2, 100 * MS, Status::Ok, Some(1));
        add(&mut timelines, 3, 120 * MS, Status::Ok, Some(1));
        // Sent before the first one, and seen after it.
        add(&mut timelines, 3, 97 * MS, Status::Ok, Some(1));
        assert_eq!(buckets(&timelines, 2, Counted::All), [(2, 1)]);
        assert_eq!(buckets(&timelines, 3, Counted::All), [(0, 1), (12, 1)]);
        assert_eq!(timelines.buckets(Timestamp::from_nanos(0)), 13);
        assert_eq!(timelines.buckets(Timestamp::from_nanos(140 * MS)), 23);
    }

    #[test]
    fn widths_become_round_seconds() {
        let mut timelines = Timelines::default();
        for second in 0..200 {
            add(&mut timelines, 2, second * 1_000 * MS, Status::Ok, Some(1));
        }
        assert_eq!(timelines.width(), Nanos::from_secs(2));
        assert_eq!(
            buckets(&timelines, 2, Counted::All),
            (0..100).map(|n| (n, 2)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn events_have_timelines_of_their_own() {
        let mut timelines = Timelines::default();
        add(&mut timelines, 2, 0, Status::Sent, None);
        assert!(timelines.get(ExchangeKind::Request, PatternId(2)).is_none());
        let timeline = timelines.get(ExchangeKind::Event, PatternId(2)).unwrap();
        let counts: Vec<_> = timelines.counts(timeline).collect();
        assert_eq!((counts, timeline.cells().len()), (vec![(0, Counted::All, 1)], 0));
    }

    #[test]
    fn the_bound_on_counts_holds_and_loses_none() {
        let mut timelines = Timelines::default();
        let (buckets_filled, patterns) = (40_u32, 1_002);
        for bucket in 0..buckets_filled {
            for (pattern, cell) in
                (0..patterns).flat_map(|p| (0..HEAT.cells()).map(move |c| (p, c)))
            {
                let at = i64::from(bucket) * 1_953_125;
                add(&mut timelines, pattern, at, Status::Ok, Some(HEAT.low(cell).get()));
            }
        }
        assert_eq!(timelines.width(), Nanos::new(2 * 1_953_125), "else this shows nothing");
        assert!(timelines.counts <= limits::TIMELINE_COUNTS);
        let all = (0..patterns).flat_map(|pattern| buckets(&timelines, pattern, Counted::All));
        let all: u64 = all.map(|(_, number)| number).sum();
        assert_eq!(all, u64::from(buckets_filled * patterns) * HEAT.cells() as u64);
        // What a run of any length can come to: counts, and the slack of their growth.
        let held = limits::TIMELINE_COUNTS * size_of::<Count>();
        let fine = 1_002 * FINE.cells() * size_of::<u64>();
        assert!(held * 5 / 4 + fine < 20_000_000, "{held} and {fine} bytes");
    }

    #[test]
    fn the_width_doubles_where_there_are_too_many_counts() {
        let mut timelines = Timelines::default();
        for (bucket, cell) in
            (0..120).flat_map(|bucket| (0..HEAT.cells()).map(move |c| (bucket, c)))
        {
            add(&mut timelines, 2, bucket * 1_953_125, Status::Ok, Some(HEAT.low(cell).get()));
        }
        let before = timelines.counts;
        assert_eq!(before, 120 * (HEAT.cells() + 1));
        timelines.double();
        assert_eq!(timelines.counts, before / 2);
        assert_eq!(timelines.width(), Nanos::new(2 * 1_953_125));
    }

    /// What the timelines should tell: every exchange by itself.
    fn naive(
        timelines: &Timelines,
        calls: &[(u32, i64, bool, u64)],
        pattern: u32,
    ) -> BTreeMap<(i128, u8), u64> {
        let origin = i128::from(calls[0].1);
        let width = i128::from(timelines.width().get());
        let bucket = |at: i64| (i128::from(at) - origin).div_euclid(width);
        let first = calls.iter().map(|call| bucket(call.1)).min().unwrap();
        let mut counts = BTreeMap::new();
        for &(_, at, failed, latency) in calls.iter().filter(|call| call.0 == pattern) {
            let cell = 2 + u8::try_from(HEAT.cell(Nanos::new(latency))).unwrap();
            for what in [Some(0), failed.then_some(1), Some(cell)].into_iter().flatten() {
                *counts.entry((bucket(at) - first, what)).or_default() += 1;
            }
        }
        counts
    }

    fn times() -> impl Strategy<Value = i64> {
        prop_oneof![0..10_000_i64, 0..1_000_000_000_i64, -5_000 * MS..5_000 * MS, any::<i64>()]
    }

    proptest! {
        #[test]
        fn counts_are_those_of_the_exchanges(
            calls in proptest::collection::vec((0_u32..3, times(), any::<bool>(), any::<u64>()), 1..200),
        ) {
            let mut timelines = Timelines::default();
            for &(pattern, at, failed, latency) in &calls {
                let status = if failed { Status::Error } else { Status::Ok };
                add(&mut timelines, pattern, at, status, Some(latency));
            }
            prop_assert!(timelines.buckets(Timestamp::from_nanos(i64::MIN)) <= 128);
            let mut all = 0;
            for pattern in 0..3 {
                let timeline = timelines.get(ExchangeKind::Request, PatternId(pattern));
                let counts = timeline.into_iter().flat_map(|timeline| timelines.counts(timeline));
                let counts: BTreeMap<_, _> = counts
                    .map(|(bucket, what, number)| {
                        let what = match what {
                            Counted::All => 0,
                            Counted::Errors => 1,
                            Counted::Latency(cell) => 2 + u8::try_from(cell).unwrap(),
                        };
                        ((i128::from(bucket), what), number)
                    })
                    .collect();
                prop_assert_eq!(counts, naive(&timelines, &calls, pattern));
                all += timeline.map_or(0, |timeline| timeline.counts.len());
            }
            prop_assert_eq!(all, timelines.counts);
        }

        #[test]
        fn an_exchange_lies_between_the_bounds_of_its_bucket(
            times in proptest::collection::vec(times(), 1..50),
        ) {
            let mut timelines = Timelines::default();
            for &at in &times {
                add(&mut timelines, 2, at, Status::Ok, Some(1));
            }
            for (bucket, number) in buckets(&timelines, 2, Counted::All) {
                let low = timelines.start(bucket).unwrap();
                let high = timelines.start(bucket + 1);
                let within = |at: &&i64| {
                    let at = Timestamp::from_nanos(**at);
                    low <= at && high.is_none_or(|high| at < high)
                };
                prop_assert_eq!(times.iter().filter(within).count() as u64, number);
                prop_assert_eq!(timelines.bucket_at(low), bucket);
            }
        }
    }
}
