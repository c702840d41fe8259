//! The labels and annotations of children, and the field manager that writes them: everything by which the operator knows its own
//! objects again. Must not build objects.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Labels of children.
pub mod label {
    /// The pipeline's name, as far as a label can hold it.
    pub const PIPELINE: &str = "mlpipeline.dev/pipeline";
    /// The step's name.
    pub const STEP: &str = "mlpipeline.dev/step";
    /// The key of the run, or of the pods.
    pub const REVISION: &str = "mlpipeline.dev/revision";
    /// Which run of its key a Job is.
    pub const ATTEMPT: &str = "mlpipeline.dev/attempt";
    /// Which piece of its run a Job is; the one that commits the result has none.
    pub const PIECE: &str = "mlpipeline.dev/piece";
    /// Whether a schedule started a Job.
    pub const SCHEDULED: &str = "mlpipeline.dev/scheduled";
    /// The track of a workload and its pods; the stable ones have none.
    pub const TRACK: &str = "mlpipeline.dev/track";
    /// The step of pods of another track than the stable one. They have no label `STEP`: stable pods are selected by it, and a selector can
    /// never change.
    pub const TRACK_OF: &str = "mlpipeline.dev/track-of";
    /// The number of an Indexed Job's pod, as the Job controller writes it.
    pub const COMPLETION_INDEX: &str = "batch.kubernetes.io/job-completion-index";
    /// The Kubernetes-wide label that says which program manages the object.
    pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
}

/// Annotations of children.
pub mod annotation {
    /// How many bytes the keys and values of an object's annotations have together at most: the API server takes no more.
    pub const MOST_BYTES: usize = 256 * 1024;
    /// What the names of the operator's own begin with.
    pub const PREFIX: &str = "mlpipeline.dev/";
    /// In the cache alone, and no name that an object could have: how many bytes the annotations have that are not kept there.
    pub const DROPPED: &str = "";
    /// The fingerprint of the step when the run was started, as JSON.
    pub const FINGERPRINT: &str = "mlpipeline.dev/fingerprint";
    /// The name under which version 0.1.0 wrote the fingerprint. It is read and never written.
    pub const FINGERPRINT_BEFORE: &str = "mlpipeline.dev/meaning";
    /// What a run was executed with, as JSON: a hash of each setting by its field. Version 0.1.0 did not write it.
    pub const SETTINGS: &str = "mlpipeline.dev/settings";
    /// What the worker of a run that ended well reported, as its pod said it: pods go long before their Jobs do.
    pub const REPORT: &str = "mlpipeline.dev/report";
    /// The revision of the model that pods serve.
    pub const MODEL: &str = "mlpipeline.dev/model";
    /// The digest by which pods know the model that they serve.
    pub const MODEL_DIGEST: &str = "mlpipeline.dev/model-digest";
    /// The worker image that a step's long-running pods began with, and keep while they do the same work; on a Job, the operator's default
    /// image when it was started.
    pub const WORKER_IMAGE: &str = "mlpipeline.dev/worker-image";
    /// The version of the pod template that a step's long-running pods are made by; the first is not recorded.
    pub const TEMPLATE: &str = "mlpipeline.dev/template";
    /// The hash of what was applied to a child: it shows that a field was removed from the spec since.
    pub const APPLIED: &str = "mlpipeline.dev/applied";
}

/// The value of `app.kubernetes.io/managed-by`, and the field manager of everything applied.
pub const MANAGER: &str = "mlpipeline-operator";

/// The value of a label.
#[must_use]
pub fn label_of<'a>(metadata: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    metadata.labels.as_ref()?.get(name).map(String::as_str)
}
