//! The engine in the browser and the one on the server are one: on a thousand transforms, invented
//! from a fixed seed, over records that are made to be difficult, both give the same answer.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails by panicking"
)]

mod invented;

use std::io::Write;
use std::process::{Command, Stdio};

use dash_tests::app::START_MS;
use dash_tests::{TestApp, environment};
use serde_json::{Value, json};

use invented::Invented;

/// How many transforms are compared.
const COUNT: usize = 1_000;
/// How many the server is asked about at once.
const BATCH: usize = 20;
const SEED: u64 = 0xDA5B_0004;

#[tokio::test]
async fn the_browsers_engine_answers_as_the_server_does() {
    let mut invented = Invented::new(SEED);
    let questions: Vec<Value> = (0..COUNT).map(|_| invented.question()).collect();
    let in_browser = answers_of_engine(&questions);
    assert_eq!(in_browser.len(), COUNT);

    let app = TestApp::builder().on_sqlite().start().await;
    let ann = app.owner("ann").await;
    let (mut stored, mut failed, mut refused) = (0, 0, 0);
    for (batch, here) in questions.chunks(BATCH).zip(in_browser.chunks(BATCH)) {
        let there = ann.data(&query(batch.len()), variables(batch)).await;
        for (index, (question, here)) in batch.iter().zip(here).enumerate() {
            let mut there = there[format!("q{index}")].clone();
            let mut here = here.clone();
            assert!(here["unreadable"].is_null(), "{here} {question:#}");
            without_salt(&mut here);
            without_salt(&mut there);
            assert_eq!(here, there, "{question:#}");
            let results = here["records"].as_array().into_iter().flatten();
            for result in results.flat_map(|record| record["results"].as_array().unwrap()) {
                stored += usize::from(result["fate"] == "STORED");
                failed += usize::from(result["fate"] == "FAILED");
            }
            refused += usize::from(here["userErrors"] != json!([]));
        }
    }
    // The transforms are worth comparing: of each kind of answer there are many.
    assert!(stored > 1_000 && failed > 500, "{stored} {failed}");
    assert!((20..COUNT / 3).contains(&refused), "{refused}");
}

/// What the engine in WebAssembly answers, run by Node.
fn answers_of_engine(questions: &[Value]) -> Vec<Value> {
    let module = environment::engine();
    let script = "const { preview } = require(process.argv[1]);\
                  const input = require('node:fs').readFileSync(0, 'utf8');\
                  process.stdout.write(preview(input));";
    let mut node = Command::new("node")
        .args(["-e", script])
        .arg(&module)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Node starts");
    let input = json!({ "nowMs": START_MS, "questions": questions }).to_string();
    let mut stdin = node.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "the engine stopped");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Asks about several transforms at once.
fn query(count: usize) -> String {
    use std::fmt::Write as _;
    let mut variables = String::new();
    let mut fields = String::new();
    for index in 0..count {
        write!(variables, "$i{index}: PreviewTransformInput! ").unwrap();
        write!(
            fields,
            "q{index}: previewTransform(input: $i{index}) {{ ...A }} "
        )
        .unwrap();
    }
    format!(
        "query ({variables}) {{ {fields} }}
         fragment A on PreviewTransformPayload {{
           records {{
             received
             steps {{ step before after fate errors {{ ...P }} }}
             results {{ fate step record error {{ ...P }} }}
           }}
           userErrors {{ field message }}
         }}
         fragment P on StepProblem {{ step path value message }}"
    )
}

fn variables(batch: &[Value]) -> Value {
    let inputs = batch
        .iter()
        .enumerate()
        .map(|(index, question)| (format!("i{index}"), question.clone()));
    Value::Object(inputs.collect())
}

/// The server hashes with the team's secret, the browser without: hashes are all the same here.
/// The first name of an error's place is that of the argument.
fn without_salt(value: &mut Value) {
    match value {
        Value::String(text) => {
            let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_hash {
                "(hash)".clone_into(text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_salt),
        Value::Object(fields) => {
            if let Some(Value::Array(path)) = fields.get_mut("field")
                && path.first() == Some(&json!("input"))
            {
                path.remove(0);
            }
            fields.values_mut().for_each(without_salt);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
