//! From nothing to production: `init`, `config check`, `doctor`, `migrate`, `serve`.

use std::process::Command;

use crate::harness::{
    APP_SECRET, APPID, Folder, Ran, Server, Simulator, configure, login, menjin, mode, run, serve,
};

/// `menjin init` with everything that it would ask for.
fn init(folder: &Folder, more: &[&str]) -> Ran {
    let secret = folder.write("app.secret", &format!("{APP_SECRET}\n"));
    let mut command = menjin(folder);
    command.args(["init", "--appid", APPID, "--listen", "127.0.0.1:0"]);
    command.arg("--secret-file").arg(secret).args(more);
    run(&mut command)
}

/// A command on the configuration that `init` wrote, with the simulator for WeChat.
fn with(folder: &Folder, simulator: &str, words: &[&str]) -> Command {
    let mut command = menjin(folder);
    command.args(words);
    command.env("MENJIN_WECHAT__BASE_URL", simulator);
    command
}

#[test]
fn init_check_doctor_serve() {
    let (folder, simulator) = (Folder::new(), Simulator::start());
    let made = init(&folder, &[]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.out.contains("menjin doctor"), "{made:?}");
    assert!(!made.out.contains(APP_SECRET), "{made:?}");
    assert_eq!(mode(&folder.file("menjin.toml")), 0o600);

    let checked = run(&mut with(&folder, &simulator.url(), &["config", "check"]));
    assert_eq!((checked.code, &*checked.err), (Some(0), ""), "{checked:?}");
    let looked = run(&mut with(&folder, &simulator.url(), &["doctor"]));
    assert_eq!(looked.code, Some(0), "{looked:?}");
    assert_eq!(
        looked
            .out
            .lines()
            .filter(|line| line.starts_with("ok "))
            .count(),
        5,
        "{looked:?}"
    );
    assert!(looked.out.contains("knows the AppID"), "{looked:?}");

    let mut command = serve(&folder, &[("server.management_listen", "127.0.0.1:0")]);
    command.env("MENJIN_WECHAT__BASE_URL", simulator.url());
    let server = Server::ready(command);
    login(server.public, &simulator.code("小王")).token();
    let looked = run(&mut with(&folder, &simulator.url(), &["doctor"]));
    assert!(
        looked.out.contains("up to date, 2 signing keys"),
        "{looked:?}"
    );
}

#[test]
fn init_writes_over_nothing_unless_told_to() {
    let folder = Folder::new();
    init(&folder, &[]);
    let first = folder.read("menjin.toml");
    let again = init(&folder, &[]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.err.contains("--output"), "{again:?}");
    assert!(again.err.contains("--force"), "{again:?}");
    assert_eq!(folder.read("menjin.toml"), first);

    let forced = init(&folder, &["--force"]);
    assert_eq!(forced.code, Some(0), "{forced:?}");
    assert_ne!(folder.read("menjin.toml"), first, "the keys are new");
    assert_eq!(mode(&folder.file("menjin.toml")), 0o600);
}

#[test]
fn init_without_answers_says_what_is_missing() {
    let folder = Folder::new();
    let made = run(menjin(&folder).arg("init"));
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.out.contains("AppSecret"), "{made:?}");
    let checked = run(menjin(&folder).args(["config", "check"]));
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.err.contains("wechat.apps[0].secret"), "{checked:?}");
    assert!(checked.err.contains("menjin.toml:"), "{checked:?}");

    let wrong = run(menjin(&folder).args(["init", "-o", "other.toml", "--appid", "no appid"]));
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.err.contains("--appid"), "{wrong:?}");
    assert!(!folder.file("other.toml").exists());
}

#[test]
fn the_doctor_says_what_to_do() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let alone = run(menjin(&folder).arg("doctor"));
    assert_eq!(alone.code, Some(1), "{alone:?}");
    assert!(alone.out.contains("FAILED   WeChat"), "{alone:?}");
    assert!(
        alone
            .out
            .contains("Can this machine reach http://127.0.0.1:1"),
        "{alone:?}"
    );

    let stranger = Simulator::knowing("another-secret-of-32-characters!");
    let refused = run(&mut with(&folder, &stranger.url(), &["doctor"]));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.out.contains("40125"), "{refused:?}");
    assert!(refused.out.contains("wechat.apps.secret"), "{refused:?}");
    assert!(!refused.out.contains(APP_SECRET), "{refused:?}");

    let mut nowhere = with(&folder, &stranger.url(), &["doctor"]);
    nowhere.env("MENJIN_STORE__URL", "postgres://nobody@127.0.0.1:1/none");
    let nowhere = run(&mut nowhere);
    assert_eq!(nowhere.code, Some(1), "{nowhere:?}");
    assert!(nowhere.out.contains("FAILED   store"), "{nowhere:?}");
    assert!(nowhere.out.contains("store.url"), "{nowhere:?}");
}

#[test]
fn a_dry_run_migrates_nothing() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let migrate = |words: &[&str]| {
        let ran = run(menjin(&folder).arg("migrate").args(words));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.out
    };
    let dry = migrate(&["--dry-run"]);
    assert!(
        dry.lines().all(|line| line.starts_with("would apply ")),
        "{dry}"
    );
    assert_eq!(migrate(&["--dry-run"]), dry);
    assert_eq!(migrate(&[]), dry.replace("would apply", "applied"));
    assert_eq!(migrate(&[]), "the database is up to date\n");
    assert_eq!(migrate(&["--dry-run"]), "the database is up to date\n");
}

/// Proves OPS-3: a second process on a SQLite file refuses to start, and names the file.
#[test]
fn one_file_is_served_by_one_process() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let first = Server::ready(serve(&folder, &[]));
    let second = run(&mut serve(&folder, &[]));
    assert_eq!(second.code, Some(1), "{second:?}");
    let file = folder.file("menjin.db").display().to_string();
    assert!(second.err.contains(&file), "{second:?}");
    // The lock is the process's, not the file's: it goes with the process, however that ends.
    first.program.signal("KILL");
    drop(first);
    Server::ready(serve(&folder, &[]));
}
