//! One error type for all use cases, without transport.

use sea_orm::{DbErr, RuntimeErr};

use crate::access::Action;
use crate::refusal::{Code, Refusal};

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Visible to the caller, but not allowed.
    #[error("the caller may not {0:?}")]
    Forbidden(Action),
    /// Refused by a rule: expected, and data for the caller.
    #[error("refused: {0:?}")]
    Refused(Vec<Refusal>),
    /// The database failed. The text stays inside.
    #[error("database: {0}")]
    Database(DbErr),
    /// Something that must not happen. The text stays inside.
    #[error("internal: {0}")]
    Internal(String),
}

impl Error {
    /// An error whose text stays in the log.
    pub fn internal(text: impl Into<String>) -> Self {
        Self::Internal(text.into())
    }

    /// One refusal, naming the input field by its path.
    pub fn refused(code: Code, path: &str) -> Self {
        Self::Refused(vec![Refusal::new(code, path)])
    }

    /// Whether the disk is full.
    pub fn is_storage_full(&self) -> bool {
        matches!(self, Self::Refused(refusals) if refusals.iter().any(|refusal| refusal.code == Code::StorageFull))
    }

    /// One refusal with a detail that the message shows: a number, a line, a name. Never social data.
    pub fn refused_with(code: Code, path: &str, detail: impl std::fmt::Display) -> Self {
        Self::Refused(vec![Refusal::new(code, path).with(detail)])
    }
}

/// A row that must be there, since another one refers to it.
pub(crate) fn required<T>(row: Option<T>) -> Result<T> {
    row.ok_or_else(|| Error::internal("a row that is referred to is missing"))
}

/// Refuses a change of a row that is not any more, or not yet, what the caller saw; says what it is.
pub(crate) fn must_be_version(version: i32, expected: i32) -> Result<()> {
    if version == expected {
        Ok(())
    } else {
        Err(Error::refused_with(
            Code::StaleVersion,
            "input.expectedVersion",
            version,
        ))
    }
}

/// A full disk is the operator's to mend and the user's to know; all else stays inside.
impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        let full = match &error {
            DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
                disk_full(cause)
            }
            _ => false,
        };
        if full {
            Self::refused(Code::StorageFull, "")
        } else {
            Self::Database(error)
        }
    }
}

/// PostgreSQL's SQLSTATE `disk_full` (53100) and SQLite's `SQLITE_FULL` (13): codes, since texts come in many languages.
fn disk_full(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == "53100" || code == "13")
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if disk_full(&error) {
            Self::refused(Code::StorageFull, "")
        } else {
            Self::Database(DbErr::Custom(error.to_string()))
        }
    }
}
