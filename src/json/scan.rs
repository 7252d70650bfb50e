//! One pass over a JSON text: is it whole, and what are the members of its top level?

use std::ops::ControlFlow;

/// What a text turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// One whole JSON text, and at most white space around it.
    Whole(Top),
    /// The beginning of one: more bytes could make it whole.
    Cut,
    /// No JSON, whatever may follow.
    Invalid,
    /// The visitor had seen enough.
    Stopped,
}

/// The type of the value at the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Top {
    /// An object: its members were told.
    Object,
    /// Anything else.
    Other,
}

/// Told of the members of the top-level object, in the order of the text.
pub trait Visitor<'a> {
    /// A key, raw and without its quotes, whose `:` was read.
    fn key(&mut self, _key: &'a [u8]) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// A key and its value, raw.
    fn member(&mut self, _key: &'a [u8], _value: &'a [u8]) {}
}

impl Visitor<'_> for () {}

/// Reads `text` once and tells `visitor` the members of its top-level object.
///
/// ```text
///            ┌───────── , and a key ────────┐
///            ▼                              │
///  start ─► value ─ scalar, {} or [] ─► what follows ─ at depth 0 ─► whole
///            ▲  │                           ▲  │
///            └──┘ [ , { and its first key   └──┘ } or ]
/// ```
pub fn scan<'a>(text: &'a [u8], visitor: &mut impl Visitor<'a>) -> Scan {
    match Scanner::default().run(text, visitor) {
        Ok(top) => Scan::Whole(top),
        Err(stop) => stop,
    }
}

/// The state between tokens. What is not read yet is handed from one function to the next: each
/// takes the rest of the text and gives the rest behind what it read.
#[derive(Default)]
struct Scanner<'a> {
    open: Nesting,
    /// The top-level key whose value is being read, and the text from that value on.
    member: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> Scanner<'a> {
    fn run(mut self, text: &'a [u8], visitor: &mut impl Visitor<'a>) -> Result<Top, Scan> {
        let mut rest = token(text);
        let top = match rest {
            [b'{', ..] => Top::Object,
            [_, ..] => Top::Other,
            [] => return Err(Scan::Cut),
        };
        loop {
            // A container that is not empty begins with another value.
            loop {
                let (behind, another) = self.value(rest, visitor)?;
                rest = behind;
                if !another {
                    break;
                }
            }
            loop {
                if self.open.is_empty() {
                    return if token(rest).is_empty() { Ok(top) } else { Err(Scan::Invalid) };
                }
                let (behind, another) = self.follow(rest, visitor)?;
                rest = behind;
                if another {
                    break;
                }
            }
        }
    }

    /// Reads a scalar, an empty container, or the beginning of a container up to its first value:
    /// then true.
    #[inline]
    fn value(
        &mut self,
        rest: &'a [u8],
        visitor: &mut impl Visitor<'a>,
    ) -> Result<(&'a [u8], bool), Scan> {
        if self.open.depth == 1
            && let Some((_, value)) = &mut self.member
        {
            *value = rest;
        }
        let behind = match rest {
            [b'"', behind @ ..] => after_string(behind)?,
            [b'{', behind @ ..] => match token(behind) {
                [b'}', behind @ ..] => behind,
                first => {
                    self.open.push(true);
                    return Ok((self.key(first, visitor)?, true));
                }
            },
            [b'[', behind @ ..] => match token(behind) {
                [b']', behind @ ..] => behind,
                first => {
                    self.open.push(false);
                    return Ok((first, true));
                }
            },
            [b'-', behind @ ..] => number(behind)?,
            [b'0'..=b'9', ..] => number(rest)?,
            [b't', ..] => literal(rest, b"true")?,
            [b'f', ..] => literal(rest, b"false")?,
            [b'n', ..] => literal(rest, b"null")?,
            [b' ' | b'\t' | b'\n' | b'\r', ..] => return Ok((after_blanks(rest), true)),
            [] => return Err(Scan::Cut),
            _ => return Err(Scan::Invalid),
        };
        Ok((behind, false))
    }

    /// Reads what follows a value in a container: a comma, and the key behind it, then true; or the
    /// bracket that ends the container, which is a value itself.
    #[inline]
    fn follow(
        &mut self,
        rest: &'a [u8],
        visitor: &mut impl Visitor<'a>,
    ) -> Result<(&'a [u8], bool), Scan> {
        if self.open.depth == 1
            && let Some((key, value)) = self.member.take()
        {
            visitor.member(key, before(value, rest));
        }
        let in_object = self.open.in_object();
        match rest {
            [b',', behind @ ..] if in_object => Ok((self.key(behind, visitor)?, true)),
            [b',', behind @ ..] => Ok((behind, true)),
            [b'}', behind @ ..] if in_object => {
                self.open.pop();
                Ok((behind, false))
            }
            [b']', behind @ ..] if !in_object => {
                self.open.pop();
                Ok((behind, false))
            }
            [b' ' | b'\t' | b'\n' | b'\r', ..] => self.follow_blanks(rest, visitor),
            [] => Err(Scan::Cut),
            _ => Err(Scan::Invalid),
        }
    }

    /// [`follow`](Self::follow) behind blanks. The value that it follows was told.
    #[cold]
    fn follow_blanks(
        &mut self,
        rest: &'a [u8],
        visitor: &mut impl Visitor<'a>,
    ) -> Result<(&'a [u8], bool), Scan> {
        self.follow(after_blanks(rest), visitor)
    }

    /// A key and its colon, from where its quote must stand.
    #[inline]
    fn key(&mut self, rest: &'a [u8], visitor: &mut impl Visitor<'a>) -> Result<&'a [u8], Scan> {
        let inside = after_mark(rest, b'"')?;
        let behind = after_string(inside)?;
        let value = after_mark(behind, b':')?;
        if self.open.depth == 1 {
            let key = before(inside, behind).split_last().map_or(&[][..], |(_quote, key)| key);
            self.member = Some((key, value));
            if visitor.key(key).is_break() {
                return Err(Scan::Stopped);
            }
        }
        Ok(value)
    }
}

