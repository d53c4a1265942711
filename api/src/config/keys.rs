//! The keys of an installation: given by the operator, or made once and kept in the data folder.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use rand::Rng;

use super::SecretsConfig;
use super::variables::Variables;

pub(super) const SECRET_EXAMPLE: &str = "$(openssl rand -base64 48)";
pub(super) const ENCRYPTION_EXAMPLE: &str = "$(openssl rand -base64 32)";

/// The keys that were given, completed with local ones where that is allowed.
pub(super) fn complete(
    vars: &mut Variables<'_>,
    (secret_key_base, encryption_key): (Option<Vec<u8>>, Option<Vec<u8>>),
    must_be_given: bool,
    local_key: &dyn Fn(&str) -> io::Result<Vec<u8>>,
) -> SecretsConfig {
    let mut complete = |given: Option<Vec<u8>>, variable, file_name, example| {
        given.unwrap_or_else(|| {
            if must_be_given {
                let problem = "it is missing, and needed for a public site on PostgreSQL";
                vars.mistake(variable, problem, example);
                return Vec::new();
            }
            local_key(file_name).unwrap_or_else(|error| {
                let problem = format!("it is not set and no key can be kept locally: {error}");
                vars.mistake(variable, problem, example);
                Vec::new()
            })
        })
    };
    let secret_key_base = complete(
        secret_key_base,
        "SECRET_KEY_BASE",
        "secret_key_base",
        SECRET_EXAMPLE,
    );
    let encryption_key = complete(
        encryption_key,
        "ENCRYPTION_KEY",
        "encryption_key",
        ENCRYPTION_EXAMPLE,
    );
    // A key of the wrong length has a mistake noted already: this value is never used.
    let encryption_key = encryption_key.try_into().unwrap_or([0; 32]);
    SecretsConfig {
        secret_key_base,
        encryption_key,
        metrics_token: vars.text("DASH_METRICS_TOKEN"),
    }
}

/// The key `name` in the `secrets` folder of `data_dir`, made if it is not there yet.
pub(super) fn read_or_make(data_dir: &Path, name: &str) -> io::Result<Vec<u8>> {
    let folder = data_dir.join("secrets");
    let path = folder.join(name);
    match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    fs::create_dir_all(&folder)?;
    let mut key = [0u8; 32];
    rand::rng().fill_bytes(&mut key);
    // Written aside and then linked into place: of two processes that start at once, one wins
    // and both use its key.
    let aside = folder.join(format!("{name}.{}", std::process::id()));
    let mut file = create_private(&aside)?;
    file.write_all(&key)?;
    file.sync_all()?;
    let linked = fs::hard_link(&aside, &path);
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read(&path),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut key = Vec::new();
    File::open(path)?.read_to_end(&mut key)?;
    if key.len() == 32 {
        return Ok(key);
    }
    let problem = format!("{} does not hold 32 bytes", path.display());
    Err(io::Error::new(io::ErrorKind::InvalidData, problem))
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<File> {
    File::create(path)
}
