use super::*;
use crate::serve::test_models::{class, feature, limits, model};

fn page(model: &Model, needs_key: bool) -> String {
    let page = Page::new(model, "0123456789ab", ServingLimits { needs_key, ..limits() });
    String::from_utf8(page.html.to_vec()).expect("UTF-8")
}

fn iris() -> Model {
    let names = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
    let features = names.map(|name| feature(name, FeatureKind::Float)).to_vec();
    model(features, class("species", &["setosa", "versicolor", "virginica"]))
}

#[test]
fn the_page_has_a_field_for_each_feature_and_says_what_is_predicted() {
    let page = page(&iris(), false);
    for name in iris().schema().names() {
        assert_eq!(page.matches(&format!("data-feature=\"{name}\"")).count(), 1, "{name}");
    }
    for text in
        ["<em>species</em>", "setosa, versicolor, virginica", "0123456789ab", "logisticRegression", "0.9667"]
    {
        assert!(page.contains(text), "{text} is not on the page");
    }
}

#[test]
fn names_are_escaped_wherever_they_stand() {
    let evil = "\"><script>alert('1')</script>{{script}}";
    let model = model(
        vec![feature(evil, FeatureKind::Float), feature("b<i>", FeatureKind::Boolean)],
        class("t<b>&", &["<u>", "x"]),
    );
    let page = page(&model, true);
    assert_eq!(page.matches("<script>").count(), 1, "only the page's own script");
    for raw in ["<i>", "<u>", "t<b>", "alert('1')"] {
        assert!(!page.contains(raw), "{raw} is on the page");
    }
    assert!(page.contains("&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;{{script}}"));
}

#[test]
fn the_page_loads_nothing_and_its_policy_allows_just_its_own_parts() {
    let page = page(&iris(), true);
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        let found = page.replace("http://localhost:8000", "").contains(outside);
        assert!(!found, "{outside} is on the page");
    }
    assert!(!page.contains("style=\"") && !page.contains("onclick"), "the policy forbids inline attributes");
    let style =
        page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).expect("a style").0;
    let script =
        page.split_once("<script>").and_then(|(_, rest)| rest.split_once("</script>")).expect("a script").0;
    let policy = policy();
    let policy = policy.to_str().expect("text");
    for part in [style, script] {
        assert!(policy.contains(&BASE64.encode(Sha256::digest(part.as_bytes()))), "{policy}");
    }
    assert!(policy.starts_with("default-src 'none'"));
}

#[test]
fn every_place_is_filled() {
    let page = page(&iris(), true);
    assert!(!page.contains("{{"), "a place was left over");
}

#[test]
fn a_key_is_asked_for_only_where_one_is_needed() {
    assert!(page(&iris(), true).contains("id=\"key\""));
    assert!(!page(&iris(), false).contains("id=\"key\""));
}

#[test]
fn every_field_has_a_label() {
    let page = page(&iris(), true);
    for part in page.split("<input ").skip(1) {
        let tag = part.split('>').next().expect("a tag");
        let labelled = tag.contains("aria-label=")
            || tag
                .split_once("id=\"")
                .and_then(|(_, rest)| rest.split_once('"'))
                .is_some_and(|(id, _)| page.contains(&format!("<label for=\"{id}\">")));
        assert!(labelled, "{tag}");
    }
}

#[test]
fn slider_steps_are_round_and_fine_enough() {
    for (range, step) in [(3.6, 0.01), (100.0, 1.0), (99.0, 0.1), (1e9, 1e7), (1e-9, 1e-11)] {
        assert_eq!(slider_step(range), step, "{range}");
    }
    assert!(slider_step(0.0).is_nan());
    assert!(!slider_step(f64::INFINITY).is_finite());
}

#[test]
fn large_numbers_are_grouped() {
    let found = [0, 999, 1000, 123_456, 1_234_567].map(grouped);
    assert_eq!(found, ["0", "999", "1,000", "123,456", "1,234,567"]);
}
