//! Polled CSV: real series and tables, from how they are recognised to what is stored of each cell.

use axum::body::Bytes;
use dash_shared::timestamps::parse_ms;
use dash_tests::client::time_ms;
use dash_tests::environment::vega_dataset;
use dash_tests::upstream::{Reply, Upstream};
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

fn csv(text: String) -> Reply {
    Reply::Raw(200, "text/csv; charset=utf-8", Bytes::from(text))
}

/// The cells of a text without quotes, line by line, its header line left out.
fn cells(text: &str, delimiter: char) -> Vec<Vec<&str>> {
    let lines = text.lines().skip(1);
    lines.map(|line| line.split(delimiter).collect()).collect()
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap()
}

/// The fields of all records, the oldest first.
async fn all_fields(client: &Client, id: &str) -> Vec<Value> {
    let records = client.all_records(id).await;
    records
        .iter()
        .map(|record| record["fields"].clone())
        .collect()
}

#[tokio::test]
async fn every_day_of_four_years_of_weather_is_stored_at_its_own_date() {
    let text = vega_dataset("seattle-weather.csv");
    let days = cells(&text, ',');
    assert_eq!(days.len(), 1_461);
    let (app, ann, _upstream, id) = TestApp::polling(csv(text.clone()), "$").await;
    let change = json!({ "id": id, "timeField": "date" });
    ann.done("updatePipeline", "pipeline { timeField }", change)
        .await;
    app.run_due_jobs().await;
    let records = ann.all_records(&id).await;
    assert_eq!(records.len(), days.len());
    for (record, day) in records.iter().zip(&days) {
        let expected = json!({
            "date": day[0],
            "precipitation": number(day[1]),
            "temp_max": number(day[2]),
            "temp_min": number(day[3]),
            "wind": number(day[4]),
            "weather": day[5],
        });
        // As text, so that the order of the fields counts.
        assert_eq!(record["fields"].to_string(), expected.to_string());
        assert_eq!(Some(time_ms(record)), parse_ms(&json!(day[0])));
    }
    let types = ann.pipeline(&id).await["fields"].clone();
    let types: Vec<_> = types.as_array().unwrap().iter().collect();
    assert!(
        types
            .iter()
            .any(|field| field["path"] == "temp_max" && field["type"] == "NUMBER")
    );
}

#[tokio::test]
async fn a_file_that_comes_as_plain_text_is_recognised_by_its_name_and_its_codes_stay_codes() {
    let text = vega_dataset("airports.csv");
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let plain = Reply::Raw(200, "text/plain; charset=utf-8", Bytes::from(text.clone()));
    let upstream = Upstream::start(plain).await;
    let url = format!("{}/data/airports.csv?raw=true", upstream.url);
    let id = ann.new_polling("Airports", &url, "$").await;
    app.run_due_jobs().await;
    let airports = all_fields(&ann, &id).await;
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!((airports.len(), lines.len()), (3_376, 3_376));
    for (airport, line) in airports.iter().zip(lines) {
        assert!(airport["iata"].is_string(), "{line}");
        if line.contains('"') {
            continue;
        }
        let cells: Vec<&str> = line.split(',').collect();
        let expected = json!({
            "iata": cells[0],
            "name": cells[1],
            "city": cells[2],
            "state": cells[3],
            "country": cells[4],
            "latitude": number(cells[5]),
            "longitude": number(cells[6]),
        });
        assert_eq!(airport.to_string(), expected.to_string());
    }
    let name_of = |code: &str| {
        let found = airports.iter().find(|airport| airport["iata"] == code);
        found.unwrap()["name"].clone()
    };
    assert_eq!(name_of("0E8"), "Crownpoint");
    assert_eq!(name_of("35A"), "Union County, Troy Shelton");
    assert_eq!(name_of("DBN"), "W. H. \"Bud\" Barron");
}

#[tokio::test]
async fn a_postal_code_keeps_its_zeros_and_a_mapping_makes_all_of_them_text() {
    let text = vega_dataset("zipcodes.csv");
    let some: Vec<&str> = text.lines().take(4_001).collect();
    let (app, ann, _upstream, id) = TestApp::polling(csv(some.join("\n")), "$").await;
    app.run_due_jobs().await;
    let as_they_come = all_fields(&ann, &id).await;
    let codes: Vec<&str> = some[1..]
        .iter()
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(as_they_come.len(), codes.len());
    for (place, code) in as_they_come.iter().zip(&codes) {
        let expected = match code.strip_prefix('0') {
            Some(_) => json!(code),
            None => json!(code.parse::<u64>().unwrap()),
        };
        assert_eq!(place["zip_code"], expected);
    }

    let fields = json!([{"from": "zip_code", "to": "zip_code", "cast": "text"}]);
    let change = json!({ "id": id, "steps": [{ "kind": "map", "fields": fields }] });
    ann.done("updatePipeline", "pipeline { id }", change).await;
    app.pass(60_000).await;
    let mapped = all_fields(&ann, &id).await.split_off(codes.len());
    let expected: Vec<_> = codes.iter().map(|code| json!({"zip_code": code})).collect();
    assert_eq!(mapped, expected);
}

