//! What the forms of steps are made of. Each input stands for a place in a step's document
//! ([`place::Place`]): it shows what is there, changes it, and shows what is wrong with it.

pub mod combo;
pub mod fields;
pub mod numbers;
pub mod place;
pub mod plain;
pub mod rows;

pub use fields::{field_box, field_input, field_list};
pub use numbers::{amount, duration};
pub use place::Place;
pub use plain::{choice, group, name_input, segments, switch, word_select};
pub use rows::{Rows, rows};
