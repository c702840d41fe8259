//! Which parts of a clock a notation of strftime has, and what keeps them from saying a time of day.
//!
//! Must not know where notations stand, nor how a text is read by one.

/// The parts of a clock in a notation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockParts {
    /// The hour of 24.
    pub hour: bool,
    /// The hour of twelve.
    pub hour_of_twelve: bool,
    /// Before or after noon.
    pub half: bool,
    /// The minute.
    pub minute: bool,
    /// The second.
    pub second: bool,
    /// The fraction of a second.
    pub fraction: bool,
}

impl ClockParts {
    /// Whether there is a part.
    #[must_use]
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// What keeps the parts from saying a time of day, whatever the text.
    #[must_use]
    pub fn problem(self) -> Option<&'static str> {
        let has_hour = self.hour || self.hour_of_twelve;
        if !self.any() {
            None
        } else if self.hour_of_twelve && !self.hour && !self.half {
            Some("has an hour of twelve, %I, without %p for am or pm; the hour of 24 is %H")
        } else if !has_hour {
            Some("has a part of the time of day and no hour, which is %H")
        } else if (self.second || self.fraction) && !self.minute {
            Some("has seconds and no minute, which is %M")
        } else if self.fraction && !self.second {
            Some("has a fraction of a second and no second, which is %S")
        } else {
            None
        }
    }
}
