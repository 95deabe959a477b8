//! What a caller may learn, by the rules of the house (README, "Who sees what"), told anew here: the code under test is not
//! asked.

use std::collections::BTreeSet;

use crate::changes::Change;
use crate::world::{Item, Line, World};

/// Which rows are a caller's.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    None,
    /// The audit function: every row, own staff's for the named group alone.
    All {
        own_staff: bool,
    },
    /// A Bezirksstelle: its own items from their announcement on.
    Place {
        number: &'static str,
        own_staff: bool,
    },
    /// A grant: items of its engagements, announced or not, as far as nothing restricts it.
    Granted {
        engagements: BTreeSet<usize>,
        places: Option<BTreeSet<&'static str>>,
        /// Places in the list of funds.
        funds: Option<BTreeSet<usize>>,
        months: Option<(u32, u32)>,
        own_staff: bool,
    },
}

/// A caller's rights.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) rows: Rows,
    /// Populations, imports, trail: the audit function, and inspections of whole engagements.
    pub(crate) papers: bool,
    /// Fields of class `AUDIT`: checks, draws, holds.
    pub(crate) audit: bool,
    /// Everybody's grants.
    pub(crate) grants: bool,
}

impl View {
    pub(crate) const NOTHING: Self = Self {
        rows: Rows::None,
        papers: false,
        audit: false,
        grants: false,
    };

    pub(crate) fn reaches(&self, item: &Item) -> bool {
        self.reaches_line(&item.line, item.engagement, item.announced)
    }

    fn reaches_line(&self, line: &Line, engagement: usize, announced: bool) -> bool {
        let (theirs, own_staff) = match &self.rows {
            Rows::None => return false,
            Rows::All { own_staff } => (true, *own_staff),
            Rows::Place { number, own_staff } => (announced && line.place == *number, *own_staff),
            Rows::Granted {
                engagements,
                places,
                funds,
                months,
                own_staff,
            } => {
                let within = engagements.contains(&engagement)
                    && places.as_ref().is_none_or(|places| places.contains(line.place))
                    && funds
                        .as_ref()
                        .is_none_or(|funds| funds.iter().any(|fund| line.funds[*fund] != 0))
                    && months.is_none_or(|(from, to)| (from..=to).contains(&line.month));
                (within, *own_staff)
            }
        };
        theirs && (own_staff || !line.own_staff)
    }

    fn reaches_engagement(&self, engagement: usize, world: &World<'_>) -> bool {
        match &self.rows {
            Rows::None => false,
            Rows::All { .. } => true,
            Rows::Granted { engagements, .. } => engagements.contains(&engagement),
            Rows::Place { .. } => world
                .items
                .iter()
                .any(|item| item.engagement == engagement && self.reaches(item)),
        }
    }

    /// Whether the engagement is theirs as a whole: with what tells of all items alike.
    fn whole(&self, engagement: usize) -> bool {
        match &self.rows {
            Rows::All { .. } => true,
            Rows::Granted {
                engagements,
                places: None,
                funds: None,
                months: None,
                ..
            } => engagements.contains(&engagement),
            _ => false,
        }
    }

    /// Whether a change may show in an answer to this caller.
    pub(crate) fn learns(&self, change: &Change, world: &World<'_>) -> bool {
        let item = |item: &usize| &world.items[*item];
        match change {
            Change::Open => matches!(self.rows, Rows::All { .. }),
            Change::Close(engagement) => self.reaches_engagement(*engagement, world),
            Change::Population(engagement) => self.papers && self.whole(*engagement),
            Change::Plan(extract) => self.whole(world.extracts[*extract].engagement),
            Change::Draw(extract) => {
                let of = &world.extracts[*extract];
                self.whole(of.engagement)
                    || of
                        .lines
                        .iter()
                        .any(|line| self.reaches_line(line, of.engagement, false))
            }
            Change::Hold(engagement) => self.audit && self.whole(*engagement),
            // A Bezirksstelle is not told any more who read its items.
            Change::Restrict(engagement) => {
                (self.audit || matches!(self.rows, Rows::Place { .. }))
                    && self.reaches_engagement(*engagement, world)
            }
            Change::Announce(place) => {
                let announced = Item {
                    announced: true,
                    ..item(place).clone()
                };
                self.reaches(&announced)
            }
            Change::AnnounceLater(place) | Change::Scramble(place) => self.reaches(item(place)),
            // A grant of some Bezirksstellen and nothing less shows their strata.
            Change::ScrambleStrata(of) => match &self.rows {
                Rows::Place { number, .. } => number == of,
                Rows::Granted {
                    places: Some(places), ..
                } => places.contains(of),
                Rows::All { .. } => true,
                Rows::Granted { engagements, .. } => {
                    engagements.iter().any(|engagement| self.whole(*engagement))
                }
                Rows::None => false,
            },
            Change::Check(place) => self.audit && self.reaches(item(place)),
            Change::Reidentify(place) => {
                self.papers && self.whole(item(place).engagement) && self.reaches(item(place))
            }
            Change::Comment(place) => {
                matches!(self.rows, Rows::All { .. })
                    && place.as_ref().is_none_or(|place| self.reaches(item(place)))
            }
            Change::Grant | Change::Statement => self.grants,
            Change::ReadOutside {
                item: place,
                download,
            } => {
                let told = match &self.rows {
                    Rows::Place { number, .. } if *download => item(place).line.place == *number,
                    Rows::Place { .. } => self.reaches(item(place)),
                    _ => false,
                };
                self.grants || told
            }
            Change::Denied | Change::Read => false,
        }
    }
}
