//! The calls that wait, found by connection and id.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::endpoint::{ConnectionId, ConnectionNumber};
use crate::exchange::Frame;
use crate::exchange::runs::Run;
use crate::exchange::waiting_call::{Call, Reply, Request, Texts};
use crate::limits;

/// Where a call lies in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallIndex(u32);

impl CallIndex {
    /// No call. Bounds keep the table far smaller.
    const NONE: Self = Self(u32::MAX);
}

/// A call and the lists it is in.
#[derive(Debug)]
struct Entry {
    hash: u64,
    /// The number of the connection.
    connection: ConnectionNumber,
    slot: u32,
    open: bool,
    /// The run of the request, while nothing confirms it.
    run: Run,
    /// The list of the connection's open calls.
    newer: CallIndex,
    older: CallIndex,
    /// The next open call with the same id on this connection.
    same_id: CallIndex,
    /// Head of the queue only: its tail, so that adding another call with the same id takes
    /// constant time.
    last_same_id: CallIndex,
    call: Call,
}

/// Every call that is open.
#[derive(Debug)]
pub(super) struct WaitingCalls {
    hasher: RandomState,
    entries: Vec<Entry>,
    /// The texts of each entry: apart, because a report needs none.
    texts: Vec<Texts>,
    /// Places to be used again, the one used last first: its memory is near.
    free: Vec<CallIndex>,
    /// Connection and id → the oldest open call.
    by_id: HashTable<CallIndex>,
    /// The newest open call of each connection, by slot.
    newest: Vec<CallIndex>,
    open: usize,
    weight: usize,
    ended: Ended,
}

/// The hashes of the calls that ended last: a ring. Written at every end and read only for a reply
/// that no open call waits for, so reading may take a while.
#[derive(Debug)]
struct Ended {
    hashes: Box<[u64]>,
    next: usize,
}

impl Ended {
    fn new() -> Self {
        Self { hashes: vec![0; limits::ENDED_CALLS].into(), next: 0 }
    }

    fn add(&mut self, hash: u64) {
        if let Some(oldest) = self.hashes.get_mut(self.next) {
            *oldest = hash;
        }
        self.next = (self.next + 1) % self.hashes.len().max(1);
    }

    fn holds(&self, hash: u64) -> bool {
        self.hashes.contains(&hash)
    }
}

/// A call that an id was found to belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    Open(CallIndex),
    /// It had its final reply.
    Ended,
    /// No call is known by this hash.
    Unknown(u64),
}

impl Default for WaitingCalls {
    fn default() -> Self {
        Self {
            hasher: RandomState::default(),
            entries: Vec::new(),
            texts: Vec::new(),
            free: Vec::new(),
            by_id: HashTable::new(),
            newest: Vec::new(),
            open: 0,
            weight: 0,
            ended: Ended::new(),
        }
    }
}

impl WaitingCalls {
    /// Adds a call. Says where it lies.
    pub(super) fn open(&mut self, connection: ConnectionId, request: &Request<'_>) -> CallIndex {
        let hash = self.hash(connection.number, request.key);
        let slot = connection.slot as usize;
        if self.newest.len() <= slot {
            self.newest.resize(slot + 1, CallIndex::NONE);
        }
        let place = self.take_place();
        let older = self.newest.get_mut(slot);
        let older = older.map_or(CallIndex::NONE, |newest| std::mem::replace(newest, place));
        if let Some(entry) = self.entry_mut(older) {
            entry.newer = place;
        }
        let index = place.0 as usize;
        let Some(texts) = self.texts.get_mut(index) else { return place };
        let call = Call::begin(request, texts);
        self.weight += call.weight(texts);
        self.open += 1;
        if let Some(entry) = self.entries.get_mut(index) {
            *entry = Entry {
                hash,
                connection: connection.number,
                slot: connection.slot,
                open: true,
                run: request.run,
                newer: CallIndex::NONE,
                older,
                same_id: CallIndex::NONE,
                last_same_id: place,
                call,
            };
        }
        match self.find(hash, connection.number, request.key) {
            None => self.insert(hash, place),
            Some(first) => self.queue_behind(first, place),
        }
        place
    }

