//! What there is to read of one step.

use mlpipeline_crds::Revision;

use crate::reason::Reason;

/// What there is to read of one step.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Supply {
    /// This revision.
    Ready(Revision),
    /// Nothing yet; of this revision, where it is known beforehand.
    Coming {
        /// The revision that will be there.
        revision: Option<Revision>,
        /// What is waited for.
        reason: Reason,
    },
    /// Nothing, until somebody fixes something.
    Missing(Reason),
}
