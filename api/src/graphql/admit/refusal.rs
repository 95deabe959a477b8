//! Why an operation is not run, in words. Everything here is decided before execution begins.

use async_graphql::{ErrorExtensionValues, Pos, ServerError};
use audit::reads::Asked;

use super::disclosure::Offence;
use crate::language::Language;

/// Stable codes of errors that the edge itself reports in `extensions.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The input is malformed.
    BadUserInput,
    /// The operation asks for more than the limits allow.
    LimitExceeded,
    /// The document is not GraphQL.
    ParseFailed,
    /// The document does not fit the schema.
    ValidationFailed,
    /// The caller may not do this.
    Forbidden,
    /// The HTTP method does not fit the operation.
    MethodNotAllowed,
    /// Nobody is signed in.
    Unauthenticated,
}

impl Code {
    /// The code as it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::Forbidden => "FORBIDDEN",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

/// The limit that was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`super::Limits::body_bytes`].
    Bytes,
    /// [`super::Limits::tokens`].
    Tokens,
    /// Brackets, fields and fragments within each other.
    Nesting,
    /// [`super::Limits::depth`].
    Depth,
    /// [`super::Limits::cost`].
    Cost,
    /// [`super::Limits::aliases`].
    Aliases,
    /// [`super::Limits::directives`].
    Directives,
    /// [`super::Limits::selections`].
    Selections,
    /// Lists of fields and types within each other in introspection.
    Introspection,
    /// Bytes of a name.
    Name,
}

impl Limit {
    fn name(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Bytes, Language::De) => "Bytes",
            (Self::Bytes, Language::En) => "bytes",
            (Self::Tokens, Language::De) => "Zeichen (Token)",
            (Self::Tokens, Language::En) => "tokens",
            (Self::Nesting, Language::De) => "Verschachtelungen",
            (Self::Nesting, Language::En) => "levels of nesting",
            (Self::Depth, Language::De) => "Feldebenen",
            (Self::Depth, Language::En) => "levels of fields",
            (Self::Cost, Language::De) => "Kostenpunkte",
            (Self::Cost, Language::En) => "cost points",
            (Self::Aliases, Language::De) => "Aliasse",
            (Self::Aliases, Language::En) => "aliases",
            (Self::Directives, Language::De) => "Direktiven",
            (Self::Directives, Language::En) => "directives",
            (Self::Selections, Language::De) => "Auswahlen (Fragmente aufgelöst)",
            (Self::Selections, Language::En) => "selections (fragments expanded)",
            (Self::Name, Language::De) => "Bytes je Name",
            (Self::Name, Language::En) => "bytes a name",
            (Self::Introspection, Language::De) => "ineinander liegende Listen der Introspektion",
            (Self::Introspection, Language::En) => "introspection lists within each other",
        }
    }
}

/// One reason for a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The text is not a GraphQL document.
    NotGraphql,
    /// The document has no operation.
    NoOperation,
    /// An operation stands beside an anonymous one.
    AnonymousBesideOthers,
    /// Two operations or two fragments have the same name.
    DuplicateName(String),
    /// No operation has the name that was asked for.
    UnknownOperation(String),
    /// Several operations, none chosen.
    OperationNameRequired,
    /// A fragment leads back to itself.
    FragmentCycle(String),
    /// A fragment that no operation uses.
    UnusedFragment(String),
    /// A variable is declared with a type that takes no input.
    VariableType {
        /// Name of the variable.
        variable: String,
        /// The declared type.
        declared: String,
    },
    /// A limit is exceeded.
    Limit {
        /// Which one.
        limit: Limit,
        /// What is allowed.
        allowed: u64,
    },
    /// The caller may not introspect the schema.
    IntrospectionForbidden,
    /// A value that is required was not given.
    Missing {
        /// Where: `$input.items[0].amount`.
        path: String,
        /// The type that is expected.
        expected: String,
    },
    /// A value that does not fit its type.
    Unfit {
        /// Where.
        path: String,
        /// The type that is expected.
        expected: String,
    },
    /// A field that its input type does not have.
    UnknownField {
        /// Where.
        path: String,
        /// The input type.
        parent: String,
    },
    /// An input of which exactly one field must be given.
    OneOf {
        /// Where.
        path: String,
        /// The input type.
        parent: String,
    },
    /// A value that its scalar refuses.
    Scalar {
        /// Where.
        path: String,
        /// The scalar.
        scalar: String,
        /// Why, in the scalar's words.
        detail: String,
    },
    /// A mutation was sent by GET.
    OnlyQueriesByGet,
    /// Something confidential was asked for by GET.
    ConfidentialByGet,
    /// The operation needs a class that the caller lacks.
    Disclosure(Offence),
    /// The operation needs a token.
    TokenRequired,
}

