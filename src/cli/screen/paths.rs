//! How the name of a file that is being typed can go on: by what lies in the folder. Only the
//! program's edge looks at the disk, so the screen asks here.

use std::fs;

use crate::cli::screen::save;
use crate::store::CaptureStore;
use crate::tui::filters::Filters;
use crate::tui::question::{Checker, Completion, Fault};
use crate::tui::view::{QuestionKind, Rows};

/// Names that are offered at most: more, nobody steps through.
const NAMES: usize = 200;

/// Completes names of files by the disk; all else is judged as [`Filters`] does.
#[derive(Clone, Copy, Debug)]
pub struct Answers;

impl Checker for Answers {
    fn check(&self, kind: QuestionKind, text: &str) -> Result<(), Fault> {
        Filters.check(kind, text)
    }

    fn complete(
        &self,
        kind: QuestionKind,
        text: &str,
        cursor: usize,
        capture: &CaptureStore,
    ) -> Vec<Completion> {
        if !matches!(kind, QuestionKind::File | QuestionKind::Save) {
            return Filters.complete(kind, text, cursor, capture);
        }
        let begun = text.get(..cursor).unwrap_or_default();
        paths(begun)
            .into_iter()
            .map(|text| Completion { place: 0..cursor, text, hint: "" })
            .collect()
    }

    fn free_name(&self, wanted: &str) -> String {
        save::free_name(wanted)
    }

    fn help(&self, rows: Rows) -> Vec<(String, String)> {
        Filters.help(rows)
    }
}

/// The files and folders whose path begins with `begun`, sorted; a folder ends in `/`.
fn paths(begun: &str) -> Vec<String> {
    let (folder, name) = begun.rfind('/').map_or(("", begun), |at| begun.split_at(at + 1));
    let listed = fs::read_dir(if folder.is_empty() { "." } else { folder });
    let mut paths: Vec<String> = listed
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let found = entry.file_name().into_string().ok()?;
            // What is hidden is offered to who asks for it.
            let is_offered =
                found.starts_with(name) && found.starts_with('.') <= name.starts_with('.');
            let slash = if entry.path().is_dir() { "/" } else { "" };
            is_offered.then(|| format!("{folder}{found}{slash}"))
        })
        .collect();
    paths.sort();
    paths.truncate(NAMES);
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_go_on_by_what_lies_in_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
        let complete = |text: &str| {
            let found =
                Answers.complete(QuestionKind::File, text, text.len(), &CaptureStore::default());
            found.into_iter().map(|found| found.text).collect::<Vec<_>>()
        };
        assert_eq!(complete(&format!("{folder}/jsonso")), [format!("{folder}/jsonsocket/")]);
        assert_eq!(
            complete(&format!("{folder}/walkthrough.p")),
            [format!("{folder}/walkthrough.pcap")]
        );
        assert_eq!(complete(&format!("{folder}/nosuch/")), [""; 0]);
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        assert!(!complete(root).contains(&format!("{root}.gitignore")));
        assert_eq!(complete(&format!("{root}.gitig")), [format!("{root}.gitignore")]);
        // Filters are completed as ever.
        let filter =
            Answers.complete(QuestionKind::Filter(Rows::Calls), "lat", 3, &CaptureStore::default());
        assert_eq!(filter.len(), 1);
    }
}
