//! What a grant has to look like, who may issue it, and whether it can be used now.

use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::grant::{BodyKind, Coverage, Kind, Model, Period, State};
use entity::{BezirksstelleId, EngagementId, Fund};
use ipnet::IpNet;
use serde::Serialize;

use super::bases::{Basis, basis};
use crate::access::{Class, Classes, grantable};
use crate::refusal::{optional_text, text};
use crate::{Code, Refusal};

/// How long a grant lasts where nothing else is said, and at most without a recorded Abrufverfahren.
pub const USUAL: TimeDelta = TimeDelta::days(90);
/// How long standing online access lasts at most.
pub const STANDING: TimeDelta = TimeDelta::days(366);
/// How far ahead a grant may begin.
const AHEAD: TimeDelta = TimeDelta::days(366);
/// Sample items a grant hands out where nothing else is said.
pub const USUAL_BUDGET: i64 = 10_000;
const MOST_BUDGET: i64 = 10_000_000;
const MOST_ENGAGEMENTS: usize = 50;
const MOST_ADDRESSES: usize = 20;
const NAME: usize = 200;
const LONG: usize = 2_000;

/// The classes everybody with a token sees; a grant needs not name them.
const ALWAYS: Classes = Classes::of(&[Class::Public, Class::Internal]);

/// A recorded Verpflichtung (§ 78 (1), (2) SGB X).
#[derive(Clone, Debug, Serialize)]
pub struct Verpflichtung {
    /// The day it was signed.
    pub on: NaiveDate,
    /// Which text was signed, with its version.
    pub text: String,
    /// The day by which the recipient's staff were instructed.
    pub staff_instructed_on: Option<NaiveDate>,
}

/// What proposes a grant.
#[derive(Clone, Debug, Serialize)]
pub struct Propose {
    /// What it is for.
    pub kind: Kind,
    /// Code of the legal basis.
    pub basis: String,
    /// The recipient's body.
    pub recipient_body: String,
    /// The person.
    pub recipient_name: String,
    /// The person's subject at the identity provider.
    pub recipient_subject: Option<String>,
    /// Thumbprint of the person's key (RFC 7638, SHA-256, base64url), where there is no identity provider.
    pub recipient_key: Option<String>,
    /// What it is needed for.
    pub purpose: String,
    /// The engagements.
    pub engagements: Vec<EngagementId>,
    /// Only these Bezirksstellen.
    pub bezirksstellen: Option<Vec<BezirksstelleId>>,
    /// Only this period.
    pub period: Option<Period>,
    /// Only these funds.
    pub funds: Option<Vec<Fund>>,
    /// Disclosure classes beside those everybody with a token sees.
    #[serde(serialize_with = "as_text")]
    pub classes: Vec<Class>,
    /// From when; at once where nothing is said.
    pub not_before: Option<DateTime<Utc>>,
    /// Until when; 90 days where nothing is said.
    pub expires_at: Option<DateTime<Utc>>,
    /// Sample items it may hand out; 10,000 where nothing is said.
    pub read_budget: Option<i64>,
    /// Networks or addresses it may be used from; from everywhere where none is named.
    pub addresses: Vec<String>,
    /// The contract of a commission.
    pub contract: Option<String>,
    /// The role in the team, for a commission.
    pub team_role: Option<String>,
    /// The recorded Abrufverfahren (§ 79 (2) SGB X), for more than 90 days.
    pub retrieval_procedure: Option<String>,
    /// The Verpflichtung, where it is recorded already.
    pub verpflichtung: Option<Verpflichtung>,
    /// Whether Bezirksstellen are not told afterwards what was read.
    pub reads_withheld: bool,
}

fn as_text<S: serde::Serializer>(classes: &[Class], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(classes.iter().map(|class| class.as_str()))
}

/// A proposal that holds, with what was left to be said.
#[derive(Clone, Debug)]
pub(super) struct Proposed {
    pub(super) basis: &'static Basis,
    pub(super) coverage: Coverage,
    pub(super) classes: Classes,
    pub(super) not_before: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) read_budget: i64,
    pub(super) addresses: String,
}

