//! The pages, one module each; `app` says which address each has.

pub mod auth;
pub mod dashboard;
pub mod dashboards;
pub mod home;
pub mod log_in;
pub mod new_pipeline;
pub mod not_found;
pub mod pipeline;
pub mod pipelines;
pub mod settings;
pub mod sign_up;
pub mod styleguide;
