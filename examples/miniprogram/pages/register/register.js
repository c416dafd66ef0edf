const attempt = require('../../attempt')
const config = require('../../config')
const simulator = require('../../simulator')

const { menjin } = getApp()

// Menjin 一分钟只给同一个号码发一条。
const RESEND_SECONDS = 60

Page({
  data: {
    phone: '',
    code: '',
    sent: false,
    wait: 0,
    busy: false,
    notice: '',
    failure: '',
    simulated: Boolean(config.person),
  },

  onUnload() {
    clearInterval(this.ticking)
  },

  typePhone(event) {
    this.setData({ phone: event.detail.value })
  },

  typeCode(event) {
    this.setData({ code: event.detail.value })
  },

  // 微信的按钮。本人不同意，或者额度用完，事件里都没有 code，SDK 会说是哪一种。
  byButton(event) {
    return attempt(this, async () => {
      await menjin.registerByPhoneButton(event)
      this.finish()
    })
  },

  bySimulator() {
    return attempt(this, async () => {
      await menjin.registerByPhoneButton(await simulator.phoneButton())
      this.finish()
    })
  },

  send() {
    return attempt(this, async () => {
      const { status } = await menjin.register(this.data.phone)
      if (status === 'user_exists') throw { code: status }
      const where = config.person ? '，在 ' + config.menjin + '/simulator/sms' : ''
      this.setData({ sent: true, code: '', notice: '验证码已发送，五分钟内有效' + where })
      this.countDown()
    })
  },

  verify() {
    return attempt(this, async () => {
      await menjin.verify(this.data.phone, this.data.code)
      this.finish()
    })
  },

  // 注册成了，menjin.session 就是用户，令牌也换成了别的服务认的那种。
  finish() {
    wx.showToast({ title: '注册好了' })
    wx.navigateBack()
  },

  // 按时刻算，不按次数算：小程序在后台时定时器不走。
  countDown() {
    const end = Date.now() + RESEND_SECONDS * 1000
    const tick = () => {
      const wait = Math.max(0, Math.ceil((end - Date.now()) / 1000))
      this.setData({ wait })
      if (wait === 0) clearInterval(this.ticking)
    }
    clearInterval(this.ticking)
    this.ticking = setInterval(tick, 1000)
    tick()
  },
})
