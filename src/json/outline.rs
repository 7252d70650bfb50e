//! Where the values of a whole JSON text lie, for whoever shows it: the items of one container
//! after the other, without reading again what lies inside of them.

use std::ops::Range;

use super::scan::{Scan, scan};

/// Containers shorter than this are walked through when they are passed; of the others it is known
/// where they end.
const LONG: usize = 256;

/// Long containers of which that is known. Ordinary payloads have few; a hostile one nests
/// millions, and there the first ones are the outer ones.
const REMEMBERED: usize = 1_000_000;

/// What is known of a whole JSON text.
#[derive(Debug, Default)]
pub struct Outline {
    /// Ascending by `start`.
    long: Vec<Extent>,
}

/// A container of at least [`LONG`] bytes.
#[derive(Clone, Copy, Debug)]
struct Extent {
    /// The place of its opening bracket.
    start: u32,
    /// The place behind its closing bracket.
    end: u32,
    /// Its members or elements.
    items: u32,
}

/// A value in a JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The place of its key, quotes included; `None` in an array.
    pub key: Option<Range<u32>>,
    /// The place of the value.
    pub value: Range<u32>,
    /// How many members or elements it has itself.
    pub items: u32,
}

impl Item {
    /// The place of its first byte: of the key, where it has one.
    pub fn start(&self) -> u32 {
        self.key.as_ref().map_or(self.value.start, |key| key.start)
    }
}

/// A value that is walked through: where it ends, and how many items it has.
struct Passed {
    end: usize,
    items: u32,
}

/// A container whose end is looked for.
struct Open {
    start: u32,
    commas: u32,
    empty: bool,
    /// Its place in [`Outline::long`], where there was room.
    extent: Option<usize>,
}

impl Outline {
    /// Reads `text` through. `None` where it is not one whole JSON text, or beyond 4 GiB.
    pub fn of(text: &[u8]) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        matches!(scan(text, &mut ()), Scan::Whole(_)).then(|| Self { long: extents(text) })
    }

    /// The value at the top of `text`, which is the one that this is the outline of.
    pub fn top(&self, text: &[u8]) -> Item {
        let start = blanks(text, 0);
        let passed = self.pass(text, start);
        Item { key: None, value: place(start)..place(passed.end), items: passed.items }
    }

    /// The items of the container of `text` that begins at `start`.
    pub fn items<'a>(&'a self, text: &'a [u8], start: u32) -> Items<'a> {
        let in_object = text.get(start as usize) == Some(&b'{');
        Items { outline: self, text, at: blanks(text, start as usize + 1), in_object }
    }

    /// From the item that begins at `start` on, in an object or in an array.
    pub fn items_from<'a>(&'a self, text: &'a [u8], start: u32, in_object: bool) -> Items<'a> {
        Items { outline: self, text, at: start as usize, in_object }
    }

    /// The value that begins at `start`.
    fn pass(&self, text: &[u8], start: usize) -> Passed {
        match text.get(start) {
            Some(b'"') => Passed { end: string(text, start), items: 0 },
            Some(b'{' | b'[') => {
                let known = self.long.binary_search_by_key(&place(start), |extent| extent.start);
                match known.ok().and_then(|index| self.long.get(index)) {
                    Some(extent) => Passed { end: extent.end as usize, items: extent.items },
                    None => container(text, start),
                }
            }
            _ => {
                let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | 0..=b' ');
                let rest = text.get(start..).unwrap_or(&[]);
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                Passed { end: start + length, items: 0 }
            }
        }
    }
}

/// The items of a container, in the order of the text.
pub struct Items<'a> {
    outline: &'a Outline,
    text: &'a [u8],
    at: usize,
    in_object: bool,
}

impl Iterator for Items<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let first = *self.text.get(self.at)?;
        if matches!(first, b']' | b'}') {
            return None;
        }
        let (key, start) = if self.in_object {
            let end = string(self.text, self.at);
            let colon = blanks(self.text, end);
            (Some(place(self.at)..place(end)), blanks(self.text, colon + 1))
        } else {
            (None, self.at)
        };
        let Passed { end, items } = self.outline.pass(self.text, start);
        let behind = blanks(self.text, end);
        let comma = self.text.get(behind) == Some(&b',');
        self.at = if comma { blanks(self.text, behind + 1) } else { behind };
        Some(Item { key, value: place(start)..place(end), items })
    }
}

