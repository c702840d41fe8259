//! The process: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    kubectl_mlpipeline::run(std::env::args_os())
}
