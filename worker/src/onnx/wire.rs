//! How much memory a file's messages will take, before any is made: a few bytes of a file can become a hundred in memory.
//!
//! Owns a walk over the bytes that allocates nothing. Must not read values.

/// The most bytes of a file.
pub const FILE_LIMIT: u64 = 256 << 20;

/// The memory of a message, a text or bytes, beside what it holds.
const OF_MESSAGE: u64 = 400;
const OF_TEXT: u64 = 48;

/// The deepest messages: a model's graph's node's attribute's graph, and that thrice over, and its value's type's shape's dimension.
const DEPTH: usize = 16;

/// What is in a message that is read: the fields that are messages, and which messages they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Value,
    Leaf,
}

impl Message {
    fn field(self, number: u64) -> Option<Self> {
        Some(match (self, number) {
            (Self::Model, 7) => Self::Graph,
            (Self::Model, 8 | 14 | 25) => Self::Leaf,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph, 5) => Self::Tensor,
            (Self::Graph, 11 | 12) => Self::Value,
            (Self::Graph, 15) => Self::Leaf,
            (Self::Node, 5) => Self::Attribute,
            (Self::Attribute, 5) => Self::Tensor,
            (Self::Attribute, 6) => Self::Graph,
            (Self::Tensor, 13) => Self::Leaf,
            // Types, shapes and dimensions: each is as small as a leaf.
            (Self::Value, 1 | 2) => Self::Value,
            _ => return None,
        })
    }
}

/// About how many bytes a file's messages take in memory, up to the first byte that belongs to none.
pub(super) fn expanded_size(bytes: &[u8]) -> u64 {
    let mut size = 0;
    // What is not read after all is noticed when it is.
    let _ = walk(bytes, Message::Model, 0, &mut size);
    size
}

fn walk(mut bytes: &[u8], message: Message, depth: usize, size: &mut u64) -> Option<()> {
    *size += OF_MESSAGE;
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        match tag & 7 {
            0 => {
                varint(&mut bytes)?;
                *size += 8;
            }
            1 => bytes = bytes.get(8..)?,
            5 => {
                bytes = bytes.get(4..)?;
                *size += 4;
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (inner, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                match message.field(tag >> 3) {
                    Some(inner_message) if depth < DEPTH => {
                        let _ = walk(inner, inner_message, depth + 1, size);
                    }
                    // As much as there can be: a message takes two bytes at least.
                    Some(_) => *size += OF_MESSAGE + length as u64 * (OF_MESSAGE / 2),
                    // Packed whole numbers of a byte each become eight bytes; floats stay as they are.
                    None => *size += OF_TEXT + length as u64 * per_byte(message, tag >> 3),
                }
            }
            _ => return None,
        }
    }
    Some(())
}

fn per_byte(message: Message, field: u64) -> u64 {
    let packed_integers = matches!((message, field), (Message::Attribute, 8) | (Message::Tensor, 1 | 5 | 7));
    if packed_integers { 8 } else { 1 }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for place in 0..10 {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << (7 * place).min(63);
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_bytes_that_become_many_messages_are_counted_as_such() {
        // A graph of 1000 nodes without anything.
        let graph = [0x0a, 0x00].repeat(1000);
        let mut model = vec![0x3a, 0xd0, 0x0f];
        model.extend(graph);
        assert!(expanded_size(&model) > 1000 * OF_MESSAGE);
        assert!(expanded_size(&[0x3a, 0xff]) < 2 * OF_MESSAGE);
        assert!(expanded_size(&[0x80; 12]) < 2 * OF_MESSAGE);
    }

    #[test]
    fn graphs_within_graphs_are_counted_however_deep_they_are() {
        // Nodes of nothing, in a node's attribute's graph, over and over.
        let mut graph = [0x0a, 0x00].repeat(1000);
        for _ in 0..40 {
            for tag in [0x32_u8, 0x2a, 0x0a] {
                let length = [(graph.len() & 0x7f) as u8 | 0x80, (graph.len() >> 7) as u8];
                graph = [&[tag], &length[..], &graph].concat();
            }
        }
        let model =
            [&[0x3a, (graph.len() & 0x7f) as u8 | 0x80, (graph.len() >> 7) as u8], &graph[..]].concat();
        assert!(expanded_size(&model) > 1000 * OF_MESSAGE);
    }
}
