//! Environment variables, from text to a layer of settings: `MENJIN_TOKEN__TTL=600` is `token.ttl`.
//! The kind of the key decides how a text is read, so that a secret of digits stays text.

use super::{
    keys::{self, Kind, LISTS, List},
    problem::{Place, Problems},
    settings::{Layer, Scope, Setting, Value},
};

/// What all variables begin with.
const PREFIX: &str = "MENJIN_";

/// Reads every `MENJIN_SECTION__KEY` and leaves all other variables alone, also those such as
/// `MENJIN_CONFIG`, which have no section.
pub(super) fn read(
    environment: impl IntoIterator<Item = (String, String)>,
    problems: &mut Problems,
) -> Layer {
    let mut layer = Layer::default();
    for (name, text) in environment {
        let Some(path) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if path.contains("__") {
            let path = path.replace("__", ".");
            one(&name, &path, &text, (&mut layer, problems));
        }
    }
    layer
}

fn one(name: &str, path: &str, text: &str, (layer, problems): (&mut Layer, &mut Problems)) {
    let place = Place::Variable(name.to_owned());
    let lower = path.to_lowercase();
    let has_shape = path == lower.to_uppercase();
    let known = if let Some((list, index, key)) = list_key(&lower) {
        let prefix = format!("{}[{index}].", list.name);
        let scope = || Scope::new(prefix, place.clone());
        let entry = layer.lists.entry((list.name, index));
        list.find(key).map(|key| (entry.or_insert_with(scope), key))
    } else {
        keys::find(&lower).map(|key| (&mut layer.root, key))
    };
    let Some((scope, (key, kind))) = known.filter(|_| has_shape) else {
        problems.add(&place, "", unknown(&lower));
        return;
    };
    let value = convert(kind, text).unwrap_or_else(|wrong| {
        problems.add(&place, &format!("{}{key}", scope.prefix), wrong);
        Value::Unusable
    });
    scope.settings.insert(key, Setting { value, place });
}

/// Takes `wechat.apps.0.secret` apart.
fn list_key(path: &str) -> Option<(List, usize, &str)> {
    LISTS.into_iter().find_map(|list| {
        let rest = path.strip_prefix(list.name)?.strip_prefix('.')?;
        let (index, key) = rest.split_once('.')?;
        Some((list, index.parse().ok()?, key))
    })
}

fn convert(kind: Kind, text: &str) -> Result<Value, String> {
    let wrong = || format!("has to be {}", wanted(kind));
    let trimmed = text.trim();
    match kind {
        Kind::Text => Ok(Value::Text(text.to_owned())),
        Kind::Texts => list(trimmed).map(Value::Texts).ok_or_else(wrong),
        Kind::Whole => trimmed.parse().map(Value::Whole).map_err(|_| wrong()),
        Kind::Number => trimmed.parse().map(Value::Number).map_err(|_| wrong()),
        Kind::Switch => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(Value::Switch(true)),
            "false" | "no" | "off" | "0" => Ok(Value::Switch(false)),
            _ => Err(wrong()),
        },
    }
}

fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Texts => "texts with commas between, such as one,two, or a JSON array of texts",
        kind => kind.wanted(),
    }
}

/// A JSON array, or texts with commas between; a comma too many is forgiven.
fn list(text: &str) -> Option<Vec<String>> {
    if text.starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    let items = text.split(',').map(str::trim);
    Some(
        items
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

fn unknown(path: &str) -> String {
    let indexed = LISTS.iter().find_map(|list| {
        let index = path.strip_prefix(list.name)?.split('.').nth(1)?;
        index.parse::<usize>().ok()?;
        Some((list.name, index))
    });
    let plain = match indexed {
        Some((list, index)) => path.replacen(&format!("{list}.{index}"), list, 1),
        None => path.to_owned(),
    };
    let index = indexed.map(|(_, index)| index);
    if let Some(instead) = keys::instead(&plain) {
        return instead.to_owned();
    }
    match keys::meant(&plain) {
        Some(meant) if keys::is_section(&meant) || keys::list(&meant).is_some() => {
            format!("sets no key: write {}", pattern(&meant))
        }
        Some(meant) => format!(
            "there is no such variable; did you mean {}?",
            variable(&meant, index.unwrap_or("0"))
        ),
        None => "there is no such variable (`menjin config example` shows all keys; \
                 MENJIN_TOKEN__TTL is token.ttl)"
            .to_owned(),
    }
}

fn variable(key: &str, index: &str) -> String {
    let mut key = key.to_owned();
    for list in LISTS {
        let name = list.name;
        key = key.replacen(&format!("{name}."), &format!("{name}.{index}."), 1);
    }
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

fn pattern(section: &str) -> String {
    match keys::list(section) {
        Some(list) => {
            let first = format!("{section}.{}", list.identity);
            let second = list.keys.get(1).map_or("", |(key, _)| *key);
            let (first, second) = (variable(&first, "0"), second.to_uppercase());
            format!("{first}, ..__{second} and so on")
        }
        None => variable(&format!("{section}.key"), ""),
    }
}
