//! The connections that are followed, found by their ends, in whichever direction.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::SocketAddr;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::connection::Connection;

/// Connections in slots, and an index of the slots by the unordered pair of ends.
///
/// Invariants: `index` names exactly the slots that are taken; `free` names exactly those that are
/// not.
#[derive(Debug)]
pub(super) struct Table {
    /// Connections that it takes.
    room: usize,
    slots: Vec<Option<Connection>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    /// Every connection as it was put in, the oldest first. Those that got an answer are skipped
    /// and swept; the others give way before any that got one.
    unanswered: VecDeque<(u32, u64)>,
    /// Keyed at random: the peers choose the ends, and might choose them to collide.
    hasher: RandomState,
    /// Clock hand: where the next search for a connection to evict resumes.
    clock_hand: usize,
    created: u64,
}

impl Table {
    /// An empty one with room for so many connections.
    pub fn new(room: usize) -> Self {
        Self {
            room,
            slots: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            unanswered: VecDeque::new(),
            hasher: RandomState::default(),
            clock_hand: 0,
            created: 0,
        }
    }

    /// The slot of the connection between two ends.
    pub fn find(&self, one: &SocketAddr, other: &SocketAddr) -> Option<u32> {
        let slots = &self.slots;
        self.index
            .find(self.hash(one, other), |&slot| {
                let connection = slots.get(slot as usize).and_then(Option::as_ref);
                connection.is_some_and(|connection| connection.is_between(one, other))
            })
            .copied()
    }

    /// The slots of all connections between two ends.
    pub fn all_between(&self, one: &SocketAddr, other: &SocketAddr) -> impl Iterator<Item = u32> {
        let slots = &self.slots;
        self.index.iter_hash(self.hash(one, other)).copied().filter(move |&slot| {
            let connection = slots.get(slot as usize).and_then(Option::as_ref);
            connection.is_some_and(|connection| connection.is_between(one, other))
        })
    }

    /// The connection in a slot.
    pub fn get(&self, slot: u32) -> Option<&Connection> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// The same, to change.
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut Connection> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// Whether one must give way before another is put in.
    pub fn is_full(&self) -> bool {
        self.index.len() >= self.room
    }

    /// The slot of the connection that gives way: the oldest of those that nobody answered; else
    /// one that was silent for long: not heard of since the hand passed it the last time.
    pub fn victim(&mut self) -> Option<u32> {
        while let Some((slot, generation)) = self.unanswered.pop_front() {
            let connection = self.get(slot).filter(|it| it.generation == generation);
            if connection.is_some_and(Connection::is_unanswered) {
                return Some(slot);
            }
        }
        // The second round finds one, as the first has marked all as not heard of.
        for _ in 0..2 * self.slots.len() {
            let slot = self.clock_hand;
            self.clock_hand = (slot + 1) % self.slots.len();
            if let Some(Some(connection)) = self.slots.get_mut(slot) {
                if !connection.recent {
                    return Some(connection.slot);
                }
                connection.recent = false;
            }
        }
        None
    }

    /// Puts in what `create` makes of a free slot and a number that no other connection has.
    pub fn insert(&mut self, create: impl FnOnce(u32, u64) -> Connection) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            // As many as there is room for, which fits.
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let mut connection = create(slot, self.created);
        self.created += 1;
        let hash = self.hash_of(&connection);
        self.note_unanswered(slot, connection.generation);
        self.note_twins(&mut connection);
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(connection);
        }
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index.insert_unique(hash, slot, |&slot| {
            let taken = slots.get(slot as usize).and_then(Option::as_ref);
            taken.map_or(0, |c| {
                hash_ends(hasher, &c.halves.client.address, &c.halves.server.address)
            })
        });
        slot
    }

    /// Adds to the queue of those that may have no answer; forgets from time to time those that
    /// have one.
    fn note_unanswered(&mut self, slot: u32, generation: u64) {
        if self.unanswered.len() >= 2 * self.room {
            let slots = &self.slots;
            self.unanswered.retain(|&(slot, generation)| {
                let connection = slots.get(slot as usize).and_then(Option::as_ref);
                connection.is_some_and(|it| it.generation == generation && it.is_unanswered())
            });
        }
        self.unanswered.push_back((slot, generation));
    }

    /// Lets those with the same ends know of each other.
    fn note_twins(&mut self, connection: &mut Connection) {
        let (one, other) = (connection.halves.client.address, connection.halves.server.address);
        let twins: Vec<u32> = self.all_between(&one, &other).collect();
        connection.twin = !twins.is_empty();
        for slot in twins {
            if let Some(twin) = self.get_mut(slot) {
                twin.twin = true;
            }
        }
    }

    /// Takes out the connection in a slot. One that is left alone between the ends has no twin any
    /// more.
    pub fn remove(&mut self, slot: u32) -> Option<Connection> {
        let connection = self.take(slot)?;
        if connection.twin {
            let ends = connection.endpoints();
            let left: Vec<u32> = self.all_between(&ends.client, &ends.server).collect();
            if let [alone] = left[..]
                && let Some(connection) = self.get_mut(alone)
            {
                connection.twin = false;
            }
        }
        Some(connection)
    }

    /// As `remove`, but leaves `twin` of the others: at the end all had twins until then.
    pub fn take(&mut self, slot: u32) -> Option<Connection> {
        let connection = self.slots.get_mut(slot as usize)?.take()?;
        let hash = self.hash_of(&connection);
        if let Ok(entry) = self.index.find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
        self.free.push(slot);
        Some(connection)
    }

    /// The slots that are taken, in the order in which their connections were told of.
    pub fn slots_in_order(&self) -> Vec<u32> {
        let order = |c: &Connection| (c.announced.unwrap_or(u64::MAX), c.generation);
        let taken = self.slots.iter().flatten();
        let mut slots: Vec<_> = taken.map(|c| (order(c), c.slot)).collect();
        slots.sort_unstable();
        slots.into_iter().map(|(_, slot)| slot).collect()
    }

    fn hash(&self, one: &SocketAddr, other: &SocketAddr) -> u64 {
        hash_ends(&self.hasher, one, other)
    }

    fn hash_of(&self, connection: &Connection) -> u64 {
        let halves = &connection.halves;
        self.hash(&halves.client.address, &halves.server.address)
    }
}

/// The same for both orders of the ends.
fn hash_ends(state: &RandomState, one: &SocketAddr, other: &SocketAddr) -> u64 {
    let mut hasher = state.build_hasher();
    match (one, other) {
        (SocketAddr::V4(one), SocketAddr::V4(other)) => {
            let key = |end: &std::net::SocketAddrV4| {
                u64::from(end.ip().to_bits()) << 16 | u64::from(end.port())
            };
            let (one, other) = (key(one), key(other));
            hasher.write_u64(one.min(other));
            hasher.write_u64(one.max(other));
        }
        _ => {
            one.min(other).hash(&mut hasher);
            one.max(other).hash(&mut hasher);
        }
    }
    hasher.finish()
}
