// 整个小程序共用的 Menjin 客户端：登录、带令牌的请求、令牌过期后的重新登录，都由它做。
const { createMenjin } = require('menjin-miniprogram')
const config = require('./config')
const simulator = require('./simulator')

const options = {
  baseURL: config.menjin,
  // 令牌只会发给 Menjin 和这里列出的地址。
  services: [config.service],
}
if (config.person) options.adapter = simulator.adapter

module.exports = createMenjin(options)
