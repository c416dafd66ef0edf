//! The package for mini programs against the program and the simulator, on a phone that Node plays.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use menjin_core::Uid;

use crate::{
    browser::{IMPORTED, import},
    clock::library,
    dev::Dev,
    harness::{Folder, Program, Ran, Server, Simulator, command, configure, run, serve},
};

/// How long one file of tests may take on a busy machine.
const LIMIT: Duration = Duration::from_mins(3);

/// The package as the tree has it now, built into the folder of a test.
struct Package {
    source: PathBuf,
    folder: Folder,
}

impl Package {
    fn build() -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/miniprogram");
        assert!(
            source.join("node_modules/esbuild").is_dir(),
            "sdk/miniprogram has no packages: run script/test"
        );
        let package = Self {
            source,
            folder: Folder::new(),
        };
        // As it is shipped, and for phones whose promises are the mini program's own.
        for target in ["es2017", "es2015"] {
            let mut node = package.node("build.mjs");
            node.args(["--target", target, "--into", target]);
            let ran = run(&mut node);
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
        package
    }

    /// Node with one of the package's scripts, in the folder of the test.
    fn node(&self, script: &str) -> Command {
        let mut node = command("node", &self.folder);
        node.arg("--test-reporter=tap");
        node.arg(self.source.join(script));
        node.env("MENJIN_SDK", self.folder.path());
        node.env("TMPDIR", self.folder.path());
        node
    }

    /// Lets a file of tests pass.
    fn passes(&self, file: &str, environment: &[(&str, &str)]) -> Ran {
        let mut node = self.node(&format!("tests/{file}"));
        node.envs(environment.iter().copied());
        let ran = Program::start(&mut node).end(LIMIT);
        assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
        assert!(ran.out.contains("# fail 0"), "{}", ran.out);
        ran
    }

    /// Starts `menjin dev`; the address at which the simulator's controls are too.
    fn dev(&self) -> (Dev, String) {
        let dev = Dev::start(&self.folder, &[]);
        let base = format!("http://{}", dev.address);
        (dev, base)
    }
}

/// Signing in, registering by text message and by button, taking an imported account over, the profile,
/// the picture, logging out.
#[test]
fn the_package_does_what_people_do_every_day() {
    let package = Package::build();
    import(&package.folder);
    let (_dev, base) = package.dev();
    package.passes(
        "everyday.mjs",
        &[("MENJIN_BASE", &base), ("IMPORTED", IMPORTED)],
    );
}

/// Lost replies, no network, silent and stubborn services, revoked tokens, wrong clocks, full storages.
#[test]
fn the_package_knows_what_to_do_in_trouble() {
    let package = Package::build();
    let (_dev, base) = package.dev();
    package.passes("trouble.mjs", &[("MENJIN_BASE", &base)]);
}

#[test]
fn the_package_forgets_whoever_left() {
    let package = Package::build();
    let (_dev, base) = package.dev();
    package.passes("leaving.mjs", &[("MENJIN_BASE", &base)]);
}

/// Twenty requests at once with a token that is over: one sign-in, and all succeed.
#[test]
fn the_package_replaces_an_expired_token_once() {
    let package = Package::build();
    let simulator = Simulator::start();
    configure(&package.folder, &simulator.url());
    let clock = package.folder.write("offset", "+0");
    let mut command = serve(&package.folder, &[]);
    command
        .env("LD_PRELOAD", library())
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let server = Server::ready(command);
    let base = format!("http://{}", server.public);
    let environment = [
        ("MENJIN_BASE", &*base),
        ("MENJIN_SIMULATOR", &*simulator.url()),
        ("MENJIN_CLOCK", &*clock.to_string_lossy()),
    ];
    package.passes("expired.mjs", &environment);
}

/// Disables an account, as an administrator's tool would, beside the running server.
fn disable(folder: &Folder, uid: i64) {
    let database = folder.file("menjin-dev/menjin.db");
    let url = format!("sqlite://{}", database.display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let done: Result<bool, menjin_store::Error> = runtime.block_on(async {
        let store = menjin_store::Store::open(&menjin_store::Options::new(url)).await?;
        let uid = Uid::new(uid).unwrap();
        let writing = store.write(move |tx| Box::pin(async move { tx.user_disable(uid, 1).await }));
        let done = writing.await;
        store.close().await;
        done
    });
    assert!(done.unwrap());
}

#[test]
fn the_package_says_who_is_banned_and_asks_no_more() {
    let package = Package::build();
    let (_dev, base) = package.dev();
    let ran = package.passes("banned.mjs", &[("MENJIN_BASE", &base)]);
    let (_, after) = ran.out.split_once("uid ").expect(&ran.out);
    let uid = after.split_once('.').unwrap().0.parse().unwrap();
    disable(&package.folder, uid);
    package.passes(
        "banned.mjs",
        &[("MENJIN_BASE", &base), ("MENJIN_DISABLED", "1")],
    );
}

/// Packed as npm does, installed without a network, and copied as WeChat's tools do.
#[test]
fn the_package_installs_into_a_mini_program() {
    let package = Package::build();
    package.passes("package.mjs", &[]);
}
