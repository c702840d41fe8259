//! The words of Parquet's reader, as people get them.

/// What a reader says, without the names of the kinds of its errors.
pub(super) fn without_kinds(said: &str) -> &str {
    const KINDS: [&str; 8] = [
        "Parquet argument error: ",
        "Parquet error: ",
        "Arrow error: ",
        "Arrow: ",
        "External: ",
        "External error: ",
        "EOF: ",
        "NYI: ",
    ];
    let mut rest = said.trim();
    while let Some(inner) = KINDS.iter().find_map(|kind| rest.strip_prefix(kind)) {
        rest = inner;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_a_readers_errors_are_left_out() {
        let said = "Arrow error: Parquet argument error: External: snappy: corrupt input";
        assert_eq!(without_kinds(said), "snappy: corrupt input");
        assert_eq!(without_kinds("Parquet error: Page CRC checksum mismatch"), "Page CRC checksum mismatch");
    }
}
