use super::*;

fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let lookup = |name: &str| {
        pairs
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let around = Surroundings {
        make_folder: &|path| match path.to_str() {
            Some("/proc/dash") => Err(io::ErrorKind::PermissionDenied.into()),
            _ => Ok(()),
        },
        local_key: &|_, _| Ok(vec![7; 32]),
        check_target: &|target| match target.split_once("://") {
            Some(_) => Err(format!("{target} is no target")),
            None => Ok(()),
        },
    };
    Config::from_lookup(&lookup, &around)
}

#[test]
fn nothing_set_is_a_working_first_start() {
    let config = load(&[]).unwrap();
    assert_eq!(config.http.public_url, "http://localhost:4000");
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:4000");
    assert_eq!(config.database.url, "sqlite:./data/dash.db");
    assert_eq!(config.secrets.encryption_key, [7; 32]);
    assert_eq!(config.http.client_ip_header, None);
    assert_eq!(config.log.filter, DEFAULT_LOG_FILTER);
    assert!(config.http.is_local() && !config.http.is_https());
}

#[test]
fn right_values_are_taken() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let config = load(&[
        ("DASH_HOST", "dash.example.com"),
        ("DASH_LISTEN", "::"),
        ("PORT", "80"),
        ("DASH_CLIENT_IP_HEADER", "Fly-Client-IP"),
        ("DATABASE_URL", "postgres://dash:pw@db/dash"),
        ("DATABASE_REPLICA_URL", "postgresql://dash:pw@copy/dash"),
        (
            "SECRET_KEY_BASE",
            "0123456789012345678901234567890123456789",
        ),
        ("ENCRYPTION_KEY", key),
        ("DASH_ALLOW_TARGETS", "erp.internal, 10.0.0.0/8,"),
        ("DASH_LOG", "warn,dash_api::http=debug"),
        ("DASH_LOG_FORMAT", "json"),
    ])
    .unwrap();
    assert_eq!(config.http.public_url, "https://dash.example.com");
    assert_eq!(
        config.database.replica_url.unwrap(),
        "postgresql://dash:pw@copy/dash"
    );
    assert_eq!(config.http.listen.to_string(), "[::]:80");
    assert!(config.http.is_https() && !config.http.is_local());
    assert_eq!(config.http.client_ip_header.unwrap(), "fly-client-ip");
    assert_eq!(config.secrets.encryption_key[31], 31);
    assert_eq!(
        config.outbound.allowed_targets,
        ["erp.internal", "10.0.0.0/8"]
    );
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.log.filter, "warn,dash_api::http=debug");
}

#[test]
fn each_wrong_value_is_named_with_a_right_example() {
    for (variable, value) in [
        ("DASH_HOST", "https://dash.example.com/app"),
        ("DASH_HOST", "ftp://dash.example.com"),
        ("DASH_LISTEN", "localhost"),
        ("PORT", "http"),
        ("PORT", "70000"),
        ("DASH_WEB_DIR", "/nowhere"),
        ("DASH_CLIENT_IP_HEADER", "x forwarded for"),
        ("DASH_CLIENT_IP_HEADER", "Forwarded"),
        ("DASH_DATA_DIR", "/proc/dash"),
        ("DATABASE_URL", "mysql://root:hunter2@db/dash"),
        ("DATABASE_URL", "sqlite:"),
        ("DATABASE_REPLICA_URL", "mysql://root:hunter2@db/dash"),
        ("DATABASE_REPLICA_URL", "postgres://root:hunter2@db/dash"),
        ("DATABASE_MAX_CONNECTIONS", "1"),
        ("SECRET_KEY_BASE", "short"),
        ("ENCRYPTION_KEY", "c2hvcnQ="),
        ("DASH_ALLOW_TARGETS", "http://erp.internal"),
        ("DASH_LOG", "dash_api=loud"),
        ("DASH_LOG_FORMAT", "xml"),
    ] {
        let errors = load(&[(variable, value)]).unwrap_err();
        assert_eq!(errors.0.len(), 1, "{variable}={value}: {errors}");
        assert_eq!(errors.0[0].variable, variable);
        let text = errors.to_string();
        assert!(
            text.contains(&format!("{variable}={}", errors.0[0].example)),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let errors = load(&[
        ("PORT", "x"),
        ("DASH_CLIENT_IP_HEADER", "a b"),
        ("DASH_DATA_DIR", "/proc/dash"),
        ("DASH_ALLOW_TARGETS", "http://a,http://b"),
        ("DASH_LOG", "x=x"),
        ("DASH_LOG_FORMAT", "x"),
        ("ENCRYPTION_KEY", "x"),
    ]);
    assert_eq!(errors.unwrap_err().0.len(), 8);
}

#[test]
fn a_public_site_on_postgresql_is_given_its_keys() {
    let public = [
        ("DATABASE_URL", "postgres://db/dash"),
        ("DASH_HOST", "dash.example.com"),
    ];
    let missing: Vec<_> = load(&public)
        .unwrap_err()
        .0
        .iter()
        .map(|e| e.variable)
        .collect();
    assert_eq!(missing, ["SECRET_KEY_BASE", "ENCRYPTION_KEY"]);
    assert!(load(&public[..1]).is_ok());
}

#[test]
fn secrets_are_not_in_the_debug_text() {
    let config = load(&[
        (
            "DATABASE_URL",
            "postgres://dash:hunter2@db/dash?password=hunter2",
        ),
        ("DATABASE_REPLICA_URL", "postgres://dash:hunter2@copy/dash"),
        ("SECRET_KEY_BASE", "hunter2hunter2hunter2hunter2hunter2"),
    ])
    .unwrap();
    let text = format!("{config:?}");
    assert!(
        !text.contains("hunter2")
            && text.contains("postgres://dash@db/dash")
            && text.contains("postgres://dash@copy/dash"),
        "{text}"
    );
}

#[test]
fn a_local_key_is_made_once() {
    let dir = std::env::temp_dir().join(format!("dash-keys-{}", uuid::Uuid::now_v7()));
    let first = keys::read_or_make(&dir, "k").unwrap();
    assert_eq!(keys::read_or_make(&dir, "k").unwrap(), first);
    assert_eq!(first.len(), 32);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(dir.join("secrets/k"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::write(dir.join("secrets/k"), "cut").unwrap();
    assert!(
        keys::read_or_make(&dir, "k").is_err(),
        "a damaged key is never replaced"
    );
    std::fs::remove_dir_all(&dir).unwrap();
}
