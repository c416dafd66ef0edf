//! From rows of cells to people, each of them checked alone and against those before it.

use std::collections::HashMap;

use menjin_core::{
    Appid, CallingCodes, Email, Openid, Phone, Role, Unionid,
    profile::{Field, Fields, Kind, is_campus, is_nickname},
};
use serde_json::{Map, Value};

use super::{Column, Face, Person, UNKNOWN, problems::Problems, read::Row};
use crate::config::Config;

/// Characters of a picture's address.
const AVATAR: usize = 1024;

/// What a deployment takes.
pub(crate) struct Rules<'c> {
    pub(crate) codes: &'c CallingCodes,
    pub(crate) fields: &'c Fields,
    pub(crate) campuses: &'c [String],
    /// The mini programs that are served; the first one is meant where none is named.
    pub(crate) appids: Vec<Appid>,
}

impl<'c> Rules<'c> {
    pub(crate) fn new(config: &'c Config) -> Self {
        let default = &config.wechat.default_appid;
        let others = config.wechat.apps.iter().map(|app| &app.appid);
        let others = others.filter(|appid| *appid != default);
        Self {
            codes: &config.registration.calling_codes,
            fields: &config.profile.fields,
            campuses: &config.profile.campuses,
            appids: std::iter::once(default).chain(others).cloned().collect(),
        }
    }
}

/// Makes people of rows; whatever is wrong is among the problems.
pub(crate) fn people(rows: Vec<Row>, rules: &Rules<'_>, problems: &mut Problems) -> Vec<Person> {
    let mut seen = Seen::default();
    let mut people = Vec::with_capacity(rows.len());
    for row in rows {
        let line = row.line;
        let mut taken = Taken {
            line,
            cells: row.cells,
            problems,
        };
        let Some(person) = taken.person(rules) else {
            continue;
        };
        if seen.add(&person, problems) {
            people.push(person);
        }
    }
    people
}

/// The cells of one row, taken one after the other.
struct Taken<'p> {
    line: u64,
    cells: Vec<(Column, Value)>,
    problems: &'p mut Problems,
}

impl Taken<'_> {
    /// `None` has been said to be a problem; so has what is left out of the person.
    fn person(&mut self, rules: &Rules<'_>) -> Option<Person> {
        let phone = self.phone(rules.codes);
        let nickname = self.text(Column::Nickname, |text| {
            is_nickname(text).then(|| text.to_owned())
        });
        let avatar = self.text(Column::Avatar, |text| {
            is_address(text).then(|| text.to_owned())
        });
        let campus = self.text(Column::Campus, |text| {
            is_campus(text, rules.campuses).then(|| text.to_owned())
        });
        let role = self.text(Column::Role, Role::parse);
        let mail = self.text(Column::Mail, |text| {
            Some(Email::parse(text).ok()?.as_str().to_owned())
        });
        let faces = self.faces(&rules.appids);
        let profile = self.profile(rules.fields);
        Some(Person {
            line: self.line,
            phone: phone?,
            nickname: nickname.unwrap_or_default(),
            avatar: avatar.unwrap_or_default(),
            campus: campus.unwrap_or_default(),
            role: role.unwrap_or(Role::User),
            mail: mail.unwrap_or_default(),
            profile,
            faces,
        })
    }

    fn take(&mut self, column: Column) -> Option<Value> {
        let at = self.cells.iter().position(|(of, _)| *of == column)?;
        Some(self.cells.swap_remove(at).1)
    }

    fn refuse(&mut self, column: Column, wrong: &str) {
        self.problems.of(self.line, column.name(), wrong);
    }

    fn phone(&mut self, codes: &CallingCodes) -> Option<Phone> {
        let text = match self.take(Column::Phone) {
            Some(Value::String(text)) => text,
            // As spreadsheets and scripts like to write it.
            Some(Value::Number(number)) if number.is_u64() => number.to_string(),
            Some(_) => {
                self.refuse(Column::Phone, "has to be text");
                return None;
            }
            None => {
                self.refuse(Column::Phone, "is missing");
                return None;
            }
        };
        let phone = Phone::parse(&text, codes);
        phone
            .map_err(|wrong| self.refuse(Column::Phone, &wrong.to_string()))
            .ok()
    }

    /// What `parse` makes of a text; `None` is a problem, unless nothing stands there.
    fn text<T>(&mut self, column: Column, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = self.take(column)?;
        let parsed = value.as_str().and_then(parse);
        if parsed.is_none() {
            self.refuse(column, wanted(column));
        }
        parsed
    }

    fn faces(&mut self, appids: &[Appid]) -> Vec<Face> {
        let mut words = |column| {
            let words = |text: &str| {
                let words = text.split_whitespace().map(str::to_owned);
                Some(words.collect::<Vec<_>>())
            };
            self.text(column, words).unwrap_or_default()
        };
        let (appid, openid) = (words(Column::Appid), words(Column::Openid));
        let unionid = words(Column::Unionid);
        // Where there is one, it need not be said.
        let appid = match (appid.as_slice(), openid.as_slice(), appids.first()) {
            ([], [_], Some(default)) => vec![default.to_string()],
            _ => appid,
        };
        if appid.len() != openid.len() {
            let wrong = "there have to be as many as openids";
            self.refuse(Column::Appid, wrong);
            return Vec::new();
        }
        if !unionid.is_empty() && unionid.len() != openid.len() {
            self.refuse(
                Column::Unionid,
                "there have to be as many as openids, or none",
            );
            return Vec::new();
        }
        let unionids = unionid.iter().map(Some).chain(std::iter::repeat(None));
        let together = appid.iter().zip(&openid).zip(unionids);
        together
            .filter_map(|((appid, openid), unionid)| {
                self.face((appid, openid, unionid.map(String::as_str)), appids)
            })
            .collect()
    }

    fn face(
        &mut self,
        (appid, openid, unionid): (&str, &str, Option<&str>),
        appids: &[Appid],
    ) -> Option<Face> {
        let known = appids.iter().find(|known| known.as_str() == appid);
        if known.is_none() {
            self.refuse(Column::Appid, "is none of wechat.apps in the configuration");
        }
        let openid = Openid::parse(openid)
            .map_err(|wrong| self.refuse(Column::Openid, &wrong.to_string()))
            .ok();
        let unionid = unionid.filter(|text| *text != UNKNOWN).map(Unionid::parse);
        let unionid = unionid.transpose();
        let unionid = unionid
            .map_err(|wrong| self.refuse(Column::Unionid, &wrong.to_string()))
            .ok();
        Some(Face {
            appid: known?.clone(),
            openid: openid?,
            unionid: unionid?,
        })
    }

    fn profile(&mut self, fields: &Fields) -> Map<String, Value> {
        let mut profile = Map::new();
        for field in fields.iter() {
            let column = Column::Own(field.name);
            let Some(value) = self.take(column) else {
                continue;
            };
            let value = typed(field, value);
            if field.takes(&value) {
                profile.insert(field.name.to_owned(), value);
            } else {
                let wrong = takes(field);
                self.refuse(column, &wrong);
            }
        }
        profile
    }
}

