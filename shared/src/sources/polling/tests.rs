//! What may be entered, and that what was stored long ago can be read.

use serde_json::json;

use super::*;
use crate::plans::Plan;
use crate::sources::Source;

fn every(interval_seconds: u32) -> Schedule {
    Schedule::Every { interval_seconds }
}

fn problems(polling: &HttpPolling) -> Vec<String> {
    let found = polling.check(Plan::Pro).into_iter();
    found.map(|problem| problem.field.join(".")).collect()
}

fn check(change: impl FnOnce(&mut HttpPolling), expected: &[&str]) {
    let mut source = HttpPolling::get("https://a.test", every(60));
    change(&mut source);
    assert_eq!(problems(&source), expected);
}

#[test]
fn addresses_are_checked() {
    let check = |url: &str, ok: bool| assert_eq!(check_url(url).is_ok(), ok, "{url}");
    check("https://api.example.com/orders?since=1", true);
    check("https://api.example.com/orders?since={{cursor}}", true);
    check("http://127.0.0.1:8080", true);
    check("ftp://example.com", false);
    check("https://", false);
    check("https://user:pass@example.com", false);
    check("https://{{secrets.host}}/", false);
    check("https://exa mple.com", false);
    check("", false);
}

#[test]
fn every_problem_is_told_at_once() {
    let names = ["X-Api-Key", "x-api-key", "Host", "bad name"].map(str::to_owned);
    let mut source = HttpPolling::get("x", every(1));
    source.header_names = names.into();
    let expected = [
        "url",
        "intervalSeconds",
        "headers.1.name",
        "headers.2.name",
        "headers.3.name",
    ];
    assert_eq!(problems(&source), expected);
    check(|s| s.header_names = vec!["X-Api-Key".to_owned()], &[]);
}

#[test]
fn a_cursor_has_a_source_and_a_place() {
    let cursor = Cursor {
        place: CursorPlace::Records,
        path: "updated_at".to_owned(),
        pick: CursorPick::Highest,
        initial: None,
    };
    let at = |url: &str| url.to_owned();
    check(|s| s.url = at("https://a.test/{{cursor}}"), &["cursor"]);
    check(|s| s.cursor = Some(cursor.clone()), &["cursor.path"]);
    check(|s| s.url = at("https://a.test/{{since}}"), &["url"]);
    let both = |s: &mut HttpPolling| {
        s.url = at("https://a.test/{{cursor}}");
        s.cursor = Some(cursor.clone());
    };
    check(both, &[]);
}

#[test]
fn parts_are_checked() {
    check(|s| s.max_pages = 0, &["maxPages"]);
    check(|s| s.key_field = Some("a[".to_owned()), &["keyField"]);
    let user_name = "a:b".to_owned();
    check(|s| s.auth = Auth::Basic { user_name }, &["auth.userName"]);
    let key = Auth::ApiKey {
        place: ApiKeyPlace::Header,
        name: "Host".to_owned(),
    };
    check(|s| s.auth = key, &["auth.name"]);
    let body = RequestBody {
        content_type: "json".to_owned(),
        text: String::new(),
    };
    check(|s| s.body = Some(body), &["body", "body.contentType"]);
    let pages = Pagination::Page {
        parameter: String::new(),
        first: 1,
        size_parameter: Some("n".to_owned()),
        size: None,
    };
    let expected = ["pagination.parameter", "pagination.size"];
    check(|s| s.pagination = pages, &expected);
    let client = OAuth2 {
        token_url: "a".to_owned(),
        client_id: String::new(),
        scope: None,
        audience: None,
        client_place: ClientPlace::Header,
    };
    let expected = ["auth.tokenUrl", "auth.clientId"];
    check(|s| s.auth = Auth::OAuth2(client), &expected);
}

#[test]
fn what_was_stored_before_there_was_more_is_read() {
    let old = json!({
        "kind": "http_polling", "url": "https://a.test", "interval_seconds": 60,
        "header_names": ["X-Key"], "records_path": "$.data",
    });
    let Source::HttpPolling(polling) = serde_json::from_value(old).unwrap() else {
        panic!("it is polled")
    };
    assert_eq!(polling.schedule, every(60));
    assert_eq!(polling.header_names, ["X-Key"]);
    assert_eq!((polling.auth, polling.max_pages), (Auth::None, MAX_PAGES));
}

#[test]
fn what_is_stored_is_read_back() {
    let cron = Schedule::Cron {
        cron: "0 9 * * *".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
    };
    let mut polling = HttpPolling::get("https://a.test", cron);
    polling.auth = Auth::OAuth2(OAuth2 {
        token_url: "https://a.test/token".to_owned(),
        client_id: "a".to_owned(),
        scope: None,
        audience: Some("b".to_owned()),
        client_place: ClientPlace::Body,
    });
    polling.pagination = Pagination::NextUrl {
        path: "$.next".to_owned(),
    };
    let source = Source::HttpPolling(Box::new(polling));
    let text = serde_json::to_string(&source).unwrap();
    assert_eq!(serde_json::from_str::<Source>(&text).unwrap(), source);
}

#[test]
fn placeholders_are_filled_and_what_is_none_stays() {
    let fill =
        |text: &str| placeholders::fill(text, |name| (name == "cursor").then(|| "7".to_owned()));
    let check = |text: &str, expected: &str| assert_eq!(fill(text), expected, "{text}");
    check("a={{cursor}}&b={{ cursor }}", "a=7&b=7");
    check("{{other}} {{cursor", "{{other}} {{cursor");
    check("{\"a\": {\"b\": 1}}", "{\"a\": {\"b\": 1}}");
    let names: Vec<_> = placeholders::names("{{a}} {{ b.c }} {{d").collect();
    assert_eq!(names, ["a", "b.c"]);
}
