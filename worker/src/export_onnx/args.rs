//! The command line of `mlpipeline-worker export-onnx`.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::to_onnx;
use crate::artifact::ArtifactError;
use crate::deliver::OutFile;
use crate::failure::{STANDARD_OUTPUT, StepError};
use crate::model::Model;

/// Write a trained model as an ONNX file.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  mlpipeline-worker export-onnx --model ./model --out model.onnx

The graph takes the raw columns of a table: each is an input of its name and of shape [rows, 1]. Numbers and booleans are
64-bit floats (NaN where one is missing), texts are strings (empty where one is missing), dates and times are milliseconds
since 1970 as 64-bit integers (the smallest one where one is missing). Of classes it answers label and probabilities, of a
number prediction, and what a model without a target finds has the names that score gives it. It is made of operators of
version 15, and of version 3 of ai.onnx.ml. kNeighbors and dbscan cannot be written, nor columns taken as text or hash.

Exit codes: 0 written, 2 wrong usage, 3 the model cannot be read or written as ONNX, 4 the file cannot be written.")]
pub struct ExportOnnxArgs {
    /// The folder of the trained model.
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// The file to write; - for standard output.
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
}

impl ExportOnnxArgs {
    /// Does the work.
    ///
    /// # Errors
    /// When the model cannot be read or said in ONNX, or the file cannot be written; what was there stays then.
    pub fn run(&self) -> Result<(), StepError> {
        let bytes = to_onnx(&Model::load(&self.model)?)?;
        if self.out.as_os_str() == "-" {
            let written = std::io::stdout().write_all(&bytes);
            return Ok(written.map_err(ArtifactError::io("write to", Path::new(STANDARD_OUTPUT)))?);
        }
        let out = OutFile::begin(&self.out)?;
        std::fs::write(out.path(), bytes).map_err(ArtifactError::io("write", &self.out))?;
        out.publish()
    }
}
