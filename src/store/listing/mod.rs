//! Which exchanges a list shows, and in which order, while more of them come.
//!
//! Takes what changed in the archive; gives numbers. Knows no screen. Made for millions of rows of
//! which tens of thousands change each second: what is appended costs next to nothing, a sorted
//! list is put in order when its owner asks for that, and whatever has to look at all rows is done
//! elsewhere, by [`Spawn`], in parts that two threads share.
//!
//! ```text
//!   changed numbers ──► pending ──► shown ◄── what a job found
//!                         │                        ▲
//!                         └── too many for here ─► job
//!   another filter, another column ──────────────► job
//! ```
//!
//! The present list stays until the next one is whole. Only a list in the order of the numbers
//! takes its place as soon as the first row is found, and grows.

mod filtered;
mod order;
mod shown;
mod sweep;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, unbounded};

use self::order::Key;
pub use self::order::{Column, Order};
use self::shown::Shown;
use self::sweep::{Candidates, Found, Part, Scan, State};
use crate::endpoint::{ConnectionNumber, Endpoints};
use crate::exchange::{ExchangeNumber, PatternId};
use crate::store::{Archive, Row};

/// What a list needs to know of the exchanges. A clone is a picture of the moment.
pub trait Rows: Clone + Send + 'static {
    /// The numbers of those that are remembered. A few of them may be of none.
    fn numbers(&self) -> Range<ExchangeNumber>;
    /// What is shown of exchange `number`.
    fn row(&self, number: ExchangeNumber) -> Option<Row>;
    /// The text of a pattern.
    fn pattern(&self, id: PatternId) -> Option<&str>;
    /// The addresses of a connection.
    fn ends(&self, connection: ConnectionNumber) -> Option<Endpoints>;
}

impl Rows for Archive {
    fn numbers(&self) -> Range<ExchangeNumber> {
        self.numbers()
    }

    fn row(&self, number: ExchangeNumber) -> Option<Row> {
        self.row(number)
    }

    fn pattern(&self, id: PatternId) -> Option<&str> {
        self.pattern(id)
    }

    fn ends(&self, connection: ConnectionNumber) -> Option<Endpoints> {
        self.ends(connection)
    }
}

/// Knows which rows are shown. Asked here and on another thread.
pub trait Choice<A = Archive>: Send + Sync {
    /// Begins to look at rows of a picture.
    fn begin<'a>(&'a self, rows: &'a A) -> Test<'a>;
}

impl<A, F: Fn(&A, &Row) -> bool + Send + Sync> Choice<A> for F {
    fn begin<'a>(&'a self, rows: &'a A) -> Test<'a> {
        Box::new(move |row| self(rows, row))
    }
}

/// What decides which rows are shown.
pub type Condition<A = Archive> = Arc<dyn Choice<A>>;

/// Whether a row is shown. Asked of many rows one after the other, so that what it reads for one
/// may serve the next.
pub type Test<'a> = Box<dyn FnMut(&Row) -> bool + 'a>;

/// Runs what takes long, on a thread of its own where there are threads.
pub type Spawn = Rc<dyn Fn(Box<dyn FnOnce() + Send>)>;

/// Rows that are looked at on the spot, where there is a condition. It may read payloads, at some
/// microseconds a row, and a key that was pressed waits meanwhile.
const AT_ONCE: usize = 4_096;

/// Threads that share a job: payloads are read at some microseconds a row, and two cores are what a
/// small server has.
const WORKERS: usize = 2;

/// A list of exchanges.
pub struct Listing<A = Archive> {
    spawn: Spawn,
    shown: Shown<A>,
    descending: bool,
    /// What changed since `shown` last took something in.
    pending: Changed,
    job: Option<Job<A>>,
    /// One past the newest number that there was; `None` before the first refresh.
    end: Option<ExchangeNumber>,
    /// [`AT_ONCE`], but in tests.
    at_once: usize,
}

