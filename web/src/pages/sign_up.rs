//! Signing up: name, e-mail, password, and one is in.

use dash_shared::accounts::{
    MIN_PASSWORD_CHARS, check_email, check_new_password, check_person_name,
};
use leptos::{prelude::*, task::spawn_local};

use super::auth::{AuthCard, LeaveWhenIn};
use crate::{
    api::{
        self,
        accounts::{SignUp, SignUpInput, SignUpVariables},
        errors::FormErrors,
    },
    components::{Button, ButtonKind, ButtonSize, Field, FormError, Input},
    session::use_session,
};

/// The form that makes an account, an organization and a team.
#[component]
pub fn SignUpPage() -> impl IntoView {
    let form = Form {
        name: RwSignal::new(String::new()),
        email: RwSignal::new(String::new()),
        password: RwSignal::new(String::new()),
        errors: FormErrors::new(),
        busy: RwSignal::new(false),
    };
    let session = use_session();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Some(input) = form.checked() else { return };
        form.busy.set(true);
        spawn_local(async move {
            let operation = <SignUp as cynic::MutationBuilder<_>>::build(SignUpVariables { input });
            match api::run(operation).await {
                Ok(SignUp { sign_up }) => {
                    form.errors.set_user_errors(&sign_up.user_errors);
                    if let Some(viewer) = sign_up.viewer {
                        session.enter(viewer);
                    }
                }
                Err(error) => form.errors.set_api_error(&error),
            }
            let _gone = form.busy.try_set(false);
        });
    };
    let errors = form.errors;
    let hint = format!("At least {MIN_PASSWORD_CHARS} characters; a few words make a good one.");
    view! {
        <LeaveWhenIn/>
        <AuthCard
            title="Create your account"
            text="14 days of Pro, no card. Your first live dashboard is a minute away."
            other="Have an account?"
            other_href="/login"
            other_label="Log in"
        >
            <form class="stack" method="post" novalidate on:submit=submit data-testid="sign-up">
                <FormError error=errors.other(&["name", "email", "password"])/>
                <Field label="Your name" error=errors.field("name")>
                    <Input
                        value=form.name
                        on_input=editing(form.name, errors, "name")
                        name="name"
                        autocomplete="name"
                        autofocus=true
                        test_id="name"
                    />
                </Field>
                <Field label="E-mail" error=errors.field("email")>
                    <Input
                        value=form.email
                        on_input=editing(form.email, errors, "email")
                        kind="email"
                        name="email"
                        autocomplete="username"
                        test_id="email"
                    />
                </Field>
                <Field label="Password" error=errors.field("password") hint=hint>
                    <Input
                        value=form.password
                        on_input=editing(form.password, errors, "password")
                        kind="password"
                        name="password"
                        autocomplete="new-password"
                        test_id="password"
                    />
                </Field>
                <Button
                    kind=ButtonKind::Primary
                    size=ButtonSize::Large
                    submit=true
                    busy=form.busy
                    test_id="submit"
                >
                    "Create account"
                </Button>
            </form>
        </AuthCard>
    }
}

/// Writes what is typed into its signal, and takes the field's error away.
pub fn editing(
    signal: RwSignal<String>,
    errors: FormErrors,
    field: &'static str,
) -> Callback<String> {
    Callback::new(move |value| {
        signal.set(value);
        errors.clear_field(field);
    })
}

#[derive(Clone, Copy)]
struct Form {
    name: RwSignal<String>,
    email: RwSignal<String>,
    password: RwSignal<String>,
    errors: FormErrors,
    busy: RwSignal<bool>,
}

impl Form {
    /// The input when it passes the rules that the server will also apply; else shows why not.
    fn checked(self) -> Option<SignUpInput> {
        self.errors.clear();
        let name = check_person_name(&self.name.get_untracked());
        let email = check_email(&self.email.get_untracked());
        let password = self.password.get_untracked();
        let address = email.as_deref().unwrap_or_default();
        let password_fits = check_new_password(&password, address);
        for invalid in [
            name.as_ref().err(),
            email.as_ref().err(),
            password_fits.as_ref().err(),
        ]
        .into_iter()
        .flatten()
        {
            self.errors.add_invalid(invalid);
        }
        password_fits.ok()?;
        Some(SignUpInput {
            email: email.ok()?,
            password,
            name: name.ok()?,
            organization_name: None,
        })
    }
}
