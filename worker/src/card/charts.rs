//! The card's plots, each from what was measured.

use maud::{Markup, html};

use super::format::{count, figure, name};
use super::plot::Frame;
use crate::evaluation::{CurvePoint, Curves, FindingDetails, Importance, LearningCurve, NumberDetails};

/// How many columns' importance is drawn.
const MOST_BARS: usize = 20;

/// The ROC curves.
pub(super) fn roc(curves: &[Curves]) -> Markup {
    let frame = Frame::unit();
    let chance = frame.line(&[(0.0, 0.0), (1.0, 1.0)], "chance");
    let legend = |curve: &Curves| curve.roc_auc.map(|area| format!("area {}", figure(area)));
    html! {
        figure {
            figcaption { "ROC: how many of a class are found, against how many others are taken for it" }
            (frame.drawing("ROC curves", "false positive rate", "true positive rate", &html! { (chance) (lines(frame, curves, |curve| &curve.roc)) }))
            (legends(curves, legend))
        }
    }
}

/// The precision-recall curves.
pub(super) fn precision_recall(curves: &[Curves]) -> Markup {
    let frame = Frame::unit();
    let legend = |curve: &Curves| curve.average_precision.map(|area| format!("average {}", figure(area)));
    html! {
        figure {
            figcaption { "Precision and recall: how many of those taken for a class are of it, against how many are found" }
            (frame.drawing("precision-recall curves", "recall", "precision", &lines(frame, curves, |curve| &curve.precision_recall)))
            (legends(curves, legend))
        }
    }
}

/// Probabilities beside how often they were right.
pub(super) fn calibration(curves: &[Curves]) -> Markup {
    let frame = Frame::unit();
    let ideal = frame.line(&[(0.0, 0.0), (1.0, 1.0)], "chance");
    let content = html! {
        (ideal)
        @for (number, curve) in curves.iter().enumerate() {
            @let points: Vec<(f64, f64)> = curve.calibration.iter().map(|bin| (bin.predicted, bin.share)).collect();
            (frame.line(&points, &color(number)))
            (frame.dots(&points, 3.0, &color(number)))
        }
    };
    html! {
        figure {
            figcaption { "Calibration: of rows with a probability, the share of which it was true. On the dashed line, probabilities can be believed" }
            (frame.drawing("calibration curves", "predicted probability", "share that was true", &content))
            (legends(curves, |_| None))
        }
    }
}

fn lines<'a>(
    frame: Frame,
    curves: &'a [Curves],
    points: impl Fn(&'a Curves) -> &'a Vec<(f64, f64)>,
) -> Markup {
    html! {
        @for (number, curve) in curves.iter().enumerate() { (frame.line(points(curve), &color(number))) }
    }
}

fn legends(curves: &[Curves], more: impl Fn(&Curves) -> Option<String>) -> Markup {
    html! {
        ul.legend {
            @for (number, curve) in curves.iter().enumerate() {
                li { span.swatch.(color(number)) {} (name(&curve.label)) @if let Some(more) = more(curve) { small { (more) } } }
            }
        }
    }
}

/// The class name of a curve's colour.
fn color(number: usize) -> String {
    format!("c{}", number % 10)
}

/// Predicted numbers beside the right ones, and the errors.
pub(super) fn errors(details: &NumberDetails) -> Markup {
    let range = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value: f64| {
            (low.min(value), high.max(value))
        });
        // Some room, so that no dot is on the frame's edge.
        let room = (high - low) * 0.04;
        (low - room, high + room)
    };
    let both = range(&mut details.predictions.iter().flat_map(|pair| [pair.0, pair.1]));
    let beside = Frame::new(both, both);
    let residuals: Vec<(f64, f64)> =
        details.predictions.iter().map(|(predicted, actual)| (*predicted, actual - predicted)).collect();
    let predicted = range(&mut residuals.iter().map(|pair| pair.0));
    let below = Frame::new(predicted, range(&mut residuals.iter().map(|pair| pair.1).chain([0.0])));
    let exact = [(both.0, both.0), (both.1, both.1)];
    let zero = [(predicted.0, 0.0), (predicted.1, 0.0)];
    html! {
        figure {
            figcaption { "Predictions: on the dashed line, they are exact" }
            (beside.drawing("predicted and actual values", "predicted", "actual", &html! { (beside.line(&exact, "chance")) (beside.dots(&details.predictions, 2.5, "c0")) }))
        }
        figure {
            figcaption { "Errors: actual less predicted. A pattern is something that the model has not learnt" }
            (below.drawing("errors by predicted value", "predicted", "actual − predicted", &html! { (below.line(&zero, "chance")) (below.dots(&residuals, 2.5, "c0")) }))
        }
    }
}

