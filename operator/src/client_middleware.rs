//! What every call to the API server passes through: the fence before a write, a timeout, metrics, and `Retry-After`.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response, header};
use kube::client::Body;
use tokio::time::Instant;
use tower::{BoxError, Layer, Service};
use tracing::Instrument;

use super::election::fence::Fence;
use super::metrics::Metrics;
use super::throttle::Throttle;
use super::traces::spans;

/// The longest that the head of a response may take. A watch responds at once and then stays open.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The layer of a client that every call passes through.
#[derive(Clone)]
pub struct ClientMiddleware {
    /// Whether this process may write.
    pub fence: Fence,
    /// Where calls are counted.
    pub metrics: Arc<Metrics>,
    /// Where `Retry-After` is noted.
    pub throttle: Arc<Throttle>,
}

impl<S> Layer<S> for ClientMiddleware {
    type Service = MiddlewareService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MiddlewareService { inner, middleware: self.clone() }
    }
}

/// The service that [`ClientMiddleware`] makes.
#[derive(Clone)]
pub struct MiddlewareService<S> {
    inner: S,
    middleware: ClientMiddleware,
}

/// A call without a response in time.
#[derive(Debug, thiserror::Error)]
#[error("the API server did not respond within {} s", .0.as_secs())]
struct TimedOut(Duration);

impl<S, B> Service<Request<Body>> for MiddlewareService<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = request.method().clone();
        let deadline = match self.middleware.deadline(&request) {
            Ok(deadline) => deadline,
            Err(fenced) => return std::future::ready(Err(fenced)).boxed(),
        };
        let span = spans::call(&request);
        let response = self.inner.call(request);
        let (middleware, call_span) = (self.middleware.clone(), span.clone());
        async move {
            let response = match tokio::time::timeout_at(deadline, response).await {
                Ok(response) => response.map_err(Into::into),
                Err(_) => Err(BoxError::from(TimedOut(TIMEOUT))),
            };
            middleware.note(&method, &response);
            spans::responded(&call_span, &response);
            response
        }
        .instrument(span)
        .boxed()
    }
}

impl ClientMiddleware {
    /// The deadline of a call, if it may be sent at all.
    fn deadline<B>(&self, request: &Request<B>) -> Result<Instant, BoxError> {
        let own = Instant::now() + TIMEOUT;
        // The lease itself opens the fence.
        let is_lease = request.uri().path().starts_with("/apis/coordination.k8s.io/");
        if request.method() == Method::GET || is_lease {
            return Ok(own);
        }
        Ok(self.fence.deadline()?.map_or(own, |fence| fence.min(own)))
    }

    fn note<B>(&self, method: &Method, response: &Result<Response<B>, BoxError>) {
        match response {
            Ok(response) => {
                self.metrics.request(method.as_str(), response.status().as_str());
                if matches!(response.status().as_u16(), 429 | 503) {
                    let wait =
                        response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
                    if let Some(seconds) = wait.and_then(seconds) {
                        self.throttle.retry_after(Duration::from_secs(seconds));
                    }
                }
            }
            Err(_) => self.metrics.request(method.as_str(), "<error>"),
        }
    }
}

/// The seconds of `Retry-After`, in which alone the API server writes it; a number too large to be read is still a number, and the
/// throttle has a limit.
fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|sign| sign.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tower::{ServiceExt, service_fn};

    fn middleware(fence: Fence) -> ClientMiddleware {
        let metrics = Arc::new(Metrics::new(None).expect("metrics"));
        ClientMiddleware { fence, metrics, throttle: Arc::default() }
    }

    fn request(method: Method, path: &str) -> Request<Body> {
        Request::builder().method(method).uri(path).body(Body::empty()).expect("a request")
    }

    #[tokio::test(start_paused = true)]
    async fn s10_no_write_is_sent_without_the_lease_and_reads_are() {
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sent);
        let server = service_fn(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, Infallible>(Response::new(())) }
        });
        let service = middleware(Fence::closed()).layer(server);
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = service.clone().oneshot(request(method, "/api/v1/namespaces/a/pods")).await;
            assert!(answer.expect_err("fenced").is::<crate::election::fence::NotLeading>());
        }
        assert_eq!(sent.load(Ordering::SeqCst), 0);
        let lease = "/apis/coordination.k8s.io/v1/namespaces/a/leases/x";
        assert!(service.clone().oneshot(request(Method::PUT, lease)).await.is_ok());
        assert!(service.oneshot(request(Method::GET, "/api/v1/pods")).await.is_ok());
        assert_eq!(sent.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_ends_and_a_write_ends_before_the_lease_does() {
        let hangs = service_fn(|_| std::future::pending::<Result<Response<()>, Infallible>>());
        let fence = Fence::closed();
        let service = middleware(fence.clone()).layer(hangs);
        let started = Instant::now();
        service.clone().oneshot(request(Method::GET, "/api/v1/pods")).await.expect_err("it hangs");
        assert_eq!(started.elapsed(), TIMEOUT);
        fence.open_until(Instant::now() + Duration::from_secs(3));
        let started = Instant::now();
        service.oneshot(request(Method::POST, "/api/v1/pods")).await.expect_err("it hangs");
        assert_eq!(started.elapsed(), Duration::from_secs(3));
    }

    #[test]
    fn a_pause_that_is_too_long_to_be_read_is_a_long_one() {
        for (text, expected) in
            [(" 7 ", Some(7)), ("99999999999999999999999", Some(u64::MAX)), ("", None), ("-1", None)]
        {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn q4_retry_after_is_noted_and_every_call_is_counted() {
        let busy = service_fn(|_| async {
            let response = Response::builder().status(429).header(header::RETRY_AFTER, "7").body(());
            Ok::<_, Infallible>(response.expect("a response"))
        });
        let middleware = middleware(Fence::open());
        let answer = middleware.layer(busy).oneshot(request(Method::GET, "/api/v1/pods")).await;
        assert_eq!(answer.expect("an answer").status(), 429);
        assert_eq!(middleware.throttle.remaining(), Duration::from_secs(7));
        let text = middleware.metrics.text();
        assert!(text.contains("rest_client_requests_total{code=\"429\",method=\"GET\"} 1"), "{text}");
    }
}
