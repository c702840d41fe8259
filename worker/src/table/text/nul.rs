//! NUL bytes: where a file was cut or not fully written, storage gives them in the place of what is missing. A single one may be a sign of a text.

/// Where the first run of NUL bytes is, and what is said of it.
pub(crate) fn nul_run(bytes: &[u8]) -> Option<(usize, String)> {
    let at = memchr::memmem::find(bytes, b"\0\0")?;
    let count = bytes.get(at..).unwrap_or_default().iter().take_while(|byte| **byte == 0).count();
    Some((
        at,
        format!(
            "{count} NUL bytes here: was the file cut or not fully written? Write it again; if all of it is there, remove them, as with tr -d '\\000'"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_run_of_nul_bytes_is_found_and_counted() {
        assert_eq!(nul_run("a,é\n".as_bytes()), None);
        let (at, problem) = nul_run(b"ab\n\0\0\0c\0").expect("NUL bytes");
        assert_eq!(at, 3);
        assert!(problem.starts_with("3 NUL bytes here: was the file cut"), "{problem}");
        assert_eq!(nul_run(b"a\0b\0"), None);
    }
}
