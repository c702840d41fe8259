//! The encoding of a body that a server sent.

use reqwest::{Response, header};

/// An encoding of a body that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// The encoding of a body. None was asked for; servers that encode all the same are understood where that is possible.
pub(super) fn encoding(response: &Response) -> Result<Option<Encoding>, String> {
    let mut found = None;
    for value in response.headers().get_all(header::CONTENT_ENCODING) {
        let named = value.to_str().unwrap_or_default().to_ascii_lowercase();
        for name in named.split(',').map(str::trim) {
            let next = match name {
                "identity" | "" => continue,
                "gzip" | "x-gzip" => Encoding::Gzip,
                "zstd" => Encoding::Zstd,
                other => {
                    return Err(format!(
                        "the server encodes the body as {other:?}, which was not asked for; gzip and zstd are decoded"
                    ));
                }
            };
            if found.replace(next).is_some() {
                return Err("the server encodes the body twice, which was not asked for".to_owned());
            }
        }
    }
    Ok(found)
}
