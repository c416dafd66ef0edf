//! What WeChat says about texts: words that pass for forbidden ones, and its two ways to say so.

use serde::{Deserialize, Serialize};

use crate::errcode::Errcode;

/// The text that everybody tests with, and words that one remembers.
const RISKY: [&str; 3] = ["特3456书yuuo莞6543李zxcz蒜7782法fgnv级", "risky", "违规"];
const DOUBTFUL: &str = "review";
const NORMAL: u32 = 100;
/// WeChat's label for what is wrong in no way that has a label of its own.
const OTHER: u32 = 21000;
/// The most characters that are checked at once.
const LONGEST: usize = 2500;

/// A text to check, as `POST /wxa/msg_sec_check` takes it.
#[derive(Deserialize)]
pub(crate) struct Text {
    version: Option<u32>,
    openid: Option<String>,
    scene: Option<i64>,
    content: Option<String>,
    title: Option<String>,
    nickname: Option<String>,
    signature: Option<String>,
}

/// The answer to a text; the first version of the API has only the first two fields.
#[derive(Serialize)]
pub(crate) struct Opinion {
    errcode: i32,
    errmsg: &'static str,
    #[serde(flatten)]
    verdict: Option<Verdict>,
}

#[derive(Serialize)]
struct Verdict {
    result: Finding,
    detail: Vec<Detail>,
    trace_id: String,
}

#[derive(Clone, Copy, Serialize)]
struct Finding {
    suggest: &'static str,
    label: u32,
}

#[derive(Serialize)]
struct Detail {
    strategy: &'static str,
    errcode: i32,
    #[serde(flatten)]
    finding: Finding,
    #[serde(skip_serializing_if = "Option::is_none")]
    prob: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyword: Option<&'static str>,
}

impl Text {
    /// A JSON object whose fields have the types that WeChat wants.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Errcode> {
        if body.is_empty() {
            return Err(Errcode::EMPTY_BODY);
        }
        serde_json::from_slice(body).map_err(|_| Errcode::DATA_FORMAT)
    }

    /// The openid of the writer, where the version asks for one.
    pub(crate) fn writer(&self) -> Result<Option<&str>, Errcode> {
        match self.version {
            Some(2) => Ok(Some(self.openid.as_deref().unwrap_or_default())),
            None | Some(1) => Ok(None),
            Some(_) => Err(Errcode::DATA_FORMAT),
        }
    }

    /// What WeChat makes of the text; `trace_id` names the request.
    pub(crate) fn judge(&self, trace_id: String) -> Result<Opinion, Errcode> {
        let content = self.content.as_deref().unwrap_or_default();
        if content.is_empty() {
            return Err(Errcode::EMPTY_BODY);
        }
        if content.chars().count() > LONGEST {
            return Err(Errcode::CONTENT_TOO_LONG);
        }
        let verdict = if self.writer()?.is_some() {
            if !self.scene.is_some_and(|scene| (1..=4).contains(&scene)) {
                return Err(Errcode::INVALID_SCENE);
            }
            Some(self.verdict(trace_id))
        } else if self.holds(&RISKY).is_some() {
            return Err(Errcode::RISKY_CONTENT);
        } else {
            None
        };
        Ok(Opinion {
            errcode: 0,
            errmsg: "ok",
            verdict,
        })
    }

    fn verdict(&self, trace_id: String) -> Verdict {
        let (suggest, label, keyword) = if let Some(word) = self.holds(&RISKY) {
            ("risky", OTHER, Some(word))
        } else if self.holds(&[DOUBTFUL]).is_some() {
            ("review", OTHER, None)
        } else {
            ("pass", NORMAL, None)
        };
        let result = Finding { suggest, label };
        let model = Detail {
            strategy: "content_model",
            errcode: 0,
            finding: result,
            prob: Some(90),
            keyword: None,
        };
        let keyword = keyword.map(|keyword| Detail {
            strategy: "keyword",
            prob: None,
            keyword: Some(keyword),
            ..model
        });
        Verdict {
            result,
            detail: std::iter::once(model).chain(keyword).collect(),
            trace_id,
        }
    }

    /// The first of the words that is anywhere in what the person wrote.
    fn holds(&self, words: &[&'static str]) -> Option<&'static str> {
        let written = [&self.content, &self.title, &self.nickname, &self.signature];
        let within = |word: &&&str| {
            written
                .iter()
                .any(|text| text.as_ref().is_some_and(|text| text.contains(**word)))
        };
        words.iter().find(within).copied()
    }
}
