//! Whatever happens, a list shows what a filter and a sort over all rows would show.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::endpoint::ConnectionNumber;
use crate::exchange::{EndedBy, ExchangeKind, ExchangeNumber, Held, Status};
use crate::time::{Nanos, Timestamp};

/// Rows that are what the test says.
#[derive(Clone, Debug, Default)]
struct Known {
    start: ExchangeNumber,
    end: ExchangeNumber,
    rows: BTreeMap<ExchangeNumber, Row>,
}

impl Known {
    fn empty() -> Self {
        Self { start: ExchangeNumber(1), end: ExchangeNumber(1), rows: BTreeMap::new() }
    }
}

const PATTERNS: [&str; 4] = ["sum", "echo", "user.find", "a"];

impl Rows for Known {
    fn numbers(&self) -> Range<ExchangeNumber> {
        self.start..self.end
    }

    fn row(&self, number: ExchangeNumber) -> Option<Row> {
        self.rows.get(&number).copied()
    }

    fn pattern(&self, id: PatternId) -> Option<&str> {
        PATTERNS.get(id.0 as usize).copied()
    }

    fn ends(&self, connection: ConnectionNumber) -> Option<Endpoints> {
        // Two connections of one client, of which the later has the smaller address.
        let client = [([10, 0, 0, 2], 7), ([10, 0, 0, 1], 9), ([10, 0, 0, 2], 7)];
        let client = *client.get(connection.0 as usize)?;
        Some(Endpoints { client: client.into(), server: ([10, 0, 0, 9], 3_000).into() })
    }
}

/// A row in which everything follows from `seed`.
fn row(number: ExchangeNumber, seed: u64) -> Row {
    let small = |shift: u32, below: u64| u32::try_from((seed >> shift) % below).unwrap();
    Row {
        number,
        time: Timestamp::from_nanos(i64::from(small(0, 9)) - 4),
        kind: [ExchangeKind::Request, ExchangeKind::Event, ExchangeKind::Reply]
            [small(3, 3) as usize],
        status: [Status::Ok, Status::Open, Status::Error, Status::Sent][small(5, 4) as usize],
        pattern: PatternId(small(7, 5)),
        connection: ConnectionNumber(small(10, 4)),
        latency: (small(12, 3) > 0).then(|| Nanos::new(small(14, 6).into())),
        waited: small(23, 2).checked_sub(1).map(|nanos| Nanos::new(nanos.into())),
        ended_by: (small(24, 2) > 0).then_some(EndedBy::Server),
        request_held: Held { at_most: Nanos::new(small(25, 2).into()), certain: false },
        reply_held: Held { at_most: Nanos::new(small(26, 2).into()), certain: true },
        sure: true,
        attempts: 1,
        request_bytes: small(17, 4).into(),
        reply_bytes: small(19, 4).into(),
        replies: small(21, 3),
    }
}

const COLUMNS: [Column; 15] = [
    Column::Number,
    Column::Time,
    Column::Kind,
    Column::Pattern,
    Column::Latency,
    Column::Status,
    Column::Client,
    Column::Server,
    Column::Connection,
    Column::RequestBytes,
    Column::ReplyBytes,
    Column::Replies,
    Column::Waited,
    Column::Held,
    Column::EndedBy,
];

fn condition(which: usize) -> Option<Condition<Known>> {
    let test: fn(&Known, &Row) -> bool = match which {
        0 => return None,
        1 => |_, row| row.status == Status::Open,
        2 => |_, row| row.latency.is_some(),
        _ => |_, row| row.replies > 7,
    };
    Some(Arc::new(test))
}

