//! Every scenario of deploy/samples/ on a real node: real containers, real storage, real autoscaling.
//!
//! Needs a cluster with the operator on it, named by `KUBECONFIG`: `make e2e` brings both up. Each test applies the very YAML
//! that people apply, waits on conditions as they do, checks what came of it, deletes it, and checks that nothing is left.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

mod bed;
mod crash_course;
mod data_prep;
mod etl;
mod faults;
mod ingress;
mod introduction;
mod jobs_and_daemonsets;
mod k8s_pipe;
mod killing;
mod kueue;
mod load;
mod mlops;
mod release;
mod tuning;
