//! The client's side of the GraphQL API: it sends one operation and returns the answer or an
//! error with a sentence for people. Operations are typed by cynic against `schema.graphql`.
//!
//! Pages call [`run`]; what lives on the socket is in `live`. Operations of a domain are in
//! `api/<domain>.rs`.

pub mod accounts;
pub mod dashboards;
pub mod errors;
pub mod exports;
pub mod pipelines;
pub mod questions;
pub mod scalars;

use std::cell::RefCell;

use cynic::{Operation, QueryVariables};
use futures_util::future::LocalBoxFuture;
use gloo_net::http::Request;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

pub use errors::{ApiError, ErrorCode, FormErrors, UserError, UserErrorCode};
pub use scalars::{DateTime, Json, PageInfo};

/// The API's schema as types, for cynic's derives.
#[cynic::schema("dash")]
pub mod schema {}

const ENDPOINT: &str = "/graphql";
const ACCEPT: &str = "application/graphql-response+json, application/json;q=0.9";

thread_local! {
    /// What happens when the API no longer knows who is asking; set once by the session.
    static ON_UNAUTHENTICATED: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Sends a query or a mutation and returns its data.
pub async fn run<Q, V>(operation: Operation<Q, V>) -> Result<Q, ApiError>
where
    Q: DeserializeOwned + 'static,
    V: QueryVariables + Serialize,
{
    let body = serde_json::to_string(&operation).map_err(|_| ApiError::internal())?;
    decode(send(body).await?)
}

/// Turns the `data` of an answer into its type.
#[inline(never)]
pub fn decode<Q: DeserializeOwned>(data: Value) -> Result<Q, ApiError> {
    serde_json::from_value(data).map_err(|_| ApiError::outdated())
}

/// Takes the data out of a GraphQL response, or its first error.
///
/// An error that says the session is over also runs the hook of [`on_unauthenticated`].
pub fn open_response(mut response: Value) -> Result<Value, ApiError> {
    if let Some(error) = ApiError::first_of(&response) {
        if error.code == ErrorCode::Unauthenticated {
            unauthenticated();
        }
        return Err(error);
    }
    match response.get_mut("data").map(Value::take) {
        Some(data) if !data.is_null() => Ok(data),
        _ => Err(ApiError::internal()),
    }
}

/// Sets what happens when the API answers that nobody is logged in.
pub fn on_unauthenticated(hook: impl Fn() + 'static) {
    ON_UNAUTHENTICATED.with_borrow_mut(|slot| *slot = Some(Box::new(hook)));
}

/// Tells the session that it is over.
pub fn unauthenticated() {
    ON_UNAUTHENTICATED.with_borrow(|slot| {
        if let Some(hook) = slot {
            hook();
        }
    });
}

/// Boxed, so that the code exists once and not in every operation's future.
#[inline(never)]
fn send(body: String) -> LocalBoxFuture<'static, Result<Value, ApiError>> {
    Box::pin(post(body))
}

async fn post(body: String) -> Result<Value, ApiError> {
    let request = Request::post(ENDPOINT)
        .header("Content-Type", "application/json")
        .header("Accept", ACCEPT)
        .body(body)
        .map_err(|_| ApiError::internal())?;
    let response = request.send().await.map_err(|_| ApiError::offline())?;
    let request_id = response.headers().get("x-request-id");
    let status = response.status();
    let text = response.text().await.map_err(|_| ApiError::offline())?;
    let answer = serde_json::from_str::<Value>(&text)
        .map_err(|_| ApiError::from_status(status))
        .and_then(open_response);
    answer.map_err(|error| error.with_request_id(request_id))
}
