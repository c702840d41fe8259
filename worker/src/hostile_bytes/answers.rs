//! Answers of servers, changed at random from their first line to their last byte.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mlpipeline_crds::{ExitCode, Format};
use proptest::prelude::*;

use super::change::{Change, apply, change};
use super::targets::{context_of, read_source, source_of};
use crate::credentials::Secrets;
use crate::network::Network;

/// The longest that reading may take, whatever the answer: many times the time-outs of the network below.
const PATIENCE: Duration = Duration::from_secs(60);

const ROWS: &str = "a,b\n1,2\n3,4\n";

/// Which of the answers is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Listing,
    /// A listing that says that more follows, every time.
    EndlessListing,
    Object,
    Page,
}

impl Answer {
    /// The good answer.
    fn bytes(self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::Listing => ("application/xml", listing("<IsTruncated>false</IsTruncated>")),
            Self::EndlessListing => {
                let more =
                    "<IsTruncated>true</IsTruncated><NextContinuationToken>more</NextContinuationToken>";
                ("application/xml", listing(more))
            }
            Self::Object | Self::Page => ("text/csv", ROWS.to_owned()),
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nETag: \"1\"\r\n\
             Last-Modified: Sat, 31 Jan 2026 10:00:00 GMT\r\nConnection: close\r\n\r\n",
            body.len()
        );
        (head + &body).into_bytes()
    }

    /// The answer that a request for a path wants.
    fn wanted(request: &str) -> Self {
        if request.contains("list-type") {
            Self::Listing
        } else if request.contains("page.csv") {
            Self::Page
        } else {
            Self::Object
        }
    }
}

fn listing(end: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><Name>bucket</Name><Prefix>rows/</Prefix><KeyCount>1</KeyCount>\
         <MaxKeys>1000</MaxKeys>{end}<Contents><Key>rows/a.csv</Key><LastModified>2026-01-31T10:00:00.000Z</LastModified>\
         <ETag>\"1\"</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>",
        ROWS.len()
    )
}

/// Serves the good answers, but for one kind that is changed. It ends when nobody can reach it any longer.
fn serve(changed: Answer, changes: Arc<[Change]>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            if answer(&stream, changed, &changes).is_none() {
                return;
            }
        }
    });
    address
}

/// Answers one request; `None` when that was the last.
fn answer(mut stream: &TcpStream, changed: Answer, changes: &[Change]) -> Option<()> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    if request == "the end" {
        return None;
    }
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    drop(head);
    let mut wanted = Answer::wanted(&request);
    if wanted == Answer::Listing && changed == Answer::EndlessListing {
        wanted = changed;
    }
    let bytes = if wanted == changed { apply(wanted.bytes(), changes) } else { wanted.bytes() };
    // Who asked may have gone.
    let _ = stream.write_all(&bytes);
    Some(())
}

/// Reads from a server that changes one of its answers. How many rows there were, or the error.
fn read(changed: Answer, changes: Vec<Change>, folder: &Path) -> Result<usize, crate::failure::StepError> {
    let address = serve(changed, changes.into());
    let network = Network {
        allowed: vec!["127.0.0.0/8".parse().expect("a range")],
        connect_timeout: Duration::from_secs(2),
        idle_timeout: Duration::from_secs(2),
        attempts: 2,
        fetch_timeout: Duration::from_secs(10),
        backoff: Duration::from_millis(1),
        ..Network::default()
    };
    let variables = [
        ("AWS_ENDPOINT_URL", format!("http://{address}")),
        ("AWS_ACCESS_KEY_ID", "key".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ("AWS_REGION", "eu-central-1".to_owned()),
    ];
    let secrets = Secrets::of(variables.map(|(name, value)| (name.into(), value.into())));
    let context = context_of(folder, network, secrets);
    let uri = match changed {
        Answer::Page => format!("http://{address}/page.csv"),
        Answer::Object | Answer::Listing | Answer::EndlessListing => "s3://bucket/rows/*.csv".to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let found = runtime.block_on(async {
        tokio::time::timeout(PATIENCE, read_source(&source_of(uri, Some(Format::Csv), None), &context))
            .await
            .expect("an end")
    });
    let mut last = TcpStream::connect(address).expect("the server");
    last.write_all(b"the end\n\n").expect("the server reads");
    found
}

#[test]
fn good_answers_are_read_and_a_listing_without_an_end_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for answer in [Answer::Listing, Answer::Object, Answer::Page] {
        assert_eq!(read(answer, Vec::new(), folder.path()).expect("rows"), 2, "{answer:?}");
    }
    let error = read(Answer::EndlessListing, Vec::new(), folder.path()).expect_err("no end");
    assert_ne!(error.exit_code, ExitCode::Internal, "{}", error.message);
}

proptest! {
    #[test]
    fn a_changed_answer_of_a_server_has_rows_or_says_what_is_wrong_with_it(
        answer in prop::sample::select(vec![Answer::Listing, Answer::Object, Answer::Page]),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        if let Err(error) = read(answer, changes, folder.path()) {
            prop_assert_ne!(error.exit_code, ExitCode::Internal, "{:?}: {}", answer, error.message);
        }
    }
}
