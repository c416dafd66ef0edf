// 只在本机用：请 menjin dev 的模拟器代替微信，给出登录的 code 和手机号的 code。
// 没有自己的 AppID 时，wx.login() 的 code 服务器不认。正式环境用不到这个文件。
const config = require('./config')

// 登录失败时 SDK 只看 errMsg，给出同样的 code。
const away = { code: 'login_failed', errMsg: 'login:fail no simulator' }

function ask(path) {
  return new Promise((resolve, reject) => {
    wx.request({
      url: config.menjin + path,
      method: 'POST',
      data: { person: config.person },
      success: ({ data }) => (data && data.code ? resolve(data.code) : reject(away)),
      fail: () => reject(away),
    })
  })
}

module.exports = {
  // 与 wx 同样的接口，只有 login 问模拟器。
  adapter: {
    login: ({ success, fail }) => ask('/simulator/login').then((code) => success({ code, errMsg: 'login:ok' }), fail),
    request: (options) => wx.request(options),
    uploadFile: (options) => wx.uploadFile(options),
    getStorageSync: (key) => wx.getStorageSync(key),
    setStorageSync: (key, value) => wx.setStorageSync(key, value),
    removeStorageSync: (key) => wx.removeStorageSync(key),
  },

  // 手机号按钮点了“允许”之后的事件。
  phoneButton: async () => ({ detail: { code: await ask('/simulator/phone'), errMsg: 'getPhoneNumber:ok' } }),
}
