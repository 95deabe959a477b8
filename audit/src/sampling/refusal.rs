//! Refusals of the methods, and the place of the input that they are about.

use std::fmt::{self, Display};
use std::ops::Deref;

/// A refusal of one of the families of methods.
pub trait Refused: Display {
    /// Stable code.
    fn code(&self) -> &'static str;
    /// Name of the input that has to change, by itself.
    fn field(&self) -> &'static str;
    /// What is wrong, in German; [`Display`] says it in English.
    fn german(&self) -> String;

    /// The refusal, with the part of the input in which its field stands: `sample`, `strata[2]`.
    fn at(self, place: impl Into<String>) -> Located<Self>
    where
        Self: Sized,
    {
        Located {
            place: place.into(),
            error: self,
        }
    }
}

/// A refusal with its place in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<E> {
    /// The part of the input in which the field stands; empty at the top.
    place: String,
    /// The refusal.
    error: E,
}

impl<E> Located<E> {
    /// The same, seen from a part further out: `items[1]` in `strata[2]` is `strata[2].items[1]`.
    #[must_use]
    pub fn at(self, outer: impl Into<String>) -> Self {
        Self {
            place: joined(outer.into(), &self.place),
            error: self.error,
        }
    }
}

impl<E: Refused> Located<E> {
    /// The input that has to change, by its path from the top: `strata[2].size`. A field that is the place itself, such as the
    /// list of a number in it, is not named twice.
    pub fn path(&self) -> String {
        let last = self.place.rsplit('.').next().unwrap_or_default();
        let entry_of = last.split_once('[').map(|(name, _)| name);
        if entry_of == Some(self.error.field()) {
            return self.place.clone();
        }
        joined(self.place.clone(), self.error.field())
    }
}

fn joined(outer: String, inner: &str) -> String {
    if outer.is_empty() || inner.is_empty() {
        return outer + inner;
    }
    format!("{outer}.{inner}")
}

impl<E> From<E> for Located<E> {
    fn from(error: E) -> Self {
        Self {
            place: String::new(),
            error,
        }
    }
}

/// What is refused does not depend on the place.
impl<E> Deref for Located<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.error
    }
}

impl<E: Display> Display for Located<E> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(out)
    }
}

/// The same as the inherent functions of the refusals, which are named where no family is known.
macro_rules! refused {
    ($($error:ty),+ $(,)?) => {$(
        impl Refused for $error {
            fn code(&self) -> &'static str {
                self.code()
            }

            fn field(&self) -> &'static str {
                self.field()
            }

            fn german(&self) -> String {
                self.german()
            }
        }
    )+};
}

refused!(
    super::planning::SizeError,
    super::evaluation::EvaluationError,
    super::evaluation::ec::EcError,
    super::evaluation::errors::ErrorRateError,
    super::evaluation::variables::VariablesError,
    super::selection::SelectionError,
);
