//! Checks: the built-in test programme, recording, and what was recorded.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use audit::check as service;
use entity::item_check::{self, Model};
use entity::{Cents, FundSplit, ListedCheck, SampleItemId, check_answer};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, UserError, payload, settle};
use super::evaluation::Dimension;
use super::loaders::{AnswersOf, SampleItemsKey};
use super::many;
use super::node::NodeKind;
use super::population::Split;
use super::sample::SampleItem;
use super::scalars::{DateTime, Euro};

/// What kind of error a check found.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "item_check::ErrorClass")]
pub(super) enum ErrorClass {
    /// None.
    None,
    /// A breach of form without effect on money.
    Formal,
    /// Too much was paid.
    Overpayment,
    /// Too little was paid.
    Underpayment,
    /// The file does not show it; counts with the full amount (ISA 530, paragraph 11).
    NotEvidenced,
    /// Right amount, wrong bearer (Zuordnungsfehler Bund, Kommune, Land, EU).
    WrongFund,
    /// Booked in the wrong budget year.
    WrongYear,
    /// Signs of fraud.
    SuspectedFraud,
}

/// The answer to an attribute.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "check_answer::Answer")]
pub(super) enum Answer {
    /// Met.
    Yes,
    /// Not met.
    No,
    /// Does not apply to this item.
    NotApplicable,
    /// The file does not show it.
    NotEvidenced,
}

/// A check (Prüfblatt) of a sample item, in one version. A correction is a new version by the same tester.
#[derive(Clone, Description)]
pub(super) struct Check(pub(super) ListedCheck);

impl From<Model> for Check {
    fn from(row: Model) -> Self {
        Self(row.into())
    }
}

impl Check {
    async fn amounts<T>(&self, ctx: &Context<'_>, of: impl FnOnce(Model) -> T) -> Maybe<T> {
        ctx.loaders()
            .one(ctx, self.0.id)
            .await
            .map(|row| row.map(of))
            .transpose()
    }
}

#[Object(use_type_description, directive = disclosure::apply(Class::Audit))]
impl Check {
    /// Opaque id of this version; the check itself is found through its item.
    #[graphql(directive = disclosure::apply(Class::Internal))]
    async fn id(&self) -> ID {
        NodeKind::Check.id(self.0.id.0)
    }

    /// Test programme with version.
    async fn programme(&self) -> &str {
        &self.0.programme
    }

    /// Who checked.
    async fn tester(&self) -> &str {
        &self.0.tester
    }

    /// Their name as the identity provider gave it.
    async fn tester_name(&self) -> Option<&str> {
        self.0.tester_name.as_deref()
    }

    /// Version of this tester's check, from 1; the highest counts.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Kind of error.
    #[graphql(directive = disclosure::apply(Class::SocialData))]
    async fn error_class(&self) -> ErrorClass {
        self.0.error_class.into()
    }

    /// The booked amounts per fund.
    #[graphql(directive = disclosure::apply(Class::SocialData))]
    async fn booked(&self, ctx: &Context<'_>) -> Maybe<Split> {
        self.amounts(ctx, |row| row.booked().into()).await
    }

    /// The correct amounts per fund.
    #[graphql(directive = disclosure::apply(Class::SocialData))]
    async fn correct(&self, ctx: &Context<'_>) -> Maybe<Split> {
        self.amounts(ctx, |row| row.correct().into()).await
    }

    /// Remark.
    #[graphql(directive = disclosure::apply(Class::SocialData))]
    async fn remark(&self) -> &str {
        &self.0.remark
    }

    /// When it was recorded.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// Answers to the attributes, in the programme's order.
    #[graphql(directive = disclosure::apply(Class::SocialData))]
    async fn answers(&self, ctx: &Context<'_>) -> Maybe<Vec<CheckAnswer>> {
        let rows = ctx.loaders().one(ctx, AnswersOf(self.0.id)).await;
        Some(rows.map(|rows| rows.unwrap_or_default().into_iter().map(CheckAnswer).collect()))
    }

