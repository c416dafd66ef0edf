// 把失败说成本人看得懂、知道接下来怎么办的话。按 MenjinError 的 code 查，服务器的原话不给人看。
const config = require('./config')

const AGAIN = '验证码不对或者过期了，再看看短信，或者重新获取'
const TAKEN = '这个手机号已经有账号了，换一个号码，或者换回原来的微信'
const PICTURE = '这张图片用不了，请选 2 MB 以内的 JPG、PNG 或 WebP'
const MISTAKE = '小程序的配置有误，请告诉开发者'
const NO_SIMULATOR = '模拟器没有回答。先运行 script/server；服务器接了真的微信，就把 config.js 里的 person 改成空串'

const WORDS = {
  network: '连不上服务器。看看网络，再试一次',
  timeout: '服务器太久没有回答，再试一次',
  login_failed: config.person ? NO_SIMULATOR : '微信没有给出登录凭证，再试一次',
  invalid_login_code: '微信登录没有成功，再试一次',
  account_disabled: '这个账号已停用，请联系管理员',
  high_risk_user: '微信不让这个账号登录，请联系微信客服',
  unknown_appid: MISTAKE,
  bad_url: MISTAKE,
  bad_option: MISTAKE,

  cancelled: '没有拿到手机号。可以再点一次，或者用下面的短信验证码',
  phone_unavailable: '现在不能一键注册，请用下面的短信验证码',
  invalid_phone_code: '微信给的手机号凭证不能用了，再点一次',
  invalid_phone: '手机号不对，看看是不是少了一位',
  invalid_code: '验证码是六位数字',
  verification_failed: AGAIN,
  invalid_verification_code: AGAIN,
  user_exists: TAKEN,
  phone_in_use: TAKEN,
  already_registered: '已经注册过了，回首页看看',
  delivery_failed: '短信没有发出去，再试一次',
  consent_needed: '要先同意隐私政策才能注册',

  invalid_nickname: '昵称最多 64 个字，不能换行',
  invalid_campus: '没有这个校区',
  content_rejected: '微信认为这个昵称不合适，换一个吧',
  // 说不出哪个字段不对的 400 只有上传会给。
  bad_request: PICTURE,
  too_large: PICTURE,

  forbidden: '注册之后才能用',
  invalid_token: '对方没有接受你的登录。如果还没有注册，请先注册',
}

function wait(seconds) {
  if (!seconds) return '过一会儿再试'
  return seconds < 120 ? '请 ' + seconds + ' 秒后再试' : '请 ' + Math.ceil(seconds / 60) + ' 分钟后再试'
}

module.exports = function explain({ code, status, retryAfter, requestId }) {
  if (status === 429) return '操作太频繁了，' + wait(retryAfter)
  if (WORDS[code]) return WORDS[code]
  if (status >= 500) return '服务器出了问题，' + wait(retryAfter)
  return '没有成功，过一会儿再试' + (requestId ? '（编号 ' + requestId + '）' : '')
}
