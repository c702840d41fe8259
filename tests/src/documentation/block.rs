//! Fenced blocks of Markdown pages.

use std::fs;
use std::path::{Path, PathBuf};

/// One fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The line of the opening fence, from 1.
    pub line: usize,
    /// The first word after the fence: "yaml", "console".
    pub language: String,
    /// The other words after it.
    pub words: Vec<String>,
    /// What is between the fences.
    pub text: String,
}

impl Block {
    /// The name under which the reader saves the block.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix("title="))
    }

    /// Whether the block's command keeps running.
    #[must_use]
    pub fn is_background(&self) -> bool {
        self.words.iter().any(|word| word == "background")
    }
}

/// The fenced blocks of a page, in order.
#[must_use]
pub fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(information)) => {
                let mut words = information.split_whitespace().map(str::to_owned);
                let language = words.next().unwrap_or_default();
                open = Some(Block { line: index + 1, language, words: words.collect(), text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// Every Markdown page of the repository that people read, by path, in order.
#[must_use]
pub fn pages(repository: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in entries(repository) {
        if is_page(&entry) {
            found.push(entry);
        }
    }
    for folder in ["docs", "deploy"] {
        walk(&repository.join(folder), &mut found);
    }
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in entries(folder) {
        if entry.is_dir() {
            walk(&entry, found);
        } else if is_page(&entry) {
            found.push(entry);
        }
    }
}

fn is_page(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|extension| extension == "md")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> = listed.collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_carry_their_language_words_and_line() {
        let page =
            "# Title\n\n```yaml title=a.yaml\nkind: X\n```\ntext\n```console background\n$ true\n```\n";
        let found = blocks(page);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].line, found[0].language.as_str(), found[0].title()),
            (3, "yaml", Some("a.yaml"))
        );
        assert_eq!(found[0].text, "kind: X\n");
        assert!(found[1].is_background());
    }
}
