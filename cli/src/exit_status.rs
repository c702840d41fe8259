//! What a command ends with.

/// The exit status of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// The command did what it was asked for.
    Success = 0,
    /// The files are wrong, or something failed.
    Failure = 1,
    /// The arguments are wrong.
    WrongUsage = 2,
    /// Something would run, and the caller asked for an exit status that shows it.
    WouldRun = 3,
}
