const attempt = require('../../attempt')

const app = getApp()
const { menjin } = app

// 首页要显示的：没登录、访客还是用户，叫什么。
function shown(session) {
  if (!session) return { state: 'none', name: '', letter: '', standing: '', avatar: '' }
  const name = session.nickname || '微信用户'
  return {
    state: session.registered ? 'user' : 'guest',
    name,
    letter: name.slice(0, 1),
    standing: session.registered ? '用户 ' + session.uid : '访客，还没有注册',
    avatar: session.avatar,
  }
}

Page({
  data: Object.assign({ busy: false, notice: '', failure: '' }, shown(null)),

  onLoad() {
    if (!app.isSignedOut()) return this.signIn()
  },

  // 从别的页面回来也到这里，那里可能刚注册完、刚换了头像。
  onShow() {
    this.setData(shown(menjin.session))
  },

  signIn() {
    return attempt(this, async () => {
      await app.signIn()
      this.setData(shown(menjin.session))
    })
  },

  signOut() {
    return attempt(this, async () => {
      const told = await app.signOut()
      const notice = told ? '' : '没能通知服务器，原来的令牌最多一小时后失效'
      this.setData(Object.assign({ notice }, shown(null)))
    })
  },
})
