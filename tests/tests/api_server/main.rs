//! Tests against a real API server. They are one program, so that one control plane serves them all.

// A test fails by a panic, in its helping functions too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backup;
mod bed;
mod chart;
mod chart_releases;
mod collector;
mod converge;
mod crd_accepted;
mod crd_bounds;
mod crd_fields;
mod crd_rules;
mod crd_size;
#[cfg(feature = "neighbours")]
mod flux;
mod generated_specs;
mod gitops;
mod kept_reports;
mod kubectl;
mod kubelet;
mod lost_connections;
#[cfg(feature = "neighbours")]
mod neighbour;
mod nodes;
mod older_crd;
mod operator_bed;
mod operator_edits;
mod operator_failures;
mod operator_leaders;
mod operator_life;
mod operator_nodes;
mod operator_poison;
mod operator_quiet;
mod operator_status;
mod operator_unset;
mod pipelines;
mod reasons;
mod rights;
mod samples;
mod schema;
mod shipped_roles;
mod specs;
mod tampering;
mod tenant_policy;
mod traces;
mod upgrade;
mod witness;
