//! Tracks: the sets of pods that a long-running step may have side by side. Today each has the stable one only.

/// Which of a step's sets of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// The pods that answer.
    Stable,
    /// Pods that get a part of the requests, to be compared with the stable ones.
    Candidate,
    /// Pods that get copies of requests, and whose answers nobody sees.
    Shadow,
}

impl Track {
    /// Every track there is.
    pub const ALL: [Self; 3] = [Self::Stable, Self::Candidate, Self::Shadow];

    /// The name in labels and in objects' names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Candidate => "candidate",
            Self::Shadow => "shadow",
        }
    }

    /// The track of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|track| track.name() == name)
    }
}

/// Something of each track. There is no candidate or shadow without a stable one.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracks<T> {
    /// Of the pods that answer.
    pub stable: T,
    /// Of the candidate, where there is one.
    pub candidate: Option<Box<T>>,
    /// Of the shadow, where there is one.
    pub shadow: Option<Box<T>>,
}

impl<T> Tracks<T> {
    /// A stable one alone.
    #[must_use]
    pub fn stable(stable: T) -> Self {
        Self { stable, candidate: None, shadow: None }
    }

    /// All there are, the stable one first.
    pub fn iter(&self) -> impl Iterator<Item = (Track, &T)> {
        let others = [(Track::Candidate, self.candidate.as_deref()), (Track::Shadow, self.shadow.as_deref())];
        let others = others.into_iter().filter_map(|(track, found)| Some((track, found?)));
        std::iter::once((Track::Stable, &self.stable)).chain(others)
    }
}
