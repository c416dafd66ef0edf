//! The phone page of `menjin dev` in a real browser.

use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt, path::Path, time::Duration};

use crate::{
    dev::Dev,
    harness::{APP_SECRET, APPID, Folder, MASTER_KEY, Program, command, given, menjin, run},
};

/// Longer than the script gives itself.
const LIMIT: Duration = Duration::from_mins(5);
/// Whose account waits for its owner.
pub(crate) const IMPORTED: &str = "13900139000";

/// Lets the database of `menjin dev` hold an imported account, before it is started for the first time.
pub(crate) fn import(folder: &Folder) {
    let kept = folder.file("menjin-dev");
    DirBuilder::new().mode(0o700).create(&kept).unwrap();
    folder.write("menjin-dev/master.key", &format!("{MASTER_KEY}\n"));
    let configuration = format!(
        r#"
[store]
url = "sqlite://{}/menjin.db"
[secrets]
master_keys = ["{MASTER_KEY}"]
[[wechat.apps]]
appid = "{APPID}"
secret = "{APP_SECRET}"
"#,
        kept.display()
    );
    folder.write("menjin.toml", &configuration);
    folder.write("people.csv", &format!("phone,nickname\n{IMPORTED},老陈\n"));
    for words in [&["migrate"][..], &["import", "people.csv"]] {
        let ran = run(menjin(folder).args(words));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}

#[test]
fn the_phone_page_works_in_a_browser() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser");
    assert!(
        scripts.join("node_modules/playwright-core").is_dir(),
        "tests/browser has no packages: run script/test"
    );
    let chromium = given("MENJIN_TEST_CHROMIUM");
    let folder = Folder::new();
    import(&folder);
    let dev = Dev::start(&folder, &[]);
    let mut node = command("node", &folder);
    node.arg(scripts.join("phone.mjs"));
    node.arg(format!("http://{}", dev.address));
    node.env("CHROMIUM", chromium).env("IMPORTED", IMPORTED);
    let ran = Program::start(&mut node).end(LIMIT);
    assert_eq!(ran.out.lines().last(), Some("phone page: ok"), "{ran:?}");
    assert_eq!(ran.code, Some(0));
}
