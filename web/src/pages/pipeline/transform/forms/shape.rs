//! One record of each element of a list, and nested objects made flat.

use leptos::prelude::*;

use super::super::inputs::{Place, amount, choice, field_input, switch};
use crate::components::{Field, Input};

pub fn explode(place: Place) -> AnyView {
    let value = place.text("to");
    let on_input = Callback::new(move |name: String| place.set_or_remove("to", name));
    let hint = "The name of the field that each element becomes. Without one, its own fields become fields of the record.";
    view! {
        {field_input(place, "field", "The list", Some("A field that holds a list, such as the items of an order."), false)}
        <Field label="Put each element into" error=place.error("to") hint optional=true>
            <Input value on_input placeholder="item"/>
        </Field>
        {switch(place, "keep_empty", "Keep records without elements")}
    }
    .into_any()
}

pub fn flatten(place: Place) -> AnyView {
    view! {
        {field_input(place, "field", "Which object", Some("Without one, the whole record."), true)}
        <div class="work-pair">
            {choice(place, "separator", "Names are joined by", &[
                ("underscore", "_ as in customer_country"),
                ("dot", ". as in customer.country"),
            ])}
            {amount(place, "depth", "Levels", "1 to 16. Without a number, all of them.", "16")}
        </div>
    }
    .into_any()
}
