//! How many rows a body has: an object is one, and an array of objects is as many.

/// The objects that lie in no other object.
pub fn count(body: &[u8]) -> u64 {
    let (mut rows, mut depth) = (0, 0_u64);
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in body {
        if in_text {
            in_text = is_escaped || *byte != b'"';
            is_escaped = !is_escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' => {
                rows += u64::from(depth == 0);
                depth += 1;
            }
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_a_row_and_braces_in_texts_are_not() {
        for (body, rows) in
            [("", 0), ("[]", 0), (r#"{"a":{"b":1}}"#, 1), (r#"[{"a":"\"{"},{"a":"\\"},{}]"#, 3)]
        {
            assert_eq!(count(body.as_bytes()), rows, "{body}");
        }
    }
}
