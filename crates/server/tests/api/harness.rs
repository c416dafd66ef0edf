//! A whole server, in this process, on a database of its own, with a simulator over real HTTP.

pub(crate) mod account;
mod clock;
pub(crate) mod database;
pub(crate) mod forge;
pub(crate) mod held;
pub(crate) mod link;
pub(crate) mod outside;
mod reply;
mod team;
pub(crate) mod wire;

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request};
use menjin_core::{
    Appid, CallingCodes, Clock, Identity, MasterKeys, Permission, Role, Uid, key::SigningAlgorithm,
    keyring::Rotation, sending::SendLimits,
};
use menjin_server::{App, AppOptions, Options, Outside, Profile, Registration};
use menjin_simulator::Simulator;
use menjin_store::{NewUser, Store};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) use self::{
    account::Person,
    clock::TestClock,
    reply::{Reply, send},
    team::service,
};
use self::{
    database::{server, sql, unique},
    outside::outside,
};

/// The default mini program of every test, and another.
pub(crate) const APPID: &str = "wx1234567890abcdef";
pub(crate) const OTHER: &str = "wxfedcba0987654321";
pub(crate) const MASTER_KEY: &str = "dGVzdCBrZXkgb25seSwgbm90IGEgc2VjcmV0LCBhYmMxMjM=";

/// Declares one test per database.
macro_rules! on_each_database {
    ($($(#[$doc:meta])* async fn $name:ident($app:ident) $body:block)+) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn story($app: &TestApp) $body

            #[tokio::test]
            async fn sqlite() {
                let app = TestApp::sqlite().await;
                story(&app).await;
                app.end().await;
            }

            #[tokio::test]
            async fn postgres() {
                let app = TestApp::postgres().await;
                story(&app).await;
                app.end().await;
            }
        }
    )+};
}
pub(crate) use on_each_database;

pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) store: Store,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) simulator: Simulator,
    /// Where the simulator listens: `http://127.0.0.1:PORT`.
    pub(crate) wechat: String,
    pub(crate) options: Options,
    pub(crate) store_url: String,
    router: Router,
    folder: Option<std::path::PathBuf>,
}

pub(crate) fn options() -> Options {
    Options {
        apps: [APPID, OTHER]
            .map(|appid| AppOptions {
                appid: Appid::parse(appid).unwrap(),
                push: None,
            })
            .to_vec(),
        public_url: "https://door.test".to_owned(),
        trusted_proxies: vec![],
        master_keys: MasterKeys::parse([MASTER_KEY]).unwrap(),
        issuer: "https://door.test".to_owned(),
        audience: vec!["repairs".to_owned()],
        rotation: Rotation {
            every: Duration::from_hours(720),
            cache: Duration::from_mins(5),
            token_ttl: Duration::from_hours(1),
            algorithm: SigningAlgorithm::Es256,
        },
        replay_window: Duration::from_secs(30),
        wechat_timeout: Duration::from_secs(5),
        sign_in_per_address: 0,
        migrate: true,
        registration: Registration {
            calling_codes: CallingCodes::default(),
            limits: SendLimits {
                per_address: 0,
                budget: 0,
            },
            policy: None,
        },
        profile: Profile::default(),
        services: vec![service("repairs", &Permission::ALL)],
    }
}

impl TestApp {
    pub(crate) async fn sqlite() -> Self {
        Self::sqlite_with(|_| ()).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::postgres_with(|_| ()).await
    }

