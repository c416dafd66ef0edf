//! The words of the account's routes, `{"success": false, "status": "<word>", "message"}`.

use super::{Entry, entry};

/// What stands in `status`, besides what any route may answer.
pub(super) const ACCOUNT: &[Entry] = &[
    entry(
        "invalid_<field>",
        "400",
        [
            "The field is missing or cannot be what it should be, such as `invalid_phone`. `invalid_phone_code` also means that WeChat refused it: WeChat's number is under `error`.",
            "Show it at that field. For `invalid_phone_code` let the person press the button again: a code works once, for five minutes.",
            "For `invalid_phone` of numbers from abroad: `registration.calling_codes`. For a field of your own: its declaration in `profile.fields`.",
        ],
        [
            "字段没传或不合要求，如 `invalid_phone`。`invalid_phone_code` 也表示微信拒绝了它，微信的错误码在 `error` 里。",
            "在对应的输入框提示。`invalid_phone_code`：请用户再按一次按钮，code 五分钟内有效，只能用一次。",
            "境外号码报 `invalid_phone`：看 `registration.calling_codes`。自定义字段：看 `profile.fields` 里的声明。",
        ],
    ),
    entry(
        "unknown_field",
        "400",
        [
            "There is no such field to set here; `phone` and `email` have routes of their own.",
            "Send only declared fields. Nothing was changed.",
            "Declare the field under `[[profile.fields]]` if it should exist.",
        ],
        [
            "这里没有这个字段；`phone` 和 `email` 有各自的接口。",
            "只传声明过的字段。这次什么都没改。",
            "需要它，就在 `[[profile.fields]]` 里声明。",
        ],
    ),
    entry(
        "verification_failed",
        "400",
        [
            "The code to register with is wrong, used or too old, or somebody else's. After five wrong tries a code is dead.",
            "Let the person type again, and offer a new message.",
            "Nothing.",
        ],
        [
            "注册验证码不对、已用过、已过期，或是别人的。错五次即作废。",
            "请用户重输，并提供重新发送。",
            "不用管。",
        ],
    ),
    entry(
        "invalid_verification_code",
        "400",
        [
            "The code to take an imported account over with is wrong, used or too old, or somebody else's.",
            "Let the person type again, and offer a new message.",
            "Nothing.",
        ],
        [
            "认领导入账号的验证码不对、已用过、已过期，或是别人的。",
            "请用户重输，并提供重新发送。",
            "不用管。",
        ],
    ),
    entry(
        "bad_code",
        "400",
        [
            "The code to change the number with is wrong, used or too old, or somebody else's.",
            "Let the person type again, and offer a new message.",
            "Nothing.",
        ],
        [
            "换手机号的验证码不对、已用过、已过期，或是别人的。",
            "请用户重输，并提供重新发送。",
            "不用管。",
        ],
    ),
    entry(
        "bad_link",
        "400",
        [
            "The link of a mail is wrong, used or older than 24 hours, or the number was changed since.",
            "Offer to send a new mail.",
            "Nothing.",
        ],
        [
            "邮件里的链接不对、已用过、超过 24 小时，或之后换过手机号。",
            "提供重新发送邮件。",
            "不用管。",
        ],
    ),
    entry(
        "same_phone",
        "400",
        [
            "This is the account's number already.",
            "Say so; nothing is left to do.",
            "Nothing.",
        ],
        ["这就是当前的手机号。", "如实提示，无事可做。", "不用管。"],
    ),
    entry(
        "same_email",
        "400",
        [
            "This is the account's mail address already.",
            "Say so; nothing is left to do.",
            "Nothing.",
        ],
        ["这就是当前的邮箱。", "如实提示，无事可做。", "不用管。"],
    ),
    entry(
        "content_rejected",
        "400",
        [
            "WeChat calls the text risky to show to others.",
            "Ask for another text.",
            "`content_check.nickname` switches the check.",
        ],
        [
            "微信认为这段文字不宜展示。",
            "请用户换一个。",
            "由 `content_check.nickname` 开关。",
        ],
    ),
    entry(
        "consent_needed",
        "400",
        [
            "The deployment has a privacy policy, and the person has not agreed to this version of it.",
            "Show the policy; when the person agrees, send `consent` with its version.",
            "`registration.policy` is the version.",
        ],
        [
            "部署设了隐私政策，本人还没同意这一版。",
            "展示隐私政策，本人同意后带上 `consent`（版本号）再请求。",
            "版本号在 `registration.policy`。",
        ],
    ),
    entry(
        "session_expired",
        "400",
        [
            "WeChat no longer honours the session key, or Menjin has none that it can open.",
            "Call `wx.login()`, sign in, have the data encrypted anew, then repeat.",
            "After a change of the master key this is expected for a while.",
        ],
        [
            "微信不再认 session_key，或 Menjin 没有能解开的。",
            "`wx.login()` 后登录，重新取得加密数据，再请求。",
            "更换主密钥后的一段时间里属正常。",
        ],
    ),
    entry(
        "invalid_encrypted_data",
        "400",
        [
            "It cannot be decrypted whatever the key, is another mini program's, or `signature` does not fit `raw_data`.",
            "Send `encryptedData` and `iv` of one and the same event, unchanged.",
            "Nothing.",
        ],
        [
            "换哪把密钥都解不开，或是别的小程序的，或 `signature` 与 `raw_data` 不符。",
            "`encryptedData` 和 `iv` 要出自同一次事件，原样传来。",
            "不用管。",
        ],
    ),
    entry(
        "already_registered",
        "409",
        [
            "The caller is a user already.",
            "Sign in again to have the user's token and profile.",
            "Nothing.",
        ],
        [
            "调用者已经是用户。",
            "重新登录，取得用户的令牌和资料。",
            "不用管。",
        ],
    ),
    entry(
        "phone_in_use",
        "409",
        [
            "The number belongs to another account.",
            "Ask whether that account is theirs.",
            "If a person has two accounts, one of them has to be deleted by its owner or an administrator.",
        ],
        [
            "号码属于另一个账号。",
            "问本人那个账号是不是自己的。",
            "一个人有两个账号时，要由本人或管理员注销其中一个。",
        ],
    ),
    entry(
        "delivery_failed",
        "502",
        [
            "The provider of messages, the mail server or WeChat did not do its part. Nothing was changed. WeChat's number, if it gave one, is under `error`.",
            "Let the person try again at once; offer the other way to register.",
            "The log has the provider's reason. `[sms]` or `[mail]` may be missing: `menjin doctor`.",
        ],
        [
            "短信服务商、邮件服务器或微信没有办成，什么都没改。微信给了错误码的话，在 `error` 里。",
            "可以立即再试，或改用另一种注册方式。",
            "原因在日志里。也可能没配 `[sms]` 或 `[mail]`：运行 `menjin doctor`。",
        ],
    ),
];
