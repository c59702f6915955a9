//! JSON-RPC over HTTP, blocking, with a limit on time and on length.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::Agent;

use super::error::RpcError;

/// Most bytes of an answer. Witnesses of mainnet's blocks have some megabytes; as hexadecimal digits
/// the machine's whole input region would have twice its length.
pub const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// Most characters of an answer that are quoted.
const QUOTED_MAX: usize = 200;

/// Numbers for a method that is not there: JSON-RPC's, and that of EIP-1474.
const METHOD_NOT_FOUND: [i64; 2] = [-32601, -32004];

/// A node's HTTP interface.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    url: String,
    answer_bytes_max: u64,
}

/// What a node answers: one of the two.
#[derive(Deserialize)]
struct Answer<T> {
    result: Option<T>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    code: i64,
    #[serde(default)]
    message: String,
}

impl Client {
    /// A client of the node at `url`, which waits no longer than `timeout` for an answer.
    #[must_use]
    pub fn new(url: &str, timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            // The body says more than the status does.
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Client {
            agent: config.into(),
            url: url.to_owned(),
            answer_bytes_max: ANSWER_BYTES_MAX,
        }
    }

    /// The same with another limit on an answer's length, in bytes.
    #[must_use]
    pub fn answer_bytes_max(self, answer_bytes_max: u64) -> Self {
        Client {
            answer_bytes_max,
            ..self
        }
    }

    /// Calls a method; `None` if the node answers with null.
    ///
    /// # Errors
    /// [`RpcError`] if there is no answer, or one of another form.
    pub fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &Value,
    ) -> Result<Option<T>, RpcError> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let unreachable = |error: ureq::Error| self.unreachable(method, &error);
        let mut response = self
            .agent
            .post(&self.url)
            .content_type("application/json")
            .send(request.to_string())
            .map_err(unreachable)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config();
        let body = body.limit(self.answer_bytes_max).read_to_vec();
        let body = body.map_err(unreachable)?;

        // Some nodes answer errors with a status of their own; what they say comes first.
        if let Ok(Answer {
            error: Some(refusal),
            ..
        }) = serde_json::from_slice::<Answer<serde::de::IgnoredAny>>(&body)
        {
            return Err(refused(method, refusal));
        }
        if status != 200 {
            let text = String::from_utf8_lossy(&body);
            return Err(RpcError::Status {
                method,
                status,
                text: text.trim().chars().take(QUOTED_MAX).collect(),
            });
        }
        let answer: Answer<T> = serde_json::from_slice(&body).map_err(|reason| RpcError::Form {
            method,
            reason: reason.to_string(),
        })?;
        Ok(answer.result)
    }

    fn unreachable(&self, method: &'static str, error: &ureq::Error) -> RpcError {
        if let ureq::Error::BodyExceedsLimit(max) = error {
            return RpcError::TooLong { method, max: *max };
        }
        // The text of that one has the whole address.
        let reason = if let ureq::Error::BadUri(_) = error {
            "the address is no URL".to_owned()
        } else {
            error.to_string()
        };
        RpcError::Unreachable {
            url: without_secrets(&self.url),
            reason,
        }
    }
}

fn refused(method: &'static str, refusal: Refusal) -> RpcError {
    let Refusal { code, mut message } = refusal;
    message.truncate(message.floor_char_boundary(QUOTED_MAX));
    if METHOD_NOT_FOUND.contains(&code) {
        return RpcError::NoMethod { method, message };
    }
    RpcError::Refused {
        method,
        code,
        message,
    }
}

/// An address without user, password, path and query: providers put keys into them.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if scheme.is_empty() {
        host.to_owned()
    } else {
        format!("{scheme}://{host}")
    }
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn keys_in_addresses_are_not_shown() {
        for (url, shown) in [
            ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
            (
                "https://user:word@node.example/v2/key?a=b",
                "https://node.example",
            ),
            ("node.example/key", "node.example"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
