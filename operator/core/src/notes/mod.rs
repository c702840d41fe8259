//! What a valid pipeline asks for that may be stuck on many clusters, or that does nothing. Must not refuse anything: the cluster decides, and it is
//! not seen here.

mod amounts;
mod deadlines;
mod node_needs;
mod one_node;
mod placement;
mod ports;

use crate::pipeline::ValidatedPipeline;

/// A sentence for each thing that a person should know before the pipeline is applied.
#[must_use]
pub fn notes(pipeline: &ValidatedPipeline) -> Vec<String> {
    [
        placement::notes(pipeline),
        one_node::notes(pipeline),
        ports::notes(pipeline),
        amounts::notes(pipeline),
        deadlines::notes(pipeline),
    ]
    .concat()
}
