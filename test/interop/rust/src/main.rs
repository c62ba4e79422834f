//! Drives the client and the verifier, behind an axum server, against a live appliance.
//!
//! Prints `ok <check>` for each check that holds, and ends at the first `not ok <check>: <why>`. At the line `rotate` it
//! waits until its caller has rotated the signing keys and writes a line. The table of libraries and algorithms uses
//! `library <versions>` and `algorithm <name> …`.

mod client;
mod extractor;
mod service;
mod verifier;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use client::{Client, Tokens};
use jsonwebtoken::Algorithm;
use serde_json::Value;
use service::Service;
use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::io::{Read, stdin};
use std::process::exit;
use std::thread::sleep;
use std::time::{Duration, Instant};
use verifier::{Verifier, lax_snippets, snippet};

type Outcome<T = ()> = Result<T, String>;

fn main() {
    println!("library {}, {}", locked("jsonwebtoken"), locked("axum"));
    let url = variable("SALLYPORT_URL");
    let other_tenant_url = variable("SALLYPORT_OTHER_TENANT_URL");
    let short_lived_app = variable("SALLYPORT_SHORT_LIVED_APP_ID");
    let email = format!("{}@example.com", random_text().to_lowercase());
    let password = random_text();
    let client = Client::new(&url, None);
    let service = Service::start(Verifier::new(&url, &variable("SALLYPORT_API_AUDIENCE")));
    let short_lived_service = Service::start(Verifier::new(&url, &format!("{url}/api/{short_lived_app}")));

    let registered = check("signs up", || client.register(&email, &password).map_err(text));
    let (short_lived, short_lived_until) = check("accepts a token that expires soon", || {
        let tokens = Client::new(&url, Some(&short_lived_app))
            .login(&email, &password)
            .map_err(text)?;
        let until = Instant::now() + Duration::from_secs(tokens.expires_in);
        short_lived_service.me(&tokens.access_token)?;
        Ok((tokens.access_token, until))
    });
    check("refuses another application's token", || {
        refused(service.me(&short_lived), "InvalidAudience")
    });
    let signed_in = check("signs in", || {
        let tokens = client.login(&email, &password).map_err(text)?;
        expect(tokens.user.id == registered.user.id, "another user")?;
        Ok(tokens)
    });
    let refreshed: Tokens = check("refreshes", || {
        let tokens = client.refresh(&signed_in.refresh_token).map_err(text)?;
        expect(tokens.access_token != signed_in.access_token, "the same token")?;
        Ok(tokens)
    });
    let is_ours = |token: &str| {
        let claims = service.me(token)?;
        let ours = claims["sub"] == registered.user.id.as_str() && claims["email"] == email.as_str();
        expect(ours, "another subject")
    };
    check("verifies by the root JWKS", || {
        [&registered, &signed_in, &refreshed]
            .iter()
            .try_for_each(|tokens| is_ours(&tokens.access_token))
    });
    check("verifies by the shortest snippet", || {
        let claims = snippet(&url, &refreshed.access_token).map_err(text)?;
        expect(claims["email"] == email.as_str(), "another address")
    });
    check("refuses a tampered token", || {
        for token in tampered(&refreshed.access_token) {
            refused(service.me(&token), "")?;
            refused(snippet(&url, &token), "")?;
        }
        Ok(())
    });
    check("refuses another tenant's token", || {
        let theirs = Client::new(&other_tenant_url, None)
            .register(&email, &password)
            .map_err(text)?
            .access_token;
        snippet(&other_tenant_url, &theirs).map_err(text)?;
        refused(service.me(&theirs), "no published key")?;
        refused(snippet(&url, &theirs), "no published key")
    });
    check("refuses a refresh token, however lax", || {
        refused(service.me(&refreshed.refresh_token), "")?;
        refused(snippet(&url, &refreshed.refresh_token), "")?;
        let lax = lax_snippets(&url, &refreshed.refresh_token).map_err(text)?;
        lax.into_iter().try_for_each(|result| refused(result, ""))
    });
    check("survives a key rotation", || {
        println!("rotate");
        let mut line = String::new();
        stdin().read_line(&mut line).map_err(text)?;
        expect(line == "rotated\n", "nobody rotated the keys")?;
        let after = login_with_new_key(&client, &email, &password, &refreshed.access_token)?;
        is_ours(&after)?;
        is_ours(&refreshed.access_token)?;
        snippet(&url, &after).map(drop).map_err(text)
    });
    check("says which algorithms it verifies", || {
        let ids: BTreeMap<String, String> =
            serde_json::from_str(&variable("SALLYPORT_ALGORITHM_APP_IDS")).map_err(text)?;
        for (algorithm, id) in ids {
            let token = Client::new(&url, Some(&id))
                .login(&email, &password)
                .map_err(text)?
                .access_token;
            try_algorithm(&url, &id, &algorithm, &token)?;
        }
        Ok(())
    });
    check("refuses an expired token", || {
        sleep(short_lived_until.saturating_duration_since(Instant::now()) + Duration::from_secs(1));
        refused(short_lived_service.me(&short_lived), "ExpiredSignature")?;
        refused(snippet(&url, &short_lived), "ExpiredSignature")
    });
}

