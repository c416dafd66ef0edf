//! The example mini program: its pages, with the package that it installs, on a phone that Node plays.

use std::{path::Path, time::Duration};

use crate::{
    browser::{IMPORTED, import},
    dev::Dev,
    harness::{Folder, Program, command, run},
};

/// Longer than the script gives itself.
const LIMIT: Duration = Duration::from_mins(3);
/// The service that the example calls, as tokens name it.
const SERVICE: &str = "repairs";

#[test]
fn the_example_mini_program_works() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let example = tree.join("examples/miniprogram");
    assert!(
        example.join("node_modules/menjin-miniprogram").is_dir(),
        "examples/miniprogram has no packages: run script/test"
    );
    let folder = Folder::new();
    let package = folder.file("package");
    let script = tree.join("sdk/miniprogram/build.mjs");
    let built = run(command("node", &folder)
        .arg(script)
        .arg("--into")
        .arg(&package));
    assert_eq!(built.code, Some(0), "{built:?}");

    import(&folder);
    let dev = Dev::start(&folder, &[("MENJIN_TOKEN__AUDIENCE", SERVICE)]);
    let mut node = command("node", &folder);
    node.arg(example.join("test/run.mjs"));
    node.arg(format!("http://{}", dev.address));
    node.env("MENJIN_SDK", &package).env("IMPORTED", IMPORTED);
    let ran = Program::start(&mut node).end(LIMIT);
    assert_eq!(ran.out.lines().last(), Some("mini program: ok"), "{ran:?}");
    assert_eq!(ran.code, Some(0));
}
