//! Patterns by small numbers: a text is looked at once per message and made once per pattern.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::exchange::PatternId;
use crate::json::route_text;
use crate::limits;

/// Ways in which one pattern may be spelled on the wire (key order, white space) and be remembered.
const SPELLINGS: usize = 4 * limits::PATTERNS;

/// Every pattern that was seen.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    hasher: RandomState,
    /// As it stood on the wire → its name.
    spellings: HashTable<(Box<[u8]>, PatternId)>,
    /// Its route text → its name. The texts stand in `texts`.
    names: HashTable<PatternId>,
    /// Route texts by name, those of [`PatternId::NONE`] and [`PatternId::OTHERS`] left out.
    texts: Vec<String>,
    folded: u64,
}

/// A pattern that was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    Named(PatternId),
    /// There were too many: its text is not kept.
    Folded(String),
}

const RESERVED: u32 = 2;

/// Bytes of a text that is too long which are shown.
const BEGINNING: usize = 200;

impl Patterns {
    /// The name of a pattern given as JSON.
    pub(super) fn name(&mut self, raw: &[u8]) -> Pattern {
        let hash = self.hasher.hash_one(raw);
        if let Some((_, id)) = self.spellings.find(hash, |(spelling, _)| **spelling == *raw) {
            return Pattern::Named(*id);
        }
        let text = bounded(route_text(raw));
        let Some(id) = self.name_of_text(&text) else {
            self.folded += 1;
            return Pattern::Folded(text);
        };
        // White space and escapes make a spelling as long as a frame.
        if self.spellings.len() < SPELLINGS && raw.len() <= limits::PATTERN_BYTES {
            let hasher = &self.hasher;
            let rehash = |(spelling, _): &(Box<[u8]>, PatternId)| hasher.hash_one(&**spelling);
            self.spellings.insert_unique(hash, (raw.into(), id), rehash);
        }
        Pattern::Named(id)
    }

    /// The route text of a pattern that has a name of its own.
    pub(super) fn text(&self, id: PatternId) -> Option<&str> {
        text_of(&self.texts, id)
    }

    /// Messages whose pattern had no name of its own.
    pub(super) const fn folded(&self) -> u64 {
        self.folded
    }

    fn name_of_text(&mut self, text: &str) -> Option<PatternId> {
        let hash = self.hasher.hash_one(text);
        let texts = &self.texts;
        if let Some(id) = self.names.find(hash, |id| text_of(texts, *id) == Some(text)) {
            return Some(*id);
        }
        if self.texts.len() >= limits::PATTERNS {
            return None;
        }
        let id = PatternId(u32::try_from(self.texts.len()).ok()? + RESERVED);
        self.texts.push(text.to_owned());
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.names.insert_unique(hash, id, |id| hasher.hash_one(text_of(texts, *id).unwrap_or("")));
        Some(id)
    }
}

/// A route text that is too long to keep is named by its beginning and a hash of the whole.
fn bounded(mut text: String) -> String {
    if text.len() > limits::PATTERN_BYTES {
        let hash = fnv(text.as_bytes());
        text.truncate(text.floor_char_boundary(BEGINNING));
        text.push_str(&format!("…{hash:016x}"));
    }
    text
}

/// FNV-1a: the same in every run and every shard, which no keyed hash is.
fn fnv(bytes: &[u8]) -> u64 {
    let add = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, add)
}

fn text_of(texts: &[String], id: PatternId) -> Option<&str> {
    let index = id.0.checked_sub(RESERVED)?;
    texts.get(index as usize).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_route_share_a_name() {
        let mut patterns = Patterns::default();
        let name = patterns.name(br#"{"cmd":"sum","a":1}"#);
        for spelling in [r#"{"a":1,"cmd":"sum"}"#, r#""{\"a\":1,\"cmd\":\"sum\"}""#] {
            assert_eq!(patterns.name(spelling.as_bytes()), name);
        }
        assert_ne!(patterns.name(br#""sum""#), name);
        let Pattern::Named(id) = name else { panic!("folded") };
        assert_eq!(patterns.text(id), Some(r#"{"a":1,"cmd":"sum"}"#));
        assert_eq!(patterns.text(PatternId::NONE), None);
    }

    #[test]
    fn too_many_patterns_are_folded_and_counted() {
        let mut patterns = Patterns::default();
        let raw = |number: usize| format!("\"user.{number}\"");
        for number in 0..limits::PATTERNS {
            assert!(matches!(patterns.name(raw(number).as_bytes()), Pattern::Named(_)));
        }
        let folded = patterns.name(raw(limits::PATTERNS).as_bytes());
        assert_eq!(folded, Pattern::Folded(format!("user.{}", limits::PATTERNS)));
        assert!(matches!(patterns.name(raw(7).as_bytes()), Pattern::Named(_)));
        assert_eq!(patterns.folded(), 1);
    }

    #[test]
    fn a_long_pattern_is_named_by_its_beginning_and_a_hash() {
        let text = |patterns: &mut Patterns, raw: &str| match patterns.name(raw.as_bytes()) {
            Pattern::Named(id) => patterns.text(id).unwrap().to_owned(),
            Pattern::Folded(text) => panic!("{text}"),
        };
        let mut patterns = Patterns::default();
        let long = |last: char| format!("\"{}{last}\"", "求".repeat(limits::PATTERN_BYTES / 3 + 1));
        // The hash as Python computes it.
        let expected = format!("{}…f32b278fe66c51b2", "求".repeat(66));
        assert_eq!(text(&mut patterns, &long('a')), expected);
        assert_ne!(text(&mut patterns, &long('b')), expected);
        assert_eq!(text(&mut Patterns::default(), &long('a')), expected, "in every run");
        let kept = "x".repeat(limits::PATTERN_BYTES);
        assert_eq!(text(&mut patterns, &format!("\"{kept}\"")), kept);
    }
}
