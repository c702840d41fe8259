//! The operator's binary.
use clap::{Parser, Subcommand};
use std::io::Write;

/// Makes true what MLPipeline resources ask for.
#[derive(Parser)]
#[command(name = "mlpipeline-operator", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Print the CustomResourceDefinition as YAML.
    Crd,
}

fn main() -> anyhow::Result<()> {
    if let Some(Command::Crd) = Arguments::parse().command {
        std::io::stdout().write_all(mlpipeline_operator::shell::crd_file::crd_yaml()?.as_bytes())?;
    }
    Ok(())
}
