//! What is voted on and what is signed, as digests that anybody can recompute.
//!
//! A *field* is its length in bytes as an unsigned 32-bit big-endian number, followed by that many bytes. Texts are UTF-8 as they are
//! stored; numbers are decimal texts; digests are their 32 bytes; what is absent is the empty field; a list is the field of the number of
//! its entries, followed by theirs. Both digests are SHA-256.
//!
//! | digest | over |
//! |---|---|
//! | edition of a paper | the text `pruefpfad-paper-01` (no length), then the fields: key of the body, matter, title, motion, reasons; the list of attachments, each as name and digest; UUID of the cited engagement; UUID of the cited parameter set (in their notation) |
//! | decision | the text `pruefpfad-decision-01` (no length), then the fields: UUID of the paper, edition, call, digest of the edition, outcome, who decided, reason, reason for standing in; the list of the votes that counted, by kind and place of the seat, each as kind, place, capacity and choice |
//! | minutes | the text `pruefpfad-minutes-01` (no length), then the fields: UUID of the paper, edition of the minutes, call, text |

use entity::decision::{DecidedBy, Outcome};
use entity::paper::Matter;
use entity::vote::{Capacity, Choice};
use entity::{EngagementId, PaperId, ParameterSetId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A digest.
pub type Hash = [u8; 32];

/// A file that belongs to a paper and is kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// SHA-256 of its bytes.
    #[serde(with = "hex::serde")]
    pub sha256: Hash,
}

/// What an edition of a paper says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// What it is called, up to 200 characters.
    pub title: String,
    /// What is to be decided, up to 20,000 characters.
    pub motion: String,
    /// Why, up to 20,000 characters.
    pub reasons: String,
    /// Files that belong to it, in their order.
    pub attachments: Vec<Attachment>,
    /// The engagement it cites.
    pub engagement_id: Option<EngagementId>,
    /// The edition of a parameter set it cites.
    pub parameter_set_id: Option<ParameterSetId>,
}

impl Content {
    /// The digest of it: what a body votes on.
    pub fn hash(&self, body: &str, matter: Matter) -> Hash {
        let mut fields = Fields::of("pruefpfad-paper-01");
        fields.text(body).text(matter.as_str());
        fields.text(&self.title).text(&self.motion).text(&self.reasons);
        fields.text(&self.attachments.len().to_string());
        for attachment in &self.attachments {
            fields.text(&attachment.name).add(&attachment.sha256);
        }
        let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        fields.text(&id(self.engagement_id.map(|id| id.0)));
        fields.text(&id(self.parameter_set_id.map(|id| id.0)));
        fields.hash()
    }
}

/// A vote that counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// Kind of the seat.
    pub kind: String,
    /// Place of the seat in its kind.
    pub place: i32,
    /// As member or deputy.
    pub by: Capacity,
    /// Yes, no, or neither.
    pub choice: Choice,
}

/// What a decision says.
#[derive(Clone, Debug)]
pub struct Decided<'a> {
    /// The paper.
    pub paper: PaperId,
    /// Its edition.
    pub edition: i32,
    /// The call.
    pub round: i32,
    /// Digest of the edition.
    pub content_hash: &'a [u8],
    /// What was decided.
    pub outcome: Outcome,
    /// Who decided.
    pub by: DecidedBy,
    /// Why, where one person decided.
    pub reason: Option<&'a str>,
    /// Why somebody stood in.
    pub stand_in_reason: Option<&'a str>,
}

impl Decided<'_> {
    /// The digest of it and the votes that counted, in whatever order they come.
    pub fn hash(&self, mut votes: Vec<Counted>) -> Hash {
        votes.sort();
        let mut fields = Fields::of("pruefpfad-decision-01");
        fields
            .text(&self.paper.to_string())
            .text(&self.edition.to_string())
            .text(&self.round.to_string())
            .add(self.content_hash)
            .text(self.outcome.as_str())
            .text(self.by.as_str())
            .text(self.reason.unwrap_or_default())
            .text(self.stand_in_reason.unwrap_or_default())
            .text(&votes.len().to_string());
        for vote in votes {
            fields
                .text(&vote.kind)
                .text(&vote.place.to_string())
                .text(vote.by.as_str())
                .text(vote.choice.as_str());
        }
        fields.hash()
    }
}

