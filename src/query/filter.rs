//! A filter that was understood, and its answers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::error::FilterError;
use super::field::{self, Fact, Field};
use super::parser;
use super::subject::Subject;
use super::term::{Cost, Term};
use crate::exchange::PatternId;
use crate::limits;

/// A condition on exchanges. As text it is what was typed.
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    /// Shared, so that a copy costs nothing.
    root: Arc<Node>,
    /// How many questions are about the pattern alone.
    memos: usize,
}

/// A part of a condition.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// All of them hold; the cheapest is asked first.
    All(Vec<Node>),
    /// One of them holds; the cheapest is asked first.
    Any(Vec<Node>),
    Not(Box<Node>),
    Term(Term),
}

impl Filter {
    /// Reads a filter. An empty one matches everything.
    ///
    /// # Errors
    ///
    /// Where the text is no filter: with the place and what is expected there.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::parse_over(field::fields(), text)
    }

    /// The same over rows that have these `fields`.
    pub(super) fn parse_over(fields: &'static [Field], text: &str) -> Result<Self, FilterError> {
        let parser::Parsed { mut root, memos } = parser::parse(fields, text)?;
        root.order();
        Ok(Self { text: text.trim().to_owned(), root: Arc::new(root), memos })
    }

    /// Whether it says nothing, and so matches everything.
    pub fn is_empty(&self) -> bool {
        matches!(&*self.root, Node::All(parts) if parts.is_empty())
    }

    /// Whether `subject` is as wanted. For many of them an [`Evaluator`] is quicker.
    pub fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        let mut look = |term: &Term| Some(term.matches(subject));
        self.root.answer(&mut look).unwrap_or(false)
    }

    /// The answer, where `look` answers each question.
    pub(super) fn answer(&self, look: &mut impl FnMut(&Term) -> Option<bool>) -> bool {
        self.root.answer(look).unwrap_or(false)
    }

    /// Whether payloads must be kept to answer it: it asks for `data`, `response` or `error`.
    pub fn needs_payloads(&self) -> bool {
        self.asks(|fact| matches!(fact, Fact::Data | Fact::Response | Fact::Error))
    }

    /// Whether it asks for a number that depends on all connections being read by one engine: that
    /// of the exchange, or of its connection.
    pub fn needs_number(&self) -> bool {
        self.asks(|fact| matches!(fact, Fact::Number | Fact::Connection))
    }

    fn asks(&self, about: fn(Fact) -> bool) -> bool {
        let mut asked = false;
        self.root.each_term(&mut |term| asked |= about(term.fact));
        asked
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

impl Node {
    /// Puts what is cheap before what is costly.
    fn order(&mut self) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter_mut().for_each(Self::order);
                parts.sort_by_key(Self::cost);
            }
            Self::Not(part) => part.order(),
            Self::Term(_) => {}
        }
    }

    /// What the costliest question costs.
    fn cost(&self) -> Cost {
        let mut cost = Cost::Number;
        self.each_term(&mut |term| cost = cost.max(term.cost()));
        cost
    }

    fn each_term(&self, tell: &mut dyn FnMut(&Term)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.each_term(tell));
            }
            Self::Not(part) => part.each_term(tell),
            Self::Term(term) => tell(term),
        }
    }

    /// The answer; `None` where it depends on a term that was not answered.
    fn answer(&self, look: &mut impl FnMut(&Term) -> Option<bool>) -> Option<bool> {
        let (parts, decides) = match self {
            Self::All(parts) => (parts, false),
            Self::Any(parts) => (parts, true),
            Self::Not(part) => return part.answer(look).map(|answer| !answer),
            Self::Term(term) => return look(term),
        };
        let mut answer = Some(!decides);
        for part in parts {
            match part.answer(look) {
                Some(decision) if decision == decides => return Some(decides),
                Some(_) => {}
                None => answer = None,
            }
        }
        answer
    }
}

/// Answers for many exchanges of one capture and one engine, or of one store: what was found out
/// about a pattern is remembered by its [`PatternId`].
#[derive(Clone, Debug)]
pub struct Evaluator<'f> {
    filter: &'f Filter,
    /// For each question about the pattern alone, the answers by [`PatternId`].
    memos: Vec<Vec<Option<bool>>>,
}

/// The number of patterns whose answers are remembered.
const REMEMBERED: usize = limits::PATTERNS + 2;

impl<'f> Evaluator<'f> {
    /// Remembers nothing yet.
    pub fn new(filter: &'f Filter) -> Self {
        Self { filter, memos: vec![Vec::new(); filter.memos] }
    }

    /// Whether `subject` is as wanted.
    pub fn matches<S: Subject + ?Sized>(&mut self, subject: &S) -> bool {
        let Self { filter, memos } = self;
        let mut look = |term: &Term| Some(remembered(memos, term, subject));
        filter.root.answer(&mut look).unwrap_or(false)
    }

    /// The same without asking for an id or a payload; `None` where the answer depends on one.
    pub fn without_payloads<S: Subject + ?Sized>(&mut self, subject: &S) -> Option<bool> {
        let Self { filter, memos } = self;
        let mut look =
            |term: &Term| (term.cost() < Cost::Payload).then(|| remembered(memos, term, subject));
        filter.root.answer(&mut look)
    }
}

/// The answer to one question, remembered where it depends on the pattern alone.
fn remembered<S: Subject + ?Sized>(
    memos: &mut [Vec<Option<bool>>],
    term: &Term,
    subject: &S,
) -> bool {
    let Some(memo) = term.memo.and_then(|memo| memos.get_mut(memo)) else {
        return term.matches(subject);
    };
    let id = subject.pattern_id();
    let index = id.0 as usize;
    if matches!(id, PatternId::NONE | PatternId::OTHERS) || index >= REMEMBERED {
        return term.matches(subject);
    }
    if memo.len() <= index {
        memo.resize(index + 1, None);
    }
    match memo.get_mut(index) {
        Some(answer) => *answer.get_or_insert_with(|| term.matches(subject)),
        None => term.matches(subject),
    }
}