/// What of `text` comes before `rest`, its end.
#[inline]
pub(super) fn before<'a>(text: &'a [u8], rest: &[u8]) -> &'a [u8] {
    text.get(..text.len() - rest.len()).unwrap_or(&[])
}

/// From the next byte on that is not white space. Nest writes none, so what it costs to find none
/// is what counts.
#[inline]
pub(super) fn token(rest: &[u8]) -> &[u8] {
    match rest {
        [0..=b' ', ..] => after_blanks(rest),
        _ => rest,
    }
}

#[cold]
fn after_blanks(mut rest: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', behind @ ..] = rest {
        rest = behind;
    }
    rest
}

/// From behind a quote or a colon that must stand here, perhaps behind blanks.
#[inline]
fn after_mark(rest: &[u8], mark: u8) -> Result<&[u8], Scan> {
    match rest {
        [first, behind @ ..] if *first == mark => Ok(behind),
        [b' ' | b'\t' | b'\n' | b'\r', ..] => after_late_mark(rest, mark),
        [] => Err(Scan::Cut),
        _ => Err(Scan::Invalid),
    }
}

#[cold]
fn after_late_mark(rest: &[u8], mark: u8) -> Result<&[u8], Scan> {
    after_mark(after_blanks(rest), mark)
}

/// From behind the opening quote to behind the closing one.
#[inline]
pub(super) fn after_string(rest: &[u8]) -> Result<&[u8], Scan> {
    // Keys and short values end in their first word.
    if let Some(word) = rest.first_chunk() {
        let len = (stops(u64::from_le_bytes(*word)).trailing_zeros() / 8) as usize;
        if let Some([b'"', behind @ ..]) = rest.get(len..) {
            return Ok(behind);
        }
    }
    after_long_string(rest)
}

fn after_long_string(mut rest: &[u8]) -> Result<&[u8], Scan> {
    loop {
        match plain(rest) {
            [b'"', behind @ ..] => return Ok(behind),
            [b'\\', behind @ ..] => rest = escape(behind)?,
            [] => return Err(Scan::Cut),
            _ => return Err(Scan::Invalid),
        }
    }
}

/// From the first quote, backslash or control character on. Eight bytes at a time: most of a JSON
/// text is the inside of strings.
#[inline]
fn plain(mut rest: &[u8]) -> &[u8] {
    while let Some((word, behind)) = rest.split_first_chunk() {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return rest.get((stops.trailing_zeros() / 8) as usize..).unwrap_or(&[]);
        }
        rest = behind;
    }
    // The id is often the last string of a frame, and ends in its last bytes.
    if let Some(([a, b, c, d], behind)) = rest.split_first_chunk()
        && stops(u64::from_le_bytes([*a, *b, *c, *d, b'x', b'x', b'x', b'x'])) == 0
    {
        rest = behind;
    }
    while let [byte, behind @ ..] = rest
        && !matches!(byte, b'"' | b'\\' | 0..0x20)
    {
        rest = behind;
    }
    rest
}