/// What the list should be.
fn naive(known: &Known, order: Order, condition: Option<&Condition<Known>>) -> Vec<u64> {
    let mut rows: Vec<_> = known
        .rows
        .values()
        .filter(|row| condition.is_none_or(|condition| condition.begin(known)(row)))
        .collect();
    let key = |row: &Row| order.column.key(known, row);
    rows.sort_by(|one, other| {
        let (of_one, of_other) = (key(one), key(other));
        let absent = (of_one == Key::Absent).cmp(&(of_other == Key::Absent));
        let present = of_one.cmp(&of_other).then(one.number.cmp(&other.number));
        let is_turned = order.descending && of_one != Key::Absent;
        absent.then(if is_turned { present.reverse() } else { present })
    });
    rows.into_iter().map(|row| row.number.0).collect()
}

#[derive(Clone, Debug)]
enum Step {
    /// New rows; the number of each by so much beyond the last, so that some are of none.
    Begin(Vec<(u64, u64)>),
    /// Rows change: which, by their place among all, and to what.
    Change(Vec<(usize, u64)>),
    /// Numbers without a row get one after all.
    Late(u64),
    Forget(u64),
    Clear,
    Filter(usize),
    Sort(usize, bool),
    Refresh,
    Settle,
    /// One job is done.
    Work,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec((1..3_u64, any::<u64>()), 1..60).prop_map(Step::Begin),
        6 => prop::collection::vec((0..400_usize, any::<u64>()), 1..60).prop_map(Step::Change),
        1 => any::<u64>().prop_map(Step::Late),
        2 => (0..40_u64).prop_map(Step::Forget),
        1 => Just(Step::Clear),
        2 => (0..4_usize).prop_map(Step::Filter),
        3 => (0..COLUMNS.len(), any::<bool>()).prop_map(|(column, down)| Step::Sort(column, down)),
        6 => Just(Step::Refresh),
        3 => Just(Step::Settle),
        3 => Just(Step::Work),
    ]
}

type Jobs = Rc<RefCell<Vec<Box<dyn FnOnce() + Send>>>>;

/// A listing, the rows that it is about, and what was asked of it.
struct Harness {
    listing: Listing<Known>,
    jobs: Jobs,
    known: Known,
    changed: Vec<ExchangeNumber>,
    order: Order,
    condition: Option<Condition<Known>>,
}

impl Harness {
    /// Jobs wait until they are worked off; `at_once` rows need none.
    fn new(at_once: usize) -> Self {
        let jobs = Jobs::default();
        let queue = Rc::clone(&jobs);
        let mut listing = Listing::new(Rc::new(move |job| queue.borrow_mut().push(job)));
        listing.at_once = at_once;
        let known = Known::empty();
        let order = Order::BY_NUMBER;
        Self { listing, jobs, known, changed: Vec::new(), order, condition: None }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Begin(rows) => {
                for (gap, seed) in rows {
                    let number = self.known.end.saturating_add(gap - 1);
                    self.put(row(number, seed));
                    self.known.end = number.next();
                }
            }
            Step::Change(rows) => {
                for (place, seed) in rows {
                    let number = self.known.rows.keys().rev().nth(place).copied();
                    number.into_iter().for_each(|number| self.put(row(number, seed)));
                }
            }
            Step::Late(seed) => {
                let mut numbers = ExchangeNumber::each(self.known.numbers());
                let none = numbers.find(|number| !self.known.rows.contains_key(number));
                none.into_iter().for_each(|number| self.put(row(number, seed)));
            }
            Step::Forget(rows) => {
                self.known.start = self.known.start.saturating_add(rows).min(self.known.end);
                self.known.rows = self.known.rows.split_off(&self.known.start);
            }
            Step::Clear => {
                self.known = Known::empty();
                self.changed.clear();
                self.take(Step::Refresh);
            }
            Step::Filter(which) => {
                self.condition = condition(which);
                self.listing.set_condition(&self.known, self.condition.clone());
            }
            Step::Sort(column, descending) => {
                self.order = Order { column: COLUMNS[column], descending };
                self.listing.set_order(&self.known, self.order);
            }
            Step::Refresh => {
                self.listing.refresh(&self.known, &std::mem::take(&mut self.changed));
            }
            Step::Settle => {
                self.listing.refresh(&self.known, &std::mem::take(&mut self.changed));
                self.listing.settle(&self.known);
            }
            Step::Work => {
                let job = self.jobs.borrow_mut().pop();
                job.into_iter().for_each(|job| job());
            }
        }
    }

    fn put(&mut self, row: Row) {
        self.known.rows.insert(row.number, row);
        self.changed.extend([row.number, row.number]);
    }

    /// Lets everything that goes on come to its end.
    fn rest(&mut self) {
        self.take(Step::Settle);
        while !self.jobs.borrow().is_empty() {
            self.take(Step::Work);
            self.take(Step::Settle);
        }
        self.take(Step::Settle);
    }

    fn shown(&self) -> Vec<u64> {
        self.listing.numbers().map(|number| number.0).collect()
    }

    fn expected(&self) -> Vec<u64> {
        naive(&self.known, self.order, self.condition.as_ref())
    }
}

