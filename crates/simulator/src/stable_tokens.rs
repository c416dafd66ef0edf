//! Stable access tokens: one for each app, until its last minutes or a forced refresh.

use crate::{
    errcode::Errcode,
    recent::Recent,
    tokens::{LIFETIME, SECOND, Token},
};

const DAY: i64 = 24 * 60 * 60 * SECOND;
/// In its last five minutes a token is no longer given out.
const LAST: i64 = 300 * SECOND;
/// A forced refresh sooner than this after the one before does nothing.
const FORCED_APART: i64 = 30 * SECOND;
const FORCED_PER_DAY: u32 = 20;
/// WeChat counts days in China.
const CHINA: i64 = 8 * 60 * 60 * SECOND;

/// The current stable token of each app.
pub(crate) struct StableTokens(Recent<String, StableToken>);

struct StableToken {
    token: String,
    made_at: i64,
    forced_at: Option<i64>,
    forced_on_day: i64,
    forced_that_day: u32,
}

impl StableTokens {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Recent::new(limit))
    }

    /// What the app was given last.
    pub(crate) fn current(&self, appid: &str) -> Option<&str> {
        self.0.get(appid).map(|current| current.token.as_str())
    }

    /// The app's token at `now`; `make` gives a new one.
    pub(crate) fn fetch(
        &mut self,
        appid: &str,
        force: bool,
        now: i64,
        make: impl Fn() -> String,
    ) -> Result<Token, Errcode> {
        let new = || StableToken {
            token: String::new(),
            made_at: now - LIFETIME,
            forced_at: None,
            forced_on_day: 0,
            forced_that_day: 0,
        };
        let current = self.0.entry(appid.to_owned(), new);
        let forced = force && current.force(now)?;
        if forced || current.made_at + LIFETIME - now < LAST {
            current.token = make();
            current.made_at = now;
        }
        let expires_in = (current.made_at + LIFETIME - now) / SECOND;
        Ok(Token {
            access_token: current.token.clone(),
            expires_in,
        })
    }
}

impl StableToken {
    /// Whether a forced refresh at `now` takes place. One that does not costs nothing.
    fn force(&mut self, now: i64) -> Result<bool, Errcode> {
        if self
            .forced_at
            .is_some_and(|before| now - before < FORCED_APART)
        {
            return Ok(false);
        }
        let today = (now + CHINA).div_euclid(DAY);
        if self.forced_on_day != today {
            self.forced_on_day = today;
            self.forced_that_day = 0;
        }
        if self.forced_that_day >= FORCED_PER_DAY {
            return Err(Errcode::DAILY_QUOTA);
        }
        self.forced_that_day += 1;
        self.forced_at = Some(now);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{DAY, LAST, StableTokens};
    use crate::{
        errcode::Errcode,
        tokens::{LIFETIME, SECOND},
    };

    #[test]
    fn the_forced_refreshes_of_a_day_run_out_until_midnight_in_china() {
        let count = Cell::new(0);
        let make = || count.replace(count.get() + 1).to_string();
        let mut tokens = StableTokens::new(1);
        let mut force = |now| {
            tokens
                .fetch("wx1", true, now, make)
                .map(|token| token.access_token)
        };
        let midnight = 20_000 * DAY - 8 * 3600 * SECOND;

        for step in 0..20 {
            assert_eq!(force(midnight + step * 30 * SECOND), Ok(step.to_string()));
        }
        let soon = midnight + (19 * 30 + 29) * SECOND;
        assert_eq!(
            force(soon),
            Ok("19".to_owned()),
            "too soon to refresh, so nothing is counted"
        );
        assert_eq!(force(soon + SECOND), Err(Errcode::DAILY_QUOTA));
        assert_eq!(force(midnight + DAY - 1), Err(Errcode::DAILY_QUOTA));
        assert_eq!(force(midnight + DAY), Ok("20".to_owned()));
    }

    #[test]
    fn a_token_with_less_than_five_minutes_is_not_given_out() {
        let mut tokens = StableTokens::new(1);
        let mut fetch = |now, name: &str| {
            let token = tokens.fetch("wx1", false, now, || name.to_owned());
            token.map(|token| (token.access_token, token.expires_in))
        };
        assert_eq!(fetch(0, "first"), Ok(("first".to_owned(), 7200)));
        assert_eq!(
            fetch(LIFETIME - LAST, "second"),
            Ok(("first".to_owned(), 300))
        );
        assert_eq!(
            fetch(LIFETIME - LAST + 1, "second"),
            Ok(("second".to_owned(), 7200))
        );
    }
}
