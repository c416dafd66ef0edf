//! Login codes: who they stand for, how long they live, and that they work once.

use crate::{errcode::Errcode, recent::Recent};

/// A code dies this many milliseconds after `wx.login()` gave it.
const LIFETIME: i64 = 5 * 60 * 1000;

/// The codes that are remembered, the used and the dead among them.
pub(crate) struct Codes(Recent<String, Code>);

struct Code {
    person: String,
    /// `None` until an app exchanges a code that was made for no app in particular.
    appid: Option<String>,
    made_at: i64,
    used: bool,
}

impl Codes {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Recent::new(limit))
    }

    pub(crate) fn issue(&mut self, code: &str, person: &str, appid: Option<String>, now: i64) {
        let person = person.to_owned();
        self.0.entry(code.to_owned(), || Code {
            person,
            appid,
            made_at: now,
            used: false,
        });
    }

    /// The person behind a code, once.
    pub(crate) fn spend(&mut self, code: &str, appid: &str, now: i64) -> Result<String, Errcode> {
        let code = self.0.get_mut(code).ok_or(Errcode::INVALID_CODE)?;
        if code.appid.as_deref().is_some_and(|owner| owner != appid) {
            return Err(Errcode::INVALID_CODE);
        }
        if code.used {
            return Err(Errcode::CODE_BEEN_USED);
        }
        if now - code.made_at >= LIFETIME {
            return Err(Errcode::INVALID_CODE);
        }
        code.used = true;
        code.appid = Some(appid.to_owned());
        Ok(code.person.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{Codes, LIFETIME};
    use crate::errcode::Errcode;

    #[test]
    fn the_last_millisecond_counts() {
        let mut codes = Codes::new(2);
        codes.issue("a", "wang", None, 7);
        codes.issue("b", "wang", None, 7);
        assert_eq!(
            codes.spend("a", "wx1", 7 + LIFETIME - 1),
            Ok("wang".to_owned())
        );
        assert_eq!(
            codes.spend("b", "wx1", 7 + LIFETIME),
            Err(Errcode::INVALID_CODE)
        );
        assert_eq!(
            codes.spend("a", "wx1", 7 + LIFETIME),
            Err(Errcode::CODE_BEEN_USED)
        );
    }
}
