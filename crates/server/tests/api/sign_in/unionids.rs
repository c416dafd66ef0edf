//! One person in several mini programs, told by the unionid.

use menjin_core::{Appid, Identity, Openid, Role, Uid, Unionid};
use menjin_store::{Entered, NewUser};
use serde_json::{Value, json};

use crate::{
    harness::{APPID, OTHER, Reply, TestApp, forge, on_each_database},
    stub::Stub,
};

async fn identity(app: &TestApp, appid: &str, openid: &str) -> Identity {
    let (appid, openid) = (Appid::parse(appid).unwrap(), Openid::parse(openid).unwrap());
    let read = app
        .store
        .read(move |tx| Box::pin(async move { tx.identity_find(&appid, &openid).await }));
    let found: Result<_, menjin_store::Error> = read.await;
    found.unwrap().unwrap()
}

async fn audit(app: &TestApp) -> Vec<Entered> {
    let read = app
        .store
        .read(|tx| Box::pin(async move { tx.audit_all(0, 100).await }));
    let entries: Result<_, menjin_store::Error> = read.await;
    entries.unwrap()
}

/// Signs in to the other mini program.
async fn elsewhere(app: &TestApp, person: &str) -> Reply {
    let code = app.simulator.login(person, Some(OTHER)).unwrap();
    let body = json!({ "code": code, "appid": OTHER });
    app.post("/v1/user/login", &body).await
}

fn openid(reply: &Reply) -> String {
    reply.json()["openid"].as_str().unwrap().to_owned()
}

/// The uid of a reply; 0 for a guest.
fn uid(reply: &Reply) -> i64 {
    reply.json().get("uid").and_then(Value::as_i64).unwrap_or(0)
}

