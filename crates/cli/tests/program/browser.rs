//! The phone page of `menjin dev` in a real browser.

use std::{path::Path, time::Duration};

use crate::{
    dev::Dev,
    harness::{Folder, Program, command, given},
};

/// Longer than the script gives itself.
const LIMIT: Duration = Duration::from_secs(200);

#[test]
fn the_phone_page_works_in_a_browser() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser");
    assert!(
        scripts.join("node_modules/playwright-core").is_dir(),
        "tests/browser has no packages: run script/test"
    );
    let chromium = given("MENJIN_TEST_CHROMIUM");
    let folder = Folder::new();
    let dev = Dev::start(&folder, &[]);
    let mut node = command("node", &folder);
    node.arg(scripts.join("phone.mjs"));
    node.arg(format!("http://{}", dev.address));
    node.env("CHROMIUM", chromium);
    let ran = Program::start(&mut node).end(LIMIT);
    assert_eq!(ran.out.lines().last(), Some("phone page: ok"), "{ran:?}");
    assert_eq!(ran.code, Some(0));
}
