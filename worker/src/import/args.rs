//! The import command: the same work as an import step, on the user's own files.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use mlpipeline_crds::ImportStep;

use super::{ImportError, import};
use crate::WorkContext;
use crate::artifact::{ArtifactError, Draft, Kind};
use crate::failure::StepError;
use crate::flags::WorkFlags;
use crate::redaction::plain;
use crate::table::local_uri;

/// Take a model that was made elsewhere, as an ONNX file.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  mlpipeline-worker import --onnx churn.onnx --target churned --out model
  mlpipeline-worker import --onnx net.onnx --target species --features a,b,c --classes setosa,versicolor --softmax --out model

The graph takes raw columns: one input each, or a matrix of numbers whose columns --features names. Numbers may be missing where an
input takes floats (NaN), and texts may (the empty text). What is computed are the operators of scikit-learn's models, of XGBoost and
LightGBM, and of dense networks; others are refused by name, as are files with external data. The result is a model like that of train.
Credentials come from the environment, as for prepare; the file is called onnx there.")]
pub struct ImportArgs {
    /// The ONNX file, or its URL.
    #[arg(long, value_name = "FILE_OR_URL")]
    pub onnx: String,
    /// Refuse any file but the one with this SHA-256.
    #[arg(long, value_name = "SHA256")]
    pub sha256: Option<String>,
    /// The name of what is predicted.
    #[arg(long, value_name = "NAME")]
    pub target: String,
    /// The names of the columns that the graph takes, in its order; those of its inputs when absent.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub features: Vec<String>,
    /// The classes, in the order of the graph's scores, where the graph does not name them.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub classes: Vec<String>,
    /// Make scores probabilities by softmax: those of a neural network that ends without it.
    #[arg(long)]
    pub softmax: bool,
    /// The folder to write the model into; a model that is there is replaced.
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,
    /// Resources and network.
    #[command(flatten)]
    pub work: WorkFlags,
}

impl ImportArgs {
    /// Does the work, and says on stdout what was taken.
    ///
    /// # Errors
    /// When the file cannot be read or is no model that can be computed, or the folder cannot be written; then nothing is.
    pub async fn run(&self, context: &WorkContext) -> Result<(), StepError> {
        let step = ImportStep {
            uri: local_uri(&self.onnx)?,
            sha256: self.sha256.clone(),
            credentials: context.secrets.prefix_if_any("MLPIPELINE_SECRET_INPUT_onnx_"),
            target: self.target.clone(),
            features: self.features.clone(),
            classes: self.classes.clone(),
            softmax: self.softmax,
        };
        let imported = import(&step, context).await?;
        let out = std::path::absolute(&self.out).map_err(ArtifactError::io("find", &self.out))?;
        let parent = out.parent().unwrap_or(&out).to_owned();
        let report = imported.report();
        let message = report.message.clone().unwrap_or_default();
        let cancellation = context.cancellation.clone();
        let published = tokio::task::spawn_blocking(move || {
            let draft = Draft::begin(&parent)?.stopped_by(&cancellation);
            for (name, bytes) in imported.model.files()? {
                draft.write(name, &bytes)?;
            }
            Ok::<_, StepError>(draft.publish_at(Kind::Model, report, &out)?)
        });
        published.await.map_err(ImportError::lost)??;
        // A closed pipe is not a failure.
        let _ = writeln!(std::io::stdout(), "{}: {}", self.out.display(), plain(&message));
        Ok(())
    }
}
