//! Writes files in MaxMind's format, for tests: as the format's description has it, and as simple as
//! it gets. Where the format leaves a choice, such as the size of a record, the caller makes it.

use std::collections::HashMap;
use std::net::IpAddr;

use meridian_atlas::Network;

/// What a record or a part of it is.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    Double(f64),
    /// Unsigned, of 16 bits.
    Small(u16),
    /// Unsigned, of 32 bits.
    Number(u32),
    /// Unsigned, of 64 bits.
    Large(u64),
    List(Vec<Self>),
    Map(Vec<(&'static str, Self)>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// How to write a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// 4 or 6.
    pub(crate) ip_version: u16,
    /// Bits of one pointer of the tree: 24, 28 or 32.
    pub(crate) record_size: u16,
    pub(crate) database_type: &'static str,
}

/// Where a pointer of the tree leads.
#[derive(Debug, Clone, Copy)]
enum Way {
    Nowhere,
    Node(usize),
    Data(usize),
}

/// A file to be.
pub(crate) struct Writer {
    shape: Shape,
    nodes: Vec<[Way; 2]>,
    data: Vec<u8>,
    /// Where records stand that have been written.
    written: HashMap<Vec<u8>, usize>,
}

impl Writer {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            nodes: vec![[Way::Nowhere; 2]],
            data: Vec::new(),
            written: HashMap::new(),
        }
    }

    /// Says something about a network, and takes back what has been said of networks in it.
    pub(crate) fn add(&mut self, network: &str, value: &Value) {
        let mut bytes = Vec::new();
        encode(value, &mut bytes);
        let next = self.data.len();
        let data = &mut self.data;
        let at = *self.written.entry(bytes.clone()).or_insert_with(|| {
            data.extend(bytes);
            next
        });
        let network: Network = network.parse().unwrap();
        let (bits, len) = match (network.address(), self.shape.ip_version) {
            (IpAddr::V4(v4), 4) => (u128::from(v4.to_bits()) << 96, network.prefix_len()),
            (IpAddr::V4(v4), _) => (u128::from(v4.to_bits()), network.prefix_len() + 96),
            (IpAddr::V6(v6), _) => (v6.to_bits(), network.prefix_len()),
        };
        self.lead(bits, len, Way::Data(at));
    }

    /// Lets the addresses that begin like this be what those of IPv4 are.
    pub(crate) fn alias(&mut self, bits: u128, len: u8) {
        let mut node = 0;
        for _ in 0..96 {
            let Way::Node(next) = self.nodes[node][0] else {
                panic!("nothing has been said about IPv4");
            };
            node = next;
        }
        self.lead(bits, len, Way::Node(node));
    }

    fn lead(&mut self, bits: u128, len: u8, to: Way) {
        assert!(len > 0, "the root is a node");
        let mut node = 0;
        for depth in 0..len {
            let side = usize::from((bits >> (127 - depth)) & 1 == 1);
            if depth + 1 == len {
                self.nodes[node][side] = to;
                return;
            }
            node = match self.nodes[node][side] {
                Way::Node(next) => next,
                // What was one network is two from here on.
                leaf => {
                    self.nodes.push([leaf; 2]);
                    let next = self.nodes.len() - 1;
                    self.nodes[node][side] = Way::Node(next);
                    next
                }
            };
        }
    }

    /// The file.
    pub(crate) fn finish(&self) -> Vec<u8> {
        let count = self.nodes.len();
        let pointer = |way: Way| match way {
            Way::Nowhere => count,
            Way::Node(node) => node,
            Way::Data(at) => count + 16 + at,
        };
        let mut bytes = Vec::new();
        for node in &self.nodes {
            let [left, right] = node.map(|way| u32::try_from(pointer(way)).unwrap());
            let ([high_left, left @ ..], [high_right, right @ ..]) =
                (left.to_be_bytes(), right.to_be_bytes());
            match self.shape.record_size {
                24 => bytes.extend([left, right].concat()),
                28 => {
                    bytes.extend(left);
                    bytes.push((high_left << 4) | high_right);
                    bytes.extend(right);
                }
                _ => {
                    bytes.push(high_left);
                    bytes.extend(left);
                    bytes.push(high_right);
                    bytes.extend(right);
                }
            }
        }
        bytes.extend([0; 16]);
        bytes.extend(&self.data);
        bytes.extend(b"\xab\xcd\xefMaxMind.com");
        encode(&self.metadata(), &mut bytes);
        bytes
    }

    fn metadata(&self) -> Value {
        let number = Value::Small;
        Value::Map(vec![
            ("binary_format_major_version", number(2)),
            ("binary_format_minor_version", number(0)),
            ("build_epoch", Value::Large(1_700_000_000)),
            ("database_type", self.shape.database_type.into()),
            ("description", Value::Map(vec![("en", "for tests".into())])),
            ("ip_version", number(self.shape.ip_version)),
            ("languages", Value::List(vec!["en".into()])),
            (
                "node_count",
                Value::Number(self.nodes.len().try_into().unwrap()),
            ),
            ("record_size", number(self.shape.record_size)),
        ])
    }
}

fn encode(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Text(text) => {
            head(2, text.len(), bytes);
            bytes.extend(text.bytes());
        }
        Value::Double(number) => {
            head(3, 8, bytes);
            bytes.extend(number.to_be_bytes());
        }
        Value::Small(number) => {
            head(5, 2, bytes);
            bytes.extend(number.to_be_bytes());
        }
        Value::Number(number) => {
            head(6, 4, bytes);
            bytes.extend(number.to_be_bytes());
        }
        Value::Large(number) => {
            head(9, 8, bytes);
            bytes.extend(number.to_be_bytes());
        }
        Value::Map(fields) => {
            head(7, fields.len(), bytes);
            for (key, value) in fields {
                encode(&(*key).into(), bytes);
                encode(value, bytes);
            }
        }
        Value::List(values) => {
            head(11, values.len(), bytes);
            for value in values {
                encode(value, bytes);
            }
        }
    }
}

/// The kind of a value and how long it is.
fn head(kind: u8, len: usize, bytes: &mut Vec<u8>) {
    let (short, rest) = match len {
        0..29 => (u8::try_from(len).unwrap(), None),
        _ => (29, Some(u8::try_from(len - 29).unwrap())),
    };
    if kind > 7 {
        bytes.extend([short, kind - 7]);
    } else {
        bytes.push((kind << 5) | short);
    }
    bytes.extend(rest);
}
