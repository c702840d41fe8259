//! What is said of a function that is not there: which one is meant, the same on every run.

use std::collections::BTreeSet;

use datafusion::prelude::SessionContext;

/// What other engines call what is written otherwise here.
const ELSEWHERE: [(&str, &str); 9] = [
    ("len", "length(s) of a text, array_length(l) of a list"),
    ("ifnull", "coalesce(a, b)"),
    ("strftime", "to_char(t, '%Y-%m-%d')"),
    ("datediff", "b - a: days of dates, and date_part('epoch', b - a) are seconds of times"),
    ("date_diff", "b - a: days of dates, and date_part('epoch', b - a) are seconds of times"),
    ("dateadd", "t + INTERVAL '1 day'"),
    ("date_add", "t + INTERVAL '1 day'"),
    ("group_concat", "string_agg(s, ',')"),
    ("listagg", "string_agg(s, ',')"),
];

/// The message, where an error of planning is about a function that is not there.
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
    if let Some((_, way)) = ELSEWHERE.iter().find(|(elsewhere, _)| *elsewhere == name) {
        return Some(format!("there is no function {name}; write {way}"));
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
