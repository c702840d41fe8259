//! `md5(text)` and `sha256(text)`: the digest of a text as a text of hexadecimal digits in lower case, the same on every machine. They divide
//! rows by what they are, not to keep secrets.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, StringBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use md5::Md5;
use sha2::{Digest, Sha256};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    pub(super) const ALL: [Self; 2] = [Self::Md5, Self::Sha256];

    fn digest(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(text).to_vec(),
            Self::Sha256 => Sha256::digest(text).to_vec(),
        }
    }
}

/// A text becomes the digest of its bytes in UTF-8, and null stays null.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct HexDigest {
    algorithm: Algorithm,
    signature: Signature,
}

impl HexDigest {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, signature: Signature::string(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for HexDigest {
    fn name(&self) -> &'static str {
        match self.algorithm {
            Algorithm::Md5 => "md5",
            Algorithm::Sha256 => "sha256",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let given = ColumnarValue::values_to_arrays(&args.args)?;
        let [given] = datafusion::common::utils::take_function_args(self.name(), given)?;
        // What texts are kept in differs from table to table.
        let given = cast(&given, &DataType::Utf8)?;
        let texts = given.as_string::<i32>();
        let mut digests = StringBuilder::with_capacity(texts.len(), 0);
        let mut hex = String::new();
        for text in texts {
            let Some(text) = text else {
                digests.append_null();
                continue;
            };
            hex.clear();
            for byte in self.algorithm.digest(text.as_bytes()) {
                let _ = write!(hex, "{byte:02x}");
            }
            digests.append_value(&hex);
        }
        Ok(ColumnarValue::Array(Arc::new(digests.finish())))
    }
}
