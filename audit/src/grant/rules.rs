//! What a grant has to look like, who may issue it, and whether it can be used now.

use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::grant::{BodyKind, Coverage, KEY_HOLDER, Kind, Model, Period, State};
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
        if subject.starts_with(KEY_HOLDER) {
            refusals.push(Refusal::new(Code::InvalidValue, "input.recipientSubject"));
        }
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
    /// Without the key it is bound to.
    Key,
}

/// From where, and with which key, a grant is used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// The address.
    pub from: Option<IpAddr>,
    /// Thumbprint of the key whose possession was proven.
    pub key: Option<&'a str>,
}

/// Whether a grant can be used now, from this address and with this key.
pub fn usable(row: &Model, now: DateTime<Utc>, shown: Shown<'_>) -> Result<(), Unusable> {
    match standing(row, now) {
        Standing::Proposed | Standing::Withdrawn => Err(Unusable::Unknown),
        Standing::Revoked => Err(Unusable::Revoked),
        Standing::Expired => Err(Unusable::Expired),
        Standing::Issued | Standing::Exhausted if row.not_before > now => Err(Unusable::NotYetValid),
        Standing::Issued | Standing::Exhausted if !reaches(&row.addresses, shown.from) => {
            Err(Unusable::Address)
        }
        Standing::Issued | Standing::Exhausted
            if row.recipient_key.is_some() && row.recipient_key.as_deref() != shown.key =>
        {
            Err(Unusable::Key)
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 1, day).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn row() -> Model {
        Model {
            id: entity::GrantId(Uuid::nil()),
            year: 2027,
            serial: 1,
            number: "G-2027-001".to_owned(),
            kind: Kind::Inspection,
            body_kind: BodyKind::NonPublic,
            recipient_body: String::new(),
            recipient_name: String::new(),
            recipient_subject: Some("recipient".to_owned()),
            recipient_key: None,
            basis: String::new(),
            purpose: String::new(),
            coverage: String::new(),
            classes: String::new(),
            not_before: at(0),
            expires_at: Some(at(100)),
            read_budget: Some(10),
            read_used: 0,
            addresses: String::new(),
            contract: None,
            team_role: None,
            retrieval_procedure: None,
            verpflichtung_on: Some(day(1)),
            verpflichtung_text: None,
            staff_instructed_on: Some(day(2)),
            verpflichtung_recorded_by: None,
            reads_withheld: false,
            state: State::Issued,
            proposed_by: "first".to_owned(),
            proposed_at: at(-10),
            issued_by: None,
            issued_at: None,
            ended_by: None,
            ended_at: None,
            end_reason: None,
            version: 1,
        }
    }

    #[test]
    fn a_grant_ends_by_time_budget_or_decision() {
        let standing_of = |change: fn(&mut Model), now| {
            let mut row = row();
            change(&mut row);
            standing(&row, at(now))
        };
        assert_eq!(standing_of(|_| {}, 99), Standing::Issued);
        assert_eq!(standing_of(|_| {}, 100), Standing::Expired);
        assert_eq!(standing_of(|row| row.expires_at = None, 1_000), Standing::Issued);
        assert_eq!(standing_of(|row| row.read_used = 10, 1), Standing::Exhausted);
        assert_eq!(standing_of(|row| row.read_used = 10, 100), Standing::Expired);
        let lifted = |row: &mut Model| (row.read_used, row.read_budget) = (10, None);
        assert_eq!(standing_of(lifted, 1), Standing::Issued);
        for (state, expected) in [
            (State::Proposed, Standing::Proposed),
            (State::Revoked, Standing::Revoked),
            (State::Withdrawn, Standing::Withdrawn),
        ] {
            let row = Model { state, ..row() };
            assert_eq!(standing(&row, at(100)), expected);
            assert!(usable(&row, at(1), Shown::default()).is_err());
        }
    }

    #[test]
    fn a_grant_is_used_in_its_time_and_from_its_networks() {
        let address = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        assert_eq!(usable(&row(), at(0), Shown::default()), Ok(()));
        assert_eq!(
            usable(&row(), at(-1), Shown::default()),
            Err(Unusable::NotYetValid)
        );
        let bound = Model {
            recipient_key: Some("a".to_owned()),
            ..row()
        };
        for (key, expected) in [
            (None, Err(Unusable::Key)),
            (Some("b"), Err(Unusable::Key)),
            (Some("a"), Ok(())),
        ] {
            assert_eq!(usable(&bound, at(1), Shown { from: None, key }), expected);
        }
        let here = Model {
            addresses: "192.0.2.0/24 2001:db8::1/128".to_owned(),
            ..row()
        };
        for (from, expected) in [
            (address("192.0.2.200"), Ok(())),
            (address("::ffff:192.0.2.7"), Ok(())),
            (address("2001:db8::1"), Ok(())),
            (address("2001:db8::2"), Err(Unusable::Address)),
            (address("198.51.100.7"), Err(Unusable::Address)),
            (None, Err(Unusable::Address)),
        ] {
            assert_eq!(
                usable(&here, at(1), Shown { from, key: None }),
                expected,
                "{from:?}"
            );
        }
    }

    #[test]
    fn nothing_is_issued_to_somebody_who_is_not_bound() {
        let issue = |change: fn(&mut Model)| {
            let mut row = Model {
                state: State::Proposed,
                ..row()
            };
            change(&mut row);
            check_issue(&row, "second", at(0))
        };
        assert_eq!(issue(|_| {}), Ok(()));
        assert_eq!(
            issue(|row| row.verpflichtung_on = None),
            Err(Code::GrantVerpflichtungMissing)
        );
        assert_eq!(
            issue(|row| row.staff_instructed_on = None),
            Err(Code::GrantStaffNotInstructed)
        );
        let public = |row: &mut Model| {
            row.body_kind = BodyKind::Public;
            row.verpflichtung_on = None;
            row.staff_instructed_on = None;
        };
        assert_eq!(issue(public), Ok(()));
        let commissioned = |row: &mut Model| {
            row.body_kind = BodyKind::Public;
            row.kind = Kind::Commission;
            row.verpflichtung_on = None;
        };
        assert_eq!(issue(commissioned), Err(Code::GrantVerpflichtungMissing));
        assert_eq!(
            issue(|row| row.recipient_subject = Some("second".to_owned())),
            Err(Code::GrantRecipientInvolved)
        );
        assert_eq!(issue(|row| row.expires_at = Some(at(0))), Err(Code::GrantEnded));
        assert_eq!(issue(|row| row.state = State::Issued), Err(Code::GrantDecided));
    }

    #[test]
    fn networks_are_kept_in_one_spelling() {
        let kept = |list: &[&str]| networks(&list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            kept(&["192.0.2.7/24", "198.51.100.7"]).as_deref(),
            Ok("192.0.2.0/24 198.51.100.7/32")
        );
        assert_eq!(kept(&[]).as_deref(), Ok(""));
        assert_eq!(
            kept(&["192.0.2.0/24", "10.0.0.0/33"]).map_err(|refusal| refusal.path),
            Err("input.addresses.1".to_owned())
        );
    }

    fn parts() -> impl Strategy<Value = Details> {
        let few = |most: u128| prop::collection::btree_set(0..most, 0..4);
        let funds = prop::option::of(prop::sample::subsequence(Fund::ALL, 0..=4));
        let period = prop::option::of((1..29_u32, 1..29_u32));
        (few(4), prop::option::of(few(4)), period, funds, any::<u8>()).prop_map(
            |(engagements, places, period, funds, classes)| Details {
                coverage: Coverage {
                    engagements: engagements
                        .into_iter()
                        .map(|id| EngagementId(Uuid::from_u128(id)))
                        .collect(),
                    bezirksstellen: places.map(|ids| {
                        ids.into_iter()
                            .map(|id| BezirksstelleId(Uuid::from_u128(id)))
                            .collect()
                    }),
                    period: period.map(|(from, to)| Period {
                        from: day(from),
                        to: day(to),
                    }),
                    funds,
                },
                classes: Class::ALL
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| classes & (1 << (place % 8)) != 0)
                    .fold(Classes::NONE, |all, (_, class)| all.with(*class)),
            },
        )
    }

    proptest! {
        #[test]
        fn of_two_the_narrower_wins_in_every_part(stored in parts(), told in parts()) {
            let held = stored.narrowed(&told);
            prop_assert!(held.is_within(&stored) && held.is_within(&told));
            prop_assert_eq!(held.narrowed(&stored), held.clone());
            let other = told.narrowed(&stored);
            prop_assert_eq!(&held.classes, &other.classes);
            prop_assert_eq!(&held.coverage, &other.coverage);
            prop_assert_eq!(stored.narrowed(&stored), stored);
        }

        #[test]
        fn classes_read_back(details in parts()) {
            let classes = details.classes.or(ALWAYS);
            prop_assert_eq!(classes_of(&stored_classes(classes)), classes);
        }
    }
}