#[tokio::test]
async fn tab_separated_values_are_read_and_a_mapping_reads_more_numbers() {
    let text = vega_dataset("unemployment.tsv");
    let counties = cells(&text, '\t');
    let reply = Reply::Raw(200, "text/tab-separated-values", Bytes::from(text.clone()));
    let (app, ann, _upstream, id) = TestApp::polling(reply, "$").await;
    let fields = json!([
        {"from": "id", "to": "county"},
        {"from": "rate", "to": "rate", "cast": "number"},
    ]);
    let change = json!({ "id": id, "steps": [{ "kind": "map", "fields": fields }] });
    ann.done("updatePipeline", "pipeline { id }", change).await;
    app.run_due_jobs().await;
    let found = all_fields(&ann, &id).await;
    assert_eq!(found.len(), 3_218);
    for (found, cells) in found.iter().zip(&counties) {
        let county: u64 = cells[0].parse().unwrap();
        // Written as `.097`, which is no number in JSON.
        let rate = number(cells[1]);
        assert_eq!(*found, json!({"county": county, "rate": rate}));
    }
}

#[tokio::test]
async fn ten_thousand_records_are_taken_and_more_are_refused() {
    let strikes = vega_dataset("birdstrikes.csv");
    assert!(strikes.contains("\r\n"));
    let (app, ann, upstream, id) = TestApp::polling(csv(strikes), "$").await;
    app.run_due_jobs().await;
    assert_eq!(ann.pipeline(&id).await["recordCount"], 10_000.0);
    let newest = &ann.records(&id).await[0]["fields"];
    assert_eq!(newest["Speed IAS in knots"], json!(140));

    upstream.reply_with(csv(vega_dataset("species.csv")));
    app.pass(60_000).await;
    let error = ann.runs(&id).await[0]["error"].clone();
    assert_eq!(error["code"], "TOO_LARGE");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("has 12360 records"), "{message}");
}

#[tokio::test]
async fn a_test_shows_the_first_lines_or_what_is_wrong_with_them() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let upstream = Upstream::start(csv(vega_dataset("stocks.csv"))).await;
    let selection =
        "result { recordsPath recordsPathCandidates recordCount records } error { code }";
    let test = async |path: &str, records_path: &str| {
        let url = format!("{}{path}", upstream.url);
        let source = json!({ "url": url, "intervalSeconds": 60, "recordsPath": records_path });
        let tested = ann
            .done("testSource", selection, json!({ "source": source }))
            .await;
        (tested["result"].clone(), tested["error"]["code"].clone())
    };
    for records_path in ["", "$"] {
        let (found, error) = test("/", records_path).await;
        assert_eq!(error, Value::Null);
        assert_eq!(found["recordsPath"], "$");
        assert_eq!(found["recordsPathCandidates"], json!(["$"]));
        assert_eq!(found["recordCount"], 560);
        assert_eq!(found["records"].as_array().unwrap().len(), 20);
        let first = json!({"symbol": "MSFT", "date": "Jan 1 2000", "price": 39.81});
        assert_eq!(found["records"][0], first);
    }
    assert_eq!(test("/", "$.data").await.1, "NO_RECORDS");

    // Where an address leads is not always named after what is there.
    let stored = Reply::Raw(200, "application/octet-stream", Bytes::from("n;m\n1;2"));
    upstream.reply_at("/stored/7f3a", stored);
    upstream.reply_at("/latest.csv", Reply::Redirect("/stored/7f3a".to_owned()));
    let (found, _) = test("/latest.csv", "").await;
    assert_eq!(found["records"], json!([{"n": 1, "m": 2}]));
    assert_eq!(test("/stored/7f3a", "").await.1, "NOT_JSON");

    upstream.reply_at("/only-names", csv("a,b\n".to_owned()));
    let (found, _) = test("/only-names", "").await;
    assert_eq!(found["recordCount"], 0);
    upstream.reply_at("/ragged", csv("a,b\n1\n".to_owned()));
    assert_eq!(
        test("/ragged", "").await,
        (Value::Null, json!("INVALID_CSV"))
    );
}
