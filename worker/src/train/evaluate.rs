//! How good the model is, and beside what: the rows it did not learn from, the folds, and a model that knows only the target.
//!
//! Owns which rows are measured, and the figures and sentences of the report that come from it. What metrics are is `evaluation`'s.

use mlpipeline_crds::{Gate, Metric, UNTESTED_CLASSES};

use super::backtest::{Measured, backtest};
use super::bootstrap::{FEWEST_GROUPS, intervals};
use super::error::TrainError;
use super::folds::folds_of;
use super::importance::importance;
use super::keys::Keys;
use super::matrix::Rows;
use super::notes::short;
use super::parallel::over_items;
use super::prepared::Prepared;
use super::samples::Samples;
use super::settings::Folds as FoldSettings;
use super::split::Parted;
use super::untested::{self, untested_in_folds};
use crate::evaluation::{
    Details, Evaluation, FindingDetails, Folds, Importance, Interval, MeasuredOn, Metrics, Naive, Outcomes,
};
use crate::model::Predictor;

/// How many columns the report names.
const MOST_NAMED: usize = 3;

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

/// What a person should know of how the model was measured.
pub(super) fn remarks(evaluation: &Evaluation, keys: &Keys, gate: Option<&Gate>) -> Vec<String> {
    let mut remarks = Vec::new();
    let is_found = matches!(evaluation.details, Details::Findings(_));
    let is_tuned = evaluation.tuning.is_some();
    if evaluation.measured_on == MeasuredOn::TrainRows && !is_found {
        let way = if is_tuned { "set split" } else { "set split or crossValidation" };
        remarks.push(format!("metrics are of the rows that the model learnt from, which flatters it: {way}"));
    }
    if evaluation.measured_on == MeasuredOn::Folds && is_tuned {
        remarks.push(
            "metrics are of folds by which the parameters were chosen, which flatters them: set split"
                .to_owned(),
        );
    }
    if matches!(evaluation.details, Details::Numbers(_))
        && !evaluation.metrics.contains_key(Metric::R2.name())
    {
        let rows = match evaluation.measured_on {
            MeasuredOn::Folds => "every row of a fold",
            MeasuredOn::TestRows | MeasuredOn::TrainRows => "every row measured",
        };
        remarks.push(format!("r2 is not measured: the target is the same in {rows}"));
    }
    if let Details::Findings(details) = &evaluation.details {
        remarks.extend(of_findings(evaluation, details));
    }
    remarks.extend(of_groups(evaluation, keys));
    remarks.extend(untested::remarks(evaluation, keys));
    remarks.extend(not_better(evaluation, gate));
    remarks
}

/// That rows of a group were drawn together for intervals, or that there were too few groups for any.
fn of_groups(evaluation: &Evaluation, keys: &Keys) -> Option<String> {
    let is_found = matches!(evaluation.details, Details::Findings(_));
    if evaluation.measured_on != MeasuredOn::TestRows || keys.groups.is_none() {
        return None;
    }
    match &evaluation.intervals {
        Some(_) => Some("intervals are of draws of whole groups (groupBy), not of rows".to_owned()),
        None if is_found => None,
        None => Some(format!(
            "metrics have no interval: the rows that were kept back are of fewer than {FEWEST_GROUPS} groups"
        )),
    }
}

/// The cluster of rows that are of none.
const NOISE: &str = "-1";

/// What to know of what was found without a target.
fn of_findings(evaluation: &Evaluation, details: &FindingDetails) -> Option<String> {
    let is_measured = |metric: Metric| evaluation.metrics.contains_key(metric.name());
    if is_measured(Metric::OutlierShare) {
        return None;
    }
    if is_measured(Metric::ExplainedVariance) {
        let named = details.explained_variance.iter().take(MOST_NAMED).enumerate();
        let named: Vec<String> =
            named.map(|(place, share)| format!("component_{} {share:.4}", place + 1)).collect();
        return Some(format!("the share of the variance that components keep: {}", named.join(", ")));
    }
    let rows: u64 = details.answers.iter().map(|answer| answer.rows).sum();
    if rows == 0 {
        return Some("explainedVariance is not measured: no column varies in the rows measured".to_owned());
    }
    let silhouette = Metric::Silhouette.name();
    let noise = details.answers.iter().find(|answer| answer.answer == NOISE).map(|noise| noise.rows);
    if let Some(noise) = noise.filter(|noise| *noise > 0) {
        return Some(format!(
            "{noise} of {rows} rows are noise (cluster {NOISE}), and {silhouette} is of the others"
        ));
    }
    if details.answers.len() == 1 {
        let parameter = if is_measured(Metric::Inertia) { "nClusters" } else { "nComponents" };
        return Some(format!(
            "{silhouette} is not measured: the model has one cluster; set {parameter} to 2 or more"
        ));
    }
    if !is_measured(Metric::Silhouette) {
        return Some(format!(
            "{silhouette} is not measured: it needs rows of at least two clusters, and fewer clusters than rows"
        ));
    }
    (details.measured_rows < rows)
        .then(|| format!("{silhouette} is of {} of {rows} rows, evenly spread", details.measured_rows))
}

/// Says so where the model is no better than one that knows only the target.
fn not_better(evaluation: &Evaluation, gate: Option<&Gate>) -> Option<String> {
    let main = Metric::main(&evaluation.metrics, gate.map(|gate| gate.metric))?;
    let known = evaluation.naive.as_ref()?;
    let (own, naive) = (*evaluation.metrics.get(main.name())?, *known.metrics.get(main.name())?);
    let is_better = if main.smaller_is_better() { own < naive } else { own > naive };
    (!is_better).then(|| {
        format!(
            "{name} {own:.4} does not beat the naive baseline's {naive:.4}, which always answers {}",
            known.answers,
            name = main.name()
        )
    })
}

/// Names the columns that the model answers by.
pub(super) fn most_important(evaluation: &Evaluation) -> Option<String> {
    let found = evaluation.importance.as_ref()?;
    let named = found.columns.iter().filter(|column| column.mean > 0.0).take(MOST_NAMED);
    let named: Vec<String> =
        named.map(|column| format!("{} {:.4}", short(&column.column), column.mean)).collect();
    (!named.is_empty()).then(|| {
        format!(
            "what matters most, by how far {} falls when it is shuffled: {}",
            found.metric,
            named.join(", ")
        )
    })
}
