//! What WeChat says when it declines, without the trailers that it adds for its own support.

/// WeChat's own account of why it declined.
///
/// Errors come with HTTP 200 and `{"errcode", "errmsg"}`:
/// <https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session>
/// (seen 2026-11-22). Go by `errcode`; the words change from year to year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// WeChat's number, never 0.
    pub errcode: i64,
    /// WeChat's words without their trailers: 256 characters at most, no control characters.
    pub errmsg: String,
    /// What WeChat's support asks for: `rid: 652d44d0-1d0af18b-5b069232`. `None` if it is missing
    /// or is not 1 to 64 characters of `[A-Za-z0-9_-]`.
    pub rid: Option<String>,
}

impl Rejection {
    /// Makes one of what WeChat sent. Words that quote one of `secrets` are blanked, as those of a
    /// gateway that shows the request in its complaint would be.
    pub(crate) fn new(errcode: i64, errmsg: &str, secrets: &[&str]) -> Self {
        let (words, rid) = cut_trailers(errmsg);
        let quoted = secrets
            .iter()
            .any(|secret| !secret.is_empty() && errmsg.contains(secret));
        Self {
            errcode,
            errmsg: if quoted { String::new() } else { tidy(words) },
            rid: rid.filter(|rid| !quoted && is_sane(rid)).map(str::to_owned),
        }
    }
}

/// Splits `invalid code hint: [x] rid: y` into `invalid code` and `y`.
///
/// All forms seen from 2019 to 2026: `, hints: [ req_id: x ]`, ` hint: [x]`, `, rid: y`, ` rid: y`,
/// and a hint with a rid after it.
fn cut_trailers(errmsg: &str) -> (&str, Option<&str>) {
    let mut words = errmsg.trim_end();
    let mut rid = None;
    loop {
        if let Some((head, found)) = cut_rid(words) {
            rid = rid.or(Some(found));
            words = head;
        } else if let Some(head) = cut_hint(words) {
            words = head;
        } else {
            return (words, rid);
        }
    }
}

/// Takes `, rid: y` or ` rid: y` off the end, `y` being a single word.
fn cut_rid(words: &str) -> Option<(&str, &str)> {
    let (head, rid) = words.rsplit_once("rid:")?;
    let rid = rid.trim_start();
    (!rid.contains(char::is_whitespace))
        .then(|| end_of_words(head))
        .flatten()
        .map(|head| (head, rid))
}

/// Takes `, hints: [x]` or ` hint: [x]` off the end.
fn cut_hint(words: &str) -> Option<&str> {
    let (head, _) = words.strip_suffix(']')?.rsplit_once('[')?;
    let head = head.trim_end().strip_suffix(':')?;
    let head = head
        .strip_suffix("hints")
        .or_else(|| head.strip_suffix("hint"))?;
    end_of_words(head)
}

/// What stands before a trailer; `None` if the trailer's name was only the end of a longer word.
fn end_of_words(head: &str) -> Option<&str> {
    let trimmed = head.trim_end();
    let words = trimmed.strip_suffix(',').unwrap_or(trimmed);
    (words.is_empty() || words.len() < head.len()).then(|| words.trim_end())
}

/// Fit for a log line and a JSON body.
fn tidy(words: &str) -> String {
    words
        .chars()
        .filter(|c| !c.is_control())
        .take(256)
        .collect()
}

fn is_sane(rid: &str) -> bool {
    (1..=64).contains(&rid.len())
        && rid
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(errmsg: &str) -> (String, Option<String>) {
        let rejection = Rejection::new(40029, errmsg, &["", "other", "canary"]);
        (rejection.errmsg, rejection.rid)
    }

    /// Proves LGN-6: the words reach the caller without WeChat's trailers, in every form seen.
    #[test]
    fn trailers_are_cut_off() {
        let rid = Some("652d44d0-1d0af18b-5b069232".to_owned());
        for (errmsg, words, expected) in [
            (
                "invalid code, hints: [ req_id: uhJDVZyFe-YZguHA ]",
                "invalid code",
                None,
            ),
            (
                "invalid code, rid: 652d44d0-1d0af18b-5b069232",
                "invalid code",
                rid.clone(),
            ),
            (
                "invalid code rid: 652d44d0-1d0af18b-5b069232",
                "invalid code",
                rid.clone(),
            ),
            (
                "invalid credential hint: [mx4Oxa01421525]",
                "invalid credential",
                None,
            ),
            (
                "invalid code hint: [GiaBxSDNRa-mkSN7] rid: 652d44d0-1d0af18b-5b069232",
                "invalid code",
                rid.clone(),
            ),
            (
                "invalid code, rid: 652d44d0-1d0af18b-5b069232, hints: [ req_id: x ]",
                "invalid code",
                rid.clone(),
            ),
            (
                "invalid appsecret, view more at http://t.cn/RAEkdVq, hints: [ req_id: X ]",
                "invalid appsecret, view more at http://t.cn/RAEkdVq",
                None,
            ),
            (
                "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist, rid: 652d44d0-1d0af18b-5b069232 ",
                "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist",
                rid.clone(),
            ),
            ("rid: 652d44d0-1d0af18b-5b069232", "", rid.clone()),
            ("system error", "system error", None),
            ("", "", None),
        ] {
            assert_eq!(cut(errmsg), (words.to_owned(), expected), "{errmsg}");
        }
    }

    #[test]
    fn words_that_only_resemble_a_trailer_stay() {
        for errmsg in [
            "the grid: x",
            "rid: of it all",
            "see hints: [a] b",
            "squint: [x]",
            "[x]",
        ] {
            assert_eq!(cut(errmsg), (errmsg.to_owned(), None));
        }
    }

    #[test]
    fn a_rid_that_is_not_sane_is_cut_off_and_dropped() {
        for rid in ["<script>", "a\"b", "中文", "", &"a".repeat(65)] {
            assert_eq!(
                cut(&format!("invalid code, rid: {rid}")),
                ("invalid code".to_owned(), None)
            );
        }
    }

    #[test]
    fn words_are_capped_and_hold_no_control_characters() {
        assert_eq!(cut("a\r\n\u{1b}[31mb\0c\u{85}d").0, "a[31mbcd");
        assert_eq!(cut(&"错".repeat(60_000)).0, "错".repeat(256));
    }

    /// Proves LGN-5: a gateway that quotes the request does not spread the AppSecret.
    #[test]
    fn words_that_quote_the_secret_are_dropped() {
        assert_eq!(
            cut("bad request: secret=canary, rid: x"),
            (String::new(), None)
        );
        assert_eq!(cut("bad request, rid: canary"), (String::new(), None));
    }
}
