//! Alibaba Cloud's ACS3-HMAC-SHA256: <https://help.aliyun.com/document_detail/2593177.html> (seen
//! 2026-11-22).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::sign::{digest, hex, hmac_sha256};

/// All but RFC 3986's unreserved characters, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What is signed of a call: a POST to `/` that carries everything in its query and has no body.
pub(crate) struct Call<'a> {
    /// The `Host` header.
    pub(crate) host: &'a str,
    /// The `x-acs-action` header.
    pub(crate) action: &'a str,
    /// The `x-acs-version` header.
    pub(crate) version: &'a str,
    /// The `x-acs-date` header: an instant in UTC, such as `2023-10-26T10:22:32Z`.
    pub(crate) date: &'a str,
    /// The `x-acs-signature-nonce` header.
    pub(crate) nonce: &'a str,
    /// The query, as [`query`] writes it.
    pub(crate) query: &'a str,
}

/// A query in the one spelling that is signed and sent.
pub(crate) fn query(parameters: &[(&str, &str)]) -> String {
    let mut pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| {
            let name = utf8_percent_encode(name, RESERVED);
            format!("{name}={}", utf8_percent_encode(value, RESERVED))
        })
        .collect();
    pairs.sort();
    pairs.join("&")
}

impl Call<'_> {
    /// Every header that is signed but `Host`, and then the signature.
    pub(crate) fn headers(&self, key_id: &str, key_secret: &str) -> Vec<(&'static str, String)> {
        let mut headers = self.signed();
        headers.retain(|(name, _)| *name != "host");
        headers.push(("authorization", self.authorization(key_id, key_secret)));
        headers
    }

    fn authorization(&self, key_id: &str, key_secret: &str) -> String {
        let text = self.string_to_sign();
        let signature = hex(&hmac_sha256(key_secret.as_bytes(), text.as_bytes()));
        let names = self.names();
        format!("ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={names},Signature={signature}")
    }

    /// In the order of their names, as the signature wants them.
    fn signed(&self) -> Vec<(&'static str, String)> {
        vec![
            ("host", self.host.to_owned()),
            ("x-acs-action", self.action.to_owned()),
            ("x-acs-content-sha256", digest(b"")),
            ("x-acs-date", self.date.to_owned()),
            ("x-acs-signature-nonce", self.nonce.to_owned()),
            ("x-acs-version", self.version.to_owned()),
        ]
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.signed().into_iter().map(|(name, _)| name).collect();
        names.join(";")
    }

    fn canonical_request(&self) -> String {
        let signed = self.signed().into_iter();
        let headers: Vec<_> = signed
            .map(|(name, value)| format!("{name}:{value}"))
            .collect();
        let (query, headers) = (self.query, headers.join("\n"));
        let (names, body) = (self.names(), digest(b""));
        format!("POST\n/\n{query}\n{headers}\n\n{names}\n{body}")
    }

    fn string_to_sign(&self) -> String {
        let request = digest(self.canonical_request().as_bytes());
        format!("ACS3-HMAC-SHA256\n{request}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::tests::example;

    /// The signature is Alibaba's, in every step of its published example.
    #[test]
    fn the_published_example_comes_out() {
        let example = example("acs3");
        let text = |name: &str| example[name].as_str().unwrap();
        let header = |name: &str| example["headers"][name].as_str().unwrap();
        let parameters: Vec<_> = text("query")
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .rev()
            .collect();
        let query = query(&parameters);
        let call = Call {
            host: header("host"),
            action: header("x-acs-action"),
            version: header("x-acs-version"),
            date: header("x-acs-date"),
            nonce: header("x-acs-signature-nonce"),
            query: &query,
        };
        let canonical = call.canonical_request();
        let (key_id, secret) = (text("access_key_id"), text("access_key_secret"));
        let signature = hmac_sha256(secret.as_bytes(), call.string_to_sign().as_bytes());
        for (name, made) in [
            ("query", query.clone()),
            ("canonical_request", canonical.clone()),
            ("hashed_canonical_request", digest(canonical.as_bytes())),
            ("string_to_sign", call.string_to_sign()),
            ("signature", hex(&signature)),
            ("authorization", call.authorization(key_id, secret)),
        ] {
            assert_eq!(made, text(name), "{name}");
        }
        for (name, value) in call.headers(key_id, secret) {
            let expected = if name == "authorization" {
                text(name)
            } else {
                header(name)
            };
            assert_eq!(value, expected, "{name}");
        }
    }

    #[test]
    fn a_query_is_sorted_and_spelt_as_rfc_3986_has_it() {
        let query = query(&[("SignName", "门禁 *~"), ("A", "{\"code\":\"1+2/3\"}")]);
        assert_eq!(
            query,
            "A=%7B%22code%22%3A%221%2B2%2F3%22%7D&SignName=%E9%97%A8%E7%A6%81%20%2A~"
        );
    }
}
