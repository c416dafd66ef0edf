//! Public keys as JWK (RFC 7517, 7518, 8037), and the one check of a signature.

use std::fmt;

use aws_lc_rs::{
    hmac,
    signature::{
        self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::jws::{Algorithm, Compact, Refused};

/// A key that checks signatures, with the algorithms that it allows fixed beside it.
///
/// The algorithm is never the token's to choose (RFC 8725 §3.1). A bearer is only ever checked
/// against Menjin's own keys, which are `ES256` or `EdDSA`; the others exist for test vectors.
pub struct VerifyingKey {
    kid: Option<String>,
    algorithms: &'static [Algorithm],
    material: Material,
}

enum Material {
    Curve(ParsedPublicKey),
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    Shared(Vec<u8>),
}

/// Every way of signing that a type of key allows, until the key itself names one.
type Allowed = &'static [Algorithm];
const RSA: Allowed = &[
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];
const SHARED: Allowed = &[Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512];

impl VerifyingKey {
    /// Reads a JWK. With `alg` it allows that algorithm alone, without it those of its type.
    ///
    /// # Errors
    ///
    /// A key that is malformed, of a type that is not known here, meant for something other than
    /// signatures, or whose `alg` does not fit its type.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, Refused> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| {
            text(name)
                .and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok())
                .ok_or(Refused("a member of the key is missing or malformed"))
        };
        check_use(jwk)?;
        let (allowed, material) = match (text("kty"), text("crv")) {
            (Some("EC"), Some(curve)) => {
                let (algorithm, verification, width) = curve_of(curve)?;
                let point = point(&bytes("x")?, &bytes("y")?, width)?;
                let key = ParsedPublicKey::new(verification, point);
                (algorithm, Material::Curve(key.map_err(|_| BAD_KEY)?))
            }
            (Some("OKP"), Some("Ed25519")) => {
                // The library would take a whole SubjectPublicKeyInfo too.
                let x: [u8; 32] = bytes("x")?.try_into().map_err(|_| BAD_KEY)?;
                let key = ParsedPublicKey::new(&signature::ED25519, x);
                let key = Material::Curve(key.map_err(|_| BAD_KEY)?);
                (&[Algorithm::EdDsa][..], key)
            }
            (Some("RSA"), None) => {
                let (n, e) = (bytes("n")?, bytes("e")?);
                (RSA, Material::Rsa(RsaPublicKeyComponents { n, e }))
            }
            (Some("oct"), None) => (SHARED, Material::Shared(bytes("k")?)),
            _ => return Err(Refused("a type of key that is not known")),
        };
        Ok(Self {
            kid: text("kid").map(str::to_owned),
            algorithms: narrow(allowed, jwk.get("alg"))?,
            material,
        })
    }

    /// The key's name.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Checks the signature of a token that names an algorithm which this key allows.
    ///
    /// # Errors
    ///
    /// Any other algorithm, and a signature that does not fit.
    pub fn verify(&self, token: &Compact<'_>) -> Result<(), Refused> {
        let algorithm = token.header.algorithm;
        if !self.algorithms.contains(&algorithm) {
            return Err(Refused("not the algorithm of the key"));
        }
        let (message, signature) = (token.signing_input.as_bytes(), &token.signature[..]);
        let checked = match &self.material {
            Material::Curve(key) => key.verify_sig(message, signature),
            Material::Rsa(key) => key.verify(rsa(algorithm)?, message, signature),
            Material::Shared(key) => hmac::verify(&shared(algorithm, key)?, message, signature),
        };
        checked.map_err(|_| Refused("the signature does not fit"))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

const BAD_KEY: Refused = Refused("not a public key");

/// RFC 7517 §4.2 and §4.3: a key that says what it is for is for nothing else.
fn check_use(jwk: &Map<String, Value>) -> Result<(), Refused> {
    let for_signatures = jwk.get("use").is_none_or(|purpose| purpose == "sig");
    let may_verify = jwk.get("key_ops").is_none_or(|operations| {
        operations
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one == "verify"))
    });
    if for_signatures && may_verify {
        Ok(())
    } else {
        Err(Refused("a key that is not for signatures"))
    }
}

fn narrow(allowed: Allowed, named: Option<&Value>) -> Result<Allowed, Refused> {
    let Some(named) = named else {
        return Ok(allowed);
    };
    let named = match named.as_str() {
        // There is no such algorithm. Keys on P-521 say so at times, published ones among them, and
        // can only mean ES512; on any other curve that does not fit either.
        Some("ES521") => Some(Algorithm::Es512),
        name => name.and_then(Algorithm::parse),
    };
    allowed
        .chunks(1)
        .find(|one| one.first() == named.as_ref())
        .ok_or(Refused("the key's alg does not fit its type"))
}

fn curve_of(curve: &str) -> Result<(Allowed, &'static EcdsaVerificationAlgorithm, usize), Refused> {
    Ok(match curve {
        "P-256" => (&[Algorithm::Es256], &signature::ECDSA_P256_SHA256_FIXED, 32),
        "P-384" => (&[Algorithm::Es384], &signature::ECDSA_P384_SHA384_FIXED, 48),
        "P-521" => (&[Algorithm::Es512], &signature::ECDSA_P521_SHA512_FIXED, 66),
        "secp256k1" => (
            &[Algorithm::Es256k],
            &signature::ECDSA_P256K1_SHA256_FIXED,
            32,
        ),
        _ => return Err(Refused("a curve that is not known")),
    })
}

/// RFC 7518 §6.2.1.2: coordinates have the full width of the curve.
fn point(x: &[u8], y: &[u8], width: usize) -> Result<Vec<u8>, Refused> {
    if x.len() != width || y.len() != width {
        return Err(BAD_KEY);
    }
    Ok([&[4], x, y].concat())
}

fn rsa(algorithm: Algorithm) -> Result<&'static RsaParameters, Refused> {
    Ok(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return Err(BAD_KEY),
    })
}

/// RFC 7518 §3.2: the key is at least as long as the hash.
fn shared(algorithm: Algorithm, key: &[u8]) -> Result<hmac::Key, Refused> {
    let (hash, width) = match algorithm {
        Algorithm::Hs256 => (hmac::HMAC_SHA256, 32),
        Algorithm::Hs384 => (hmac::HMAC_SHA384, 48),
        Algorithm::Hs512 => (hmac::HMAC_SHA512, 64),
        _ => return Err(BAD_KEY),
    };
    if key.len() < width {
        return Err(Refused("a shared key that is too short"));
    }
    Ok(hmac::Key::new(hash, key))
}
