const attempt = require('../../attempt')
const config = require('../../config')

const { menjin } = getApp()
const address = config.service + '/hello'

Page({
  data: { address, reply: '', busy: false, failure: '' },

  call() {
    return attempt(this, async () => {
      this.setData({ reply: '' })
      const body = await menjin.request({ url: address, method: 'GET' })
      this.setData({ reply: JSON.stringify(body, null, 2) })
    })
  },
})
