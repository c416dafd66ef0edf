//! The words that any route may answer with: in `status` at the account's routes, in `error` elsewhere.

use super::{Entry, entry};

/// What is not about one route.
pub(super) const GENERAL: &[Entry] = &[
    entry(
        "malformed_body",
        "400",
        [
            "The body is not a JSON object, or a member has the wrong type.",
            "Compare it with `/openapi.json`.",
            "Nothing.",
        ],
        [
            "请求体不是 JSON 对象，或某个成员类型不对。",
            "对照 `/openapi.json`。",
            "不用管。",
        ],
    ),
    entry(
        "forbidden",
        "403",
        [
            "The access token is good, but not for this: a guest's where a user's is needed, or a user's where an administrator's is.",
            "Let a guest register. Trying again changes nothing.",
            "Nothing.",
        ],
        [
            "令牌有效，但没有这项权限：访客做了用户才能做的事，或用户做了管理员才能做的事。",
            "访客先注册。重试没有用。",
            "不用管。",
        ],
    ),
    entry(
        "account_disabled",
        "403",
        [
            "An administrator has disabled the account.",
            "Say so and stop.",
            "An administrator can enable it again.",
        ],
        [
            "账号被管理员停用。",
            "如实提示并停下。",
            "管理员可以重新启用。",
        ],
    ),
    entry(
        "not_signed",
        "403",
        [
            "A pushed event was not signed by WeChat, or not just now.",
            "Nothing: it is WeChat's route.",
            "Compare `push_token` and `push_aes_key` with WeChat's console, and the clock.",
        ],
        [
            "推送的事件没有微信的有效签名，或签名过时。",
            "与前端无关，这是给微信的接口。",
            "对照微信后台核对 `push_token`、`push_aes_key`，并检查时钟。",
        ],
    ),
    entry(
        "not_found",
        "404",
        [
            "There is nothing at this path, or this deployment does not have it.",
            "Check the path and the base address.",
            "See that the proxy hands paths on unchanged.",
        ],
        [
            "没有这个路径，或这套部署没有提供。",
            "核对路径和服务地址。",
            "确认代理没有改写路径。",
        ],
    ),
    entry(
        "method_not_allowed",
        "405",
        [
            "The path does not know this method; `Allow` names those it does.",
            "Use one of these.",
            "Nothing.",
        ],
        [
            "这个路径不支持该方法，`Allow` 里有支持的。",
            "改用其中之一。",
            "不用管。",
        ],
    ),
    entry(
        "body_too_slow",
        "408",
        [
            "The body took longer than 30 seconds to arrive.",
            "Send it again.",
            "If it happens often, look at the proxy and the network in front.",
        ],
        [
            "请求体 30 秒还没收完。",
            "重发。",
            "经常出现时，检查前面的代理和网络。",
        ],
    ),
    entry(
        "body_too_large",
        "413",
        ["The body is larger than 64 KiB.", "Send less.", "Nothing."],
        ["请求体超过 64 KiB。", "减小它。", "不用管。"],
    ),
    entry(
        "unsupported_media_type",
        "415",
        [
            "The body is not declared as JSON.",
            "Send `Content-Type: application/json`.",
            "See that the proxy in front keeps the header.",
        ],
        [
            "请求没有声明为 JSON。",
            "发送 `Content-Type: application/json`。",
            "确认前面的代理没有改掉这个头。",
        ],
    ),
    entry(
        "too_many_requests",
        "429",
        [
            "Too often, here, at the provider of messages or at WeChat.",
            "Wait as long as `Retry-After` says; switch the button off until then.",
            "The limits are in docs/account.md. If everybody meets them, name the proxy in `server.trusted_proxies`.",
        ],
        [
            "太频繁：在本服务、短信服务商或微信。",
            "等 `Retry-After` 秒，期间禁用按钮。",
            "各项限制见 docs/account.zh-CN.md。人人都遇到时，把代理写进 `server.trusted_proxies`。",
        ],
    ),
    entry(
        "internal",
        "500",
        [
            "A fault of ours.",
            "Say that it did not work; try again once.",
            "The log has it under the `X-Request-Id`; please report it.",
        ],
        [
            "本服务的故障。",
            "提示失败，可再试一次。",
            "用 `X-Request-Id` 查日志，并请报告给我们。",
        ],
    ),
    entry(
        "unavailable",
        "503",
        [
            "Something cannot be asked now: the database, the place of the pictures, or all places of a queue are taken.",
            "Try again after `Retry-After`.",
            "See `/readyz`, the log, and `menjin doctor`.",
        ],
        [
            "暂时问不到：数据库、图片存储，或排队已满。",
            "等 `Retry-After` 秒再试。",
            "看 `/readyz`、日志和 `menjin doctor`。",
        ],
    ),
];

/// The bodies of a token that is not taken.
pub(super) const TOKEN: &[Entry] = &[
    entry(
        "Unauthorized for no Authorization",
        "401",
        [
            "No token was sent.",
            "Send `Authorization: Bearer <access_token>`.",
            "If clients do send it: see that the proxy in front keeps the header.",
        ],
        [
            "没有带令牌。",
            "发送 `Authorization: Bearer <access_token>`。",
            "前端确实带了的话：确认前面的代理没有去掉这个头。",
        ],
    ),
    entry(
        "Unauthorized for no Bearer",
        "401",
        [
            "The scheme is not `Bearer`.",
            "Put `Bearer ` before the token.",
            "Nothing.",
        ],
        ["方案不是 `Bearer`。", "令牌前加上 `Bearer `。", "不用管。"],
    ),
    entry(
        "token_expired",
        "401",
        [
            "The token is past its end.",
            "Sign in again and repeat the request once.",
            "If fresh tokens are over at once: a clock is wrong.",
        ],
        [
            "令牌已过期。",
            "重新登录，把请求重发一次。",
            "新令牌立刻过期，说明有机器的时钟不准。",
        ],
    ),
    entry(
        "invalid_token",
        "401",
        [
            "The token is malformed or forged, was ended (signed out, number changed, account deleted or disabled), is for another audience, or is a guest's at another service.",
            "Sign in again and repeat the request once; if it stays, stop. A guest has to register first.",
            "Compare the service's issuer and audience with `token.issuer` and `token.audience`.",
        ],
        [
            "令牌残缺或伪造，已作废（退出登录、换号、账号注销或停用），不是给这个服务的，或者访客的令牌用在了别的服务上。",
            "重新登录，把请求重发一次；仍然如此就停下。访客要先注册。",
            "核对服务里的 issuer、audience 与 `token.issuer`、`token.audience`。",
        ],
    ),
];
