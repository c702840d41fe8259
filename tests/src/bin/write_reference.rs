//! Writes the generated pages of the documentation into a folder.

use std::path::PathBuf;

use anyhow::Context;

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).context("usage: write-reference FOLDER")?);
    std::fs::create_dir_all(&folder)?;
    for (name, content) in mlpipeline_tests::reference::pages() {
        std::fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}