/// The long containers of a whole text.
fn extents(text: &[u8]) -> Vec<Extent> {
    let mut long = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    // Containers inside of the innermost one of `open`.
    let mut deeper = 0_u32;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string(text, at);
                continue;
            }
            b'{' | b'[' if open.len() == REMEMBERED => deeper += 1,
            b'{' | b'[' => {
                let start = place(at);
                let extent = (long.len() < REMEMBERED).then_some(long.len());
                if extent.is_some() {
                    long.push(Extent { start, end: start, items: 0 });
                }
                open.push(Open { start, commas: 0, empty: is_empty(text, at), extent });
            }
            b'}' | b']' if deeper > 0 => deeper -= 1,
            b'}' | b']' => {
                let Some(Open { start, commas, empty, extent }) = open.pop() else { break };
                let end = place(at + 1);
                if let Some(index) = extent {
                    if (end - start) as usize >= LONG
                        && let Some(place) = long.get_mut(index)
                    {
                        *place = Extent { start, end, items: if empty { 0 } else { commas + 1 } };
                    } else {
                        // What lies inside of it is shorter still.
                        long.truncate(index);
                    }
                }
            }
            b',' if deeper == 0 => {
                if let Some(open) = open.last_mut() {
                    open.commas += 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    long.shrink_to_fit();
    long
}

/// The container that begins at `start`, read through.
fn container(text: &[u8], start: usize) -> Passed {
    let (mut at, mut depth, mut commas) = (start, 0_u32, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string(text, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => {
                let items = if is_empty(text, start) { 0 } else { commas + 1 };
                return Passed { end: at + 1, items };
            }
            b'}' | b']' => depth -= 1,
            b',' if depth == 1 => commas += 1,
            _ => {}
        }
        at += 1;
    }
    Passed { end: at, items: 0 }
}

/// Whether the container that begins at `start` has no items.
fn is_empty(text: &[u8], start: usize) -> bool {
    matches!(text.get(blanks(text, start + 1)), Some(b']' | b'}'))
}

/// The place behind the string whose quote is at `start`.
fn string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        let rest = text.get(at..).unwrap_or(&[]);
        match memchr::memchr2(b'"', b'\\', rest) {
            None => return text.len(),
            Some(found) if rest.get(found) == Some(&b'"') => return at + found + 1,
            Some(found) => at += found + 2,
        }
    }
}

/// The place of the first byte from `at` on that is no white space.
fn blanks(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

/// A place in a text of which is known that it has at most 4 GiB.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(String, String, u32)> {
        let outline = Outline::of(text.as_bytes()).unwrap();
        let top = outline.top(text.as_bytes());
        let part = |range: Range<u32>| text[range.start as usize..range.end as usize].to_owned();
        outline
            .items(text.as_bytes(), top.value.start)
            .map(|item| (item.key.map(part).unwrap_or_default(), part(item.value), item.items))
            .collect()
    }

    #[test]
    fn items_are_told_as_they_stand() {
        let item = |key: &str, value: &str, items| (key.to_owned(), value.to_owned(), items);
        assert_eq!(
            shown(" {\"a\" : [1, {\"x\":[2,3]} ,\"],\"],\"a\\\"\":-1e5 , \"\":{ }}\n"),
            [
                item("\"a\"", "[1, {\"x\":[2,3]} ,\"],\"]", 3),
                item("\"a\\\"\"", "-1e5", 0),
                item("\"\"", "{ }", 0)
            ]
        );
        assert_eq!(shown("[ ]"), []);
        assert_eq!(shown("[[],null]"), [item("", "[]", 0), item("", "null", 0)]);
    }

    #[test]
    fn long_containers_are_passed_like_short_ones() {
        let long = format!("[{}0]", "[1,{\"k\":\"]\\\\\"}],".repeat(100));
        let text = format!("[{long},{{\"x\":{long}}},7]");
        let items = shown(&text);
        assert_eq!(items[0], (String::new(), long.clone(), 101));
        assert_eq!(items[1].1, format!("{{\"x\":{long}}}"));
        assert_eq!(items[2].1, "7");
        assert_eq!(items.len(), 3);
        assert_eq!(Outline::of(text.as_bytes()).unwrap().long.len(), 4);
    }

    #[test]
    fn only_whole_texts_have_one() {
        for text in ["", "[1,2", "{\"a\":1,}", "GET / HTTP/1.1"] {
            assert!(Outline::of(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn millions_of_brackets_are_bounded() {
        let depth = 1_500_000;
        let text = "[".repeat(depth) + &"]".repeat(depth);
        let outline = Outline::of(text.as_bytes()).unwrap();
        assert_eq!(outline.long.len(), REMEMBERED);
        let mut at = 0;
        for level in 0..1_000 {
            let item = outline.items(text.as_bytes(), at).next().unwrap();
            assert_eq!((item.value.start, item.items), (level + 1, 1));
            assert_eq!(item.value.end as usize, text.len() - 1 - level as usize);
            at = item.value.start;
        }
    }
}
