//! The package for mini programs against the program and the simulator, on a phone that Node plays.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    browser::{IMPORTED, import},
    dev::Dev,
    harness::{Folder, Program, Ran, command, run},
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
            node.args(["--target", target, "--into"]).arg(target);
            let ran = run(&mut node);
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
        package
    }

    /// Node with one of the package's scripts, in the folder of the test.
    fn node(&self, script: &str) -> Command {
        let mut node = command("node", &self.folder);
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
}

#[test]
fn what_people_do_every_day() {
    let package = Package::build();
    import(&package.folder);
    let dev = Dev::start(&package.folder, &[]);
    let base = format!("http://{}", dev.address);
    package.passes(
        "everyday.mjs",
        &[("MENJIN_BASE", &base), ("IMPORTED", IMPORTED)],
    );
}
