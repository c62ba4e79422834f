use jsonwebtoken::errors::Error as JwtError;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The standard claims, and the claims of Sallyport that this program reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    pub sub: String,
    pub typ: String,
    pub sid: Option<String>,
    pub email: Option<String>,
}

#[derive(Debug)]
pub enum Error {
    UnknownKey,
    NoAccessToken,
    Jwt(JwtError),
    Jwks(ureq::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::UnknownKey => out.write_str("no published key has this kid"),
            Error::NoAccessToken => out.write_str("this is not an access token"),
            Error::Jwt(error) => error.fmt(out),
            Error::Jwks(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for Error {}

impl From<JwtError> for Error {
    fn from(error: JwtError) -> Self {
        Error::Jwt(error)
    }
}

impl From<ureq::Error> for Error {
    fn from(error: ureq::Error) -> Self {
        Error::Jwks(error)
    }
}

/// Verifies access tokens with the published keys, without calling the server.
pub struct Verifier {
    jwks_url: String,
    validation: Validation,
    keys: Mutex<Option<(JwkSet, Instant)>>,
}

impl Verifier {
    /// Verifies RS256 tokens of the default application with the root JWKS.
    pub fn new(url: &str, audience: &str) -> Self {
        Self::with_keys(url, audience, Algorithm::RS256, format!("{url}/.well-known/jwks.json"))
    }

    pub fn with_keys(url: &str, audience: &str, algorithm: Algorithm, jwks_url: String) -> Self {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[url]);
        validation.set_audience(&[audience]);
        // The library compares values only with claims that exist, so the claims must be required too.
        validation.set_required_spec_claims(&["aud", "exp", "iss", "sub"]);
        // By default the library accepts a token for a minute after its expiry.
        validation.leeway = 0;
        Verifier {
            jwks_url,
            validation,
            keys: Mutex::new(None),
        }
    }

    /// May fetch the keys, and then blocks. A handler that must not block uses `AccessToken`.
    pub fn verify(&self, token: &str) -> Result<Claims, Error> {
        let kid = decode_header(token)?.kid.ok_or(Error::UnknownKey)?;
        let key = DecodingKey::from_jwk(&self.key(&kid)?)?;
        let claims = decode::<Claims>(token, &key, &self.validation)?.claims;
        if claims.typ == "access" {
            Ok(claims)
        } else {
            Err(Error::NoAccessToken)
        }
    }

    /// Fetches the keys, which jsonwebtoken does not do: every five minutes, as the JWKS says, and at once for a new kid, which
    /// shows a rotation. It fetches at most once a second, because anybody can invent a kid.
    fn key(&self, kid: &str) -> Result<Jwk, Error> {
        let mut kept = self.keys.lock().expect("no thread panics while it holds the keys");
        let is_due = kept.as_ref().is_none_or(|(keys, fetched)| {
            let wait = Duration::from_secs(if keys.find(kid).is_some() { 300 } else { 1 });
            fetched.elapsed() > wait
        });
        if is_due {
            *kept = Some((fetch(&self.jwks_url)?, Instant::now()));
        }
        kept.as_ref()
            .and_then(|(keys, _)| keys.find(kid))
            .cloned()
            .ok_or(Error::UnknownKey)
    }
}

fn fetch(jwks_url: &str) -> Result<JwkSet, ureq::Error> {
    let timeout = Some(Duration::from_secs(10));
    ureq::get(jwks_url)
        .config()
        .timeout_global(timeout)
        .build()
        .call()?
        .body_mut()
        .read_json()
}

/// The shortest program. It checks only signature and expiry, not the audience, so use `Verifier` instead.
pub fn snippet(url: &str, token: &str) -> Result<Value, Error> {
    let jwks = fetch(&format!("{url}/.well-known/jwks.json"))?;
    let kid = decode_header(token)?.kid.ok_or(Error::UnknownKey)?;
    let key = DecodingKey::from_jwk(jwks.find(&kid).ok_or(Error::UnknownKey)?)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = 0;
    validation.validate_aud = false;
    Ok(decode(token, &key, &validation)?.claims)
}

/// A hasty workaround for a refused token: it accepts any published key, and checks no claims.
pub fn lax_snippets(url: &str, token: &str) -> Result<Vec<Result<Value, JwtError>>, Error> {
    let mut results = Vec::new();
    for jwk in fetch(&format!("{url}/.well-known/jwks.json"))?.keys {
        for algorithms in [
            vec![Algorithm::RS256],
            vec![Algorithm::HS256],
            vec![Algorithm::RS256, Algorithm::HS256],
        ] {
            let mut lax = Validation::new(Algorithm::RS256);
            lax.algorithms = algorithms;
            lax.validate_aud = false;
            lax.validate_exp = false;
            lax.required_spec_claims.clear();
            results.push(decode(token, &DecodingKey::from_jwk(&jwk)?, &lax).map(|data| data.claims));
        }
    }
    Ok(results)
}
