//! What the engine says of a query, in words for the person who wrote it: which part of SQL it is, and a way that works.
//!
//! Must not hold structures of the engine's own as its developers print them, nor be longer than a few lines.

use mlpipeline_crds::beginning;

use super::failed_value;
use super::sql_types::in_sql;

/// The longest text of the engine that is passed on, in characters.
const LONGEST: usize = 400;

/// What the engine says of parts of SQL that it does not have, and what is said in its place.
const REPLACED: [(&str, &str); 27] = [
    (
        "in BETWEEN expression",
        "BETWEEN has values of types that are not compared; make them of one type with CAST(x AS …)",
    ),
    (
        "Unary operator '-' only supports",
        "- before a value takes a number; a text becomes one with CAST(x AS DOUBLE), a boolean with CAST(x AS INT)",
    ),
    (
        "Unary operator 'NOT' requires a boolean",
        "NOT takes a condition; make one of the value: NOT (x = 'yes'), or CAST(x AS BOOLEAN) of true and false",
    ),
    ("logical expression ScalarSubquery", VALUE_OF_SELECT),
    ("Correlated scalar subquery", VALUE_OF_SELECT),
    (
        "logical expression OuterReferenceColumn",
        "a query in FROM that refers to the tables beside it, as LATERAL does, can be one aggregate of rows that are equal to those outside: LEFT \
         JOIN LATERAL (SELECT max(b.v) AS v FROM b WHERE b.k = a.k) AS m ON true; otherwise join, and keep the first rows with QUALIFY \
         row_number() OVER (PARTITION BY a.id ORDER BY b.v) = 1; rows of a list are SELECT id, unnest(tags) AS tag FROM t",
    ),
    (
        "No field named ",
        "a condition that refers to the row outside names a column which the query within that it stands in does not give; write it behind that query, \
         with the column: (SELECT max(q.v) FROM (SELECT k, v FROM b) AS q WHERE q.k = a.k); an aggregate without GROUP BY is taken alone: (SELECT count(*) \
         FROM b WHERE b.k = a.k)",
    ),
    (
        "which would be ambiguous",
        "a value of the query is called like a column that it uses beside it; give the value another name with AS",
    ),
    ("logical expression Exists", SUBQUERY),
    ("logical expression InSubquery", SUBQUERY),
    ("subquery can only be used in", SUBQUERY),
    ("__correlated_sq", SUBQUERY),
    (
        "Conflicting ordering requirements",
        "aggregates with several ORDER BY stand in a query each: SELECT a.s, b.s AS by_v FROM (SELECT string_agg(s, '' ORDER BY s) AS s FROM t) AS a \
         CROSS JOIN (SELECT string_agg(s, '' ORDER BY v) AS s FROM t) AS b; with groups, join them by what they are grouped by",
    ),
    ("does not satisfy order requirements", SORTED_ROWS),
    ("Expects PARTITION BY expression to be ordered", SORTED_ROWS),
    (
        "null_aware anti join",
        "NOT IN with a SELECT that differs from row to row cannot be worked out; write NOT EXISTS (SELECT 1 FROM b WHERE b.g = a.g AND b.k = a.k)",
    ),
    (
        "INTERVAL expression cannot be",
        "the length of an INTERVAL in the frame of a window is a text in quotes: INTERVAL '7' DAY",
    ),
    (
        "must be an INTEGER or NULL, got Column",
        "the arguments of a table function in FROM are constants; for a list of each row write SELECT id, unnest(range(1, n + 1)) AS i FROM t",
    ),
    (
        "Support for 'approx_distinct'",
        "approx_distinct does not take values of this type; count(DISTINCT x) counts them, without an error",
    ),
    (
        "COUNT DISTINCT with multiple arguments",
        "count(DISTINCT …) takes one value; several are the rows of a query within: SELECT count(*) FROM (SELECT DISTINCT a, b FROM t) AS q",
    ),
    (
        "in InSubquery",
        "IN compares a value with those of a SELECT that have another type; make them of one type: CAST(x AS VARCHAR) IN (SELECT …)",
    ),
    (
        "in SetComparison",
        "ANY and ALL compare a value with those of a SELECT that have another type; make them of one type: CAST(x AS VARCHAR) = ANY (SELECT …)",
    ),
    (
        "There isn't a common type to coerce",
        "LIKE and ~ take texts; CAST(x AS VARCHAR) makes one of another value",
    ),
    (
        "Failed to coerce case",
        "CASE x WHEN y has values of types that are not compared; make them of one type with CAST(x AS …)",
    ),
    (
        "Failed to coerce then",
        "the values behind THEN and ELSE of a CASE become one column, and their types differ; make them of one type: CAST(x AS VARCHAR) for texts",
    ),
    ("Substring without for/from", "substr takes a text, a position from 1 and a length: substr(s, 1, 2)"),
    (
        "Aggregate functions are not allowed in the WHERE clause",
        "aggregates stand in HAVING, not in WHERE; for a SELECT that refers to one, name it in a query within: SELECT * FROM (SELECT k, sum(v) AS s \
         FROM a GROUP BY k) AS g WHERE EXISTS (SELECT 1 FROM b WHERE b.v = g.s)",
    ),
];

