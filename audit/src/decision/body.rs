//! What a body is: its seats, its matters, and how it decides.

use entity::body::{Abstention, OnDissent, Quorum};
use entity::paper::Matter;
use serde::{Deserialize, Serialize};

/// A body as a preset describes it.
#[derive(Debug)]
pub struct Body {
    /// Name in the preset, and of it in the database: `VORSTAND`.
    pub key: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// What numbers of its papers begin with.
    pub short: &'static str,
    /// Its seats by kind.
    pub kinds: &'static [SeatKind],
    /// What it decides, or advises on.
    pub competences: &'static [Matter],
    /// Of these, what nobody decides over a dissent.
    pub reserved: &'static [Matter],
    /// How it decides.
    pub rules: Rules,
    /// The body that is told at its next session where one person decided over a dissent.
    pub tells: Option<&'static str>,
    /// Where that is written.
    pub source: &'static str,
}

impl Body {
    /// The kind of seat of this name.
    pub fn kind(&self, key: &str) -> Option<&'static SeatKind> {
        self.kinds.iter().find(|kind| kind.key == key)
    }

    /// Whether nobody decides this over a dissent.
    pub fn reserves(&self, matter: Matter) -> bool {
        self.reserved.contains(&matter)
    }
}

/// How a body decides. Kept with each paper that is called: a later change of rules changes no vote that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rules {
    /// What happens where it is not of one mind.
    pub on_dissent: OnDissent,
    /// What an abstention is.
    pub abstention: Abstention,
    /// How many seats have to take part.
    pub quorum: Quorum,
    /// Days between the call and the session; fewer only where all who sit there waive them.
    pub calling_days: i32,
    /// Whether a member votes on a paper of his or her own.
    pub author_votes: bool,
    /// Whether the chair's vote settles a tie of a parity body.
    pub casting_vote: bool,
}

/// What the operator sets otherwise than the preset, for all bodies alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What an abstention is.
    pub abstention: Option<Abstention>,
    /// How many seats have to take part.
    pub quorum: Option<Quorum>,
    /// Days between the call and the session.
    pub calling_days: Option<u16>,
    /// Whether a member votes on a paper of his or her own.
    pub author_votes: Option<bool>,
    /// Whether the chair's vote settles a tie of a parity body.
    pub casting_vote: Option<bool>,
}

impl Rules {
    /// The rules with what the operator set.
    #[must_use]
    pub fn with(self, settings: &Settings) -> Self {
        Self {
            on_dissent: self.on_dissent,
            abstention: settings.abstention.unwrap_or(self.abstention),
            quorum: settings.quorum.unwrap_or(self.quorum),
            calling_days: settings.calling_days.map_or(self.calling_days, i32::from),
            author_votes: settings.author_votes.unwrap_or(self.author_votes),
            casting_vote: settings.casting_vote.unwrap_or(self.casting_vote),
        }
    }
}

/// A kind of seat.
#[derive(Clone, Copy, Debug)]
pub struct SeatKind {
    /// Name in the preset.
    pub key: &'static str,
    /// Whose seat it is.
    pub name: &'static str,
    /// The side it sits on.
    pub bench: Bench,
    /// Seats of this kind that the body has in any case: vacant ones count for the quorum.
    pub least: i32,
    /// Most seats of this kind.
    pub most: i32,
    /// Who names the member.
    pub named_by: &'static str,
    /// What its first seat does beside voting.
    pub office: Office,
}

/// The side a seat is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bench {
    /// The Kreis.
    Kreis,
    /// The Städte.
    Stadt,
    /// The municipality, in a parity committee.
    Kommune,
    /// The Agentur für Arbeit, in a parity committee.
    Agentur,
    /// Partners of the labour market.
    Partner,
}

/// What a seat does beside voting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Office {
    /// Nothing.
    Member,
    /// It has the chair: and decides over a dissent, where the chair does.
    Chair,
    /// It stands in for the chair.
    DeputyChair,
    /// It decides over a dissent: as head of the Jobcenter, or for the Kreis.
    Decides,
}