/// A metric by how many rows were learnt from.
pub(super) fn learning_curve(curve: &LearningCurve) -> Markup {
    let most = curve.points.last().map_or(1.0, |point| point.rows as f64);
    let values = curve.points.iter().flat_map(|point| [point.train, point.test]);
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let room = (high - low) * 0.06;
    let frame = Frame::new((0.0, most), (low - room, high + room));
    let along = |value: &dyn Fn(&CurvePoint) -> f64| -> Vec<(f64, f64)> {
        curve.points.iter().map(|point| (point.rows as f64, value(point))).collect()
    };
    let (train, test) = (along(&|point| point.train), along(&|point| point.test));
    let drawn = html! {
        (frame.line(&train, "c1")) (frame.dots(&train, 3.0, "c1"))
        (frame.line(&test, "c0")) (frame.dots(&test, 3.0, "c0"))
    };
    html! {
        figure {
            figcaption { "Learning curve: where the values of rows that were kept back still get better, more rows would help" }
            (frame.drawing("learning curve", "rows learnt from", curve.metric.name(), &drawn))
            ul.legend {
                li { span.swatch.c0 {} "on rows that were kept back" }
                li { span.swatch.c1 {} "on the rows that it learnt from" }
            }
        }
    }
}

/// The share of the variance that each component keeps.
pub(super) fn components(shares: &[f64]) -> Markup {
    let more = shares.len().saturating_sub(MOST_BARS);
    html! {
        table {
            thead { tr { th { "component" } th.number { "share of the variance" } th {} } }
            tbody {
                @for (place, share) in shares.iter().take(MOST_BARS).enumerate() {
                    tr {
                        td { "component_" (place + 1) }
                        td.number { (figure(*share)) }
                        td.bars { div.bar style={ "width:" ((100.0 * share).clamp(0.0, 100.0).round()) "%" } {} }
                    }
                }
            }
        }
        @if more > 0 { p.note { "and " (count(more as u64)) " more in metrics.json" } }
    }
}

/// How many rows have each answer.
pub(super) fn answers(details: &FindingDetails) -> Markup {
    let most = details.answers.iter().map(|answer| answer.rows).max().unwrap_or_default().max(1);
    let share = |rows: u64| (100.0 * rows as f64 / most as f64).round();
    let more = details.answers.len().saturating_sub(MOST_BARS);
    html! {
        table {
            thead { tr { th { "answer" } th.number { "rows" } th {} } }
            tbody {
                @for answer in details.answers.iter().take(MOST_BARS) {
                    tr {
                        td { (name(&answer.answer)) }
                        td.number { (count(answer.rows)) }
                        td.bars { div.bar style={ "width:" (share(answer.rows)) "%" } {} }
                    }
                }
            }
        }
        @if more > 0 { p.note { "and " (count(more as u64)) " more in metrics.json" } }
    }
}

/// The columns by importance.
pub(super) fn importance(importance: &Importance) -> Markup {
    let most = importance.columns.iter().map(|column| column.mean).fold(0.0, f64::max);
    let share = |mean: f64| if most > 0.0 { (100.0 * mean / most).clamp(0.0, 100.0).round() } else { 0.0 };
    let more = importance.columns.len().saturating_sub(MOST_BARS);
    html! {
        p.note {
            "How far " (importance.metric) " falls when the values of one column are shuffled: the mean of " (importance.repeats)
            " shuffles of " (count(importance.rows)) " rows, and their standard deviation. Columns that say the same share what they matter."
        }
        table {
            thead { tr { th { "column" } th.number { "falls by" } th {} } }
            tbody {
                @for column in importance.columns.iter().take(MOST_BARS) {
                    tr {
                        td { (name(&column.column)) }
                        td.number { (figure(column.mean)) small { " ± " (figure(column.std)) } }
                        td.bars { div.bar style={ "width:" (share(column.mean)) "%" } {} }
                    }
                }
            }
        }
        @if more > 0 { p.note { "and " (count(more as u64)) " more in metrics.json" } }
    }
}
