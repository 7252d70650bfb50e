//! Writes capture files of every kind, block by block.

use nestscope::time::Timestamp;

use crate::Row;

/// The time of a packet that has none.
const UNKNOWN: i64 = Timestamp::UNKNOWN.as_nanos();

/// Writes numbers in one of the two byte orders.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub big: bool,
}

pub const ORDERS: [Order; 2] = [Order { big: false }, Order { big: true }];

impl Order {
    pub fn u16(self, value: u16) -> [u8; 2] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub fn u32(self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub fn u64(self, value: u64) -> [u8; 8] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub fn pcap_header(self, magic: u32, link: u32) -> Vec<u8> {
        let mut bytes = self.u32(magic).to_vec();
        bytes.extend(self.u16(2));
        bytes.extend(self.u16(4));
        bytes.extend([0; 8]);
        bytes.extend(self.u32(65_535));
        bytes.extend(self.u32(link));
        bytes
    }

    pub fn pcap_record(
        self,
        seconds: u32,
        ticks: u32,
        extra: usize,
        data: &[u8],
        original: u32,
    ) -> Vec<u8> {
        let mut bytes = self.u32(seconds).to_vec();
        bytes.extend(self.u32(ticks));
        bytes.extend(self.u32(data.len() as u32));
        bytes.extend(self.u32(original));
        bytes.extend(vec![0xEE; extra]);
        bytes.extend(data);
        bytes
    }

    pub fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let len = self.u32((padded + 12) as u32);
        let mut bytes = self.u32(kind).to_vec();
        bytes.extend(len);
        bytes.extend(body);
        bytes.resize(8 + padded, 0);
        bytes.extend(len);
        bytes
    }

    pub fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = self.u16(code).to_vec();
        bytes.extend(self.u16(value.len() as u16));
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    pub fn section(self) -> Vec<u8> {
        let mut body = self.u32(0x1A2B_3C4D).to_vec();
        body.extend(self.u16(1));
        body.extend(self.u16(0));
        body.extend([0xFF; 8]);
        // A comment of odd length.
        body.extend(self.option(1, b"hello"));
        body.extend(self.option(0, b""));
        self.block(0x0A0D_0D0A, &body)
    }

    pub fn interface(self, link: u16, snap_len: u32, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut body = self.u16(link).to_vec();
        body.extend([0; 2]);
        body.extend(self.u32(snap_len));
        for (code, value) in options {
            body.extend(self.option(*code, value));
        }
        body.extend(self.option(0, b""));
        self.block(1, &body)
    }

    pub fn enhanced(self, interface: u32, ticks: u64, data: &[u8], original: u32) -> Vec<u8> {
        let mut body = self.u32(interface).to_vec();
        body.extend(self.u32((ticks >> 32) as u32));
        body.extend(self.u32(ticks as u32));
        body.extend(self.u32(data.len() as u32));
        body.extend(self.u32(original));
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(self.option(2, &[1, 2, 3, 4]));
        body.extend(self.option(1, b"odd"));
        body.extend(self.option(0, b""));
        self.block(6, &body)
    }

    pub fn simple(self, data: &[u8], original: u32) -> Vec<u8> {
        let mut body = self.u32(original).to_vec();
        body.extend(data);
        self.block(3, &body)
    }

    pub fn obsolete(self, interface: u16, ticks: u64, data: &[u8], original: u32) -> Vec<u8> {
        let mut body = self.u16(interface).to_vec();
        body.extend(self.u16(0));
        body.extend(self.u32((ticks >> 32) as u32));
        body.extend(self.u32(ticks as u32));
        body.extend(self.u32(data.len() as u32));
        body.extend(self.u32(original));
        body.extend(data);
        self.block(2, &body)
    }

    pub fn statistics(self, interface: u32, code: u16, dropped: u64) -> Vec<u8> {
        let mut body = self.u32(interface).to_vec();
        body.extend([0; 8]);
        body.extend(self.option(code, &self.u64(dropped)));
        self.block(5, &body)
    }