/// The digest of minutes.
pub fn minutes_hash(paper: PaperId, edition: i32, round: i32, text: &str) -> Hash {
    let mut fields = Fields::of("pruefpfad-minutes-01");
    fields
        .text(&paper.to_string())
        .text(&edition.to_string())
        .text(&round.to_string())
        .text(text);
    fields.hash()
}

struct Fields(Sha256);

impl Fields {
    fn of(tag: &str) -> Self {
        Self(Sha256::new_with_prefix(tag))
    }

    fn add(&mut self, bytes: &[u8]) -> &mut Self {
        // Texts are refused long before they are this long.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(bytes);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.add(text.as_bytes())
    }

    fn hash(self) -> Hash {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        Content {
            title: "Prüfplan 2027".to_owned(),
            motion: "Der Prüfplan wird beschlossen.".to_owned(),
            reasons: String::new(),
            attachments: vec![
                Attachment {
                    name: "plan.pdf".to_owned(),
                    sha256: [1; 32],
                },
                Attachment {
                    name: "risiken.pdf".to_owned(),
                    sha256: [2; 32],
                },
            ],
            engagement_id: None,
            parameter_set_id: None,
        }
    }

    #[test]
    fn whatever_changes_changes_what_is_voted_on() {
        type Change = fn(&mut Content);
        let hash = |content: &Content| content.hash("VORSTAND", Matter::Audit);
        let whole = hash(&content());
        let changes: [Change; 8] = [
            |content| content.title.push('x'),
            |content| content.motion.push('x'),
            |content| content.reasons.push('x'),
            |content| content.attachments[1].sha256[31] = 3,
            |content| content.attachments[0].name.push('x'),
            |content| content.attachments.reverse(),
            |content| content.engagement_id = Some(EngagementId(uuid::Uuid::nil())),
            |content| content.parameter_set_id = Some(ParameterSetId(uuid::Uuid::nil())),
        ];
        let mut seen = vec![whole];
        for change in changes {
            let mut other = content();
            change(&mut other);
            seen.push(hash(&other));
        }
        seen.push(content().hash("VORSTAND", Matter::Budget));
        seen.push(content().hash("LEITUNGSGRUPPE", Matter::Audit));
        // What moves from one field to the next is another content.
        let mut moved = content();
        moved.title = "Prüfplan 2027D".to_owned();
        moved.motion.remove(0);
        seen.push(hash(&moved));
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
        assert_eq!(hash(&content()), whole);
    }

    /// Recomputed from the description with Python's standard library.
    #[test]
    fn the_digest_is_the_described_one() {
        assert_eq!(
            hex::encode(content().hash("VORSTAND", Matter::Audit)),
            "ecf5bee77e8f2c98d451373b7060b71a671cc16ad769381f6891a485e2743335"
        );
        let decided = Decided {
            paper: PaperId(uuid::Uuid::nil()),
            edition: 2,
            round: 1,
            content_hash: &[7; 32],
            outcome: Outcome::Adopted,
            by: DecidedBy::Chair,
            reason: Some("Eilbedürftig"),
            stand_in_reason: None,
        };
        let vote = |kind: &str, choice| Counted {
            kind: kind.to_owned(),
            place: 1,
            by: Capacity::Member,
            choice,
        };
        let votes = vec![vote("STADT_LARGE", Choice::No), vote("LANDRAT", Choice::Yes)];
        let hash = decided.hash(votes.clone());
        assert_eq!(
            hex::encode(hash),
            "4634f3f36cec39401d7d7eef3071e9b9cf9d695955092434c0a30fa90d496ad1"
        );
        assert_eq!(decided.hash(votes.into_iter().rev().collect()), hash);
    }
}
