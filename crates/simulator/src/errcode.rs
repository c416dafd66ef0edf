//! WeChat's return codes on the paths that the simulator plays, with WeChat's words for them.

/// A reason for which WeChat declines, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errcode(pub(crate) i32);

impl Errcode {
    pub(crate) const INVALID_CREDENTIAL: Self = Self(40001);
    pub(crate) const INVALID_GRANT_TYPE: Self = Self(40002);
    pub(crate) const INVALID_OPENID: Self = Self(40003);
    pub(crate) const INVALID_APPID: Self = Self(40013);
    pub(crate) const INVALID_CODE: Self = Self(40029);
    pub(crate) const INVALID_URL: Self = Self(40066);
    pub(crate) const INVALID_APPSECRET: Self = Self(40125);
    pub(crate) const INVALID_SCENE: Self = Self(40129);
    pub(crate) const CODE_BEEN_USED: Self = Self(40163);
    pub(crate) const TOKEN_MISSING: Self = Self(41001);
    pub(crate) const APPID_MISSING: Self = Self(41002);
    pub(crate) const APPSECRET_MISSING: Self = Self(41004);
    pub(crate) const CODE_MISSING: Self = Self(41008);
    pub(crate) const TOKEN_EXPIRED: Self = Self(42001);
    pub(crate) const REQUIRE_GET: Self = Self(43001);
    pub(crate) const REQUIRE_POST: Self = Self(43002);
    pub(crate) const OPENID_OF_ANOTHER_APP: Self = Self(43104);
    pub(crate) const REQUIRE_POST_TO_CHECK: Self = Self(43302);
    pub(crate) const EMPTY_BODY: Self = Self(44002);
    pub(crate) const CONTENT_TOO_LONG: Self = Self(45002);
    pub(crate) const DAILY_QUOTA: Self = Self(45009);
    pub(crate) const DATA_FORMAT: Self = Self(47001);
    pub(crate) const INVALID_SIG_METHOD: Self = Self(87008);
    pub(crate) const INVALID_SIGNATURE: Self = Self(87009);
    pub(crate) const RISKY_CONTENT: Self = Self(87014);

    /// WeChat's words for it; empty where none are known.
    pub(crate) fn words(self) -> &'static str {
        WORDS
            .iter()
            .find(|(number, _)| *number == self.0)
            .map_or("", |(_, words)| words)
    }
}

const WORDS: &[(i32, &str)] = &[
    (-1, "system error"),
    (0, "ok"),
    (
        40001,
        "invalid credential, access_token is invalid or not latest",
    ),
    (40002, "invalid grant_type"),
    (40003, "invalid openid"),
    (40013, "invalid appid"),
    (40014, "invalid access_token"),
    (40029, "invalid code"),
    (40066, "invalid url"),
    (40125, "invalid appsecret"),
    (40129, "invalid scene"),
    (40163, "code been used"),
    (
        40164,
        "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist",
    ),
    (40226, "code blocked"),
    (40234, "invalid signature"),
    (40235, "invalid encrypt"),
    (40237, "invalid Wechatmp-Appid match request"),
    (41001, "access_token missing"),
    (41002, "appid missing"),
    (41004, "appsecret missing"),
    (41008, "missing code"),
    (42001, "access_token expired"),
    (43001, "require GET method"),
    (43002, "require POST method"),
    (43104, "this appid does not have permission"),
    (44002, "empty post data"),
    (45002, "content size out of limit"),
    (45009, "reach max api daily quota limit"),
    (
        45011,
        "api minute-quota reach limit, must slower, retry next minute",
    ),
    (47001, "data format error"),
    (48001, "api unauthorized"),
    (
        48004,
        "api forbidden for irregularities, view detail on mp.weixin.qq.com",
    ),
    (50001, "api unauthorized or user unauthorized"),
    (50002, "user limited"),
    (
        61004,
        "access clientip is not registered requestIP: 203.0.113.7",
    ),
    (61010, "code is expired"),
    (87007, "session_key is not existd or expired"),
    (87008, "invalid sig_method"),
    (87009, "invalid signature"),
    (87014, "risky content"),
];
