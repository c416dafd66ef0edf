//! The words that services are answered with at `/oauth/` and the other routes that are theirs,
//! `{"error": "<word>", "error_description"}` (RFC 6749 §5.2).

use super::{Entry, entry};

/// What a service may be told. The second text is for who writes the service.
pub(super) const OAUTH: &[Entry] = &[
    entry(
        "invalid_request",
        "400",
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
        "temporarily_unavailable",
        "503",
        [
            "The store, or WeChat where its token was asked for, cannot be asked now.",
            "Try again after `Retry-After`. Refuse what cannot be checked.",
            "See `/readyz`, the log, and `menjin doctor`.",
        ],
        [
            "数据库暂时问不到；索取微信 access_token 时，也可能是微信。",
            "等 `Retry-After` 秒再试。核实不了的请求应当拒绝。",
            "看 `/readyz`、日志和 `menjin doctor`。",
        ],
    ),
];