/// An escape, from behind its backslash.
fn escape(rest: &[u8]) -> Result<&[u8], Scan> {
    match rest {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', behind @ ..] => Ok(behind),
        [b'u', digits @ ..] => {
            let count = digits.iter().take(4).take_while(|byte| byte.is_ascii_hexdigit()).count();
            match digits.get(count..) {
                Some(behind) if count == 4 => Ok(behind),
                Some([_, ..]) => Err(Scan::Invalid),
                _ => Err(Scan::Cut),
            }
        }
        [] => Err(Scan::Cut),
        _ => Err(Scan::Invalid),
    }
}

fn literal<'a>(rest: &'a [u8], word: &[u8]) -> Result<&'a [u8], Scan> {
    match rest.strip_prefix(word) {
        Some(behind) => Ok(behind),
        None if word.starts_with(rest) => Err(Scan::Cut),
        None => Err(Scan::Invalid),
    }
}

/// `(0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?` behind the sign: RFC 8259, section 6.
#[inline]
fn number(rest: &[u8]) -> Result<&[u8], Scan> {
    let behind = match rest {
        [b'0', behind @ ..] => behind,
        _ => digits(rest)?,
    };
    // Most numbers are whole.
    if let [b'.' | b'e' | b'E', ..] = behind { fraction(behind) } else { Ok(behind) }
}

fn fraction(mut rest: &[u8]) -> Result<&[u8], Scan> {
    if let [b'.', behind @ ..] = rest {
        rest = digits(behind)?;
    }
    if let [b'e' | b'E', behind @ ..] = rest {
        let (b'+' | b'-', unsigned) = behind.split_first().ok_or(Scan::Cut)? else {
            return digits(behind);
        };
        rest = digits(unsigned)?;
    }
    Ok(rest)
}

/// At least one digit.
#[inline]
fn digits(mut rest: &[u8]) -> Result<&[u8], Scan> {
    match rest {
        [b'0'..=b'9', ..] => {}
        [] => return Err(Scan::Cut),
        _ => return Err(Scan::Invalid),
    }
    while let [b'0'..=b'9', behind @ ..] = rest {
        rest = behind;
    }
    Ok(rest)
}

/// The containers that are open, a bit each (set: object), so that depth costs next to nothing:
/// Nest takes arrays nested 300 deep, and a hostile peer sends millions of brackets.
#[derive(Default)]
struct Nesting {
    depth: usize,
    /// The innermost 64, the last one in the lowest bit.
    inner: u64,
    /// Those further out, in words of 64.
    outer: Vec<u64>,
}

impl Nesting {
    const fn is_empty(&self) -> bool {
        self.depth == 0
    }

    const fn in_object(&self) -> bool {
        self.inner & 1 == 1
    }

    fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.inner);
        }
        self.inner = self.inner << 1 | u64::from(object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.inner >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.inner = self.outer.pop().unwrap_or_default();
        }
    }
}

