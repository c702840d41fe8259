//! Which of a graph's outputs is the answer, and what it is about.

use std::collections::BTreeSet;

use mlpipeline_crds::ImportStep;

use super::error::ImportError;
use super::probe::Probe;
use crate::model::{Finding, Label, OnnxAnswer, Target, labels_of};
use crate::onnx::{Graph, Kind, Tensor};

/// How far the sum of probabilities may be from 1, as 32-bit floats are added.
const SUM_TOLERANCE: f64 = 1e-3;

/// How many classes of a graph a message names.
const NAMED: usize = 8;

/// The first of some classes, for a message.
pub(super) fn listed(labels: &[Label]) -> String {
    let named: Vec<String> = labels.iter().take(NAMED).map(Label::to_string).collect();
    let more = if labels.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", named.join(", "))
}

/// What files of the worker's own name as their maker.
const OWN_PRODUCER: &str = "mlpipeline";

/// The answer of a graph.
pub(super) struct Found {
    /// What is predicted.
    pub target: Target,
    /// From which outputs.
    pub answer: OnnxAnswer,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// An output as it was tried.
struct Tried<'a> {
    place: usize,
    name: &'a str,
    tensor: &'a Tensor,
    width: usize,
    labels: Option<Vec<Label>>,
    /// Whether its values are places: 0, 1, and so on.
    places: bool,
}

impl Tried<'_> {
    fn is_float(&self) -> bool {
        matches!(self.tensor.kind(), Kind::F32 | Kind::F64)
    }

    /// Whether its values are the places of these classes, which are other values than their names. Classes that are whole numbers from
    /// 0 on are meant as they are.
    fn answers_places_of(&self, labels: &[Label]) -> bool {
        let is_place = |label: &Label| match label {
            Label::Integer(number) => usize::try_from(*number).is_ok_and(|number| number < labels.len()),
            Label::Text(_) | Label::Boolean(_) => false,
        };
        self.places && !labels.iter().all(is_place)
    }

    /// Whether each row's numbers are from 0 to 1, and add up to 1.
    fn are_probabilities(&self) -> bool {
        let numbers = self.tensor.numbers().unwrap_or_default();
        let is_share = |value: &f64| (-SUM_TOLERANCE..=1.0 + SUM_TOLERANCE).contains(value);
        numbers.iter().all(is_share)
            && (self.width == 1
                || numbers
                    .chunks(self.width)
                    .all(|row| (row.iter().sum::<f64>() - 1.0).abs() <= SUM_TOLERANCE))
    }
}

/// Finds the answer among the outputs.
///
/// # Errors
/// When it is not clear what the outputs mean; the message says what to write.
pub(super) fn find(graph: &Graph, probe: &Probe, asked: &ImportStep) -> Result<Found, ImportError> {
    let tried: Vec<Tried<'_>> = graph
        .outputs()
        .iter()
        .zip(&probe.outputs)
        .enumerate()
        .filter_map(|(place, (output, tensor))| {
            let labels = output.labels.as_ref().and_then(|values| labels_of(values).into_iter().collect());
            Some(Tried {
                place,
                name: &output.name,
                tensor,
                width: probe.width(tensor)?,
                labels,
                // What became of them on the way to the output is as it is answered.
                places: output.places && matches!(tensor.kind(), Kind::I64 | Kind::I32),
            })
        })
        .collect();
    if graph.producer() == OWN_PRODUCER
        && let Some(found) = own_finding(&tried)
    {
        return Ok(found);
    }
    let label = tried.iter().find(|output| !output.is_float() && output.width == 1);
    let floats: Vec<&Tried<'_>> = tried.iter().filter(|output| output.is_float()).collect();
    match (label, floats.first()) {
        (Some(label), _) => of_label(label, &floats, asked),
        (None, Some(scores)) => of_scores(scores, asked),
        (None, None) => Err(ImportError::Step(
            "the graph has no output with a label or a number for each row; export one that predicts"
                .to_owned(),
        )),
    }
}

