//! The generated pages of `docs/reference/`: the resource's fields from its schema, the programs' flags from their help.

mod commands;
mod schema;

/// The generated pages: file name and content.
#[must_use]
pub fn pages() -> Vec<(&'static str, String)> {
    vec![("mlpipeline.md", schema::page()), ("commands.md", commands::page())]
}
