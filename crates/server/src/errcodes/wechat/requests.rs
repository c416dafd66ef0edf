//! What is wrong with a request, a quota or a right.

use super::{
    Call::{Content, Phone, Session, SignIn, Token},
    WITH_SECRET, WITH_TOKEN, WeChatCode, code,
};

pub(super) const CODES: &[WeChatCode] = &[
    code(
        41_001,
        "access_token missing",
        WITH_TOKEN,
        [
            "The access token did not arrive.",
            "Check what stands between Menjin and WeChat: something cuts the query off.",
        ],
        [
            "缺少 access_token。",
            "检查 Menjin 与微信之间是否有设备截掉了查询参数。",
        ],
    ),
    code(
        41_002,
        "appid missing",
        WITH_SECRET,
        [
            "The AppID did not arrive.",
            "Check `wechat.base_url` and what stands between.",
        ],
        ["缺少 appid。", "检查 `wechat.base_url` 和中间的设备。"],
    ),
    code(
        41_004,
        "appsecret missing",
        WITH_SECRET,
        [
            "The AppSecret did not arrive.",
            "Check `wechat.apps.secret` and what stands between.",
        ],
        ["缺少 secret。", "检查 `wechat.apps.secret` 和中间的设备。"],
    ),
    code(
        41_008,
        "missing code",
        &[SignIn],
        [
            "The code did not arrive.",
            "Check `wechat.base_url` and what stands between.",
        ],
        ["缺少 code。", "检查 `wechat.base_url` 和中间的设备。"],
    ),
    code(
        42_001,
        "access_token expired",
        WITH_TOKEN,
        ["WeChat's access token is over.", "As 40001."],
        ["access_token 过期。", "同 40001。"],
    ),
    code(
        43_002,
        "require POST method",
        &[Token, Phone, Content],
        [
            "The call arrived as something else than a POST.",
            "Check what stands between: a proxy made another request of it.",
        ],
        ["需要 POST 请求。", "检查中间的代理是否改了请求方法。"],
    ),
    code(
        43_104,
        "this appid does not have permission",
        &[Content],
        [
            "The mini program may not make the call, or the openid is another's.",
            "Check the mini program's permissions in WeChat's console, and AppID and AppSecret.",
        ],
        [
            "appid 与 openid 不匹配，或无权限。",
            "检查微信后台的接口权限，核对 AppID 和 AppSecret。",
        ],
    ),
    code(
        43_302,
        "",
        &[Content],
        [
            "The call arrived as something else than a POST.",
            "As 43002.",
        ],
        ["请求方法错误。", "同 43002。"],
    ),
    code(
        44_002,
        "empty post data",
        &[Content],
        ["The body did not arrive.", "As 43002."],
        ["POST 的数据为空。", "同 43002。"],
    ),
    code(
        45_009,
        "reach max api daily quota limit",
        &[SignIn, Token, Phone, Content, Session],
        [
            "The mini program's quota of this call is used up for today.",
            "Look at the quota in WeChat's console, and at what else calls with this AppID.",
        ],
        [
            "超过当日调用上限。",
            "在微信后台看额度，以及还有谁在用这个 AppID 调用。",
        ],
    ),
    code(
        45_011,
        "api minute-quota reach limit, must slower, retry next minute",
        &[SignIn, Token, Phone],
        ["Too many calls within a minute.", "Wait a minute."],
        ["超过每分钟的频率限制。", "等一分钟。"],
    ),
    code(
        47_001,
        "data format error",
        &[Token, Phone, Content],
        ["WeChat could not read the body.", "As 43002."],
        ["JSON 解析失败。", "同 43002。"],
    ),
    code(
        48_001,
        "api unauthorized",
        &[Phone, Content, Session],
        [
            "The mini program may not make the call: not certified, an individual's, or not switched on.",
            "Certify the mini program; for the phone button it must not be an individual's. Offer text messages meanwhile.",
        ],
        [
            "API 未授权：小程序未认证、主体是个人，或没有开通。",
            "完成认证；手机号按钮只给非个人主体。在此之前用短信。",
        ],
    ),
    code(
        48_004,
        "api forbidden for irregularities, view detail on mp.weixin.qq.com",
        &[Token, Phone, Content, Session],
        [
            "WeChat has banned the call for the mini program.",
            "Read the notice in WeChat's console.",
        ],
        ["接口因违规被封禁。", "看微信后台里的通知。"],
    ),
    code(
        50_004,
        "user not allow to use accesstoken, maybe for punishment",
        &[Token],
        [
            "The mini program may not have access tokens, perhaps as a punishment.",
            "Read the notice in WeChat's console.",
        ],
        [
            "账号不可使用 access_token，可能因违规受罚。",
            "看微信后台里的通知。",
        ],
    ),
    code(
        61_004,
        "access clientip is not registered",
        &[Token],
        ["The server's address is not registered.", "As 40164."],
        ["IP 未登记。", "同 40164。"],
    ),
    code(
        87_007,
        "",
        &[Session],
        [
            "There is no such session key, or it is over.",
            "Nothing: the person is told `session_expired` and signs in.",
        ],
        [
            "session_key 不存在或已过期。",
            "不用管：调用者会收到 `session_expired`，重新登录即可。",
        ],
    ),
    code(
        87_008,
        "invalid sig_method",
        &[Session],
        [
            "WeChat does not take this way of signing.",
            "Please report it.",
        ],
        ["sig_method 无效。", "请报告给我们。"],
    ),
    code(
        87_009,
        "invalid signature",
        &[Session],
        [
            "The session key is not the person's present one.",
            "Nothing: as 87007.",
        ],
        ["签名无效，session_key 不是当前的。", "不用管：同 87007。"],
    ),
    code(
        89_501,
        "",
        &[Token],
        [
            "An administrator of the mini program was asked before whether this address may call.",
            "Answer in WeChat; then it works.",
        ],
        [
            "此前已请求管理员确认，还没有答复。",
            "请管理员在微信里确认，之后即可。",
        ],
    ),
    code(
        89_502,
        "",
        &[Token],
        ["The administrator's answer is awaited.", "As 89501."],
        ["等待管理员确认。", "同 89501。"],
    ),
    code(
        89_503,
        "",
        &[Token],
        [
            "An administrator of the mini program has to allow this address.",
            "As 89501.",
        ],
        ["此 IP 调用需要管理员确认。", "同 89501。"],
    ),
    code(
        89_504,
        "",
        &[Token],
        ["The administrator's answer is awaited.", "As 89501."],
        ["等待管理员确认。", "同 89501。"],
    ),
    code(
        89_505,
        "",
        &[Token],
        ["The administrator's answer is awaited.", "As 89501."],
        ["等待管理员确认。", "同 89501。"],
    ),
    code(
        89_506,
        "",
        &[Token],
        [
            "The administrator has refused this address; it is blocked for 24 hours.",
            "Speak with the administrator; wait.",
        ],
        [
            "管理员已拒绝此 IP，24 小时内不能再试。",
            "与管理员商量好，再等。",
        ],
    ),
    code(
        89_507,
        "",
        &[Token],
        [
            "The administrator has refused this address; it is blocked for an hour.",
            "Speak with the administrator; wait.",
        ],
        [
            "管理员已拒绝此 IP，1 小时内不能再试。",
            "与管理员商量好，再等。",
        ],
    ),
];
