//! The signs that give CSV its structure.

use csv_core::{Reader, ReaderBuilder};
use mlpipeline_crds::Reading;

/// The signs that give CSV its structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// Between fields.
    pub delimiter: u8,
    /// Around fields that hold delimiters or line ends.
    pub quote: u8,
    /// Before a quote inside a quoted field; `None` where such a quote is doubled.
    pub escape: Option<u8>,
    /// At the start of lines that are left out.
    pub comment: Option<u8>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: Reading::DEFAULT_QUOTE as u8, escape: None, comment: None }
    }
}

impl Dialect {
    /// A parser of records with these signs.
    pub(super) fn reader(&self) -> Reader {
        ReaderBuilder::new()
            .delimiter(self.delimiter)
            .quote(self.quote)
            .escape(self.escape)
            .double_quote(self.escape.is_none())
            .comment(self.comment)
            .build()
    }
}
