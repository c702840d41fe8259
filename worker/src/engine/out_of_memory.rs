//! What is said of a query that needs more memory than it may use: which part of it, and what to do.

/// Parts of a query by what the engine calls the memory that they hold, what they do with it, and a way to need less.
const PARTS: [(&[&str], &str, &str); 6] = [
    (
        &["HashJoinInput", "SMJStream"],
        "a join holds the side with fewer rows, and that side does not fit",
        "select only the rows and columns that are needed of that table before the join",
    ),
    (
        &["NestedLoopJoin", "CrossJoin", "PiecewiseMergeJoin"],
        "a join that is not on equal columns holds the side with fewer rows, and that side does not fit",
        "join on equal columns, or select only the rows that are needed before",
    ),
    (
        &["Aggregate", "Distinct", "GroupedHash"],
        "grouping holds a row for each group, and the groups do not fit",
        "group by columns with fewer values, or in two steps",
    ),
    (&["Sort", "TopK", "Merge"], "sorting does not fit", "sort fewer rows, or leave out ORDER BY"),
    (
        &["FunctionValues"],
        "a function makes values that do not fit, such as a list of all numbers or copies of a text",
        "let range, generate_series, repeat, lpad or rpad make shorter ones; FROM generate_series(1, 1000000) gives rows instead of a list",
    ),
    (&["RecursiveQuery"], "a recursive query does not fit", "end the recursion earlier"),
];

/// The message for a refused allocation, whose error of the engine is `text`.
pub(super) fn message(text: &str) -> String {
    let consumer = between(text, "failed for ", " with top")
        .or_else(|| between(text, " for ", " with"))
        .unwrap_or_default();
    let limit = between(text, "pool_size: ", ")").map_or_else(String::new, |size| format!(" ({size})"));
    let part = PARTS.iter().find(|(names, ..)| names.iter().any(|name| consumer.contains(name)));
    let (what, way) = part.map_or(("", ""), |(_, what, way)| (*what, *way));
    let what = if what.is_empty() { String::new() } else { format!(": {what}") };
    let way = if way.is_empty() { "make the query smaller" } else { way };
    format!(
        "the query needs more memory than it may use{limit}{what}; give the step more memory (resources), or {way}"
    )
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_did_not_fit_is_named_with_its_limit() {
        let text = "Additional allocation failed for HashJoinInput with top memory consumers (across reservations) as:\n  \
                    HashJoinInput#1(can spill: false) consumed 60.0 MB.\nError: Failed to allocate additional 8.0 MB for \
                    HashJoinInput with 60.0 MB already allocated for this reservation - 4.0 MB remain available for the total \
                    memory pool: fair(pool_size: 64.0 MB)";
        let said = message(text);
        assert!(said.contains("may use (64.0 MB): a join holds the side with fewer rows"), "{said}");
        for engine in ["HashJoin", "pool", "reservation", "Failed to allocate"] {
            assert!(!said.contains(engine), "{said}");
        }
    }

    #[test]
    fn what_the_engine_calls_in_another_way_is_still_for_people() {
        let said =
            message("Failed to allocate additional 8.0 MB for Unheard[3] with 0.0 B already allocated");
        assert_eq!(
            said,
            "the query needs more memory than it may use; give the step more memory (resources), or make the query smaller"
        );
        assert_eq!(message(""), said);
    }
}
