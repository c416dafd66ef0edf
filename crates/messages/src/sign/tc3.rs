//! Tencent Cloud's TC3-HMAC-SHA256: <https://cloud.tencent.com/document/api/362/4208> (seen
//! 2026-11-22).

use jiff::Timestamp;

use crate::sign::{digest, hex, hmac_sha256};

/// The type that every signed body is sent as.
pub(crate) const CONTENT_TYPE: &str = "application/json; charset=utf-8";
/// The headers that a signature covers.
const SIGNED_HEADERS: &str = "content-type;host;x-tc-action";

/// What is signed of a call.
pub(crate) struct Call<'a> {
    /// The product's short name, such as `sms`.
    pub(crate) service: &'a str,
    /// The `Host` header.
    pub(crate) host: &'a str,
    /// The `X-TC-Action` header.
    pub(crate) action: &'a str,
    /// The body.
    pub(crate) payload: &'a [u8],
    /// The `X-TC-Timestamp` header: seconds since 1970.
    pub(crate) timestamp: i64,
}

impl Call<'_> {
    /// The `Authorization` header.
    pub(crate) fn authorization(&self, secret_id: &str, secret_key: &str) -> String {
        let [.., signing] = self.keys(secret_key);
        let signature = hex(&hmac_sha256(&signing, self.string_to_sign().as_bytes()));
        let scope = self.scope();
        format!(
            "TC3-HMAC-SHA256 Credential={secret_id}/{scope}, SignedHeaders={SIGNED_HEADERS}, \
             Signature={signature}"
        )
    }

    fn canonical_request(&self) -> String {
        let Self { host, payload, .. } = self;
        let action = self.action.to_lowercase();
        let payload = digest(payload);
        format!(
            "POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{host}\nx-tc-action:{action}\n\n\
             {SIGNED_HEADERS}\n{payload}"
        )
    }

    fn string_to_sign(&self) -> String {
        let request = digest(self.canonical_request().as_bytes());
        let (timestamp, scope) = (self.timestamp, self.scope());
        format!("TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{request}")
    }

    fn scope(&self) -> String {
        format!("{}/{}/tc3_request", self.date(), self.service)
    }

    fn date(&self) -> String {
        Timestamp::from_second(self.timestamp)
            .unwrap_or_default()
            .strftime("%Y-%m-%d")
            .to_string()
    }

    /// The keys of the day, of the service, and the one that signs.
    fn keys(&self, secret_key: &str) -> [[u8; 32]; 3] {
        let day = hmac_sha256(
            format!("TC3{secret_key}").as_bytes(),
            self.date().as_bytes(),
        );
        let service = hmac_sha256(&day, self.service.as_bytes());
        let signing = hmac_sha256(&service, b"tc3_request");
        [day, service, signing]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::tests::example;

    /// The signature is Tencent's, in every step of its published example.
    #[test]
    fn the_published_example_comes_out() {
        let example = example("tc3");
        let text = |name: &str| example[name].as_str().unwrap();
        let call = Call {
            service: text("service"),
            host: text("host"),
            action: text("action"),
            payload: text("payload").as_bytes(),
            timestamp: example["timestamp"].as_i64().unwrap(),
        };
        let canonical = call.canonical_request();
        let [day, service, signing] = call.keys(text("secret_key"));
        for (name, made) in [
            ("date", call.date()),
            ("hashed_payload", digest(call.payload)),
            ("canonical_request", canonical.clone()),
            ("hashed_canonical_request", digest(canonical.as_bytes())),
            ("string_to_sign", call.string_to_sign()),
            ("secret_date_hex", hex(&day)),
            ("secret_service_hex", hex(&service)),
            ("secret_signing_hex", hex(&signing)),
            (
                "authorization",
                call.authorization(text("secret_id"), text("secret_key")),
            ),
        ] {
            assert_eq!(made, text(name), "{name}");
        }
    }
}