impl Reason {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::NotGraphql => Code::ParseFailed,
            Self::NoOperation
            | Self::AnonymousBesideOthers
            | Self::DuplicateName(_)
            | Self::FragmentCycle(_)
            | Self::UnusedFragment(_)
            | Self::VariableType { .. } => Code::ValidationFailed,
            Self::Limit { .. } => Code::LimitExceeded,
            Self::IntrospectionForbidden | Self::Disclosure(_) => Code::Forbidden,
            Self::TokenRequired => Code::Unauthenticated,
            Self::UnknownOperation(_)
            | Self::OperationNameRequired
            | Self::Missing { .. }
            | Self::Unfit { .. }
            | Self::UnknownField { .. }
            | Self::OneOf { .. }
            | Self::Scalar { .. } => Code::BadUserInput,
            Self::OnlyQueriesByGet | Self::ConfidentialByGet => Code::MethodNotAllowed,
        }
    }

    /// The reason in words.
    pub fn message(&self, language: Language) -> String {
        match language {
            Language::De => self.german(),
            Language::En => self.english(),
        }
    }

    fn german(&self) -> String {
        match self {
            Self::NotGraphql => "Das Dokument ist kein gültiges GraphQL.".to_owned(),
            Self::NoOperation => "Das Dokument enthält keine Operation.".to_owned(),
            Self::AnonymousBesideOthers => {
                "Neben einer Operation ohne Namen darf keine andere stehen.".to_owned()
            }
            Self::DuplicateName(name) => format!("Der Name „{name}“ ist doppelt vergeben."),
            Self::UnknownOperation(name) => {
                format!("Das Dokument enthält keine Operation „{name}“.")
            }
            Self::OperationNameRequired => {
                "Das Dokument enthält mehrere Operationen; operationName muss eine wählen.".to_owned()
            }
            Self::FragmentCycle(name) => {
                format!("Das Fragment „{name}“ führt auf sich selbst zurück.")
            }
            Self::UnusedFragment(name) => format!("Das Fragment „{name}“ wird nicht verwendet."),
            Self::VariableType { variable, declared } => {
                format!("Die Variable ${variable} hat keinen Eingabetyp: {declared}.")
            }
            Self::Limit { limit, allowed } => {
                format!(
                    "Zu umfangreich: höchstens {allowed} {}.",
                    limit.name(Language::De)
                )
            }
            Self::IntrospectionForbidden => "Die Introspektion ist nicht freigegeben.".to_owned(),
            Self::Missing { path, expected } => {
                format!("{path} fehlt; erwartet wird {expected}.")
            }
            Self::Unfit { path, expected } => {
                format!("{path} passt nicht; erwartet wird {expected}.")
            }
            Self::UnknownField { path, parent } => {
                format!("{path} ist kein Feld von {parent}.")
            }
            Self::OneOf { path, parent } => {
                format!("{path}: {parent} verlangt genau ein Feld, und dieses nicht null.")
            }
            Self::Scalar { path, scalar, detail } => {
                format!("{path} ist kein gültiger Wert für {scalar}: {detail}")
            }
            Self::OnlyQueriesByGet => "Mit GET sind nur Abfragen (query) möglich.".to_owned(),
            Self::ConfidentialByGet => {
                "Vertrauliches wird mit POST abgefragt: Adressen stehen in Protokollen.".to_owned()
            }
            Self::Disclosure(offence) => format!(
                "{} ({}) ist mit dieser Rolle nicht zugänglich: {}.",
                offence.path,
                offence.field,
                offence.class.as_str()
            ),
            Self::TokenRequired => "Dafür ist eine Anmeldung nötig.".to_owned(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::NotGraphql => "The document is not valid GraphQL.".to_owned(),
            Self::NoOperation => "The document contains no operation.".to_owned(),
            Self::AnonymousBesideOthers => "An operation without a name must be the only one.".to_owned(),
            Self::DuplicateName(name) => format!("The name \"{name}\" is used twice."),
            Self::UnknownOperation(name) => {
                format!("The document contains no operation \"{name}\".")
            }
            Self::OperationNameRequired => {
                "The document contains several operations; operationName must choose one.".to_owned()
            }
            Self::FragmentCycle(name) => format!("The fragment \"{name}\" leads back to itself."),
            Self::UnusedFragment(name) => format!("The fragment \"{name}\" is not used."),
            Self::VariableType { variable, declared } => {
                format!("The variable ${variable} has no input type: {declared}.")
            }
            Self::Limit { limit, allowed } => {
                format!("Too large: at most {allowed} {}.", limit.name(Language::En))
            }
            Self::IntrospectionForbidden => "Introspection is not open.".to_owned(),
            Self::Missing { path, expected } => format!("{path} is missing; expected {expected}."),
            Self::Unfit { path, expected } => format!("{path} does not fit; expected {expected}."),
            Self::UnknownField { path, parent } => format!("{path} is not a field of {parent}."),
            Self::OneOf { path, parent } => {
                format!("{path}: {parent} takes exactly one field, which must not be null.")
            }
            Self::Scalar { path, scalar, detail } => format!("{path} is not a valid {scalar}: {detail}"),
            Self::OnlyQueriesByGet => "GET serves queries only.".to_owned(),
            Self::ConfidentialByGet => {
                "What is confidential is asked for by POST: addresses end up in logs.".to_owned()
            }
            Self::Disclosure(offence) => format!(
                "{} ({}) is not open to this role: {}.",
                offence.path,
                offence.field,
                offence.class.as_str()
            ),
            Self::TokenRequired => "This needs a token.".to_owned(),
        }
    }
}

