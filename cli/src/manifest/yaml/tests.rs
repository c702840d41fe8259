use super::*;

fn one(text: &str) -> Node {
    let mut documents = read_documents(text.as_bytes());
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0).expect("a document")
}

#[test]
fn values_know_where_they_stand() {
    let node = one("spec:\n  steps:\n    - name: a\n      train: {target: b}\n");
    assert_eq!(node.find("spec.steps[0].train.target"), Position { line: 4, column: 15 });
    assert_eq!(node.find("spec.steps[0].train.missing.deeper"), Position { line: 4, column: 7 });
    assert_eq!(node.find("spec.steps[9]"), Position { line: 2, column: 3 });
    assert_eq!(node.find(""), Position { line: 1, column: 1 });
}

#[test]
fn scalars_are_typed_as_kubernetes_types_them() {
    let node =
        one("[1, -1, 1.5, .nan, yes, 'yes', ~, 18446744073709551615, 99999999999999999999, 2026-11-20, '']");
    let Content::List(items) = node.content else { panic!("a list") };
    let kinds: Vec<String> = items.iter().map(|item| format!("{:?}", item.content)).collect();
    assert_eq!(
        kinds,
        [
            "Integer(1)",
            "Integer(-1)",
            "Float(1.5)",
            "Float(NaN)",
            "Boolean(true)",
            "Text(\"yes\")",
            "Null",
            "Integer(18446744073709551615)",
            "Float(1e20)",
            "Text(\"2026-11-20\")",
            "Text(\"\")"
        ]
    );
}

#[test]
fn numbers_are_those_that_kubectl_sends() {
    for (text, expected) in [
        ("0444", "292"),
        ("-0444", "-292"),
        ("0o444", "292"),
        ("0b11", "3"),
        ("0x1F", "31"),
        ("08", "8"),
        ("1_000", "1000"),
        ("+5", "5"),
        ("1e3", "1000"),
        ("1e+06", "1000000"),
        ("2.0", "2"),
        ("-0.0", "0"),
        ("2.5", "2.5"),
        ("1e20", "1e20"),
        ("1:30", "\"1:30\""),
        ("inf", "\"inf\""),
        (".inf", "null"),
    ] {
        let sent = one(&format!("[{text}]")).to_json();
        assert_eq!(sent.to_string(), format!("[{expected}]").replace("1e20", "1e+20"), "{text}");
    }
}

#[test]
fn keys_without_quotes_are_those_that_kubectl_sends() {
    for (key, sent, written) in [
        ("a", "a", None),
        ("'yes'", "yes", None),
        ("yes", "true", Some("yes")),
        ("n", "false", Some("n")),
        ("Off", "false", Some("Off")),
        ("true", "true", None),
        ("True", "true", Some("True")),
        ("1", "1", None),
        ("-1", "-1", None),
        ("1.5", "1.5", None),
        ("1.50", "1.5", Some("1.50")),
        ("0444", "292", Some("0444")),
        ("1e6", "1e+06", Some("1e6")),
        ("0.00001", "1e-05", Some("0.00001")),
        ("2.0", "2", Some("2.0")),
        (".nan", ".nan", None),
        ("~", "null", Some("~")),
        ("!!str yes", "yes", None),
        ("2026-11-20", "2026-11-20", None),
    ] {
        for text in [format!("b:\n  {key}: 1\n"), format!("{{b: {{{key}: 1}}}}")] {
            let node = one(&text);
            let Some(Content::Map(entries)) = node.get("b").map(|node| &node.content) else {
                panic!("{text}")
            };
            let found = entries.first().map(|entry| (entry.key.text.as_str(), entry.key.written.as_deref()));
            assert_eq!(found, Some((sent, written)), "{text}");
        }
    }
}

#[test]
fn keys_that_are_one_to_kubernetes_or_no_text_are_errors() {
    for (text, expected) in [
        ("{1: a, '1': b}", "the key \"1\" is there twice"),
        ("{1: a, 1.0: b}", "the key \"1\" is there twice"),
        ("image: {{ .Values.image }}", "a key is a map or a list, and must be text: render a template"),
        ("[a]: 1", "a key is a map or a list"),
    ] {
        let error = read_documents(text.as_bytes()).remove(0).expect_err(text);
        assert!(error.problem.starts_with(expected) && error.at.is_some(), "{text}: {error:?}");
    }
}

#[test]
fn documents_after_a_wrong_one_are_still_read() {
    let documents = read_documents(b"a: 1\na: 2\n---\nb: 1\n---\n\n---\nc: 1\n");
    let seen: Vec<bool> = documents.iter().map(Result::is_ok).collect();
    assert_eq!(seen, [false, true, true]);
}

#[test]
fn hostile_text_is_an_error_with_a_place_and_never_a_panic() {
    let deep = "[".repeat(100_000);
    let nested: String = (0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let laughs = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                  d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    let rows: [&[u8]; 9] = [
        deep.as_bytes(),
        nested.as_bytes(),
        laughs.as_bytes(),
        b"a: [1, 2\n",
        b"a:\n\t- b\n",
        b"a: 1\na: 2\n",
        b"a: \xff\n",
        b"a: &x [*x]\n",
        b"a: *missing\n",
    ];
    for row in rows {
        let documents = read_documents(row);
        let shown = String::from_utf8_lossy(row.get(..row.len().min(40)).unwrap_or_default()).into_owned();
        let error =
            documents.into_iter().find_map(Result::err).unwrap_or_else(|| panic!("accepted: {shown}"));
        assert!(error.at.is_some() && !error.problem.is_empty(), "{shown}: {error:?}");
    }
    assert!(read_documents(&vec![b' '; MAX_BYTES + 1]).remove(0).is_err());
    assert!(read_documents(b"").is_empty());
    assert!(read_documents(b"# nothing\n---\n---\n").is_empty());
}