const VALUE_OF_SELECT: &str = "a SELECT in the place of a value that refers to the row outside is worked out where it is one aggregate of rows that are equal to it: \
     (SELECT max(b.v) FROM b WHERE b.k = a.k); otherwise join and group: SELECT a.id, max(b.v) FROM a LEFT \
     JOIN b ON b.id < a.id GROUP BY a.id; the latest row is kept by QUALIFY row_number() OVER (PARTITION BY b.k ORDER BY b.v DESC) = 1; in FILTER, \
     take it from a query within";

const SORTED_ROWS: &str = "the query engine cannot sort the rows for a window or an aggregate with ORDER BY here; give what they are sorted and divided by a name in a \
     query within: SELECT sum(v) OVER (PARTITION BY g ORDER BY o) FROM (SELECT v, g, sqrt(a) AS o FROM t)";

const SUBQUERY: &str = "IN or EXISTS with a SELECT cannot be worked out here; write (SELECT count(*) FROM b WHERE b.k = a.k) > 0 AS found in a query \
     within, or LEFT JOIN (SELECT DISTINCT k FROM b) AS b ON b.k = a.k, and b.k IS NOT NULL; an ORDER BY within it changes nothing, and can be the reason";

/// The message for a query that cannot be planned, of the engine's [`plain`] words.
pub(super) fn of_query(text: &str) -> String {
    // What a query calls a table is its last name.
    let text = text.replace("'datafusion.public.", "'");
    let text = text.as_str();
    let text = match text.strip_prefix("Invalid function '").and_then(|rest| rest.split_once('\'')) {
        Some((name, _)) => format!("there is no function {name}"),
        None => with_advice(short(&in_sql(&without_structures(text, usize::MAX)))),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The message for data that a query cannot compute with, of the engine's [`plain`] words. Values in it stay as they are.
pub(super) fn of_data(text: &str) -> String {
    if let Some(message) = failed_value::message(text) {
        return message;
    }
    // Values are in quotes, and may look like anything.
    let before_values = text.find(['\'', '"']).unwrap_or(usize::MAX);
    with_advice(in_sql(&without_structures(text, before_values)))
}

/// The message for what the engine takes for a fault of its own, of its [`plain`] words.
pub(super) fn internal(text: &str) -> String {
    let text = short(&in_sql(&without_structures(text, usize::MAX)));
    format!(
        "the query engine cannot do this: {text}; write the query in another way, for example in two steps"
    )
}

/// The message for what the engine does not have, or a function whose arguments do not fit: of all that it says.
pub(super) fn known(said: &str) -> Option<String> {
    if let Some(message) = wrong_arguments(said) {
        return Some(message);
    }
    let is_temporal = said.contains("Cannot get result type for temporal operation");
    if is_temporal && said.contains("Interval") && [" * ", " / "].iter().any(|sign| said.contains(sign)) {
        let message =
            "an INTERVAL is not multiplied or divided; CAST(x || ' hours' AS INTERVAL) makes one of a number";
        return Some(message.to_owned());
    }
    let (_, message) = REPLACED.iter().find(|(part, _)| said.contains(part))?;
    Some((*message).to_owned())
}

/// The engine's words without what it says to its own developers.
pub(super) fn plain(text: &str) -> String {
    const ASIDES: [&str; 2] = ["This issue was likely caused by a bug", "Please help us to resolve this"];
    let mut plain = text.replace("Internal error: ", "");
    for aside in ASIDES {
        plain.truncate(plain.find(aside).unwrap_or(plain.len()));
    }
    // Errors hold errors, and each begins with the name of its kind.
    const KINDS: [&str; 11] = [
        "Execution error: ",
        "Error during planning: ",
        "Arrow error: ",
        "Arithmetic overflow: ",
        "Cast error: ",
        "Parser error: ",
        "Compute error: ",
        "Invalid argument error: ",
        "Schema error: ",
        "SQL error: ",
        "This feature is not implemented: ",
    ];
    let mut rest = plain.trim().trim_end_matches(['.', '\n']);
    while let Some(inner) = KINDS.iter().find_map(|kind| rest.strip_prefix(kind)) {
        rest = inner;
    }
    // The parser's errors come as its developers print them.
    let parsed = ["ParserError(\"", "TokenizerError(\""].iter().find_map(|kind| rest.strip_prefix(kind));
    match parsed.and_then(|rest| rest.strip_suffix("\")")) {
        Some(parsed) => parsed.replace("\\\"", "\"").replace("\\'", "'"),
        None => rest.to_owned(),
    }
}

/// What is wrong with a regular expression, on one line, where the engine did not take one; `None` for other errors. The engine says
/// it in a way of its own in each function.
pub(super) fn regex_problem(text: &str) -> Option<String> {
    /// What stands before the reason, or before the expression alone.
    const NOT_COMPILED: &str = "Regular expression did not compile: ";
    if let Some((_, parsed)) = text.split_once("regex parse error:") {
        let (pattern, problem) = parsed.split_once("error: ")?;
        let problem = problem.lines().next().unwrap_or_default().trim();
        let pattern = pattern.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        return Some(format!("{problem}, in {pattern:?}"));
    }
    let is_too_large = text.contains("CompiledTooBig(") || text.contains("Compiled regex exceeds size limit");
    if is_too_large {
        return Some("compiled, it is larger than is allowed; write it with fewer repetitions".to_owned());
    }
    text.split_once(NOT_COMPILED).map(|(_, pattern)| format!("it is {:?}", pattern.trim()))
}

/// The text up to a structure of the engine as its developers print it, of which its name alone stays, if it begins before an end.
fn without_structures(text: &str, end: usize) -> String {
    let Some(brace) = ["{ ", "{\n"].iter().filter_map(|brace| find_structure(text, brace)).min() else {
        return text.to_owned();
    };
    let start = text.get(..brace).unwrap_or_default();
    let is_name = |found: char| found.is_alphanumeric() || found == '_';
    // The structures that it stands in are part of it: `Value(ValueWithSpan {`.
    let begin = start.trim_end().rfind(|found: char| !is_name(found) && !"(:[".contains(found));
    let begin = begin.map_or(0, |at| at + 1);
    if begin >= end {
        return text.to_owned();
    }
    let structure = text.get(begin..).unwrap_or_default();
    let name: String = structure.chars().take_while(|found| is_name(*found)).collect();
    format!(
        "{}{name}: the query engine does not have this part of SQL; write the query in another way, for example in two steps",
        text.get(..begin).unwrap_or_default()
    )
}

/// Where a structure's fields begin: a name, a brace, another name and a colon.
fn find_structure(text: &str, brace: &str) -> Option<usize> {
    let is_field = |rest: &str| {
        let name = rest.trim_start().split_once(':').map_or("", |(name, _)| name);
        !name.is_empty() && name.chars().all(|found| found.is_ascii_lowercase() || found == '_')
    };
    let after_name = |before: &str| before.trim_end().ends_with(|found: char| found.is_alphanumeric());
    text.match_indices(brace)
        .map(|(at, _)| at)
        .find(|at| text.get(at + 1..).is_some_and(is_field) && text.get(..*at).is_some_and(after_name))
}

fn short(text: &str) -> String {
    beginning(text, LONGEST)
}

/// What is said of a function whose arguments have other types than it takes: which they are, and what they become by a cast.
fn wrong_arguments(said: &str) -> Option<String> {
    const MATCHES: &str = "No function matches the given name and argument types '";
    let (problem, rest) = said.split_once(MATCHES)?;
    let (call, _) = rest.split_once('\'')?;
    let call = in_sql(call);
    let (name, types) = call.split_once('(')?;
    if problem.contains(" arguments but received ") && !problem.contains("errors: ") {
        let counts = problem.split_once("expects ").map_or(problem, |(_, counts)| counts);
        let counts = counts.trim_end_matches(['.', ' ']);
        return Some(format!("{name} expects {counts}, in {call}"));
    }
    let is_of_times = name.starts_with("date") || name == "to_char";
    let advice = if problem.contains("user-defined coercion failed") {
        "make the arguments alike with CAST(x AS …)"
    } else if problem.contains("String, but received") || problem.contains("expects String") {
        "give it a text: CAST(x AS VARCHAR)"
    } else if is_of_times {
        "it takes a time: CAST(x AS TIMESTAMP) of a text, to_timestamp_seconds(x) of seconds since 1970; the difference of two dates is their number \
         of days already"
    } else if types.contains("BOOLEAN") {
        "a boolean becomes 1 or 0 with CAST(x AS INT)"
    } else if types.contains("VARCHAR") {
        "a text becomes a number with CAST(x AS DOUBLE); a column without any value is text, unless reading.types names its type"
    } else {
        "make the arguments of the types that it takes with CAST(x AS …)"
    };
    Some(format!("no function takes what {call} is given: {advice}"))
}

/// The name that two values of a query have, where that is why it cannot be planned.
fn repeated_name(text: &str) -> Option<&str> {
    let name = match text.split_once("duplicate unqualified field name ") {
        Some((_, rest)) => rest,
        None => text.split_once("Projections require unique expression names but the expression ")?.1,
    };
    name.strip_prefix('"')?.split_once('"').map(|(name, _)| name)
}

/// What to do about values that a query cannot compute with.
fn with_advice(text: String) -> String {
    if let Some(name) = repeated_name(&text) {
        return format!(
            "two values of the query have the same name, in which casts are not distinguished: {name}; give each a name with AS, in a query \
             within where they are summed up: SELECT sum(a), sum(b) FROM (SELECT CAST(x AS DOUBLE) AS a, x AS b FROM t)"
        );
    }
    let advice = if text.contains("Cannot cast timezone to different timezone") {
        "; there is a time that its time zone does not have or has twice, since clocks are set there: correct such rows, as with CASE WHEN x = '…' THEN x + INTERVAL '1 hour' ELSE x END, leave them out with WHERE, or stay in UTC"
    } else if text.contains("Date arithmetic overflow") || text.contains("Timestamp out of range") {
        "; the date is outside of those that its type holds: leave such rows out with WHERE, or make them null with CASE"
    } else if text.contains("can be represented as nanoseconds") {
        return "a text is read by its pattern as a time outside of the years 1678 to 2261, which these functions do not hold: a year of two digits is %y and \
                not %Y; dates of other years are read by CAST(x AS DATE), as 9999-12-31"
            .to_owned();
    } else if text.contains("Error parsing timestamp from") {
        "; times are read as 2024-01-31 10:00:00, and others with their pattern: to_timestamp(x, '%d.%m.%Y %H:%M')"
    } else if text.contains("For SELECT DISTINCT, ORDER BY") {
        "; give the value a name, and sort by that: SELECT DISTINCT x * 2 AS y FROM t ORDER BY y"
    } else if text.contains("string size overflow") {
        "; make a shorter text"
    } else if text.contains("converted value exceeds") {
        return "a date or time is outside of the years 1678 to 2261, which a TIMESTAMP of nanoseconds holds; cast to TIMESTAMP(6), of microseconds"
            .to_owned();
    } else if text.contains("Cannot cast") {
        "; such values become null with TRY_CAST(x AS …)"
    } else if text.contains("overflow") {
        "; the result is too large for a whole number of its type: compute with CAST(x AS DOUBLE) or CAST(x AS DECIMAL(38, 0))"
    } else if text.contains("Divide by zero") {
        return "Divide by zero; divide by nullif(x, 0), which gives null: a condition beside it may be looked at later".to_owned();
    } else if text.contains("specified more than once") {
        "; give each query of WITH a name of its own, also where one stands within another"
    } else if text.contains("common type for bitwise operation") {
        "; operators of bits take whole numbers: CAST(x AS BIGINT) makes one of a text, CAST(x AS INT) of a boolean"
    } else if ["Cannot coerce", "common argument type", "compatible types to compare"]
        .iter()
        .any(|part| text.contains(part))
    {
        "; make both sides of one type with CAST(x AS …)"
    } else {
        ""
    };
    format!("{text}{advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_of_the_engine_are_cut_and_values_of_rows_are_not() {
        for said in [
            "This feature is not implemented: Unsupported ast node Match { table: Table { name: ObjectName([Identifier(Ident { value: \"b\" })]) } }",
            "Error during planning: Frame cannot be Value(ValueWithSpan { value: Number(\"7\", false), span: Span(Location(1,58)..Location(1,59)) })",
            "This feature is not implemented: Dot access not supported: Identifier(Ident {\n    value: \"a\" })",
        ] {
            let message = of_query(&plain(said));
            assert!(message.contains("in another way") && !message.contains(['{', '\n']), "{message}");
        }
        assert!(of_query("x Match { table: Table }").starts_with("x Match: the query engine"));
        assert!(of_query(&format!("no {}", "é".repeat(2000))).chars().count() < 500);
        let of_row = "Cannot cast string 'Foo { bar: 1 }' to value of Int32 type";
        let message = of_data(&plain(&format!("Arrow error: Cast error: {of_row}")));
        assert!(message.starts_with("'Foo { bar: 1 }' cannot be cast to INT"), "{message}");
        assert_eq!(plain("SQL error: ParserError(\"Expected: \\\"x\\\"\")"), "Expected: \"x\"");
    }

    #[test]
    fn a_function_that_is_not_there_is_not_guessed_by_the_engine() {
        assert_eq!(of_query("Invalid function 'uper'.\nDid you mean 'upper'?"), "there is no function uper");
    }
}
