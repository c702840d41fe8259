//! Folders after a crash at any moment.

use std::os::unix::fs::symlink;

use super::*;

/// The folders of a step "step" in storage.
fn create(root: &Path) -> Result<Folders, ArtifactError> {
    Folders::create(&Storage::new(root), "step")
}

fn open(root: &Path) -> Folders {
    create(root).expect("folders")
}

/// A whole result of a file that is claimed.
fn make_ready(folders: &Folders, name: &str, attempt: &str, extension: &str) -> Ready {
    let ready = Ready { name: name.into(), attempt: attempt.into(), extension: extension.into() };
    fs::write(folders.draft(attempt), attempt).expect("a draft");
    folders.complete(&ready).expect("complete");
    ready
}

/// Everything that the renames of a step do, once.
fn work(folders: &Folders) -> Result<(), ArtifactError> {
    for name in ["good", "bad"] {
        fs::write(folders.claimed(name), "input")
            .map_err(ArtifactError::io("write", &folders.claimed(name)))?;
    }
    let ready = make_ready(folders, "good", "a", "csv");
    folders.attempts("good").begin()?;
    folders.attempts("good").end()?;
    assert!(folders.finish(&ready)?);
    folders.publish(&ready)?;
    fs::write(folders.checkpoint(&make_ready(folders, "bad", "b", PENDING_EXTENSION)), "count")
        .expect("a count");
    assert!(folders.fail("bad", "reason")?);
    folders.recover()?;
    folders.prune_history(0)
}

/// A folder with files that are called as those of a step are, and what is in it.
fn outside() -> (tempfile::TempDir, Vec<(String, String)>) {
    let folder = tempfile::tempdir().expect("a folder");
    for part in ["claimed", "ready", "done", "failed", "published", "."] {
        fs::create_dir_all(folder.path().join(part)).expect("a folder");
        for name in ["good", "bad", "good~a", "good~a.csv", ".draft-x", ".taken-x", "bad.error", "good.csv"] {
            fs::write(folder.path().join(part).join(name), "mine").expect("a file");
        }
    }
    let content = content(folder.path());
    (folder, content)
}

/// Each file of a folder, and of those in it, with its text.
fn content(folder: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for name in list(folder).expect("names") {
        let path = folder.join(&name);
        if path.is_dir() {
            all.extend(content(&path).into_iter().map(|(inner, text)| (format!("{name}/{inner}"), text)));
        } else {
            all.push((name, fs::read_to_string(path).expect("a file")));
        }
    }
    all.sort();
    all
}

#[test]
fn a_link_in_the_place_of_a_folder_of_a_continuous_step_leads_nothing_out_of_storage() {
    for exchanged in ["step", "step/claimed", "step/ready", "step/done", "step/failed", "step/published"] {
        let root = tempfile::tempdir().expect("a folder");
        let (outside, before) = outside();
        let folders = open(root.path());
        fs::rename(root.path().join(exchanged), root.path().join("moved")).expect("moved");
        symlink(outside.path(), root.path().join(exchanged)).expect("a link");
        work(&folders).expect("done in the folders that were opened");
        assert_eq!(content(outside.path()), before, "{exchanged}");
        let noticed = folders.claims().expect_err("another folder has the name").to_string();
        assert!(noticed.contains(exchanged), "{noticed}");
    }
}

#[test]
fn a_folder_of_a_continuous_step_that_is_a_link_from_the_start_is_refused() {
    let root = tempfile::tempdir().expect("a folder");
    let (outside, before) = outside();
    fs::create_dir(root.path().join("step")).expect("a folder");
    symlink(outside.path(), root.path().join("step/done")).expect("a link");
    let refused = create(root.path()).expect_err("a link").to_string();
    assert!(refused.contains("step/done"), "{refused}");
    assert_eq!(content(outside.path()), before);
}

#[test]
fn no_file_is_taken_from_a_watched_folder_in_whose_place_a_link_was_put() {
    let root = tempfile::tempdir().expect("a folder");
    let (outside, before) = outside();
    let folders = open(root.path());
    let inbox = root.path().join("inbox");
    fs::create_dir(&inbox).expect("a folder");
    fs::write(inbox.join("good.csv"), "input").expect("a file");
    let found = inbox.join("good.csv");
    fs::rename(&inbox, root.path().join("moved")).expect("moved");
    symlink(outside.path(), &inbox).expect("a link");
    for with_tag in [true, false] {
        let refused = folders.claim(&found, with_tag).expect_err("outside").to_string();
        assert!(refused.contains("leaves the storage folder"), "{refused}");
    }
    assert_eq!(content(outside.path()), before);
    assert_eq!(folders.claims().expect("names"), [""; 0]);
}

