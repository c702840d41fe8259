//! The card's page, section by section.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use mlpipeline_crds::telling_first;

use super::format::{count, figure, name};
use super::{Card, charts, classes};
use crate::evaluation::{Details, Evaluation, MeasuredOn, Tuning};

const STYLE: &str = include_str!("style.css");

/// How many trials of a search are shown.
const MOST_TRIALS: usize = 50;

/// Nothing runs, and nothing is loaded.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(super) fn page(card: &Card<'_>) -> Markup {
    let title = format!("Model card: {}", name(card.target));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (head(card)) }
                main {
                    section { h2 { "How good it is" } (metrics(card.evaluation)) }
                    (details(&card.evaluation.details))
                    @if let Some(curve) = &card.evaluation.learning_curve {
                        section.plots { h2 { "Whether more rows would help" } (charts::learning_curve(curve)) }
                    }
                    @if let Some(importance) = &card.evaluation.importance {
                        section { h2 { "What it answers by" } (charts::importance(importance)) }
                    }
                    @if !card.notes.is_empty() {
                        section { h2 { "Notes" } ul { @for note in card.notes { li { (note) } } } }
                    }
                    section { h2 { "Data" } (data(card)) }
                    section { h2 { "Parameters" } (parameters(card)) }
                    @if let Some(tuning) = &card.evaluation.tuning {
                        section { h2 { "How its parameters were found" } (trials(tuning)) }
                    }
                    section { h2 { "Where it comes from" } (lineage(card)) }
                }
            }
        }
    }
}

fn head(card: &Card<'_>) -> Markup {
    let columns = card.columns.len();
    html! {
        p.eyebrow { "Model card" }
        h1 { (name(card.target)) }
        p {
            (answered(&card.evaluation.details)) " by " (card.algorithm) " from " (columns) @if columns == 1 { " column" } @else { " columns" }
            ". Learnt from " (count(card.evaluation.train_rows)) " rows; " (measured(card.evaluation)) "."
        }
    }
}

fn answered(details: &Details) -> &'static str {
    match details {
        Details::Classes(_) | Details::Numbers(_) => "Predicted",
        Details::Findings(_) => "Found without a target",
    }
}

fn measured(evaluation: &Evaluation) -> String {
    match evaluation.measured_on {
        MeasuredOn::TestRows => {
            format!("measured on {} rows that were kept back", count(evaluation.test_rows))
        }
        MeasuredOn::Folds => {
            let folds = evaluation.folds.as_ref().map_or(0, |folds| folds.count);
            format!("measured on each of {folds} folds by a model of the others")
        }
        MeasuredOn::TrainRows => "measured on the rows that it learnt from, which flatters it".to_owned(),
    }
}

fn metrics(evaluation: &Evaluation) -> Markup {
    let (intervals, folds) = (evaluation.intervals.as_ref(), evaluation.folds.as_ref());
    let naive = evaluation.naive.as_ref();
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th { "metric" }
                        th.number { "model" }
                        @if naive.is_some() { th.number { "naive baseline" } }
                        @if let Some(intervals) = intervals { th.number { (format!("{:.0} % interval", intervals.level * 100.0)) } }
                        @if folds.is_some() { th.number { "over folds" } }
                    }
                }
                tbody {
                    @for (metric, value) in telling_first(&evaluation.metrics, None) {
                        tr {
                            td { (metric) }
                            td.number { strong { (figure(value)) } }
                            @if let Some(naive) = naive { td.number { (naive.metrics.get(metric).map_or("–".to_owned(), |naive| figure(*naive))) } }
                            @if let Some(intervals) = intervals {
                                td.number {
                                    @if let Some(interval) = intervals.metrics.get(metric) { (figure(interval.low)) " to " (figure(interval.high)) } @else { "–" }
                                }
                            }
                            @if let Some(folds) = folds {
                                td.number {
                                    @if let Some(fold) = folds.metrics.get(metric) { (figure(fold.mean)) " ± " (figure(fold.std)) } @else { "–" }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(naive) = naive { p.note { "The naive baseline knows only the target: to every row it answers " (naive.answers) "." } }
        @if !evaluation.untested_classes.is_empty() {
            p.warning {
                "Of these classes, no row was measured, or none in one of the folds, so the metrics say nothing of them: "
                @for (number, class) in evaluation.untested_classes.iter().enumerate() { @if number > 0 { ", " } (name(class)) }
            }
        }
    }
}

fn details(details: &Details) -> Markup {
    match details {
        Details::Classes(details) => html! {
            section { h2 { "Which classes it takes for which" } (classes::confusion(details)) }
            section { h2 { "Each class" } (classes::classes(details)) }
            @if !details.curves.is_empty() {
                section.plots {
                    h2 { "How its probabilities rank and hold" }
                    (charts::roc(&details.curves))
                    (charts::precision_recall(&details.curves))
                    (charts::calibration(&details.curves))
                }
            }
        },
        Details::Numbers(details) => html! {
            section.plots { h2 { "Its errors" } (charts::errors(details)) }
        },
        Details::Findings(details) => html! {
            @if !details.answers.is_empty() { section { h2 { "What it finds" } (charts::answers(details)) } }
            @if !details.explained_variance.is_empty() {
                section { h2 { "What the components keep" } (charts::components(&details.explained_variance)) }
            }
        },
    }
}

fn data(card: &Card<'_>) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { th { "column" } th { "taken as" } th.number { "missing" } th { "values" } } }
                tbody {
                    @for column in &card.columns {
                        tr {
                            td { (name(&column.name)) }
                            td { (column.taken_as) }
                            td.number { (count(column.missing)) }
                            td { (column.values) }
                        }
                    }
                }
            }
        }
    }
}

fn parameters(card: &Card<'_>) -> Markup {
    html! {
        table {
            thead { tr { th { "parameter of " (card.algorithm) } th { "value" } } }
            tbody {
                @for (parameter, value) in &card.parameters {
                    tr { td { (parameter) } td { (value) } }
                }
            }
        }
    }
}

fn trials(tuning: &Tuning) -> Markup {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), figure);
    let (all, shown) = (tuning.trials.len(), tuning.trials.len().min(MOST_TRIALS));
    html! {
        p {
            (all) " trials (" (tuning.search.name()) "), each measured by " (tuning.metric.name()) " in " (tuning.folds)
            " folds of rows that the model learnt from. The first is the model's."
            @if shown < all { " The best " (shown) " are shown; metrics.json has all." }
        }
        div.scroll {
            table {
                thead { tr { th { "parameters" } th.number { (tuning.metric.name()) } th.number { "± over folds" } th.number { "rows" } th { "failed" } } }
                tbody {
                    @for trial in tuning.trials.iter().take(shown) {
                        tr {
                            td { (trial.shown()) }
                            td.number { (number(trial.value)) }
                            td.number { (number(trial.std)) }
                            td.number { (count(trial.rows)) }
                            td { (trial.failure.as_deref().unwrap_or_default()) }
                        }
                    }
                }
            }
        }
    }
}

fn lineage(card: &Card<'_>) -> Markup {
    html! {
        table { tbody { @for (what, value) in &card.lineage { tr { th { (what) } td.code { (value) } } } } }
    }
}