fn try_algorithm(url: &str, application_id: &str, name: &str, token: &str) -> Outcome {
    let jwks_url = format!("{url}/v1/applications/{application_id}/.well-known/jwks.json");
    let audience = format!("{url}/api/{application_id}");
    let verifier = name
        .parse::<Algorithm>()
        .map(|algorithm| Verifier::with_keys(url, &audience, algorithm, jwks_url))
        .map_err(text);
    let verified = verifier.and_then(|verifier| {
        let service = Service::start(verifier);
        service.me(token).map(|_| service)
    });
    match verified {
        Err(why) => println!("algorithm {name} unsupported: {why}"),
        Ok(service) => {
            tampered(token)
                .iter()
                .try_for_each(|other| refused(service.me(other), ""))?;
            println!("algorithm {name} verified");
        }
    }
    Ok(())
}

/// Signs in until the server has seen the rotation by another process.
fn login_with_new_key(client: &Client, email: &str, password: &str, before: &str) -> Outcome<String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        let token = client.login(email, password).map_err(text)?.access_token;
        if part(&token, 0)["kid"] != part(before, 0)["kid"] {
            return Ok(token);
        }
        sleep(Duration::from_millis(500));
    }
    Err("new tokens are still signed by the old key".to_owned())
}

fn tampered(token: &str) -> [String; 3] {
    let parts: Vec<&str> = token.split('.').collect();
    let (mut header, mut claims) = (part(token, 0), part(token, 1));
    header["alg"] = "none".into();
    claims["sub"] = "00000000-0000-7000-8000-000000000000".into();
    let first = if parts[2].starts_with('A') { "B" } else { "A" };
    [
        format!("{}.{}.{}", parts[0], BASE64.encode(claims.to_string()), parts[2]),
        format!("{}.{}.{first}{}", parts[0], parts[1], &parts[2][1..]),
        format!("{}.{}.", BASE64.encode(header.to_string()), parts[1]),
    ]
}

fn part(token: &str, index: usize) -> Value {
    let segment = token.split('.').nth(index).expect("a JWT has three parts");
    serde_json::from_slice(&BASE64.decode(segment).expect("base64url")).expect("JSON")
}

fn check<T>(name: &str, work: impl FnOnce() -> Outcome<T>) -> T {
    work().inspect(|_| println!("ok {name}")).unwrap_or_else(|why| {
        println!("not ok {name}: {why:?}");
        exit(1)
    })
}

fn expect(condition: bool, otherwise: &str) -> Outcome {
    if condition { Ok(()) } else { Err(otherwise.to_owned()) }
}

/// Turns a refusal into success if its text contains `kind`.
fn refused<T: Debug, E: Display>(result: Result<T, E>, kind: &str) -> Outcome {
    match result {
        Ok(claims) => Err(format!("took a token with {claims:?}")),
        Err(error) => expect(
            text(&error).contains(kind),
            &format!("refused, but not for {kind}: {error}"),
        ),
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

fn random_text() -> String {
    let mut bytes = [0; 18];
    let mut source = std::fs::File::open("/dev/urandom").expect("a source of random bytes");
    source.read_exact(&mut bytes).expect("random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns `<package> <version>` of a package in this executable.
fn locked(package: &str) -> String {
    let name = format!("name = \"{package}\"\nversion = \"");
    let found = include_str!("../Cargo.lock")
        .split_once(&name)
        .and_then(|(_, rest)| rest.split('"').next());
    format!("{package} {}", found.expect("Cargo.lock names the package"))
}
