//! From what a use case says to what the API says: expected refusals are data, all else has a code in `errors[]`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use async_graphql::{Context, Error, ErrorExtensions, Result, SimpleObject};
use audit::{Ctx, Language, Refusal};
use serde_json::json;

use super::ContextExt;
use super::disclosure::{Class, disclosure};

/// A field that can fail and may be null: only this form nulls the field itself and nothing above it.
pub(super) type Maybe<T> = Option<Result<T>>;

/// Codes in `extensions.code` of errors that a resolver reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorCode {
    /// A token is needed.
    Unauthenticated,
    /// The caller's role may not do this.
    Forbidden,
    /// An id, cursor or page that cannot be meant.
    BadUserInput,
    /// The service failed; the log knows why.
    Internal,
}

impl ErrorCode {
    /// The code as it is sent.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Internal => "INTERNAL",
        }
    }

    fn message(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Unauthenticated, Language::De) => {
                "Bitte melden Sie sich an: dafür ist ein gültiges Token nötig."
            }
            (Self::Unauthenticated, Language::En) => "Sign in: this needs a valid token.",
            (Self::Forbidden, Language::De) => "Ihre Rolle erlaubt das nicht.",
            (Self::Forbidden, Language::En) => "Your role does not permit this.",
            (Self::BadUserInput, Language::De) => "Diese Angabe ist nicht verwendbar.",
            (Self::BadUserInput, Language::En) => "This input cannot be used.",
            (Self::Internal, Language::De) => {
                "Der Dienst hat einen Fehler. Bitte nennen Sie der Administration die Kennung der Anfrage."
            }
            (Self::Internal, Language::En) => {
                "The service failed. Tell the administration the id of the request."
            }
        }
    }
}

/// Why a mutation did not do what was asked: expected, and for the person in front of the screen.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Public))]
pub(super) struct UserError {
    /// What was wrong; codes never change.
    code: String,
    /// The same in words, in the language of the request.
    message: String,
    /// The input field it is about, from `input` on; empty where no single field is to blame.
    path: Vec<String>,
}

impl UserError {
    fn new(refusal: &Refusal, language: Language) -> Self {
        Self {
            code: refusal.code.as_str().to_owned(),
            message: refusal.message(language),
            path: refusal
                .path
                .split('.')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// Splits the outcome of a mutation into what was done and why not.
pub(super) fn settle<T>(ctx: &Context<'_>, outcome: audit::Result<T>) -> Result<(Option<T>, Vec<UserError>)> {
    match outcome {
        Ok(done) => Ok((Some(done), Vec::new())),
        Err(audit::Error::Refused(refusals)) => {
            let language = ctx.language();
            Ok((
                None,
                refusals
                    .iter()
                    .map(|refusal| UserError::new(refusal, language))
                    .collect(),
            ))
        }
        Err(error) => Err(failure(ctx, &error)),
    }
}

/// The error of a field for what went wrong in a use case.
pub(super) fn failure(ctx: &Context<'_>, error: &audit::Error) -> Error {
    report(ctx.audit(), ctx.language(), error)
}

/// The error of a field that needs a token.
pub(super) fn unauthenticated(ctx: &Context<'_>) -> Error {
    let code = ErrorCode::Unauthenticated;
    Error::new(code.message(ctx.language()))
        .extend_with(|_, extensions| extensions.set("code", code.as_str()))
}

/// A use case's answer as a field's.
pub(super) fn field<T>(ctx: &Context<'_>, outcome: audit::Result<T>) -> Result<T> {
    outcome.map_err(|error| failure(ctx, &error))
}

/// Input that cannot be meant: a malformed id, a cursor of another list.
pub(super) fn bad_input(path: &str, message: impl Into<String>) -> Error {
    let path = path.to_owned();
    Error::new(message).extend_with(|_, extensions| {
        extensions.set("code", ErrorCode::BadUserInput.as_str());
        extensions.set("input", path.as_str());
    })
}

fn report(ctx: &Ctx, language: Language, error: &audit::Error) -> Error {
    let coded = |code: ErrorCode, message: String| {
        Error::new(message).extend_with(|_, extensions| extensions.set("code", code.as_str()))
    };
    match error {
        audit::Error::Forbidden(action) => {
            let code = forbidden(ctx);
            coded(code, code.message(language).to_owned())
                .extend_with(|_, extensions| extensions.set("action", action.as_str()))
        }
        audit::Error::Refused(refusals) => {
            let message = refusals.first().map_or_else(
                || ErrorCode::BadUserInput.message(language).to_owned(),
                |refusal| refusal.message(language),
            );
            let (reason, input) = refusals
                .first()
                .map(|refusal| (refusal.code.as_str(), refusal.path.as_str()))
                .unwrap_or_default();
            coded(ErrorCode::BadUserInput, message).extend_with(|_, extensions| {
                extensions.set("reason", reason);
                extensions.set("input", input);
            })
        }
        audit::Error::Database(_) | audit::Error::Internal(_) => {
            tracing::error!(request_id = %ctx.request_id, cause = %error, "a use case failed");
            let id = ctx.request_id.to_string();
            coded(
                ErrorCode::Internal,
                ErrorCode::Internal.message(language).to_owned(),
            )
            .extend_with(|_, extensions| extensions.set("requestId", id.as_str()))
        }
    }
}

/// Whoever showed no token is asked for one before being told of rights.
const fn forbidden(ctx: &Ctx) -> ErrorCode {
    if ctx.caller.authenticated {
        ErrorCode::Forbidden
    } else {
        ErrorCode::Unauthenticated
    }
}

/// The same as a plain HTTP answer, for routes beside GraphQL: uploads and downloads.
pub fn refusal_json(error: &audit::Error, ctx: &Ctx, language: Language) -> HttpResponse {
    if let audit::Error::Refused(refusals) = error {
        let errors: Vec<_> = refusals
            .iter()
            .map(|refusal| UserError::new(refusal, language))
            .map(|error| json!({ "code": error.code, "message": error.message, "path": error.path }))
            .collect();
        return HttpResponse::UnprocessableEntity().json(json!({ "userErrors": errors }));
    }
    let (status, code) = match error {
        audit::Error::Forbidden(_) => match forbidden(ctx) {
            ErrorCode::Unauthenticated => (StatusCode::UNAUTHORIZED, ErrorCode::Unauthenticated),
            code => (StatusCode::FORBIDDEN, code),
        },
        _ => (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal),
    };
    let said = report(ctx, language, error);
    HttpResponse::build(status).json(json!({
        "error": { "code": code.as_str(), "message": said.message, "requestId": ctx.request_id },
    }))
}

/// A mutation's payload: what was changed, and why not.
macro_rules! payload {
    ($(#[$meta:meta])* $name:ident { $(#[$doc:meta])* $field:ident: $type:ty }) => {
        $(#[$meta])*
        #[derive(async_graphql::SimpleObject)]
        #[graphql(directive = $crate::graphql::disclosure::disclosure::apply($crate::graphql::disclosure::Class::Internal))]
        pub(super) struct $name {
            $(#[$doc])*
            $field: Option<$type>,
            /// Why it was refused; empty where it was done.
            user_errors: Vec<$crate::graphql::error::UserError>,
        }

        impl $name {
            /// The payload of an outcome.
            fn of<R>(ctx: &async_graphql::Context<'_>, outcome: audit::Result<R>) -> async_graphql::Result<Self>
            where
                $type: From<R>,
            {
                let (done, user_errors) = $crate::graphql::error::settle(ctx, outcome)?;
                Ok(Self { $field: done.map(Into::into), user_errors })
            }
        }
    };
}
pub(super) use payload;
