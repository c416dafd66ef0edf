use std::collections::HashSet;

use serde_json::Value;

use super::*;

fn document() -> Value {
    serde_json::from_str(openapi()).unwrap()
}

/// Every value of a member with that name, at any depth.
fn all<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if key == name {
                    found.push(member);
                }
                all(member, name, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, name, found)),
        _ => {}
    }
}

#[test]
fn it_is_openapi_3_1() {
    let document = document();
    let version = document["openapi"].as_str().unwrap();
    assert!(version.starts_with("3.1."), "{version}");
    assert_eq!(document["info"]["title"], "Menjin");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn every_route_is_documented_and_no_other() {
    let document = document();
    let documented: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
    let mut served: Vec<_> = routes::ROUTES.iter().map(|route| route.path).collect();
    served.sort_unstable();
    assert_eq!(documented, served);
}

/// Two schemas of one name silently become one; whoever reads then finds the wrong members.
#[test]
fn no_schema_overwrites_another() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut members = HashSet::new();
    for (name, schema) in schemas {
        assert!(
            schema["type"] == "object" || schema["allOf"].is_array(),
            "{name}"
        );
        let properties = schema.get("properties").or(schema.get("allOf"));
        assert!(members.insert(properties.map(Value::to_string)), "{name}");
    }
    let mut names: Vec<_> = schemas.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, NAMES);
}

/// Every type that a reply or a request is documented with.
const NAMES: [&str; 50] = [
    "Account",
    "AccountFailure",
    "AuditEntry",
    "AvatarReply",
    "AvatarUpload",
    "CodeRequest",
    "ConfirmForm",
    "Consent",
    "ConsentReply",
    "ConsentRequest",
    "DecryptReply",
    "DecryptRequest",
    "DeleteReply",
    "DeleteRequest",
    "Done",
    "EmailChangeReply",
    "ExportReply",
    "ExportedAccount",
    "ExportedIdentity",
    "Feed",
    "GeneralFailure",
    "Introspection",
    "JwkSet",
    "LogoutAllReply",
    "Me",
    "Metadata",
    "NewEmailRequest",
    "NewPhoneRequest",
    "OAuthFailure",
    "OpenVerification",
    "PhoneChangeReply",
    "PhoneChangeRequest",
    "PictureFailure",
    "RegisterReply",
    "RegisterRequest",
    "Revoked",
    "RevokedItem",
    "Row",
    "SearchFailure",
    "SearchReply",
    "SentMessage",
    "SetUserReply",
    "SetUserRequest",
    "SignInError",
    "SignInFailure",
    "SignInReply",
    "SignInRequest",
    "TokenFailure",
    "TokenForm",
    "WechatToken",
];

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = Vec::new();
    all(&document, "$ref", &mut found);
    assert!(!found.is_empty());
    let mut used = HashSet::new();
    for reference in found {
        let reference = reference.as_str().unwrap();
        let target = document.pointer(reference.strip_prefix('#').unwrap());
        assert!(target.is_some(), "{reference}");
        used.insert(reference.rsplit('/').next().unwrap());
    }
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(used.contains(name.as_str()), "nobody refers to {name}");
    }
}

#[test]
fn every_operation_is_told_apart_and_explained() {
    let document = document();
    let mut found = Vec::new();
    all(&document, "operationId", &mut found);
    let distinct: HashSet<_> = found.iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(distinct.len(), found.len(), "{found:?}");
    let tags: HashSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(
                !summary.is_empty() && !summary.ends_with('.'),
                "{method} {path}"
            );
            assert!(tags.contains(&operation["tags"][0]), "{method} {path}");
            // Where clients look for grants, of which there are none.
            let is_answered = operation["responses"].get("200").is_some();
            assert!(is_answered || path == "/oauth/token", "{method} {path}");
            for scheme in operation["security"].as_array().into_iter().flatten() {
                // The empty one: the bearer may be left out.
                let optional = scheme.as_object().is_some_and(serde_json::Map::is_empty);
                assert!(
                    optional || scheme.get("bearer").or(scheme.get("service")).is_some(),
                    "{method} {path}"
                );
            }
        }
    }
    assert_eq!(
        document["components"]["securitySchemes"]["bearer"]["scheme"],
        "bearer"
    );
}