/// Of two attempts at one file only the first to finish counts, wherever a process was killed in between.
#[test]
fn recovery_publishes_what_counts_and_removes_what_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let folders = open(folder.path());
    let ready = |name: &str, attempt: &str| make_ready(&folders, name, attempt, "csv");
    for name in ["undecided", "decided"] {
        fs::write(folders.claimed(name), "input").expect("an input");
    }
    ready("undecided", "a");
    let (winner, loser) = (ready("decided", "b"), ready("decided", "c"));
    assert!(folders.finish(&winner).expect("finished"));
    assert!(!folders.finish(&loser).expect("not first"));
    fs::write(folders.draft("d"), "half").expect("a draft");
    folders.recover().expect("recovered");
    folders.recover().expect("recovered again");
    let names = |name: &str| {
        let mut names = list(&folder.path().join("step").join(name)).expect("names");
        names.sort();
        names
    };
    assert_eq!(names("claimed"), ["undecided"]);
    assert_eq!(names("ready"), ["undecided~a.csv"]);
    assert_eq!(names("done"), ["decided~b"]);
    assert_eq!(names("published"), ["decided.csv"]);
    let published = fs::read_to_string(folder.path().join("step/published/decided.csv")).expect("a result");
    assert_eq!(published, "b");
}

#[test]
fn a_result_that_cannot_be_published_stays_ready_and_the_next_process_publishes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let folders = open(folder.path());
    let published = folder.path().join("step/published");
    fs::write(folders.claimed("a"), "input").expect("an input");
    let ready = make_ready(&folders, "a", "1", "csv");
    assert!(folders.finish(&ready).expect("finished"));
    fs::remove_dir(&published).expect("removed");
    fs::write(&published, "in the way").expect("a file");
    assert!(folders.publish(&ready).is_err());
    assert!(folders.ready(&ready).exists());
    assert!(folders.claims().is_err(), "the process ends");
    fs::remove_file(&published).expect("removed");
    open(folder.path()).recover().expect("recovered");
    assert_eq!(fs::read_to_string(published.join("a.csv")).expect("a result"), "1");
}

#[test]
fn storage_that_went_away_is_an_error_and_a_file_that_went_away_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let step = folder.path().join("step");
    let folders = open(folder.path());
    assert_eq!(folders.claim(&folder.path().join("nothing.csv"), true).expect("lost"), None);
    fs::write(folder.path().join("a.csv"), "x").expect("a file");
    fs::remove_dir_all(&step).expect("removed");
    assert!(folders.claim(&folder.path().join("a.csv"), true).is_err());
    assert!(folders.claims().is_err());
}

/// The checkpoint of the delivered rows is there wherever a process is killed while a file fails and is tried again.
#[test]
fn a_failed_file_keeps_its_count_and_its_name_until_another_count_goes_on_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let folders = open(folder.path());
    let inbox = |name: &str| folder.path().join(name);
    fs::write(inbox("a.csv"), "input").expect("an input");
    let name = folders.claim(&inbox("a.csv"), true).expect("claimed").expect("a name");
    let pending = |attempt: &str| make_ready(&folders, &name, attempt, PENDING_EXTENSION);
    let first = pending("a");
    fs::write(folders.checkpoint(&first), "count").expect("a count");
    assert!(folders.fail(&name, "reason").expect("failed"));
    assert_eq!(folders.all_ready().expect("ready"), []);
    let kept = fs::read_to_string(folders.kept_checkpoint(&name)).expect("the count");
    assert_eq!(kept, "count");
    folders.recover().expect("recovered");

    fs::rename(folder.path().join("step/failed").join(&name), inbox(&name)).expect("put back");
    let again = folders.claim(&inbox(&name), true).expect("claimed").expect("a name");
    assert_eq!(again, name);
    // A copy is another file, while the first is at work.
    fs::write(inbox(&name), "copy").expect("a copy");
    let copy = folders.claim(&inbox(&name), true).expect("claimed").expect("a name");
    assert_ne!(copy, name);
    // Killed between the pending and its count, twice.
    pending("b");
    folders.recover().expect("recovered");
    let third = pending("c");
    assert!(folders.kept_checkpoint(&name).exists());
    fs::write(folders.checkpoint(&third), "newer").expect("a count");
    folders.replace_pending(&third).expect("superseded");
    assert_eq!(folders.pending_deliveries(&name).expect("pending"), [third]);
    assert!(!folders.kept_checkpoint(&name).exists());

    // Who fails at a file that is gone leaves nothing behind.
    fs::remove_file(folders.claimed(&name)).expect("removed");
    assert!(!folders.fail(&name, "reason").expect("gone"));
    assert_eq!(folders.all_ready().expect("ready"), []);
    assert_eq!(list(&folder.path().join("step/failed")).expect("names"), [""; 0]);
}
