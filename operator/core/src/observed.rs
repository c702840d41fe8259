//! What exists of a pipeline, in a cluster or on a laptop, as plain data.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mlpipeline_crds::{Digest, Revision, StepReport};

use super::execution_settings::ExecutionSettings;
use super::fingerprint::Fingerprint;
use super::piece::Piece;
use super::template_version::TemplateVersion;
use super::tracks::Track;

/// Everything of a pipeline's that was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// By step name; steps that the spec no longer has may still be here.
    pub steps: BTreeMap<String, ObservedStep>,
    /// A volume of the pipeline's that is smaller than what its claim asks for, when that lasts beyond a time.
    pub volume_not_grown: Option<Overdue>,
    /// The image of worker pods where a pipeline names none, as it is now; `None` on a laptop.
    pub default_image: Option<String>,
}

/// What was found of one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObservedStep {
    /// Runs to completion: Jobs in a cluster, processes on a laptop. In no particular order.
    pub runs: Vec<ObservedRun>,
    /// The long-running workload of the stable track, where there is one.
    pub long_running: Option<ObservedLongRunning>,
    /// Its workloads of other tracks: a candidate, a shadow.
    pub other_tracks: BTreeMap<Track, ObservedLongRunning>,
    /// The fingerprint of the runs of the step's schedule, where a schedule was set up (a CronJob) and says so.
    pub schedule: Option<Fingerprint>,
    /// What keeps pods from working, worst first: an image that cannot be pulled, a pod that fits no node.
    pub pod_issues: Vec<PodIssue>,
    /// What keeps pods from working, or from ending, when it lasts beyond a time, worst first.
    pub overdue: Vec<Overdue>,
    /// Why its autoscaler does not set the number of pods, when that lasts beyond a time.
    pub not_autoscaled: Option<Overdue>,
    /// The address outside the cluster that its Service was given, as it stands in a URL.
    pub external_address: Option<String>,
    /// Why its Service was given none though it asks for one, when that lasts beyond a time.
    pub no_external_address: Option<Overdue>,
}

impl ObservedStep {
    /// Its workload of one track.
    #[must_use]
    pub fn workload(&self, track: Track) -> Option<&ObservedLongRunning> {
        match track {
            Track::Stable => self.long_running.as_ref(),
            Track::Candidate | Track::Shadow => self.other_tracks.get(&track),
        }
    }

    /// Its workloads of all tracks, the stable one first.
    pub fn workloads(&self) -> impl Iterator<Item = &ObservedLongRunning> {
        self.long_running.iter().chain(self.other_tracks.values())
    }
}

/// One run to completion.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedRun {
    /// The Job's name.
    pub name: String,
    /// The key that the run was started for; see [`super::plan`].
    pub key: Revision,
    /// 1 for the first run of a key, 2 for the run that fetches a lost report, and so on.
    pub attempt: u32,
    /// Which piece of the run it is.
    pub piece: Piece,
    /// Whether a schedule started it.
    pub scheduled: bool,
    /// The step's fingerprint when the run was started.
    pub fingerprint: Option<Fingerprint>,
    /// What it was executed with, where that was recorded.
    pub settings: Option<ExecutionSettings>,
    /// The operator's default worker image when the run was started, where it uses that and says so.
    pub default_image: Option<String>,
    /// How the run stands.
    pub phase: RunPhase,
    /// Whether none of its pods is at work and none has succeeded, though the run is active: nothing is lost when another takes its place.
    pub is_idle: bool,
    /// When its Job was created.
    pub created: Option<Timestamp>,
    /// When it started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// How many pods it tried so far.
    pub pods: u32,
    /// What the worker reported.
    pub report: Option<StepReport>,
    /// The text of a report of success that only the run's pod holds yet, and that would go with the pod.
    pub pending_report: Option<String>,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunPhase {
    /// At work, or about to be.
    Active,
    /// Ended well.
    Succeeded,
    /// Ended badly, and no further attempt will be made.
    Failed {
        /// The kind of failure in CamelCase.
        reason: String,
        /// What happened, for people.
        message: String,
    },
}

/// A long-running workload: a Deployment, StatefulSet or DaemonSet, or processes on a laptop.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObservedLongRunning {
    /// The key that its pods are made of.
    pub key: Option<Revision>,
    /// The step's fingerprint when its pods were made or last changed.
    pub fingerprint: Option<Fingerprint>,
    /// The model that its pods serve or are about to serve.
    pub model: Option<Revision>,
    /// The worker image that its pods began with; `None` where that is not certain.
    pub image: Option<String>,
    /// The version of the pod template that its pods are made by.
    pub template: TemplateVersion,
    /// The digest by which its pods know the model that they serve.
    pub model_digest: Option<Digest>,
    /// Where its pods answer probes.
    pub probe_port: ProbePort,
    /// Pods wanted.
    pub desired: i32,
    /// Pods of the newest template that are ready.
    pub updated_ready: i32,
    /// Pods that are ready, of any template.
    pub ready: i32,
    /// Pods that are ready while none of an older template are left, else 0. Unlike `settled`, this does not change when more pods are
    /// asked for.
    pub settled_ready: i32,
    /// Whether its controller has seen the newest template, and no pods of older ones are left.
    pub settled: bool,
}

/// Where pods that serve answer probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProbePort {
    /// Where they answer callers, as those of earlier versions do.
    #[default]
    Shared,
    /// On a port of their own, which no caller can fill with connections.
    Own,
}

/// Something that is normal for a moment, and keeps pods from working or from ending when it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// From when on it is an issue.
    pub from: Timestamp,
    /// The issue.
    pub pod_issue: PodIssue,
}

/// The reason of a container that used more memory than it may, as steps report it.
pub const OUT_OF_MEMORY: &str = "OutOfMemory";

/// Something that keeps pods from working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodIssue {
    /// The kind in CamelCase: "ImagePullBackOff".
    pub reason: String,
    /// What is wrong, for people.
    pub message: String,
}

impl PodIssue {
    /// Whether a container cannot be started, or ends again and again.
    #[must_use]
    pub fn is_of_start(&self) -> bool {
        let reasons = ["CrashLoopBackOff", OUT_OF_MEMORY, "RunContainerError", "CreateContainerError"];
        reasons.contains(&self.reason.as_str())
    }

    /// Whether the image of a container cannot be had.
    #[must_use]
    pub fn is_of_image(&self) -> bool {
        matches!(self.reason.as_str(), "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull")
    }
}
