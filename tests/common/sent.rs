//! What the Nest processes say they wrote (`NAME.sent.jsonl`), and a naive reading of it: frames
//! split where each write began, replies given to the oldest request that waits with their id.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use nestscope::endpoint::Side;
use nestscope::exchange::{ExchangeKind, Status};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One write of one process.
#[derive(Clone, Debug, Deserialize)]
pub struct Write {
    pub at_ns: String,
    pub side: String,
    pub local: String,
    pub remote: String,
    #[serde(default)]
    pub text: Option<Box<RawValue>>,
}

/// One frame that was sent.
#[derive(Clone, Debug)]
pub struct Frame {
    /// When it was written, in nanoseconds since the epoch.
    pub at: i64,
    pub from: Side,
    pub client: String,
    pub server: String,
    /// The frame as it was written, length and all.
    pub text: String,
}

/// An exchange, as the processes' own words tell it.
#[derive(Clone, Debug)]
pub struct Expected {
    pub kind: ExchangeKind,
    pub client: String,
    pub server: String,
    pub id: Option<String>,
    pub pattern: String,
    pub data: Option<String>,
    /// `None`: no final reply.
    pub status: Option<Status>,
    pub replies: u32,
    pub request_bytes: u64,
    pub reply_bytes: u64,
    pub responses: Vec<String>,
    pub error: Option<String>,
}

/// The frames of a recording, each in the order in which its process wrote it.
pub fn frames(capture: &Path) -> Vec<Frame> {
    let name = capture.to_str().unwrap().replace(".pcap", ".sent.jsonl");
    let bytes = fs::read(&name).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut text = String::new();
    if name.ends_with(".gz") {
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    text.lines()
        .map(|line| {
            let write: Write = serde_json::from_str(line).unwrap();
            let from = if write.side == "client" { Side::Client } else { Side::Server };
            let (client, server) = match from {
                Side::Client => (write.local, write.remote),
                Side::Server => (write.remote, write.local),
            };
            let text = serde_json::from_str(write.text.unwrap().get()).unwrap();
            Frame { at: write.at_ns.parse().unwrap(), from, client, server, text }
        })
        .collect()
}

/// The members of a JSON object in order, each value as it stands.
pub fn members(json: &str) -> Vec<(String, Box<RawValue>)> {
    struct Members(Vec<(String, Box<RawValue>)>);
    impl<'de> Deserialize<'de> for Members {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Members;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<M: serde::de::MapAccess<'de>>(
                    self,
                    mut map: M,
                ) -> Result<Members, M::Error> {
                    let mut members = Vec::new();
                    while let Some(member) = map.next_entry()? {
                        members.push(member);
                    }
                    Ok(Members(members))
                }
            }
            from.deserialize_map(Visitor)
        }
    }
    serde_json::from_str::<Members>(json).map(|members| members.0).unwrap_or_default()
}

/// The last member with this key, as JavaScript has it.
pub fn member(json: &str, key: &str) -> Option<String> {
    let members = members(json);
    let found = members.iter().rev().find(|(name, _)| name == key);
    found.map(|(_, value)| value.get().to_owned())
}

fn is_truthy(value: Option<&str>) -> bool {
    !matches!(value, None | Some("null" | "false" | "0" | "\"\""))
}

/// The exchanges in the order in which their requests were written.
pub fn exchanges(frames: &[Frame]) -> Vec<Expected> {
    let mut expected: Vec<Expected> = Vec::new();
    let mut waiting: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for frame in frames {
        let body = frame.text.split_once('#').unwrap().1;
        let get = |key| member(body, key);
        let bytes = frame.text.len() as u64;
        match (frame.from, get("id"), get("pattern")) {
            (Side::Client, id, Some(pattern)) => {
                let kind = if id.is_some() { ExchangeKind::Request } else { ExchangeKind::Event };
                if let Some(id) = &id {
                    let key = (frame.client.clone(), id.clone());
                    waiting.entry(key).or_default().push(expected.len());
                }
                expected.push(Expected {
                    kind,
                    client: frame.client.clone(),
                    server: frame.server.clone(),
                    id,
                    pattern: route(&pattern),
                    data: get("data"),
                    status: (kind == ExchangeKind::Event).then_some(Status::Sent),
                    replies: 0,
                    request_bytes: bytes,
                    reply_bytes: 0,
                    responses: Vec::new(),
                    error: None,
                });
            }
            (Side::Server, Some(id), _) => {
                let Some(open) = waiting.get_mut(&(frame.client.clone(), id)) else { continue };
                let Some(&first) = open.first() else { continue };
                let call = &mut expected[first];
                call.replies += 1;
                call.reply_bytes += bytes;
                call.responses.extend(get("response"));
                call.error = get("err");
                let failed = is_truthy(get("err").as_deref());
                if failed || is_truthy(get("isDisposed").as_deref()) {
                    call.status = Some(if failed { Status::Error } else { Status::Ok });
                    open.remove(0);
                }
            }
            _ => {}
        }
    }
    expected
}

/// Nest's route text of a pattern, by way of serde_json's sorted maps.
fn route(pattern: &str) -> String {
    match serde_json::from_str(pattern).unwrap() {
        serde_json::Value::String(text) => {
            match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text) {
                Ok(object) => serde_json::to_string(&object).unwrap(),
                Err(_) => text,
            }
        }
        value => value.to_string(),
    }
}
