//! Somebody sets the machine's clock while the server runs.

use std::{fs, path::PathBuf, thread, time::Duration};

use crate::harness::{
    Database, Folder, Reply, Server, Simulator, configure, eventually, login, me, serve,
};

const HOUR: i64 = 3600;
const YEAR: i64 = 365 * 24 * HOUR;

/// A server whose wall clock is moved by a file; its monotonic clock is left alone.
struct Moved {
    server: Server,
    simulator: Simulator,
    folder: Folder,
    _database: Database,
}

/// What moves the clock of a program.
pub(crate) fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap();
    let mut libraries =
        folders.map(|entry| entry.unwrap().path().join("faketime/libfaketime.so.1"));
    libraries
        .find(|path| path.exists())
        .expect("no libfaketime: run script/test")
}

impl Moved {
    fn start() -> Self {
        let (folder, simulator, database) = (Folder::new(), Simulator::start(), Database::new());
        configure(&folder, &simulator.url());
        folder.write("offset", "+0");
        let settings = [
            ("store.url", &*database.url),
            ("sign_in.replay_window", "1"),
        ];
        let mut command = serve(&folder, &settings);
        command
            .env("LD_PRELOAD", library())
            .env("FAKETIME_TIMESTAMP_FILE", folder.file("offset"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        Self {
            server: Server::ready(command),
            simulator,
            folder,
            _database: database,
        }
    }

    /// Sets the clock to the true time and so many seconds.
    fn set(&self, seconds: i64) {
        // Exchanged whole, so that nobody reads half a number.
        let new = self.folder.write("offset.new", &format!("{seconds:+}"));
        fs::rename(new, self.folder.file("offset")).unwrap();
    }

    fn login(&self, code: &str) -> Reply {
        login(self.server.public, code)
    }

    fn me(&self, token: &str) -> Reply {
        me(self.server.public, token)
    }

    /// Signs somebody new in, with a token that works.
    fn sign_in(&self, person: &str) -> (String, String) {
        let code = self.simulator.code(person);
        let token = self.login(&code).token();
        let caller = self.me(&token);
        assert_eq!(caller.status, 200, "{person}: {caller:?}");
        (code, token)
    }

    /// The replay window of a code ends, by the monotonic clock, and the code is spent.
    fn is_spent(&self, code: &str) {
        let reply = eventually("the replay window is over", || {
            let reply = self.login(code);
            if reply.status == 200 {
                thread::sleep(Duration::from_millis(100));
            }
            (reply.status != 200).then_some(reply)
        });
        assert_eq!(reply.errcode(), 40163, "{reply:?}");
    }
}

fn is_expired(reply: &Reply) {
    assert_eq!(reply.status, 401, "{reply:?}");
    assert_eq!(reply.text, r#"{"error":"token_expired"}"#);
}

/// Proves F20: +1 h, back, -1 h, +1 year and back 2 s, live. Tokens end when the clock says so and
/// do not come back, spent codes stay spent, everybody can sign in, and nothing panics.
#[test]
fn the_clock_is_set_while_the_server_runs() {
    let moved = Moved::start();
    let (first_code, first) = moved.sign_in("first");
    moved.is_spent(&first_code);

    moved.set(HOUR);
    is_expired(&moved.me(&first));
    let (late_code, late) = moved.sign_in("an hour ahead");
    assert_eq!(moved.login(&first_code).errcode(), 40163);

    moved.set(0);
    is_expired(&moved.me(&first));
    let (_, now) = moved.sign_in("back");
    // Made an hour ahead of now, so somebody's clock was wrong.
    assert_eq!(moved.me(&late).text, r#"{"error":"invalid_token"}"#);
    for code in [&first_code, &late_code] {
        moved.is_spent(code);
    }

    moved.set(-HOUR);
    for token in [&first, &late, &now] {
        assert_eq!(moved.me(token).status, 401);
    }
    let (early_code, early) = moved.sign_in("an hour behind");
    assert_eq!(moved.login(&first_code).errcode(), 40163);
    moved.is_spent(&early_code);

    moved.set(YEAR);
    is_expired(&moved.me(&early));
    let (_, far) = moved.sign_in("a year ahead");
    moved.set(YEAR - 2);
    assert_eq!(
        moved.me(&far).status,
        200,
        "two seconds are within the leeway"
    );
    moved.sign_in("a year ahead but two seconds");
    for code in [&first_code, &late_code, &early_code] {
        assert_eq!(moved.login(code).errcode(), 40163);
    }

    moved.set(0);
    for token in [&first, &late, &early, &far] {
        assert_eq!(moved.me(token).status, 401);
    }
    moved.sign_in("at last");
    let ran = moved.server.program.stop();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.out.contains("panicked"), "{ran:?}");
}
