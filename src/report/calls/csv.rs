//! CSV: one row per exchange. The names are the JSON keys, flattened; payloads are JSON texts.
//! Values stay as they are: nothing is added to what a spreadsheet might take for a formula.

use std::fmt::Display;
use std::io::{self, Write};

use super::json::{protocol, push_responses};
use crate::exchange::{EndedBy, Exchange};
use crate::query::Subject;
use crate::report::civil::Civil;
use crate::report::payload::push_payload;
use crate::report::visible::push_visible;
use crate::report::{Moments, csv_error};
use crate::time::Timestamp;

const COLUMNS: [&str; 38] = [
    "n",
    "kind",
    "pattern",
    "id",
    "client",
    "server",
    "time",
    "status",
    "latency_ns",
    "first_reply_ns",
    "request_ns",
    "wait_ns",
    "reply_ns",
    "replies",
    "request_bytes",
    "reply_bytes",
    "request_first_packet",
    "request_last_packet",
    "reply_first_packet",
    "reply_last_packet",
    "data",
    "response",
    "error",
    "protocol",
    "waited_ns",
    "request_held_ns",
    "reply_held_ns",
    "ended_by",
    "service",
    "instance",
    "client_service",
    "parent",
    "parent_by",
    "candidates",
    "problems",
    "sure",
    "also",
    "attempts",
];

/// Writes exchanges as CSV. What does not apply is an empty field.
#[derive(Debug)]
pub struct Csv<W: Write> {
    out: csv::Writer<W>,
    field: Vec<u8>,
    pattern: String,
    civil: Civil,
    /// For who wants times in another way.
    moments: Option<Moments>,
}

