//! Which fields of an object are dropped before it is cached: all that the operator never reads.

/// How objects of a kind become small enough to be cached.
pub trait StripFields: Sized {
    /// What is decoded when the API server sends an object: the kind itself, or a part of it.
    type Wire;

    /// Drops all fields that are never read.
    #[must_use]
    fn strip_fields(self) -> Self;

    /// What is cached of an object that was received.
    fn from_wire(wire: Self::Wire) -> Self;
}