    /// The item.
    async fn item(&self, ctx: &Context<'_>) -> Maybe<SampleItem> {
        ctx.loaders()
            .one(ctx, SampleItemsKey(self.0.sample_item_id))
            .await
            .map(|row| row.map(SampleItem::from))
            .transpose()
    }
}

impl many::Row for Check {
    const AT_ONCE: &'static [&'static str] = &[
        "id",
        "programme",
        "tester",
        "testerName",
        "version",
        "errorClass",
        "remark",
        "at",
    ];
}

/// The answer of a check to an attribute (Prüfmerkmal).
#[derive(Clone, Description)]
pub(super) struct CheckAnswer(check_answer::Model);

#[Object(use_type_description, directive = disclosure::apply(Class::SocialData))]
impl CheckAnswer {
    /// Code of the attribute.
    async fn attribute(&self) -> &str {
        &self.0.attribute
    }

    /// What the attribute is about.
    async fn dimension(&self) -> Dimension {
        self.0.dimension.into()
    }

    /// The answer.
    async fn answer(&self) -> Answer {
        self.0.answer.into()
    }

    /// Remark.
    async fn remark(&self) -> &str {
        &self.0.remark
    }
}

/// An attribute (Prüfmerkmal) of a test programme.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct TestAttribute {
    /// Code; never changes.
    code: String,
    /// What it is about.
    dimension: Dimension,
    /// The statement that has to be true, in the language of the request.
    text: String,
    /// The norm behind it.
    norm: String,
}

/// A test programme (Prüfprogramm): the attributes every item is checked for.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct TestProgramme {
    /// Name and version.
    id: String,
    /// Title in the language of the request.
    title: String,
    /// Its attributes, in order. A check answers every one.
    attributes: Vec<TestAttribute>,
}

/// Finds test programmes.
#[derive(Default)]
pub(super) struct CheckQuery;

#[Object]
impl CheckQuery {
    /// The built-in test programmes.
    async fn test_programmes(&self, ctx: &Context<'_>) -> Result<Vec<TestProgramme>> {
        ctx.signed_in()?;
        let language = ctx.language();
        Ok(service::PROGRAMMES
            .iter()
            .map(|programme| TestProgramme {
                id: programme.id.to_owned(),
                title: language.say(programme.german, programme.english).to_owned(),
                attributes: programme
                    .attributes
                    .iter()
                    .map(|attribute| TestAttribute {
                        code: attribute.code.to_owned(),
                        dimension: attribute.dimension.into(),
                        text: attribute.text(language).to_owned(),
                        norm: attribute.norm.to_owned(),
                    })
                    .collect(),
            })
            .collect())
    }
}

/// Amounts per fund; a fund that is left out is zero.
#[derive(InputObject)]
pub(super) struct FundSplitInput {
    /// Borne by the Bund.
    bund: Option<Euro>,
    /// Borne by the Kommune.
    kommune: Option<Euro>,
    /// Borne by the Land.
    land: Option<Euro>,
    /// Borne by the EU.
    eu: Option<Euro>,
}

impl From<FundSplitInput> for FundSplit {
    fn from(given: FundSplitInput) -> Self {
        let cents = |euro: Option<Euro>| euro.map_or(Cents(0), |euro| euro.0);
        Self {
            bund: cents(given.bund),
            kommune: cents(given.kommune),
            land: cents(given.land),
            eu: cents(given.eu),
        }
    }
}

/// The answer to one attribute.
#[derive(InputObject)]
pub(super) struct CheckAnswerInput {
    /// Code of the attribute.
    attribute: String,
    /// The answer.
    answer: Answer,
    /// Remark, up to 1,000 characters.
    #[graphql(default)]
    remark: String,
}

/// One check.
#[derive(InputObject)]
pub(super) struct CheckInput {
    /// The drawn item.
    sample_item_id: ID,
    /// The version of the item the caller saw.
    expected_version: i32,
    /// Test programme with version; the first built-in one where none is named.
    programme: Option<String>,
    /// A new version of the caller's own check, instead of a further check.
    #[graphql(default = false)]
    correction: bool,
    /// Kind of error.
    error_class: ErrorClass,
    /// What would have been correct, per fund.
    correct: FundSplitInput,
    /// Remark, up to 4,000 characters.
    #[graphql(default)]
    remark: String,
    /// One answer to each attribute of the programme.
    answers: Vec<CheckAnswerInput>,
}

