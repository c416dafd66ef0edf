//! What every test here needs: a folder of its own, the program, somebody who plays WeChat, and
//! patience that ends.

mod http;
mod postgres;
mod process;
mod server;
mod wechat;

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

pub(crate) use self::{
    http::{Connection, Reply, get, get_with, login, me, post, request, try_ask, try_get},
    postgres::{Cluster, Database},
    process::{Program, Ran, run},
    server::{Server, configure, serve},
    wechat::{Play, Simulator, Stub},
};

/// The mini program of every test.
pub(crate) const APPID: &str = "wx1234567890abcdef";
/// Its AppSecret, long enough for one.
pub(crate) const APP_SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// Says of itself, in base64, that it is for tests.
pub(crate) const MASTER_KEY: &str = "dGVzdCBrZXkgb25seTsgMzIgYnl0ZXMsIG5vIGx1Y2s=";

/// How long anything may take on a busy machine before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A folder that goes away with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("menjin-program-{}", unique()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file that only its owner may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Who may do what with a file, as `ls` would show it in octal.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A name that nothing else has.
pub(crate) fn unique() -> String {
    format!("{:016x}", RandomState::new().hash_one(0))
}

/// The program under test, in a folder, with nothing of the machine's configuration.
pub(crate) fn menjin(folder: &Folder) -> Command {
    command(env!("CARGO_BIN_EXE_menjin"), folder)
}

/// Another program under the same conditions.
pub(crate) fn command(program: &str, folder: &Folder) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder.path()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("MENJIN_") || text.to_lowercase().ends_with("_proxy") {
            command.env_remove(&name);
        }
    }
    command
}

/// What `script/test` hands to the tests.
#[expect(
    clippy::disallowed_methods,
    reason = "script/test hands over what it installed in this way"
)]
pub(crate) fn given(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run script/test"))
}

/// Looks again and again until there is something to see.
pub(crate) fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, look)
}

/// The same with a limit that is part of what is tested.
pub(crate) fn within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