/// CSV has text alone.
fn typed(field: &Field, value: Value) -> Value {
    let Value::String(text) = &value else {
        return value;
    };
    match (&field.kind, text.as_str()) {
        (Kind::Bool, "true" | "TRUE" | "1") => true.into(),
        (Kind::Bool, "false" | "FALSE" | "0") => false.into(),
        (Kind::Int(..), text) => text.parse::<i64>().map_or(value, Value::from),
        _ => value,
    }
}

fn takes(field: &Field) -> String {
    match &field.kind {
        Kind::Text(most) => format!("has to be text of {most} characters at most"),
        Kind::Bool => "has to be true or false".to_owned(),
        Kind::Int(least, most) => format!("has to be a whole number from {least} to {most}"),
        Kind::OneOf(_) => "is none of its values in the configuration".to_owned(),
    }
}

fn wanted(column: Column) -> &'static str {
    match column {
        Column::Nickname => "has to be 64 characters at most, on one line",
        Column::Avatar => "has to be an address that begins with https://",
        Column::Campus => "is none of profile.campuses, or longer than 64 characters",
        Column::Role => "has to be user or admin",
        Column::Mail => "not a mail address",
        _ => "has to be text",
    }
}

fn is_address(text: &str) -> bool {
    text.len() <= AVATAR
        && text.starts_with("https://")
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What stood on earlier lines.
#[derive(Default)]
struct Seen {
    phones: HashMap<Phone, u64>,
    openids: HashMap<(Appid, Openid), u64>,
    /// With the number of the person who has it.
    unionids: HashMap<Unionid, u64>,
}

impl Seen {
    /// `false` if something of the person's is another's too.
    fn add(&mut self, person: &Person, problems: &mut Problems) -> bool {
        let line = person.line;
        let mut alone = true;
        let mut refuse = |column: Column, first: u64| {
            alone = false;
            let wrong = format!("stands on line {first} already: keep one of the two");
            problems.of(line, column.name(), wrong);
        };
        if let Some(first) = self.phones.insert(person.phone.clone(), line) {
            refuse(Column::Phone, first);
        }
        for face in &person.faces {
            let key = (face.appid.clone(), face.openid.clone());
            if let Some(first) = self.openids.insert(key, line) {
                refuse(Column::Openid, first);
            }
            let Some(unionid) = &face.unionid else {
                continue;
            };
            // One person has the same in several mini programs.
            if let Some(first) = self.unionids.insert(unionid.clone(), line)
                && first != line
            {
                refuse(Column::Unionid, first);
            }
        }
        alone
    }
}

#[cfg(test)]
mod tests;
