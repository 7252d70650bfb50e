//! One question of a filter: a field, and what its value is compared with.

use std::net::SocketAddr;
use std::ops::{ControlFlow, RangeInclusive};

use memchr::memmem::Finder;
use regex::Regex;

use super::field::Fact;
use super::row::Value;
use super::subject::Subject;
use super::value::{self, Addresses, Interval, Scalar};
use crate::exchange::{ExchangeKind, Status};
use crate::json::{self, Leaf, Step};

/// A field, and what its value is compared with.
#[derive(Clone, Debug)]
pub struct Term {
    pub fact: Fact,
    /// The way into a JSON value.
    pub path: Vec<Step>,
    pub test: Test,
    /// For a question about the pattern alone: where its answers are remembered.
    pub memo: Option<usize>,
}

/// What is asked of the values of a field.
#[derive(Clone, Debug)]
pub enum Test {
    /// Whether there is one.
    Exists,
    /// Whether one of them is as said; or, `negated`, that there are some and none of them is.
    Is { wanted: Wanted, negated: bool },
}

/// What a value is to be. Which of these fits is a matter of the field; the parser sees to it.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// In one of these ranges: for numbers, sizes, nanoseconds.
    Numbers(Vec<RangeInclusive<i128>>),
    /// One of the words with these numbers, a bit each.
    Words(u32),
    Addresses(Vec<Addresses>),
    /// In one of these intervals: for texts and JSON.
    Values(Vec<Interval>),
    /// Holds a text somewhere.
    Contains(Box<Needle>),
    /// Holds a text that the expression fits.
    Matches(Regex),
}

/// What a question costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// A comparison of numbers.
    Number,
    /// One of texts, remembered for each pattern.
    Pattern,
    /// A look at the places of the exchange in the capture.
    Places,
    /// A look at a payload, perhaps after reading it again.
    Payload,
    /// A search through one.
    Search,
}

impl Term {
    pub fn cost(&self) -> Cost {
        let searches =
            matches!(&self.test, Test::Is { wanted: Wanted::Contains(_) | Wanted::Matches(_), .. });
        match self.fact {
            Fact::Pattern => Cost::Pattern,
            Fact::Id | Fact::Data | Fact::Response | Fact::Error if searches => Cost::Search,
            Fact::Id | Fact::Data | Fact::Response | Fact::Error => Cost::Payload,
            Fact::FirstReply | Fact::RequestTime | Fact::Wait | Fact::ReplyTime | Fact::Packet => {
                Cost::Places
            }
            _ => Cost::Number,
        }
    }