    #[inline(always)]
    pub(super) fn look_up(&self, connection: ConnectionId, key: &[u8]) -> Lookup {
        let hash = self.hash(connection.number, key);
        match self.find(hash, connection.number, key) {
            Some(place) => Lookup::Open(place),
            None if self.ended.holds(hash) => Lookup::Ended,
            None => Lookup::Unknown(hash),
        }
    }

    pub(super) fn call(&self, place: CallIndex) -> Option<(&Call, &Texts)> {
        let index = place.0 as usize;
        Some((&self.entries.get(index)?.call, self.texts.get(index)?))
    }

    /// The run that its frames were found in, while nothing confirms it.
    #[inline]
    pub(super) fn run(&self, place: CallIndex) -> Run {
        self.entry(place).map_or(Run::SURE, |entry| entry.run)
    }

    pub(super) fn set_run(&mut self, place: CallIndex, run: Run) {
        if let Some(entry) = self.entry_mut(place) {
            entry.run = run;
        }
    }

    /// Adds a reply to an open call.
    pub(super) fn answer(&mut self, place: CallIndex, frame: &Frame<'_>, reply: &Reply<'_>) {
        let index = place.0 as usize;
        let (entry, texts) = (self.entries.get_mut(index), self.texts.get_mut(index));
        let (Some(entry), Some(texts)) = (entry, texts) else { return };
        let before = entry.call.weight(texts);
        entry.call.answer(frame, reply, texts);
        self.weight = self.weight - before + entry.call.weight(texts);
    }

    /// The final reply came: the call is over, and its id remembered for a while.
    pub(super) fn end(&mut self, place: CallIndex) {
        if let Some(hash) = self.entry(place).map(|entry| entry.hash) {
            self.ended.add(hash);
        }
        self.forget(place);
    }

    /// The call is over, with or without a final reply: its place is free.
    pub(super) fn forget(&mut self, place: CallIndex) {
        let Some(entry) = self.entry(place).filter(|entry| entry.open) else { return };
        let (hash, newer, older) = (entry.hash, entry.newer, entry.older);
        let (next, last, slot) = (entry.same_id, entry.last_same_id, entry.slot as usize);
        match (self.is_first(place), next) {
            (true, CallIndex::NONE) => self.remove(place),
            (true, next) => {
                if let Some(first) = self.by_id.find_mut(hash, |known| *known == place) {
                    *first = next;
                }
                if let Some(next) = self.entry_mut(next) {
                    next.last_same_id = last;
                }
            }
            (false, next) => self.leave_queue(place, next),
        }
        match self.entry_mut(newer) {
            Some(newer) => newer.older = older,
            None => {
                if let Some(newest) = self.newest.get_mut(slot) {
                    *newest = older;
                }
            }
        }
        if let Some(older) = self.entry_mut(older) {
            older.newer = newer;
        }
        let weight = self.call(place).map_or(0, |(call, texts)| call.weight(texts));
        if weight > 0
            && let Some(texts) = self.texts.get_mut(place.0 as usize)
        {
            texts.clear();
        }
        if let Some(entry) = self.entry_mut(place) {
            entry.open = false;
        }
        self.weight -= weight;
        self.open -= 1;
        self.free.push(place);
    }

