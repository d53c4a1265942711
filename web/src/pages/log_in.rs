//! Logging in with e-mail and password; then back to where one came from.

use leptos::{prelude::*, task::spawn_local};

use super::{
    auth::{AuthCard, LeaveWhenIn},
    sign_up::editing,
};
use crate::{
    api::{
        self,
        accounts::{LogIn, LogInInput, LogInVariables},
        errors::FormErrors,
    },
    components::{Button, ButtonKind, ButtonSize, Field, FormError, Input},
    format::lowercase,
    session::use_session,
};

/// The log-in form.
#[component]
pub fn LogInPage() -> impl IntoView {
    let (email, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (errors, busy) = (FormErrors::new(), RwSignal::new(false));
    let session = use_session();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        errors.clear();
        let input = LogInInput {
            email: lowercase(email.get_untracked().trim()),
            password: password.get_untracked(),
        };
        if input.email.is_empty() {
            errors.add("email", "Enter your e-mail address.");
        }
        if input.password.is_empty() {
            errors.add("password", "Enter your password.");
        }
        if errors.any() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let operation = <LogIn as cynic::MutationBuilder<_>>::build(LogInVariables { input });
            match api::run(operation).await {
                Ok(LogIn { log_in }) => {
                    errors.set_user_errors(&log_in.user_errors);
                    if let Some(viewer) = log_in.viewer {
                        session.enter(viewer);
                    }
                }
                Err(error) => errors.set_api_error(&error),
            }
            let _gone = busy.try_set(false);
        });
    };
    view! {
        <LeaveWhenIn/>
        <AuthCard
            title="Log in to Dash"
            text="Good to see you again."
            other="New here?"
            other_href="/signup"
            other_label="Create an account"
        >
            <form class="stack" method="post" novalidate on:submit=submit data-testid="log-in">
                <FormError error=errors.other(&["email", "password"])/>
                <Field label="E-mail" error=errors.field("email")>
                    <Input
                        value=email
                        on_input=editing(email, errors, "email")
                        kind="email"
                        name="email"
                        autocomplete="username"
                        autofocus=true
                        test_id="email"
                    />
                </Field>
                <Field label="Password" error=errors.field("password")>
                    <Input
                        value=password
                        on_input=editing(password, errors, "password")
                        kind="password"
                        name="password"
                        autocomplete="current-password"
                        test_id="password"
                    />
                </Field>
                <Button
                    kind=ButtonKind::Primary
                    size=ButtonSize::Large
                    submit=true
                    busy=busy
                    test_id="submit"
                >
                    "Log in"
                </Button>
            </form>
        </AuthCard>
    }
}