    /// The answer.
    pub fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        let nanos = |span: Option<crate::time::Nanos>| span.map(|span| i128::from(span.get()));
        match self.fact {
            Fact::Number => self.number(subject.number().0),
            Fact::Time => self.number(value::of_time(subject.time())),
            Fact::Kind => self.word(subject.kind() as u32),
            Fact::Status => self.word(subject.status() as u32),
            Fact::Pattern => self.text(subject.pattern()),
            Fact::Client => self.addresses([subject.ends().client]),
            Fact::Server => self.addresses([subject.ends().server]),
            Fact::Address => {
                let ends = subject.ends();
                self.addresses([ends.client, ends.server])
            }
            Fact::ClientPort => self.number(subject.ends().client.port()),
            Fact::ServerPort => self.number(subject.ends().server.port()),
            Fact::Port => {
                let ends = subject.ends();
                self.numbers([ends.client, ends.server].map(|end| one(end.port().into())))
            }
            Fact::Latency => self.numbers(nanos(subject.latency()).map(one)),
            Fact::FirstReply => self.numbers(nanos(subject.latencies().first_reply).map(one)),
            Fact::RequestTime => self.numbers(nanos(subject.latencies().request).map(one)),
            Fact::Wait => self.numbers(nanos(subject.latencies().wait).map(one)),
            Fact::ReplyTime => self.numbers(nanos(subject.latencies().reply).map(one)),
            Fact::Waited => self.numbers(nanos(subject.waited()).map(one)),
            Fact::EndedBy => self.words(subject.ended_by().map(|end| end as u32)),
            Fact::RequestHeld => self.numbers(nanos(subject.request_held()).map(one)),
            Fact::ReplyHeld => self.numbers(nanos(subject.reply_held()).map(one)),
            Fact::Held => {
                let held = [subject.request_held(), subject.reply_held()];
                self.numbers(held.into_iter().filter_map(nanos).reduce(|a, b| a + b).map(one))
            }
            Fact::Sure => self.word(subject.is_sure().into()),
            Fact::Attempts => self.numbers(subject.attempts().map(|number| one(number.into()))),
            Fact::Replies => self.number(subject.replies()),
            Fact::RequestBytes => {
                self.numbers(subject.request_bytes().map(|bytes| one(bytes.into())))
            }
            Fact::ReplyBytes => self.number(subject.reply_bytes()),
            Fact::Bytes => {
                let request = subject.request_bytes().unwrap_or(0);
                self.number(i128::from(request) + i128::from(subject.reply_bytes()))
            }
            Fact::Packet => {
                let passages = [subject.request(), subject.reply()].into_iter().flatten();
                self.numbers(passages.map(|span| {
                    let [first, last] = span.packets();
                    i128::from(first.0)..=i128::from(last.0)
                }))
            }
            Fact::Connection => self.number(subject.connection().0),
            Fact::Id => self.json(|look| subject.id().map_or(GO_ON, |id| look(&id))),
            Fact::Data => self.json(|look| subject.data().map_or(GO_ON, |data| look(&data))),
            Fact::Response => self.json(|look| subject.responses(look)),
            Fact::Error => self.error(subject),
            // An exchange has no such field, and no filter over exchanges asks for one.
            Fact::OfRow(_) => false,
        }
    }

    /// The answer by the values that `tell` has for the field.
    pub fn matches_row(&self, tell: impl FnOnce(&mut dyn FnMut(&Value<'_>))) -> bool {
        let mut answer = Answer::None;
        tell(&mut |value| {
            if answer != Answer::Yes {
                let holds = match &self.test {
                    Test::Exists => true,
                    Test::Is { wanted, .. } => wanted.fits(value),
                };
                answer = if holds { Answer::Yes } else { Answer::No };
            }
        });
        self.test.conclude(answer)
    }

    /// Of a reply to a known call, that it failed is known without its payload.
    fn error<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        let may_have_one = matches!(subject.kind(), ExchangeKind::Reply | ExchangeKind::Connect);
        if !may_have_one && subject.status() != Status::Error {
            return false;
        }
        self.json(|look| {
            let error = subject.error().filter(|error| json::is_truthy(error));
            error.map_or(GO_ON, |error| look(&error))
        })
    }

    fn number(&self, number: impl Into<i128>) -> bool {
        self.numbers([one(number.into())])
    }

    /// Ranges of numbers: a packet number stands for all packets of a passage.
    fn numbers(&self, values: impl IntoIterator<Item = RangeInclusive<i128>>) -> bool {
        self.test.any(values, |wanted, value| {
            let Wanted::Numbers(ranges) = wanted else { return false };
            let meet = |range: &RangeInclusive<i128>| {
                range.start() <= value.end() && value.start() <= range.end()
            };
            ranges.iter().any(meet)
        })
    }

    fn word(&self, number: u32) -> bool {
        self.words(Some(number))
    }

    fn words(&self, number: Option<u32>) -> bool {
        self.test.any(number, |wanted, number| wanted.fits(&Value::Word(*number)))
    }

    fn addresses(&self, ends: impl IntoIterator<Item = SocketAddr>) -> bool {
        self.test.any(ends, |wanted, end| wanted.fits(&Value::Address(*end)))
    }

    fn text(&self, text: Option<&str>) -> bool {
        self.test.any(text, |wanted, text| wanted.fits(&Value::Text(text)))
    }

    /// Of the JSON values that `each` tells, those at the end of the path count.
    fn json(
        &self,
        each: impl FnOnce(&mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> ControlFlow<()>,
    ) -> bool {
        let mut answer = Answer::None;
        let _ = each(&mut |value| {
            json::at_path(value, &self.path, &mut |value| {
                let holds = match &self.test {
                    Test::Exists => true,
                    Test::Is { wanted, .. } => wanted.holds(value),
                };
                answer = if holds { Answer::Yes } else { Answer::No };
                if holds { ControlFlow::Break(()) } else { GO_ON }
            })
        });
        self.test.conclude(answer)
    }
}

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

const fn one(number: i128) -> RangeInclusive<i128> {
    number..=number
}

/// What the values of a field say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// There are none.
    None,
    /// None of them is as wanted.
    No,
    /// One of them is.
    Yes,
}

