//! Where and within which limits a model is served.

use std::time::Duration;

use super::prefix::PathPrefix;
use crate::flags::{parse_bytes, parse_duration};

/// Where and within which limits a model is served. Every flag has an environment variable, so that a pod can set it.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Serving")]
pub struct ServeOptions {
    /// Address and port to listen on; with port 0 the system chooses a free one.
    #[arg(long, value_name = "HOST:PORT", env = "MLPIPELINE_SERVE_LISTEN", default_value = "127.0.0.1:8000")]
    pub listen: String,

    /// Address and port for probes, which answers nothing but /health and /ready. Callers cannot fill it with connections, as they
    /// can the other, which answers both too.
    #[arg(long, value_name = "HOST:PORT", env = "MLPIPELINE_SERVE_PROBE_LISTEN")]
    pub probe_listen: Option<String>,

    /// Answer below this path too, as an Ingress or a proxy asks that passes paths on whole: with /v1 there is /v1/predict beside
    /// /predict.
    #[arg(long, value_name = "PATH", env = "MLPIPELINE_SERVE_PATH_PREFIX")]
    pub path_prefix: Option<PathPrefix>,

    /// Environment variable that holds the API key which callers of /predict must send; it must be set then. Without this flag
    /// a key is required where MLPIPELINE_API_KEY is set.
    #[arg(long, value_name = "NAME", env = "MLPIPELINE_SERVE_API_KEY_ENV")]
    pub api_key_env: Option<String>,

    /// Ask for the API key for /docs and /openapi.json too, which show the features' names and the ranges of the data that the model
    /// learnt from. They are open otherwise, since a browser sends no key. There must be a key then.
    #[arg(long, env = "MLPIPELINE_SERVE_DOCS_NEED_KEY")]
    pub docs_need_key: bool,

    /// How long to keep answering after SIGTERM while /ready says no, so that load balancers notice: 500ms, 10s, 1m.
    #[arg(long, value_name = "TIME", env = "MLPIPELINE_SERVE_DRAIN_DELAY", default_value = "0s", value_parser = parse_duration)]
    pub drain_delay: Duration,

    /// How long requests in flight may take to end after that; then they are cut off.
    #[arg(long, value_name = "TIME", env = "MLPIPELINE_SERVE_SHUTDOWN_TIMEOUT", default_value = "20s", value_parser = parse_duration)]
    pub shutdown_timeout: Duration,

    /// Largest body of a request.
    #[arg(long, value_name = "SIZE", env = "MLPIPELINE_SERVE_MAX_BODY", default_value = "8MiB", value_parser = parse_bytes)]
    pub max_body: u64,

    /// Most rows of a request.
    #[arg(long, value_name = "ROWS", env = "MLPIPELINE_SERVE_MAX_ROWS", default_value_t = 100_000)]
    pub max_rows: usize,

    /// Most connections at once, as far as the system allows as many files. For a further one, that gives way which is idle for longest,
    /// else one whose request has been on its way for longer than a sixteenth of the body timeout.
    #[arg(long, value_name = "COUNT", env = "MLPIPELINE_SERVE_MAX_CONNECTIONS", default_value_t = 1024)]
    pub max_connections: usize,

    /// How long a connection may go without a whole request head: idle, or sending one slowly. Longer than the idle timeout of
    /// the load balancers in front (nginx and AWS have 60s), which else send requests into connections that are being closed.
    #[arg(long, value_name = "TIME", env = "MLPIPELINE_SERVE_HEAD_TIMEOUT", default_value = "75s", value_parser = parse_duration)]
    pub head_timeout: Duration,

    /// How long a request's body may take to arrive.
    #[arg(long, value_name = "TIME", env = "MLPIPELINE_SERVE_BODY_TIMEOUT", default_value = "30s", value_parser = parse_duration)]
    pub body_timeout: Duration,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        options: ServeOptions,
    }

    fn parse(arguments: &[&str]) -> Result<ServeOptions, clap::Error> {
        let command = Command::try_parse_from(["serve"].iter().chain(arguments))?;
        Ok(command.options)
    }

    #[test]
    fn times_and_sizes_are_written_as_people_do() {
        let arguments = ["--drain-delay", "90s", "--head-timeout", "500ms", "--max-body", "2MiB"];
        let options = parse(&arguments).expect("options");
        assert_eq!(options.max_body, 2 << 20);
        assert_eq!(options.drain_delay, Duration::from_secs(90));
        assert_eq!(options.head_timeout, Duration::from_millis(500));
        for wrong in ["5", "-1s", "soon", ""] {
            assert!(parse(&[&format!("--drain-delay={wrong}")]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_defaults_are_those_of_a_laptop() {
        let options = parse(&[]).expect("options");
        assert_eq!(options.listen, "127.0.0.1:8000");
        assert_eq!(options.drain_delay, Duration::ZERO);
        assert_eq!(options.max_body, 8 << 20);
    }
}
