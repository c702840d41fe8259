//! Which namespace a pipeline gets that names none, and whether it may name another.

/// The namespace that the caller asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Namespace<'a> {
    /// None: a pipeline that names none is in `default`.
    #[default]
    Unset,
    /// That of a kubeconfig's context: a pipeline may name another.
    Context(&'a str),
    /// That of the command line: a pipeline that names another is an error.
    Required(&'a str),
}

impl<'a> Namespace<'a> {
    /// The namespace of a pipeline that names none.
    #[must_use]
    pub fn of_unnamed(self) -> Option<&'a str> {
        match self {
            Self::Unset => None,
            Self::Context(name) | Self::Required(name) => Some(name),
        }
    }

    /// The namespace that a pipeline must be in, if it must be in one.
    #[must_use]
    pub fn required(self) -> Option<&'a str> {
        match self {
            Self::Unset | Self::Context(_) => None,
            Self::Required(name) => Some(name),
        }
    }
}

impl<'a> From<Option<&'a str>> for Namespace<'a> {
    fn from(required: Option<&'a str>) -> Self {
        required.map_or(Self::Unset, Self::Required)
    }
}
