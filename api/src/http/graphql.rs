//! GraphQL over HTTP (the specification of that name, on `GET` and `POST /graphql`).
//!
//! Only `application/json` is taken in, so that no foreign page can send a mutation without the
//! browser asking first; one operation a request; a mutation is never run by a `GET`.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor as _, Request, Response as Answer, ServerError, Value, Variables};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest as _, RawQuery, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use dash_shared::codes::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::callers::{Caller, UnknownCaller, request_id};
use super::documents::{Guarded, check_text, operation_type};
use crate::app::App;
use crate::telemetry::RequestId;

mod media;

use media::{Media, is_json, prefers_a_page};

/// How long a query or mutation may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// What a request asks for, as it is on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Parameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Map<String, Json>>,
    extensions: Option<Map<String, Json>>,
}

/// A request that is not executed.
struct Refusal {
    status: StatusCode,
    code: ErrorCode,
    message: String,
}

/// Answers a query in the URL.
pub(super) async fn get(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: axum::extract::Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let has_explorer = app.config.http.web_dir.is_some();
    if has_explorer && query.is_none() && prefers_a_page(&parts.headers) {
        // Somebody opened the address in a browser.
        return (StatusCode::SEE_OTHER, [(LOCATION, "/graphiql")]).into_response();
    }
    let parameters = parameters_of_url(query.as_deref().unwrap_or_default());
    answer(&app, &parts, parameters).await
}

/// Answers the request in a body.
pub(super) async fn post(State(app): State<Arc<App>>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let parameters = if is_json(&parts.headers) {
        let request = axum::extract::Request::from_parts(parts.clone(), body);
        match Bytes::from_request(request, &()).await {
            Ok(body) => parameters_of_body(&body),
            Err(rejection) => Err(unreadable(&rejection)),
        }
    } else {
        Err(Refusal {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            code: ErrorCode::BadUserInput,
            message: "Send the request as JSON, with the header Content-Type: application/json."
                .to_owned(),
        })
    };
    answer(&app, &parts, parameters).await
}

/// Answers any other method.
pub(super) async fn method_not_allowed(request: axum::extract::Request) -> Response {
    let refusal = Refusal {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: ErrorCode::BadUserInput,
        message: "Send GraphQL requests with POST, or queries with GET.".to_owned(),
    };
    let (parts, _) = request.into_parts();
    let mut response = refusal.response(
        media::of_answer(&parts.headers),
        &request_id(&parts.extensions),
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

async fn answer(app: &App, parts: &Parts, parameters: Result<Parameters, Refusal>) -> Response {
    let media = media::of_answer(&parts.headers);
    let id = request_id(&parts.extensions);
    let is_get = parts.method == axum::http::Method::GET;
    let request = match parameters.and_then(|parameters| parameters.into_request(is_get)) {
        Ok(request) => request,
        Err(refusal) => return refusal.response(media, &id),
    };
    let caller = match Caller::of(app, parts).await {
        Ok(caller) => caller,
        Err(unknown) => return refuse_caller(unknown).response(media, &id),
    };
    execute(app, request, caller, media).await
}

async fn execute(app: &App, mut request: Request, caller: Caller, media: Media) -> Response {
    let id = caller.request_id.clone();
    request.data = caller.into_data();
    let executor = Guarded(app.schema.clone());
    if let Ok(answer) = tokio::time::timeout(TIME_LIMIT, executor.execute(request)).await {
        return respond(answer, media);
    }
    let refusal = Refusal {
        status: StatusCode::GATEWAY_TIMEOUT,
        code: ErrorCode::Timeout,
        message: format!("The request took longer than {} s.", TIME_LIMIT.as_secs()),
    };
    refusal.response(media, &id)
}

/// The answer on the wire. A request that failed before execution has no `data` entry.
fn respond(answer: Answer, media: Media) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a Value>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        errors: &'a [ServerError],
        #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
        extensions: &'a std::collections::BTreeMap<String, Value>,
    }

    let not_executed = answer.data == Value::Null
        && !answer.errors.is_empty()
        && answer.errors.iter().all(|error| error.path.is_empty());
    let status = match media {
        Media::Response if not_executed => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let body = Body {
        data: (!not_executed).then_some(&answer.data),
        errors: &answer.errors,
        extensions: &answer.extensions,
    };
    let mut response = json_response(status, media, &body);
    response.headers_mut().extend(answer.http_headers);
    response
}

fn json_response(status: StatusCode, media: Media, body: &impl Serialize) -> Response {
    let (status, body) = match serde_json::to_vec(body) {
        Ok(body) => (status, body),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as JSON");
            (StatusCode::INTERNAL_SERVER_ERROR, Vec::new())
        }
    };
    let headers = [
        (CONTENT_TYPE, media.content_type()),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body).into_response()
}

