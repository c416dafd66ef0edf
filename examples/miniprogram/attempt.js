const explain = require('./words')

// 做一件本人点出来的事：做的时候不接受第二次点击，做不成就把原因写在页面上。
module.exports = async function attempt(page, work) {
  if (page.data.busy) return
  page.setData({ busy: true, failure: '', notice: '' })
  try {
    await work()
  } catch (error) {
    // 没有 code 的不是 MenjinError，是程序写错了，要让开发者看见。
    if (!error.code) console.error(error)
    page.setData({ failure: explain(error) })
  } finally {
    page.setData({ busy: false })
  }
}
