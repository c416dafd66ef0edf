//! How far long work has come: a bar on a terminal, a line for each tenth elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::complain;

/// Work under way.
pub(crate) struct Progress {
    verb: &'static str,
    total: usize,
    done: usize,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Work on so many people, of which none is done.
    pub(crate) fn start(verb: &'static str, total: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(u64::try_from(total).unwrap_or(u64::MAX));
            let style = ProgressStyle::with_template("{msg} {bar:40} {pos} of {len}, {eta} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.with_message(verb)
        });
        Self {
            verb,
            total,
            done: 0,
            bar,
        }
    }

    /// So many more are done.
    pub(crate) fn add(&mut self, count: usize) {
        let tenths = |done: usize| (done * 10).checked_div(self.total).unwrap_or(0);
        let before = tenths(self.done);
        let after = tenths(self.done + count);
        self.done += count;
        match &self.bar {
            Some(bar) => bar.inc(u64::try_from(count).unwrap_or(u64::MAX)),
            None if after > before => {
                complain(format_args!(
                    "{} {} of {}",
                    self.verb, self.done, self.total
                ));
            }
            None => {}
        }
    }

    /// How many are done.
    pub(crate) fn done(&self) -> usize {
        self.done
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
