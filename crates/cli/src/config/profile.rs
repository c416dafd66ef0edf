//! `[registration]`, `[profile]`, `[[profile.fields]]` and `[content_check]`: how people become
//! users, and what they can say of themselves.

use menjin_core::{
    CallingCodes,
    profile::{Field, Fields, Kind, SetBy, is_campus},
    sending::SendLimits,
};
use menjin_server::{Profile, Registration};

use super::{
    keys::FIELDS,
    problem::{Place, Problems},
    reader::Reader,
    settings::Layer,
    text,
};

/// The most characters of a text that a deployment may allow.
const LONGEST: u32 = 2_000;
/// Unless it says how many.
const LENGTH: u32 = 200;
/// The greatest whole number that JavaScript holds exactly.
const GREATEST: i64 = (1 << 53) - 1;
/// The most words of an `enum`.
const WORDS: usize = 256;

pub(super) fn registration(reader: &mut Reader<'_>) -> Registration {
    let key = "registration.calling_codes";
    let codes = reader.list(key, |code| Ok::<_, &str>(code.to_owned()));
    let calling_codes = match reader.given(key) {
        None => CallingCodes::default(),
        Some(_) => CallingCodes::parse(&codes).unwrap_or_else(|malformed| {
            reader.refuse(key, malformed.to_string());
            CallingCodes::default()
        }),
    };
    Registration {
        calling_codes,
        limits: SendLimits {
            per_address: reader.whole("registration.sms_per_address", 300, 0..=1_000_000),
            budget: reader.whole("registration.sms_budget", 600, 0..=1_000_000),
        },
        policy: reader.unless_empty("registration.policy", text::policy),
    }
}

pub(super) fn profile(settings: &Layer, problems: &mut Problems) -> Profile {
    let fields = fields(settings, problems);
    let mut reader = Reader::new(&settings.root, problems);
    Profile {
        fields,
        campuses: reader.list("profile.campuses", campus),
        check_nickname: reader.switch("content_check.nickname", false),
        avatar_hosts: reader.list("profile.avatar_hosts", text::picture_host),
    }
}

fn campus(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || !is_campus(text, &[]) {
        return Err("has to be 1 to 64 characters on one line");
    }
    Ok(text.to_owned())
}

fn fields(settings: &Layer, problems: &mut Problems) -> Fields {
    let mut found: Vec<(Field, Place)> = Vec::new();
    for scope in settings.list(FIELDS.name) {
        let mut reader = Reader::new(scope, problems);
        let Some(field) = field(&mut reader) else {
            continue;
        };
        let place = reader.place("name").clone();
        match found.iter().find(|(other, _)| other.name == field.name) {
            Some((_, first)) => {
                reader.refuse("name", format!("was given before, at {first}: rename one"));
            }
            None => found.push((field, place)),
        }
    }
    let fields = found.into_iter().map(|(field, _)| field).collect();
    Fields::new(fields).unwrap_or_else(|malformed| {
        problems.add(&settings.root.place, FIELDS.name, malformed.to_string());
        Fields::default()
    })
}

/// One field; `None` has been said to be a problem.
fn field(reader: &mut Reader<'_>) -> Option<Field> {
    let name = reader.required("name", "set it to a name such as available", |name| {
        name_of(name)
    });
    let example = "set it to \"string\", \"bool\", \"int\" or \"enum\"";
    let kind = reader.required(
        "type",
        example,
        text::one_of(&[
            ("string", Type::Text),
            ("bool", Type::Bool),
            ("int", Type::Int),
            ("enum", Type::OneOf),
        ]),
    );
    let set_by = reader.parsed(
        "set_by",
        SetBy::User,
        text::one_of(&[("user", SetBy::User), ("admin", SetBy::Admin)]),
    );
    let max_length = reader.whole("max_length", LENGTH, 1..=LONGEST);
    let (min, max) = (reader.exact("min"), reader.exact("max"));
    let values = reader.list("values", campus);
    let kind = kind?;
    strangers(reader, kind);
    let kind = match kind {
        Type::Text => Kind::Text(usize::try_from(max_length).unwrap_or(usize::MAX)),
        Type::Bool => Kind::Bool,
        Type::Int => bounds(reader, min.unwrap_or(-GREATEST), max.unwrap_or(GREATEST))?,
        Type::OneOf => words(reader, values)?,
    };
    let name = name?;
    Some(Field { name, kind, set_by })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Bool,
    Int,
    OneOf,
}

/// The name, for the life of the program: configuration is read once.
fn name_of(name: &str) -> Result<&'static str, String> {
    // Not more than a name has is ever kept, whatever stands in the file.
    let name: &'static str = match name.len() {
        1..=32 => Box::leak(Box::from(name)),
        _ => "",
    };
    let probe = Field {
        name,
        kind: Kind::Bool,
        set_by: SetBy::User,
    };
    let checked = Fields::new(vec![probe]);
    checked
        .map(|_| name)
        .map_err(|malformed| malformed.to_string())
}

/// Keys that say nothing about a field of this type.
fn strangers(reader: &mut Reader<'_>, kind: Type) {
    for (key, of, name) in [
        ("max_length", Type::Text, "string"),
        ("min", Type::Int, "int"),
        ("max", Type::Int, "int"),
        ("values", Type::OneOf, "enum"),
    ] {
        if kind != of && reader.given(key).is_some() {
            reader.refuse(key, format!("belongs to the type \"{name}\": take it away"));
        }
    }
}

fn bounds(reader: &mut Reader<'_>, min: i64, max: i64) -> Option<Kind> {
    if min > max {
        reader.refuse("max", "is less than min: nothing would fit between");
        return None;
    }
    Some(Kind::Int(min, max))
}

fn words(reader: &mut Reader<'_>, values: Vec<String>) -> Option<Kind> {
    let repeated = |(index, word)| values.iter().take(index).any(|other| other == word);
    if values.iter().enumerate().any(repeated) {
        reader.refuse("values", "holds a word twice: take one away");
    }
    if (1..=WORDS).contains(&values.len()) {
        return Some(Kind::OneOf(values));
    }
    if !reader.is_filled("values") {
        reader.refuse(
            "values",
            "is missing: list the words that the field may hold",
        );
    } else if values.len() > WORDS {
        reader.refuse("values", format!("has to be {WORDS} words at most"));
    } else {
        reader.refuse(
            "values",
            "holds no word: list those that the field may hold",
        );
    }
    None
}