proptest! {
    #[test]
    fn a_list_is_what_filter_and_sort_give(
        at_once in prop_oneof![Just(8_usize), Just(50), Just(AT_ONCE)],
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut bench = Harness::new(at_once);
        for step in steps {
            let is_at_rest = matches!(step, Step::Refresh);
            bench.take(step);
            for (index, number) in bench.listing.numbers().enumerate() {
                prop_assert_eq!(bench.listing.position(number, 0), Some(index));
            }
            // A list by number needs no more than a refresh, where nothing was too much for it.
            if is_at_rest && at_once == AT_ONCE && bench.order.column == Column::Number {
                prop_assert_eq!(bench.shown(), bench.expected());
            }
        }
        bench.rest();
        prop_assert_eq!(bench.shown(), bench.expected());
        prop_assert_eq!(bench.listing.order(), bench.order);
        prop_assert_eq!(bench.listing.progress(), None);
    }
}

fn begin(rows: u64) -> Step {
    Step::Begin((0..rows).map(|number| (1, number.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect())
}

#[test]
fn the_present_list_stays_until_the_next_is_whole() {
    let mut bench = Harness::new(8);
    bench.take(Step::Refresh);
    bench.take(begin(100));
    bench.rest();
    let everything = bench.shown();
    assert_eq!(everything.len(), 100);
    bench.take(Step::Filter(1));
    bench.take(begin(1));
    bench.take(Step::Refresh);
    assert_eq!(bench.listing.progress(), Some((0, 100)));
    assert_eq!(bench.shown().len(), 101, "the old list goes on meanwhile");
    bench.rest();
    assert_eq!(bench.shown(), bench.expected());
    assert!(bench.shown().len() < 60);
}

#[test]
fn a_list_by_number_grows_as_its_rows_are_found() {
    let mut bench = Harness::new(8);
    bench.take(begin(50_000));
    bench.rest();
    // Stops the thread that looks at this row, after the part in which it lies.
    let state = Arc::new(Mutex::new(None::<Arc<State>>));
    let stops = Arc::clone(&state);
    let test = move |_: &Known, row: &Row| {
        if row.number == ExchangeNumber(20_000) {
            let state = stops.lock().unwrap();
            state.as_ref().unwrap().unwanted.store(true, Ordering::Relaxed);
        }
        row.status == Status::Open
    };
    bench.condition = Some(Arc::new(test));
    bench.listing.set_condition(&bench.known, bench.condition.clone());
    *state.lock().unwrap() = Some(Arc::clone(&bench.listing.job.as_ref().unwrap().state));
    bench.take(Step::Work);
    // Rows come and go meanwhile, in front of what was looked at and behind it.
    bench.take(Step::Change(vec![(0, 5 << 5), (49_990, 5 << 5), (49_980, 0)]));
    bench.take(begin(10));
    bench.take(Step::Refresh);
    let (looked_at, of) = bench.listing.progress().unwrap();
    assert!((20_000..50_000).contains(&looked_at), "{looked_at}");
    assert_eq!(of, 50_000);
    let expected = naive(&bench.known, bench.order, condition(1).as_ref());
    let grown = bench.shown();
    let last = *grown.last().unwrap();
    assert!(last > 19_000 && last <= looked_at as u64, "{last}");
    let differ = expected.iter().take_while(|number| **number <= last);
    let differ = differ.filter(|number| grown.binary_search(number).is_err()).count();
    assert!(differ <= 2, "all but what changed since is there");
    // As long as it grows, it can be turned round.
    bench.take(Step::Sort(0, true));
    assert_eq!(bench.shown().first(), Some(&last));
    let unwanted = Arc::clone(&bench.listing.job.as_ref().unwrap().state);
    unwanted.unwanted.store(false, Ordering::Relaxed);
    bench.rest();
    assert_eq!(bench.shown().len(), expected.len());
    assert_eq!(bench.shown(), bench.expected());
}

#[test]
fn turning_an_order_round_needs_no_job() {
    let mut bench = Harness::new(8);
    bench.take(begin(100));
    bench.take(Step::Sort(4, false));
    bench.rest();
    bench.take(Step::Sort(4, true));
    assert!(bench.jobs.borrow().is_empty());
    assert_eq!(bench.shown(), bench.expected());
    let latencies: Vec<_> =
        bench.listing.numbers().map(|number| bench.known.rows[&number].latency).collect();
    assert!(latencies.first().unwrap().is_some(), "the slowest first");
    assert!(latencies.last().unwrap().is_none(), "those without latency last");
}

#[test]
fn a_job_that_is_not_wanted_any_more_ends() {
    let mut bench = Harness::new(8);
    bench.take(begin(100));
    bench.rest();
    bench.take(Step::Filter(1));
    bench.take(Step::Filter(2));
    assert_eq!(bench.jobs.borrow().len(), 2 * WORKERS);
    for _ in 0..WORKERS {
        let unwanted = bench.jobs.borrow_mut().remove(0);
        unwanted();
    }
    bench.take(Step::Refresh);
    assert_eq!(bench.shown().len(), 100, "it brought nothing");
    bench.rest();
    assert_eq!(bench.shown(), bench.expected());
}

#[test]
fn what_is_nearest_takes_the_place_of_what_vanished() {
    let mut bench = Harness::new(AT_ONCE);
    bench.take(begin(50));
    bench.take(Step::Refresh);
    let nearest = |bench: &Harness, number| {
        let index = bench.listing.nearest(&bench.known, ExchangeNumber(number)).unwrap();
        bench.listing.number(index).unwrap().0
    };
    assert_eq!(nearest(&bench, 20), 20, "itself where it is shown");
    bench.take(Step::Filter(1));
    let shown = bench.shown();
    for number in 1..=50_u64 {
        let least = shown.iter().map(|other| other.abs_diff(number)).min().unwrap();
        assert_eq!(nearest(&bench, number).abs_diff(number), least);
    }
    bench.take(Step::Filter(0));
    bench.take(Step::Sort(4, true));
    for number in 1..=50 {
        assert_eq!(nearest(&bench, number), number);
    }
    bench.take(Step::Filter(3));
    assert!(bench.listing.is_empty());
    assert_eq!(bench.listing.nearest(&bench.known, ExchangeNumber(20)), None);
}

#[test]
fn numbers_beyond_four_thousand_million_are_shown() {
    let mut bench = Harness::new(AT_ONCE);
    bench.take(begin(10));
    bench.take(Step::Refresh);
    let far = u64::from(u32::MAX) - 3;
    bench.take(Step::Begin(vec![(far, 1), (1, 2)]));
    bench.take(Step::Forget(9));
    bench.take(Step::Refresh);
    assert_eq!(bench.shown(), [10, far + 10, far + 11]);
    bench.take(Step::Forget(far));
    bench.take(Step::Refresh);
    assert_eq!(bench.shown(), [far + 10, far + 11]);
}
