//! What is said of a function that is not there: which one is meant, the same on every run.

use std::collections::BTreeSet;

use datafusion::prelude::SessionContext;

/// What to add to an error of planning, where it is about a function that is not there.
pub(super) fn hint(session: &SessionContext, said: &str) -> Option<String> {
    let (_, rest) = said.split_once("Invalid function '")?;
    let (name, _) = rest.split_once('\'')?;
    let state = session.state();
    if state.window_functions().contains_key(name) {
        return Some(format!(
            "{name} is a function of windows, and one with its window is not there: write {name}(…) OVER (ORDER BY x), in QUALIFY with the window \
             itself and not its name"
        ));
    }
    let names: BTreeSet<&str> = state
        .scalar_functions()
        .keys()
        .chain(state.aggregate_functions().keys())
        .chain(state.window_functions().keys())
        .map(String::as_str)
        .collect();
    // Of those that are as near, the first by name.
    let nearest = names.into_iter().map(|found| (strsim::osa_distance(name, found), found)).min();
    let meant = nearest.filter(|(distance, _)| *distance <= (name.chars().count() / 3).max(1));
    Some(match meant {
        Some((_, meant)) => format!("there is no function {name}; did you mean {meant}?"),
        None => format!("there is no function {name}"),
    })
}
