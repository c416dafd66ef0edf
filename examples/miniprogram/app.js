const menjin = require('./menjin')

const SIGNED_OUT = 'signed_out'

App({
  menjin,

  onLaunch() {
    // 首页也会登录，等的是同一次，失败的原因由它显示。
    if (!this.isSignedOut()) menjin.login().catch(() => {})
  },

  // 本人退出过的，下次打开不自动登录。
  isSignedOut() {
    return Boolean(wx.getStorageSync(SIGNED_OUT))
  },

  async signIn() {
    await menjin.login()
    wx.removeStorageSync(SIGNED_OUT)
  },

  // 服务器是否也知道了。不知道也已经退出：手机上的令牌没有了，只是它本身要到期才失效。
  async signOut() {
    const told = await menjin.logout().then(() => true, () => false)
    wx.setStorageSync(SIGNED_OUT, true)
    return told
  },
})
