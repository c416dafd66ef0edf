// 换一套服务器，只改这里。
module.exports = {
  // Menjin 的地址。本机用 script/server 启动，就是这个；正式环境填 https 域名。
  menjin: 'http://127.0.0.1:8080',

  // 认 Menjin 令牌的另一个服务，examples/services 里有现成的。
  service: 'http://127.0.0.1:9001',

  // 本机没有真的微信，登录和手机号由 menjin dev 自带的模拟器代劳，这里写它扮演谁。
  // 服务器接了真的微信，就改成空串 ''。
  person: '小王',
}