/// Work that goes on elsewhere.
struct Job<A> {
    purpose: Purpose<A>,
    found: Receiver<Told>,
    state: Arc<State>,
    /// Rows that it looks at.
    rows: usize,
    /// What its distances are measured from.
    base: ExchangeNumber,
    /// Parts that came before one that lies in front of them.
    early: BTreeMap<usize, Part>,
    /// The part that is taken next, and how many there are.
    next: usize,
    parts: usize,
    /// What was found, where it does not grow in sight.
    offsets: Vec<u32>,
    /// Whether the list that is shown is the one that it makes.
    in_sight: bool,
}

/// What the threads of a job tell.
enum Told {
    /// A part, in any order.
    Part(Part),
    /// All of it, sorted.
    Whole(Found),
}

enum Purpose<A> {
    /// A list that takes the place of the present one.
    Replace {
        order: Order,
        condition: Option<Condition<A>>,
        /// What changed since it began.
        since: Changed,
    },
    /// Which of these belong to the present one: ascending distances from its base at that time.
    Complete { base: ExchangeNumber, asked: Vec<u32> },
}

/// Numbers of exchanges that changed; takes room for each of them about once.
#[derive(Clone, Default)]
struct Changed {
    numbers: Vec<ExchangeNumber>,
    /// So many there were when each was there once.
    distinct: usize,
}

impl Changed {
    fn add(&mut self, numbers: impl IntoIterator<Item = ExchangeNumber>) {
        self.numbers.extend(numbers);
        if self.numbers.len() > 2 * self.distinct.max(AT_ONCE) {
            self.tidy_up();
        }
    }

    fn tidy_up(&mut self) {
        self.numbers.sort_unstable();
        self.numbers.dedup();
        self.distinct = self.numbers.len();
    }

    /// Each once, ascending; none is left.
    fn take(&mut self) -> Vec<ExchangeNumber> {
        self.tidy_up();
        std::mem::take(self).numbers
    }
}

impl<A: Rows> Listing<A> {
    /// A list of everything, in the order of the numbers, that is empty until the first
    /// [`refresh`](Self::refresh).
    pub fn new(spawn: Spawn) -> Self {
        let nothing = Found { base: ExchangeNumber(0), offsets: Vec::new(), keyed: 0 };
        Self {
            spawn,
            shown: Shown::new(Column::Number, None, nothing),
            descending: false,
            pending: Changed::default(),
            job: None,
            end: None,
            at_once: AT_ONCE,
        }
    }

    /// Shows only what fulfils `condition`, from the first refresh on.
    #[must_use]
    pub fn with_condition(mut self, condition: Option<Condition<A>>) -> Self {
        self.shown.condition = condition;
        self
    }

    /// Takes in what changed since the last call, and what a job found meanwhile. A list by number
    /// is up to date then; a sorted one when [`settle`](Self::settle) is called. That everything
    /// was forgotten is seen by the numbers, which begin again.
    pub fn refresh(&mut self, rows: &A, changed: &[ExchangeNumber]) {
        let numbers = rows.numbers();
        let is_anew =
            self.end.is_none_or(|end| numbers.end < end) || numbers.start < self.shown.base;
        self.end = Some(numbers.end);
        if is_anew {
            return self.begin_anew(rows);
        }
        self.pending.add(changed.iter().copied());
        if let Some(Job { purpose: Purpose::Replace { since, .. }, .. }) = &mut self.job {
            since.add(changed.iter().copied());
        }
        self.shown.keep_near(&numbers);
        self.shown.forget_before(numbers.start);
        self.collect(rows);
        if self.shown.column == Column::Number {
            self.settle(rows);
        }
    }

