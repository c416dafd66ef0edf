// The server's clock runs ahead, so that a token is over that a phone takes for fresh. The file that MENJIN_CLOCK names
// says by how many seconds.

import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { open, signIns } from "./phone.mjs";

let ahead = 0;

function pass(seconds) {
  ahead += seconds;
  // Exchanged whole, so that nobody reads half a number.
  writeFileSync(`${process.env.MENJIN_CLOCK}.new`, `+${ahead}`);
  renameSync(`${process.env.MENJIN_CLOCK}.new`, process.env.MENJIN_CLOCK);
}

for (const old of [false, true]) {
  test(`twenty requests with a token that is over cost one sign-in (${old ? "old" : "new"} phone)`, async () => {
    const { menjin, wx } = open({}, { old });
    const { openid } = await menjin.login();
    const before = await signIns();
    pass(7200);
    const replies = await Promise.all(Array.from({ length: 20 }, () => menjin.me()));
    for (const reply of replies) assert.equal(reply.openid, openid);
    assert.equal((await signIns()) - before, 1);
    assert.equal(wx.codes.length, 2);
    const sent = wx.sent.filter((path) => path === "/v1/user/me").length;
    assert.ok(sent > 20 && sent <= 40, `${sent} were sent`);
  });
}