/// Everything that is wrong with a proposal, or what it comes to.
pub(super) fn check(input: &Propose, now: DateTime<Utc>) -> Result<Proposed, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let basis = basis(&input.basis);
    match basis {
        None => refusals.push(Refusal::new(Code::GrantBasisUnknown, "input.basis")),
        Some(basis) if !basis.kinds.contains(&input.kind) => {
            refusals.push(Refusal::new(Code::GrantKindNotCarried, "input.kind").with(basis.citation));
        }
        Some(_) => {}
    }
    refusals.extend(check_texts(input));
    refusals.extend(check_recipient(input));
    refusals.extend(check_coverage(input));
    let not_before = input.not_before.map_or(now, |from| from.max(now));
    let expires_at = input.expires_at.unwrap_or(not_before + USUAL);
    let read_budget = input.read_budget.unwrap_or(USUAL_BUDGET);
    if not_before > now + AHEAD {
        refusals.push(Refusal::new(Code::InvalidValue, "input.notBefore"));
    }
    if expires_at <= not_before {
        refusals.push(Refusal::new(Code::PeriodReversed, "input.expiresAt"));
    }
    if !(1..=MOST_BUDGET).contains(&read_budget) {
        refusals.push(Refusal::new(Code::InvalidValue, "input.readBudget").with(MOST_BUDGET));
    }
    if let Some(basis) = basis {
        let allowed = grantable(input.kind, basis.body_kind);
        let beyond = Classes::of(&input.classes).beyond(allowed);
        refusals.extend(
            beyond.iter().map(|class| {
                Refusal::new(Code::GrantClassNotGrantable, "input.classes").with(class.as_str())
            }),
        );
        let standing = input.retrieval_procedure.is_some() && basis.body_kind == BodyKind::Public;
        let most = if standing { STANDING } else { USUAL };
        if expires_at - not_before > most {
            refusals.push(Refusal::new(Code::GrantTooLong, "input.expiresAt").with(most.num_days()));
        }
    }
    // Whoever checks has to see the amounts and what is asked of them.
    let classes = Classes::of(&input.classes).or(ALWAYS);
    if input.kind == Kind::Commission
        && !Classes::of(&[Class::Audit, Class::SocialData])
            .beyond(classes)
            .is_empty()
    {
        refusals.push(Refusal::new(Code::Required, "input.classes").with("AUDIT, SOCIAL_DATA"));
    }
    refusals.extend(input.verpflichtung.as_ref().map_or_else(Vec::new, |given| {
        check_verpflichtung(given, now, "input.verpflichtung")
    }));
    let addresses = match networks(&input.addresses) {
        Ok(networks) => networks,
        Err(refusal) => {
            refusals.push(refusal);
            String::new()
        }
    };
    match basis {
        Some(basis) if refusals.is_empty() => Ok(Proposed {
            basis,
            coverage: coverage(input),
            classes,
            not_before,
            expires_at,
            read_budget,
            addresses,
        }),
        _ => Err(refusals),
    }
}

fn check_texts(input: &Propose) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (path, given, most) in [
        ("input.recipientBody", &input.recipient_body, NAME),
        ("input.recipientName", &input.recipient_name, NAME),
        ("input.purpose", &input.purpose, LONG),
    ] {
        refusals.extend(text(path, given, most));
    }
    // A commission is work by contract in a team; an inspection is neither.
    let commission = input.kind == Kind::Commission;
    for (path, given) in [
        ("input.contract", &input.contract),
        ("input.teamRole", &input.team_role),
    ] {
        match given {
            Some(given) if commission => refusals.extend(text(path, given, NAME)),
            Some(_) => refusals.push(Refusal::new(Code::InvalidValue, path)),
            None if commission => refusals.push(Refusal::new(Code::Required, path)),
            None => {}
        }
    }
    if let Some(given) = &input.retrieval_procedure {
        refusals.extend(text("input.retrievalProcedure", given, NAME));
    }
    refusals
}

/// The person is known by a subject, or by the key that stands for one.
fn check_recipient(input: &Propose) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if input.recipient_subject.is_none() && input.recipient_key.is_none() {
        refusals.push(Refusal::new(Code::Required, "input.recipientSubject"));
    }
    if let Some(subject) = &input.recipient_subject {
        refusals.extend(text("input.recipientSubject", subject, NAME));
    }
    if let Some(key) = &input.recipient_key
        && !is_thumbprint(key)
    {
        refusals.push(Refusal::new(Code::InvalidValue, "input.recipientKey"));
    }
    refusals
}

