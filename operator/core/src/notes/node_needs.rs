//! What is certain of the nodes that a step's pods run on, by its nodeSelector and nodeAffinity together. Must not guess: where it is not certain
//! that a node fits, it does not fit.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};

use crate::pipeline::ValidStep;

/// The label of a node's operating system. The images of pipelines are for Linux, so that every node of theirs has it.
pub(super) const OS: &str = "kubernetes.io/os";

/// What the nodes of a step have.
pub(super) struct NodeNeeds<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    /// What else they have: all of one of these.
    terms: Vec<&'a NodeSelectorTerm>,
}

impl<'a> NodeNeeds<'a> {
    /// The needs of a step.
    pub(super) fn of(step: &'a ValidStep) -> Self {
        let selector = step.pod.node_selector.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let labels = std::iter::once((OS, "linux")).chain(selector).collect();
        let terms = required_nodes(step).into_iter().flat_map(|nodes| &nodes.node_selector_terms);
        // An empty term chooses no node.
        let terms = terms.filter(|term| !is_empty(term)).collect();
        Self { labels, terms }
    }

    /// Whether each of these nodes has a label.
    pub(super) fn fit_label(&self, key: &str, value: &str) -> bool {
        let wanted = NodeSelectorRequirement {
            key: key.to_owned(),
            operator: "In".to_owned(),
            values: Some(vec![value.to_owned()]),
        };
        self.in_every_term(|term| self.has(term, &wanted))
    }

    /// Whether each of these nodes is among those that are asked for.
    pub(super) fn fit(&self, wanted: &NodeSelector) -> bool {
        self.in_every_term(|term| {
            wanted.node_selector_terms.iter().filter(|wanted| !is_empty(wanted)).any(|wanted| {
                let own_fields = term.and_then(|term| term.match_fields.as_ref());
                let mut expressions = wanted.match_expressions.iter().flatten();
                let mut fields = wanted.match_fields.iter().flatten();
                expressions.all(|wanted| self.has(term, wanted))
                    && fields.all(|wanted| own_fields.is_some_and(|fields| fields.contains(wanted)))
            })
        })
    }

    fn in_every_term(&self, holds: impl Fn(Option<&NodeSelectorTerm>) -> bool) -> bool {
        if self.terms.is_empty() { holds(None) } else { self.terms.iter().all(|term| holds(Some(term))) }
    }

    /// Whether a node of a term meets a requirement, by the labels or one of the term's own requirements.
    fn has(&self, term: Option<&NodeSelectorTerm>, wanted: &NodeSelectorRequirement) -> bool {
        let by_label = self.labels.get(wanted.key.as_str()).is_some_and(|value| met_by(wanted, &[*value]));
        let own = term.into_iter().flat_map(|term| term.match_expressions.iter().flatten());
        by_label || own.filter(|own| own.key == wanted.key).any(|own| implies(own, wanted))
    }
}

/// The nodes that a step's affinity asks for.
pub(super) fn required_nodes(step: &ValidStep) -> Option<&NodeSelector> {
    let nodes = step.pod.affinity.as_ref()?.node_affinity.as_ref()?;
    nodes.required_during_scheduling_ignored_during_execution.as_ref()
}

fn is_empty(term: &NodeSelectorTerm) -> bool {
    let expressions = term.match_expressions.iter().flatten().count();
    expressions + term.match_fields.iter().flatten().count() == 0
}

fn values(of: &NodeSelectorRequirement) -> Vec<&str> {
    of.values.iter().flatten().map(String::as_str).collect()
}

/// Whether a requirement is met whichever of these values the label has.
fn met_by(wanted: &NodeSelectorRequirement, possible: &[&str]) -> bool {
    let listed = values(wanted);
    let number = |text: &str| text.parse::<i64>().ok();
    let bound = listed.first().and_then(|bound| number(bound));
    possible.iter().all(|value| match wanted.operator.as_str() {
        "In" => listed.contains(value),
        "NotIn" => !listed.contains(value),
        "Exists" => true,
        "Gt" => number(value).zip(bound).is_some_and(|(value, bound)| value > bound),
        "Lt" => number(value).zip(bound).is_some_and(|(value, bound)| value < bound),
        _ => false,
    })
}

/// Whether what meets one requirement is certain to meet another of the same label.
fn implies(own: &NodeSelectorRequirement, wanted: &NodeSelectorRequirement) -> bool {
    let (own_values, wanted_values) = (values(own), values(wanted));
    match (own.operator.as_str(), wanted.operator.as_str()) {
        ("In", _) if !own_values.is_empty() => met_by(wanted, &own_values),
        ("Exists" | "Gt" | "Lt", "Exists") | ("DoesNotExist", "DoesNotExist" | "NotIn") => true,
        ("NotIn", "NotIn") => wanted_values.iter().all(|value| own_values.contains(value)),
        _ => own == wanted,
    }
}
