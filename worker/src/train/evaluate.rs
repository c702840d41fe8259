//! How good the model is, and beside what: the rows it did not learn from, the folds, and a model that knows only the target.
//!
//! Owns which rows are measured, and the figures of the report that come from it. What metrics are is `evaluation`'s.

use mlpipeline_crds::{Gate, Metric, UNTESTED_CLASSES};

use super::backtest::{Measured, backtest};
use super::bootstrap::intervals;
use super::error::TrainError;
use super::folds::folds_of;
use super::importance::importance;
use super::matrix::Rows;
use super::parallel::over_items;
use super::prepared::Prepared;
use super::samples::Samples;
use super::settings::Folds as FoldSettings;
use super::split::Parted;
use super::untested::untested_in_folds;
use crate::evaluation::{
    Details, Evaluation, Folds, Importance, Interval, MeasuredOn, Metrics, Naive, Outcomes,
};
use crate::model::Predictor;

/// What cross-validation measured.
pub(super) struct Validation {
    /// Each fold's metrics.
    folds: Folds,
    /// What a model that knows only the target would have: the means over the folds; none without a target.
    naive: Option<Metrics>,
    /// All folds' rows.
    outcomes: Outcomes,
    /// How much each column matters to the first fold's model.
    importance: Option<Importance>,
}

impl Validation {
    /// Learns from all folds but one and measures on that one, for each fold of these rows.
    /// Importance is only asked for where no row is kept back from all folds.
    pub(super) fn new(
        samples: &Samples,
        rows: &[u32],
        asked: FoldSettings,
        with_importance: bool,
    ) -> Result<Self, TrainError> {
        if let Some(forecast) = samples.task.forecast() {
            return Self::of_forecast(backtest(samples, rows, forecast, asked.count)?);
        }
        let (mut measured, mut naive, mut found) = (Vec::new(), Vec::new(), None);
        let mut all: Option<Outcomes> = None;
        let parts = folds_of(samples, rows, asked.count, asked.seed)?;
        let untested_classes = untested_in_folds(samples, &parts);
        for fold in parts {
            let prepared = Prepared::fit(samples, &fold.train)?;
            let fitted = prepared.learn(samples, &fold.train)?;
            let Prepared { preprocessing, matrix } = prepared;
            let outcomes = samples.task.measure(&fitted.predictor, &Rows::new(&matrix, &fold.test))?;
            if with_importance && measured.is_empty() {
                found = importance(samples, &preprocessing, &fitted.predictor, &fold.test, asked.seed)?;
            }
            measured.push(outcomes.metrics());
            naive.extend(samples.task.naive(&fold.train, &fold.test).map(|naive| naive.metrics()));
            match &mut all {
                Some(all) => all.append(outcomes),
                None => all = Some(outcomes),
            }
        }
        let outcomes = all.ok_or_else(|| TrainError::Internal("there are no folds".to_owned()))?;
        let naive = (!naive.is_empty()).then(|| Folds::of(&naive).means());
        let folds = Folds { untested_classes, ..Folds::of(&measured) };
        Ok(Self { folds, naive, outcomes, importance: found })
    }

    /// What a forecast measured from each of several points in time. Shuffled columns would ask it for other times.
    fn of_forecast(origins: Vec<Measured>) -> Result<Self, TrainError> {
        let of = |outcomes: fn(&Measured) -> &Outcomes| {
            let metrics: Vec<Metrics> = origins.iter().map(|origin| outcomes(origin).metrics()).collect();
            Folds::of(&metrics)
        };
        let (folds, naive) = (of(|origin| &origin.outcomes), of(|origin| &origin.naive).means());
        let all = origins.into_iter().map(|origin| origin.outcomes).reduce(|mut all, outcomes| {
            all.append(outcomes);
            all
        });
        let outcomes = all.ok_or_else(|| TrainError::Internal("there are no folds".to_owned()))?;
        Ok(Self { folds, naive: Some(naive), outcomes, importance: None })
    }
}

