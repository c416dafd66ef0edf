//! What is wrong with a file, by line. No problem ever quotes what stands there: most of it is
//! somebody's number or name.

use std::fmt;

/// No more than these are shown.
const SHOWN: usize = 50;

/// All that is wrong with a file.
#[derive(Debug)]
pub(crate) struct Problems {
    /// What the file is called.
    name: String,
    shown: Vec<(u64, String)>,
    more: usize,
}

impl Problems {
    /// None so far.
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            shown: Vec::new(),
            more: 0,
        }
    }

    /// Adds one, of a line counted from 1.
    pub(crate) fn add(&mut self, line: u64, wrong: impl Into<String>) {
        if self.shown.len() < SHOWN {
            self.shown.push((line, wrong.into()));
        } else {
            self.more += 1;
        }
    }

    /// Adds one of a column.
    pub(crate) fn of(&mut self, line: u64, column: &str, wrong: impl fmt::Display) {
        self.add(line, format!("{column}: {wrong}"));
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        writeln!(f, "{name} cannot be imported, and nothing was changed:")?;
        // What only the whole file shows is found after what a line does.
        let mut shown: Vec<_> = self.shown.iter().collect();
        shown.sort_by_key(|(line, _)| *line);
        for (line, wrong) in shown {
            writeln!(f, "{name}:{line}: {wrong}")?;
        }
        match self.more {
            0 => write!(f, "mend the file and run this again"),
            more => write!(f, "and {more} more; mend the file and run this again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_are_shown_and_the_rest_is_counted() {
        let mut problems = Problems::new("a.csv".to_owned());
        assert!(problems.is_empty());
        for line in 1..=50 {
            problems.of(line, "phone", "is wrong");
        }
        let text = problems.to_string();
        assert!(text.contains("\na.csv:50: phone: is wrong\n"), "{text}");
        assert!(!text.contains("more"), "{text}");
        problems.add(51, "is wrong");
        problems.add(52, "is wrong");
        let text = problems.to_string();
        assert!(
            !text.contains(":51:") && text.contains("and 2 more"),
            "{text}"
        );
    }
}
