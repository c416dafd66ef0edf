//! What callers ask for, as bytes on the wire.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    people::{CODE_LENGTH, LoginCode, People},
    service,
};

/// Bytes of a sign-in's body around the code.
const AROUND_CODE: usize = r#"{"code":""}"#.len();

/// Requests without end, or as many as there are people.
pub(crate) enum Work {
    /// The same `GET` again and again; each caller has its own.
    Get(Vec<Vec<u8>>),
    /// The requests of a list in turn, whoever calls.
    InTurn {
        /// All of them.
        requests: Vec<Vec<u8>>,
        /// Which is next.
        next: AtomicUsize,
    },
    /// Sign-ins, each with a code of its own.
    SignIn {
        /// Of these people.
        people: Arc<People>,
        /// Of which of them.
        who: Who,
    },
    /// Registrations by WeChat's phone button, one of each guest.
    Register {
        /// Who registers.
        guests: Arc<[Guest]>,
        /// Whose turn it is.
        next: AtomicUsize,
    },
    /// Changes of a nickname, each to another one.
    SetUser {
        /// Whose.
        guests: Arc<[Guest]>,
        /// How many of them have registered, the first ones.
        registered: usize,
        /// How many changes there were.
        next: AtomicUsize,
    },
}

/// Somebody who has signed in and not registered.
pub(crate) struct Guest {
    /// The code that they signed in with; another like it stands for their number.
    pub(crate) code: LoginCode,
    /// Their token.
    pub(crate) access_token: String,
}

/// Whose sign-in it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who {
    /// Somebody's who has never been there.
    New,
    /// The same, until so many people have been there.
    NewUpTo(u64),
    /// Somebody's who is known.
    Returning,
    /// One of each in turn, a new and a known person's.
    Either,
}

impl Work {
    /// `GET path` for every caller.
    pub(crate) fn get(path: &str) -> Self {
        Self::Get(vec![get(path, None)])
    }

    /// `GET path` with one bearer token for each caller; with fewer tokens than callers they share.
    pub(crate) fn get_with(path: &str, tokens: &[String]) -> Self {
        Self::Get(tokens.iter().map(|token| get(path, Some(token))).collect())
    }

    /// `GET path` with these bearer tokens, one after the other.
    pub(crate) fn get_in_turn(path: &str, tokens: &[String]) -> Self {
        let requests = tokens.iter().map(|token| get(path, Some(token)));
        Self::in_turn(requests.collect())
    }

    /// The service's questions about these tokens, one after the other.
    pub(crate) fn introspect(tokens: &[String]) -> Self {
        let authorization = service::authorization();
        let requests = tokens.iter().map(|token| introspect(token, &authorization));
        Self::in_turn(requests.collect())
    }

    fn in_turn(requests: Vec<Vec<u8>>) -> Self {
        let next = AtomicUsize::new(0);
        Self::InTurn { requests, next }
    }

