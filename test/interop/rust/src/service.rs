use crate::extractor::AccessToken;
use crate::verifier::Verifier;
use axum::Router;
use axum::routing::get;
use serde_json::Value;
use std::sync::Arc;

/// An axum server with a single route, `GET /me`, which returns the claims of the caller.
pub struct Service {
    url: String,
}

impl Service {
    /// Listens on its own port, in a thread that lives as long as the program.
    pub fn start(verifier: Verifier) -> Self {
        let app = Router::new().route("/me", get(me)).with_state(Arc::new(verifier));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/me", listener.local_addr().expect("an address"));
        listener.set_nonblocking(true).expect("a socket for tokio");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                axum::serve(listener, app).await.expect("a server that does not end");
            });
        });
        Service { url }
    }

    /// Calls the route. The error holds the server's answer if it is not claims.
    pub fn me(&self, token: &str) -> Result<Value, String> {
        let request = ureq::get(&self.url).config().http_status_as_error(false).build();
        let call = || -> Result<(u16, String), ureq::Error> {
            let mut response = request.header("authorization", format!("Bearer {token}")).call()?;
            Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
        };
        match call().map_err(|error| error.to_string())? {
            (200, body) => serde_json::from_str(&body).map_err(|error| error.to_string()),
            (status, body) => Err(format!("{status} {body}")),
        }
    }
}

async fn me(AccessToken(claims): AccessToken) -> String {
    serde_json::to_string(&claims).expect("claims are JSON")
}
