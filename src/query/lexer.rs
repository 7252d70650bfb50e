//! The words, texts and signs of a filter, and where they stand.

use std::ops::Range;

/// A piece of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    /// Its bytes in the filter.
    pub span: Range<usize>,
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A name, a number, an address: what it is depends on its place.
    Word,
    /// A quoted text.
    Text {
        /// Whether it was written `r"…"`.
        raw: bool,
        /// Whether it has a closing quote.
        closed: bool,
    },
    Sign(Sign),
    /// A sign that means nothing here.
    Unknown,
}

/// A sign, however it is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Open,
    Close,
    SetOpen,
    SetClose,
    IndexOpen,
    IndexClose,
    Comma,
    Not,
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Matches,
}

/// Every sign; of two that begin alike the longer one first. Those without a meaning are there to
/// be named whole in a message.
const SIGNS: &[(&str, Option<Sign>)] = &[
    ("===", None),
    ("!==", None),
    ("==", Some(Sign::Equal)),
    ("!=", Some(Sign::NotEqual)),
    ("<=", Some(Sign::LessEqual)),
    (">=", Some(Sign::GreaterEqual)),
    ("=~", None),
    ("~=", None),
    ("<>", None),
    ("&&", Some(Sign::And)),
    ("||", Some(Sign::Or)),
    ("(", Some(Sign::Open)),
    (")", Some(Sign::Close)),
    ("{", Some(Sign::SetOpen)),
    ("}", Some(Sign::SetClose)),
    ("[", Some(Sign::IndexOpen)),
    ("]", Some(Sign::IndexClose)),
    (",", Some(Sign::Comma)),
    ("!", Some(Sign::Not)),
    ("<", Some(Sign::Less)),
    (">", Some(Sign::Greater)),
    ("~", Some(Sign::Matches)),
    ("=", None),
    ("&", None),
    ("|", None),
    (";", None),
    ("`", None),
];

/// The signs that are spelled as words.
const WORDS: &[(&str, Sign)] = &[
    ("and", Sign::And),
    ("or", Sign::Or),
    ("not", Sign::Not),
    ("eq", Sign::Equal),
    ("ne", Sign::NotEqual),
    ("lt", Sign::Less),
    ("le", Sign::LessEqual),
    ("gt", Sign::Greater),
    ("ge", Sign::GreaterEqual),
    ("matches", Sign::Matches),
];

/// The words that no field and no value is spelled like. `in` and `contains` are no signs, but
/// stand where signs do.
pub const KEYWORDS: [&str; 12] =
    ["and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "matches", "contains", "in"];

/// The pieces of `text`, white space left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let (kind, len) = token(rest);
        tokens.push(Token { kind, span: at..at + len });
        at += len;
    }
    tokens
}

/// The piece that `rest` begins with, and its length, which is not 0.
fn token(rest: &str) -> (TokenKind, usize) {
    let raw = rest.starts_with(['r', 'R']);
    if let Some(quote) = rest.chars().nth(usize::from(raw)).filter(|c| matches!(c, '"' | '\'')) {
        let before = usize::from(raw) + 1;
        let inside = rest.get(before..).unwrap_or_default();
        return match closing(inside, quote) {
            Some(at) => (TokenKind::Text { raw, closed: true }, before + at + 1),
            None => (TokenKind::Text { raw, closed: false }, rest.len()),
        };
    }
    if let Some((spelling, sign)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return (sign.map_or(TokenKind::Unknown, TokenKind::Sign), spelling.len());
    }
    let len = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
    let word = rest.get(..len).unwrap_or_default();
    let sign = WORDS.iter().find(|(spelling, _)| *spelling == word);
    (sign.map_or(TokenKind::Word, |(_, sign)| TokenKind::Sign(*sign)), len)
}

/// Where the text ends that `inside` begins with; a quote behind a backslash does not end it.
fn closing(inside: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// Whether a word goes on with `c`.
pub fn is_of_word(c: char) -> bool {
    !c.is_whitespace() && !"()[]{}\"'`,;=<>!&|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_falls_into_pieces() {
        let text = r#"data.a[0]=="x\"]"&&!(port in{1..2,3})or client==::1/8 and r'\d'"#;
        let pieces: Vec<_> = tokens(text).into_iter().map(|token| &text[token.span]).collect();
        let expected = [
            "data.a",
            "[",
            "0",
            "]",
            "==",
            r#""x\"]""#,
            "&&",
            "!",
            "(",
            "port",
            "in",
            "{",
            "1..2",
            ",",
            "3",
            "}",
            ")",
            "or",
            "client",
            "==",
            "::1/8",
            "and",
            r"r'\d'",
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn words_and_signs_are_one() {
        let kinds = |text| tokens(text).into_iter().map(|token| token.kind).collect::<Vec<_>>();
        assert_eq!(
            kinds("and or not eq ne lt le gt ge matches"),
            kinds("&& || ! == != < <= > >= ~")
        );
        assert_eq!(kinds("===;"), [TokenKind::Unknown, TokenKind::Unknown]);
        assert_eq!(kinds("\"a"), [TokenKind::Text { raw: false, closed: false }]);
        for keyword in KEYWORDS {
            let is_sign = !matches!(keyword, "in" | "contains");
            assert_eq!(kinds(keyword) != [TokenKind::Word], is_sign, "{keyword}");
        }
    }
}
