//! The train command: the same work as a train step, on the user's own files.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mlpipeline_crds::{
    CrossValidation, Gate, Interaction, Metric, Split, SplitBy, StepReport, TrainColumn, TrainStep,
};

use super::algorithm_flags::AlgorithmFlags;
use super::column_flags::{ScaleFlag, parse_column, parse_scale, scale_of_all, with_scales};
use super::summary::summary;
use super::tune_flags::TuneFlags;
use super::{TrainError, Trained, train};
use crate::WorkContext;
use crate::artifact::{ArtifactError, Draft, Kind};
use crate::failure::{STANDARD_OUTPUT, StepError};
use crate::flags::{SourceFlags, WorkFlags};
use crate::redaction::plain;

/// Train a model on a table.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  mlpipeline-worker train --data iris.csv --target species --test 0.2 --stratify --gate 'accuracy>=0.9' --out model
  mlpipeline-worker train --data houses.parquet --target price --algorithm linear-regression --folds 5 --out model
  mlpipeline-worker train --data visits.csv --algorithm k-means --parameter nClusters=5 --out model

Rows take rows x features x 8 bytes. Where the algorithm reads them one after the other, they go to a file in --scratch once
they take more than seven tenths of --memory-limit. Where it needs them all in memory, they are refused once they take more than
85 % of what the container or machine has. The metrics are of the test rows, else the mean over the folds, else of the rows
learnt from. Credentials come from the environment, as for prepare; the table is called data there.

Exit codes: 0 trained, and the gate passed where there is one, 1 internal error, 2 wrong spec, 3 wrong data, or the gate rejects
the model, which is kept, 4 storage or network unavailable.")]
pub struct TrainArgs {
    /// The table.
    #[command(flatten)]
    pub source: SourceFlags,
    /// The column to predict; none for an algorithm that learns without one, such as k-means.
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// The columns to predict from; all but the target when absent.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub features: Vec<String>,
    /// What a column is taken as: number, category, date, text (its words), target (the target's mean for each text), hash, or
    /// ignore. A number after a category, a text or a hash is how many columns it may become: body=text:500. May be given
    /// several times.
    #[arg(long = "as", value_name = "COLUMN=ROLE[:NUMBER]", value_parser = parse_column)]
    pub taken_as: Vec<TrainColumn>,
    /// Bring numbers, dates, ordinals and means of the target to a common size: standard (mean and standard deviation) or min-max (0 to
    /// 1), as the rows to learn from have it. With a column, this one: age=min-max, or age=none. May be given several times.
    #[arg(long = "scale", value_name = "[COLUMN=]SCALE", value_parser = parse_scale)]
    pub scales: Vec<ScaleFlag>,
    /// Learn from the products of these columns of numbers too, of each pair of them. May be given several times.
    #[arg(long = "interaction", value_name = "A,B,…", value_parser = parse_interaction)]
    pub interactions: Vec<Interaction>,
    /// How to learn.
    #[command(flatten)]
    pub learn: AlgorithmFlags,
    /// Which parameters to try.
    #[command(flatten)]
    pub tune: TuneFlags,
    /// The share of the rows to keep back and measure with.
    #[arg(long, value_name = "SHARE", help_heading = "Measuring")]
    pub test: Option<f64>,
    /// How the rows to keep back are chosen: at random, by a hash that other rows do not change, or the newest.
    #[arg(long, value_enum, requires = "test", help_heading = "Measuring")]
    pub split_by: Option<SplitFlag>,
    /// The column that is hashed (the whole row when absent), or that says when each row is from.
    #[arg(long, value_name = "COLUMN", requires = "split_by", help_heading = "Measuring")]
    pub split_column: Option<String>,
    /// Keep rows with the same value of this column together, in the split and in folds. The column is not learnt from, unless
    /// --features or --as names it.
    #[arg(long, value_name = "COLUMN", help_heading = "Measuring")]
    pub group_by: Option<String>,
    /// Keep each class's share alike on both sides of the split.
    #[arg(long, requires = "test", help_heading = "Measuring")]
    pub stratify: bool,
    /// The seed of the split and of the folds.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, help_heading = "Measuring")]
    pub seed: i64,
    /// Cross-validate with this many folds.
    #[arg(long, value_name = "NUMBER", help_heading = "Measuring")]
    pub folds: Option<i32>,
    /// Learn from parts of the rows too, to show in metrics.json and the card whether more rows would help.
    #[arg(long, requires = "test", help_heading = "Measuring")]
    pub learning_curve: bool,
    /// What the model must reach to be called good: METRIC>=NUMBER or METRIC<=NUMBER. One that does not is kept, and the
    /// command ends with 3.
    #[arg(long, value_name = "CONDITION", value_parser = parse_gate, help_heading = "Measuring")]
    pub gate: Option<Gate>,
    /// The folder to make for the model. A model that is there already is replaced.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// How to print the result.
    #[arg(long, short, value_enum, default_value = "table")]
    pub output: OutputFormat,
    /// Resources and network.
    #[command(flatten)]
    pub work: WorkFlags,
}

