//! What is shown when the client itself has broken: a panic leaves the page as it was, dead. The
//! person is told, and offered the one thing that helps.

use std::panic::set_hook;

use leptos::prelude::{document, window};
use wasm_bindgen::JsValue;

const ID: &str = "crash";

/// Tells the console and the page about panics, from now on.
pub fn tell() {
    set_hook(Box::new(|panic| {
        leptos::logging::error!("{panic}");
        // Nothing more can be done where even this fails.
        let _ = show();
    }));
}

/// Plain DOM: the app can no longer be relied on.
fn show() -> Result<(), JsValue> {
    let document = document();
    if document.get_element_by_id(ID).is_some() {
        return Ok(());
    }
    let bar = document.create_element("div")?;
    bar.set_id(ID);
    bar.set_class_name("crash");
    bar.set_attribute("role", "alert")?;
    bar.set_text_content(Some(
        "Something in this page broke, and it no longer reacts. What was saved is safe. ",
    ));
    let reload = document.create_element("a")?;
    reload.set_attribute("href", &window().location().href()?)?;
    // Left to the browser: the app's router no longer works.
    reload.set_attribute("rel", "external")?;
    reload.set_text_content(Some("Reload the page"));
    bar.append_child(&reload)?;
    if let Some(body) = document.body() {
        body.append_child(&bar)?;
    }
    Ok(())
}
