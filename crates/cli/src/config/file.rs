//! The configuration file, from text to a layer of settings: syntax, unknown keys, kinds of
//! values, and on which line each thing stands.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    keys::{self, Kind, List},
    problem::{Place, Problems},
    secrets::open_to_others,
    settings::{Layer, Scope, Setting, Value},
};

/// A name that is longer than this is no slip of the pen. It is left unsaid, for it may be a
/// secret that slid to the left of an equals sign.
const LONGEST_NAME: usize = 30;

/// No configuration is larger than this, and what is read stays bounded.
const LARGEST: u64 = 1024 * 1024;

/// Reads a configuration file, or says why it cannot be read.
pub(super) fn read(path: &Path, problems: &mut Problems) -> Option<Layer> {
    let whole: Arc<Path> = path.into();
    let place = |line| Place::File {
        path: Arc::clone(&whole),
        line,
    };
    let (text, open_file) = match contents(path) {
        Ok(contents) => contents,
        Err(error) => {
            problems.add(&place(0), "", unreadable(&error));
            return None;
        }
    };
    let mut layer = parse(&text, &place, problems)?;
    layer.open_file = open_file.filter(|_| holds_secrets(&layer));
    Some(layer)
}

/// Takes the defaults that a command brings along.
pub(super) fn read_defaults(defaults: &toml::Table, problems: &mut Problems) -> Option<Layer> {
    parse(&defaults.to_string(), &|_| Place::Command, problems)
}

/// The text, and the path if others on this machine can read it too.
fn contents(path: &Path) -> io::Result<(String, Option<PathBuf>)> {
    let file = File::open(path)?;
    let open = open_to_others(&file.metadata()?).then(|| path.to_owned());
    let mut text = String::new();
    if file.take(LARGEST + 1).read_to_string(&mut text)? as u64 > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok((text, open))
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "there is no such file (`menjin init` writes one, --config names another)".to_owned()
        }
        io::ErrorKind::InvalidData => "is not UTF-8 text".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// Whether the file itself holds something that nobody else may read.
fn holds_secrets(layer: &Layer) -> bool {
    let scopes = layer.lists.values().chain([&layer.root]);
    let mut given = scopes.flat_map(|scope| scope.settings.iter());
    given.any(|(key, setting)| match &setting.value {
        Value::Text(text) => keys::is_secret(key, Some(text)),
        _ => keys::is_secret(key, None),
    })
}

fn parse(text: &str, place: &dyn Fn(usize) -> Place, problems: &mut Problems) -> Option<Layer> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let line = |offset: usize| {
        let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
        before.split(|byte| *byte == b'\n').count()
    };
    if !errors.is_empty() {
        for error in errors {
            // `Display` would quote the line, and with it a secret; the message quotes nothing.
            let line = error.span().map_or(0, |span| line(span.start));
            let message = error.message();
            // `menjin init` writes every section, so that a pasted one is there twice.
            let hint = match message {
                "duplicate key" => ": it stands further up already, change it there",
                _ => "",
            };
            let wrong = format!("is not TOML here: {message}{hint}");
            problems.add(&place(line), "", wrong);
        }
        return None;
    }
    let mut layer = Layer::default();
    layer.root.place = place(0);
    let mut walk = Walk {
        layer,
        at: &|offset| place(line(offset)),
        problems,
    };
    walk.table(table.get_ref(), "");
    Some(walk.layer)
}

/// A walk through the tables of a file.
struct Walk<'a> {
    layer: Layer,
    /// From an offset in the text to a place.
    at: &'a dyn Fn(usize) -> Place,
    problems: &'a mut Problems,
}