/// What the worker's own files of models without a target answer with, by the names that they give it.
fn own_finding(tried: &[Tried<'_>]) -> Option<Found> {
    let named = |name: &str| tried.iter().find(|output| output.name == name);
    let count = || named("cluster").and_then(|cluster| cluster.labels.as_ref()).map(Vec::len);
    let (finding, value, numbers) = if let Some(numbers) = named("components") {
        (Finding::Components { count: numbers.width }, None, numbers)
    } else if let Some(numbers) = named("anomaly_score") {
        (Finding::Outliers, Some(named("anomaly")?), numbers)
    } else if let (Some(cluster), Some(numbers)) = (named("cluster"), named("distance")) {
        (Finding::Clusters { count: count()? }, Some(cluster), numbers)
    } else {
        let cluster = named("cluster")?;
        (Finding::Mixture { count: count()? }, Some(cluster), named("probabilities")?)
    };
    let answer = OnnxAnswer {
        value: value.map(|value| value.place),
        scores: Some(numbers.place),
        ..OnnxAnswer::default()
    };
    let notes = vec!["it was learned without a target: its answers have names of their own".to_owned()];
    Some(Found { target: Target::Finding(finding), answer, notes })
}

/// A graph that says which class a row is of.
fn of_label(label: &Tried<'_>, floats: &[&Tried<'_>], asked: &ImportStep) -> Result<Found, ImportError> {
    let of_graph = label.labels.clone().or_else(|| floats.iter().find_map(|scores| scores.labels.clone()));
    let labels = named_classes(of_graph, asked, Some(label))?;
    let Some(labels) = labels else {
        return match label.tensor.kind() {
            Kind::I64 | Kind::I32 => Ok(Found {
                target: number(asked),
                answer: OnnxAnswer { value: Some(label.place), ..OnnxAnswer::default() },
                notes: vec![format!(
                    "the whole numbers of its output \"{}\" are taken as numbers: name classes to have them taken as classes",
                    label.name
                )],
            }),
            _ => Err(ImportError::Step(format!(
                "the graph does not say which classes its output \"{}\" has; name them in classes",
                label.name
            ))),
        };
    };
    let is_usable =
        |scores: &&Tried<'_>| scores.width == labels.len() && (asked.softmax || scores.are_probabilities());
    let usable = floats.iter().copied().find(|scores| is_usable(scores));
    let scores = floats.first().copied();
    if usable.is_none() && floats.len() == labels.len() && floats.iter().all(|scores| scores.width == 1) {
        let names: Vec<&str> = floats.iter().take(NAMED).map(|scores| scores.name).collect();
        return Err(ImportError::Step(format!(
            "the graph has an output for each class's probability ({}), and one is read that has them side by side: export the model with \
             zipmap=False, or with the zipmap that is the default",
            names.join(", ")
        )));
    }
    let notes = match (usable, scores) {
        (Some(_), _) => Vec::new(),
        (None, Some(scores)) => vec![format!(
            "its output \"{}\" holds no probabilities, so that a row's class has probability 1",
            scores.name
        )],
        (None, None) => vec!["it has no probabilities, so that a row's class has probability 1".to_owned()],
    };
    let by_place = label.answers_places_of(&labels);
    if let Some(scores) = scores.filter(|scores| by_place && scores.width > 1 && scores.width != labels.len())
    {
        let (count, name, width) = (labels.len(), scores.name, scores.width);
        return Err(ImportError::Step(format!(
            "classes names {count} classes, and the graph's output \"{name}\" has {width} scores for a row"
        )));
    }
    let (target, columns) = classes(labels, asked);
    let answer = OnnxAnswer {
        value: Some(label.place),
        scores: usable.map(|scores| scores.place),
        columns: if usable.is_some() || by_place { columns } else { Vec::new() },
        by_place,
        softmax: asked.softmax && usable.is_some(),
    };
    Ok(Found { target, answer, notes })
}

