//! NUL bytes, which no text has: where a file was cut or not fully written, storage gives them in the place of what is missing.

/// Where the first NUL byte is, and what is said of it.
pub(crate) fn first_nul(bytes: &[u8]) -> Option<(usize, String)> {
    let at = memchr::memchr(0, bytes)?;
    let count = bytes.get(at..).unwrap_or_default().iter().take_while(|byte| **byte == 0).count();
    let found = if count == 1 { "a NUL byte here".to_owned() } else { format!("{count} NUL bytes here") };
    Some((
        at,
        format!(
            "{found}: was the file cut or not fully written? Write it again; if all of it is there, remove them, as with tr -d '\\000'"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_run_of_nul_bytes_is_found_and_counted() {
        assert_eq!(first_nul("a,é\n".as_bytes()), None);
        let (at, problem) = first_nul(b"ab\n\0\0\0c\0").expect("NUL bytes");
        assert_eq!(at, 3);
        assert!(problem.starts_with("3 NUL bytes here: was the file cut"), "{problem}");
        let (at, problem) = first_nul(b"\0").expect("a NUL byte");
        assert!(at == 0 && problem.starts_with("a NUL byte here: "), "{problem}");
    }
}
