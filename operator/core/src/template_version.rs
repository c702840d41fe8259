//! Which version of the pod template long-running pods are made by. A newer operator may make pods in another way; those that do their work
//! already keep the way that they began with, so that an upgrade replaces none. Must not say what the ways are: the builders do.

/// The version of the pod template of a long-running workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TemplateVersion {
    /// The first, which workloads do not record.
    #[default]
    First,
    /// Several replicas ask to be spread over nodes and zones, pods on a named claim of one node ask to be on that
    /// node, and pods that wait for that node are looked at again when others leave it.
    Placed,
    /// Replicas do not ask to be spread where anything binds them to one node, be it not the pipeline's volume.
    Bound,
    /// What pods keep for a while on their node has a limit.
    Limited,
}

impl TemplateVersion {
    /// What new pods are made by.
    pub const NEWEST: Self = Self::Limited;

    /// The value of the annotation [`crate::labels::annotation::TEMPLATE`]; the first version has none.
    #[must_use]
    pub fn recorded(self) -> Option<&'static str> {
        match self {
            Self::First => None,
            Self::Placed => Some("2"),
            Self::Bound => Some("3"),
            Self::Limited => Some("4"),
        }
    }

    /// Reads the annotation. A version that only a newer operator knows counts as the newest that this one knows.
    #[must_use]
    pub fn parse(recorded: Option<&str>) -> Self {
        match recorded {
            None => Self::First,
            Some("2") => Self::Placed,
            Some("3") => Self::Bound,
            Some(_) => Self::Limited,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_it_was_recorded() {
        for version in [
            TemplateVersion::First,
            TemplateVersion::Placed,
            TemplateVersion::Bound,
            TemplateVersion::Limited,
        ] {
            assert_eq!(TemplateVersion::parse(version.recorded()), version);
        }
        assert_eq!(TemplateVersion::parse(Some("900")), TemplateVersion::NEWEST);
    }
}
