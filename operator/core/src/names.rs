//! Names of everything that the operator makes: deterministic, and never longer than Kubernetes allows.

use mlpipeline_crds::Revision;

use super::piece::Piece;
use super::tracks::Track;

/// The longest name of a pod, Service, label value or Job.
const LABEL_LIMIT: usize = 63;
/// The longest name of a CronJob, whose Jobs get eleven more characters.
const CRON_JOB_LIMIT: usize = 52;
/// What the host names of an Indexed Job's pods add to its name: a dash and an index below 100,000.
const INDEX_LENGTH: usize = 6;

/// The name of a step's long-lived objects: Deployment, Service, autoscaler, and so on.
#[must_use]
pub fn step_object(pipeline: &str, step: &str) -> String {
    // Pods of a Deployment add up to 17 characters to it.
    bounded(&format!("{pipeline}-{step}"), "", LABEL_LIMIT - 17)
}

/// The name of the workload of one of a step's tracks.
#[must_use]
pub fn track_object(pipeline: &str, step: &str, track: Track) -> String {
    match track {
        Track::Stable => step_object(pipeline, step),
        Track::Candidate | Track::Shadow => {
            bounded(&format!("{pipeline}-{step}"), &format!("-{}", track.name()), LABEL_LIMIT - 17)
        }
    }
}

/// The name of a step's CronJob, with room for the indexes of the pods of its Jobs where they have any.
#[must_use]
pub fn cron_job(pipeline: &str, step: &str, is_indexed: bool) -> String {
    let limit = if is_indexed { CRON_JOB_LIMIT - INDEX_LENGTH } else { CRON_JOB_LIMIT };
    bounded(&format!("{pipeline}-{step}"), "", limit)
}

/// The name of the Job of one run: by the key of what it does, by the attempt from the second on, and by the piece where it is not the
/// one that commits.
#[must_use]
pub fn job(pipeline: &str, step: &str, piece: Piece, key: &Revision, attempt: u32) -> String {
    let piece = match piece {
        Piece::Commit => String::new(),
        Piece::Trials | Piece::Shards => format!("-{}", piece.name()),
    };
    let attempt = if attempt <= 1 { String::new() } else { format!("-{attempt}") };
    let suffix = format!("{piece}-{key}{attempt}");
    // Pods of a Job add six characters to it, of an Indexed Job up to thirteen.
    bounded(&format!("{pipeline}-{step}"), &suffix, LABEL_LIMIT - 13)
}

/// The name of the claim of a pipeline's own volume.
#[must_use]
pub fn claim(pipeline: &str) -> String {
    bounded(pipeline, "-storage", LABEL_LIMIT)
}

/// A label value for a pipeline's name, which may be longer than a label may be.
#[must_use]
pub fn label(pipeline: &str) -> String {
    bounded(pipeline, "", LABEL_LIMIT)
}

/// The environment variable's part for an input's name: upper case, with _ for all but letters and digits.
#[must_use]
pub fn environment_name(name: &str) -> String {
    name.chars()
        .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' })
        .collect()
}

/// `base` and `suffix`, where the base is cut and marked by its hash if both together were too long. Dots, which Services'
/// names must not have, become dashes, and then the hash keeps a.b and a-b apart.
fn bounded(base: &str, suffix: &str, limit: usize) -> String {
    let flat = base.replace('.', "-");
    if flat == base && base.len() + suffix.len() <= limit {
        return format!("{base}{suffix}");
    }
    let hash = Revision::of(&[base]);
    let hash = hash.as_str().get(..8).unwrap_or_default();
    let room = limit.saturating_sub(suffix.len() + hash.len() + 1);
    let start: String = flat.chars().take(room).collect();
    format!("{}-{hash}{suffix}", start.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_where_they_fit_and_hashed_where_they_do_not() {
        let key = Revision::of(&["x"]);
        assert_eq!(job("iris", "train", Piece::Commit, &key, 1), format!("iris-train-{key}"));
        assert_eq!(job("iris", "train", Piece::Commit, &key, 2), format!("iris-train-{key}-2"));
        assert_eq!(job("iris", "train", Piece::Trials, &key, 2), format!("iris-train-trials-{key}-2"));
        assert_eq!(step_object("iris", "api"), "iris-api");
        let long = "p".repeat(253);
        for name in [
            job(&long, "s", Piece::Shards, &key, 9),
            cron_job(&long, "s", false),
            claim(&long),
            step_object(&long, "s"),
            label(&long),
        ] {
            assert!(name.len() <= LABEL_LIMIT, "{name}");
        }
        assert!(cron_job(&long, "s", false).len() <= 52);
        let host = format!("{}-2992164700-99999", cron_job(&long, "s", true));
        assert!(host.len() <= LABEL_LIMIT, "{host}");
    }

    #[test]
    fn names_that_were_shortened_or_held_dots_stay_different() {
        assert_ne!(step_object("a.b", "c"), step_object("a-b", "c"));
        // A plain name may be read in two ways. The second one gets NameTaken: owners are checked.
        assert_eq!(step_object("a-b", "c"), step_object("a", "b-c"));
        assert_ne!(claim(&format!("{}a", "p".repeat(100))), claim(&format!("{}b", "p".repeat(100))));
    }

    #[test]
    fn environment_names_are_upper_case_words() {
        assert_eq!(environment_name("my-data_1"), "MY_DATA_1");
    }
}
