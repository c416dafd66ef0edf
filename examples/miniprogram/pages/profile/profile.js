const attempt = require('../../attempt')

const { menjin } = getApp()

const NAMES = { nickname: '昵称', campus: '校区' }

// 前三位和后两位足够本人认出来。
function masked(phone) {
  const number = phone.replace(/^\+86/, '')
  return number.slice(0, 3) + '*'.repeat(Math.max(0, number.length - 5)) + number.slice(-2)
}

Page({
  data: { avatar: '', nickname: '', campus: '', phone: '', loaded: false, busy: false, notice: '', failure: '' },

  onLoad() {
    return this.load()
  },

  load() {
    return attempt(this, async () => {
      const me = await menjin.me()
      // 访客没有资料。首页不会带访客来，转发的链接会。
      if (!me.registered) throw { code: 'forbidden' }
      const { avatar, nickname, campus, phone } = me
      this.setData({ avatar, nickname, campus, phone: masked(phone), loaded: true })
    })
  },

  // 昵称要从表单里取：微信会检查 type="nickname" 的内容，不合适的会清掉。
  save(event) {
    return attempt(this, async () => {
      const { nickname, campus } = event.detail.value
      const changed = await menjin.update({ nickname, campus })
      this.setData(changed)
      const names = Object.keys(changed).map((name) => NAMES[name])
      this.setData({ notice: names.length ? '已保存：' + names.join('、') : '没有变化' })
    })
  },

  // 选中的图片是临时文件，要传上去才能给别人看。
  chooseAvatar(event) {
    const { avatarUrl } = event.detail
    if (!avatarUrl) return
    return attempt(this, async () => {
      const avatar = await menjin.uploadAvatar(avatarUrl)
      this.setData({ avatar, notice: '头像换好了' })
    })
  },
})
