//! The calls that wait, found by connection and id, and those that ended a moment ago.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::endpoint::ConnectionId;
use crate::exchange::call::Call;
use crate::limits;

/// Where a call lies in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

/// How a call's life goes; only open ones are in the list of their connection.
///
/// ```text
///  Free ─ request ─► Open ─ final reply ─► Ended ─ forgotten ─► Free
///                     └── given up, connection over ──────────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Open,
    Ended,
}

#[derive(Debug)]
struct Entry {
    call: Call,
    state: State,
    /// The connection's serial number.
    connection: u32,
    slot: u32,
    hash: u64,
    /// The list of the connection's open calls.
    newer: Option<Place>,
    older: Option<Place>,
    /// The next open call with the same id on this connection.
    same_id: Option<Place>,
    /// Of the first of them: the last.
    last_same_id: Option<Place>,
}

/// Every call that is open or ended lately.
#[derive(Debug, Default)]
pub(super) struct Calls {
    hasher: RandomState,
    entries: Vec<Entry>,
    free: Vec<Place>,
    /// Connection and id → the oldest open call, or the last that ended.
    by_id: HashTable<Place>,
    /// Calls that ended, the oldest first. One whose id was used again is passed over.
    ended: VecDeque<Place>,
    /// The newest open call of each connection, by slot.
    newest: Vec<Option<Place>>,
    open: usize,
    /// What the open calls keep.
    weight: usize,
    /// What those keep that ended.
    ended_weight: usize,
}

/// A call that an id was found to belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    Open(Place),
    /// It had its final reply.
    Ended,
    Unknown,
}

impl Calls {
    /// Opens a call and fills it with `fill`.
    pub(super) fn open(
        &mut self,
        connection: ConnectionId,
        key: &[u8],
        fill: impl FnOnce(&mut Call),
    ) {
        let hash = self.hash(connection.serial, key);
        let place = self.take_place();
        let slot = connection.slot as usize;
        if self.newest.len() <= slot {
            self.newest.resize(slot + 1, None);
        }
        let older = self.newest.get_mut(slot).and_then(|newest| newest.replace(place));
        if let Some(entry) = older.and_then(|older| self.entry_mut(older)) {
            entry.newer = Some(place);
        }
        let Some(entry) = self.entry_mut(place) else {
            return;
        };
        fill(&mut entry.call);
        let weight = entry.call.weight();
        entry.state = State::Open;
        (entry.connection, entry.slot, entry.hash) = (connection.serial, connection.slot, hash);
        (entry.newer, entry.older) = (None, older);
        (entry.same_id, entry.last_same_id) = (None, None);
        self.open += 1;
        self.weight += weight;

        match self.find(hash, connection.serial, key) {
            None => self.insert(hash, place),
            Some(known) if self.state(known) == State::Open => self.queue_behind(known, place),
            Some(ended) => {
                self.remove(ended);
                self.release(ended);
                self.insert(hash, place);
            }
        }
    }

    pub(super) fn look_up(&self, connection: ConnectionId, key: &[u8]) -> Lookup {
        let hash = self.hash(connection.serial, key);
        match self.find(hash, connection.serial, key) {
            Some(place) if self.state(place) == State::Open => Lookup::Open(place),
            Some(_) => Lookup::Ended,
            None => Lookup::Unknown,
        }
    }

    pub(super) fn call(&self, place: Place) -> Option<&Call> {
        self.entries.get(place.0 as usize).map(|entry| &entry.call)
    }

    /// Changes an open call.
    pub(super) fn change(&mut self, place: Place, change: impl FnOnce(&mut Call)) {
        let Some(entry) = self.entry_mut(place) else {
            return;
        };
        let before = entry.call.weight();
        change(&mut entry.call);
        let after = entry.call.weight();
        self.weight = self.weight - before + after;
    }

    /// The final reply came: the call is over, and remembered for a while.
    pub(super) fn end(&mut self, place: Place) {
        let Some(next) = self.unlink(place) else {
            return;
        };
        if let Some(next) = next {
            // The next call with this id takes its place; this one is not needed to know late ones.
            self.replace(place, next);
            self.release(place);
            return;
        }
        if let Some(entry) = self.entry_mut(place) {
            entry.state = State::Ended;
            entry.call.forget();
            self.ended_weight += entry.call.weight();
        }
        self.ended.push_back(place);
        while self.ended.len() > limits::ENDED_CALLS || self.ended_weight > limits::ENDED_CALL_BYTES
        {
            let Some(oldest) = self.ended.pop_front() else {
                break;
            };
            if self.state(oldest) == State::Ended {
                self.remove(oldest);
                self.release(oldest);
            }
            self.free.push(oldest);
        }
    }

    /// The call is over without a final reply, and forgotten.
    pub(super) fn give_up(&mut self, place: Place) {
        let Some(next) = self.unlink(place) else {
            return;
        };
        match (self.waits_behind(place), next) {
            (Some((first, before)), _) => {
                if let Some(entry) = self.entry_mut(before) {
                    entry.same_id = next;
                }
                if let Some(entry) = self.entry_mut(first)
                    && entry.last_same_id == Some(place)
                {
                    entry.last_same_id = Some(before);
                }
            }
            (None, Some(next)) => self.replace(place, next),
            (None, None) => self.remove(place),
        }
        self.release(place);
    }

    /// The open calls of a connection, the oldest first.
    pub(super) fn of_connection(&self, connection: ConnectionId) -> Vec<Place> {
        let mut places = Vec::new();
        let mut next = self.newest.get(connection.slot as usize).copied().flatten();
        while let Some(entry) = next.and_then(|place| self.entry(place)) {
            places.extend(next);
            next = entry.older;
        }
        places.reverse();
        places
    }