/// 32 bytes in base64url without padding.
fn is_thumbprint(key: &str) -> bool {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(key)
        .is_ok_and(|bytes| bytes.len() == 32)
}

fn check_coverage(input: &Propose) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if input.engagements.is_empty() {
        refusals.push(Refusal::new(Code::Required, "input.engagementIds"));
    }
    if input.engagements.len() > MOST_ENGAGEMENTS {
        refusals.push(Refusal::new(Code::TooMany, "input.engagementIds").with(MOST_ENGAGEMENTS));
    }
    if input.bezirksstellen.as_ref().is_some_and(Vec::is_empty) {
        refusals.push(Refusal::new(Code::Required, "input.bezirksstelleIds"));
    }
    if input.funds.as_ref().is_some_and(Vec::is_empty) {
        refusals.push(Refusal::new(Code::Required, "input.funds"));
    }
    if input.period.is_some_and(|period| period.to < period.from) {
        refusals.push(Refusal::new(Code::PeriodReversed, "input.periodTo"));
    }
    refusals
}

fn coverage(input: &Propose) -> Coverage {
    fn sorted<T: Ord + Clone>(list: &[T]) -> Vec<T> {
        let mut list = list.to_vec();
        list.sort();
        list.dedup();
        list
    }
    Coverage {
        engagements: sorted(&input.engagements),
        bezirksstellen: input.bezirksstellen.as_deref().map(sorted),
        period: input.period,
        funds: input.funds.as_deref().map(sorted),
    }
}

/// What is wrong with a Verpflichtung.
pub(super) fn check_verpflichtung(given: &Verpflichtung, now: DateTime<Utc>, path: &str) -> Vec<Refusal> {
    // The day in Germany may have begun before that of UTC.
    let today = (now + TimeDelta::hours(2)).date_naive();
    let mut refusals: Vec<Refusal> = text(&format!("{path}.text"), &given.text, NAME)
        .into_iter()
        .collect();
    if given.on > today {
        refusals.push(Refusal::new(Code::InvalidValue, &format!("{path}.on")));
    }
    if given.staff_instructed_on.is_some_and(|on| on > today) {
        refusals.push(Refusal::new(
            Code::InvalidValue,
            &format!("{path}.staffInstructedOn"),
        ));
    }
    refusals
}

/// Networks as they are stored; a single address is a network of one.
fn networks(given: &[String]) -> Result<String, Refusal> {
    if given.len() > MOST_ADDRESSES {
        return Err(Refusal::new(Code::TooMany, "input.addresses").with(MOST_ADDRESSES));
    }
    let mut networks = Vec::with_capacity(given.len());
    for (place, text) in given.iter().enumerate() {
        let network = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map_err(|_| Refusal::new(Code::InvalidValue, &format!("input.addresses.{place}")))?;
        networks.push(network.trunc().to_string());
    }
    Ok(networks.join(" "))
}

/// Why a grant cannot be issued by this person now, who is not the one who proposed it.
pub(super) fn check_issue(row: &Model, issuer: &str, now: DateTime<Utc>) -> Result<(), Code> {
    if row.state != State::Proposed {
        return Err(Code::GrantDecided);
    }
    if row.recipient_subject.as_deref() == Some(issuer) {
        return Err(Code::GrantRecipientInvolved);
    }
    if row.expires_at.is_some_and(|end| end <= now) {
        return Err(Code::GrantEnded);
    }
    let bound = row.body_kind == BodyKind::NonPublic || row.kind == Kind::Commission;
    if bound && row.verpflichtung_on.is_none() {
        return Err(Code::GrantVerpflichtungMissing);
    }
    if row.body_kind == BodyKind::NonPublic && row.staff_instructed_on.is_none() {
        return Err(Code::GrantStaffNotInstructed);
    }
    Ok(())
}

/// Where a grant stands: what was decided, and what time and budget made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Proposed by the first person.
    Proposed,
    /// Issued by the second; usable from its beginning on.
    Issued,
    /// Taken back.
    Revoked,
    /// Given up before it was issued.
    Withdrawn,
    /// Its time has passed.
    Expired,
    /// Its budget is used up.
    Exhausted,
}

