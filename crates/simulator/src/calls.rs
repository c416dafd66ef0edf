//! What arrived at WeChat's paths, counted.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::recent::Recent;

/// Longer paths and codes are nobody's honest request and are not counted.
const LONGEST: usize = 256;

/// How often each path was asked and each code was shown.
pub(crate) struct Calls {
    paths: Recent<String, u64>,
    codes: Recent<String, u64>,
}

/// The counts as `GET /simulator/calls` shows them.
#[derive(Serialize)]
pub(crate) struct Counts {
    paths: BTreeMap<String, u64>,
    codes: BTreeMap<String, u64>,
}

impl Calls {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            paths: Recent::new(1000),
            codes: Recent::new(limit),
        }
    }

    pub(crate) fn count_path(&mut self, path: &str) {
        count(&mut self.paths, path);
    }

    pub(crate) fn count_code(&mut self, code: &str) {
        count(&mut self.codes, code);
    }

    pub(crate) fn counts(&self) -> Counts {
        let copy = |counts: &Recent<String, u64>| {
            counts
                .iter()
                .map(|(name, count)| (name.clone(), *count))
                .collect()
        };
        Counts {
            paths: copy(&self.paths),
            codes: copy(&self.codes),
        }
    }

    pub(crate) fn reset(&mut self) {
        self.paths.clear();
        self.codes.clear();
    }
}

fn count(counts: &mut Recent<String, u64>, name: &str) {
    if name.len() <= LONGEST {
        *counts.entry(name.to_owned(), || 0) += 1;
    }
}