    /// Calls that are open.
    pub(super) const fn open_count(&self) -> usize {
        self.open
    }

    /// Whether more is kept than may be.
    pub(super) const fn is_over_limit(&self) -> bool {
        self.open > limits::OPEN_CALLS || self.weight > limits::OPEN_CALL_BYTES
    }

    /// The oldest sixteenth of all open calls, at least one, with the slot of their connection.
    /// Many at once, because it looks at all of them.
    pub(super) fn oldest(&self) -> Vec<(Place, u32)> {
        let open = self.entries.iter().zip(0..).filter(|(entry, _)| entry.state == State::Open);
        let mut open: Vec<_> =
            open.map(|(entry, place)| (entry.call.number, Place(place), entry.slot)).collect();
        open.sort_unstable_by_key(|(number, ..)| *number);
        open.truncate(open.len().div_ceil(16));
        open.into_iter().map(|(_, place, slot)| (place, slot)).collect()
    }

    fn take_place(&mut self) -> Place {
        if let Some(place) = self.free.pop() {
            return place;
        }
        // Bounded far below 2^32 by OPEN_CALLS and ENDED_CALLS.
        let place = Place(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        self.entries.push(Entry {
            call: Call::default(),
            state: State::Free,
            connection: 0,
            slot: 0,
            hash: 0,
            newer: None,
            older: None,
            same_id: None,
            last_same_id: None,
        });
        place
    }

    fn entry(&self, place: Place) -> Option<&Entry> {
        self.entries.get(place.0 as usize)
    }

    fn entry_mut(&mut self, place: Place) -> Option<&mut Entry> {
        self.entries.get_mut(place.0 as usize)
    }

    fn state(&self, place: Place) -> State {
        self.entry(place).map_or(State::Free, |entry| entry.state)
    }

    fn hash(&self, connection: u32, key: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        connection.hash(&mut hasher);
        hasher.write(key);
        hasher.finish()
    }

    fn find(&self, hash: u64, connection: u32, key: &[u8]) -> Option<Place> {
        let is_it = |place: &Place| {
            self.entry(*place)
                .is_some_and(|entry| entry.connection == connection && entry.call.key() == key)
        };
        self.by_id.find(hash, is_it).copied()
    }

    fn insert(&mut self, hash: u64, place: Place) {
        let entries = &self.entries;
        self.by_id.insert_unique(hash, place, |place| {
            entries.get(place.0 as usize).map_or(0, |entry| entry.hash)
        });
    }

    fn remove(&mut self, place: Place) {
        let hash = self.entry(place).map_or(0, |entry| entry.hash);
        if let Ok(found) = self.by_id.find_entry(hash, |known| *known == place) {
            found.remove();
        }
    }

    /// Puts `next` where `place` stands in the table; both have the same id.
    fn replace(&mut self, place: Place, next: Place) {
        let hash = self.entry(place).map_or(0, |entry| entry.hash);
        if let Some(found) = self.by_id.find_mut(hash, |known| *known == place) {
            *found = next;
        }
        let last = self.entry(place).and_then(|entry| entry.last_same_id);
        if let Some(entry) = self.entry_mut(next) {
            entry.last_same_id = last;
        }
    }

    /// The id is used again while the first call waits: Nest answers both, and nothing tells which
    /// answer is whose. The oldest gets the first.
    fn queue_behind(&mut self, first: Place, place: Place) {
        let last = self.entry_mut(first).and_then(|entry| entry.last_same_id.replace(place));
        if let Some(entry) = self.entry_mut(last.unwrap_or(first)) {
            entry.same_id = Some(place);
        }
    }

    /// The first call with the id of `place`, and the one that `place` waits behind; `None` where
    /// it is the first itself, as the one that is given up nearly always is.
    fn waits_behind(&self, place: Place) -> Option<(Place, Place)> {
        let entry = self.entry(place)?;
        let first = self.find(entry.hash, entry.connection, entry.call.key())?;
        let mut at = Some(first).filter(|first| *first != place);
        while let Some(known) = at {
            let next = self.entry(known).and_then(|entry| entry.same_id);
            if next == Some(place) {
                return Some((first, known));
            }
            at = next;
        }
        None
    }

    /// Takes an open call out of its connection's list; gives the next one with its id.
    fn unlink(&mut self, place: Place) -> Option<Option<Place>> {
        let entry = self.entry(place).filter(|entry| entry.state == State::Open)?;
        let (newer, older, slot) = (entry.newer, entry.older, entry.slot);
        let (next, weight) = (entry.same_id, entry.call.weight());
        self.open -= 1;
        self.weight -= weight;
        match newer.and_then(|newer| self.entry_mut(newer)) {
            Some(newer) => newer.older = older,
            None => {
                if let Some(newest) = self.newest.get_mut(slot as usize) {
                    *newest = older;
                }
            }
        }
        if let Some(older) = older.and_then(|older| self.entry_mut(older)) {
            older.newer = newer;
        }
        Some(next)
    }

    /// Frees a place. That of a call which ended still stands in the queue of the ended: it can be
    /// taken when it leaves that.
    fn release(&mut self, place: Place) {
        if let Some(entry) = self.entry_mut(place) {
            let ended = entry.state == State::Ended;
            let weight = entry.call.weight();
            entry.state = State::Free;
            entry.call.clear();
            if ended {
                self.ended_weight -= weight;
            } else {
                self.free.push(place);
            }
        }
    }
}
