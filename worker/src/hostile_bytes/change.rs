//! Changes of bytes, drawn at random.

use proptest::prelude::*;
use proptest::sample::Index;

/// One change of bytes.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// A byte becomes another.
    Byte(Index, u8),
    /// All from here on goes.
    Cut(Index),
    /// Something is put in.
    Insert(Index, Vec<u8>),
    /// What lies between two places comes many times.
    Repeat(Index, Index, usize),
}

/// What breaks readers more often than chance does.
const PIECES: [&[u8]; 16] = [
    b"\0",
    b"\"",
    b"\n",
    b"\r",
    b",,,,",
    b"{",
    b"[[[[",
    b"}",
    b"-1",
    b"1e999",
    b"99999999999999999999",
    b"NaN",
    b"null",
    b"\xff\xfe",
    b"\\u0000",
    b"\xff\xff\xff\x7f",
];

pub(super) fn change() -> impl Strategy<Value = Change> {
    let piece = prop::sample::select(PIECES.to_vec()).prop_map(<[u8]>::to_vec);
    let bytes = prop_oneof![piece, prop::collection::vec(any::<u8>(), 1..8)];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), bytes).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<Index>(), any::<Index>(), 1..200_usize)
            .prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
    ]
}

/// A seed by its place, and what becomes of it.
pub(super) fn changed() -> impl Strategy<Value = (Index, Vec<Change>)> {
    (any::<Index>(), prop::collection::vec(change(), 0..6))
}

pub(super) fn apply(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        match change {
            Change::Byte(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Change::Insert(at, piece) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, piece.iter().copied());
            }
            Change::Repeat(from, to, times) => {
                let (one, other) = (from.index(bytes.len()), to.index(bytes.len()));
                let (from, to) = (one.min(other), one.max(other).min(one.min(other) + 64));
                let piece = bytes[from..to].repeat(*times);
                bytes.splice(from..from, piece);
            }
        }
    }
    bytes
}
