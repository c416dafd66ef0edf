//! Secrets: taken from the configuration or from files of their own, and refused if they are
//! nothing that could keep a door shut.

use std::{
    fs::{File, Metadata},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use menjin_core::{MasterKeys, Secret};

use super::{
    problem::Place,
    reader::{Either, Reader},
    settings::{Setting, Value},
};

/// Words that stand in examples and never in a secret that a machine has drawn.
const PLACEHOLDERS: [&str; 10] = [
    "example",
    "changeme",
    "change-me",
    "change_me",
    "replaceme",
    "replace-me",
    "replace_me",
    "your-",
    "your_",
    "placeholder",
];

/// No file of secrets is larger than this, and what is read stays bounded.
const LARGEST: u64 = 64 * 1024;

/// The master keys; `None` has been said to be a problem.
pub(super) fn master_keys(reader: &mut Reader<'_>) -> Option<MasterKeys> {
    let inline = "secrets.master_keys";
    let file = "secrets.master_keys_file";
    let missing = "is missing: set it, or secrets.master_keys_file (`menjin init` makes a key)";
    match reader.either(inline, file, Some(missing))? {
        Either::Inline(setting) => {
            let Value::Texts(keys) = &setting.value else {
                return None;
            };
            let named = (1..).map(|number: usize| format!("key {number}"));
            parse_keys(
                reader,
                inline,
                &mut named.zip(keys.iter().map(String::as_str)),
            )
        }
        Either::File(setting) => {
            let text = content_of(reader, file, setting)?;
            let lines = text.lines().map(str::trim).enumerate();
            let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
            let named = keys.enumerate().map(|(index, (line, key))| {
                let name = format!("key {} (line {} of its file)", index + 1, line + 1);
                (name, key)
            });
            parse_keys(reader, file, &mut { named })
        }
    }
}

fn parse_keys(
    reader: &mut Reader<'_>,
    key: &str,
    named: &mut dyn Iterator<Item = (String, &str)>,
) -> Option<MasterKeys> {
    let mut good = Vec::new();
    let mut all_good = true;
    for (name, text) in named {
        if let Err(malformed) = MasterKeys::parse([text]) {
            reader.refuse(key, format!("{name}: {malformed}"));
            all_good = false;
        }
        good.push(text);
    }
    if !all_good {
        return None;
    }
    let keys = MasterKeys::parse(good);
    keys.map_err(|malformed| reader.refuse(key, format!("holds none: {malformed}")))
        .ok()
}

/// What a secret has to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Where somebody gets it: what follows "set it to".
    pub(super) from: &'static str,
    /// The fewest characters that keep a door shut.
    pub(super) least: usize,
    /// Whether there may be blanks and characters outside of ASCII in it.
    pub(super) blanks: bool,
}

/// The `AppSecret` of a mini program.
const APP_SECRET: Wanted = Wanted {
    from: "the AppSecret that WeChat's console shows",
    least: 1,
    blanks: false,
};

/// The secret of a mini program; `None` has been said to be a problem.
pub(super) fn app_secret(reader: &mut Reader<'_>) -> Option<Secret> {
    one(reader, "secret", APP_SECRET, true)
}

/// A secret that stands under `key` or in the file that `key` and `_file` names. `None` if it is not
/// given, which is a problem if it is `needed`, or has been said to be one.
pub(super) fn one(
    reader: &mut Reader<'_>,
    key: &str,
    wanted: Wanted,
    needed: bool,
) -> Option<Secret> {
    let file = format!("{key}_file");
    let last = file.rsplit('.').next().unwrap_or(&file);
    let missing = format!("is missing: set it, or {last}, to {}", wanted.from);
    let given = reader.either(key, &file, needed.then_some(&missing))?;
    let (key, text) = match given {
        Either::Inline(setting) => match &setting.value {
            Value::Text(text) => (key, text.clone()),
            _ => return None,
        },
        Either::File(setting) => {
            let text = content_of(reader, &file, setting)?;
            let text = text.trim_end_matches(['\r', '\n']).to_owned();
            (file.as_str(), text)
        }
    };
    match weakness(&text, wanted) {
        None => Some(Secret::new(&text)),
        Some(weakness) => {
            reader.refuse(key, weakness);
            None
        }
    }
}

/// Why a text cannot be the secret that is wanted.
fn weakness(text: &str, wanted: Wanted) -> Option<String> {
    let legal = |c: char| c.is_ascii_graphic() || (wanted.blanks && !c.is_control());
    let Wanted { from, least, .. } = wanted;
    if text.is_empty() {
        Some(format!("is empty: set it to {from}"))
    } else if is_placeholder(text) {
        Some(format!("is an example: set it to {from}"))
    } else if !text.chars().all(legal) {
        Some("holds blanks or characters that do not belong there: copy it again".to_owned())
    } else if text.chars().count() < least {
        Some(format!("is too short: set it to {from}"))
    } else {
        None
    }
}

/// Whether a text only stands where something is to be put in. So does an empty one.
pub(super) fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let masked = |mask: char| lower.chars().all(|c| c == mask);
    PLACEHOLDERS.iter().any(|word| lower.contains(word))
        || (lower.starts_with('<') && lower.ends_with('>'))
        || masked('x')
        || masked('*')
}

fn content_of(reader: &mut Reader<'_>, key: &str, setting: &Setting) -> Option<String> {
    let Value::Text(name) = &setting.value else {
        return None;
    };
    let content = match name.as_str() {
        "" => Err("names no file".to_owned()),
        name => read(&path_of(name, &setting.place)),
    };
    content.map_err(|wrong| reader.refuse(key, wrong)).ok()
}

/// A path as it was meant: one in the configuration file starts at the folder of that file.
pub(super) fn path_of(name: &str, place: &Place) -> PathBuf {
    match place {
        Place::File { path, .. } => match path.parent() {
            Some(folder) => folder.join(name),
            None => name.into(),
        },
        _ => name.into(),
    }
}

/// Opens a file that a setting names, or says why it cannot be read.
pub(super) fn open(path: &Path) -> Result<File, String> {
    let shown = path.display();
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => format!("there is no file {shown}"),
        _ => format!("{shown} cannot be read: {error}"),
    };
    let file = File::open(path).map_err(cannot)?;
    if file.metadata().map_err(cannot)?.is_dir() {
        return Err(format!("{shown} is a folder"));
    }
    Ok(file)
}

/// Reads a file that holds secrets, if nobody but its owner and group may.
fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let file = open(path)?;
    // Asked of the open file, so that nobody can exchange it between question and reading.
    let metadata = file.metadata();
    if metadata.is_ok_and(|metadata| open_to_others(&metadata)) {
        return Err(format!(
            "{shown} can be read or changed by everybody on this machine: chmod o-rwx {shown}"
        ));
    }
    let mut text = String::new();
    match file.take(LARGEST + 1).read_to_string(&mut text) {
        Err(error) => Err(format!("{shown} cannot be read: {error}")),
        Ok(read) if read as u64 > LARGEST => Err(format!("{shown} is too large for a secret")),
        Ok(_) if text.trim().is_empty() => Err(format!("{shown} is empty")),
        Ok(_) => Ok(text),
    }
}

/// Whether those who are neither owner nor of the group may do anything with a file.
#[cfg(unix)]
pub(super) fn open_to_others(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(metadata) & 0o007 != 0
}

/// Other systems have no such modes.
#[cfg(not(unix))]
pub(super) fn open_to_others(_: &Metadata) -> bool {
    false
}