impl<W: Write> Csv<W> {
    /// Writes the header row to `out`. Times are told by `moments`; without, as RFC 3339 in UTC.
    pub fn new(out: W, moments: Option<Moments>) -> io::Result<Self> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(COLUMNS).map_err(csv_error)?;
        let civil = Civil::rfc3339();
        Ok(Self { out, field: Vec::new(), pattern: String::new(), civil, moments })
    }

    /// The capture begins at this point in time.
    pub fn begin(&mut self, first: Timestamp) {
        self.moments.iter_mut().for_each(|moments| moments.begin(first));
    }

    /// Writes one exchange.
    pub fn write(&mut self, exchange: &Exchange<'_>) -> io::Result<()> {
        let Exchange { request, reply, latency, .. } = exchange;
        self.number(Some(exchange.number))?;
        self.text(exchange.kind.name())?;
        // The only text from the wire that is not JSON, which could spell it otherwise.
        self.pattern.clear();
        let pattern = exchange.pattern.unwrap_or_default();
        push_visible(&mut self.pattern, pattern.as_bytes(), usize::MAX);
        self.out.write_field(&self.pattern).map_err(csv_error)?;
        self.payload(exchange.id)?;
        self.number(Some(exchange.ends.client))?;
        self.number(Some(exchange.ends.server))?;
        self.time(exchange)?;
        self.text(exchange.status.name())?;
        for span in
            [latency.latency, latency.first_reply, latency.request, latency.wait, latency.reply]
        {
            self.number(span.map(|span| span.get()))?;
        }
        self.number(Some(exchange.replies))?;
        self.number(request.map(|span| span.bytes))?;
        self.number(Some(reply.map_or(0, |span| span.bytes)))?;
        for span in [request, reply] {
            let packets = span.map(|span| span.packets());
            self.number(packets.map(|[first, _]| first))?;
            self.number(packets.map(|[_, last]| last))?;
        }
        self.payload(exchange.data)?;
        self.field.clear();
        push_responses(&mut self.field, exchange);
        self.out.write_field(&self.field).map_err(csv_error)?;
        self.payload(exchange.error)?;
        self.later(exchange)?;
        self.out.write_record(None::<&[u8]>).map_err(csv_error)
    }

    /// Flushes what was written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes the columns that came with later versions.
    fn later(&mut self, exchange: &Exchange<'_>) -> io::Result<()> {
        self.text(protocol(exchange).unwrap_or_default())?;
        self.number(exchange.waited.map(|span| span.get()))?;
        self.number(exchange.request_held().map(|span| span.get()))?;
        self.number(exchange.reply_held().map(|span| span.get()))?;
        self.text(exchange.ended_by.map_or("", EndedBy::name))?;
        // The services, the parent, the candidates and the problems: nobody finds them out yet.
        for empty in ["", "", "", "", "", "[]", "[]"] {
            self.text(empty)?;
        }
        self.number(Some(exchange.sure))?;
        let also = exchange.also.map(|also| format!("{} {}", also.client, also.server));
        self.text(also.as_deref().unwrap_or_default())?;
        self.number(exchange.attempts())
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_field(text).map_err(csv_error)
    }

    fn number(&mut self, number: Option<impl Display>) -> io::Result<()> {
        self.field.clear();
        if let Some(number) = number {
            write!(self.field, "{number}")?;
        }
        self.out.write_field(&self.field).map_err(csv_error)
    }

    fn payload(&mut self, json: Option<&[u8]>) -> io::Result<()> {
        self.field.clear();
        push_payload(&mut self.field, json.unwrap_or_default());
        self.out.write_field(&self.field).map_err(csv_error)
    }

    fn time(&mut self, exchange: &Exchange<'_>) -> io::Result<()> {
        if let Some(moments) = &mut self.moments {
            let mut time = String::new();
            moments.push(&mut time, exchange.time(), 9);
            return self.text(&time);
        }
        self.field.clear();
        if exchange.time().is_known() {
            self.civil.push_nanos(&mut self.field, exchange.time());
            self.field.push(b'Z');
        }
        self.out.write_field(&self.field).map_err(csv_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::calls::samples;

    #[test]
    fn exchanges_are_rows() {
        let mut bytes = Vec::new();
        let mut writer = Csv::new(&mut bytes, None).unwrap();
        let hostile = Exchange { pattern: Some("=1+1,\"\u{1b}"), ..samples::failed() };
        for exchange in [
            samples::event(),
            samples::stream(),
            hostile,
            samples::orphan(),
            samples::closed(),
            samples::unanswered(),
        ] {
            writer.write(&exchange).unwrap();
        }
        writer.flush().unwrap();
        drop(writer);
        let expected = [
            "n,kind,pattern,id,client,server,time,status,latency_ns,first_reply_ns,request_ns,wait_ns,reply_ns,replies,request_bytes,reply_bytes,request_first_packet,request_last_packet,reply_first_packet,reply_last_packet,data,response,error,protocol,waited_ns,request_held_ns,reply_held_ns,ended_by,service,instance,client_service,parent,parent_by,candidates,problems,sure,also,attempts",
            r#"1,event,log,,127.0.0.1:51304,127.0.0.1:8888,2026-11-22T03:52:01.123456789Z,sent,,,0,,,0,34,0,4,4,,,"""求和""",[],,nest-tcp,,0,,,,,,,,[],[],true,,"#,
            r#"3,request,"{""cmd"":""count""}",7,[::1]:40000,[::1]:3001,2026-11-22T03:52:01.123456789Z,ok,3612000,1000,500,400,3611000,4,64,200,6,7,8,12,"{""to"":3}","[1,12345678901234567890123,{""b"":1,""a"":""\ud83d""}]",,nest-tcp,,0,0,,,,,,,[],[],true,,"#,
            r#"4,request,"=1+1,""␛","""e32e6daac5b801d68adcf""",127.0.0.1:51304,127.0.0.1:8888,2026-11-22T03:52:01.123456789Z,error,3612000,3612000,0,3612000,0,1,64,64,6,6,8,8,"[1,2,3]",[],"{""status"":""error"",""message"":""Internal server error""}",nest-tcp,,0,0,,,,,,,[],[],true,,"#,
            r#"6,reply,,"""e32e6daac5b801d68adcf""",127.0.0.1:51304,127.0.0.1:8888,2026-11-22T03:52:01.127068789Z,orphan,,,,,0,1,,64,,,8,8,,"[{""late"":true}]",,nest-tcp,,,0,,,,,,,[],[],true,,"#,
            r#"7,request,slow,"""e32e6daac5b801d68adcf""",127.0.0.1:51304,127.0.0.1:8888,2026-11-22T03:52:01.123456789Z,closed,,,0,,,0,64,0,6,6,,,"{""order"":17,""urgent"":true}",[],,nest-tcp,1204000000,0,,server,,,,,,[],[],true,,"#,
            r#"11,connect,,,127.0.0.1:51304,127.0.0.1:8888,2026-11-22T03:52:01.123456789Z,no answer,,,,,,0,0,0,22,24,25,25,,[],"""host unreachable""",,3100000000,,,network,,,,,,[],[],true,,40"#,
            "",
        ];
        assert_eq!(String::from_utf8(bytes).unwrap(), expected.join("\n"));
    }
}
