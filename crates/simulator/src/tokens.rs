//! Access tokens: which app each one speaks for, and until when.

use serde::Serialize;

use crate::{errcode::Errcode, recent::Recent, stable_tokens::StableTokens};

pub(crate) const SECOND: i64 = 1000;
/// A token lives two hours.
pub(crate) const LIFETIME: i64 = 7200 * SECOND;
/// So long a token still works once another took its place.
const GRACE: i64 = 300 * SECOND;

/// The tokens of both kinds, which know nothing of each other.
pub(crate) struct Tokens {
    stable: StableTokens,
    /// The newest of each app.
    plain: Recent<String, String>,
    issued: Recent<String, Issued>,
}

struct Issued {
    appid: String,
    expires_at: i64,
    /// When another token has taken its place for good.
    replaced_at: Option<i64>,
}

/// A token and how many seconds it still lives, as WeChat gives it.
#[derive(Serialize)]
pub(crate) struct Token {
    pub(crate) access_token: String,
    pub(crate) expires_in: i64,
}

impl Tokens {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            stable: StableTokens::new(limit),
            plain: Recent::new(limit),
            issued: Recent::new(limit),
        }
    }

    /// A new token of `/cgi-bin/token`, which takes the place of the app's last one.
    pub(crate) fn plain(&mut self, appid: &str, access_token: String, now: i64) -> Token {
        let latest = self.plain.entry(appid.to_owned(), String::new);
        let former = std::mem::replace(latest, access_token.clone());
        self.replace(&former, now + GRACE);
        let token = Token {
            access_token,
            expires_in: LIFETIME / SECOND,
        };
        self.issue(appid, &token, now);
        token
    }

    /// The app's stable token; `make` gives a new one.
    pub(crate) fn stable(
        &mut self,
        appid: &str,
        force: bool,
        now: i64,
        make: impl Fn() -> String,
    ) -> Result<Token, Errcode> {
        let former = self.stable.current(appid).unwrap_or_default().to_owned();
        let token = self.stable.fetch(appid, force, now, make)?;
        if token.access_token != former {
            self.replace(&former, if force { now } else { now + GRACE });
            self.issue(appid, &token, now);
        }
        Ok(token)
    }

    /// The app that a token speaks for.
    pub(crate) fn app(&self, access_token: &str, now: i64) -> Result<&str, Errcode> {
        let issued = self.issued.get(access_token);
        let issued = issued.ok_or(Errcode::INVALID_CREDENTIAL)?;
        if issued.expires_at <= now {
            return Err(Errcode::TOKEN_EXPIRED);
        }
        match issued.replaced_at {
            Some(replaced_at) if replaced_at <= now => Err(Errcode::INVALID_CREDENTIAL),
            _ => Ok(&issued.appid),
        }
    }

    fn issue(&mut self, appid: &str, token: &Token, now: i64) {
        self.issued.entry(token.access_token.clone(), || Issued {
            appid: appid.to_owned(),
            expires_at: now + token.expires_in * SECOND,
            replaced_at: None,
        });
    }

    fn replace(&mut self, access_token: &str, replaced_at: i64) {
        if let Some(issued) = self.issued.get_mut(access_token) {
            issued.replaced_at = Some(replaced_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{GRACE, LIFETIME, SECOND, Tokens};
    use crate::errcode::Errcode;

    #[test]
    fn a_token_outlives_its_replacement_by_five_minutes_and_its_two_hours_by_nothing() {
        let mut tokens = Tokens::new(9);
        tokens.plain("wx1", "a".to_owned(), 0);
        tokens.plain("wx2", "b".to_owned(), 0);
        tokens.plain("wx1", "c".to_owned(), 1000);
        tokens.plain("wx1", "d".to_owned(), 2000);
        assert_eq!(tokens.app("a", 1000 + GRACE - 1), Ok("wx1"));
        assert_eq!(
            tokens.app("a", 1000 + GRACE),
            Err(Errcode::INVALID_CREDENTIAL)
        );
        assert_eq!(tokens.app("b", LIFETIME - 1), Ok("wx2"));
        assert_eq!(tokens.app("b", LIFETIME), Err(Errcode::TOKEN_EXPIRED));
        assert_eq!(tokens.app("e", 0), Err(Errcode::INVALID_CREDENTIAL));
    }

    #[test]
    fn a_stable_token_dies_at_once_only_when_forced_out() {
        let mut tokens = Tokens::new(9);
        let mut stable = |force, now, name: &str| {
            let token = tokens.stable("wx1", force, now, || name.to_owned());
            assert_eq!(token.map(|token| token.access_token), Ok(name.to_owned()));
        };
        stable(false, 0, "a");
        let soon = LIFETIME - GRACE + 1;
        stable(false, soon, "b");
        stable(true, soon + SECOND, "c");
        let now = soon + SECOND;
        assert_eq!(tokens.app("a", now), Ok("wx1"));
        assert_eq!(tokens.app("b", now), Err(Errcode::INVALID_CREDENTIAL));
        assert_eq!(tokens.app("c", now), Ok("wx1"));
        tokens.plain("wx1", "d".to_owned(), now);
        assert_eq!(
            tokens.app("c", now + GRACE),
            Ok("wx1"),
            "the two kinds are apart"
        );
    }
}
