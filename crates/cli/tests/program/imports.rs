//! `menjin import` and `menjin export`: people come, go, and come again.

use std::{fmt::Write, fs, process::Command};

use serde_json::{Value, json};

use crate::harness::{
    APPID, Database, Folder, PATIENCE, Program, Ran, Server, Simulator, configure, eventually,
    login, menjin, mode, post, request, run, serve, set_mode, try_ask,
};

/// What the deployments of these tests declare.
const FIELDS: &str = "
[[profile.fields]]
name = \"available\"
type = \"bool\"
[[profile.fields]]
name = \"wants\"
type = \"string\"
[[profile.fields]]
name = \"year\"
type = \"int\"
";

/// Everything that a row can say, and what a spreadsheet would take for a formula.
const PEOPLE: &str = "\
phone,nickname,avatar,campus,role,mail,appid,openid,unionid,available,wants,year
+8613800138000,小王,https://img.example.com/1.jpg,East,admin,wang@example.com,\
wx1234567890abcdef,oWang,uWang,true,\"a \"\"new\"\" fan, and\ntwo screws\",2026
+8613900139000,=1+1,,,user,,,,,false,+1 @home,-5
+8613700137000,,,,user,,,,,,,
";

/// A deployment with an empty database.
struct Deployment {
    folder: Folder,
    postgres: Option<Database>,
}

impl Deployment {
    fn sqlite() -> Self {
        Self::on(None)
    }

    fn postgres() -> Self {
        Self::on(Some(Database::new()))
    }

    fn on(postgres: Option<Database>) -> Self {
        let folder = Folder::new();
        configure(&folder, "http://127.0.0.1:1");
        let text = folder.read("menjin.toml") + FIELDS;
        folder.write("menjin.toml", &text);
        let deployment = Self { folder, postgres };
        let migrated = run(&mut deployment.command(&["migrate"]));
        assert_eq!(migrated.code, Some(0), "{migrated:?}");
        deployment
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = menjin(&self.folder);
        command.args(words);
        if let Some(database) = &self.postgres {
            command.env("MENJIN_STORE__URL", &database.url);
        }
        command
    }

    fn run(&self, words: &[&str]) -> Ran {
        run(&mut self.command(words))
    }

