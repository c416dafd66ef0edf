//! People as files have them: one a row, in CSV or JSON lines, the same for `menjin import` and
//! `menjin export`.

pub(crate) mod check;
pub(crate) mod problems;
pub(crate) mod progress;
pub(crate) mod read;
pub(crate) mod write;

use std::path::Path;

use clap::ValueEnum;
use menjin_core::{Appid, Openid, Phone, Role, Unionid, profile::Fields};
use serde_json::{Map, Value};

use crate::output::Failure;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Comma-separated values, with the names of the columns in the first line
    Csv,
    /// A JSON object a line
    Jsonl,
}

impl Format {
    /// What was asked for, or else what the name of a file ends in.
    pub(crate) fn of(path: &Path, asked: Option<Self>) -> Result<Self, Failure> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let ending = ending.map(str::to_ascii_lowercase);
        match (asked, ending.as_deref()) {
            (Some(format), _) => Ok(format),
            (None, Some("csv")) => Ok(Self::Csv),
            (None, Some("jsonl" | "ndjson")) => Ok(Self::Jsonl),
            (None, _) => Err(Failure::refused(format!(
                "{} ends in neither .csv nor .jsonl: say --format csv or --format jsonl",
                path.display()
            ))),
        }
    }
}

/// Somebody in a file.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The line on which the row begins, from 1.
    pub(crate) line: u64,
    /// By which a person is known again.
    pub(crate) phone: Phone,
    /// What the person is called, or nothing.
    pub(crate) nickname: String,
    /// The address of a picture, or nothing.
    pub(crate) avatar: String,
    /// Where the person belongs, or nothing.
    pub(crate) campus: String,
    /// What the account may do.
    pub(crate) role: Role,
    /// Mail address, or nothing.
    pub(crate) mail: String,
    /// The deployment's own fields that were given.
    pub(crate) profile: Map<String, Value>,
    /// Who the person is to mini programs.
    pub(crate) faces: Vec<Face>,
}

/// Who somebody is to one mini program.
#[derive(Debug, Clone)]
pub(crate) struct Face {
    /// Which.
    pub(crate) appid: Appid,
    /// WeChat's id of the person there.
    pub(crate) openid: Openid,
    /// WeChat's id of the person across mini programs, if it is known.
    pub(crate) unionid: Option<Unionid>,
}

/// A column, which is a member of the objects in JSON lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Phone,
    Nickname,
    Avatar,
    Campus,
    Role,
    Mail,
    Appid,
    Openid,
    Unionid,
    /// One of the deployment's own fields.
    Own(&'static str),
}

/// The columns that every deployment has, in the order in which they are written.
const COLUMNS: [Column; 9] = [
    Column::Phone,
    Column::Nickname,
    Column::Avatar,
    Column::Campus,
    Column::Role,
    Column::Mail,
    Column::Appid,
    Column::Openid,
    Column::Unionid,
];

/// Stands for a unionid that is not known beside others that are.
const UNKNOWN: &str = "-";

impl Column {
    /// All columns of a deployment.
    pub(crate) fn all(fields: &Fields) -> impl Iterator<Item = Self> {
        let own = fields.iter().map(|field| Self::Own(field.name));
        COLUMNS.into_iter().chain(own)
    }

    /// The column of that name.
    pub(crate) fn find(name: &str, fields: &Fields) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        match name.as_str() {
            "email" => Some(Self::Mail),
            name => Self::all(fields).find(|column| column.name() == name),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Nickname => "nickname",
            Self::Avatar => "avatar",
            Self::Campus => "campus",
            Self::Role => "role",
            Self::Mail => "mail",
            Self::Appid => "appid",
            Self::Openid => "openid",
            Self::Unionid => "unionid",
            Self::Own(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_tells_the_format() {
        let of = |name: &str, asked| Format::of(Path::new(name), asked).ok();
        assert_eq!(of("people.csv", None), Some(Format::Csv));
        assert_eq!(of("PEOPLE.CSV", None), Some(Format::Csv));
        assert_eq!(of("a.b.jsonl", None), Some(Format::Jsonl));
        assert_eq!(of("a.ndjson", None), Some(Format::Jsonl));
        assert_eq!(of("people.xlsx", None), None);
        assert_eq!(of("-", None), None);
        assert_eq!(of("-", Some(Format::Jsonl)), Some(Format::Jsonl));
    }

    #[test]
    fn a_column_is_known_by_its_name() {
        let fields = Fields::default();
        assert_eq!(Column::find(" Phone", &fields), Some(Column::Phone));
        assert_eq!(Column::find("email", &fields), Some(Column::Mail));
        assert_eq!(Column::find("uid", &fields), None);
        for column in Column::all(&fields) {
            assert_eq!(Column::find(column.name(), &fields), Some(column));
        }
    }
}
