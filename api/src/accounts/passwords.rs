//! Hashing passwords with Argon2id, off the async threads and only a few at a time.

use std::sync::{Arc, OnceLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::AccountsError;
use crate::config::PasswordParams;

/// Hashes computed at the same time. Each takes a core and some 20 MB for a while: log-ins wait
/// for each other before they slow everybody else.
const PARALLEL_HASHES: usize = 2;

#[derive(Clone, Debug)]
pub(super) struct Passwords {
    params: PasswordParams,
    permits: Arc<Semaphore>,
    /// The hash of no one's password, compared with where there is no account.
    decoy: Arc<OnceLock<String>>,
}

impl Passwords {
    pub(super) fn new(params: PasswordParams) -> Self {
        Self {
            params,
            permits: Arc::new(Semaphore::new(PARALLEL_HASHES)),
            decoy: Arc::default(),
        }
    }

    /// The hash of a new password, in PHC format.
    pub(super) async fn hash(&self, password: String) -> Result<String, AccountsError> {
        let params = self.params;
        self.run(move || hash(params, &password)).await
    }

    /// Whether `password` is the one behind `hash`. Without a hash it is not, after the same work.
    pub(super) async fn verify(
        &self,
        password: String,
        hash_of_account: Option<String>,
    ) -> Result<bool, AccountsError> {
        let (params, decoy) = (self.params, Arc::clone(&self.decoy));
        self.run(move || {
            if let Some(known) = hash_of_account {
                return verify(&password, &known);
            }
            let decoy = match decoy.get() {
                Some(decoy) => decoy,
                None => decoy.get_or_init(|| hash(params, "nobody's password").unwrap_or_default()),
            };
            verify(&password, decoy).map(|_| false)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AccountsError> + Send + 'static,
    ) -> Result<T, AccountsError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| AccountsError::Internal("password hashing has ended"))?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work, not by the request: one who hangs up frees no place early.
            let _permit = permit;
            work()
        });
        done.await
            .map_err(|_| AccountsError::Internal("password hashing was cut off"))?
    }
}

fn hash(params: PasswordParams, password: &str) -> Result<String, AccountsError> {
    let params = Params::new(params.memory_kib, params.passes, params.lanes, None)
        .map_err(|_| AccountsError::Internal("the password parameters are not valid"))?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes())
        .map(|hash: PasswordHash| hash.to_string())
        .map_err(|_| AccountsError::Internal("a password could not be hashed"))
}

fn verify(password: &str, hash: &str) -> Result<bool, AccountsError> {
    // The parameters are those of the hash, so that they can be raised later.
    match Argon2::default().verify_password(password.as_bytes(), hash) {
        Ok(()) => Ok(true),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(_) => Err(AccountsError::Internal(
            "a stored password hash is not readable",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Passwords {
        Passwords::new(PasswordParams {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        })
    }

    #[tokio::test]
    async fn only_the_right_password_fits_its_hash() {
        let passwords = cheap();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse".into()).await.unwrap());
        assert!(
            passwords
                .verify("correct horse".into(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("correct horsf".into(), Some(hash))
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn no_account_has_a_password() {
        let passwords = cheap();
        for password in ["", "nobody's password"] {
            assert!(!passwords.verify(password.into(), None).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_hash_made_with_other_parameters_still_fits() {
        let old = cheap().hash("correct horse".into()).await.unwrap();
        let new = Passwords::new(PasswordParams {
            memory_kib: 128,
            passes: 2,
            lanes: 1,
        });
        assert!(new.verify("correct horse".into(), Some(old)).await.unwrap());
    }
}
