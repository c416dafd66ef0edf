"""Signs in through wechatpy as it is, with WeChat's address leading to a simulator.

Arguments: the simulator's address, appid, secret, code. Prints what it saw as one JSON object.
"""

import json
import sys

from requests.adapters import HTTPAdapter
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

WECHAT = "https://api.weixin.qq.com"
simulator, appid, secret, code = sys.argv[1:]


class Elsewhere(HTTPAdapter):
    """Takes what is meant for WeChat to the simulator."""

    def send(self, request, **kwargs):
        request.url = simulator + request.url.removeprefix(WECHAT)
        kwargs["timeout"] = 10
        kwargs["proxies"] = {}
        return super().send(request, **kwargs)


client = WeChatClient(appid, secret)
client._http.mount(WECHAT, Elsewhere())

token = client.fetch_access_token()
session = client.wxa.code_to_session(code)
try:
    client.wxa.code_to_session(code)
    refused = None
except WeChatClientException as error:
    refused = error

print(
    json.dumps(
        {
            "token_length": len(client.access_token),
            "expires_in": token["expires_in"],
            "session": session,
            "refused": type(refused).__name__,
            "errcode": refused and refused.errcode,
            "errmsg": refused and refused.errmsg,
        }
    )
)
