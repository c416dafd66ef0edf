//! From accounts to a file that can be imported.

use std::io::{self, Write};

use menjin_core::{Identity, User, profile::Fields};
use serde_json::{Map, Value};

use super::{Column, Format, UNKNOWN};

/// A file that is being written.
pub(crate) enum Writer<'f, W: Write> {
    Csv(Box<csv::Writer<W>>, &'f Fields),
    Jsonl(W, &'f Fields),
}

impl<'f, W: Write> Writer<'f, W> {
    /// Begins: with the names of the columns, where there are columns.
    pub(crate) fn begin(out: W, format: Format, fields: &'f Fields) -> io::Result<Self> {
        match format {
            Format::Jsonl => Ok(Self::Jsonl(out, fields)),
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(Column::all(fields).map(Column::name))?;
                Ok(Self::Csv(Box::new(csv), fields))
            }
        }
    }

    /// Writes an account with the identities that are linked to it.
    pub(crate) fn account(&mut self, user: &User, identities: &[Identity]) -> io::Result<()> {
        match self {
            Self::Csv(csv, fields) => {
                let cells =
                    Column::all(fields).map(|column| match cell(column, user, identities) {
                        Value::String(text) => text,
                        Value::Null => String::new(),
                        other => other.to_string(),
                    });
                Ok(csv.write_record(cells)?)
            }
            Self::Jsonl(out, fields) => {
                let cells = Column::all(fields)
                    .map(|column| (column.name().to_owned(), cell(column, user, identities)))
                    .filter(|(_, value)| !value.is_null() && value != "");
                let object: Map<String, Value> = cells.collect();
                writeln!(out, "{}", Value::Object(object))
            }
        }
    }

    /// Sees that everything has left.
    pub(crate) fn end(self) -> io::Result<()> {
        match self {
            Self::Csv(mut csv, _) => csv.flush(),
            Self::Jsonl(mut out, _) => out.flush(),
        }
    }
}

fn cell(column: Column, user: &User, identities: &[Identity]) -> Value {
    match column {
        Column::Phone => user.phone.as_str().into(),
        Column::Nickname => user.nickname.as_str().into(),
        Column::Avatar => user.avatar.as_str().into(),
        Column::Campus => user.campus.as_str().into(),
        Column::Role => user.role.as_str().into(),
        Column::Mail => user.email.as_str().into(),
        Column::Appid => words(identities, |identity| identity.appid.as_str()),
        Column::Openid => words(identities, |identity| identity.openid.as_str()),
        Column::Unionid => unionids(identities),
        Column::Own(name) => user.profile.get(name).cloned().unwrap_or_default(),
    }
}

fn unionids(identities: &[Identity]) -> Value {
    if identities.iter().all(|identity| identity.unionid.is_none()) {
        return Value::Null;
    }
    words(identities, |identity| {
        let unionid = identity.unionid.as_ref();
        unionid.map_or(UNKNOWN, |unionid| unionid.as_str())
    })
}

/// Ids have no blanks in them.
fn words<'i>(identities: &'i [Identity], word: impl Fn(&'i Identity) -> &'i str) -> Value {
    let words: Vec<&str> = identities.iter().map(word).collect();
    words.join(" ").into()
}
