//! People at the API: who they are, what they send, and the messages that they get.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use super::{APPID, Reply, TestApp, send};

/// Somebody with a phone, who has signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) openid: String,
    pub(crate) token: String,
}

impl TestApp {
    /// Signs somebody in, who is a guest unless they registered before.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let reply = self.sign_in(name).await;
        Person {
            name: name.to_owned(),
            openid: reply.json()["openid"].as_str().unwrap().to_owned(),
            token: reply.token(),
        }
    }

    /// Somebody who has registered by WeChat's phone button with this number.
    pub(crate) async fn user(&self, name: &str, number: &str) -> Person {
        let person = self.person(name).await;
        let body = json!({ "phone_code": self.phone_code(name, number) });
        let reply = self
            .post_as(&person.token, "/v1/user/register", &body)
            .await;
        assert_eq!(reply.json()["status"], "verified", "{}", reply.text);
        Person {
            token: reply.token(),
            ..person
        }
    }

    /// What the phone button gives somebody whose number is this.
    pub(crate) fn phone_code(&self, name: &str, number: &str) -> String {
        let code = self.simulator.phone_code(name, Some(number), Some(APPID));
        code.unwrap()
    }

    /// `POST` with a bearer.
    pub(crate) async fn post_as(&self, token: &str, path: &str, body: &Value) -> Reply {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// `GET` with a bearer.
    pub(crate) async fn get_as(&self, token: &str, path: &str) -> Reply {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Every text message so far, oldest first.
    pub(crate) async fn sms(&self) -> Vec<Value> {
        self.messages("/simulator/sms").await
    }

    /// Every mail so far, oldest first.
    pub(crate) async fn mails(&self) -> Vec<Value> {
        self.messages("/simulator/mails").await
    }

    /// The code of the last text message to a number.
    pub(crate) async fn code_to(&self, number: &str) -> String {
        let all = self.sms().await;
        let last = all.iter().rev().find(|sms| sms["to"] == number);
        last.expect("a message came")["code"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn messages(&self, path: &str) -> Vec<Value> {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let reply = send(&self.simulator.controls(), request).await;
        reply.json()["messages"].as_array().unwrap().clone()
    }

    /// How many rows `FROM ..` of this server's database has.
    pub(crate) async fn rows(&self, from: &str) -> i64 {
        super::database::count(&self.store_url, &format!("SELECT COUNT(*) FROM {from}")).await
    }
}
