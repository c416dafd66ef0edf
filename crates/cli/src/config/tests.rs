//! What the tests of the configuration share: a folder of their own, the least that loads, and
//! problems as text.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{Config, Problems};

mod account;
mod addresses;
mod environment;
mod example;
mod file;
mod refused;
mod secrets;
mod services;
mod values;

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=";
const OTHER_KEY: &str = "dnV0c3JxcG9ubWxramloZ2ZlZGNiYTk4NzY1NDMyMTA=";
const APP_SECRET: &str = "3f9a0c5be17d42868b0d5a3c9e7f1246";

/// The least that loads. `token` comes last, so that a test can add to it.
const LEAST: &str = "\
store.url = 'sqlite:///var/lib/menjin/menjin.db'
secrets.master_keys = ['MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=']
wechat.apps = [{ appid = 'wx1', secret = '3f9a0c5be17d42868b0d5a3c9e7f1246' }]
";

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("menjin-config-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file that only its owner may read.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        set_mode(&path, 0o600);
        path
    }

    /// The problems without the path of the folder.
    fn shorten(&self, problems: &Problems) -> String {
        let folder = format!("{}/", self.0.display());
        problems.to_string().replace(&folder, "")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn variables(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Loads `menjin.toml` with this text, and these variables over it.
fn load_with(text: &str, list: &[(&str, &str)]) -> Result<Config, String> {
    let folder = Folder::new();
    let file = folder.write("menjin.toml", text);
    Config::load(Some(&file), variables(list)).map_err(|problems| folder.shorten(&problems))
}

fn load(text: &str) -> Result<Config, String> {
    load_with(text, &[])
}

/// All that is wrong with a text.
fn problems(text: &str) -> String {
    load(text).expect_err("a problem")
}

/// All that is wrong with variables that are laid over the least that loads.
fn problems_of(list: &[(&str, &str)]) -> String {
    load_with(LEAST, list).expect_err("a problem")
}

/// Appends lines to the least that loads. Lines with dots stand outside of every section.
fn least_and(lines: &str) -> String {
    format!("{LEAST}{lines}\n")
}
