//! Signing keys: made, kept as PKCS #8, shown as JWK.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::{
    jwk::VerifyingKey,
    jws::{Algorithm, Refused},
    secret::sha256,
    token::TYPE,
};

/// A private key could not be made, read or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing key could not be made, read or used")]
pub struct BadKey;

/// How Menjin signs its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256 with SHA-256: every library knows it.
    #[default]
    Es256,
    /// Ed25519: faster, and unknown to some older libraries.
    EdDsa,
}

impl SigningAlgorithm {
    /// As the algorithm of a signature.
    #[must_use]
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::Es256 => Algorithm::Es256,
            Self::EdDsa => Algorithm::EdDsa,
        }
    }

    /// Reads the name that `alg` carries.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Es256, Self::EdDsa]
            .into_iter()
            .find(|one| one.algorithm().as_str() == name)
    }
}

/// A key pair that signs tokens. Set up once: doing it anew for each token costs more than signing.
pub struct SigningKey {
    kid: String,
    token_header: String,
    pair: Pair,
    random: SystemRandom,
}

enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl SigningKey {
    /// A new private key, as PKCS #8.
    ///
    /// # Errors
    ///
    /// [`BadKey`] if the system's generator fails.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Zeroizing<Vec<u8>>, BadKey> {
        let random = SystemRandom::new();
        let document = match algorithm {
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            }
            SigningAlgorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random),
        };
        let document = document.map_err(|_| BadKey)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// Sets a private key up.
    ///
    /// # Errors
    ///
    /// [`BadKey`] if it is not a PKCS #8 key of that algorithm.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, BadKey> {
        let pair = match algorithm {
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Pair::Es256)
            }
            SigningAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8(pkcs8).map(Pair::EdDsa),
        };
        let mut key = Self {
            kid: String::new(),
            token_header: String::new(),
            pair: pair.map_err(|_| BadKey)?,
            random: SystemRandom::new(),
        };
        key.kid = thumbprint(&key.members());
        // A token must stay short, and 96 bits still name a key beyond doubt.
        key.kid.truncate(16);
        let header = json!({
            "typ": TYPE, "alg": algorithm.algorithm().as_str(), "kid": key.kid,
        });
        key.token_header = URL_SAFE_NO_PAD.encode(header.to_string());
        Ok(key)
    }

    /// The header of the access tokens that this key signs, encoded.
    pub(crate) fn token_header(&self) -> &str {
        &self.token_header
    }

    /// The key's name: the beginning of its thumbprint (RFC 7638), so that no two keys share one.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm that this key signs with.
    #[must_use]
    pub const fn algorithm(&self) -> SigningAlgorithm {
        match self.pair {
            Pair::Es256(_) => SigningAlgorithm::Es256,
            Pair::EdDsa(_) => SigningAlgorithm::EdDsa,
        }
    }

    /// The public half, as others may see it.
    #[must_use]
    pub fn public_jwk(&self) -> Map<String, Value> {
        let mut jwk = self.members();
        jwk.insert("kid".to_owned(), self.kid.clone().into());
        jwk.insert("use".to_owned(), "sig".into());
        jwk.insert(
            "alg".to_owned(),
            self.algorithm().algorithm().as_str().into(),
        );
        jwk
    }

    /// The key that checks what this one signs.
    ///
    /// # Errors
    ///
    /// None that a key from [`SigningKey::from_pkcs8`] could cause.
    pub fn verifying_key(&self) -> Result<VerifyingKey, Refused> {
        VerifyingKey::from_jwk(&self.public_jwk())
    }

    /// Signs a message: 64 bytes for either algorithm.
    ///
    /// # Errors
    ///
    /// [`BadKey`] if the system's generator fails.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], BadKey> {
        let signature = match &self.pair {
            Pair::Es256(pair) => pair.sign(&self.random, message),
            Pair::EdDsa(pair) => pair.try_sign(message),
        };
        let signature = signature.map_err(|_| BadKey)?;
        signature.as_ref().try_into().map_err(|_| BadKey)
    }

    /// The required members of the public key and no others, as a thumbprint is taken of them.
    fn members(&self) -> Map<String, Value> {
        let members = match &self.pair {
            Pair::Es256(pair) => {
                // An uncompressed point: 4, x, y.
                let (x, y) = pair
                    .public_key()
                    .as_ref()
                    .get(1..)
                    .and_then(|point| point.split_at_checked(32))
                    .unwrap_or_default();
                json!({
                    "crv": "P-256",
                    "kty": "EC",
                    "x": URL_SAFE_NO_PAD.encode(x),
                    "y": URL_SAFE_NO_PAD.encode(y),
                })
            }
            Pair::EdDsa(pair) => json!({
                "crv": "Ed25519",
                "kty": "OKP",
                "x": URL_SAFE_NO_PAD.encode(pair.public_key()),
            }),
        };
        members.as_object().cloned().unwrap_or_default()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

/// RFC 7638: SHA-256 of the required members in the order of their names, without white space.
fn thumbprint(members: &Map<String, Value>) -> String {
    let sorted: std::collections::BTreeMap<_, _> = members.iter().collect();
    let text = serde_json::to_vec(&sorted).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(sha256(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7638 §3.1.
    #[test]
    fn a_thumbprint_is_the_standard_one() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let members = json!({ "n": n, "kty": "RSA", "e": "AQAB" });
        assert_eq!(
            thumbprint(members.as_object().unwrap()),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    /// Proves KEY-1: what is published of a key is its public half, with kid, use and alg.
    #[test]
    fn a_published_key_is_public() {
        for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa] {
            let pkcs8 = SigningKey::generate(algorithm).unwrap();
            let key = SigningKey::from_pkcs8(algorithm, &pkcs8).unwrap();
            let jwk = key.public_jwk();
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(!jwk.contains_key(private));
            }
            assert_eq!(jwk["kid"], key.kid());
            assert_eq!(jwk["use"], "sig");
            assert_eq!(jwk["alg"], algorithm.algorithm().as_str());
            assert!(!format!("{key:?}").contains("PKCS"));
        }
        let es256 = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        assert!(SigningKey::from_pkcs8(SigningAlgorithm::EdDsa, &es256).is_err());
    }
}
