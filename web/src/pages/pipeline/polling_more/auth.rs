//! Who asks: a password, a token, a key, or a client that gets itself tokens.

use leptos::prelude::*;

use super::super::polling_form::More;
use super::super::polling_source::{ApiKeyPlace, ClientPlace, PollAuthKind};
use super::{Choices, Editor, Line, filled, label_of, text};

const AUTH_KINDS: [(&str, &str); 5] = [
    ("none", "None"),
    ("basic", "User name and password"),
    ("bearer", "Bearer token"),
    ("api_key", "API key"),
    ("oauth2", "OAuth 2.0 (client credentials)"),
];

const fn auth_kind(more: &More) -> &'static str {
    match more.auth.kind {
        PollAuthKind::None => "none",
        PollAuthKind::Basic => "basic",
        PollAuthKind::Bearer => "bearer",
        PollAuthKind::ApiKey => "api_key",
        PollAuthKind::OAuth2 => "oauth2",
    }
}

pub(super) fn authentication(editor: Editor) -> AnyView {
    let kind = editor.choice(Choices {
        at: "auth.kind",
        label: "Kind",
        options: &AUTH_KINDS,
        test_id: "auth-kind",
        get: auth_kind,
        set: |more, chosen| {
            more.auth.secret = None;
            more.auth.kind = match chosen {
                "basic" => PollAuthKind::Basic,
                "bearer" => PollAuthKind::Bearer,
                "api_key" => PollAuthKind::ApiKey,
                "oauth2" => PollAuthKind::OAuth2,
                _ => PollAuthKind::None,
            };
        },
    });
    let chosen = editor.value(|more| more.auth.kind);
    let fields = move || auth_fields(editor, chosen.get());
    let fields = view! { {kind} {fields} }.into_any();
    let summary = |more: &More| label_of(&AUTH_KINDS, auth_kind(more));
    editor.section("Authentication", &["auth"], "section-auth", summary, fields)
}

fn auth_fields(editor: Editor, kind: PollAuthKind) -> AnyView {
    let label = match kind {
        PollAuthKind::None => return ().into_any(),
        PollAuthKind::Basic => "Password",
        PollAuthKind::Bearer => "Token",
        PollAuthKind::ApiKey => "Key",
        PollAuthKind::OAuth2 => "Client secret",
    };
    let is_saved = editor.more.with_untracked(|more| more.saved_auth == kind);
    let secret = Line {
        at: "auth.secret",
        label,
        hint: "It is encrypted and never shown again.",
        placeholder: if is_saved {
            "set; enter a new one to replace it"
        } else {
            ""
        },
        test_id: "auth-secret",
        get: |more| text(more.auth.secret.as_ref()),
        set: |more, text| more.auth.secret = filled(text),
    };
    let secret = editor.line_of(secret, "password");
    let before = match kind {
        PollAuthKind::Basic => editor.line(Line {
            at: "auth.userName",
            label: "User name",
            hint: "Sent with the password in every request.",
            placeholder: "",
            test_id: "auth-user",
            get: |more| text(more.auth.user_name.as_ref()),
            set: |more, text| more.auth.user_name = filled(text),
        }),
        PollAuthKind::ApiKey => api_key_fields(editor),
        PollAuthKind::OAuth2 => client_fields(editor),
        PollAuthKind::None | PollAuthKind::Bearer => ().into_any(),
    };
    view! { {before} {secret} }.into_any()
}

fn api_key_fields(editor: Editor) -> AnyView {
    let place = editor.choice(Choices {
        at: "auth.place",
        label: "Sent in",
        options: &[
            ("header", "A header"),
            ("query", "The query of the address"),
        ],
        test_id: "auth-place",
        get: |more| match more.auth.place {
            Some(ApiKeyPlace::Query) => "query",
            _ => "header",
        },
        set: |more, chosen| {
            more.auth.place = Some(match chosen {
                "query" => ApiKeyPlace::Query,
                _ => ApiKeyPlace::Header,
            });
        },
    });
    let name = editor.line(Line {
        at: "auth.name",
        label: "Name",
        hint: "Of the header or the query parameter.",
        placeholder: "X-Api-Key",
        test_id: "auth-name",
        get: |more| text(more.auth.name.as_ref()),
        set: |more, text| more.auth.name = filled(text),
    });
    view! { {place} {name} }.into_any()
}

fn client_fields(editor: Editor) -> AnyView {
    let token_url = editor.line(Line {
        at: "auth.tokenUrl",
        label: "Token address",
        hint: "Dash gets itself a token there, and a new one before it expires.",
        placeholder: "https://auth.example.com/oauth/token",
        test_id: "auth-token-url",
        get: |more| text(more.auth.token_url.as_ref()),
        set: |more, text| more.auth.token_url = filled(text),
    });
    let client_id = editor.line(Line {
        at: "auth.clientId",
        label: "Client id",
        hint: "As the service gave it to you.",
        placeholder: "",
        test_id: "auth-client-id",
        get: |more| text(more.auth.client_id.as_ref()),
        set: |more, text| more.auth.client_id = filled(text),
    });
    let scope = editor.line(Line {
        at: "auth.scope",
        label: "Scope",
        hint: "Optional: what the token is to allow.",
        placeholder: "",
        test_id: "auth-scope",
        get: |more| text(more.auth.scope.as_ref()),
        set: |more, text| more.auth.scope = filled(text),
    });
    let audience = editor.line(Line {
        at: "auth.audience",
        label: "Audience",
        hint: "Optional: some services want to know whom the token is for.",
        placeholder: "",
        test_id: "auth-audience",
        get: |more| text(more.auth.audience.as_ref()),
        set: |more, text| more.auth.audience = filled(text),
    });
    let place = editor.choice(Choices {
        at: "auth.clientPlace",
        label: "Client id and secret are sent in",
        options: &[("header", "A header (most services)"), ("body", "The form")],
        test_id: "auth-client-place",
        get: |more| match more.auth.client_place {
            Some(ClientPlace::Body) => "body",
            _ => "header",
        },
        set: |more, chosen| {
            more.auth.client_place = Some(match chosen {
                "body" => ClientPlace::Body,
                _ => ClientPlace::Header,
            });
        },
    });
    view! { {token_url} {client_id} {scope} {audience} {place} }.into_any()
}