impl Test {
    fn any<T>(
        &self,
        values: impl IntoIterator<Item = T>,
        is: impl Fn(&Wanted, &T) -> bool,
    ) -> bool {
        let mut answer = Answer::None;
        for value in values {
            answer = match self {
                Self::Is { wanted, .. } if !is(wanted, &value) => Answer::No,
                _ => return self.conclude(Answer::Yes),
            };
        }
        self.conclude(answer)
    }

    fn conclude(&self, answer: Answer) -> bool {
        match self {
            Self::Is { negated: true, .. } => answer == Answer::No,
            _ => answer == Answer::Yes,
        }
    }
}

impl Wanted {
    /// Whether a value that is no JSON is as wanted.
    fn fits(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Numbers(ranges), Value::Number(number)) => {
                ranges.iter().any(|range| range.contains(number))
            }
            (Self::Words(bits), Value::Word(number)) => {
                bits.checked_shr(*number).is_some_and(|bits| bits & 1 == 1)
            }
            (Self::Addresses(known), Value::Address(end)) => {
                known.iter().any(|one| one.contain(*end))
            }
            (Self::Values(intervals), Value::Text(text)) => {
                let text = Scalar::Text(text.as_bytes().into());
                intervals.iter().any(|interval| interval.contains(&text))
            }
            (Self::Contains(needle), Value::Text(text)) => {
                needle.finder.find(text.as_bytes()).is_some()
            }
            (Self::Matches(regex), Value::Text(text)) => regex.is_match(text),
            _ => false,
        }
    }

    /// Whether a raw JSON value is as wanted.
    fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Values(intervals) => Scalar::new(value)
                .is_some_and(|value| intervals.iter().any(|interval| interval.contains(&value))),
            Self::Contains(needle) => needle.is_in(value),
            Self::Matches(regex) => any_leaf(value, &|leaf| match leaf {
                Leaf::Text(inner) => regex.is_match(&json::text(inner)),
                Leaf::Word(word) => regex.is_match(&String::from_utf8_lossy(word)),
            }),
            _ => false,
        }
    }
}

fn any_leaf(value: &[u8], is: &dyn Fn(Leaf<'_>) -> bool) -> bool {
    let found = json::leaves(value, &mut |leaf| match is(leaf) {
        true => ControlFlow::Break(()),
        false => GO_ON,
    });
    found.is_break()
}

/// A text that is looked for.
#[derive(Clone, Debug)]
pub struct Needle {
    finder: Finder<'static>,
    /// Whether it can only lie within one string, number or word of a JSON text: it holds none of
    /// the signs between them.
    lies_within: bool,
    /// Whether it may stand for bytes that are no UTF-8.
    is_replacement: bool,
}

impl Needle {
    pub fn new(text: &str) -> Self {
        Self {
            finder: Finder::new(text).into_owned(),
            lies_within: !text.contains(|c| ",:[]{}\" \t\n\r".contains(c)),
            is_replacement: text.contains(char::REPLACEMENT_CHARACTER),
        }
    }

    /// Whether a string, a key, a number or a word of a raw JSON value holds it.
    fn is_in(&self, value: &[u8]) -> bool {
        // Without escapes, a text stands in its JSON as it is.
        if memchr::memchr(b'\\', value).is_none() && !self.is_replacement {
            let is_there = self.finder.find(value).is_some();
            if self.lies_within || !is_there {
                return is_there;
            }
        }
        any_leaf(value, &|leaf| match leaf {
            Leaf::Text(inner) => self.finder.find(json::text(inner).as_bytes()).is_some(),
            Leaf::Word(word) => self.finder.find(word).is_some(),
        })
    }
}