    /// Puts what changed where it belongs. For a sorted list that costs a look at each of its
    /// rows, so it is done some times a second rather than with every refresh.
    pub fn settle(&mut self, rows: &A) {
        // A list that is not whole takes everything in when it is.
        let waits = |job: &Job<A>| job.in_sight || matches!(job.purpose, Purpose::Complete { .. });
        if self.job.as_ref().is_some_and(waits) {
            return;
        }
        let start = rows.numbers().start;
        let mut asked = self.pending.take();
        asked.retain(|&number| number >= start);
        if asked.is_empty() && self.shown.start == start {
            return;
        }
        if self.shown.condition.is_some() && asked.len() > self.at_once {
            // While another list is being made, this one lags: it is about to go.
            if self.job.is_some() {
                return self.pending.add(asked);
            }
            return self.complete(rows, &asked);
        }
        let mut test = self.shown.condition.as_ref().map(|condition| condition.begin(rows));
        let mut belongs = |row: &Row| test.as_mut().is_none_or(|test| test(row));
        let answers: Vec<_> = asked
            .into_iter()
            .map(|number| (number, rows.row(number).as_ref().is_some_and(&mut belongs)))
            .collect();
        drop(test);
        self.shown.take(rows, &answers, &[]);
    }

    /// Shows what fulfils `condition`; everything where there is none. The present list stays
    /// until the new one has a row, or is whole where it is sorted.
    pub fn set_condition(&mut self, rows: &A, condition: Option<Condition<A>>) {
        let order = self.order();
        self.drop_job();
        self.replace(rows, order, condition, Candidates::All(rows.numbers()));
    }

    /// Shows it in another order.
    pub fn set_order(&mut self, rows: &A, order: Order) {
        if self.order().column == order.column {
            match &mut self.job {
                Some(Job { purpose: Purpose::Replace { order: asked, .. }, in_sight, .. }) => {
                    *asked = order;
                    if *in_sight {
                        self.descending = order.descending;
                    }
                }
                _ => self.descending = order.descending,
            }
            return;
        }
        let job = self.drop_job();
        if let Some(Purpose::Replace { condition, .. }) = job {
            return self.replace(rows, order, condition, Candidates::All(rows.numbers()));
        }
        // What belongs here is known: the condition is not asked again.
        let pending = self.pending.clone();
        let these = Candidates::Those(self.shown.offsets.iter().copied().collect());
        self.replace(rows, order, self.shown.condition.clone(), these);
        match &mut self.job {
            Some(Job { purpose: Purpose::Replace { since, .. }, .. }) => *since = pending,
            _ => self.pending = pending,
        }
    }

    /// The order that it is in, or will be as soon as a job is done.
    pub fn order(&self) -> Order {
        match &self.job {
            Some(Job { purpose: Purpose::Replace { order, .. }, .. }) => *order,
            _ => Order { column: self.shown.column, descending: self.descending },
        }
    }

    /// How far the list is that takes the place of this one: rows looked at, of how many.
    pub fn progress(&self) -> Option<(usize, usize)> {
        match &self.job {
            Some(Job { purpose: Purpose::Replace { .. }, state, rows, .. }) => {
                Some((state.looked_at.load(Ordering::Relaxed), *rows))
            }
            _ => None,
        }
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.shown.offsets.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.shown.offsets.is_empty()
    }

    /// The number of the exchange in row `index`, from the top. In a sorted list that was not
    /// settled it may have given way.
    pub fn number(&self, index: usize) -> Option<ExchangeNumber> {
        self.shown.number(self.turned(index))
    }

