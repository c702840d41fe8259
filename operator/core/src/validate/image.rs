//! Names of container images, as a kubelet reads them: one that it cannot read is never pulled, and the pod stays `InvalidImageName`.
//! Must not ask whether there is such an image.
//!
//! The grammar is that of <https://pkg.go.dev/github.com/distribution/reference>, with the names that Docker Hub abbreviates.

use super::errors::Errors;
use crate::quoted::quoted;

/// The longest name below a registry, in bytes.
const LONGEST_NAME: usize = 255;
/// The longest tag, in bytes.
const LONGEST_TAG: usize = 128;
/// The algorithms of digests, and how many hexadecimal digits theirs have.
const DIGESTS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];
/// Docker Hub, which names without a registry are of.
const DEFAULT_REGISTRY: &str = "docker.io";
/// The folder there that a name of one part stands in.
const DEFAULT_FOLDER: &str = "library/";

const FORM: &str = "write [REGISTRY[:PORT]/]NAME[:TAG][@DIGEST], such as registry.example.com:5000/team/train:1.2, with the name in lower case";

/// Checks the form of an image's name. That of an empty one is for the caller to report.
pub(super) fn check(image: Option<&str>, path: &str, errors: &mut Errors) {
    let Some(image) = image.filter(|image| !image.trim().is_empty()) else { return };
    if image.trim() != image {
        // Kubernetes rejects spaces around it.
        errors.add(path, format!("{} begins or ends with a space: remove it", quoted(image)));
    } else if image.starts_with('-') {
        // A container tool would take such a name for one of its flags.
        errors.add(
            path,
            format!("{} is not a valid image: its name begins with a letter or digit", quoted(image)),
        );
    } else if let Some(problem) = problem(image) {
        errors.add_with_hint(path, format!("{} is not a valid image: {problem}", quoted(image)), FORM);
    }
}

/// What is wrong with an image's name.
fn problem(image: &str) -> Option<String> {
    if let Some((scheme, _)) = image.split_once("://") {
        return Some(format!(
            "it begins with {}, and an image has no scheme",
            quoted(&format!("{scheme}://"))
        ));
    }
    if is_lower_hex(image, 64) {
        return Some("it is an image's ID, and a pod names its image by a name".to_owned());
    }
    let (reference, digest) =
        image.split_once('@').map_or((image, None), |(reference, digest)| (reference, Some(digest)));
    let (registry, rest) = split_registry(reference);
    let (name, tag) = rest.split_once(':').map_or((rest, None), |(name, tag)| (name, Some(tag)));
    registry
        .and_then(problem_of_registry)
        .or_else(|| problem_of_name(name, registry.is_none_or(|registry| registry == DEFAULT_REGISTRY)))
        .or_else(|| tag.and_then(problem_of_tag))
        .or_else(|| digest.and_then(problem_of_digest))
}

/// The registry, where the first part of a name is one rather than a folder of Docker Hub's, and what follows it. A folder may look like the
/// one of a registry but for its _, which no host has.
fn split_registry(reference: &str) -> (Option<&str>, &str) {
    let Some((first, rest)) = reference.split_once('/') else { return (None, reference) };
    let is_registry = first == "localhost"
        || first.contains(['.', ':'])
        || first.contains(|letter: char| letter.is_ascii_uppercase());
    let is_folder = first.contains('_') && is_part_of_name(first);
    if is_registry && !is_folder { (Some(first), rest) } else { (None, reference) }
}

fn problem_of_registry(registry: &str) -> Option<String> {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_end = |rest: &str| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
    let fits = match registry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            !address.is_empty()
                && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':')
                && is_end(rest)
        }
        None => {
            let (host, rest) = registry.split_at(registry.find(':').unwrap_or(registry.len()));
            host.split('.').all(is_part_of_host) && is_end(rest)
        }
    };
    (!fits).then(|| format!("{} is not a registry, which is HOST or HOST:PORT", quoted(registry)))
}

fn is_part_of_host(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('-')
        && !part.ends_with('-')
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn problem_of_name(name: &str, is_abbreviated: bool) -> Option<String> {
    let folder = if is_abbreviated && !name.contains('/') { DEFAULT_FOLDER } else { "" };
    if name.contains(|letter: char| letter.is_ascii_uppercase()) {
        return Some(format!("its name {} has upper-case letters", quoted(name)));
    }
    if !name.split('/').all(is_part_of_name) {
        return Some(format!(
            "its name {} is not made of lower-case letters and digits, with one of ., _ and - between two of them, or / between parts",
            quoted(name)
        ));
    }
    let length = folder.len() + name.len();
    (length > LONGEST_NAME).then(|| format!("its name has {length} letters; {LONGEST_NAME} are allowed"))
}

/// Whether letters and digits are parted by one ., by one or two _, or by any number of -.
fn is_part_of_name(part: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    let separators = bytes.split(|byte| is_word(*byte)).filter(|between| !between.is_empty());
    bytes.first().copied().is_some_and(is_word)
        && bytes.last().copied().is_some_and(is_word)
        && separators
            .into_iter()
            .all(|between| matches!(between, b"." | b"_" | b"__") || between.iter().all(|byte| *byte == b'-'))
}

fn problem_of_tag(tag: &str) -> Option<String> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = tag.as_bytes();
    let fits = bytes.first().is_some_and(is_word)
        && bytes.len() <= LONGEST_TAG
        && bytes.iter().all(|byte| is_word(byte) || b".-".contains(byte));
    (!fits).then(|| {
        format!(
            "its tag {} is not made of 1 to {LONGEST_TAG} letters, digits, _, . and -, a letter, digit or _ first",
            quoted(tag)
        )
    })
}

