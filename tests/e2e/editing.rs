//! Editing a dashboard.
