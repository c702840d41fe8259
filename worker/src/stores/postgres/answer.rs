//! What a database answered, for people.

use std::error::Error as _;

use mlpipeline_crds::TableLocation;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::credentials::Credentials;
use crate::network::chain;
use crate::stores::StoreError;

/// Classes of answers after which another try can end otherwise: connections, resources, operators, deadlocks.
const PASSING: [&str; 5] = ["08", "53", "57", "58", "40"];

/// Tells errors of one table.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    place: String,
    database: String,
    credentials: Credentials,
}

impl Answer {
    pub(super) fn new(location: &TableLocation, credentials: &Credentials) -> Self {
        let TableLocation { host, port, database, schema, table } = location;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        Self {
            place: format!("postgres://{host}:{port}/{database}/{schema}.{table}"),
            database: database.clone(),
            credentials: credentials.clone(),
        }
    }

    pub(super) fn spec(&self, problem: String) -> StoreError {
        StoreError::Spec { place: self.place.clone(), problem }
    }

    pub(super) fn refused(&self, problem: String) -> StoreError {
        StoreError::Refused { place: self.place.clone(), problem }
    }

    pub(super) fn unreachable(&self, problem: String) -> StoreError {
        StoreError::Unreachable { place: self.place.clone(), problem }
    }

    pub(super) fn not_found(&self, problem: String) -> StoreError {
        StoreError::NotFound { place: self.place.clone(), problem }
    }

    pub(super) fn content(&self, problem: String) -> StoreError {
        StoreError::Content { place: self.place.clone(), problem }
    }

    pub(super) fn credentials(&self, credentials: &Credentials) -> StoreError {
        let place = self.place.clone();
        let names = if credentials.are_named() { "username and password" } else { "PGUSER and PGPASSWORD" };
        let problem = format!(
            "no user name: {names} are looked for in {}; name a Secret with username and password in secret",
            credentials.place()
        );
        StoreError::Credentials { place, problem }
    }

    /// An error of the database or of the way to it.
    pub(super) fn of(&self, action: &str, error: &Error) -> StoreError {
        let Some(said) = error.as_db_error() else {
            return self.of_the_way(action, error);
        };
        let code = said.code();
        if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
            // The server's words name the user.
            let problem = "the server does not let this user in: look at username and password of the Secret, and at its pg_hba.conf";
            return self.refused(problem.to_owned());
        }
        if *code == SqlState::INVALID_CATALOG_NAME {
            return self.not_found(format!("there is no database {} there", self.database));
        }
        if *code == SqlState::LOCK_NOT_AVAILABLE {
            return self.unreachable("somebody else keeps the table locked".to_owned());
        }
        let problem = format!("cannot {action}: {}", self.credentials.redact(&words(said)));
        if PASSING.iter().any(|class| code.code().starts_with(class)) {
            return self.unreachable(problem);
        }
        self.refused(problem)
    }

    fn of_the_way(&self, action: &str, error: &Error) -> StoreError {
        let text = chain(error);
        // Certificates that are wrong today are wrong tomorrow.
        let mut cause = error.source();
        while let Some(current) = cause {
            let held = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            let tls = held.and_then(|held| held.downcast_ref()).or_else(|| current.downcast_ref());
            if let Some(rustls::Error::InvalidCertificate(problem)) = tls {
                return self.refused(format!(
                    "its certificate is not accepted: {problem:?}; look at ca.crt and the host's name"
                ));
            }
            cause = current.source();
        }
        match text.as_str() {
            _ if text.contains("server does not support TLS") => self.refused(
                "the server has no TLS, so that nobody knows who answers; where the network is trusted, give the Secret the key sslmode with the value disable"
                    .to_owned(),
            ),
            _ if text.contains("password missing") => self.refused(
                "the server asks for a password, and there is none; give the Secret the key password"
                    .to_owned(),
            ),
            _ => self.unreachable(format!("cannot {action}: {text}")),
        }
    }
}

/// The server's own words, with the place that they speak of.
fn words(said: &DbError) -> String {
    let place = said.where_().and_then(|place| place.lines().next()).map(|place| format!(" ({place})"));
    format!("{}{}", said.message(), place.unwrap_or_default())
}
