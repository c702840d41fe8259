//! The HTTP face of the world.

use std::convert::Infallible;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{Full, StreamBody};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::Service;

use super::faults::Mode;
use super::request::Asked;
use super::server_side_apply::Outcome;
use super::state::{Change, Key, State, matches};
use super::{Call, World};

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

impl Service<Request<Body>> for World {
    type Response = Answer;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let world = self.clone();
        async move { Ok(world.serve(request).await) }.boxed()
    }
}

impl World {
    async fn serve(self, request: Request<Body>) -> Answer {
        let request_is_document = request.uri().path().starts_with("/openapi");
        let asked = Asked::read(request.method(), request.uri(), request.headers());
        let bytes = request.into_body().collect_bytes().await.expect("a body");
        let body: Value =
            if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("JSON") };
        // Time passes on the way, as it does in every network.
        tokio::task::yield_now().await;
        if self.faults.lock().expect("a lock").cut_off.contains(&self.who) {
            return std::future::pending().await;
        }
        let version = self.with(|state| state.version);
        let fault = self.faults.lock().expect("a lock").count(version);
        if fault == Some(Mode::OldRelist) {
            self.with(|state| state.wake());
        }
        if request_is_document {
            return respond(
                404,
                UnsyncBoxBody::new(Full::new(Bytes::from(status(404, "NotFound", "").to_string()))),
            );
        }
        if fault == Some(Mode::CrashBefore) {
            return self.crash().await;
        }
        let standing = self.faults.lock().expect("a lock").standing.iter().find_map(
            |(verb, resource, code, message)| {
                let of_namespace = asked.namespace.as_ref().map(|name| format!("{name}/{}", asked.resource));
                let is_meant = *resource == asked.resource || Some(resource) == of_namespace.as_ref();
                (*verb == asked.verb && is_meant).then(|| (*code, message.clone()))
            },
        );
        let (code, value) = match (fault, standing) {
            (Some(Mode::Answer(code)), _) => (code, status(code, "fault", "an injected fault")),
            (_, Some((code, message))) => (code, status(code, reason(code), &message)),
            _ if asked.verb == "list" => {
                // Watches begin with a list in pages, which a server may answer from its memory; any other is of now.
                let is_of_a_watch = asked.query.contains_key("limit");
                self.with(|state| {
                    let newest = state.version;
                    let faults = self.faults.lock().expect("a lock");
                    let listed = if is_of_a_watch { faults.listed_version(newest) } else { newest };
                    (200, list(state, &asked, listed))
                })
            }
            _ => self.with(|state| answer(state, &asked, body)),
        };
        let resource =
            if asked.is_status { format!("{}/status", asked.resource) } else { asked.resource.clone() };
        let name = asked.name.clone().or_else(|| value["metadata"]["name"].as_str().map(str::to_owned));
        let call = Call {
            who: self.who.clone(),
            verb: asked.verb.clone(),
            resource,
            name: name.unwrap_or_default(),
            code,
        };
        self.with(|state| state.trace.push(call));
        match fault {
            Some(Mode::CrashAfter) => return self.crash().await,
            Some(Mode::ResponseLost) => return std::future::pending().await,
            _ => {}
        }
        if asked.verb == "watch" && code == 200 {
            return self.watch(asked);
        }
        respond(code, UnsyncBoxBody::new(Full::new(Bytes::from(value.to_string()))))
    }

    async fn crash(self) -> Answer {
        self.faults.lock().expect("a lock").crashed.send_modify(|crashes| *crashes += 1);
        std::future::pending().await
    }

    /// The changes since a version, and all that follow.
    fn watch(self, asked: Asked) -> Answer {
        let since: u64 = asked.query["resourceVersion"].parse().expect("a version");
        let versions = self.version.clone();
        let begun = self.faults.lock().expect("a lock").ended;
        let lines = stream::unfold(
            (self, asked, Some(since), versions),
            move |(world, asked, since, mut versions)| async move {
                let since = since?;
                loop {
                    let (silent_until, coalesced, ended) = {
                        let faults = world.faults.lock().expect("a lock");
                        (faults.silent_until, faults.coalesced, faults.ended)
                    };
                    if ended != begun {
                        let gone = json!({"type": "ERROR", "object": status(410, "Expired", "too old")});
                        return Some((format!("{gone}\n"), (world, asked, None, versions)));
                    }
                    if let Some(until) = silent_until.filter(|until| *until > Instant::now()) {
                        tokio::time::sleep_until(until).await;
                        continue;
                    }
                    let (lines, until) = world.with(|state| lines(state, &asked, since, coalesced));
                    if !lines.is_empty() {
                        return Some((lines, (world, asked, Some(until), versions)));
                    }
                    if versions.changed().await.is_err() {
                        return None;
                    }
                }
            },
        );
        let frames = lines.map(|lines| Ok(Frame::data(Bytes::from(lines))));
        respond(200, UnsyncBoxBody::new(StreamBody::new(frames)))
    }
}

