//! Settings as they were given, each with the place it comes from, and how one layer of them lies
//! over another. What they mean is for others to say.

use std::{collections::BTreeMap, path::PathBuf};

use super::{keys, problem::Place};

/// A value of the kind that its key has. Has no `Debug`: it may be a secret.
#[derive(Clone)]
pub(super) enum Value {
    /// A string.
    Text(String),
    /// A list of strings.
    Texts(Vec<String>),
    /// An integer.
    Whole(i64),
    /// A number.
    Number(f64),
    /// A boolean.
    Switch(bool),
    /// Something was given, and is a problem already: the key is not missing.
    Unusable,
}

/// A value and where it was given.
#[derive(Clone)]
pub(super) struct Setting {
    /// What.
    pub(super) value: Value,
    /// Where.
    pub(super) place: Place,
}

/// Settings whose keys stand side by side: those of one section of a list, or all the others.
#[derive(Clone)]
pub(super) struct Scope {
    /// What comes before each key in its full name: nothing, or `wechat.apps[0].`.
    pub(super) prefix: String,
    /// Where a key that is missing should stand.
    pub(super) place: Place,
    /// By key.
    pub(super) settings: BTreeMap<&'static str, Setting>,
}

impl Scope {
    /// An empty one.
    pub(super) fn new(prefix: String, place: Place) -> Self {
        Self {
            prefix,
            place,
            settings: BTreeMap::new(),
        }
    }

    /// The text of a key, if it has one.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.settings.get(key)?.value {
            Value::Text(ref text) => Some(text),
            _ => None,
        }
    }

    /// Lays another over it. Another appid, say, makes it another mini program, which must not
    /// inherit the secret of the one that stood there.
    fn overlay(&mut self, over: Self, identity: &str) {
        if over.text(identity).is_some() && over.text(identity) != self.text(identity) {
            *self = over;
        } else {
            self.settings.extend(over.settings);
        }
    }
}

/// What one source says, or several laid over each other.
#[derive(Clone)]
pub(super) struct Layer {
    /// All outside of the lists; keys have their section in front.
    pub(super) root: Scope,
    /// The sections of lists, by the list's name and their place in it.
    pub(super) lists: BTreeMap<(&'static str, usize), Scope>,
    /// The file that it was read from, if it holds secrets and everybody on the machine can
    /// read it.
    pub(super) open_file: Option<PathBuf>,
}

impl Default for Layer {
    fn default() -> Self {
        Self {
            root: Scope::new(String::new(), Place::Unset),
            lists: BTreeMap::new(),
            open_file: None,
        }
    }
}

impl Layer {
    /// Lays another over it; what both have set, the other one decides.
    pub(super) fn overlaid(mut self, over: Self) -> Self {
        self.root.settings.extend(over.root.settings);
        for (place, scope) in over.lists {
            let identity = keys::list(place.0).map_or("", |list| list.identity);
            match self.lists.get_mut(&place) {
                Some(under) => under.overlay(scope, identity),
                None => drop(self.lists.insert(place, scope)),
            }
        }
        self
    }

    /// The sections of one list, in order.
    pub(super) fn list(&self, name: &'static str) -> impl Iterator<Item = &Scope> {
        let range = self.lists.range((name, 0)..=(name, usize::MAX));
        range.map(|(_, scope)| scope)
    }
}