    /// Every number, from the top.
    pub fn numbers(&self) -> impl Iterator<Item = ExchangeNumber> + '_ {
        (0..self.len()).filter_map(|index| self.number(index))
    }

    /// The row of exchange `number`, if it is shown. `hint` is a row where it may be.
    pub fn position(&self, number: ExchangeNumber, hint: usize) -> Option<usize> {
        if self.number(hint) == Some(number) {
            return Some(hint);
        }
        let offset = self.shown.offset(number)?;
        let offsets = &self.shown.offsets;
        let index = match self.shown.column {
            Column::Number => offsets.binary_search(&offset).ok(),
            _ => offsets.iter().position(|&other| other == offset),
        };
        index.map(|index| self.turned(index))
    }

    /// The row nearest to where exchange `number` is, or would be if it were shown; `None` where
    /// nothing is shown, or nobody remembers the exchange.
    pub fn nearest(&self, rows: &A, number: ExchangeNumber) -> Option<usize> {
        let last = self.len().checked_sub(1)?;
        let after = match self.shown.column {
            Column::Number => {
                let before = |&offset: &u32| self.shown.base.saturating_add(offset.into()) < number;
                self.shown.offsets.partition_point(before)
            }
            column => {
                let key: Key<'_> = column.key(rows, &rows.row(number)?);
                self.shown.place(rows, &(key, self.shown.offset(number)?))
            }
        };
        let before = after.saturating_sub(1);
        let distance =
            |index| self.shown.number(index).map_or(u64::MAX, |other| other.0.abs_diff(number.0));
        let is_nearer =
            self.shown.column == Column::Number && distance(before) < distance(after.min(last));
        Some(self.turned(if is_nearer { before } else { after.min(last) }))
    }

    /// The index in the list as it is kept of the row `index` from the top, and the other way
    /// round. Rows that have nothing in the column are last in both directions.
    const fn turned(&self, index: usize) -> usize {
        if self.descending && index < self.shown.keyed {
            self.shown.keyed - 1 - index
        } else {
            index
        }
    }

    /// Takes what a job has found since.
    fn collect(&mut self, rows: &A) {
        let Some(mut job) = self.job.take() else { return };
        while let Ok(told) = job.found.try_recv() {
            match told {
                Told::Part(part) => _ = job.early.insert(part.index, part),
                Told::Whole(found) => return self.put_sorted(job.purpose, found, rows),
            }
        }
        while let Some(part) = job.early.remove(&job.next) {
            job.next += 1;
            match &job.purpose {
                Purpose::Replace { order, condition, .. } => {
                    if !job.in_sight && !part.offsets.is_empty() {
                        job.in_sight = true;
                        let nothing = Found { base: job.base, offsets: Vec::new(), keyed: 0 };
                        self.put(*order, condition.clone(), nothing, Changed::default());
                    }
                    self.shown.append(job.base, part.offsets, rows.numbers().start);
                }
                Purpose::Complete { .. } => job.offsets.extend(part.offsets),
            }
        }
        if job.next < job.parts {
            self.job = Some(job);
            return;
        }
        match job.purpose {
            // What changed since the job began.
            Purpose::Replace { since, .. } if job.in_sight => self.pending = since,
            Purpose::Replace { order, condition, since } => {
                let nothing = Found { base: job.base, offsets: Vec::new(), keyed: 0 };
                self.put(order, condition, nothing, since);
            }
            Purpose::Complete { base, asked } => {
                let start = rows.numbers().start;
                let number = |offset: u32| base.saturating_add(offset.into());
                let mut belong = job.offsets.into_iter().peekable();
                let answers: Vec<_> = asked
                    .into_iter()
                    .map(|offset| (number(offset), belong.next_if_eq(&offset).is_some()))
                    .filter(|&(number, _)| number >= start)
                    .collect();
                self.pending.tidy_up();
                self.shown.take(rows, &answers, &self.pending.numbers);
            }
        }
    }

    /// A job made a sorted list.
    fn put_sorted(&mut self, purpose: Purpose<A>, found: Found, rows: &A) {
        if let Purpose::Replace { order, condition, since } = purpose {
            self.put(order, condition, found, since);
            self.shown.keep_near(&rows.numbers());
            self.shown.forget_before(rows.numbers().start);
        }
    }

    fn put(&mut self, order: Order, condition: Option<Condition<A>>, found: Found, since: Changed) {
        self.shown = Shown::new(order.column, condition, found);
        self.descending = order.descending;
        self.pending = since;
    }

    /// Everything was forgotten, or nothing was known: looks at all rows, with what is asked for.
    fn begin_anew(&mut self, rows: &A) {
        let order = self.order();
        let condition = match self.drop_job() {
            Some(Purpose::Replace { condition, .. }) => condition,
            _ => self.shown.condition.clone(),
        };
        let nothing = Found { base: rows.numbers().start, offsets: Vec::new(), keyed: 0 };
        self.put(order, condition.clone(), nothing, Changed::default());
        self.replace(rows, order, condition, Candidates::All(rows.numbers()));
    }

    /// Makes a list to take the place of this one.
    fn replace(
        &mut self,
        rows: &A,
        order: Order,
        condition: Option<Condition<A>>,
        candidates: Candidates,
    ) {
        let (base, asked) = match &candidates {
            Candidates::All(range) => {
                self.end = Some(range.end);
                (range.start, condition.clone())
            }
            Candidates::These(_) | Candidates::Those(_) => (self.shown.base, None),
        };
        let column = order.column;
        let sweep = Self::sweep(rows, asked, column, base, candidates);
        if sweep.candidates.len() <= self.at_once {
            let mut parts = Vec::new();
            sweep.run(|part| parts.push(part));
            return self.put(order, condition, sweep.sorted(parts), Changed::default());
        }
        self.start(sweep, Purpose::Replace { order, condition, since: Changed::default() });
    }

    /// Finds out elsewhere which of these belong here.
    fn complete(&mut self, rows: &A, asked: &[ExchangeNumber]) {
        let base = self.shown.base;
        let asked: Vec<u32> =
            asked.iter().filter_map(|&number| self.shown.offset(number)).collect();
        let candidates = Candidates::These(asked.clone());
        let condition = self.shown.condition.clone();
        let sweep = Self::sweep(rows, condition, Column::Number, base, candidates);
        self.start(sweep, Purpose::Complete { base, asked });
    }

    fn sweep(
        rows: &A,
        condition: Option<Condition<A>>,
        column: Column,
        base: ExchangeNumber,
        candidates: Candidates,
    ) -> Scan<A> {
        let (candidates, state) = (Arc::new(candidates), Arc::default());
        Scan { rows: rows.clone(), condition, column, base, candidates, state }
    }

    fn start(&mut self, sweep: Scan<A>, purpose: Purpose<A>) {
        let (send, found) = unbounded();
        self.job = Some(Job {
            purpose,
            found,
            state: Arc::clone(&sweep.state),
            rows: sweep.candidates.len(),
            base: sweep.base,
            early: BTreeMap::new(),
            next: 0,
            parts: sweep.parts(),
            offsets: Vec::new(),
            in_sight: false,
        });
        // Nobody listens any more where something else was asked for meanwhile.
        if sweep.is_in_order() {
            for _ in 0..WORKERS {
                let (sweep, send) = (sweep.clone(), send.clone());
                let tell = move |part| _ = send.send(Told::Part(part));
                (self.spawn)(Box::new(move || sweep.run(tell)));
            }
            return;
        }
        let (give, given) = unbounded();
        let running = Arc::new(AtomicUsize::new(WORKERS));
        for _ in 0..WORKERS {
            let (sweep, send, running) = (sweep.clone(), send.clone(), Arc::clone(&running));
            let (give, given) = (give.clone(), given.clone());
            (self.spawn)(Box::new(move || {
                sweep.run(|part| _ = give.send(part));
                // The last one to end has it all.
                let is_last = running.fetch_sub(1, Ordering::AcqRel) == 1;
                if is_last && !sweep.state.unwanted.load(Ordering::Relaxed) {
                    _ = send.send(Told::Whole(sweep.sorted(given.try_iter().collect())));
                }
            }));
        }
    }

    /// Gives up what goes on elsewhere. What it was to look at is looked at again.
    fn drop_job(&mut self) -> Option<Purpose<A>> {
        let job = self.job.take()?;
        job.state.unwanted.store(true, Ordering::Relaxed);
        if let Purpose::Complete { base, asked } = &job.purpose {
            self.pending.add(asked.iter().map(|&offset| base.saturating_add(offset.into())));
        }
        Some(job.purpose)
    }
}

impl<A> Drop for Listing<A> {
    fn drop(&mut self) {
        if let Some(job) = &self.job {
            job.state.unwanted.store(true, Ordering::Relaxed);
        }
    }
}