    pub(crate) async fn sqlite_with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = std::env::temp_dir().join(format!("menjin-server-{}", unique()));
        std::fs::create_dir_all(&folder).unwrap();
        let url = format!("sqlite://{}/menjin.db", folder.display());
        let mut app = Self::on(url, change).await;
        app.folder = Some(folder);
        app
    }

    /// Fails on a machine without a server: a test that cannot run has not passed.
    pub(crate) async fn postgres_with(change: impl FnOnce(&mut Options)) -> Self {
        let name = format!("menjin_server_{}", unique());
        sql("postgres", &format!("CREATE DATABASE {name}")).await;
        let mut app = Self::on(format!("{}/{name}", server()), change).await;
        app.folder = None;
        app
    }

    async fn on(store_url: String, change: impl FnOnce(&mut Options)) -> Self {
        let apps = [APPID, OTHER].map(|appid| menjin_simulator::App {
            appid: appid.to_owned(),
            secret: SECRET.to_owned(),
        });
        let simulator = Simulator::new(menjin_simulator::Options {
            apps: apps.to_vec(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wechat = format!("http://{}", listener.local_addr().unwrap());
        let serving = simulator.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
        let clock = Arc::new(TestClock::new());
        let mut options = options();
        change(&mut options);
        let outside = outside(&options, (&wechat, &store_url), &simulator, clock.clone());
        let (app, store) = assemble(&options, &store_url, outside, clock.clone()).await;
        app.start().await.unwrap();
        Self {
            router: menjin_server::public(&app),
            app,
            store,
            clock,
            simulator,
            wechat,
            options,
            store_url,
            folder: None,
        }
    }

    /// Another server on the same database, with the same WeChat and clock.
    pub(crate) async fn replica(&self) -> Self {
        self.replica_with(&self.wechat, |_| ()).await
    }

    /// The same with another WeChat or other options.
    pub(crate) async fn replica_with(
        &self,
        wechat: &str,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let mut options = self.options.clone();
        change(&mut options);
        let replica = self.assembled(options, &self.store_url, wechat).await;
        replica.app.start().await.unwrap();
        replica
    }

    /// The same with other options; it has not asked its store for anything yet.
    pub(crate) async fn unstarted(&self, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = self.options.clone();
        change(&mut options);
        self.assembled(options, &self.store_url, &self.wechat).await
    }

    /// Another server on the same database that sends its messages by others.
    pub(crate) async fn replica_outside(&self, change: impl FnOnce(&mut Outside)) -> Self {
        let (options, wechat) = (self.options.clone(), self.wechat.clone());
        let here = (&*wechat, &*self.store_url);
        let mut outside = outside(&options, here, &self.simulator, self.clock.clone());
        change(&mut outside);
        let replica = self
            .put_together(options, &self.store_url, &wechat, outside)
            .await;
        replica.app.start().await.unwrap();
        replica
    }

    async fn assembled(&self, options: Options, store_url: &str, wechat: &str) -> Self {
        let outside = outside(
            &options,
            (wechat, store_url),
            &self.simulator,
            self.clock.clone(),
        );
        self.put_together(options, store_url, wechat, outside).await
    }

    async fn put_together(
        &self,
        options: Options,
        store_url: &str,
        wechat: &str,
        outside: Outside,
    ) -> Self {
        let (app, store) = assemble(&options, store_url, outside, self.clock.clone()).await;
        Self {
            router: menjin_server::public(&app),
            app,
            store,
            clock: self.clock.clone(),
            simulator: self.simulator.clone(),
            wechat: wechat.to_owned(),
            options,
            store_url: store_url.to_owned(),
            folder: None,
        }
    }

    /// Closes the database and takes it away.
    pub(crate) async fn end(&self) {
        self.app.close().await;
        match (&self.folder, self.store_url.rsplit_once('/')) {
            (Some(folder), _) => std::fs::remove_dir_all(folder).unwrap(),
            (None, Some((_, name))) => {
                // A replica that ended took it away.
                let _ = std::fs::remove_dir_all(outside::folder(&self.store_url));
                sql(
                    "postgres",
                    &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                )
                .await;
            }
            (None, None) => {}
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        send(&self.router, request).await
    }

    pub(crate) async fn management(&self, path: &str) -> Reply {
        let request = Request::get(path).body(Body::empty()).unwrap();
        send(&menjin_server::management(&self.app), request).await
    }

    /// Asks the one listener of `menjin dev`.
    pub(crate) async fn developer(&self, request: Request<Body>) -> Reply {
        let router = menjin_server::development(&self.app, self.simulator.controls());
        send(&router, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_text(path, &body.to_string()).await
    }

    pub(crate) async fn post_text(&self, path: &str, body: &str) -> Reply {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }

    /// What `wx.login()` would give `person`.
    pub(crate) fn code(&self, person: &str) -> String {
        self.simulator.login(person, Some(APPID)).unwrap()
    }

    /// Signs in with a code.
    pub(crate) async fn login(&self, code: &str) -> Reply {
        self.post("/v1/user/login", &json!({ "code": code })).await
    }

    /// Signs `person` in with a fresh code.
    pub(crate) async fn sign_in(&self, person: &str) -> Reply {
        self.login(&self.code(person)).await
    }

    /// `GET /v1/user/me` with a bearer.
    pub(crate) async fn me(&self, token: &str) -> Reply {
        let request =
            Request::get("/v1/user/me").header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// How often WeChat was asked about a code.
    pub(crate) async fn calls(&self, code: &str) -> i64 {
        let router = self.simulator.controls();
        let request = Request::get("/simulator/calls")
            .body(Body::empty())
            .unwrap();
        let calls = send(&router, request).await.json();
        calls["codes"]
            .get(code)
            .and_then(Value::as_i64)
            .unwrap_or(0)
    }

    /// Lets WeChat fail.
    pub(crate) async fn fault(&self, fault: Value) {
        let request = Request::post("/simulator/faults")
            .header("content-type", "application/json")
            .body(Body::from(fault.to_string()))
            .unwrap();
        let reply = send(&self.simulator.controls(), request).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    /// The identity behind an openid of the default app.
    pub(crate) async fn identity(&self, openid: &str) -> Identity {
        let (appid, openid) = (
            Appid::parse(APPID).unwrap(),
            menjin_core::Openid::parse(openid).unwrap(),
        );
        let found = self
            .store
            .read(move |tx| Box::pin(async move { tx.identity_find(&appid, &openid).await }));
        let found: Result<_, menjin_store::Error> = found.await;
        found.unwrap().expect("the identity is there")
    }

    /// Makes an account with a verified phone number, and links the identity of `openid` to it.
    pub(crate) async fn register(&self, openid: &str, phone: &str, role: Role) -> Uid {
        let identity = self.identity(openid).await;
        let (phone, now) = (phone.to_owned(), self.clock.now());
        let story = self.store.write(move |tx| {
            Box::pin(async move {
                let user = NewUser {
                    phone: Some(phone.as_str()),
                    phone_verified_at: Some(now),
                    email: "wang@example.com",
                    nickname: "小王",
                    campus: "东",
                    role,
                    ..NewUser::empty(now)
                };
                let uid = tx.user_create(&user).await?.expect("the number is free");
                assert!(tx.identity_link(&identity.id, uid).await?);
                Ok::<_, menjin_store::Error>(uid)
            })
        });
        story.await.unwrap()
    }

    pub(crate) async fn disable(&self, uid: Uid) {
        let now = self.clock.now();
        let story = self
            .store
            .write(move |tx| Box::pin(async move { tx.user_disable(uid, now).await }));
        let done: Result<_, menjin_store::Error> = story.await;
        done.unwrap();
    }
}

/// The test AppSecret of both apps.
pub(crate) const SECRET: &str = "test-app-secret-0123456789abcdef";

/// A server that has not asked its store for anything yet.
async fn assemble(
    options: &Options,
    store_url: &str,
    outside: Outside,
    clock: Arc<TestClock>,
) -> (App, Store) {
    let store = Store::open(&menjin_store::Options::new(store_url))
        .await
        .unwrap();
    let app = App::new(options.clone(), store.clone(), outside, clock).unwrap();
    (app, store)
}