/// Measures a model: on the rows that were kept back, else by the folds, else on the rows that it learnt from.
pub(super) fn evaluate(
    samples: &Samples,
    parted: &Parted,
    prepared: &Prepared<'_>,
    predictor: &Predictor,
    validation: Option<Validation>,
    seed: i64,
) -> Result<Evaluation, TrainError> {
    let measure = |rows: &[u32]| -> Result<_, TrainError> {
        let outcomes = samples.task.measure(predictor, &Rows::new(&prepared.matrix, rows))?;
        let naive = samples.task.naive(&parted.train, rows);
        // Both sort their rows, and so are measured side by side.
        let both = [Some(&outcomes), naive.as_ref()].into_iter().flatten().collect();
        let mut metrics = over_items(both, Outcomes::metrics).into_iter();
        Ok((metrics.next().unwrap_or_default(), metrics.next(), outcomes))
    };
    let (folds, pooled, of_fold) = match validation {
        Some(Validation { folds, naive, outcomes, importance }) => {
            (Some(folds), Some((naive, outcomes)), importance)
        }
        None => (None, None, None),
    };
    let (measured_on, (metrics, naive, outcomes)) = match (pooled, &folds) {
        _ if !parted.test.is_empty() => (MeasuredOn::TestRows, measure(&parted.test)?),
        (Some((naive, outcomes)), Some(folds)) => {
            let outcomes = with_components(samples, parted, prepared, predictor, outcomes)?;
            (MeasuredOn::Folds, (folds.means(), naive, outcomes))
        }
        _ => (MeasuredOn::TrainRows, measure(&parted.train)?),
    };
    let answer_names: Vec<String> =
        samples.task.answers(predictor)?.iter().map(ToString::to_string).collect();
    let untested_classes = match measured_on {
        MeasuredOn::TestRows => samples.task.missing_classes(&Rows::new(&samples.raw, &parted.test)),
        // Each fold's metrics are of its own rows: what one of them lacks, the means do not measure.
        MeasuredOn::Folds => folds.as_ref().map(|folds| folds.untested_classes.clone()).unwrap_or_default(),
        MeasuredOn::TrainRows => Vec::new(),
    };
    let importance_for = |rows: &[u32]| importance(samples, &prepared.preprocessing, predictor, rows, seed);
    let importance = match measured_on {
        MeasuredOn::TestRows => importance_for(&parted.test)?,
        MeasuredOn::Folds => of_fold,
        MeasuredOn::TrainRows => importance_for(&parted.train)?,
    };
    let is_held_out = measured_on == MeasuredOn::TestRows;
    let groups = samples.keys.groups_of(&parted.test);
    let intervals = is_held_out.then(|| intervals(&outcomes, &metrics, groups.as_deref(), seed)).flatten();
    Ok(Evaluation {
        measured_on,
        train_rows: parted.train.len() as u64,
        test_rows: parted.test.len() as u64,
        metrics,
        naive: samples.task.naive_answer().zip(naive).map(|(answers, metrics)| Naive { answers, metrics }),
        intervals,
        folds,
        tuning: None,
        learning_curve: None,
        untested_classes,
        importance,
        details: Details::of(&outcomes, &answer_names),
    })
}

/// Each fold has components of its own, so that their shares of the variance are those of the model itself.
fn with_components(
    samples: &Samples,
    parted: &Parted,
    prepared: &Prepared<'_>,
    predictor: &Predictor,
    mut outcomes: Outcomes,
) -> Result<Outcomes, TrainError> {
    if let (Predictor::Components(_), Outcomes::Findings(pooled)) = (predictor, &mut outcomes) {
        let own = samples.task.measure(predictor, &Rows::new(&prepared.matrix, &parted.train))?;
        if let Outcomes::Findings(own) = own {
            pooled.explained = own.explained;
        }
    }
    Ok(outcomes)
}

/// The figures that a model carries: its metrics, their means and deviations over folds, and how many rows there were.
pub(super) fn model_figures(evaluation: &Evaluation) -> Metrics {
    let mut figures = evaluation.metrics.clone();
    for (name, fold) in evaluation.folds.iter().flat_map(|folds| &folds.metrics) {
        let Some(metric) = Metric::named(name) else { continue };
        figures.insert(metric.figure("cv") + "Mean", fold.mean);
        figures.insert(metric.figure("cv") + "Std", fold.std);
    }
    figures.insert("trainRows".to_owned(), evaluation.train_rows as f64);
    figures.insert("testRows".to_owned(), evaluation.test_rows as f64);
    figures
}

/// The figures of a report: those of the model, and what puts the gate's metric, else the usual one, into proportion.
pub(super) fn report_figures(evaluation: &Evaluation, gate: Option<&Gate>) -> Metrics {
    let mut figures = model_figures(evaluation);
    if !evaluation.untested_classes.is_empty() {
        figures.insert(UNTESTED_CLASSES.to_owned(), evaluation.untested_classes.len() as f64);
    }
    if let Some(main) = Metric::main(&figures, gate.map(|gate| gate.metric)) {
        let naive = evaluation.naive.as_ref().and_then(|naive| naive.metrics.get(main.name()));
        figures.extend(naive.map(|naive| (main.figure("naive"), *naive)));
        let interval = evaluation.intervals.as_ref().and_then(|found| found.metrics.get(main.name()));
        if let Some(Interval { low, high }) = interval {
            figures.insert(format!("{}Low", main.name()), *low);
            figures.insert(format!("{}High", main.name()), *high);
        }
    }
    figures
}
