//! Tests against a real API server. They are one program, so that one control plane serves them all.

mod bed;
mod crd_accepted;
mod crd_bounds;
mod crd_rules;
mod operator_bed;
mod operator_life;
mod pipelines;
mod schema;
