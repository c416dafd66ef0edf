//! What is wrong with a code, an AppID, an AppSecret or an access token.

use super::{
    Call::{Content, Phone, Session, SignIn, Token},
    WITH_SECRET, WITH_TOKEN, WeChatCode, code,
};

pub(super) const CODES: &[WeChatCode] = &[
    code(
        -1,
        "system error",
        &[SignIn, Token, Phone, Content, Session],
        [
            "WeChat is busy.",
            "Try again shortly, a sign-in with a new code.",
        ],
        ["系统繁忙。", "稍后再试；登录要用新 code。"],
    ),
    code(
        40_001,
        "invalid credential, access_token is invalid or not latest",
        WITH_TOKEN,
        [
            "WeChat's access token is wrong, or was replaced.",
            "Nothing: Menjin fetches another and repeats the call once. If it stays, compare the AppSecret.",
        ],
        [
            "微信的 access_token 错误，或已被更新的取代。",
            "不用管：Menjin 会换一个再试一次。仍然如此就核对 AppSecret。",
        ],
    ),
    code(
        40_002,
        "invalid grant_type",
        &[Token],
        [
            "The kind of token asked for is none that WeChat knows.",
            "Check what stands between Menjin and WeChat: something changed the request.",
        ],
        [
            "grant_type 无效。",
            "检查 Menjin 与微信之间是否有设备改了请求。",
        ],
    ),
    code(
        40_003,
        "invalid openid",
        &[Content],
        [
            "The openid is not of this mini program.",
            "Check that AppID and AppSecret were not exchanged for those of another mini program.",
        ],
        [
            "openid 无效，不属于这个小程序。",
            "确认 AppID 和 AppSecret 没有换成别的小程序的。",
        ],
    ),
    code(
        40_013,
        "invalid appid",
        &[SignIn, Token, Phone],
        [
            "WeChat does not know the AppID. Its letters' case matters.",
            "Compare `wechat.apps.appid` with WeChat's console.",
        ],
        [
            "AppID 无效，注意大小写。",
            "对照微信后台核对 `wechat.apps.appid`。",
        ],
    ),
    code(
        40_014,
        "invalid access_token",
        WITH_TOKEN,
        [
            "WeChat's access token is malformed, or of another account.",
            "As 40001.",
        ],
        ["access_token 无效。", "同 40001。"],
    ),
    code(
        40_029,
        "invalid code",
        &[SignIn, Phone],
        [
            "The code is unknown, too old, or another mini program's; a phone code also when it was used before.",
            "A new code: `wx.login()` for a sign-in, the button once more for a number. The two kinds cannot stand in for each other.",
        ],
        [
            "code 无效或已过期；手机号的 code 用过之后也是这个错误。",
            "换新 code：登录用 `wx.login()`，手机号再按一次按钮。两种 code 不能混用。",
        ],
    ),
    code(
        40_125,
        "invalid appsecret",
        WITH_SECRET,
        [
            "The AppSecret is not that of the AppID.",
            "Compare `wechat.apps.secret` with WeChat's console; `menjin doctor` tries it.",
        ],
        [
            "AppSecret 无效。",
            "对照微信后台核对 `wechat.apps.secret`；`menjin doctor` 会试。",
        ],
    ),
    code(
        40_129,
        "invalid scene",
        &[Content],
        [
            "The scene is none of WeChat's.",
            "Please report it: Menjin always sends 1.",
        ],
        ["场景值无效。", "请报告给我们：Menjin 只会传 1。"],
    ),
    code(
        40_163,
        "code been used",
        &[SignIn],
        [
            "The login code was used before.",
            "`wx.login()` for each sign-in; one back end alone may exchange codes.",
        ],
        [
            "code 已使用过。",
            "每次登录都重新 `wx.login()`；只能由一个后端换取身份。",
        ],
    ),
    code(
        40_164,
        "invalid ip, not in whitelist",
        WITH_SECRET,
        [
            "The server's address is not on the mini program's allow-list.",
            "Add the address that WeChat's message names, under API IP 白名单 in its console.",
        ],
        [
            "IP 不在白名单。",
            "把报错里的 IP 加进微信后台的“API IP 白名单”。",
        ],
    ),
    code(
        40_226,
        "code blocked",
        &[SignIn],
        [
            "WeChat rates the person as high-risk.",
            "Nothing but WeChat's customer service helps.",
        ],
        ["高风险用户被拦截。", "只能由本人找微信客服。"],
    ),
    code(
        40_234,
        "invalid signature",
        &[Token, Phone, Content],
        [
            "WeChat wants the request signed: API 安全 is switched on in the console.",
            "Switch signing off in WeChat's console. Menjin does not sign.",
        ],
        [
            "请求签名无效：后台开启了“API 安全”。",
            "在微信后台关闭签名。Menjin 不签名。",
        ],
    ),
    code(
        40_235,
        "invalid encrypt",
        &[Token, Phone, Content],
        [
            "WeChat wants the request encrypted, as with 40234.",
            "As 40234.",
        ],
        ["请求密文无效，同 40234。", "同 40234。"],
    ),
    code(
        40_237,
        "invalid Wechatmp-Appid match request",
        &[Token, Phone, Content],
        [
            "The `Wechatmp-Appid` header is not that of the token.",
            "As 40234; Menjin does not send the header.",
        ],
        ["Wechatmp-Appid 不匹配。", "同 40234；Menjin 不发送这个头。"],
    ),
    code(
        40_243,
        "",
        &[SignIn, Token],
        [
            "The AppSecret is frozen.",
            "Unfreeze it in WeChat's console; it takes about ten minutes.",
        ],
        ["AppSecret 已被冻结。", "在微信后台解冻，约十分钟生效。"],
    ),
];
