//! How connections to the API server are treated. Owns their settings; must not send anything.

use std::time::Duration;

use kube::Config;

/// The longest that the API server may be silent on a connection that something is awaited on.
///
/// A connection can be lost without a word: a node, a load balancer or a NAT table forgets it, and who only reads never notices. The API server sends
/// a bookmark on every watch about once a minute; the first one came after two minutes on some watches of Kubernetes 1.35. A longer silence means that
/// nobody is there.
const SILENCE: Duration = Duration::from_secs(150);

/// The length of a watch of what the API server sends no bookmarks for, in seconds: the server ends it before it was silent for too long.
pub const WATCH_WITHOUT_BOOKMARKS: u32 = 120;

/// Sets what the operator's client does about failures of a connection.
pub fn configure(config: &mut Config) {
    // The operator repeats failed calls and reports why; repeats in the client would hide that.
    config.default_retry = false;
    config.read_timeout = Some(SILENCE);
    // Otherwise the time that a connection lay idle would count against the response to the next call.
    config.reset_reader_on_write = true;
}
