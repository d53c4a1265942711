use serde_json::json;

use super::*;

fn record() -> Fields {
    let record = json!({
        "name": "O\"Neil & <Sons>\n", "total": 12.5, "paid": true, "none": null,
        "customer": {"tags": ["a", "b"]}, "record": {"id": "own"},
    });
    record.as_object().unwrap().clone()
}

fn filled(source: &str, place: Place) -> Filled {
    let fields = record();
    let filling = Filling {
        fields: &fields,
        id: "pip_1.7",
        time_ms: 0,
        pipeline_name: "Orders \"EU\"",
        now_ms: 86_400_000,
    };
    let template = Template::compile(source, place).unwrap();
    template.fill(&filling, 10_000).unwrap()
}

fn check(source: &str, place: Place, expected: &str) {
    assert_eq!(filled(source, place).text, expected, "{source}");
}

#[test]
fn placeholders_stand_for_fields_and_what_is_known_of_the_record() {
    check("{{total}} {{ paid }}", Place::Text, "12.5 true");
    check(
        "{{customer.tags[1]}} {{customer.tags}}",
        Place::Text,
        "b [\"a\",\"b\"]",
    );
    check(
        "{{record.id}} {{record.time}}",
        Place::Text,
        "pip_1.7 1970-01-01T00:00:00.000Z",
    );
    check("{{[\"record\"].id}}", Place::Text, "own");
    check("{{pipeline.name}}", Place::Text, "Orders \"EU\"");
    check("{{= total * 2 }}!", Place::Text, "25!");
    check("{{= \"}}\" }}", Place::Text, "}}");
    check("no } braces { here }", Place::Text, "no } braces { here }");
}

#[test]
fn json_stays_json_whatever_a_record_holds() {
    let body = "{\"a\": \"x {{name}}\", \"b\": {{name}}, \"c\": {{total}}, \"d\": {{none}}, \
                \"e\": \"\\\"{{total}}\\\"\", \"f\": {{json}}, \"g\": {{missing}}, \"h\": \"{{json}}\"}";
    let read: Value = serde_json::from_str(&filled(body, Place::Json).text).unwrap();
    let all = Value::Object(record());
    assert_eq!(
        read,
        json!({
            "a": "x O\"Neil & <Sons>\n", "b": "O\"Neil & <Sons>\n", "c": 12.5, "d": null,
            "e": "\"12.5\"", "f": all, "g": null, "h": all.to_string(),
        })
    );
}

#[test]
fn other_places_are_escaped_for_what_they_are() {
    check("{{name}}", Place::Slack, "O\"Neil &amp; &lt;Sons&gt;\n");
    check(
        "<!here> {{name}}",
        Place::Slack,
        "<!here> O\"Neil &amp; &lt;Sons&gt;\n",
    );
    check("Hi {{name}}.", Place::Line, "Hi O\"Neil & <Sons> .");
    check(
        "https://a.test/{{name}}?x={{total}}",
        Place::Url,
        "https://a.test/O%22Neil%20%26%20%3CSons%3E%0A?x=12.5",
    );
}

#[test]
fn what_is_not_there_stays_empty_with_a_note() {
    let filled = filled("[{{nmae}}{{nmae}}{{= total - \"x\" }}]", Place::Text);
    assert_eq!(filled.text, "[]");
    assert_eq!(filled.notes.len(), 2, "{:?}", filled.notes);
    assert_eq!(
        filled.notes[0],
        "The record has no field “nmae”: it stays empty."
    );
    assert!(
        filled.notes[1].starts_with("{{= total - \"x\"}} stays empty: "),
        "{:?}",
        filled.notes
    );
}

#[test]
fn what_is_no_template_says_why() {
    let check = |source: &str, expected: &str| {
        let error = Template::compile(source, Place::Text).unwrap_err();
        assert!(error.0.contains(expected), "{source}: {error}");
    };
    check("Hello {{name", "not closed: {{name");
    check("{{}}", "is no placeholder");
    check("{{a..b}}", "is no placeholder");
    check("{{= total * }}", "line 1");
    check(
        &"{{a}}".repeat(MAX_PLACEHOLDERS + 1),
        "at most 200 placeholders",
    );
    check(&"a".repeat(MAX_TEMPLATE_BYTES + 1), "at most 16384 bytes");
}

#[test]
fn a_text_that_grows_too_large_is_none() {
    let fields = record();
    let filling = Filling {
        fields: &fields,
        id: "",
        time_ms: 0,
        pipeline_name: "",
        now_ms: 0,
    };
    let template = Template::compile(&"{{json}}".repeat(100), Place::Text).unwrap();
    assert_eq!(template.fill(&filling, 1_000), Err(TooLarge(1_000)));
}

proptest::proptest! {
    #[test]
    fn any_text_in_a_json_template_leaves_it_json(name in ".*", plain in ".*") {
        let fields = json!({ "name": name, "plain": plain }).as_object().unwrap().clone();
        let filling = Filling { fields: &fields, id: "i", time_ms: 0, pipeline_name: &plain, now_ms: 0 };
        let source = "{\"a\": \"-{{name}}-{{pipeline.name}}\", \"b\": {{plain}}}";
        let template = Template::compile(source, Place::Json).unwrap();
        let text = template.fill(&filling, 1_000_000).unwrap().text;
        let read: Value = serde_json::from_str(&text).unwrap();
        proptest::prop_assert_eq!(read, json!({ "a": format!("-{name}-{plain}"), "b": plain }));
    }
}
