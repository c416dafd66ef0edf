//! Compact JWS: reading one exactly, and the algorithms there are (RFC 7515, 7518, 8725).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::json;

/// A token is never this long; whatever is longer is not read.
pub const MAX_TOKEN: usize = 8 * 1024;

/// Why a token is not accepted. Which of the reasons it was is for tests, never for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub(crate) &'static str);

/// A signature algorithm, by the name that `alg` carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the names are those of RFC 7518, 8037 and 8812"
)]
pub enum Algorithm {
    Es256,
    Es384,
    Es512,
    Es256k,
    EdDsa,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Hs256,
    Hs384,
    Hs512,
}

impl Algorithm {
    const ALL: [Self; 14] = [
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Es256k,
        Self::EdDsa,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// The name in `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Es256k => "ES256K",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Reads the name, whose case matters; `none` is no algorithm.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }
}

/// What a header may say; everything else in it is either refused or means nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The algorithm that the token claims. Believed only where the key says the same.
    pub algorithm: Algorithm,
    /// Which key signed.
    pub kid: Option<String>,
    /// What kind of token this is.
    pub typ: Option<String>,
}

/// A compact JWS, taken apart; nothing in it is to be believed before its signature is checked.
#[derive(Debug)]
pub struct Compact<'t> {
    /// The protected header.
    pub header: Header,
    pub(crate) signing_input: &'t str,
    pub(crate) signature: Vec<u8>,
    payload: Vec<u8>,
}

impl<'t> Compact<'t> {
    /// Takes a token apart: three parts, canonical base64url without padding, a header that is one
    /// JSON object with no key twice and nothing that would choose the key or the meaning for us.
    ///
    /// # Errors
    ///
    /// Anything else, and anything longer than [`MAX_TOKEN`].
    pub fn parse(token: &'t str) -> Result<Self, Refused> {
        if token.len() > MAX_TOKEN {
            return Err(Refused("too long"));
        }
        let (signing_input, signature) =
            token.rsplit_once('.').ok_or(Refused("not three parts"))?;
        let (header, payload) = signing_input
            .split_once('.')
            .ok_or(Refused("not three parts"))?;
        let header = json::parse_object(&decode(header)?).map_err(|_| Refused("bad header"))?;
        Ok(Self {
            header: read_header(&header)?,
            signing_input,
            signature: decode(signature)?,
            payload: decode(payload)?,
        })
    }

    /// The payload, for after the signature.
    #[must_use]
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }
}

/// Strict: no padding, no stray bits, no other alphabet; a dot too many is no base64url either.
fn decode(part: &str) -> Result<Vec<u8>, Refused> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| Refused("not canonical base64url"))
}

fn read_header(header: &Map<String, Value>) -> Result<Header, Refused> {
    // RFC 8725 §3.10 and §3.11: keys that came with the token, extensions that we do not know
    // (`crit` names them; `b64` is one) and compression are refused, not ignored.
    for forbidden in ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip"] {
        if header.contains_key(forbidden) {
            return Err(Refused("a header that is not taken"));
        }
    }
    let text = |name| match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refused("a header that is not text")),
    };
    let algorithm = text("alg")?
        .and_then(|name| Algorithm::parse(&name))
        .ok_or(Refused("no known algorithm"))?;
    Ok(Header {
        algorithm,
        kid: text("kid")?,
        typ: text("typ")?,
    })
}
