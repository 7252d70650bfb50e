//! What is deferred until something is known of it, or it has waited long enough.

use std::collections::VecDeque;

use crate::time::Nanos;

/// Things that wait equally long, so that their waits end in the order in which they began.
#[derive(Debug)]
pub(super) struct Deferred<T> {
    wait: Nanos,
    most: usize,
    most_bytes: usize,
    /// The place of the first of `items` among all that were ever deferred.
    first: u64,
    /// `None` where one was taken out. The front is never `None`.
    items: VecDeque<Option<Item<T>>>,
    count: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Item<T> {
    since: Nanos,
    bytes: usize,
    what: T,
}

/// Names one thing that is deferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

impl<T> Deferred<T> {
    /// Defers things for `wait`, at most so many at once, and so many bytes of them.
    pub(super) fn new(wait: Nanos, most: usize, most_bytes: usize) -> Self {
        let items = VecDeque::new();
        Self { wait, most, most_bytes, first: 0, items, count: 0, bytes: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Defers one that takes so many bytes. The time is `now`.
    pub(super) fn push(&mut self, now: Nanos, bytes: usize, what: T) -> Ticket {
        let ticket = Ticket(self.first + self.items.len() as u64);
        self.items.push_back(Some(Item { since: now, bytes, what }));
        self.count += 1;
        self.bytes += bytes;
        ticket
    }

    pub(super) fn get(&self, ticket: Ticket) -> Option<&T> {
        let index = usize::try_from(ticket.0.checked_sub(self.first)?).ok()?;
        self.items.get(index)?.as_ref().map(|item| &item.what)
    }

    pub(super) fn get_mut(&mut self, ticket: Ticket) -> Option<&mut T> {
        let index = usize::try_from(ticket.0.checked_sub(self.first)?).ok()?;
        self.items.get_mut(index)?.as_mut().map(|item| &mut item.what)
    }

    /// Takes one out.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<T> {
        let index = usize::try_from(ticket.0.checked_sub(self.first)?).ok()?;
        let item = self.items.get_mut(index)?.take()?;
        self.count -= 1;
        self.bytes -= item.bytes;
        while let Some(None) = self.items.front() {
            self.items.pop_front();
            self.first += 1;
        }
        Some(item.what)
    }

    /// The next one that has waited long enough. The time is `now`.
    pub(super) fn due(&self, now: Nanos) -> Option<Ticket> {
        let first = self.items.front()?.as_ref()?;
        let waited = now.get().saturating_sub(first.since.get());
        (waited >= self.wait.get()).then_some(Ticket(self.first))
    }

    /// The next one, where more is deferred than may be. Emptied places count too: one item
    /// that stays must not keep them allocated.
    pub(super) fn over_limit(&self) -> Option<Ticket> {
        let over = self.count > self.most
            || self.bytes > self.most_bytes
            || self.items.len() > 4 * self.most;
        (over && !self.items.is_empty()).then_some(Ticket(self.first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_end_in_order_and_bounds_end_them_early() {
        let mut deferred = Deferred::new(Nanos::from_secs(2), 3, 100);
        let at = Nanos::from_secs;
        let tickets: Vec<_> = (0..3).map(|n| deferred.push(at(n), 10, n)).collect();
        assert_eq!((deferred.due(at(1)), deferred.due(at(2))), (None, Some(tickets[0])));
        assert_eq!((deferred.take(tickets[1]), deferred.take(tickets[1])), (Some(1), None));
        assert_eq!((deferred.take(tickets[0]), deferred.due(at(3))), (Some(0), None));
        assert_eq!((deferred.due(at(4)), deferred.over_limit()), (Some(tickets[2]), None));
        let large = deferred.push(at(4), 91, 3);
        assert_eq!(deferred.over_limit(), Some(tickets[2]));
        assert_eq!((deferred.take(tickets[2]), deferred.over_limit()), (Some(2), None));
        assert_eq!((deferred.take(large), deferred.is_empty()), (Some(3), true));
        for n in 0..4 {
            deferred.push(at(5), 1, n);
        }
        assert!(deferred.over_limit().is_some());
    }
}
