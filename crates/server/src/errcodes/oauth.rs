//! The words that services are answered with at `/oauth/` and the other routes that are theirs,
//! `{"error": "<word>", "error_description"}` (RFC 6749 §5.2).

use super::{Entry, entry};

/// What a service may be told. The second text is for who writes the service.
pub(super) const OAUTH: &[Entry] = &[
    entry(
        "invalid_request",
        "400, 404, 405, 408, 413 or 415",
        [
            "A parameter is missing, sent twice or cannot be read, or the client names itself in two ways.",
            "Send a form (`application/x-www-form-urlencoded`) with each parameter once; the description names it.",
            "Nothing.",
        ],
        [
            "参数缺失、重复或读不出，或者同时用两种方式表明身份。",
            "用表单（`application/x-www-form-urlencoded`）发送，每个参数一次；说明里有参数名。",
            "不用管。",
        ],
    ),
    entry(
        "invalid_client",
        "401",
        [
            "The service's id or secret is not right, or none was sent.",
            "Send both by HTTP Basic, or as `client_id` and `client_secret` in the form.",
            "`menjin service list` shows the ids; `menjin service rotate` makes another secret. For `[[services]]` compare `secret_digest`.",
        ],
        [
            "服务的 id 或密钥不对，或没有带。",
            "用 HTTP Basic 发送，或在表单里带 `client_id` 和 `client_secret`。",
            "`menjin service list` 列出 id，`menjin service rotate` 换新密钥；写在 `[[services]]` 里的核对 `secret_digest`。",
        ],
    ),
    entry(
        "unauthorized_client",
        "403",
        [
            "The service is known, but may not do this.",
            "Ask the operator for the permission.",
            "Give it `introspect`, `revoke`, `follow` or `wechat_token`, as needed.",
        ],
        [
            "认得这个服务，但它没有这项权限。",
            "向运维申请权限。",
            "按需给它 `introspect`、`revoke`、`follow` 或 `wechat_token`。",
        ],
    ),
    entry(
        "unsupported_grant_type",
        "400",
        [
            "A token was asked for at `/oauth/token`. There are no OAuth grants here; the address exists because clients look for one.",
            "Sign in at `POST /v1/user/login` with the code of `wx.login()`.",
            "Nothing.",
        ],
        [
            "在 `/oauth/token` 索取令牌。这里没有 OAuth 授权流程，保留这个地址是因为有的客户端一定要找到它。",
            "用 `wx.login()` 的 code 调 `POST /v1/user/login` 登录。",
            "不用管。",
        ],
    ),
    entry(
        "temporarily_unavailable",
        "429, 502, 503 or 504",
        [
            "The store cannot be asked now, or too much is asked. Where WeChat's token was asked for: WeChat refused or did not answer; its number, if it gave one, is in `wechat.errcode`.",
            "Try again after `Retry-After`. Refuse what cannot be checked.",
            "See `/readyz`, the log, and `menjin doctor`.",
        ],
        [
            "数据库暂时问不到，或请求太多。索取微信 access_token 时：微信拒绝了或没有回答，它给的错误码在 `wechat.errcode` 里。",
            "等 `Retry-After` 秒再试。核实不了的请求应当拒绝。",
            "看 `/readyz`、日志和 `menjin doctor`。",
        ],
    ),
    entry(
        "server_error",
        "500",
        [
            "A fault of ours.",
            "Try again once. Refuse what cannot be checked.",
            "The log has it under the `X-Request-Id`; please report it.",
        ],
        [
            "本服务的故障。",
            "可再试一次。核实不了的请求应当拒绝。",
            "用 `X-Request-Id` 查日志，并请报告给我们。",
        ],
    ),
];