    /// A file with everything in it.
    pub fn everything(self) -> (Vec<u8>, Vec<Row>) {
        let mut bytes = self.section();
        bytes.extend(self.interface(1, 0, &[(2, b"eth0".to_vec()), (9, vec![9])]));
        bytes.extend(self.interface(276, 96, &[(9, vec![0x80 | 10]), (2, b"any".to_vec())]));
        bytes.extend(self.interface(101, 0, &[(14, self.u64(1_000).to_vec())]));
        bytes.extend(self.block(0x8000_0001, &[7; 33])); // for local use
        bytes.extend(self.enhanced(0, 1_700_000_000_123_456_789, b"ethernet", 8));
        bytes.extend(self.enhanced(1, (1_700_000_001 << 10) + 512, b"cooked", 60));
        bytes.extend(self.block(4, &[0; 4])); // names
        bytes.extend(self.enhanced(2, 1_700_000_002_000_001, b"r", 1));
        bytes.extend(self.simple(b"simple", 6));
        bytes.extend(self.obsolete(2, 1_700_000_003_000_000, b"obsolete!", 900));
        bytes.extend(self.statistics(0, 5, 3));
        bytes.extend(self.statistics(0, 5, 7)); // counts on: 7, not 10
        bytes.extend(self.statistics(1, 7, 1));
        // Another section, in the other byte order, with its own interfaces.
        let other = Order { big: !self.big };
        bytes.extend(other.section());
        bytes.extend(other.interface(113, 4, &[]));
        bytes.extend(other.enhanced(0, 1_700_000_004_000_000, b"", 0));
        bytes.extend(other.simple(b"snap", 5_000));
        bytes.extend(other.statistics(0, 7, 100));
        let rows = vec![
            (1, 1_700_000_000_123_456_789, 1, b"ethernet".to_vec(), 8),
            (2, 1_700_000_001_500_000_000, 276, b"cooked".to_vec(), 60),
            (3, 1_700_001_002_000_001_000, 101, b"r".to_vec(), 1),
            // Without a time; of the first interface.
            (4, UNKNOWN, 1, b"simple".to_vec(), 6),
            (5, 1_700_001_003_000_000_000, 101, b"obsolete!".to_vec(), 900),
            (6, 1_700_000_004_000_000_000, 113, b"".to_vec(), 0),
            (7, UNKNOWN, 113, b"snap".to_vec(), 5_000),
        ];
        (bytes, rows)
    }

    pub fn classic(self, magic: u32, extra: usize) -> (Vec<u8>, Vec<Row>) {
        let nanos = if magic == 0xA1B2_3C4D { 1 } else { 1_000 };
        let mut bytes = self.pcap_header(magic, 1);
        bytes.extend(self.pcap_record(1_700_000_000, 123_456, extra, b"first", 5));
        bytes.extend(self.pcap_record(1_700_000_000, 123_457, extra, b"", 0));
        bytes.extend(self.pcap_record(u32::MAX, 999_999, extra, b"the last", 1_500));
        let rows = vec![
            (1, 1_700_000_000_000_000_000 + 123_456 * nanos, 1, b"first".to_vec(), 5),
            (2, 1_700_000_000_000_000_000 + 123_457 * nanos, 1, b"".to_vec(), 0),
            (3, 4_294_967_295_000_000_000 + 999_999 * nanos, 1, b"the last".to_vec(), 1_500),
        ];
        (bytes, rows)
    }
}

/// Every kind of file: its bytes and its packets.
pub fn every_kind() -> Vec<(String, Vec<u8>, Vec<Row>)> {
    let mut kinds = Vec::new();
    for order in ORDERS {
        let (bytes, rows) = order.everything();
        kinds.push((format!("pcapng {order:?}"), bytes, rows));
        for (magic, extra) in [(0xA1B2_C3D4, 0), (0xA1B2_3C4D, 0), (0xA1B2_CD34, 8)] {
            let (bytes, rows) = order.classic(magic, extra);
            kinds.push((format!("pcap {magic:x} {order:?}"), bytes, rows));
        }
    }
    kinds
}