on_each_database! {
    /// Somebody registered in one app is known in another one of the same unionid.
    async fn a_user_is_one_in_every_linked_app(app) {
        let here = openid(&app.sign_in("wang").await);
        let uid = app.register(&here, "+8613800138000", Role::User).await.get();
        let there = elsewhere(app, "wang").await;
        assert_eq!(there.json()["registered"], true);
        assert_eq!(self::uid(&there), uid);
        assert_eq!(there.json()["nickname"], "小王");
        let (_, claims) = forge::read(&there.token());
        assert_eq!(claims["client_id"], OTHER);
        assert_eq!(claims["sub"], uid.to_string());
        assert!(identity(app, OTHER, &openid(&there)).await.linked);
        assert_eq!(self::uid(&elsewhere(app, "li").await), 0);
    }

    /// A guest becomes the user that the same person is in another app by now.
    async fn a_guest_follows_the_unionid(app) {
        let guest = elsewhere(app, "wang").await;
        assert_eq!(uid(&guest), 0);
        assert!(!identity(app, OTHER, &openid(&guest)).await.linked);
        let here = openid(&app.sign_in("wang").await);
        let account = app.register(&here, "+8613800138000", Role::User).await;
        let again = elsewhere(app, "wang").await;
        assert_eq!((openid(&again), uid(&again)), (openid(&guest), account.get()));
        let linked = identity(app, OTHER, &openid(&guest)).await;
        assert!(linked.linked && linked.user.unwrap().uid == account);
        app.disable(account).await;
        assert_eq!(elsewhere(app, "wang").await.status, 403);
    }

    /// A unionid that comes late is written down, and takes a guest to the account it belongs to.
    async fn a_unionid_comes_late(app) {
        let stub = Stub::start(&app.clock).await;
        let there = app.replica_with(&stub.url, |_| ()).await;
        stub.person("li", "oli", Some("unionli"));
        there.login("li").await.token();
        let account = app.register("oli", "+8613800138000", Role::User).await;
        for (code, openid, unionid) in [
            ("wang-1", "owang", None), ("wang-2", "owang", Some("unionwang")),
            ("wang-3", "owang", None), ("li-1", "oli2", None), ("li-2", "oli2", Some("unionli")),
        ] {
            stub.person(code, openid, unionid);
        }
        for (code, openid, unionid, uid) in [
            ("wang-1", "owang", None, 0), ("wang-2", "owang", Some("unionwang"), 0),
            // Not told any more when the app leaves the open platform, and true all the same.
            ("wang-3", "owang", Some("unionwang"), 0),
            ("li-1", "oli2", None, 0), ("li-2", "oli2", Some("unionli"), account.get()),
        ] {
            let reply = there.login(code).await;
            assert_eq!((reply.status.as_u16(), self::uid(&reply)), (200, uid), "{code}");
            let known = identity(app, APPID, openid).await;
            assert_eq!(known.unionid.as_ref().map(Unionid::as_str), unionid, "{code}");
            assert_eq!(known.linked, uid > 0, "{code}");
        }
        assert_eq!(audit(app).await, []);
        there.app.close().await;
    }

    /// Two accounts are never made one: whichever is older, each keeps its people, and the audit
    /// log says so once.
    async fn a_unionid_of_two_accounts(app) {
        let stub = Stub::start(&app.clock).await;
        let there = app.replica_with(&stub.url, |_| ()).await;
        for (n, elder_learns) in [true, false].into_iter().enumerate() {
            let (learner, owner) = (format!("olearner{n}"), format!("oowner{n}"));
            let unionid = format!("union{n}");
            stub.person(&learner, &learner, None);
            stub.person(&owner, &owner, Some(&unionid));
            let mut accounts = [Uid::new(1).unwrap(); 2];
            let order = if elder_learns { [&learner, &owner] } else { [&owner, &learner] };
            for (m, openid) in order.into_iter().enumerate() {
                there.login(openid).await.token();
                let phone = format!("+861380013800{}", 2 * n + m);
                accounts[m] = app.register(openid, &phone, Role::User).await;
            }
            assert!(accounts[0] < accounts[1]);
            let [own, other] = if elder_learns { accounts } else { [accounts[1], accounts[0]] };
            for m in 0..2 {
                let code = format!("again{n}{m}");
                stub.person(&code, &learner, Some(&unionid));
                assert_eq!(uid(&there.login(&code).await), own.get());
            }
            let code = format!("owner{n}");
            stub.person(&code, &owner, Some(&unionid));
            assert_eq!(uid(&there.login(&code).await), other.get());
            let entries = audit(app).await;
            assert_eq!(entries.len(), n + 1);
            let entry = &entries[n];
            assert_eq!(entry.event, "unionid_of_two_accounts");
            assert_eq!(entry.subject, own.to_string());
            let detail: Value = serde_json::from_str(&entry.detail).unwrap();
            let learner = identity(app, APPID, &learner).await;
            assert_eq!(detail, json!({ "identity": learner.id.to_string(), "other": other.get() }));
            assert_eq!(learner.unionid.unwrap().as_str(), unionid);
        }
        there.app.close().await;
    }

    /// A unionid that has changed is the new one from then on; an account stays with whom it was.
    async fn a_unionid_changes(app) {
        let stub = Stub::start(&app.clock).await;
        let there = app.replica_with(&stub.url, |_| ()).await;
        for (code, openid, unionid) in [
            ("user-1", "ouser", "union1"), ("user-2", "ouser", "union2"),
            ("guest-1", "oguest", "union3"), ("guest-2", "oguest", "union2"),
        ] {
            stub.person(code, openid, Some(unionid));
        }
        there.login("user-1").await.token();
        let account = app.register("ouser", "+8613800138000", Role::User).await.get();
        assert_eq!(uid(&there.login("guest-1").await), 0);
        assert_eq!(uid(&there.login("user-2").await), account);
        assert_eq!(identity(app, APPID, "ouser").await.unionid.unwrap().as_str(), "union2");
        assert_eq!(uid(&there.login("guest-2").await), account);
        assert!(identity(app, APPID, "oguest").await.linked);
        assert_eq!(audit(app).await, []);
        there.app.close().await;
    }

    /// An account that was imported and whose number nobody has verified is no registration.
    async fn an_imported_account_is_a_guest(app) {
        let guest = app.sign_in("wang").await;
        let id = app.identity(&openid(&guest)).await.id;
        let now = menjin_core::Clock::now(&*app.clock);
        let story = app.store.write(move |tx| {
            Box::pin(async move {
                let imported = NewUser {
                    phone: Some("+8613800138000"),
                    email: "wang@example.com",
                    nickname: "小王",
                    campus: "东",
                    role: Role::Admin,
                    ..NewUser::empty(now)
                };
                let uid = tx.user_create(&imported).await?.unwrap();
                tx.identity_link(&id, uid).await
            })
        });
        let linked: Result<_, menjin_store::Error> = story.await;
        assert!(linked.unwrap());
        for reply in [app.sign_in("wang").await, elsewhere(app, "wang").await] {
            let token = reply.token();
            assert_eq!(
                reply.text.replace(&token, "").replace(&openid(&reply), ""),
                "{\"success\":true,\"registered\":false,\"openid\":\"\",\"access_token\":\"\",\
                 \"email\":\"\",\"avatar\":\"\",\"phone\":\"\",\"role\":\"\",\"nickname\":\"\"}"
            );
            assert_eq!(forge::read(&token).1["scope"], "guest");
        }
    }
}