/// Where a grant stands now.
pub fn standing(row: &Model, now: DateTime<Utc>) -> Standing {
    match row.state {
        State::Proposed => Standing::Proposed,
        State::Revoked => Standing::Revoked,
        State::Withdrawn => Standing::Withdrawn,
        State::Issued if row.expires_at.is_some_and(|end| end <= now) => Standing::Expired,
        State::Issued if row.read_budget.is_some_and(|budget| row.read_used >= budget) => Standing::Exhausted,
        State::Issued => Standing::Issued,
    }
}

/// Why a grant cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unusable {
    /// There is none, or it was never issued.
    Unknown,
    /// Before its beginning.
    NotYetValid,
    /// After its end.
    Expired,
    /// Taken back.
    Revoked,
    /// Its budget is used up.
    Exhausted,
    /// From an address it does not name.
    Address,
}

/// Whether a grant can be used now, from this address.
pub fn usable(row: &Model, now: DateTime<Utc>, from: Option<IpAddr>) -> Result<(), Unusable> {
    match standing(row, now) {
        Standing::Proposed | Standing::Withdrawn => Err(Unusable::Unknown),
        Standing::Revoked => Err(Unusable::Revoked),
        Standing::Expired => Err(Unusable::Expired),
        Standing::Issued | Standing::Exhausted if row.not_before > now => Err(Unusable::NotYetValid),
        Standing::Issued | Standing::Exhausted if !reaches(&row.addresses, from) => Err(Unusable::Address),
        Standing::Exhausted => Err(Unusable::Exhausted),
        Standing::Issued => Ok(()),
    }
}

/// Whether an address lies in one of these networks; an IPv4 address written as IPv6 is the same address.
fn reaches(networks: &str, from: Option<IpAddr>) -> bool {
    if networks.is_empty() {
        return true;
    }
    let Some(from) = from.map(|address| address.to_canonical()) else {
        return false;
    };
    networks
        .split(' ')
        .filter_map(|network| network.parse::<IpNet>().ok())
        .any(|network| network.contains(&from))
}

/// What a grant reaches and shows: as it is stored, or as a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// Rows.
    pub coverage: Coverage,
    /// Fields.
    pub classes: Classes,
}

impl Details {
    /// What both say: of two, the narrower wins in every part.
    #[must_use]
    pub fn narrowed(&self, by: &Self) -> Self {
        fn both<T: PartialEq + Clone>(one: Option<&Vec<T>>, other: Option<&Vec<T>>) -> Option<Vec<T>> {
            match (one, other) {
                (Some(one), Some(other)) => {
                    Some(one.iter().filter(|item| other.contains(item)).cloned().collect())
                }
                (one, other) => one.or(other).cloned(),
            }
        }
        let (one, other) = (&self.coverage, &by.coverage);
        let period = match (one.period, other.period) {
            (Some(one), Some(other)) => Some(Period {
                from: one.from.max(other.from),
                to: one.to.min(other.to),
            }),
            (one, other) => one.or(other),
        };
        Self {
            coverage: Coverage {
                engagements: both(Some(&one.engagements), Some(&other.engagements)).unwrap_or_default(),
                bezirksstellen: both(one.bezirksstellen.as_ref(), other.bezirksstellen.as_ref()),
                period,
                funds: both(one.funds.as_ref(), other.funds.as_ref()),
            },
            classes: self.classes.beyond(self.classes.beyond(by.classes)),
        }
    }

    /// Whether it says nothing that the other does not.
    pub fn is_within(&self, other: &Self) -> bool {
        self.narrowed(other) == *self
    }
}

/// Classes as they are stored: those beyond what everybody with a token sees.
pub(super) fn stored_classes(classes: Classes) -> String {
    let words: Vec<_> = classes.beyond(ALWAYS).iter().map(Class::as_str).collect();
    words.join(" ")
}

/// The classes of a stored text.
pub(super) fn classes_of(text: &str) -> Classes {
    let named = text
        .split(' ')
        .filter_map(|word| Class::ALL.iter().copied().find(|class| class.as_str() == word));
    named.fold(ALWAYS, Classes::with)
}

/// What is wrong with the reason of an ending.
pub(super) fn check_reason(reason: &str) -> Option<Refusal> {
    if reason.trim().is_empty() {
        Some(Refusal::new(Code::ReasonRequired, "input.reason"))
    } else {
        optional_text("input.reason", reason, LONG)
    }
}