    /// Imports a file of that name and content, and returns what was said of it.
    fn import(&self, name: &str, content: impl AsRef<[u8]>, more: &[&str]) -> String {
        fs::write(self.folder.file(name), content).unwrap();
        let ran = self.run(&[&["import", name], more].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.out
    }

    fn export(&self, format: &str) -> String {
        let ran = self.run(&["export", "--format", format]);
        assert_eq!((ran.code, &*ran.err), (Some(0), ""), "{ran:?}");
        ran.out
    }
}

fn said(created: usize, updated: usize, unchanged: usize) -> String {
    format!(
        "created: {created}, updated: {updated}, unchanged: {unchanged}, left alone since their \
         people have claimed them: 0\n"
    )
}

/// So many people with nothing but a number and a name.
fn crowd(count: usize) -> String {
    let mut text = "phone,nickname\n".to_owned();
    for number in 0..count {
        writeln!(text, "{},person {number}", 13_800_000_000 + number).unwrap();
    }
    text
}

/// What one deployment exports, another imports, and nothing is lost.
fn round_trip(from: &Deployment, to: &Deployment) {
    assert_eq!(from.import("people.csv", PEOPLE, &[]), said(3, 0, 0));
    assert_eq!(from.export("csv"), PEOPLE);
    let lines = from.export("jsonl");
    let wang: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let wanted = json!({
        "phone": "+8613800138000", "nickname": "小王", "role": "admin", "campus": "East",
        "avatar": "https://img.example.com/1.jpg", "mail": "wang@example.com",
        "appid": APPID, "openid": "oWang", "unionid": "uWang",
        "available": true, "wants": "a \"new\" fan, and\ntwo screws", "year": 2026,
    });
    assert_eq!(wang, wanted);
    assert_eq!(to.import("people.jsonl", &lines, &[]), said(3, 0, 0));
    assert_eq!(to.export("csv"), PEOPLE);
    assert_eq!(to.export("jsonl"), lines);
}

#[test]
fn what_is_exported_comes_back_the_same() {
    let (sqlite, postgres) = (Deployment::sqlite(), Deployment::postgres());
    round_trip(&sqlite, &postgres);
    let (sqlite, postgres) = (Deployment::sqlite(), Deployment::postgres());
    round_trip(&postgres, &sqlite);
}

#[test]
fn a_second_import_doubles_nobody_and_brings_up_to_date() {
    for deployment in [Deployment::sqlite(), Deployment::postgres()] {
        deployment.import("people.csv", PEOPLE, &[]);
        assert_eq!(deployment.import("people.csv", PEOPLE, &[]), said(0, 0, 3));
        let marked = format!("\u{feff}{}", PEOPLE.replace("小王", "老王"));
        assert_eq!(deployment.import("people.csv", &marked, &[]), said(0, 1, 2));
        assert_eq!(deployment.export("csv"), PEOPLE.replace("小王", "老王"));
    }
}

#[test]
fn a_dry_run_says_everything_and_does_nothing() {
    for deployment in [Deployment::sqlite(), Deployment::postgres()] {
        let would = |created, updated, unchanged| {
            let said = said(created, updated, unchanged);
            let said = said.replace("created", "would be created");
            said.replace("updated", "would be updated")
        };
        let dry = deployment.import("people.csv", PEOPLE, &["--dry-run"]);
        assert_eq!(dry, would(3, 0, 0));
        assert_eq!(deployment.export("csv").lines().count(), 1);
        deployment.import("people.csv", PEOPLE, &[]);
        let changed = PEOPLE.replace("小王", "老王");
        let dry = deployment.import("people.csv", &changed, &["--dry-run"]);
        assert_eq!(dry, would(0, 1, 2));
        assert_eq!(deployment.export("csv"), PEOPLE);
    }
}

#[test]
fn one_bad_row_keeps_all_others_out() {
    let deployment = Deployment::sqlite();
    let mut text = crowd(3000);
    text.push_str("12345,nobody\n13800000001,again\n,nobody\n");
    deployment.folder.write("people.csv", &text);
    let ran = deployment.run(&["import", "people.csv"]);
    assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{ran:?}");
    for line in [
        "people.csv:3002: phone: not a phone number",
        "people.csv:3003: phone: stands on line 3 already",
        "people.csv:3004: phone: is missing",
    ] {
        assert!(ran.err.contains(line), "{line}: {ran:?}");
    }
    assert_eq!(deployment.export("csv").lines().count(), 1);

    let many = format!("phone\n{}", "1\n".repeat(60));
    deployment.folder.write("people.csv", &many);
    let ran = deployment.run(&["import", "people.csv"]);
    assert!(ran.err.contains("people.csv:51: ") && !ran.err.contains("people.csv:52: "));
    assert!(ran.err.contains("and 10 more"), "{ran:?}");

    deployment.folder.write("people.csv", "phone,nickname\n");
    fs::write(
        deployment.folder.file("people.csv"),
        b"phone,nickname\n1,\xcd\xf5\n",
    )
    .unwrap();
    let ran = deployment.run(&["import", "people.csv"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("people.csv:2: is not UTF-8"), "{ran:?}");
}

#[test]
fn what_wechat_calls_somebody_is_one_persons() {
    for deployment in [Deployment::sqlite(), Deployment::postgres()] {
        deployment.import("people.csv", PEOPLE, &[]);
        for (cells, told) in [
            (
                "oWang,",
                "openid: belongs to an account with another phone number",
            ),
            (
                "oOther,uWang",
                "unionid: belongs to an account with another phone number",
            ),
        ] {
            let text = format!("phone,openid,unionid\n13600136000,{cells}\n");
            deployment.folder.write("more.csv", &text);
            let ran = deployment.run(&["import", "more.csv"]);
            assert_eq!(ran.code, Some(1), "{ran:?}");
            assert!(ran.err.contains(&format!("more.csv:2: {told}")), "{ran:?}");
        }
        assert_eq!(deployment.export("csv"), PEOPLE);
    }
}

#[test]
fn an_import_can_be_stopped_and_run_again() {
    const MANY: usize = 40_000;
    let deployment = Deployment::sqlite();
    deployment.folder.write("people.csv", &crowd(MANY));
    let program = Program::start(&mut deployment.command(&["import", "people.csv"]));
    eventually("some people are in", || {
        program.said().contains("imported 4000 of").then_some(())
    });
    program.signal("INT");
    let ran = program.end(PATIENCE);
    assert_eq!(ran.code, Some(130), "{ran:?}");
    let (_, after) = ran.err.split_once("stopped after ").expect(&ran.err);
    let done: usize = after.split(' ').next().unwrap().parse().unwrap();
    assert!((4000..MANY).contains(&done), "{ran:?}");
    assert_eq!(deployment.export("csv").lines().count(), done + 1);

    let ran = deployment.run(&["import", "people.csv"]);
    assert_eq!(ran.out, said(MANY - done, 0, done));
    assert_eq!(deployment.export("csv").lines().count(), MANY + 1);
}

/// Whoever was imported takes the account over by their number, and what they have
/// claimed no later import changes. The server goes on meanwhile.
#[test]
fn an_imported_person_claims_the_account() {
    let simulator = Simulator::start();
    let deployment = Deployment::sqlite();
    let settings = [("wechat.base_url", &*simulator.url())];
    let server = Server::ready(serve(&deployment.folder, &settings));
    let people = "phone,nickname\n13800138000,小王\n13900139000,Mei\n";
    assert_eq!(deployment.import("people.csv", people, &[]), said(2, 0, 0));

    let token = login(server.public, &simulator.code("wang")).token();
    let phone = json!({ "person": "wang", "number": "13800138000", "appid": APPID });
    let code = post(simulator.address, "/simulator/phone", &phone).json()["code"].clone();
    let bearer = format!("Bearer {token}");
    let body = json!({ "phone_code": code }).to_string();
    let headers = [("Authorization", &*bearer)];
    let claimed = try_ask(
        server.public,
        &request("POST /v1/user/register", &headers, &body),
    );
    assert_eq!(claimed.unwrap().json()["status"], "user_migrated");

    let changed = people.replace("小王", "老王").replace("Mei", "May");
    let told = deployment.import("people.csv", &changed, &[]);
    assert!(told.contains("updated: 1, unchanged: 0, "), "{told}");
    assert!(told.ends_with("claimed them: 1\n"), "{told}");
    let exported = deployment.export("csv");
    assert!(
        exported.contains("小王") && exported.contains("May"),
        "{exported}"
    );
}

#[test]
fn standard_input_and_output_are_files_too() {
    let deployment = Deployment::sqlite();
    let input = deployment.folder.write("people", PEOPLE);
    let unsaid = deployment.run(&["import", "-"]);
    assert_eq!(unsaid.code, Some(1), "{unsaid:?}");
    assert!(unsaid.err.contains("--format csv"), "{unsaid:?}");
    let mut command = deployment.command(&["import", "-", "--format", "csv"]);
    let ran = run(command.stdin(fs::File::open(input).unwrap()));
    assert_eq!(ran.out, said(3, 0, 0), "{ran:?}");
    assert_eq!(deployment.run(&["export"]).out, PEOPLE);
    let nowhere = deployment.run(&["import", "nowhere.csv"]);
    assert_eq!(nowhere.code, Some(1), "{nowhere:?}");
    assert!(
        nowhere.err.contains("nowhere.csv cannot be read"),
        "{nowhere:?}"
    );
}

#[test]
fn an_exported_file_is_for_its_owner_alone() {
    let deployment = Deployment::sqlite();
    deployment.import("people.csv", PEOPLE, &[]);
    let path = deployment.folder.file("out.csv");
    let ran = deployment.run(&["export", "out.csv"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(deployment.folder.read("out.csv"), PEOPLE);

    let again = deployment.run(&["export", "out.csv"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.err.contains("--force"), "{again:?}");
    fs::write(&path, "much longer than before\n".repeat(100)).unwrap();
    set_mode(&path, 0o644);
    let forced = deployment.run(&["export", "out.csv", "--force"]);
    assert_eq!(forced.code, Some(0), "{forced:?}");
    assert_eq!(deployment.folder.read("out.csv"), PEOPLE);
    assert_eq!(mode(&path), 0o600);
}

/// Proves LOG-1 for imports: whatever is wrong, no number, name or address is said.
#[test]
fn no_import_says_who_is_in_it() {
    let deployment = Deployment::sqlite();
    let said = |ran: Ran| {
        let all = format!("{}{}", ran.out, ran.err);
        for canary in ["13812345678", "1381234", "Canary", "canary"] {
            assert!(!all.contains(canary), "{canary} in {all}");
        }
    };
    let row = "13812345678,Canary,canary@example.com,oCanary";
    let header = "phone,nickname,mail,openid";
    for text in [
        format!("{header}\n{row}\n{row}\n"),
        format!("{header}\n{row}x\n138123456789,Canary\tx,canary,o Canary\n"),
        format!("{row}\n{header}\n"),
        format!("{header}\n\"{row}\n"),
        format!("{header}\n{row}\n"),
        format!("{header}\n13600136000,,,oCanary\n"),
    ] {
        deployment.folder.write("people.csv", &text);
        let mut command = deployment.command(&["import", "people.csv"]);
        command.env("MENJIN_LOG__LEVEL", "trace");
        said(run(&mut command));
    }
    for text in [
        "{\"phone\": \"13812345678\", \"13812345678\": \"Canary\"}",
        "{\"phone\": \"13812345678\" \"Canary\"}",
        "\"13812345678\"",
    ] {
        deployment.folder.write("people.jsonl", text);
        said(deployment.run(&["import", "people.jsonl"]));
    }
}
