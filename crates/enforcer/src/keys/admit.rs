//! What a published key must be to be used: the right type, use, algorithm, curve and size.

use super::key::{Key, Thumbprint};
use super::modulus;
use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ruleset::provider::{Algorithm, PublicJwk};
use jsonwebtoken::DecodingKey;

/// Why a published key is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Its `alg` is none that a key of its type signs with.
    #[error("expected an `alg` of its key type and curve, got `{0}`")]
    Algorithm(String),
    /// None of its algorithms is among the provider's.
    #[error("none of its algorithms is among the provider's")]
    AlgorithmNotAllowed,
    /// Its curve is none that is supported with its key type.
    #[error("expected the curve P-256, P-384 or Ed25519, got `{0}`")]
    Curve(String),
    /// A member is not canonical base64url of the right length.
    #[error("expected `{0}` in canonical base64url and of the length that the key type demands")]
    Encoding(&'static str),
    /// The exponent is even, 1, or longer than four octets.
    #[error("expected an odd exponent from 3 to 2^32 - 1")]
    Exponent,
    /// A member that its key type demands is missing.
    #[error("expected the member `{0}`")]
    Incomplete(&'static str),
    /// The modulus is even, shorter than 2,048 bits or longer than 8,192.
    #[error("expected an odd modulus of 2048 to 8192 bits, got {0} bits")]
    Modulus(usize),
    /// The point is not on the curve.
    #[error("the point is not on the curve")]
    NotOnCurve,
    /// Its `key_ops` are not those of a key that verifies.
    #[error("expected `key_ops` to hold `verify`, with at most `sign` beside, got `{0}`")]
    Operations(String),
    /// The point is of small order: signatures verify that nobody made.
    #[error("the point is of small order")]
    SmallOrder,
    /// It is a secret, published.
    #[error("expected a public key, got a symmetric one")]
    Symmetric,
    /// Its key type is not known.
    #[error("expected the key type `RSA`, `EC` or `OKP`, got `{0}`")]
    Type(String),
    /// It is not for signatures.
    #[error("expected the use `sig`, got `{0}`")]
    Use(String),
    /// Its modulus was made by a generator known to be weak (CVE-2017-15361).
    #[error("the modulus comes from a generator known to be weak (CVE-2017-15361)")]
    WeakModulus,
}

/// What a key's own members make of it.
struct Material {
    fits: &'static [Algorithm],
    decoding: DecodingKey,
    signature_len: usize,
    thumbprint: Thumbprint,
}

impl Key {
    /// Takes a key for those of `allowed` that it is for, and no others.
    pub(super) fn admit(jwk: &PublicJwk, allowed: &[Algorithm]) -> Result<Self, Misfit> {
        for_signatures(jwk)?;
        let material = match jwk.kty.as_str() {
            "EC" => elliptic(jwk)?,
            "OKP" => edwards(jwk)?,
            "RSA" => rsa(jwk)?,
            // "oct" in a public set is a secret that everyone knows: whoever read the set could
            // sign with it.
            "oct" => return Err(Misfit::Symmetric),
            other => return Err(Misfit::Type(other.into())),
        };
        let algorithms = algorithms(jwk, material.fits, allowed)?;
        Ok(Self {
            kid: jwk.kid.as_deref().map(Into::into),
            algorithms,
            material: material.decoding,
            signature_len: material.signature_len,
            thumbprint: material.thumbprint,
        })
    }
}

/// "The "use" (public key use) parameter identifies the intended use of the public key." (RFC 7517
/// §4.2). "Duplicate key operation values MUST NOT be present in the array." (§4.3)
fn for_signatures(jwk: &PublicJwk) -> Result<(), Misfit> {
    if let Some(usage) = jwk.usage.as_deref().filter(|usage| *usage != "sig") {
        return Err(Misfit::Use(usage.into()));
    }
    if let Some(operations) = &jwk.key_ops {
        let times = |name: &str| {
            operations
                .iter()
                .filter(|operation| *operation == name)
                .count()
        };
        let (verify, sign) = (times("verify"), times("sign"));
        if verify != 1 || sign > 1 || verify.saturating_add(sign) != operations.len() {
            return Err(Misfit::Operations(operations.join(" ")));
        }
    }
    Ok(())
}

/// The algorithm comes from the key and from the provider, never from the token (RFC 8725 §3.1).
fn algorithms(
    jwk: &PublicJwk,
    fits: &[Algorithm],
    allowed: &[Algorithm],
) -> Result<Vec<Algorithm>, Misfit> {
    let own: Vec<Algorithm> = match jwk.alg.as_deref() {
        None => fits.to_vec(),
        Some(alg) => {
            let one = fits.iter().find(|algorithm| algorithm.as_str() == alg);
            vec![*one.ok_or_else(|| Misfit::Algorithm(alg.into()))?]
        }
    };
    let usable: Vec<_> = own
        .into_iter()
        .filter(|algorithm| allowed.contains(algorithm))
        .collect();
    if usable.is_empty() {
        Err(Misfit::AlgorithmNotAllowed)
    } else {
        Ok(usable)
    }
}

fn elliptic(jwk: &PublicJwk) -> Result<Material, Misfit> {
    let crv = jwk.crv.as_deref().ok_or(Misfit::Incomplete("crv"))?;
    let (size, fits, check): (usize, &'static [_], &'static EcdsaVerificationAlgorithm) = match crv
    {
        "P-256" => (32, &[Algorithm::ES256], &signature::ECDSA_P256_SHA256_FIXED),
        "P-384" => (48, &[Algorithm::ES384], &signature::ECDSA_P384_SHA384_FIXED),
        other => return Err(Misfit::Curve(other.into())),
    };
    // "The length of this octet string MUST be the full size of a coordinate for the curve
    // specified in the "crv" parameter." (RFC 7518 §6.2.1.2)
    let (x, y) = (octets("x", jwk.x.as_ref())?, octets("y", jwk.y.as_ref())?);
    for (name, coordinate) in [("x", &x), ("y", &y)] {
        if coordinate.len() != size {
            return Err(Misfit::Encoding(name));
        }
    }
    let mut point = vec![0x04]; // uncompressed: SEC 1 §2.3.3
    point.extend_from_slice(&x);
    point.extend_from_slice(&y);
    // A point off the curve lies on another, weaker one (RFC 8725 §3.4).
    ParsedPublicKey::new(check, &point).map_err(|_| Misfit::NotOnCurve)?;
    Ok(Material {
        fits,
        decoding: DecodingKey::from_ec_der(&point),
        signature_len: size.saturating_mul(2),
        thumbprint: Thumbprint::of(&format!(
            r#"{{"crv":"{crv}","kty":"EC","x":"{}","y":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(&x),
            URL_SAFE_NO_PAD.encode(&y)
        )),
    })
}

fn edwards(jwk: &PublicJwk) -> Result<Material, Misfit> {
    let crv = jwk.crv.as_deref().ok_or(Misfit::Incomplete("crv"))?;
    if crv != "Ed25519" {
        return Err(Misfit::Curve(crv.into()));
    }
    let x = octets("x", jwk.x.as_ref())?;
    let point: [u8; 32] = x.try_into().map_err(|_| Misfit::Encoding("x"))?;
    if of_small_order(point) {
        return Err(Misfit::SmallOrder);
    }
    Ok(Material {
        fits: &[Algorithm::EdDSA],
        decoding: DecodingKey::from_ed_der(&point),
        signature_len: 64,
        thumbprint: Thumbprint::of(&format!(
            r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(point)
        )),
    })
}

fn rsa(jwk: &PublicJwk) -> Result<Material, Misfit> {
    let (n, e) = (octets("n", jwk.n.as_ref())?, octets("e", jwk.e.as_ref())?);
    // "The octet sequence MUST utilize the minimum number of octets needed to represent the value."
    // (RFC 7518 §6.3.1.1; Base64urlUInt, §2)
    for (name, number) in [("n", &n), ("e", &e)] {
        if number.first().is_none_or(|first| *first == 0) {
            return Err(Misfit::Encoding(name));
        }
    }
    // "A key of size 2048 bits or larger MUST be used with these algorithms." (RFC 7518 §3.3, §3.5)
    // The upper bound is ours: a check must not cost more than it is worth.
    let bits = modulus::bits(&n);
    if !(2_048..=8_192).contains(&bits) || !modulus::is_odd(&n) {
        return Err(Misfit::Modulus(bits));
    }
    // With an exponent of 1 every padded message is its own signature.
    if e.len() > 4 || !modulus::is_odd(&e) || e == [1] {
        return Err(Misfit::Exponent);
    }
    if modulus::is_from_the_weak_generator(&n) {
        return Err(Misfit::WeakModulus);
    }
    Ok(Material {
        fits: &[
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
        ],
        decoding: DecodingKey::from_rsa_raw_components(&n, &e),
        signature_len: n.len(),
        thumbprint: Thumbprint::of(&format!(
            r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(&e),
            URL_SAFE_NO_PAD.encode(&n)
        )),
    })
}

fn octets(name: &'static str, member: Option<&String>) -> Result<Vec<u8>, Misfit> {
    let text = member.ok_or(Misfit::Incomplete(name))?;
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Misfit::Encoding(name))
}

/// Whether the point's order divides the cofactor 8. Under such a key a signature can be made
/// without the private one, since there is none to speak of (RFC 8032 §5.1.7 does not refuse it).
fn of_small_order(mut point: [u8; 32]) -> bool {
    const fn near_p(lowest: u8) -> [u8; 32] {
        let mut y = [0xff; 32];
        y[0] = lowest;
        y[31] = 0x7f;
        y
    }
    const ONE: [u8; 32] = {
        let mut y = [0; 32];
        y[0] = 1;
        y
    };
    const ORDER_8: [u8; 32] = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    const MINUS_ORDER_8: [u8; 32] = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ];
    // y = 0, 1, -1, the two of order 8, and p and p + 1, which are 0 and 1 written differently;
    // the sign of x is the top bit and does not matter.
    point[31] &= 0x7f;
    [
        [0; 32],
        ONE,
        near_p(0xec),
        near_p(0xed),
        near_p(0xee),
        ORDER_8,
        MINUS_ORDER_8,
    ]
    .contains(&point)
}
