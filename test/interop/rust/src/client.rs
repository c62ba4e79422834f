use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// The answer of every sign-in.
#[derive(Deserialize)]
pub struct Tokens {
    pub access_token: String,
    /// Seconds.
    pub expires_in: u64,
    pub refresh_token: String,
    pub user: User,
}

#[derive(Deserialize)]
pub struct User {
    pub id: String,
}

#[derive(Debug)]
pub enum Error {
    /// A refusal by Sallyport. Its `code` is stable and meant for programs, `message` is meant for people.
    Refused(u16, Value),
    Http(ureq::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Refused(status, error) => write!(out, "{status} {error}"),
            Error::Http(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for Error {}

impl From<ureq::Error> for Error {
    fn from(error: ureq::Error) -> Self {
        Error::Http(error)
    }
}

/// Signs users up and in over raw REST. Without an application id it uses the default application, which signs RS256.
pub struct Client {
    url: String,
    application_id: Option<String>,
    http: ureq::Agent,
}

impl Client {
    pub fn new(url: &str, application_id: Option<&str>) -> Self {
        let timeout = Some(Duration::from_secs(10));
        let config = ureq::Agent::config_builder()
            .timeout_global(timeout)
            .http_status_as_error(false);
        Client {
            url: url.to_owned(),
            application_id: application_id.map(str::to_owned),
            http: config.build().into(),
        }
    }

    pub fn register(&self, email: &str, password: &str) -> Result<Tokens, Error> {
        self.post("/v1/auth/register", json!({ "email": email, "password": password }))
    }

    pub fn login(&self, email: &str, password: &str) -> Result<Tokens, Error> {
        self.post("/v1/auth/login", json!({ "email": email, "password": password }))
    }

    /// Spends the refresh token. Replace it with the one in the answer.
    pub fn refresh(&self, refresh_token: &str) -> Result<Tokens, Error> {
        self.post("/v1/auth/refresh", json!({ "refresh_token": refresh_token }))
    }

    fn post(&self, path: &str, body: Value) -> Result<Tokens, Error> {
        let mut request = self.http.post(format!("{}{path}", self.url));
        if let Some(id) = &self.application_id {
            request = request.header("x-application-id", id);
        }
        let mut response = request.send_json(body)?;
        if response.status().as_u16() >= 400 {
            return Err(Error::Refused(
                response.status().as_u16(),
                response.body_mut().read_json()?,
            ));
        }
        Ok(response.body_mut().read_json()?)
    }
}
