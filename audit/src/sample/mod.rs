//! A sample (Stichprobe): planned on a frozen population, then drawn or given up; or drawn elsewhere and recorded; or chosen by a
//! person, and then never projected.
//!
//! The plan fixes method, size and bounds; the draw adds a seed and follows by a public algorithm, so that whoever
//! holds population and seed gets the same items. Neither is ever edited: a new draw is a new sample with a reason.
//!
//! The seed is one person's, or that of a `ceremony`: contributions of several parties and a public source.
//!
//! What the seed selects: [`crate::sampling::selection`] says how, and the draw offers every item by its id in lower
//! case with hyphens. Simple random: the items with the smallest tickets of the population. Stratified: the same seed
//! for all strata, and in each the items with the smallest tickets of that stratum (a ticket depends on seed and id
//! alone). Clusters: the cases with the smallest tickets, each by its pseudonym in the spelling of an id. Monetary unit (fixed interval,
//! cells): the items above zero in ascending order of id, in random order by ascending ticket, with the context [`WHOLE`]; record interval
//! and with replacement: all items in ascending order of id.

mod case_number;
mod ceremony;
mod choice;
mod cited;
mod copy_out;
mod draw;
mod draw_plan;
mod draw_record;
mod evaluation;
mod extension;
mod frame;
mod items;
mod known_error;
mod named;
mod record;
mod replacement;
mod rules;
mod service;
mod shuffle;
mod unit;

pub use case_number::{MAX_REIDENTIFIED, Reidentify, case_numbers, reidentify};
pub use ceremony::{
    Ceremony, CeremonyInput, Commit, Contribution, DiceInput, Open, PartyInput, SourceInput, Standing,
    ceremonies, commit, conclusions, contributions, open, standing,
};
pub use choice::{Choose, ChosenItem, choose};
pub use cited::CitedParameterSet;
pub use draw::{Draw, draw};
pub use draw_record::{DRAWN_FROM, DrawFrame, draw_frame};
pub use evaluation::{
    BezirksstelleRate, CellFigures, Evaluate, Evaluation, Exclusion, Figures, FoundFigures, FoundSide,
    MonetaryFigures, MonetaryStrataFigures, RateFigures, StratumRate, TwoStageFigures, checked_sample,
    evaluate,
};
pub use extension::{ExtensionRule, RuleKind};
pub use items::{
    Announce, ItemFilter, ItemOrder, ItemSort, Totals, announce, items, items_by_id, population_items,
};
pub(crate) use known_error::known;
pub use known_error::{
    ApproveKnownError, KnownItem, MAX_KNOWN_ITEMS, ProposeKnownError, RevokeKnownError, approve_known_error,
    known_error_parts, known_errors, propose_known_error, revoke_known_error,
};
pub use record::{MAX_RECORDED_ITEMS, Record, RecordItem, record};
pub use replacement::{
    ApproveReplacement, DeclineReplacement, RequestReplacement, approve_replacement, decline_replacement,
    replacements, request_replacement,
};
pub use rules::{LARGEST_SAMPLE, Parameters, PlanInput, SizeSource, WHOLE, sets_known_errors_apart};
pub(crate) use service::visible_at;
pub use service::{Abort, abort, draws, extensions, find, find_many, list, parameters, plan, strata};