    /// The open calls of a connection, the oldest first.
    pub(super) fn of_connection(&self, connection: ConnectionId) -> Vec<CallIndex> {
        let mut places = Vec::new();
        let newest = self.newest.get(connection.slot as usize);
        let mut next = newest.copied().unwrap_or(CallIndex::NONE);
        while let Some(entry) = self.entry(next) {
            places.push(next);
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
    pub(super) fn oldest(&self) -> Vec<(CallIndex, u32)> {
        let open = self.entries.iter().zip(0..).filter(|(entry, _)| entry.open);
        let mut open: Vec<_> =
            open.map(|(entry, place)| (entry.call.number, CallIndex(place), entry.slot)).collect();
        let count = open.len().div_ceil(16);
        if count < open.len() {
            open.select_nth_unstable_by_key(count, |(number, ..)| *number);
            open.truncate(count);
        }
        open.sort_unstable_by_key(|(number, ..)| *number);
        open.into_iter().map(|(_, place, slot)| (place, slot)).collect()
    }

    fn take_place(&mut self) -> CallIndex {
        if let Some(place) = self.free.pop() {
            return place;
        }
        // Bounded far below 2^32 by OPEN_CALLS.
        let place = CallIndex(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        self.entries.push(Entry {
            hash: 0,
            connection: ConnectionNumber(0),
            slot: 0,
            open: false,
            run: Run::SURE,
            newer: CallIndex::NONE,
            older: CallIndex::NONE,
            same_id: CallIndex::NONE,
            last_same_id: CallIndex::NONE,
            call: Call::default(),
        });
        self.texts.push(Texts::default());
        place
    }

    fn entry(&self, place: CallIndex) -> Option<&Entry> {
        self.entries.get(place.0 as usize)
    }

    fn entry_mut(&mut self, place: CallIndex) -> Option<&mut Entry> {
        self.entries.get_mut(place.0 as usize)
    }

    /// What a call is found by.
    pub(super) fn hash(&self, connection: ConnectionNumber, key: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        connection.hash(&mut hasher);
        hasher.write(key);
        hasher.finish()
    }

    fn find(&self, hash: u64, connection: ConnectionNumber, key: &[u8]) -> Option<CallIndex> {
        let is_it = |place: &CallIndex| {
            let index = place.0 as usize;
            let (entry, texts) = (self.entries.get(index), self.texts.get(index));
            entry.zip(texts).is_some_and(|(entry, texts)| {
                (entry.hash, entry.connection) == (hash, connection) && entry.call.key(texts) == key
            })
        };
        self.by_id.find(hash, is_it).copied()
    }

    fn insert(&mut self, hash: u64, place: CallIndex) {
        let entries = &self.entries;
        self.by_id.insert_unique(hash, place, |place| {
            entries.get(place.0 as usize).map_or(0, |entry| entry.hash)
        });
    }

    fn remove(&mut self, place: CallIndex) {
        let hash = self.entry(place).map_or(0, |entry| entry.hash);
        if let Ok(found) = self.by_id.find_entry(hash, |known| *known == place) {
            found.remove();
        }
    }

    /// Whether no older call with the same id is open.
    fn is_first(&self, place: CallIndex) -> bool {
        let hash = self.entry(place).map_or(0, |entry| entry.hash);
        self.by_id.find(hash, |known| *known == place).is_some()
    }

    /// The id is used again while the first call waits: Nest answers both, and nothing tells which
    /// answer is whose. The oldest gets the first.
    fn queue_behind(&mut self, first: CallIndex, place: CallIndex) {
        let Some(entry) = self.entry_mut(first) else { return };
        let last = std::mem::replace(&mut entry.last_same_id, place);
        if let Some(entry) = self.entry_mut(last) {
            entry.same_id = place;
        }
    }

    /// A call is given up while an older one with its id waits.
    fn leave_queue(&mut self, place: CallIndex, next: CallIndex) {
        let Some((call, texts)) = self.call(place) else { return };
        let Some(entry) = self.entry(place) else { return };
        let first = self.find(entry.hash, entry.connection, call.key(texts));
        let Some(first) = first else { return };
        let mut before = first;
        while let Some(entry) = self.entry(before)
            && entry.same_id != place
        {
            before = entry.same_id;
        }
        if let Some(entry) = self.entry_mut(before) {
            entry.same_id = next;
        }
        if next == CallIndex::NONE
            && let Some(entry) = self.entry_mut(first)
        {
            entry.last_same_id = before;
        }
    }
}