impl Walk<'_> {
    /// Everything outside of the lists.
    fn table(&mut self, table: &DeTable<'_>, section: &str) {
        for (name, value) in table {
            let place = (self.at)(name.span().start);
            let path = match section {
                "" => name.get_ref().to_string(),
                section => format!("{section}.{}", name.get_ref()),
            };
            if let Some((key, kind)) = keys::find(&path) {
                let value = self.value(kind, value, &place, key);
                let setting = Setting { value, place };
                self.layer.root.settings.insert(key, setting);
            } else if let Some(list) = keys::list(&path) {
                self.list(list, value, &place);
            } else if !keys::is_section(&path) {
                self.problems.add(&place, &shown(&path), unknown(&path));
            } else if let DeValue::Table(inner) = value.get_ref() {
                self.table(inner, &path);
            } else {
                let wrong = format!("is a section: write [{path}] and its keys below");
                self.problems.add(&place, &path, wrong);
            }
        }
    }

    fn list(&mut self, list: List, value: &Spanned<DeValue<'_>>, place: &Place) {
        let sections = match value.get_ref() {
            DeValue::Array(sections) => sections.iter().collect(),
            _ => vec![value],
        };
        let name = list.name;
        for (index, section) in sections.into_iter().enumerate() {
            let DeValue::Table(table) = section.get_ref() else {
                let wrong = format!("is a list of sections: write [[{name}]] and its keys below");
                self.problems.add(place, name, wrong);
                continue;
            };
            if !value.get_ref().is_array() {
                let wrong = format!("is a list: write [[{name}]] with two brackets");
                self.problems.add(place, name, wrong);
            }
            let here = (self.at)(section.span().start);
            let scope = Scope::new(format!("{name}[{index}]."), here);
            let scope = self.section(list, table, scope);
            self.layer.lists.insert((name, index), scope);
        }
    }

    fn section(&mut self, list: List, table: &DeTable<'_>, mut scope: Scope) -> Scope {
        for (name, value) in table {
            let place = (self.at)(name.span().start);
            let path = format!("{}.{}", list.name, name.get_ref());
            let full = format!("{}{}", scope.prefix, name.get_ref());
            if let Some((key, kind)) = list.find(name.get_ref()) {
                let value = self.value(kind, value, &place, &full);
                scope.settings.insert(key, Setting { value, place });
            } else {
                self.problems.add(&place, &shown(&full), unknown(&path));
            }
        }
        scope
    }

    fn value(
        &mut self,
        kind: Kind,
        value: &Spanned<DeValue<'_>>,
        place: &Place,
        key: &str,
    ) -> Value {
        convert(kind, value.get_ref()).unwrap_or_else(|| {
            let is = described(value.get_ref());
            let wrong = format!("is {is}, and has to be {}", kind.wanted());
            self.problems.add(place, key, wrong);
            Value::Unusable
        })
    }
}

fn convert(kind: Kind, value: &DeValue<'_>) -> Option<Value> {
    match (kind, value) {
        (Kind::Text, DeValue::String(text)) => Some(Value::Text(text.to_string())),
        (Kind::Texts, DeValue::Array(list)) => list
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .map(Value::Texts),
        (Kind::Whole, DeValue::Integer(number)) => whole(number).map(Value::Whole),
        (Kind::Number, DeValue::Integer(number)) => {
            // What is too large for 32 bits is out of every bound as well.
            let number = i32::try_from(whole(number)?).unwrap_or(i32::MAX);
            Some(Value::Number(number.into()))
        }
        (Kind::Number, DeValue::Float(number)) => number.as_str().parse().ok().map(Value::Number),
        (Kind::Switch, DeValue::Boolean(switch)) => Some(Value::Switch(*switch)),
        _ => None,
    }
}

fn whole(number: &toml::de::DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(number) if whole(number).is_none() => "too large a number",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(list) if list.iter().all(|item| item.get_ref().is_str()) => "a list",
        DeValue::Array(_) => "a list of something else",
        DeValue::Table(_) => "a section",
    }
}

fn shown(path: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or(path);
    match last.chars().count() {
        0..=LONGEST_NAME => path.escape_debug().to_string(),
        length => format!("(a name of {length} characters)"),
    }
}

fn unknown(path: &str) -> String {
    if let Some(instead) = keys::instead(path) {
        return instead.to_owned();
    }
    match keys::meant(path) {
        Some(meant) => format!("there is no such key; did you mean {meant}?"),
        None => match keys::siblings(path).as_str() {
            "" => "there is no such key (`menjin config example` shows all)".to_owned(),
            siblings => format!("there is no such key; here can stand: {siblings}"),
        },
    }
}