    /// Replaces `request` by the next one of `caller`; false if there are none left.
    pub(crate) fn next(&self, caller: usize, request: &mut Vec<u8>) -> bool {
        request.clear();
        match self {
            Self::Get(requests) => {
                let own = requests.get(caller % requests.len().max(1));
                request.extend_from_slice(own.map(Vec::as_slice).unwrap_or_default());
                own.is_some()
            }
            Self::InTurn { requests, next } => {
                let turn = next.fetch_add(1, Ordering::Relaxed) % requests.len().max(1);
                let found = requests.get(turn);
                request.extend_from_slice(found.map(Vec::as_slice).unwrap_or_default());
                found.is_some()
            }
            Self::SignIn { people, who } => {
                let code = match who {
                    Who::New => Some(people.newcomer()),
                    Who::NewUpTo(limit) => people.newcomer_below(*limit),
                    Who::Either if people.codes().is_multiple_of(2) => Some(people.newcomer()),
                    Who::Returning | Who::Either => Some(people.returning()),
                };
                code.is_some_and(|code| sign_in(code, request).is_ok())
            }
            Self::Register { guests, next } => {
                let guest = guests.get(next.fetch_add(1, Ordering::Relaxed));
                guest.is_some_and(|guest| register(guest, request).is_ok())
            }
            Self::SetUser {
                guests,
                registered,
                next,
            } => {
                let change = next.fetch_add(1, Ordering::Relaxed);
                let guest = guests.get(change % (*registered).max(1));
                guest.is_some_and(|guest| {
                    let body = format!(r#"{{"nickname":"小王 {change}"}}"#);
                    post("/v1/user/setuser", &guest.access_token, &body, request).is_ok()
                })
            }
        }
    }
}

/// Appends the sign-in with this code.
pub(crate) fn sign_in(code: LoginCode, request: &mut Vec<u8>) -> std::io::Result<()> {
    let length = CODE_LENGTH + AROUND_CODE;
    write!(
        request,
        "POST /v1/user/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{{\"code\":\"{code}\"}}"
    )
}

/// Appends the registration of a guest by WeChat's phone button.
pub(crate) fn register(guest: &Guest, request: &mut Vec<u8>) -> std::io::Result<()> {
    let body = format!(r#"{{"phone_code":"{}"}}"#, guest.code);
    post("/v1/user/register", &guest.access_token, &body, request)
}

/// Appends a `POST` with a bearer.
fn post(path: &str, token: &str, body: &str, request: &mut Vec<u8>) -> std::io::Result<()> {
    let length = body.len();
    write!(
        request,
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn get(path: &str, token: Option<&str>) -> Vec<u8> {
    let authorization = token.map_or_else(String::new, |token| {
        format!("authorization: Bearer {token}\r\n")
    });
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{authorization}\r\n").into_bytes()
}

fn introspect(token: &str, authorization: &str) -> Vec<u8> {
    // What tokens are made of stands in a form as it is.
    let body = format!("token={token}");
    let length = body.len();
    format!(
        "POST /oauth/introspect HTTP/1.1\r\nhost: localhost\r\nauthorization: {authorization}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(work: &Work, callers: &[usize]) -> Vec<String> {
        let mut request = Vec::new();
        let next = |caller: &usize| {
            work.next(*caller, &mut request)
                .then(|| String::from_utf8(request.clone()).unwrap())
        };
        callers.iter().map_while(next).collect()
    }

    #[test]
    fn a_sign_in_declares_the_length_of_its_body() {
        let work = Work::SignIn {
            people: Arc::new(People::new(0)),
            who: Who::NewUpTo(2),
        };
        let all = requests(&work, &[0, 0, 0]);
        assert_eq!(all.len(), 2);
        for request in all {
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            assert!(
                head.contains(&format!("\r\ncontent-length: {}", body.len())),
                "{request}"
            );
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert!(LoginCode::parse(body["code"].as_str().unwrap()).is_some());
        }
    }

    #[test]
    fn a_list_is_gone_through_by_all_callers_together() {
        let tokens = ["a.b".to_owned(), "c-d".to_owned()];
        let all = requests(&Work::introspect(&tokens), &[5, 5, 0]);
        for (request, body) in all.iter().zip(["token=a.b", "token=c-d", "token=a.b"]) {
            let (head, sent) = request.split_once("\r\n\r\n").unwrap();
            assert!(head.contains("\r\nauthorization: Basic YmVuY2g6"), "{head}");
            assert!(head.ends_with("\r\ncontent-length: 9"), "{head}");
            assert_eq!(sent, body);
        }
        let all = requests(&Work::get_in_turn("/auth/verify", &tokens), &[0, 0]);
        assert!(all[0].contains("Bearer a.b") && all[1].contains("Bearer c-d"));
        assert_eq!(requests(&Work::introspect(&[]), &[0]).len(), 0);
    }

    #[test]
    fn either_is_a_new_and_a_known_person_in_turn() {
        let people = Arc::new(People::new(10));
        let work = Work::SignIn {
            people: Arc::clone(&people),
            who: Who::Either,
        };
        assert_eq!(requests(&work, &[0; 6]).len(), 6);
        assert_eq!((people.arrived(), people.codes()), (3, 6));
    }

    #[test]
    fn callers_share_tokens_in_turn() {
        let work = Work::get_with("/me", &["a".to_owned(), "b".to_owned()]);
        let all = requests(&work, &[0, 1, 2]);
        assert_eq!(
            all[0],
            "GET /me HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer a\r\n\r\n"
        );
        assert!(all[1].contains("Bearer b"));
        assert_eq!(all[2], all[0]);
        assert_eq!(requests(&Work::get_with("/me", &[]), &[0]).len(), 0);
    }
}
