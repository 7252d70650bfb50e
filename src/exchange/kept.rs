//! An exchange that is over and told later, with the texts that were lent.

use std::ops::Range;

use crate::exchange::{Exchange, Payloads};

/// An exchange with at most one reply, kept.
#[derive(Debug)]
pub(super) struct KeptExchange {
    /// Without its texts.
    exchange: Exchange<'static>,
    texts: Vec<u8>,
    pattern: Option<Range<usize>>,
    id: Option<Range<usize>>,
    data: Option<Range<usize>>,
    error: Option<Range<usize>>,
    /// Where the response ends, which is the first of the texts; empty where there is none.
    responses: Vec<usize>,
}

impl KeptExchange {
    pub(super) fn new(exchange: &Exchange<'_>) -> Self {
        let (mut texts, mut responses) = (Vec::new(), Vec::new());
        for response in exchange.responses.iter() {
            texts.extend_from_slice(response);
            responses.push(texts.len());
        }
        let mut keep = |text: Option<&[u8]>| {
            let start = texts.len();
            text.map(|text| {
                texts.extend_from_slice(text);
                start..texts.len()
            })
        };
        let pattern = keep(exchange.pattern.map(str::as_bytes));
        let (id, data, error) = (keep(exchange.id), keep(exchange.data), keep(exchange.error));
        Self {
            exchange: Exchange {
                pattern: None,
                also: None,
                id: None,
                data: None,
                responses: Payloads::default(),
                error: None,
                ..*exchange
            },
            texts,
            pattern,
            id,
            data,
            error,
            responses,
        }
    }

    /// As it was told.
    pub(super) fn lend(&self) -> Exchange<'_> {
        let text = |range: &Option<Range<usize>>| {
            range.as_ref().map(|range| self.texts.get(range.clone()).unwrap_or(&[]))
        };
        let pattern = text(&self.pattern).and_then(|text| std::str::from_utf8(text).ok());
        Exchange {
            pattern,
            id: text(&self.id),
            data: text(&self.data),
            responses: Payloads::new(&self.texts, &self.responses),
            error: text(&self.error),
            ..self.exchange
        }
    }

    /// Bytes of memory.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.texts.len()
    }
}