impl CheckInput {
    fn resolve(self, input: &str) -> Result<service::RecordCheck> {
        let path = format!("{input}.sampleItemId");
        Ok(service::RecordCheck {
            sample_item_id: SampleItemId(NodeKind::SampleItem.require(&self.sample_item_id, &path)?),
            expected_version: self.expected_version,
            programme: self.programme,
            correction: self.correction,
            error_class: self.error_class.into(),
            correct: self.correct.into(),
            remark: self.remark,
            answers: self
                .answers
                .into_iter()
                .map(|answer| service::AnswerInput {
                    attribute: answer.attribute,
                    answer: answer.answer.into(),
                    remark: answer.remark,
                })
                .collect(),
        })
    }
}

/// What records a check.
#[derive(InputObject)]
pub(super) struct RecordCheckInput {
    /// The check itself.
    #[graphql(flatten)]
    check: CheckInput,
    /// Repeating the same input under the same key gives the same answer.
    idempotency_key: String,
}

/// What records several checks.
#[derive(InputObject)]
pub(super) struct RecordChecksInput {
    /// The checks, at most 200.
    checks: Vec<CheckInput>,
    /// Repeating the same input under the same key answers what was recorded before and records the rest.
    idempotency_key: String,
}

payload! {
    /// A recorded check.
    RecordCheckPayload {
        /// The check.
        check: Check
    }
}

/// The answer for one of several checks, in the order of the input.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct RecordedCheck {
    /// The check; null where it was refused.
    check: Option<Check>,
    /// Why it was refused; empty where it was recorded.
    user_errors: Vec<UserError>,
}

/// Several recorded checks, each answered by itself.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Internal))]
pub(super) struct RecordChecksPayload {
    /// One answer for each check; empty where the whole was refused.
    results: Vec<RecordedCheck>,
    /// Why the whole was refused.
    user_errors: Vec<UserError>,
}

/// Records checks.
#[derive(Default)]
pub(super) struct CheckMutation;

#[Object]
impl CheckMutation {
    /// Records a check of a drawn item, or a new version of the caller's own.
    async fn record_check(&self, ctx: &Context<'_>, input: RecordCheckInput) -> Result<RecordCheckPayload> {
        let check = input.check.resolve("input")?;
        RecordCheckPayload::of(
            ctx,
            service::record(ctx.audit(), ctx.db(), &input.idempotency_key, check).await,
        )
    }

    /// Records up to 200 checks, each for itself: one that is refused does not hold up the others.
    async fn record_checks(
        &self,
        ctx: &Context<'_>,
        input: RecordChecksInput,
    ) -> Result<RecordChecksPayload> {
        let checks: Vec<_> = input
            .checks
            .into_iter()
            .enumerate()
            .map(|(place, check)| check.resolve(&format!("input.checks.{place}")))
            .collect::<Result<_>>()?;
        let outcome = service::record_many(ctx.audit(), ctx.db(), &input.idempotency_key, checks).await;
        let (done, user_errors) = settle(ctx, outcome)?;
        let results = done
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(place, outcome)| {
                let (check, user_errors) = settle(ctx, outcome.map_err(|error| within(error, place)))?;
                Ok(RecordedCheck {
                    check: check.map(Check::from),
                    user_errors,
                })
            })
            .collect::<Result<_>>()?;
        Ok(RecordChecksPayload { results, user_errors })
    }
}

/// The refusal of one of several checks, its paths from the whole input on.
fn within(error: audit::Error, place: usize) -> audit::Error {
    let audit::Error::Refused(mut refusals) = error else {
        return error;
    };
    for refusal in &mut refusals {
        if let Some(field) = refusal.path.strip_prefix("input.") {
            refusal.path = format!("input.checks.{place}.{field}");
        }
    }
    audit::Error::Refused(refusals)
}
