//! The card's tables of a classifier: each class, and which were taken for which.

use maud::{Markup, html};

use super::format::{count, figure, name};
use crate::evaluation::{ClassDetails, ClassRow, Confusion};

/// How many classes and mistakes are listed.
const MOST_LISTED: usize = 50;

/// Each class.
pub(super) fn classes(details: &ClassDetails) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { th { "class" } th.number { "rows" } th.number { "precision" } th.number { "recall" } th.number { "F1" } } }
                tbody {
                    @for class in details.classes.iter().take(MOST_LISTED) {
                        tr {
                            td { (name(&class.label)) }
                            td.number { (count(class.rows)) }
                            td.number { (figure(class.precision)) }
                            td.number { (figure(class.recall)) }
                            td.number { (figure(class.f1)) }
                        }
                    }
                }
            }
        }
        (more(details.classes.len()))
    }
}

fn more(all: usize) -> Markup {
    html! {
        @if all > MOST_LISTED { p.note { "and " (count((all - MOST_LISTED) as u64)) " more in metrics.json" } }
    }
}

/// Which classes were taken for which.
pub(super) fn confusion(details: &ClassDetails) -> Markup {
    match &details.confusion {
        Confusion::Matrix(matrix) => self::matrix(matrix, &details.classes),
        Confusion::Mistakes(mistakes) => html! {
            div.scroll {
                table {
                    thead { tr { th { "actual" } th { "predicted" } th.number { "rows" } } }
                    tbody {
                        @for mistake in mistakes.iter().take(MOST_LISTED) {
                            tr { td { (name(&mistake.actual)) } td { (name(&mistake.predicted)) } td.number { (count(mistake.rows)) } }
                        }
                    }
                }
            }
            (more(mistakes.len()))
        },
    }
}

fn matrix(matrix: &[Vec<u64>], classes: &[ClassRow]) -> Markup {
    // The share of the class's rows says how dark a cell is.
    let heat = |cell: u64, row: &[u64]| {
        let share = cell as f64 / row.iter().sum::<u64>().max(1) as f64;
        format!("--heat:{}%", (share * 100.0).round())
    };
    html! {
        div.scroll {
            table.confusion {
                thead {
                    tr { th {} th colspan=(classes.len()) { "predicted" } }
                    tr { th { "actual" } @for class in classes { th.number { (name(&class.label)) } } }
                }
                tbody {
                    @for (row, class) in matrix.iter().zip(classes) {
                        tr {
                            th { (name(&class.label)) }
                            @for (place, cell) in row.iter().enumerate() {
                                @let right = classes.get(place).is_some_and(|other| other.label == class.label);
                                td.number.right[right].wrong[!right] style=(heat(*cell, row)) { (count(*cell)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