/// A reason and where in the document it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub reason: Reason,
    /// Where in the document, if it is there.
    pub locations: Vec<Pos>,
}

/// The operation is not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// All reasons, never empty.
    pub faults: Vec<Fault>,
    /// What somebody who is known was refused for want of a class, where reading it would have been recorded.
    pub attempted: Option<Asked>,
}

impl Refusal {
    /// A refusal for one reason.
    pub(super) fn new(reason: Reason, locations: impl IntoIterator<Item = Pos>) -> Self {
        Self {
            faults: vec![Fault {
                reason,
                locations: locations.into_iter().collect(),
            }],
            attempted: None,
        }
    }

    /// A refusal because of a limit.
    pub(super) fn limit(limit: Limit, allowed: usize, at: Option<Pos>) -> Self {
        Self::new(
            Reason::Limit {
                limit,
                allowed: u64::try_from(allowed).unwrap_or(u64::MAX),
            },
            at,
        )
    }

    /// A refusal of an operation that needs classes the caller lacks. The anonymous learn no more than that.
    pub(super) fn disclosure(offences: Vec<Offence>, authenticated: bool) -> Self {
        if !authenticated {
            return Self::new(Reason::TokenRequired, None);
        }
        let faults = offences.into_iter().map(|offence| Fault {
            reason: Reason::Disclosure(offence),
            locations: Vec::new(),
        });
        Self {
            faults: faults.collect(),
            attempted: None,
        }
    }

    /// Whether another HTTP method would have served.
    pub fn needs_post(&self) -> bool {
        self.faults
            .iter()
            .any(|fault| fault.reason.code() == Code::MethodNotAllowed)
    }

    /// The errors as they are sent.
    pub fn errors(&self, language: Language) -> Vec<ServerError> {
        self.faults
            .iter()
            .map(|fault| {
                let mut error = coded(fault.reason.code().as_str(), fault.reason.message(language));
                error.locations.clone_from(&fault.locations);
                if let Reason::Disclosure(offence) = &fault.reason {
                    let extensions = error.extensions.get_or_insert_default();
                    extensions.set("path", offence.path.as_str());
                    extensions.set("field", offence.field.as_str());
                    extensions.set("class", offence.class.as_str());
                }
                error
            })
            .collect()
    }
}

/// An error with a code and nothing else.
pub fn coded(code: &str, message: String) -> ServerError {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    let mut error = ServerError::new(message, None);
    error.extensions = Some(extensions);
    error
}
