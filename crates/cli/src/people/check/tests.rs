use serde_json::json;

use super::{super::Format, *};
use crate::people::read;

fn rules<'c>(codes: &'c CallingCodes, fields: &'c Fields, campuses: &'c [String]) -> Rules<'c> {
    let appids = ["wx1", "wx2"].map(|appid| Appid::parse(appid).unwrap());
    Rules {
        codes,
        fields,
        campuses,
        appids: appids.to_vec(),
    }
}

fn fields() -> Fields {
    let field = |name, kind| Field {
        name,
        kind,
        set_by: menjin_core::profile::SetBy::User,
    };
    Fields::new(vec![
        field("wants", Kind::Text(5)),
        field("available", Kind::Bool),
        field("year", Kind::Int(2000, 2100)),
        field("shift", Kind::OneOf(vec!["day".to_owned()])),
    ])
    .unwrap()
}

fn check(text: &str, format: Format) -> Result<Vec<Person>, String> {
    let (codes, fields) = (CallingCodes::default(), fields());
    let campuses = ["East".to_owned()];
    let mut problems = Problems::new("f".to_owned());
    let rows = read::rows(text.as_bytes(), format, &fields, &mut problems);
    let people = people(rows, &rules(&codes, &fields, &campuses), &mut problems);
    if problems.is_empty() {
        return Ok(people);
    }
    let told = problems.to_string();
    let lines = told.lines().filter(|line| line.starts_with("f:"));
    Err(lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn a_row_becomes_a_person() {
    let csv = "phone,nickname,campus,role,email,avatar,wants,available,year,shift,openid\n\
               138 0013 8000,小王,East,admin,W@Example.com,https://a.example/1.jpg,a fan,1,2026,day,o1\n\
               13900139000,,,,,,,,,,\n";
    let people = check(csv, Format::Csv).unwrap();
    let [wang, mei] = people.as_slice() else {
        panic!("{people:?}");
    };
    assert_eq!(wang.phone.as_str(), "+8613800138000");
    assert_eq!((wang.nickname.as_str(), wang.role), ("小王", Role::Admin));
    assert_eq!(
        (wang.campus.as_str(), wang.mail.as_str()),
        ("East", "W@example.com")
    );
    let profile = json!({ "wants": "a fan", "available": true, "year": 2026, "shift": "day" });
    assert_eq!(Value::Object(wang.profile.clone()), profile);
    assert_eq!(wang.faces[0].appid.as_str(), "wx1", "the default one");
    assert_eq!((mei.line, mei.role, mei.profile.len()), (3, Role::User, 0));
    assert!(mei.faces.is_empty());

    let json = json!({
        "phone": 13_800_138_000_u64, "available": true, "year": 2026, "mail": null,
        "appid": "wx1 wx2", "openid": "o1 o2", "unionid": "- u2",
    });
    let people = check(&json.to_string(), Format::Jsonl).unwrap();
    let faces = people[0].faces.iter().map(|face| {
        let unionid = face.unionid.as_ref().map(Unionid::as_str);
        (face.appid.as_str(), face.openid.as_str(), unionid)
    });
    let wanted = [("wx1", "o1", None), ("wx2", "o2", Some("u2"))];
    assert_eq!(faces.collect::<Vec<_>>(), wanted);
    assert_eq!(people[0].profile["year"], 2026);
}

/// Rows that are refused, and what is said of them.
const REFUSED: &[(&str, &str)] = &[
    (r#"{"nickname": "a"}"#, "phone: is missing"),
    (r#"{"phone": "12345"}"#, "phone: not a phone number"),
    (r#"{"phone": ["13800138000"]}"#, "phone: has to be text"),
    (r#"{"phone": "+85251234567"}"#, "phone: not a phone number"),
    (
        r#"{"nickname": "a\nb"}"#,
        "nickname: has to be 64 characters",
    ),
    (r#"{"nickname": 7}"#, "nickname: has to be 64 characters"),
    (
        r#"{"campus": "West"}"#,
        "campus: is none of profile.campuses",
    ),
    (r#"{"role": "root"}"#, "role: has to be user or admin"),
    (r#"{"mail": "nobody"}"#, "mail: not a mail address"),
    (
        r#"{"avatar": "http://img.example.com/1.jpg"}"#,
        "avatar: has to be an address",
    ),
    (
        r#"{"wants": "too long"}"#,
        "wants: has to be text of 5 characters at most",
    ),
    (
        r#"{"available": "perhaps"}"#,
        "available: has to be true or false",
    ),
    (
        r#"{"year": 1999}"#,
        "year: has to be a whole number from 2000 to 2100",
    ),
    (r#"{"shift": "noon"}"#, "shift: is none of its values"),
    (
        r#"{"appid": "wx1"}"#,
        "appid: there have to be as many as openids",
    ),
    (
        r#"{"openid": "o1 o2"}"#,
        "appid: there have to be as many as openids",
    ),
    (
        r#"{"unionid": "u1"}"#,
        "unionid: there have to be as many as openids",
    ),
    (
        r#"{"appid": "wx9", "openid": "o1"}"#,
        "appid: is none of wechat.apps",
    ),
    (r#"{"openid": "o+1"}"#, "openid: an openid has"),
    (
        r#"{"openid": "admin"}"#,
        "openid: an openid is never the name",
    ),
    (
        r#"{"openid": "o1", "unionid": "u+1"}"#,
        "unionid: a unionid has",
    ),
];

#[test]
fn every_cell_is_checked_and_none_is_quoted() {
    for (row, told) in REFUSED {
        let mut whole: Value = serde_json::from_str(row).unwrap();
        let object = whole.as_object_mut().unwrap();
        if !told.starts_with("phone") {
            object.insert("phone".to_owned(), "13800138000".into());
        }
        let said = check(&whole.to_string(), Format::Jsonl).unwrap_err();
        assert!(said.starts_with(&format!("f:1: {told}")), "{row}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        let quoted = ["12345", "8525", "nobody", "javascript", "root"];
        assert!(!quoted.iter().any(|value| said.contains(value)), "{said}");
    }
}

#[test]
fn nobody_stands_twice_in_a_file() {
    let told = check(
        "phone,openid,unionid\n13800138000,o1,u1\n+86 13800138000,o2,\n13900139000,o1,\n\
         13700137000,o3,u1\n",
        Format::Csv,
    )
    .unwrap_err();
    let lines = [
        "f:3: phone: stands on line 2 already: keep one of the two",
        "f:4: openid: stands on line 2 already: keep one of the two",
        "f:5: unionid: stands on line 2 already: keep one of the two",
    ];
    assert_eq!(told, lines.join("\n"));
    let one = "phone,appid,openid,unionid\n13800138000,wx1 wx2,o1 o1,u1 u1\n";
    assert!(
        check(one, Format::Csv).is_ok(),
        "one person, two mini programs"
    );
}
