//! Takes settings out of a scope: with the default for what was not given, and a problem for what
//! is out of bounds. A default also stands in for what is wrong, so that the rest can be checked.

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

use super::{
    problem::{Place, Problems},
    settings::{Scope, Setting, Value},
};

/// A scope that is being read, and what was found wrong with it.
pub(super) struct Reader<'a> {
    scope: &'a Scope,
    problems: &'a mut Problems,
}

/// One of two keys that say the same thing in two ways.
pub(super) enum Either<'a> {
    /// The value itself was given.
    Inline(&'a Setting),
    /// A file that holds the value was named.
    File(&'a Setting),
}

impl<'a> Reader<'a> {
    /// A reader of one scope.
    pub(super) fn new(scope: &'a Scope, problems: &'a mut Problems) -> Self {
        Self { scope, problems }
    }

    /// Says that something is wrong with a key.
    pub(super) fn refuse(&mut self, key: &str, wrong: impl Into<String>) {
        let given = self.scope.settings.get(key);
        let place = given.map_or(&self.scope.place, |setting| &setting.place);
        let key = format!("{}{key}", self.scope.prefix);
        self.problems.add(place, &key, wrong);
    }

    /// What was given for a key.
    pub(super) fn given(&self, key: &str) -> Option<&'a Setting> {
        self.scope.settings.get(key)
    }

    /// Whether anything but an empty text was given for a key, right or wrong.
    pub(super) fn is_filled(&self, key: &str) -> bool {
        self.given(key).is_some() && self.scope.text(key) != Some("")
    }

    /// Whether a list without anything in it was given.
    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        let value = self.given(key).map(|setting| &setting.value);
        matches!(value, Some(Value::Texts(texts)) if texts.is_empty())
    }

    /// Where a key was given, or should have been.
    pub(super) fn place(&self, key: &str) -> &'a Place {
        self.given(key)
            .map_or(&self.scope.place, |setting| &setting.place)
    }

    /// What `parse` makes of a text, or the default.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        key: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> T {
        let Some(text) = self.scope.text(key) else {
            return default;
        };
        parse(text).unwrap_or_else(|wrong| {
            self.refuse(key, wrong.to_string());
            default
        })
    }

    /// What `parse` makes of a text; `None` if it is not given or empty.
    pub(super) fn unless_empty<T, E: Display>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.parsed(key, None, |text| match text {
            "" => Ok(None),
            text => parse(text).map(Some),
        })
    }

    /// What `parse` makes of a text that must be given; `None` has been said to be a problem.
    pub(super) fn required<T, E: Display>(
        &mut self,
        key: &str,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.given(key).is_none() {
            self.refuse(key, format!("is missing: {example}"));
        }
        self.parsed(key, None, |text| parse(text).map(Some))
    }

    /// What `parse` makes of each text of a list.
    pub(super) fn list<T, E: Display>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let Some(Value::Texts(texts)) = self.given(key).map(|setting| &setting.value) else {
            return Vec::new();
        };
        let mut parsed = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            match parse(text) {
                Ok(item) => parsed.push(item),
                Err(wrong) => self.refuse(key, format!("number {} {wrong}", index + 1)),
            }
        }
        parsed
    }

    /// A whole number within bounds, or the default.
    pub(super) fn whole(&mut self, key: &str, default: u32, bounds: RangeInclusive<u32>) -> u32 {
        let Some(Value::Whole(number)) = self.given(key).map(|setting| &setting.value) else {
            return default;
        };
        match u32::try_from(*number) {
            Ok(number) if bounds.contains(&number) => number,
            _ => {
                let (least, most) = bounds.into_inner();
                self.refuse(key, format!("has to be between {least} and {most}"));
                default
            }
        }
    }

    /// A whole number that JavaScript holds exactly; `None` if it is not given, or wrong.
    pub(super) fn exact(&mut self, key: &str) -> Option<i64> {
        const MOST: i64 = (1 << 53) - 1;
        let Some(Value::Whole(number)) = self.given(key).map(|setting| &setting.value) else {
            return None;
        };
        if !(-MOST..=MOST).contains(number) {
            self.refuse(key, format!("has to be between -{MOST} and {MOST}"));
            return None;
        }
        Some(*number)
    }

    /// Whole seconds within bounds, or the default.
    pub(super) fn seconds(
        &mut self,
        key: &str,
        default: u32,
        bounds: RangeInclusive<u32>,
    ) -> Duration {
        Duration::from_secs(self.whole(key, default, bounds).into())
    }

    /// Seconds and parts of them within bounds, or the default.
    pub(super) fn fraction(
        &mut self,
        key: &str,
        default: f64,
        bounds: RangeInclusive<f64>,
    ) -> Duration {
        let number = match self.given(key).map(|setting| &setting.value) {
            Some(Value::Number(number)) if bounds.contains(number) => *number,
            Some(Value::Number(_)) => {
                let (least, most) = bounds.into_inner();
                self.refuse(key, format!("has to be between {least} and {most} seconds"));
                default
            }
            _ => default,
        };
        Duration::from_secs_f64(number)
    }

    /// A switch, or the default.
    pub(super) fn switch(&self, key: &str, default: bool) -> bool {
        match self.given(key).map(|setting| &setting.value) {
            Some(Value::Switch(switch)) => *switch,
            _ => default,
        }
    }

    /// Which of two keys counts: the one that was given, or of two the one from the upper layer.
    /// Both in one layer is a problem, and none at all if there are words for it.
    pub(super) fn either(
        &mut self,
        inline: &str,
        file: &str,
        missing: Option<&str>,
    ) -> Option<Either<'a>> {
        match (self.given(inline), self.given(file)) {
            (Some(value), Some(named)) => match value.place.layer().cmp(&named.place.layer()) {
                std::cmp::Ordering::Greater => Some(Either::Inline(value)),
                std::cmp::Ordering::Less => Some(Either::File(named)),
                std::cmp::Ordering::Equal => {
                    let wrong = format!("stands beside {inline}: keep one of the two");
                    self.refuse(file, wrong);
                    None
                }
            },
            (Some(value), None) => Some(Either::Inline(value)),
            (None, Some(named)) => Some(Either::File(named)),
            (None, None) => {
                if let Some(missing) = missing {
                    self.refuse(inline, missing);
                }
                None
            }
        }
    }
}
