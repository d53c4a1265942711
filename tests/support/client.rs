//! A caller of the API over HTTP, with a cookie jar of one cookie, as a browser or a script has it.

use std::sync::Mutex;

use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

/// Somebody who calls the API.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    cookie: Mutex<Option<String>>,
}

/// An answer: its status, headers and JSON.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body; null when it is not JSON.
    pub json: Value,
}

/// When a record happened, in milliseconds since 1970.
pub fn time_ms(record: &Value) -> i64 {
    dash_shared::timestamps::parse_ms(&record["time"]).expect("a record has a time")
}

impl Client {
    /// Somebody who is not logged in.
    pub fn new(url: &str) -> Self {
        // Several tests share a process; the first one installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client can be made");
        Self {
            http,
            url: url.to_owned(),
            cookie: Mutex::new(None),
        }
    }

    /// The same person at another address, as after a restart on another port.
    #[must_use]
    pub fn at(&self, url: &str) -> Self {
        let client = Self::new(url);
        *client.cookie.lock().unwrap() = self.cookie();
        client
    }

    /// The session cookie, as it is sent.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    /// Where the Dash is that is called.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The plain HTTP client.
    pub const fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Sends a GraphQL request and returns the whole answer.
    pub async fn send(&self, query: &str, variables: Value) -> Answer {
        let mut request = self
            .http
            .post(format!("{}/graphql", self.url))
            .json(&json!({ "query": query, "variables": variables }));
        if let Some(cookie) = self.cookie() {
            request = request.header(COOKIE, cookie);
        }
        let answer = Answer::read(request.send().await.expect("Dash answers")).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie is text");
            let pair = cookie.split(';').next().unwrap_or_default().to_owned();
            *self.cookie.lock().unwrap() = (!pair.ends_with('=')).then_some(pair);
        }
        answer
    }

    /// Sends a GraphQL request that has to succeed and returns its data.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let answer = self.send(query, variables).await;
        assert!(
            answer.json["errors"].is_null(),
            "{query}\n{:#}",
            answer.json
        );
        answer.json["data"].clone()
    }

    /// Sends a GraphQL request that has to fail and returns the code of its first error.
    pub async fn error_code(&self, query: &str, variables: Value) -> String {
        let answer = self.send(query, variables).await;
        let code = &answer.json["errors"][0]["extensions"]["code"];
        code.as_str()
            .unwrap_or_else(|| panic!("{query}\n{:#}", answer.json))
            .to_owned()
    }

    /// Sends a mutation with an `input`, and returns its payload.
    pub async fn mutate(&self, field: &str, selection: &str, input: Value) -> Value {
        let (first, rest) = field.split_at(1);
        let kind = format!("{}{rest}Input", first.to_uppercase());
        let query = format!(
            "mutation ($input: {kind}!) {{ {field}(input: $input) {{ {selection} userErrors {{ field \
             message code }} }} }}"
        );
        self.data(&query, json!({ "input": input })).await[field].clone()
    }

    /// Sends a mutation that has to succeed, and returns its payload.
    pub async fn done(&self, field: &str, selection: &str, input: Value) -> Value {
        let payload = self.mutate(field, selection, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{field}");
        payload
    }

    /// Sends a mutation that the caller has to fix, and returns its errors as
    /// `field.path CODE`.
    pub async fn user_errors(&self, field: &str, input: Value) -> Vec<String> {
        let payload = self.mutate(field, "", input).await;
        let errors = payload["userErrors"]
            .as_array()
            .expect("a payload has userErrors")
            .iter();
        let text = |error: &Value| {
            let path: Vec<_> = error["field"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            format!(
                "{} {}",
                path.join("."),
                error["code"].as_str().unwrap_or_default()
            )
        };
        errors.map(text).collect()
    }

    /// Signs up and stays logged in.
    pub async fn sign_up(&self, name: &str, email: &str, password: &str) {
        let input = json!({ "name": name, "email": email, "password": password });
        self.done("signUp", "viewer { user { id } }", input).await;
    }

    /// Makes a webhook pipeline without a transform; returns its id and URL.
    pub async fn new_webhook(&self, name: &str) -> (String, String) {
        let input = json!({ "name": name, "source": { "webhook": {} } });
        self.new_pipeline(input).await
    }

    /// Makes a pipeline; returns its id and, for a webhook, its URL.
    pub async fn new_pipeline(&self, input: Value) -> (String, String) {
        let selection = "pipeline { id source { ... on WebhookSource { url } } }";
        let payload = self.done("createPipeline", selection, input).await;
        let pipeline = &payload["pipeline"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&pipeline["id"]), text(&pipeline["source"]["url"]))
    }

    /// Makes a pipeline that polls an address every minute and stores the records under a path as
    /// they come; returns its id.
    pub async fn new_polling(&self, name: &str, url: &str, records_path: &str) -> String {
        let polling = json!({ "url": url, "intervalSeconds": 60, "recordsPath": records_path });
        let input = json!({ "name": name, "source": { "httpPolling": polling } });
        self.new_pipeline(input).await.0
    }

    /// Posts JSON to a URL.
    pub async fn post(&self, url: &str, body: &Value) -> Answer {
        self.post_text(url, body.to_string()).await
    }

    /// Posts a body to a URL.
    pub async fn post_text(&self, url: &str, body: String) -> Answer {
        let request = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .body(body);
        Answer::read(request.send().await.expect("Dash answers")).await
    }

    /// Posts JSON with these headers too.
    pub async fn post_with(&self, url: &str, headers: &[(&str, &str)], body: String) -> Answer {
        let request = self
            .http
            .post(url)
            .header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        Answer::read(request.body(body).send().await.expect("Dash answers")).await
    }

    /// Gets a path, with the session if there is one.
    pub async fn get(&self, path: &str) -> Answer {
        let mut request = self.http.get(format!("{}{path}", self.url));
        if let Some(cookie) = self.cookie() {
            request = request.header(COOKIE, cookie);
        }
        Answer::read(request.send().await.expect("Dash answers")).await
    }

    /// The records of a pipeline, the newest first, at most 100.
    pub async fn records(&self, pipeline_id: &str) -> Vec<Value> {
        let query = "query ($id: ID!) { pipeline(id: $id) { records(first: 100) { nodes { cursor \
                     time fields } } } }";
        let data = self.data(query, json!({ "id": pipeline_id })).await;
        data["pipeline"]["records"]["nodes"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// All records of a pipeline, the oldest first, read page by page.
    pub async fn all_records(&self, pipeline_id: &str) -> Vec<Value> {
        let query = "query ($id: ID!, $after: String) { pipeline(id: $id) { records(first: 100, \
                     after: $after) { nodes { cursor time receivedAt fields } pageInfo { hasNextPage endCursor \
                     } } } }";
        let mut records = Vec::new();
        let mut after = Value::Null;
        loop {
            let data = self
                .data(query, json!({ "id": pipeline_id, "after": after }))
                .await;
            let page = &data["pipeline"]["records"];
            records.extend(page["nodes"].as_array().cloned().unwrap_or_default());
            if page["pageInfo"]["hasNextPage"] != true {
                records.reverse();
                return records;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }

    /// What is known of a pipeline: its state, version, totals and times.
    pub async fn pipeline(&self, pipeline_id: &str) -> Value {
        let query = "query ($id: ID!) { pipeline(id: $id) { id name state version timeField recordCount \
                     storedBytes lastRecordAt nextRunAt failingSince pausedReason cursor throughput source { __typename \
                     ... on WebhookSource { url } ... on HttpPollingSource { url intervalSeconds \
                     headerNames recordsPath } ... on DemoSource { seed } } steps \
                     fields { path type example } lastRun { state } } }";
        self.data(query, json!({ "id": pipeline_id })).await["pipeline"].clone()
    }

    /// The runs of a pipeline, the newest first, at most 100.
    pub async fn runs(&self, pipeline_id: &str) -> Vec<Value> {
        let query = "query ($id: ID!) { pipeline(id: $id) { runs(first: 100) { nodes { trigger \
                     state received stored dropped failed duplicates error { code message } recordErrors { \
                     step path value message received } } } } }";
        let data = self.data(query, json!({ "id": pipeline_id })).await;
        data["pipeline"]["runs"]["nodes"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }
}

impl Answer {
    /// Reads an answer to its end.
    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.expect("the body arrives");
        let text = String::from_utf8_lossy(&body).into_owned();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Self {
            status,
            headers,
            text,
            json,
        }
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}
