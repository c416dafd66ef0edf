//! What a person says of themselves: the fields that every deployment has, and its own.

use serde_json::{Map, Value};

use crate::text::Malformed;

/// Names that are columns, claims or commands already.
const RESERVED: [&str; 22] = [
    "aud",
    "avatar",
    "campus",
    "code",
    "consent",
    "disabled",
    "email",
    "epoch",
    "error",
    "exp",
    "message",
    "nickname",
    "openid",
    "page",
    "phone",
    "profile",
    "registered",
    "role",
    "status",
    "success",
    "uid",
    "unionid",
];
/// Characters of a nickname, and of a campus where any is taken.
const NAME: usize = 64;
/// Fields that a deployment may declare.
const FIELDS: usize = 64;

/// Who may set a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetBy {
    /// The person, and administrators.
    User,
    /// Administrators alone.
    Admin,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Text of so many characters at most.
    Text(usize),
    /// True or false.
    Bool,
    /// A whole number between two, both included.
    Int(i64, i64),
    /// One of these words.
    OneOf(Vec<String>),
}

/// A field that a deployment declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in requests and replies. For the life of the program, as configuration is.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Who may set it.
    pub set_by: SetBy,
}

/// The fields of a deployment, each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<Field>);

impl Fields {
    /// Gathers them.
    ///
    /// # Errors
    ///
    /// A name that is not 1 to 32 characters of `[a-z0-9_]` beginning with a letter, is taken, or
    /// stands twice; limits that let nothing through; more than 64 fields.
    pub fn new(fields: Vec<Field>) -> Result<Self, Malformed> {
        if fields.len() > FIELDS {
            return Err(Malformed("a profile has at most 64 fields of its own"));
        }
        for (index, field) in fields.iter().enumerate() {
            let earlier = fields.iter().take(index);
            if earlier.into_iter().any(|other| other.name == field.name) {
                return Err(Malformed("a profile field stands twice"));
            }
            field.check()?;
        }
        Ok(Self(fields))
    }

    /// The field of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|field| field.name == name)
    }

    /// All of them, in the order in which they were declared.
    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.0.iter()
    }

    /// Of what was stored, what is declared now.
    #[must_use]
    pub fn shown(&self, stored: &Map<String, Value>) -> Map<String, Value> {
        let declared = self.0.iter().filter_map(|field| {
            let value = stored.get(field.name)?;
            Some((field.name.to_owned(), value.clone()))
        });
        declared.collect()
    }
}

impl Field {
    fn check(&self) -> Result<(), Malformed> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let named = (1..=32).contains(&self.name.len())
            && self.name.starts_with(|c: char| c.is_ascii_lowercase())
            && self.name.chars().all(legal);
        if !named {
            return Err(Malformed(
                "the name of a profile field has 1 to 32 characters of [a-z0-9_] and begins with a letter",
            ));
        }
        if RESERVED.contains(&self.name) {
            return Err(Malformed(
                "the name of a profile field is taken by Menjin itself",
            ));
        }
        let possible = match &self.kind {
            Kind::Text(most) => (1..=2_000).contains(most),
            Kind::Bool => true,
            // What JavaScript holds exactly.
            Kind::Int(least, most) => {
                let exact = -(1_i64 << 53) + 1..=(1_i64 << 53) - 1;
                least <= most && exact.contains(least) && exact.contains(most)
            }
            Kind::OneOf(words) => {
                (1..=256).contains(&words.len()) && words.iter().all(|word| is_line(word, NAME))
            }
        };
        possible.then_some(()).ok_or(Malformed(
            "the limits of a profile field let nothing through",
        ))
    }

    /// Whether the field can hold a value.
    #[must_use]
    pub fn takes(&self, value: &Value) -> bool {
        match (&self.kind, value) {
            (Kind::Text(most), Value::String(text)) => text.is_empty() || is_text(text, *most),
            (Kind::Bool, Value::Bool(_)) => true,
            (Kind::Int(least, most), Value::Number(number)) => number
                .as_i64()
                .is_some_and(|number| (*least..=*most).contains(&number)),
            (Kind::OneOf(words), Value::String(word)) => words.contains(word),
            _ => false,
        }
    }
}