/// How the rows to keep back are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SplitFlag {
    /// At random, by the seed.
    Shuffle,
    /// By a hash of the row or of a column.
    Hash,
    /// The newest rows.
    Time,
}

impl From<SplitFlag> for SplitBy {
    fn from(flag: SplitFlag) -> Self {
        match flag {
            SplitFlag::Shuffle => Self::Shuffle,
            SplitFlag::Hash => Self::Hash,
            SplitFlag::Time => Self::Time,
        }
    }
}

/// How to print the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// A table for people.
    Table,
    /// The report as JSON, for programs.
    Json,
}

fn parse_interaction(text: &str) -> Result<Interaction, String> {
    let columns: Vec<String> = text.split(',').map(str::to_owned).collect();
    if columns.len() < 2 || columns.iter().any(String::is_empty) {
        return Err("write two or more columns, for example area,rooms".to_owned());
    }
    Ok(Interaction { columns })
}

fn parse_gate(text: &str) -> Result<Gate, String> {
    let (name, bound, least) = text
        .split_once(">=")
        .map(|(name, bound)| (name, bound, true))
        .or_else(|| text.split_once("<=").map(|(name, bound)| (name, bound, false)))
        .ok_or("write METRIC>=NUMBER or METRIC<=NUMBER, for example accuracy>=0.9")?;
    let metric = Metric::named(name.trim())
        .ok_or_else(|| format!("\"{}\" is not a metric; there are {}", name.trim(), Metric::names(None)))?;
    let bound: f64 = bound.trim().parse().map_err(|_| format!("\"{}\" is not a number", bound.trim()))?;
    let gate = Gate { metric, min: None, max: None, max_regression: None };
    Ok(if least { Gate { min: Some(bound), ..gate } } else { Gate { max: Some(bound), ..gate } })
}

impl TrainArgs {
    /// Does the work, and prints what was measured.
    ///
    /// # Errors
    /// When the data, the flags or the output are wrong, and when the gate rejects the model, which is kept all the same: a script that
    /// trains and then scores must notice.
    pub async fn run(&self, context: &WorkContext) -> Result<(), StepError> {
        let step = self.step(context)?;
        let out = std::path::absolute(&self.out).map_err(ArtifactError::io("find", &self.out))?;
        let parent =
            out.parent().ok_or_else(|| TrainError::Spec("--out: name a folder to make".to_owned()))?;
        let draft = Draft::begin(parent)?.stopped_by(&context.cancellation);
        let trained = train(&step, None, context).await?;
        for (name, bytes) in trained.files()? {
            draft.write(name, &bytes)?;
        }
        let Trained { model, report, .. } = trained;
        let target = out.clone();
        let published =
            tokio::task::spawn_blocking(move || draft.publish_at(Kind::Model, report, &target)).await;
        let report = published.map_err(|error| TrainError::Internal(error.to_string()))??.report();
        // Whoever reads no further must still get the gate's verdict.
        let printed = self.print(&report, &model);
        match report.gate.filter(|gate| !gate.passed) {
            None => printed,
            Some(gate) => {
                let folder = self.out.display().to_string();
                Err(TrainError::Rejected { verdict: gate.message, folder }.into())
            }
        }
    }

    fn step(&self, context: &WorkContext) -> Result<TrainStep, StepError> {
        let stratify = self.stratify.then_some(true);
        Ok(TrainStep {
            data: self.source.source("data", &context.secrets)?,
            target: self.target.clone(),
            features: self.features.clone(),
            columns: with_scales(&self.taken_as, &self.scales),
            scale: scale_of_all(&self.scales),
            algorithm: self.learn.algorithm()?,
            tune: self.tune.search(self.seed),
            trial_pods: None,
            interactions: self.interactions.clone(),
            group_by: self.group_by.clone(),
            split: self.test.map(|test| Split {
                test,
                by: self.split_by.map(SplitBy::from),
                column: self.split_column.clone(),
                stratify,
                seed: Some(self.seed),
            }),
            cross_validation: self.folds.map(|folds| CrossValidation { folds, seed: Some(self.seed) }),
            learning_curve: self.learning_curve.then_some(true),
            gate: self.gate.clone(),
            baseline: None,
        })
    }

    fn print(&self, report: &StepReport, model: &crate::model::Model) -> Result<(), StepError> {
        let text = match self.output {
            OutputFormat::Json => format!("{}\n", report.to_json()),
            OutputFormat::Table => plain(&summary(report, model, &self.out)),
        };
        let written = std::io::stdout().write_all(text.as_bytes());
        Ok(written.map_err(ArtifactError::io("write", std::path::Path::new(STANDARD_OUTPUT)))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_read_or_refused() {
        let gate = parse_gate("accuracy >= 0.9").expect("a gate");
        assert_eq!((gate.metric, gate.min, gate.max), (Metric::Accuracy, Some(0.9), None));
        let gate = parse_gate("rmse<=2").expect("a gate");
        assert_eq!((gate.metric, gate.min, gate.max), (Metric::Rmse, None, Some(2.0)));
        for wrong in ["", "accuracy", "accuracy>0.9", "speed>=1", "rmse<=fast", ">=1"] {
            assert!(parse_gate(wrong).is_err(), "{wrong}");
        }
    }
}
