use crate::verifier::{Claims, Verifier};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use std::sync::Arc;

/// A handler with this parameter runs only for a request with a valid access token: `async fn me(AccessToken(claims): AccessToken)`.
/// Other requests get a 401.
pub struct AccessToken(pub Claims);

impl<S> FromRequestParts<S> for AccessToken
where
    Arc<Verifier>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = (StatusCode, String);

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let refusal = |why: String| (StatusCode::UNAUTHORIZED, why);
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(str::to_owned);
        let token = token.ok_or_else(|| refusal("no bearer token".to_owned()))?;
        let verifier = Arc::<Verifier>::from_ref(state);
        // It may fetch the keys, which must not block the other requests.
        let verified = tokio::task::spawn_blocking(move || verifier.verify(&token)).await;
        let verified = verified.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
        verified.map(AccessToken).map_err(|error| refusal(error.to_string()))
    }
}