/// Marks the quotes, backslashes and control characters of eight bytes by the highest bit of each.
/// A borrow can mark bytes above a true hit, never below one: the lowest mark is right.
#[inline]
const fn stops(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    // Zero where the byte was the one that is looked for.
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let quotes = quote.wrapping_sub(ONES) & !quote;
    let backslashes = backslash.wrapping_sub(ONES) & !backslash;
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | backslashes | controls) & HIGH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(text: &[u8]) -> Scan {
        scan(text, &mut ())
    }

    #[derive(Default)]
    struct Members(Vec<(String, String)>);

    impl<'a> Visitor<'a> for Members {
        fn member(&mut self, key: &'a [u8], value: &'a [u8]) {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            self.0.push((text(key), text(value)));
        }
    }

    #[test]
    fn tells_the_members_of_the_top_level_as_they_stand() {
        let text = br#" {"pattern" : {"id":"inner"},"data":[{"a":1}, 2 ] ,"id":"x\"y","n":1e400} "#;
        let mut members = Members::default();
        assert_eq!(scan(text, &mut members), Scan::Whole(Top::Object));
        let expected = [
            ("pattern", r#"{"id":"inner"}"#),
            ("data", r#"[{"a":1}, 2 ]"#),
            ("id", r#""x\"y""#),
            ("n", "1e400"),
        ];
        assert_eq!(members.0, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn takes_what_json_parse_takes() {
        for text in [
            "0",
            "-0.5e+3",
            "\"\"",
            "null",
            "[]",
            "{}",
            "[[],{}]",
            " [1 , 2]\n",
            "\"\\ud800\"",
            "\"\u{2028}\"",
            "{\"a\":{\"a\":[true,false]}}",
            "123456789012345678901234567890",
        ] {
            assert!(matches!(shape(text.as_bytes()), Scan::Whole(_)), "{text}");
        }
    }

    #[test]
    fn refuses_what_json_parse_refuses() {
        for text in [
            "01",
            "+1",
            ".5",
            "1.x",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "'a'",
            "nul1",
            "[1 2]",
            "{}{}",
            "[}",
            "{]",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\u{feff}1",
            "]",
            ",",
            "{\"a\" 1}",
            "1 2",
        ] {
            assert_eq!(shape(text.as_bytes()), Scan::Invalid, "{text}");
        }
    }

    #[test]
    fn every_proper_prefix_of_a_container_is_cut() {
        let text = br#"{"a":[1.5e3,"\u00e9\\",true,false,null,{"b":-0}],"c":{}}"#;
        for len in 0..text.len() {
            assert_eq!(shape(&text[..len]), Scan::Cut, "{len}");
        }
        assert_eq!(shape(text), Scan::Whole(Top::Object));
    }

    #[test]
    fn depth_is_bounded_by_the_text_only() {
        for depth in [1, 63, 64, 65, 127, 128, 129, 300, 1_000_000] {
            let mut text = vec![b'['; depth];
            text.extend(vec![b']'; depth]);
            assert_eq!(shape(&text), Scan::Whole(Top::Other), "{depth}");
            let mixed = "[{\"a\":".repeat(depth) + "0" + &"}]".repeat(depth);
            assert_eq!(shape(mixed.as_bytes()), Scan::Whole(Top::Other), "{depth}");
            let crossed = "[{\"a\":".repeat(depth) + "0" + &"]}".repeat(depth);
            assert_eq!(shape(crossed.as_bytes()), Scan::Invalid, "{depth}");
        }
    }

    #[test]
    fn a_string_ends_at_each_special_byte_wherever_it_stands() {
        for len in 0..24 {
            let plain = "求".repeat(len / 3) + &"x".repeat(len % 3);
            for behind in ["", "      ", "                    "] {
                let text = |stop: &str| format!("\"{plain}{stop}\"{behind}");
                assert_eq!(shape(text("").as_bytes()), Scan::Whole(Top::Other), "{len}");
                assert_eq!(shape(text("\\n").as_bytes()), Scan::Whole(Top::Other), "{len}");
                assert_eq!(shape(text("\u{7f}").as_bytes()), Scan::Whole(Top::Other), "{len}");
                for stop in ["\0", "\u{1f}", "\\x", "\""] {
                    assert_eq!(shape(text(stop).as_bytes()), Scan::Invalid, "{len} {stop:?}");
                }
            }
            assert_eq!(shape(format!("\"{plain}").as_bytes()), Scan::Cut, "{len}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}",:0-9a-z\\ .eE+-]{0,40}"#) {
            let ours = matches!(shape(text.as_bytes()), Scan::Whole(_));
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn any_bytes_are_answered(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            shape(&text);
        }

        #[test]
        fn agrees_with_serde_json_on_values(depth in 0_u32..4, seed in any::<u64>()) {
            let value = sample(depth, seed);
            let text = serde_json::to_string(&value).unwrap();
            prop_assert!(matches!(shape(text.as_bytes()), Scan::Whole(_)));
            if value.is_object() || value.is_array() {
                for len in 0..text.len() {
                    prop_assert_eq!(shape(&text.as_bytes()[..len]), Scan::Cut);
                }
            }
        }
    }

    /// Some value, made of `seed`.
    #[expect(clippy::cast_possible_truncation)]
    fn sample(depth: u32, seed: u64) -> serde_json::Value {
        let next = |step: u64| seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step);
        match (seed >> 33) % if depth == 0 { 4 } else { 6 } {
            0 => serde_json::json!(seed.cast_signed()),
            1 => serde_json::json!(format!("é\"\\\n求😀{seed}")),
            2 => serde_json::json!(seed.is_multiple_of(2)),
            3 => serde_json::json!(f64::from((seed >> 40) as u16) / 7.0),
            4 => (0..seed % 4).map(|step| sample(depth - 1, next(step))).collect(),
            _ => serde_json::Value::Object(
                (0..seed % 4)
                    .map(|step| (format!("k{step}"), sample(depth - 1, next(step))))
                    .collect(),
            ),
        }
    }
}
