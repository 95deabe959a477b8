//! Grants (Zugangsrechte): what somebody from outside may see, why, and until when.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryFilter};
use serde::{Deserialize, Serialize};

use crate::{BezirksstelleId, EngagementId, Fund, GrantId, text_enum};

text_enum! {
    /// What a grant is for.
    Kind {
        /// To inspect: read, comment, download.
        Inspection = "INSPECTION",
        /// To work on behalf of the Innenrevision: record checks and notes, always reviewed by own staff.
        Commission = "COMMISSION",
    }
}

text_enum! {
    /// What the recipient is.
    BodyKind {
        /// A public body with a right of its own; its legal basis suffices.
        Public = "PUBLIC",
        /// Anybody else: bound by a recorded Verpflichtung (§ 78 (1), (2) SGB X).
        NonPublic = "NON_PUBLIC",
    }
}

text_enum! {
    /// What was decided about a grant. Time and budget end it too; that is read from them.
    State {
        /// Proposed by the first person.
        Proposed = "PROPOSED",
        /// Issued by the second.
        Issued = "ISSUED",
        /// Taken back after it was issued.
        Revoked = "REVOKED",
        /// Given up before it was issued.
        Withdrawn = "WITHDRAWN",
    }
}

/// First and last day of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
}

/// What a grant reaches: rows have to meet every part of it. Engagements are always named; any other part that is not
/// named does not restrict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The engagements, ascending.
    pub engagements: Vec<EngagementId>,
    /// Only items of these Bezirksstellen, ascending.
    pub bezirksstellen: Option<Vec<BezirksstelleId>>,
    /// Only items for months that this period touches; items of no month by the date of their decision.
    pub period: Option<Period>,
    /// Only items that one of these funds bears a part of.
    pub funds: Option<Vec<Fund>>,
}

impl Coverage {
    /// Whether it reaches its engagements as a whole. Populations, draws, evaluations and the trail tell of all items alike, so
    /// that whoever is granted a part of the items sees none of them.
    pub const fn is_whole(&self) -> bool {
        self.bezirksstellen.is_none() && self.period.is_none() && self.funds.is_none()
    }

    /// The engagements as values of a condition.
    pub(crate) fn engagements(&self) -> impl Iterator<Item = EngagementId> + '_ {
        self.engagements.iter().copied()
    }
}

/// One grant. What it reaches and whom it is for never changes; more is a new grant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_grant")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GrantId,
    /// Year of the number.
    pub year: i32,
    /// Serial within the year.
    pub serial: i32,
    /// The number people see: `G-2026-003`.
    pub number: String,
    /// What it is for.
    pub kind: Kind,
    /// What the recipient is.
    pub body_kind: BodyKind,
    /// The recipient's body: "Bundesrechnungshof".
    pub recipient_body: String,
    /// The person.
    pub recipient_name: String,
    /// The person's subject at the identity provider; none where there is none and the key stands for the person.
    pub recipient_subject: Option<String>,
    /// Thumbprint of the person's key (RFC 7638, SHA-256, base64url).
    pub recipient_key: Option<String>,
    /// Code of the legal basis.
    pub basis: String,
    /// What it is needed for.
    pub purpose: String,
    /// What it reaches: [`Coverage`] as JSON.
    pub coverage: String,
    /// Disclosure classes beside those everybody with a token sees, separated by spaces.
    pub classes: String,
    /// From when.
    pub not_before: DateTimeUtc,
    /// Until when; none where the recipient had the end lifted.
    pub expires_at: Option<DateTimeUtc>,
    /// Sample items it may hand out; none where the recipient had the budget lifted.
    pub read_budget: Option<i64>,
    /// Sample items handed out so far.
    pub read_used: i64,
    /// Networks it may be used from, separated by spaces; from everywhere where there is none.
    pub addresses: String,
    /// The contract of a commission.
    pub contract: Option<String>,
    /// The recipient's role in the team of the engagement, for a commission.
    pub team_role: Option<String>,
    /// The recorded Abrufverfahren (§ 79 (2) SGB X) of standing online access.
    pub retrieval_procedure: Option<String>,
    /// Day of the Verpflichtung (§ 78 (1), (2) SGB X).
    pub verpflichtung_on: Option<Date>,
    /// Which text was signed, with its version.
    pub verpflichtung_text: Option<String>,
    /// Day by which the recipient's staff were instructed.
    pub staff_instructed_on: Option<Date>,
    /// Who recorded the Verpflichtung.
    pub verpflichtung_recorded_by: Option<String>,
    /// Whether Bezirksstellen are not told afterwards what was read (§ 96 (4) BHO).
    pub reads_withheld: bool,
    /// What was decided.
    pub state: State,
    /// Who proposed it.
    pub proposed_by: String,
    /// When it was proposed.
    pub proposed_at: DateTimeUtc,
    /// Who issued it.
    pub issued_by: Option<String>,
    /// When it was issued.
    pub issued_at: Option<DateTimeUtc>,
    /// Who revoked or withdrew it.
    pub ended_by: Option<String>,
    /// When it was revoked or withdrawn.
    pub ended_at: Option<DateTimeUtc>,
    /// Why.
    pub end_reason: Option<String>,
    /// Counts changes; what is handed out is none.
    pub version: i32,
}

/// No typed relations: finders join where they need to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Begins the subject of whoever is known by a key alone; its thumbprint follows.
pub const KEY_HOLDER: &str = "jkt:";

impl Model {
    /// The subject of the grant's tokens: the person's, or that of the key which stands for one.
    pub fn holder(&self) -> String {
        match (&self.recipient_subject, &self.recipient_key) {
            (Some(subject), _) => subject.clone(),
            (None, key) => format!("{KEY_HOLDER}{}", key.as_deref().unwrap_or_default()),
        }
    }
}

/// Which grants somebody sees: a matter of the person, not of rows of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Who administers them, or controls that.
    All,
    /// The recipient, by the subject of the token.
    Recipient(String),
    /// Nobody else.
    Nobody,
}

impl Entity {
    /// Grants somebody may see. A recipient sees what was issued to them, not what is being prepared.
    pub fn visible_to(reader: &Reader) -> Select<Self> {
        Self::find().filter(match reader {
            Reader::All => Condition::all(),
            Reader::Recipient(subject) => Condition::all()
                .add(match subject.strip_prefix(KEY_HOLDER) {
                    Some(key) => Condition::all()
                        .add(Column::RecipientSubject.is_null())
                        .add(Column::RecipientKey.eq(key)),
                    None => Condition::all().add(Column::RecipientSubject.eq(subject)),
                })
                .add(Column::State.is_in([State::Issued, State::Revoked])),
            Reader::Nobody => crate::Scope::nothing(),
        })
    }
}
