//! HTTP on this machine alone: a server of files, and a client, for the demo and for tests.
//!
//! A bare machine has neither a file server nor curl. This one listens on loopback only, answers GET, and never leaves its
//! folder.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

const USAGE: &str = "usage: loopback serve FOLDER [PORT]     serve files at the URL that is printed
       loopback request URL [JSON]     GET, or POST where there is a body; prints the answer";

/// How long the client waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", folder] => serve(folder, 0),
        ["serve", folder, port] => serve(folder, port.parse().context("the port is not a number")?),
        ["request", url] => request(url, None),
        ["request", url, body] => request(url, Some(body)),
        _ => bail!(USAGE),
    }
}

fn serve(folder: &str, port: u16) -> anyhow::Result<()> {
    let root = Path::new(folder).canonicalize().with_context(|| format!("cannot open {folder}"))?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        println!("http://{}", listener.local_addr()?);
        axum::serve(listener, Router::new().fallback(answer).with_state(root)).await?;
        Ok(())
    })
}

async fn answer(State(root): State<PathBuf>, uri: Uri) -> Response {
    let relative = Path::new(uri.path().trim_start_matches('/'));
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    // Links are followed before the check, so that none leads out of the folder.
    let file = root.join(relative).canonicalize().ok().filter(|file| plain && file.starts_with(&root));
    let content = match file {
        Some(file) => tokio::fs::read(file).await.ok(),
        None => None,
    };
    match content {
        Some(bytes) => ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response(),
        None => (StatusCode::NOT_FOUND, "there is no such file\n").into_response(),
    }
}

fn request(url: &str, body: Option<&str>) -> anyhow::Result<()> {
    let (host, path) = url
        .strip_prefix("http://")
        .map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        .with_context(|| format!("\"{url}\" is not an http:// URL"))?;
    let method = if body.is_some() { "POST" } else { "GET" };
    let body = body.unwrap_or_default();
    let mut stream = TcpStream::connect(host).with_context(|| format!("{host} does not answer"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "{method} /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).with_context(|| format!("{host} broke off"))?;
    let (head, content) = answer.split_once("\r\n\r\n").context("the answer is not HTTP")?;
    println!("{}", content.trim_end());
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        bail!("{url} answered {status}");
    }
    Ok(())
}
