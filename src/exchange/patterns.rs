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
    /// There were too many, or it is too long: its text is not kept.
    Folded(String),
}

const RESERVED: u32 = 2;

impl Patterns {
    /// The name of a pattern given as JSON.
    pub(super) fn name(&mut self, raw: &[u8]) -> Pattern {
        let hash = self.hasher.hash_one(raw);
        if let Some((_, id)) = self.spellings.find(hash, |(spelling, _)| **spelling == *raw) {
            return Pattern::Named(*id);
        }
        let text = route_text(raw);
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
        if self.texts.len() >= limits::PATTERNS || text.len() > limits::PATTERN_BYTES {
            return None;
        }
        let id = PatternId(u32::try_from(self.texts.len()).ok()? + RESERVED);
        self.texts.push(text.to_owned());
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.names.insert_unique(hash, id, |id| hasher.hash_one(text_of(texts, *id).unwrap_or("")));
        Some(id)
    }
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
        let long = format!("\"{}\"", "x".repeat(limits::PATTERN_BYTES + 1));
        assert!(matches!(patterns.name(long.as_bytes()), Pattern::Folded(_)));
        assert!(matches!(patterns.name(raw(7).as_bytes()), Pattern::Named(_)));
        assert_eq!(patterns.folded(), 2);
    }
}
