//! The engine's names of types, as a query writes them.

/// The text with types as SQL has them, up to the first value in quotes, which stays as it is.
pub(crate) fn in_sql(text: &str) -> String {
    let end = text.find(['\'', '"']).unwrap_or(text.len());
    let is_word = |found: char| found.is_alphanumeric() || found == '_';
    let (mut written, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find(is_word).filter(|start| text.len() - rest.len() + start < end) {
        let (between, from) = rest.split_at(start);
        let length = from.find(|found: char| !is_word(found)).unwrap_or(from.len());
        let (word, after) = from.split_at(length);
        let (name, after) = sql_type(word, after);
        written.push_str(between);
        written.push_str(name);
        rest = after;
    }
    written.push_str(rest);
    written
}

/// A word as SQL has it, and what stands behind it.
fn sql_type<'a>(word: &'a str, after: &'a str) -> (&'a str, &'a str) {
    if matches!(word, "Decimal32" | "Decimal64" | "Decimal128" | "Decimal256") {
        return ("DECIMAL", after);
    }
    if let Some((inside, behind)) = after.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        return match word {
            "Timestamp" if inside.contains('"') => ("TIMESTAMP WITH TIME ZONE", behind),
            "Timestamp" => ("TIMESTAMP", behind),
            "Time32" | "Time64" => ("TIME", behind),
            "Interval" | "Duration" => ("INTERVAL", behind),
            // A constant, as in `Int64(1)`.
            _ => (word, after),
        };
    }
    let name = match word {
        "Boolean" => "BOOLEAN",
        "Int8" => "TINYINT",
        "Int16" => "SMALLINT",
        "Int32" => "INT",
        "Int64" => "BIGINT",
        "UInt8" => "TINYINT UNSIGNED",
        "UInt16" => "SMALLINT UNSIGNED",
        "UInt32" => "INT UNSIGNED",
        "UInt64" => "BIGINT UNSIGNED",
        "Float16" | "Float32" => "FLOAT",
        "Float64" => "DOUBLE",
        "Utf8" | "LargeUtf8" | "Utf8View" => "VARCHAR",
        "Date32" | "Date64" => "DATE",
        "LargeBinary" | "BinaryView" => "BYTEA",
        other => other,
    };
    (name, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_sql_and_values_stay() {
        for (said, expected) in [
            ("Boolean = Utf8", "BOOLEAN = VARCHAR"),
            ("f(Int64, Decimal128(5, 2), UInt8)", "f(BIGINT, DECIMAL(5, 2), TINYINT UNSIGNED)"),
            (
                "Timestamp(ns) - Timestamp(µs, \"UTC\") of 'Int64'",
                "TIMESTAMP - TIMESTAMP WITH TIME ZONE of 'Int64'",
            ),
            ("Timestamp out of range", "Timestamp out of range"),
            ("t.n + Int64(1), List(Date32)", "t.n + Int64(1), List(DATE)"),
            ("'Int64' is Int64", "'Int64' is Int64"),
            ("", ""),
        ] {
            assert_eq!(in_sql(said), expected);
        }
    }
}
