//! The parameters of the seasonal baseline.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::between;
use super::{ParameterProblem, Parameters, Predicts};
use crate::step_version::TUNING_VERSION;

/// Parameters of the seasonal naive forecast: a number is what it was one season before, which a better forecast must beat. Of the
/// features, one is a date or time, and each text of the others, taken together, is a series of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeasonalNaive {
    /// How far apart the times of a series are. When absent, the longest in which no two rows of a series fall together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<TimeInterval>,
    /// How many intervals make a season. When absent: 60 seconds, 60 minutes, 24 hours, 7 days, 52 weeks, 12 months, 4 quarters or 1
    /// year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub season_length: Option<i32>,
    /// Over how many of the last seasons the mean is taken; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub seasons: Option<i32>,
    /// How many intervals after the last of its series are predicted; a season when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub horizon: Option<i32>,
}

/// How far apart the times of a series are, by the calendar in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TimeInterval {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week, from Monday on.
    Week,
    /// A month.
    Month,
    /// A quarter of a year.
    Quarter,
    /// A year.
    Year,
}

impl TimeInterval {
    /// All intervals, the longest first.
    pub const LONGEST_FIRST: [Self; 8] = [
        Self::Year,
        Self::Quarter,
        Self::Month,
        Self::Week,
        Self::Day,
        Self::Hour,
        Self::Minute,
        Self::Second,
    ];

    /// The name in a spec.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// How many make a season, where a step does not say it.
    #[must_use]
    pub fn season_length(self) -> u32 {
        match self {
            Self::Second | Self::Minute => 60,
            Self::Hour => 24,
            Self::Day => 7,
            Self::Week => 52,
            Self::Month => 12,
            Self::Quarter => 4,
            Self::Year => 1,
        }
    }
}

impl SeasonalNaive {
    /// [`SeasonalNaive::seasons`] when absent.
    pub const DEFAULT_SEASONS: i32 = 1;
}

impl Parameters for SeasonalNaive {
    fn predicts(&self) -> Predicts {
        Predicts::Numbers
    }

    fn remove_defaults(&mut self) {
        self.seasons = self.seasons.filter(|seasons| *seasons != Self::DEFAULT_SEASONS);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let problems = [
            between("seasonLength", self.season_length, (1, 10_000)),
            between("seasons", self.seasons, (1, 1000)),
            between("horizon", self.horizon, (1, 100_000)),
        ];
        problems.into_iter().flatten().collect()
    }

    fn step_version(&self) -> u32 {
        TUNING_VERSION
    }
}
