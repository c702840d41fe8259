//! Progress bars on a terminal; nothing at all elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Whether progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// As bars on stderr.
    Terminal,
    /// Nowhere.
    Silent,
}

impl Progress {
    /// A bar that counts bytes, up to a total where it is known. Dropped, it vanishes.
    #[must_use]
    pub fn bytes(self, what: &str, total: Option<u64>) -> ProgressGuard {
        let template = match total {
            Some(_) => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            None => "{msg} {spinner} {bytes} {bytes_per_sec}",
        };
        self.bar(what, total, template)
    }

    /// A counter of rows. Dropped, it vanishes.
    #[must_use]
    pub fn rows(self, what: &str) -> ProgressGuard {
        self.bar(what, None, "{msg} {spinner} {human_pos} rows {per_sec}")
    }

    /// A bar that counts trials of a search, fold by fold. Dropped, it vanishes.
    #[must_use]
    pub fn trials(self, total: u64) -> ProgressGuard {
        self.bar("trials", Some(total), "{msg} {wide_bar} {human_pos} of {human_len} fits {eta}")
    }

    fn bar(self, what: &str, total: Option<u64>, template: &str) -> ProgressGuard {
        let target = match self {
            Self::Terminal => ProgressDrawTarget::stderr(),
            Self::Silent => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(total, target);
        // The templates above are constants; one that did not parse would show as the default bar.
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.set_message(what.to_owned());
        if self == Self::Terminal {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        ProgressGuard(bar)
    }
}

/// A bar on the screen, taken away when dropped.
#[derive(Debug)]
pub struct ProgressGuard(ProgressBar);

impl ProgressGuard {
    /// There is so much more to count.
    pub fn expect(&self, amount: u64) {
        self.0.inc_length(amount);
    }

    /// Counts.
    pub fn add(&self, amount: u64) {
        self.0.inc(amount);
    }
}

impl Drop for ProgressGuard {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