fn problem_of_digest(digest: &str) -> Option<String> {
    let (algorithm, hex) = digest.split_once(':').unwrap_or((digest, ""));
    let fits = DIGESTS.iter().any(|(known, digits)| *known == algorithm && is_lower_hex(hex, *digits));
    (!fits)
        .then(|| format!("its digest {} is not sha256: and 64 lower-case hexadecimal digits", quoted(digest)))
}

fn is_lower_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn every_form_of_an_image_is_taken() {
        let sha256 = "0123456789abcdef".repeat(4);
        let sha512 = sha256.repeat(2);
        let images = [
            "x".to_owned(),
            "nginx:1.27".to_owned(),
            "nginx:LATEST".to_owned(),
            "x:_a-B.c".to_owned(),
            format!("x:{}", "a".repeat(128)),
            "team/train".to_owned(),
            "localhost/train:1".to_owned(),
            "localhost:5000/train".to_owned(),
            "registry.example.com:5000/team/sub/train:1.2".to_owned(),
            "REGISTRY.example.com/train".to_owned(),
            "Registry/train:1".to_owned(),
            "10.0.0.1:5000/x".to_owned(),
            "[2001:db8::1]:5000/x".to_owned(),
            "[::1]/x".to_owned(),
            "f/a.b_c__d---e".to_owned(),
            "a/b.c".to_owned(),
            "a_b.c/x:1".to_owned(),
            format!("docker.io/{}", "x".repeat(247)),
            format!("x@sha256:{sha256}"),
            format!("ghcr.io/a/b:1@sha256:{sha256}"),
            format!("x@sha512:{sha512}"),
            "x".repeat(247),
            format!("a.b/{}", "x".repeat(255)),
            format!("{sha256}:1"),
        ];
        for image in images {
            assert_eq!(problem(&image), None, "{image}");
        }
    }

    #[test]
    fn what_no_kubelet_reads_is_named() {
        let sha256 = "0123456789abcdef".repeat(4);
        let rows = [
            ("Foo/BAR".to_owned(), "its name \"BAR\" has upper-case"),
            ("Nginx".to_owned(), "its name \"Nginx\" has upper-case"),
            ("a b".to_owned(), "its name \"a b\""),
            ("a\tb".to_owned(), "its name \"a\\tb\""),
            ("https://x/y".to_owned(), "begins with \"https://\""),
            ("docker://x".to_owned(), "begins with \"docker://\""),
            ("nginx:".to_owned(), "its tag \"\""),
            ("x:-a".to_owned(), "its tag \"-a\""),
            ("x:tag:tag".to_owned(), "its tag \"tag:tag\""),
            (format!("x:{}", "a".repeat(129)), "its tag"),
            ("${IMAGE}".to_owned(), "its name \"${IMAGE}\" has upper-case"),
            ("$(image)".to_owned(), "its name \"$(image)\""),
            ("{{ image }}".to_owned(), "its name"),
            ("/x".to_owned(), "its name \"/x\""),
            ("x//y".to_owned(), "its name \"x//y\""),
            ("x/".to_owned(), "its name \"x/\""),
            ("_x".to_owned(), "its name \"_x\""),
            ("a..b".to_owned(), "its name \"a..b\""),
            ("a___b".to_owned(), "its name \"a___b\""),
            ("a._b".to_owned(), "its name \"a._b\""),
            ("é".to_owned(), "its name \"é\""),
            ("a.b:c/x".to_owned(), "\"a.b:c\" is not a registry"),
            ("a.b:/x".to_owned(), "\"a.b:\" is not a registry"),
            ("-a.b/x".to_owned(), "\"-a.b\" is not a registry"),
            ("[::1/x".to_owned(), "is not a registry"),
            ("x@latest".to_owned(), "its digest \"latest\""),
            ("nginx@sha256:abc".to_owned(), "its digest \"sha256:abc\""),
            (format!("x@sha256:{}", sha256.to_uppercase()), "its digest"),
            (format!("x@md5:{sha256}"), "its digest"),
            (sha256, "an image's ID"),
            ("x".repeat(248), "its name has 256 letters"),
            (format!("docker.io/{}", "x".repeat(248)), "its name has 256 letters"),
        ];
        for (image, expected) in rows {
            let found = problem(&image).unwrap_or_default();
            assert!(found.contains(expected), "{image}: {found}");
        }
    }
}
