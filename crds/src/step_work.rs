//! What every kind of step's work answers. Must not know any of the kinds.

use crate::{DataSource, Delivery, Digest, Format};

/// What a worker gets of a step, of one kind. There are no default answers, so the compiler asks a new kind for each. Beside them, the
/// type has a constant `SINCE`: the first version of the step spec that knows the kind.
pub(crate) trait StepWork {
    /// The lowest version that can say it, beside what any kind may say: see [`crate::StepSpec::lowest_version`].
    fn lowest_version(&self) -> u32;

    /// Where the result is delivered beside storage, and the format it has.
    fn delivery(&self) -> Option<(&Delivery, Format)>;

    /// What it reads rows from.
    fn sources(&self) -> Vec<&DataSource>;

    /// Every URI that it reads from or delivers to.
    fn uris_mut(&mut self) -> Vec<&mut String>;

    /// The content that the model it reads must have, where it reads one and says so.
    fn model_digest(&self) -> Option<&Digest>;

    /// Whether it writes to storage.
    fn writes(&self) -> bool;

    /// Whether it continues until the process is stopped, rather than to an end of its own.
    fn is_long_running(&self) -> bool;
}
