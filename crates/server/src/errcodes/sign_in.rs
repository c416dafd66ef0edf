//! The `errcode`s that a sign-in is answered with.

use super::{Entry, entry};

/// Every `errcode` of a sign-in that has a meaning of its own here.
pub(super) const SIGN_IN: &[Entry] = &[
    entry(
        "40029",
        "400",
        [
            "WeChat does not know the code, or it cannot be one: too old, of another mini program, or made up by the developer tools without an AppID.",
            "Call `wx.login()` and sign in with the new code, once.",
            "If it is everybody: compare the AppID of the mini program with `wechat.apps.appid`.",
        ],
        [
            "微信不认识这个 code，或者它根本不是 code：过期了，是别的小程序的，或者开发者工具没填 AppID 时编造的。",
            "重新调用 `wx.login()`，用新 code 登录，只重试一次。",
            "如果人人如此：核对小程序的 AppID 与 `wechat.apps.appid` 是否一致。",
        ],
    ),
    entry(
        "40163",
        "400",
        [
            "The code was used before, more than `sign_in.replay_window` ago or by another back end.",
            "Call `wx.login()` for each sign-in; never keep a code.",
            "See that no other back end exchanges the same codes.",
        ],
        [
            "code 已用过：超过了 `sign_in.replay_window`，或被别的后端用掉了。",
            "每次登录都重新调用 `wx.login()`，不要保存 code。",
            "检查是否还有别的后端在用同一批 code 换取身份。",
        ],
    ),
    entry(
        "41008",
        "400",
        [
            "No code was sent.",
            "Send `{\"code\": \"...\"}` with what `wx.login()` gave, and see that it did not fail.",
            "Nothing.",
        ],
        [
            "没有传 code。",
            "传 `{\"code\": \"...\"}`，值来自 `wx.login()`；先确认它没有失败。",
            "不用管。",
        ],
    ),
    entry(
        "47001",
        "400",
        [
            "The body is not JSON, or `code` is not text.",
            "Send a JSON object; `wx.request` does so by default.",
            "Nothing.",
        ],
        [
            "请求体不是 JSON，或 `code` 不是字符串。",
            "发送 JSON 对象，`wx.request` 默认就是。",
            "不用管。",
        ],
    ),
    entry(
        "40013",
        "400 or 502",
        [
            "400: this deployment does not serve the `appid` of the request. 502: WeChat does not know the configured AppID.",
            "400: leave `appid` out, or send the mini program's own.",
            "Compare `wechat.apps.appid` with WeChat's console; `menjin doctor` tries it.",
        ],
        [
            "400：这套部署不服务请求里的 `appid`。502：微信不认识配置里的 AppID。",
            "400：不传 `appid`，或传小程序自己的。",
            "对照微信后台核对 `wechat.apps.appid`；`menjin doctor` 会试。",
        ],
    ),
    entry(
        "40226",
        "403",
        [
            "WeChat rates this person as high-risk and does not let them sign in.",
            "Say so and stop; trying again changes nothing. WeChat's customer service can help the person.",
            "Nothing.",
        ],
        [
            "微信认定这是高风险用户，拦截了登录。",
            "如实提示并停下，重试没有用。本人可找微信客服申诉。",
            "不用管。",
        ],
    ),
    entry(
        "7700001",
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
        "43002",
        "405",
        ["Sign-in is a POST.", "Use POST.", "Nothing."],
        ["登录要用 POST。", "改用 POST。", "不用管。"],
    ),
    entry(
        "7700003",
        "408",
        [
            "The body took longer than 30 seconds to arrive.",
            "Send it again: the code was not used.",
            "If it happens often, look at the proxy and the network in front.",
        ],
        [
            "请求体 30 秒还没收完。",
            "重发即可，code 还没用掉。",
            "经常出现时，检查前面的代理和网络。",
        ],
    ),
    entry(
        "45002",
        "413",
        [
            "The body is larger than 64 KiB.",
            "Send the code alone.",
            "Nothing.",
        ],
        ["请求体超过 64 KiB。", "只传 code。", "不用管。"],
    ),
    entry(
        "7700002",
        "415",
        [
            "The body is not declared as JSON.",
            "Send `Content-Type: application/json`, the default of `wx.request`.",
            "See that the proxy in front keeps the header.",
        ],
        [
            "请求没有声明为 JSON。",
            "发送 `Content-Type: application/json`，`wx.request` 默认就是。",
            "确认前面的代理没有改掉这个头。",
        ],
    ),
    entry(
        "45011",
        "429",
        [
            "Too many sign-ins from this address here, or of this mini program or person at WeChat.",
            "Wait as long as `Retry-After` says, then call `wx.login()` again.",
            "If everybody gets it: name the proxy in `server.trusted_proxies`, or raise `limits.sign_in_per_address`.",
        ],
        [
            "登录太频繁：在本服务按网络地址计，或在微信按小程序、按人计。",
            "等 `Retry-After` 秒，再重新 `wx.login()`。",
            "人人都遇到时：把代理写进 `server.trusted_proxies`，或调高 `limits.sign_in_per_address`。",
        ],
    ),
    entry(
        "45009",
        "429",
        [
            "The mini program's daily quota at WeChat is used up.",
            "Show that sign-in is not possible for now; do not retry in a loop.",
            "Look at the quota in WeChat's console; find what calls so often.",
        ],
        [
            "小程序在微信的当日额度已用完。",
            "提示暂时无法登录，不要循环重试。",
            "在微信后台看额度，找出是谁调用这么多。",
        ],
    ),
    entry(
        "40125",
        "502",
        [
            "WeChat refuses the AppSecret.",
            "Show that sign-in is not possible for now; tell the operator.",
            "Compare `wechat.apps.secret` with WeChat's console; after a reset of the AppSecret, put the new one in and restart.",
        ],
        [
            "微信不认 AppSecret。",
            "提示暂时无法登录，告诉运维。",
            "核对 `wechat.apps.secret`；在微信后台重置过的，换成新的并重启。",
        ],
    ),
    entry(
        "41002",
        "502",
        [
            "WeChat received no AppID.",
            "Show that sign-in is not possible for now; tell the operator.",
            "Check `wechat.base_url` and what stands between Menjin and WeChat.",
        ],
        [
            "微信没有收到 AppID。",
            "提示暂时无法登录，告诉运维。",
            "检查 `wechat.base_url`，以及 Menjin 与微信之间的设备。",
        ],
    ),
    entry(
        "41004",
        "502",
        [
            "WeChat received no AppSecret.",
            "Show that sign-in is not possible for now; tell the operator.",
            "Check `wechat.apps.secret`.",
        ],
        [
            "微信没有收到 AppSecret。",
            "提示暂时无法登录，告诉运维。",
            "检查 `wechat.apps.secret`。",
        ],
    ),
    entry(
        "40243",
        "502",
        [
            "The AppSecret is frozen.",
            "Show that sign-in is not possible for now; tell the operator.",
            "Unfreeze it in WeChat's console; it takes about ten minutes.",
        ],
        [
            "AppSecret 已被冻结。",
            "提示暂时无法登录，告诉运维。",
            "在微信后台解冻，约十分钟生效。",
        ],
    ),
    entry(
        "40164",
        "502",
        [
            "WeChat's allow-list of addresses does not hold this server's.",
            "Show that sign-in is not possible for now; tell the operator.",
            "Add the address, which WeChat's message names, to the API IP allow-list in WeChat's console.",
        ],
        [
            "微信的 API IP 白名单里没有这台服务器。",
            "提示暂时无法登录，告诉运维。",
            "微信的报错里有 IP，把它加进微信后台的 API IP 白名单。",
        ],
    ),
    entry(
        "-1",
        "500, 502, 503 or 504",
        [
            "WeChat is busy or cannot be reached, or something of ours failed.",
            "Call `wx.login()` and try again, after `Retry-After` if it is given; the old code may be spent.",
            "Look for the `X-Request-Id` in the log; run `menjin doctor`.",
        ],
        [
            "微信繁忙或连不上，或者本服务出了故障。",
            "重新 `wx.login()` 再试；有 `Retry-After` 就先等。旧 code 可能已用掉。",
            "用 `X-Request-Id` 查日志，运行 `menjin doctor`。",
        ],
    ),
];
