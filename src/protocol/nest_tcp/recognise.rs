//! What is spoken where the first bytes of a connection are none of Nest's.

use crate::protocol::Foreign;

/// How other protocols begin. None begins with a digit, as a frame of Nest does.
const SIGNATURES: [(&[u8], Foreign); 20] = [
    (b"GET ", Foreign::Http1),
    (b"PUT ", Foreign::Http1),
    (b"POST ", Foreign::Http1),
    (b"HEAD ", Foreign::Http1),
    (b"PATCH ", Foreign::Http1),
    (b"TRACE ", Foreign::Http1),
    (b"DELETE ", Foreign::Http1),
    (b"OPTIONS ", Foreign::Http1),
    (b"CONNECT {", Foreign::Nats),
    (b"CONNECT ", Foreign::Http1),
    (b"HTTP/1.", Foreign::Http1),
    (b"PRI * HTTP/2.0", Foreign::Http2),
    (b"\x16\x03", Foreign::Tls),
    (b"SSH-", Foreign::Ssh),
    (b"INFO {", Foreign::Nats),
    (b"AMQP", Foreign::Amqp),
    (b"*1\r\n$", Foreign::Redis),
    (b"*2\r\n$", Foreign::Redis),
    (b"*3\r\n$", Foreign::Redis),
    (b"+OK\r\n", Foreign::Redis),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recognised {
    /// This is spoken.
    As(Foreign),
    /// More bytes will tell.
    Undecided,
    /// Nothing that is known here; perhaps Nest.
    No,
}

/// Reads the first bytes of one side.
pub(super) fn recognise(bytes: &[u8]) -> Recognised {
    if let Some(foreign) = mqtt(bytes) {
        return Recognised::As(foreign);
    }
    let mut undecided = false;
    for (signature, foreign) in SIGNATURES {
        if bytes.starts_with(signature) {
            return Recognised::As(foreign);
        }
        undecided |= signature.starts_with(bytes);
    }
    if undecided || bytes.first() == Some(&0x10) && bytes.len() < 10 {
        Recognised::Undecided
    } else {
        Recognised::No
    }
}

/// CONNECT is type 1, a length of 1 to 4 bytes, and the protocol's name with its own length.
fn mqtt(bytes: &[u8]) -> Option<Foreign> {
    let rest = bytes.strip_prefix(b"\x10")?;
    let length = rest.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    let name = rest.get(length..)?;
    let named = name.starts_with(b"\x00\x04MQTT") || name.starts_with(b"\x00\x06MQIsdp");
    named.then_some(Foreign::Mqtt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_name_the_protocol() {
        let cases: [(&[u8], Foreign); 9] = [
            (b"GET / HTTP/1.1\r\n", Foreign::Http1),
            (b"HTTP/1.1 200 OK\r\n", Foreign::Http1),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Foreign::Http2),
            (b"\x16\x03\x01\x02\x00", Foreign::Tls),
            (b"SSH-2.0-OpenSSH_9.2", Foreign::Ssh),
            (b"INFO {\"server_id\"", Foreign::Nats),
            (b"AMQP\x00\x00\x09\x01", Foreign::Amqp),
            (b"*3\r\n$7\r\npublish", Foreign::Redis),
            (b"\x10\x1b\x00\x04MQTT\x04", Foreign::Mqtt),
        ];
        for (bytes, foreign) in cases {
            assert_eq!(recognise(bytes), Recognised::As(foreign));
            for len in 0..2 {
                assert_eq!(recognise(&bytes[..len]), Recognised::Undecided, "{bytes:?}");
            }
        }
        for nest in ["36#{", " 36#", "+36#", "-5#", "\u{feff}36#", "abc#"] {
            assert_eq!(recognise(nest.as_bytes()), Recognised::No, "{nest}");
        }
    }
}
