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
    match reader.either(inline, file, missing)? {
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

/// The secret of a mini program; `None` has been said to be a problem.
pub(super) fn app_secret(reader: &mut Reader<'_>) -> Option<Secret> {
    let missing =
        "is missing: set it, or secret_file, to the AppSecret that WeChat's console shows";
    let (key, text) = match reader.either("secret", "secret_file", missing)? {
        Either::Inline(setting) => match &setting.value {
            Value::Text(text) => ("secret", text.clone()),
            _ => return None,
        },
        Either::File(setting) => {
            let text = content_of(reader, "secret_file", setting)?;
            let text = text.trim_end_matches(['\r', '\n']).to_owned();
            ("secret_file", text)
        }
    };
    match weakness(&text) {
        None => Some(Secret::new(&text)),
        Some(weakness) => {
            reader.refuse(key, weakness);
            None
        }
    }
}

/// Why a text cannot be an `AppSecret`.
fn weakness(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let masked = |mask: char| lower.chars().all(|c| c == mask);
    let placeholder = PLACEHOLDERS.iter().any(|word| lower.contains(word))
        || (lower.starts_with('<') && lower.ends_with('>'))
        || masked('x')
        || masked('*');
    if text.is_empty() {
        Some("is empty: set it to the AppSecret that WeChat's console shows")
    } else if placeholder {
        Some("is an example: set it to the AppSecret that WeChat's console shows")
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("holds blanks or characters that no AppSecret has: copy it again")
    } else {
        None
    }
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
