//! Papers (Vorlagen): what a body is asked to decide.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{Condition, QueryFilter};

use crate::{BodyId, PaperId, decision, seat, text_enum};

text_enum! {
    /// The state of a paper.
    State {
        /// Handed in, and called to no session yet.
        Submitted = "SUBMITTED",
        /// Called to a session: from its beginning on the members vote.
        Called = "CALLED",
        /// The members are not of one mind; somebody decides.
        Dissent = "DISSENT",
        /// Decided; final.
        Decided = "DECIDED",
        /// Advice was given; final.
        Advised = "ADVISED",
        /// No decision came about. It may be called or revised again.
        Undecided = "UNDECIDED",
        /// Withdrawn by who wrote it; final.
        Withdrawn = "WITHDRAWN",
    }
}

text_enum! {
    /// What a paper is about: bodies have their matters.
    Matter {
        /// A matter of principle (Grundsatzangelegenheit).
        Principle = "PRINCIPLE",
        /// Current matters of operative steering (laufende Angelegenheiten).
        Operations = "OPERATIONS",
        /// Budgets and their use.
        Budget = "BUDGET",
        /// Benchmarking of the Bezirksstellen.
        Benchmarking = "BENCHMARKING",
        /// Targets and their agreement (Zielvereinbarung).
        Targets = "TARGETS",
        /// The labour market programme (Arbeitsmarkt- und Integrationsprogramm).
        Programme = "PROGRAMME",
        /// The internal audit: its plan, its parameters, findings in dispute, risks accepted.
        Audit = "AUDIT",
        /// Staff.
        Personnel = "PERSONNEL",
        /// Organisation of offices.
        Organisation = "ORGANISATION",
    }
}

/// One paper. What it says is in its editions.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "paper")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PaperId,
    /// The body that is asked.
    pub body_id: BodyId,
    /// The number people see: `VS-2026-003`.
    pub number: String,
    /// Year and place in it, of which the number is made.
    pub year: i32,
    /// Place in the year, from 1.
    pub serial: i32,
    /// What it is about.
    pub matter: Matter,
    /// Who wrote it.
    pub author: String,
    /// When it was handed in first.
    pub submitted_at: DateTimeUtc,
    /// How far it came.
    pub state: State,
    /// Its newest edition, from 1.
    pub edition: i32,
    /// Digest of what that edition says: what is voted on.
    pub content_hash: Vec<u8>,
    /// Whether it cites an engagement or a parameter set of the internal audit.
    pub cites_audit: bool,
    /// How often it was called; votes are of one call.
    pub round: i32,
    /// Beginning of the session it is called to.
    pub session_at: Option<DateTimeUtc>,
    /// End of the voting.
    pub votes_until: Option<DateTimeUtc>,
    /// Whether it was called at shorter notice than the calling period.
    pub short_notice: bool,
    /// The rules of the body when it was called, as JSON.
    pub rules: Option<String>,
    /// Who withdrew it.
    pub withdrawn_by: Option<String>,
    /// Why.
    pub withdrawal_reason: Option<String>,
    /// Counts changes; votes are none.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which papers somebody sees: a matter of the person and the seat, not of rows of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// All of them: the office of the bodies (Geschäftsstelle).
    Office,
    /// Those one wrote, those of bodies in which one has a seat now, as member or deputy, and those whose decision such a body
    /// is told.
    Member {
        /// Subject of the token.
        subject: String,
        /// The time of the request.
        now: DateTimeUtc,
    },
    /// Those one wrote, and those with a decision that cite an engagement or a parameter set: the audit function.
    Audit(String),
    /// Those one wrote.
    Author(String),
    /// Nobody else sees any.
    Nobody,
}

impl Entity {
    /// Papers somebody may see.
    pub fn visible_to(reader: &Reader) -> Select<Self> {
        Self::find().filter(match reader {
            Reader::Office => Condition::all(),
            Reader::Member { subject, now } => {
                let bodies = || bodies_of(subject, *now);
                let told = Query::select()
                    .column(decision::Column::PaperId)
                    .from(decision::Entity)
                    .and_where(decision::Column::TellsBodyId.in_subquery(bodies()))
                    .take();
                Condition::any()
                    .add(Column::Author.eq(subject))
                    .add(Column::BodyId.in_subquery(bodies()))
                    .add(Column::Id.in_subquery(told))
            }
            Reader::Audit(subject) => {
                let concluded = Query::select()
                    .column(decision::Column::PaperId)
                    .from(decision::Entity)
                    .take();
                Condition::any().add(Column::Author.eq(subject)).add(
                    Condition::all()
                        .add(Column::CitesAudit.eq(true))
                        .add(Column::Id.in_subquery(concluded)),
                )
            }
            Reader::Author(subject) => Condition::all().add(Column::Author.eq(subject)),
            Reader::Nobody => crate::Scope::nothing(),
        })
    }
}

/// Ids of the bodies in which somebody has a seat.
fn bodies_of(subject: &str, now: DateTimeUtc) -> SelectStatement {
    Query::select()
        .column(seat::Column::BodyId)
        .from(seat::Entity)
        .cond_where(seat::taken(now).add(seat::of_person(subject)))
        .take()
}

/// What hangs on papers that somebody sees.
pub(crate) fn among_visible(reader: &Reader, column: impl ColumnTrait) -> Condition {
    use sea_orm::{QuerySelect as _, QueryTrait as _};
    match reader {
        Reader::Office => Condition::all(),
        Reader::Nobody => crate::Scope::nothing(),
        _ => {
            let papers = Entity::visible_to(reader).select_only().column(Column::Id);
            Condition::all().add(column.in_subquery(papers.into_query()))
        }
    }
}
