//! The limits of a server that its pages name: how much a request may hold.

/// What the pages need to know of the server.
#[derive(Clone, Copy, Debug)]
pub struct ServingLimits {
    /// Whether callers must send an API key.
    pub needs_key: bool,
    /// The most rows of a request, as asked for.
    pub max_rows: usize,
    /// The most bytes of a request's body.
    pub max_body_bytes: usize,
}