/// Whether a text can be a nickname: 64 characters at most, none that moves the cursor or writes
/// over what stands beside it. The empty one is none at all.
#[must_use]
pub fn is_nickname(text: &str) -> bool {
    text.is_empty() || (is_line(text, NAME) && !text.trim().is_empty())
}

/// Whether a text can be a campus where any is taken; otherwise it is one of the list.
#[must_use]
pub fn is_campus(text: &str, allowed: &[String]) -> bool {
    text.is_empty()
        || if allowed.is_empty() {
            is_line(text, NAME)
        } else {
            allowed.iter().any(|campus| campus == text)
        }
}

fn is_line(text: &str, most: usize) -> bool {
    is_text(text, most) && !text.contains(['\n', '\r', '\t', '\u{2028}', '\u{2029}'])
}

/// Text with line breaks and tabs, but no other control characters.
fn is_text(text: &str, most: usize) -> bool {
    let bad = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    (1..=most).contains(&text.chars().count()) && !text.contains(bad)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(name: &'static str, kind: Kind) -> Field {
        Field {
            name,
            kind,
            set_by: SetBy::User,
        }
    }

    #[test]
    fn a_field_takes_what_it_was_declared_to() {
        let text = field("wants", Kind::Text(5));
        assert!(text.takes(&json!("四个汉字")) && text.takes(&json!("")));
        assert!(!text.takes(&json!("123456")) && !text.takes(&json!(1)));
        assert!(!text.takes(&json!("a\0b")) && text.takes(&json!("a\nb")));
        assert!(field("available", Kind::Bool).takes(&json!(false)));
        assert!(!field("available", Kind::Bool).takes(&json!("true")));
        let int = field("year", Kind::Int(2000, 2100));
        assert!(int.takes(&json!(2026)) && int.takes(&json!(2100)));
        for wrong in [
            json!(1999),
            json!(2026.5),
            json!("2026"),
            json!(1e308),
            json!(null),
        ] {
            assert!(!int.takes(&wrong), "{wrong}");
        }
        let word = field("shift", Kind::OneOf(vec!["day".into(), "night".into()]));
        assert!(word.takes(&json!("day")) && !word.takes(&json!("noon")));
    }

    #[test]
    fn declarations_are_checked() {
        let new = |fields| Fields::new(fields).is_ok();
        assert!(new(vec![field("a", Kind::Bool), field("b", Kind::Bool)]));
        assert!(!new(vec![field("a", Kind::Bool), field("a", Kind::Bool)]));
        for name in ["", "A", "1a", "a-b", "phone", "role", "名"] {
            assert!(!new(vec![field(name, Kind::Bool)]), "{name}");
        }
        for kind in [
            Kind::Text(0),
            Kind::Int(2, 1),
            Kind::Int(0, i64::MAX),
            Kind::OneOf(vec![]),
            Kind::OneOf(vec!["a\nb".into()]),
        ] {
            assert!(!new(vec![field("a", kind.clone())]), "{kind:?}");
        }
        let stored = json!({ "a": true, "gone": 1 });
        let fields = Fields::new(vec![field("a", Kind::Bool)]).unwrap();
        let shown = fields.shown(stored.as_object().unwrap());
        assert_eq!(Value::Object(shown), json!({ "a": true }));
    }

    /// Proves PRF-5: what a nickname may not be is refused, and the rest is kept as it is.
    #[test]
    fn nicknames_are_one_line_of_text() {
        for good in [
            "",
            "小王",
            "<script>alert(1)</script>",
            "'; DROP TABLE users; --",
            "👨‍👩‍👧",
        ] {
            assert!(is_nickname(good), "{good:?}");
        }
        for bad in [
            "  ",
            "\u{3000}",
            "a\nb",
            "\u{1b}[31m",
            "\0",
            "\u{202e}gnp.exe",
            "\u{85}",
        ] {
            assert!(!is_nickname(bad), "{bad:?}");
        }
        assert!(!is_nickname(&"王".repeat(65)) && is_nickname(&"王".repeat(64)));
        let list = ["East".to_owned()];
        assert!(is_campus("East", &list) && is_campus("", &list) && !is_campus("West", &list));
        assert!(is_campus("West", &[]) && !is_campus("a\tb", &[]));
    }
}