/// A graph that has numbers alone.
fn of_scores(scores: &Tried<'_>, asked: &ImportStep) -> Result<Found, ImportError> {
    let labels = named_classes(scores.labels.clone(), asked, None)?;
    let (name, width) = (scores.name, scores.width);
    let Some(labels) = labels else {
        if width == 1 {
            if asked.softmax {
                return Err(ImportError::Step(
                    "softmax makes probabilities of classes, and the graph answers a number: name its classes, or leave softmax out"
                        .to_owned(),
                ));
            }
            let answer = OnnxAnswer { value: Some(scores.place), ..OnnxAnswer::default() };
            return Ok(Found { target: number(asked), answer, notes: Vec::new() });
        }
        return Err(ImportError::Step(format!(
            "the graph's output \"{name}\" has {width} numbers for a row; name as many classes, or export a graph that answers one number"
        )));
    };
    let fits = labels.len() == width || (labels.len() == 2 && width == 1);
    if !fits {
        let count = labels.len();
        return Err(ImportError::Step(format!(
            "classes names {count} classes, and the graph's output \"{name}\" has {width} scores for a row"
        )));
    }
    if !asked.softmax && !scores.are_probabilities() {
        return Err(ImportError::Step(format!(
            "the scores of the graph's output \"{name}\" are not probabilities: they are not from 0 to 1, or do not add up to 1; set softmax: true, \
             so that they become such, or end the graph with it"
        )));
    }
    let (target, columns) = classes(labels, asked);
    let answer = OnnxAnswer {
        value: None,
        scores: Some(scores.place),
        columns,
        by_place: false,
        softmax: asked.softmax,
    };
    Ok(Found { target, answer, notes: Vec::new() })
}

fn number(asked: &ImportStep) -> Target {
    // A range of one value says nothing.
    Target::Number { name: asked.target.clone(), min: 0.0, max: 0.0 }
}

/// The target of classes, sorted, and which column each has.
fn classes(labels: Vec<Label>, asked: &ImportStep) -> (Target, Vec<usize>) {
    let mut placed: Vec<(Label, usize)> = labels.into_iter().zip(0..).collect();
    placed.sort();
    let (labels, columns) = placed.into_iter().unzip();
    (Target::Class { name: asked.target.clone(), labels }, columns)
}

/// The classes that the graph names, or else the step; none where neither does.
fn named_classes(
    of_graph: Option<Vec<Label>>,
    asked: &ImportStep,
    label: Option<&Tried<'_>>,
) -> Result<Option<Vec<Label>>, ImportError> {
    match of_graph {
        Some(labels) => {
            if let Some(twice) = named_twice(&labels) {
                return Err(ImportError::Step(format!(
                    "the graph names its class \"{twice}\" twice; export it with each class once"
                )));
            }
            named_alike(asked, &labels)?;
            Ok(Some(labels))
        }
        None if asked.classes.is_empty() => Ok(None),
        None => asked_classes(asked, label).map(Some),
    }
}

/// The first that is named before.
fn named_twice<T: Ord>(names: &[T]) -> Option<&T> {
    let mut before = BTreeSet::new();
    names.iter().find(|name| !before.insert(*name))
}

/// Checks the classes of a step whose graph names its own.
fn named_alike(asked: &ImportStep, labels: &[Label]) -> Result<(), ImportError> {
    if asked.classes.is_empty() || labels.iter().map(Label::to_string).eq(asked.classes.iter().cloned()) {
        return Ok(());
    }
    Err(ImportError::Step(format!(
        "classes is {}, and the graph names {} classes itself: {}; leave classes out",
        asked.classes.join(", "),
        labels.len(),
        listed(labels)
    )))
}

/// The classes of the step, in the type of the graph's labels, or in the one that all of them can have.
fn asked_classes(asked: &ImportStep, label: Option<&Tried<'_>>) -> Result<Vec<Label>, ImportError> {
    if let Some(twice) = named_twice(&asked.classes) {
        return Err(ImportError::Step(format!("classes names \"{twice}\" twice; name each class once")));
    }
    let all =
        |label: fn(&String) -> Option<Label>| asked.classes.iter().map(label).collect::<Option<Vec<Label>>>();
    let whole = || all(|class| class.parse().ok().map(Label::Integer));
    let truth = || all(|class| class.parse().ok().map(Label::Boolean));
    let text = || all(|class| Some(Label::Text(class.clone())));
    let any = || whole().or_else(truth).or_else(text);
    let found: Option<Vec<Label>> = match label.map(|label| (label.tensor.kind(), label.places)) {
        Some((Kind::Text, _)) => text(),
        Some((Kind::Bool, _)) => truth(),
        // Places can be those of classes of any name.
        Some((_, false)) => whole(),
        Some((_, true)) | None => any(),
    };
    found.ok_or_else(|| {
        let of = match label.map(|label| label.tensor.kind()) {
            Some(Kind::Bool) => "false and true: name these",
            _ => {
                "whole numbers that are not known to be places: name the numbers, as in classes: [0, 1], or end the graph with ArgMax or with a \
                 score for each class"
            }
        };
        ImportError::Step(format!("classes has a class that is none of the graph's, whose labels are {of}"))
    })
}