fn lines(state: &State, asked: &Asked, since: u64, coalesced: bool) -> (String, u64) {
    let selector = asked.query.get("labelSelector").map(String::as_str).unwrap_or_default();
    let mut lines = String::new();
    for change in state.changes.iter().filter(|change| change.version > since) {
        let is_watched = change.key.resource == asked.resource
            && asked.namespace.as_ref().is_none_or(|namespace| *namespace == change.key.namespace);
        if !is_watched {
            continue;
        }
        let is_outcome = |change: &Change| {
            !state.changes.iter().any(|later| later.version > change.version && later.key == change.key)
        };
        // An object that went and came again is reported as deleted first.
        let is_told = !coalesced || change.after.is_none() || is_outcome(change);
        if !is_told {
            continue;
        }
        let was = change.before.as_ref().is_some_and(|value| matches(value, selector));
        let is = change.after.as_ref().is_some_and(|value| matches(value, selector));
        let (kind, mut object) = match (was, is) {
            (false, true) => ("ADDED", change.after.clone().expect("it is")),
            (true, true) => ("MODIFIED", change.after.clone().expect("it is")),
            (true, false) => ("DELETED", change.before.clone().expect("it was")),
            (false, false) => continue,
        };
        object["metadata"]["resourceVersion"] = json!(change.version.to_string());
        lines.push_str(&format!("{}\n", json!({ "type": kind, "object": object })));
    }
    (lines, state.version)
}

/// What a list shows of the world as it was at a version.
fn list(state: &State, asked: &Asked, version: u64) -> Value {
    let selector = asked.query.get("labelSelector").map(String::as_str).unwrap_or_default();
    let items = state.list_at(version, &asked.resource, asked.namespace.as_deref(), selector);
    let metadata = json!({"resourceVersion": version.to_string()});
    json!({"apiVersion": "v1", "kind": "List", "metadata": metadata, "items": items})
}

fn respond(code: u16, body: UnsyncBoxBody<Bytes, Infallible>) -> Answer {
    Response::builder()
        .status(code)
        .header("content-type", "application/json")
        .body(body)
        .expect("a response")
}

fn reason(code: u16) -> &'static str {
    match code {
        401 => "Unauthorized",
        403 => "Forbidden",
        422 => "Invalid",
        _ => "InternalError",
    }
}

fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message})
}

/// Does what was asked.
fn answer(state: &mut State, asked: &Asked, body: Value) -> (u16, Value) {
    let namespace = asked.namespace.clone().unwrap_or_default();
    let named = asked.name.clone().or_else(|| body["metadata"]["name"].as_str().map(str::to_owned));
    let key = Key::new(&asked.resource, &namespace, named.as_deref().unwrap_or_default());
    let missing = || (404, status(404, "NotFound", &format!("{} not found", key.name)));
    match asked.verb.as_str() {
        "watch" => (200, Value::Null),
        "get" => match state.objects.get(&key).cloned() {
            Some(mut value) => {
                value["metadata"]["managedFields"] = state.managed_fields(&key);
                (200, value)
            }
            None => missing(),
        },
        "create" if state.objects.contains_key(&key) => {
            (409, status(409, "AlreadyExists", &format!("{} already exists", key.name)))
        }
        "create" => (201, state.create(&key, body)),
        "update" => match state.objects.get(&key) {
            None => missing(),
            Some(before) if before["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"] => {
                (409, status(409, "Conflict", "the object has been modified"))
            }
            Some(_) => (200, state.update(&key, body)),
        },
        "patch" => patch(state, asked, &key, body),
        "delete" => match state.objects.get(&key).cloned() {
            None => missing(),
            Some(before) => {
                let wanted = &body["preconditions"]["uid"];
                if !wanted.is_null() && *wanted != before["metadata"]["uid"] {
                    return (409, status(409, "Conflict", "the uid in the precondition does not match"));
                }
                if before["metadata"]["finalizers"].as_array().is_some_and(|held| !held.is_empty()) {
                    let now = json!(state.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
                    state.edit(&key, |going| going["metadata"]["deletionTimestamp"] = now);
                    return (200, state.objects[&key].clone());
                }
                state.delete(&key);
                (200, json!({"apiVersion": "v1", "kind": "Status", "status": "Success"}))
            }
        },
        other => panic!("nobody asks to {other}"),
    }
}

fn patch(state: &mut State, asked: &Asked, key: &Key, body: Value) -> (u16, Value) {
    let exists = state.objects.contains_key(key);
    if asked.is_status && !exists {
        return (404, status(404, "NotFound", "not found"));
    }
    let Some(manager) = asked.query.get("fieldManager").cloned() else {
        // Only events are patched otherwise.
        return (200, body);
    };
    if asked.is_merge && !asked.is_status {
        return match state.merge_patch(key, body) {
            Some(Outcome::Done(value)) => (200, value),
            Some(Outcome::Conflict(message)) => (409, status(409, "Conflict", &message)),
            None => (404, status(404, "NotFound", "not found")),
        };
    }
    let force = asked.query.get("force").is_some_and(|force| force == "true");
    match state.apply(key, &manager, body, force, asked.is_status) {
        Outcome::Done(value) => (if exists { 200 } else { 201 }, value),
        Outcome::Conflict(message) => (409, status(409, "Conflict", &message)),
    }
}
