//! Functions of the engine that would take any amount of memory, or answer wrongly without a word, each behind a guard; and functions that the
//! engine is built without.
//!
//! Owns which these are and what each guard asks. Must not change what a function answers where the guard is content.

mod digests;
mod guard;
mod guarded;
mod made_bytes;
mod notations;
mod pattern;
mod signed_rank;
mod texts_beside;

use std::sync::Arc;

use datafusion::execution::FunctionRegistry;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::logical_expr::WindowUDF;
use datafusion::prelude::SessionContext;

use digests::{Algorithm, HexDigest};
use guard::Guard;
use guarded::Guarded;
use pattern::Pattern;
use signed_rank::{RANKS, SignedRank};

/// Each guarded function, by its first name in the engine.
const GUARDED: [(&str, Guard); 34] = [
    ("range", Guard::MadeFrom(made_bytes::Maker::Steps)),
    ("generate_series", Guard::MadeFrom(made_bytes::Maker::Steps)),
    ("array_repeat", Guard::MadeFrom(made_bytes::Maker::Copies)),
    ("array_resize", Guard::MadeFrom(made_bytes::Maker::Length)),
    ("repeat", Guard::MadeFrom(made_bytes::Maker::Copies)),
    ("lpad", Guard::MadeFrom(made_bytes::Maker::Length)),
    ("rpad", Guard::MadeFrom(made_bytes::Maker::Length)),
    ("round", Guard::StaysFinite),
    ("trunc", Guard::StaysFinite),
    ("date_bin", Guard::StaysPresent),
    ("to_timestamp", Guard::InReach),
    ("to_timestamp_seconds", Guard::Notations),
    ("to_timestamp_millis", Guard::Notations),
    ("to_timestamp_micros", Guard::Notations),
    ("to_timestamp_nanos", Guard::Notations),
    ("to_unixtime", Guard::Notations),
    ("to_date", Guard::Notations),
    ("to_time", Guard::Notations),
    ("coalesce", Guard::TextsAsOthers),
    ("greatest", Guard::TextsAsOthers),
    ("least", Guard::TextsAsOthers),
    ("nullif", Guard::TextsAsOthers),
    ("array_has", Guard::TextsAsOthers),
    ("array_position", Guard::TextsAsOthers),
    ("array_positions", Guard::TextsAsOthers),
    ("abs", Guard::OrderUnknown),
    ("sqrt", Guard::OrderUnknown),
    ("ln", Guard::OrderUnknown),
    ("log2", Guard::OrderUnknown),
    ("log10", Guard::OrderUnknown),
    ("asin", Guard::OrderUnknown),
    ("acos", Guard::OrderUnknown),
    ("acosh", Guard::OrderUnknown),
    ("atanh", Guard::OrderUnknown),
];

/// Puts the guarded functions in the place of the engine's, and adds ours.
pub(super) fn register(session: &SessionContext, pool: &Arc<dyn MemoryPool>) {
    for (name, guard) in GUARDED {
        // A function that the engine no longer has is refused by its planner; the test below fails on it.
        if let Ok(function) = session.udf(name) {
            session.register_udf(Guarded::new(function, guard, Arc::clone(pool)).into());
        }
    }
    for name in RANKS {
        if let Ok(function) = session.udwf(name) {
            session.register_udwf(WindowUDF::new_from_impl(SignedRank::new(function)));
        }
    }
    for algorithm in Algorithm::ALL {
        session.register_udf(HexDigest::new(algorithm).into());
    }
}

/// Whether texts that are read by this pattern say their time zone.
pub(super) fn has_zone(pattern: &str) -> bool {
    Pattern::new(pattern).is_ok_and(|pattern| pattern.has_zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_has_every_function_that_is_guarded() {
        let session = SessionContext::new();
        for (name, _) in GUARDED {
            assert!(session.udf(name).is_ok(), "{name}");
        }
        for name in RANKS {
            assert!(session.udwf(name).is_ok(), "{name}");
        }
    }
}
