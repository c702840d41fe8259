//! Folders after a crash at any moment.

use super::*;

/// Of two attempts at one file only the first to finish counts, wherever a process was killed in between.
#[test]
fn recovery_publishes_what_counts_and_removes_what_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let folders = Folders::create(folder.path()).expect("folders");
    let ready = |name: &str, attempt: &str| {
        let ready = Ready { name: name.into(), attempt: attempt.into(), extension: "csv".into() };
        fs::write(folders.draft(attempt), attempt).expect("a draft");
        folders.complete(&ready).expect("complete");
        ready
    };
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
        let mut names = list(&folder.path().join(name)).expect("names");
        names.sort();
        names
    };
    assert_eq!(names("claimed"), ["undecided"]);
    assert_eq!(names("ready"), ["undecided~a.csv"]);
    assert_eq!(names("done"), ["decided~b"]);
    assert_eq!(names("published"), ["decided.csv"]);
    let published = fs::read_to_string(folder.path().join("published/decided.csv")).expect("a result");
    assert_eq!(published, "b");
}

#[test]
fn storage_that_went_away_is_an_error_and_a_file_that_went_away_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let step = folder.path().join("step");
    let folders = Folders::create(&step).expect("folders");
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
    let folders = Folders::create(&folder.path().join("step")).expect("folders");
    let inbox = |name: &str| folder.path().join(name);
    fs::write(inbox("a.csv"), "input").expect("an input");
    let name = folders.claim(&inbox("a.csv"), true).expect("claimed").expect("a name");
    let pending = |attempt: &str| {
        let ready =
            Ready { name: name.clone(), attempt: attempt.into(), extension: PENDING_EXTENSION.into() };
        fs::write(folders.draft(attempt), "rows").expect("a draft");
        folders.complete(&ready).expect("complete");
        ready
    };
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
