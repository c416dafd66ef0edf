"""Does through wechatpy what a back end does for an account, with a simulator in WeChat's place.

Arguments: the simulator's address, appid, secret, and a JSON object with a session, a code of the
phone button and something encrypted. Prints what it saw as one JSON object.
"""

import json
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import xmltodict
from requests.adapters import HTTPAdapter
from wechatpy import WeChatClient
from wechatpy.crypto import WeChatCrypto, WeChatWxaCrypto
from wechatpy.exceptions import WeChatClientException
from wechatpy.utils import check_signature

WECHAT = "https://api.weixin.qq.com"
TOKEN = "AAAAA"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
simulator, appid, secret, given = sys.argv[1:]
given = json.loads(given)
events = []


class Elsewhere(HTTPAdapter):
    """Takes what is meant for WeChat to the simulator."""

    def send(self, request, **kwargs):
        request.url = simulator + request.url.removeprefix(WECHAT)
        kwargs["timeout"] = 10
        kwargs["proxies"] = {}
        return super().send(request, **kwargs)


class BackEnd(BaseHTTPRequestHandler):
    """Takes one pushed event."""

    def do_POST(self):
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
        crypto = WeChatCrypto(TOKEN, AES_KEY, appid)
        message = crypto.decrypt_message(
            body, query["msg_signature"], query["timestamp"], query["nonce"]
        )
        events.append(xmltodict.parse(message)["xml"])
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"success")

    def log_message(self, *arguments):
        pass


def refused(call):
    try:
        call()
    except WeChatClientException as error:
        return error.errcode
    return None


def push():
    server = HTTPServer(("127.0.0.1", 0), BackEnd)
    server.timeout = 10
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    order = {
        "person": "小王",
        "event": "user_authorization_revoke",
        "revoke_info": ["8"],
        "url": f"http://127.0.0.1:{server.server_port}/",
        "token": TOKEN,
        "encoding_aes_key": AES_KEY,
        "format": "xml",
    }
    request = urllib.request.Request(
        simulator + "/simulator/events", data=json.dumps(order).encode(), method="POST"
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    said = json.load(direct.open(request, timeout=10))
    thread.join()
    server.server_close()
    return said


client = WeChatClient(appid, secret)
client._http.mount(WECHAT, Elsewhere())

phone_url = WECHAT + "/wxa/business/getuserphonenumber"
text = {
    "version": 2,
    "openid": given["session"]["openid"],
    "scene": 1,
    "content": "违规",
}
encrypted = given["encrypted"]
crypto = WeChatWxaCrypto(given["session"]["session_key"], encrypted["iv"], appid)

print(
    json.dumps(
        {
            "phone": client.post(phone_url, data={"code": given["code"]}),
            "again": refused(lambda: client.post(phone_url, data={"code": given["code"]})),
            "harmless": client.wxa.check_text_security("你好"),
            "risky_v1": refused(lambda: client.wxa.check_text_security("违规")),
            "risky_v2": client.post(WECHAT + "/wxa/msg_sec_check", data=text),
            "decrypted": crypto.decrypt_message(encrypted["encrypted_data"]),
            "said": push(),
            "event": events[0],
        }
    )
)