impl Refusal {
    fn bad_request(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: ErrorCode::BadUserInput,
            message: message.into(),
        }
    }

    fn response(self, media: Media, id: &RequestId) -> Response {
        let body = serde_json::json!({ "errors": [{
            "message": self.message,
            "extensions": { "code": self.code.as_str(), "requestId": id.as_str() },
        }] });
        let mut response = json_response(self.status, media, &body);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}

impl Parameters {
    fn into_request(self, is_get: bool) -> Result<Request, Refusal> {
        let query = self.query.ok_or_else(|| {
            Refusal::bad_request("The request has no \"query\" with a GraphQL document.")
        })?;
        // What may not be parsed is refused by the executor, for both media types alike.
        let parsable = check_text(&query).is_ok();
        let mut request = Request::new(query);
        request.operation_name = self.operation_name;
        request.variables = Variables::from_json(Json::Object(self.variables.unwrap_or_default()));
        for (name, value) in self.extensions.unwrap_or_default() {
            let value = Value::from_json(value).unwrap_or_default();
            request.extensions.insert(name, value);
        }
        if is_get && parsable && operation_type(&mut request) == Some(OperationType::Mutation) {
            return Err(Refusal {
                status: StatusCode::METHOD_NOT_ALLOWED,
                code: ErrorCode::BadUserInput,
                message: "A mutation changes something: send it with POST.".to_owned(),
            });
        }
        Ok(request)
    }
}

fn parameters_of_body(body: &[u8]) -> Result<Parameters, Refusal> {
    match body.trim_ascii_start().first() {
        Some(b'[') => Err(Refusal::bad_request(
            "Batches are not supported: send one request at a time.",
        )),
        Some(b'{') => serde_json::from_slice(body).map_err(|error| {
            Refusal::bad_request(format!("The body is no GraphQL request: {error}."))
        }),
        _ => Err(Refusal::bad_request("The body is no JSON object.")),
    }
}

fn parameters_of_url(query: &str) -> Result<Parameters, Refusal> {
    let mut parameters = Parameters::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let map = || {
            serde_json::from_str::<Option<Map<_, _>>>(&value).map_err(|error| {
                Refusal::bad_request(format!("\"{name}\" is no JSON object: {error}."))
            })
        };
        match &*name {
            "query" => parameters.query = Some(value.into_owned()),
            "operationName" if !value.is_empty() => {
                parameters.operation_name = Some(value.into_owned());
            }
            "variables" if !value.is_empty() => parameters.variables = map()?,
            "extensions" if !value.is_empty() => parameters.extensions = map()?,
            _ => {}
        }
    }
    Ok(parameters)
}

fn unreadable(rejection: &BytesRejection) -> Refusal {
    let status = rejection.status();
    let message = if status == StatusCode::PAYLOAD_TOO_LARGE {
        format!(
            "The body is larger than {} bytes.",
            super::MAX_GRAPHQL_BODY_BYTES
        )
    } else {
        "The body did not arrive whole.".to_owned()
    };
    Refusal {
        status,
        code: ErrorCode::BadUserInput,
        message,
    }
}

fn refuse_caller(unknown: UnknownCaller) -> Refusal {
    match unknown {
        UnknownCaller::ForeignOrigin => Refusal {
            status: StatusCode::FORBIDDEN,
            code: ErrorCode::Forbidden,
            message: "A page of another site cannot use your session.".to_owned(),
        },
        UnknownCaller::Accounts(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "cannot authenticate"
            );
            Refusal {
                status: StatusCode::SERVICE_UNAVAILABLE,
                code: ErrorCode::Internal,
                message: "Something went wrong on our side. Try again in a moment.".to_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_from_the_url() {
        let query = "query=%7Ba%7D&variables=%7B%22x%22%3A1%7D&operationName=&other=1";
        let parameters = parameters_of_url(query).ok().unwrap();
        assert_eq!(parameters.query.as_deref(), Some("{a}"));
        assert_eq!(parameters.variables.unwrap()["x"], 1);
        assert_eq!(parameters.operation_name, None);
        assert!(parameters_of_url("query=x&variables=1").is_err());
    }

    #[test]
    fn a_body_is_one_request() {
        assert!(parameters_of_body(br#"{"query":"{a}","variables":null}"#).is_ok());
        for body in [
            "",
            "[]",
            r#"[{"query":"{a}"}]"#,
            "1",
            r#"{"query":1}"#,
            r#"{"query"#,
        ] {
            assert!(parameters_of_body(body.as_bytes()).is_err(), "{body}");
        }
    }
}
