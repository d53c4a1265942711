//! The direction of dependencies, read from the source: arrows point inward, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which modules of the server each module may use. `main` and `lib` are not modules of their own.
const MAY_USE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("config", &[]),
    ("db", &[]),
    ("outbound", &[]),
    ("running", &[]),
    ("secrets", &[]),
    ("telemetry", &["config"]),
    ("jobs", &["clock", "db"]),
    ("events", &["db"]),
    ("data", &["clock", "db", "events", "running"]),
    ("accounts", &["clock", "config", "db"]),
    ("engine", &["clock", "data", "outbound"]),
    (
        "pipelines",
        &[
            "accounts", "clock", "data", "db", "engine", "events", "jobs", "secrets",
        ],
    ),
    (
        "dashboards",
        &[
            "accounts",
            "clock",
            "data",
            "db",
            "events",
            "pipelines",
            "running",
        ],
    ),
    (
        "sinks",
        &[
            "accounts",
            "clock",
            "data",
            "db",
            "events",
            "jobs",
            "outbound",
            "pipelines",
            "secrets",
        ],
    ),
    (
        "graphql",
        &[
            "accounts",
            "clock",
            "dashboards",
            "data",
            "engine",
            "pipelines",
            "running",
            "sinks",
            "telemetry",
        ],
    ),
    (
        "http",
        &[
            "accounts",
            "app",
            "config",
            "engine",
            "graphql",
            "pipelines",
            "telemetry",
        ],
    ),
    (
        "app",
        &[
            "accounts",
            "clock",
            "config",
            "dashboards",
            "data",
            "db",
            "engine",
            "events",
            "graphql",
            "jobs",
            "outbound",
            "pipelines",
            "secrets",
            "sinks",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The modules that each module of the server uses.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let folder = root().join("api/src");
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in sources(&folder) {
        let place = path.strip_prefix(&folder).unwrap();
        let module = place
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy();
        let module = module.trim_end_matches(".rs").to_owned();
        if module == "main" || module == "lib" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code: Vec<_> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let names = uses.entry(module.clone()).or_default();
        for part in code.join("\n").split("crate::").skip(1) {
            let name: String = part
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if name != module {
                names.insert(name);
            }
        }
    }
    uses
}

#[test]
fn dependencies_of_the_server_point_inward() {
    let allowed: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let mut wrong = Vec::new();
    for (module, used) in uses() {
        let Some(allowed) = allowed.get(module.as_str()) else {
            wrong.push(format!("{module} is new: say in MAY_USE what it may use"));
            continue;
        };
        let odd = used.iter().filter(|name| !allowed.contains(&name.as_str()));
        wrong.extend(odd.map(|name| format!("{module} uses {name}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_allowed_dependencies_have_no_cycle() {
    // `http` and `app` know each other: the router is given the application.
    let mut left: BTreeMap<_, Vec<_>> = MAY_USE
        .iter()
        .map(|(m, used)| (*m, used.to_vec()))
        .collect();
    while !left.is_empty() {
        let free: Vec<_> = left
            .iter()
            .filter(|(_, used)| used.is_empty())
            .map(|(m, _)| *m)
            .collect();
        assert!(!free.is_empty(), "a cycle among {:?}", left.keys());
        for module in free {
            left.remove(module);
            for used in left.values_mut() {
                used.retain(|name| *name != module);
            }
        }
    }
}

fn dependencies(package: &str) -> String {
    let text = std::fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
    text.split_once("[dependencies]").unwrap().1.to_owned()
}

#[test]
fn what_both_sides_share_knows_neither_side() {
    let shared = dependencies("shared");
    for package in [
        "dash-api", "sea-orm", "sqlx", "axum", "tokio", "leptos", "web-sys",
    ] {
        assert!(!shared.contains(package), "shared depends on {package}");
    }
    let web = dependencies("web");
    for package in ["dash-api", "dash-migrations", "sea-orm", "axum"] {
        assert!(!web.contains(package), "web depends on {package}");
    }
    assert!(!dependencies("api").contains("dash-web"));
}

#[test]
fn every_path_in_architecture_md_exists() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut checked = 0;
    for quoted in text.split('`').skip(1).step_by(2) {
        let extension = Path::new(quoted).extension();
        let is_file = extension.is_some_and(|extension| extension == "md" || extension == "rs");
        let is_path = quoted.contains('/') || is_file;
        let plain = quoted
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        if is_path && plain && !quoted.starts_with('/') {
            assert!(
                root().join(quoted).exists(),
                "ARCHITECTURE.md names {quoted}"
            );
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} paths found");
}
