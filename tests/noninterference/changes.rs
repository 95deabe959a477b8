//! What goes on in the house: random changes, one after the other.

use api::graphql::NodeKind;
use rand::Rng as _;
use sea_orm::{ConnectionTrait as _, DatabaseBackend};
use serde_json::json;
use tests::Service;
use tests::grants::{commission, inspection, issued, of, proposed, revoke};
use tests::story::{Audit, change, with};
use uuid::Uuid;

use crate::world::{PLACES, World, files};

/// A change, with the places of engagements, extracts and items in the world.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A new engagement.
    Open,
    Close(usize),
    /// A population with an extract, a control total that differs, and the explanation.
    Population(usize),
    /// A sample is planned and given up.
    Plan(usize),
    /// All of a population is drawn once more.
    Draw(usize),
    Announce(usize),
    AnnounceLater(usize),
    Check(usize),
    Hold(usize),
    /// An engagement is restricted, or its restriction lifted.
    Restrict(usize),
    /// A grant is proposed, issued and redeemed by somebody, and perhaps revoked.
    Grant,
    /// Somebody under another grant has stated what is visible.
    Statement,
    /// Somebody under another grant comments on an item, or on the first engagement.
    Comment(Option<usize>),
    Reidentify(usize),
    /// Somebody tries what they may not.
    Denied,
    /// Somebody else reads.
    Read,
    /// Somebody from outside reads an item, or downloads those of its Bezirksstelle, under a grant that ends then.
    ReadOutside {
        item: usize,
        download: bool,
    },
    /// Not by the API: what the row of an item holds is another.
    Scramble(usize),
    /// The same of the strata of a Bezirksstelle.
    ScrambleStrata(&'static str),
}

impl Change {
    /// Any change that is possible now.
    pub(crate) fn random(world: &mut World<'_>) -> Self {
        let open = |world: &mut World<'_>| {
            let open: Vec<usize> = (0..2).filter(|place| !world.closed.contains(place)).collect();
            open[world.random.random_range(0..open.len())]
        };
        let item = |world: &mut World<'_>| {
            let closed = world.closed.clone();
            let open = world.some(usize::MAX, |item| !closed.contains(&item.engagement));
            // The more of those that somebody nearly sees, and of those whose cursors are known.
            let here = world.here;
            let near: Vec<usize> = match world.random.random_range(0..5) {
                0 => world.marked.clone(),
                1 => world.some(usize::MAX, |item| {
                    item.line.place == here && item.line.own_staff && item.announced
                }),
                2 => world.some(usize::MAX, |item| item.line.own_staff),
                3 => world.some(usize::MAX, |item| item.line.place == here && !item.announced),
                _ => Vec::new(),
            };
            *open.iter().find(|item| near.contains(item)).unwrap_or(&open[0])
        };
        loop {
            return match world.random.random_range(0..28) {
                0 => Self::Open,
                // One engagement stays open.
                1 if world.closed.is_empty() && world.random.random_bool(0.3) => Self::Close(1),
                2 => Self::Population(open(world)),
                3 | 4 => {
                    let extract = world.random.random_range(0..world.extracts.len());
                    if world.closed.contains(&world.extracts[extract].engagement) {
                        continue;
                    }
                    if world.random.random_bool(0.5) {
                        Self::Plan(extract)
                    } else {
                        Self::Draw(extract)
                    }
                }
                5..9 => match item(world) {
                    item if world.items[item].announced => continue,
                    item if world.random.random_bool(0.3) => Self::AnnounceLater(item),
                    item => Self::Announce(item),
                },
                9..12 => Self::Check(item(world)),
                12 => Self::Hold(world.random.random_range(0..2)),
                13 => Self::Grant,
                14 => Self::Statement,
                15 => Self::Comment(None),
                16 => Self::Comment(Some(item(world))),
                17 | 18 => match item(world) {
                    item if world.items[item].line.case => Self::Reidentify(item),
                    _ => continue,
                },
                19 => Self::Denied,
                20 => Self::Read,
                21..24 => Self::Scramble(item(world)),
                24 => Self::Restrict(world.random.random_range(0..2)),
                25 => Self::ScrambleStrata(PLACES[world.random.random_range(0..PLACES.len())]),
                26 | 27 => Self::ReadOutside {
                    item: world.random.random_range(0..world.items.len()),
                    download: world.random.random_bool(0.3),
                },
                _ => continue,
            };
        }
    }

    /// Does it; ids of what is new.
    pub(crate) async fn happen(&self, world: &mut World<'_>) -> Vec<String> {
        match self {
            Self::Open => {
                let title = world.name("Eine andere");
                let audit = Audit::titled(world.service, &title).await;
                vec![audit.engagement.clone(), audit.population.clone()]
            }
            Self::Close(engagement) => {
                close(world, *engagement).await;
                Vec::new()
            }
            Self::Population(engagement) => vec![population(world, *engagement).await],
            Self::Plan(extract) => vec![plan(world, *extract).await],
            Self::Draw(extract) => {
                let known = world.items.len();
                let sample = world.draw(*extract, "SIMPLE_RANDOM").await;
                let mut ids: Vec<String> = world.items[known..].iter().map(|item| item.id.clone()).collect();
                ids.push(sample["id"].as_str().unwrap().to_owned());
                ids
            }
            Self::Announce(item) => {
                world.announce(*item, false).await;
                Vec::new()
            }
            Self::AnnounceLater(item) => {
                world.announce(*item, true).await;
                Vec::new()
            }
            Self::Check(item) => {
                world.check(*item).await;
                Vec::new()
            }
            Self::Hold(engagement) => {
                world.hold(*engagement).await;
                Vec::new()
            }
            Self::Restrict(engagement) => {
                restrict(world, *engagement).await;
                Vec::new()
            }
            Self::Grant => vec![grant(world).await],
            Self::Statement => {
                let which = world.random.random_range(0..world.strangers.len());
                let input = json!({ "grantId": world.grants[which]["id"] });
                let document = change("stateVisibility", "statement { at }");
                world.strangers[which].done(&document, input).await;
                Vec::new()
            }
            Self::Comment(item) => {
                world.comment(*item).await;
                Vec::new()
            }
            Self::Reidentify(item) => {
                let input =
                    json!({ "sampleItemIds": [world.items[*item].id], "reason": "Akten werden angefordert" });
                let document = change("reidentify", "reidentification { cases { caseNumber } }");
                world.service.auditor().done(&document, input).await;
                Vec::new()
            }
            Self::Denied => {
                let person = world.service.person("jemand", "BUDGET");
                let input = json!({ "sampleItemIds": [world.items[0].id], "reason": "x" });
                let document = change("reidentify", "");
                let codes = person.codes(&document, json!({ "input": input })).await;
                assert_eq!(codes, ["FORBIDDEN"]);
                Vec::new()
            }
            Self::Read => {
                let all = "{ sampleItems(first: 200) { edges { node { reference } } } }";
                world.service.auditor().data(all, json!({})).await;
                Vec::new()
            }
            Self::ReadOutside { item, download } => vec![world.read_outside(*item, *download).await],
            Self::Scramble(item) => {
                let number = world.random.random_range(1..1_000_000);
                scramble_item(world.service, &world.items[*item].id, number).await;
                Vec::new()
            }
            Self::ScrambleStrata(place) => {
                let number = world.random.random_range(1..1_000_000);
                scramble_strata(world.service, world.place(place), number).await;
                Vec::new()
            }
        }
    }
}

async fn close(world: &mut World<'_>, engagement: usize) {
    let head = world.service.head();
    let id = &world.engagements[engagement];
    let seen = head
        .data(
            "query($id: ID!) { engagement(id: $id) { version } }",
            json!({ "id": id }),
        )
        .await;
    let input =
        json!({ "id": id, "expectedVersion": seen["engagement"]["version"], "note": "Ohne weitere Prüfung" });
    head.done(&change("closeEngagement", "engagement { state }"), input)
        .await;
    world.closed.insert(engagement);
}

async fn restrict(world: &mut World<'_>, engagement: usize) {
    let input = json!({ "id": world.engagements[engagement], "reason": "Ermittlungen" });
    let name = if world.restricted.insert(engagement) {
        "restrictEngagement"
    } else {
        world.restricted.remove(&engagement);
        "liftEngagementRestriction"
    };
    let document = change(name, "engagement { restriction }");
    world.service.head().done(&document, input).await;
}

async fn population(world: &mut World<'_>, engagement: usize) -> String {
    let name = world.name("Nachtrag");
    let audit = Audit::of(world.service, &world.engagements[engagement], &name).await;
    let lines = world.lines(5, true);
    let (extract, total) = files(&lines, 1);
    audit.import(crate::world::mapping(), extract.into_bytes()).await;
    audit.control_total(&total).await;
    assert!(audit.settle_differences().await > 0);
    audit.population
}

async fn plan(world: &mut World<'_>, extract: usize) -> String {
    let name = world.name("Plan");
    let audit = &world.extracts[extract].audit;
    let sample = audit
        .planned(audit.plan_input(&name, "SIMPLE_RANDOM", &json!({ "size": 3 })))
        .await;
    let input = json!({ "id": sample["id"], "expectedVersion": sample["version"], "reason": "Doch nicht" });
    audit
        .auditor
        .done(&change("abortSample", "sample { state }"), input)
        .await;
    sample["id"].as_str().unwrap().to_owned()
}

async fn grant(world: &mut World<'_>) -> String {
    let subject = world.name("jemand").replace(' ', "-");
    let fields = json!({ "recipientSubject": subject });
    let engagement = &world.engagements[world.random.random_range(0..2)];
    let input = if world.random.random_bool(0.5) {
        inspection(engagement, &fields)
    } else {
        commission(engagement, &fields)
    };
    let audit = &world.extracts[0].audit;
    let grant = if world.random.random_bool(0.2) {
        proposed(&audit.auditor, input).await
    } else {
        let grant = issued(audit, input).await;
        world.holder(&subject, &grant, &json!({})).await;
        if world.random.random_bool(0.5) {
            let end = with(&of(&grant), &json!({ "reason": "Widerruf" }));
            audit.auditor.done(&revoke(), end).await;
        }
        grant
    };
    grant["id"].as_str().unwrap().to_owned()
}

/// Gives an item another reference, amount, number of hits, place in the draw, state and result. Such items could have been
/// drawn instead; nobody who does not see it may notice.
async fn scramble_item(service: &Service, item: &str, number: i64) {
    let id = NodeKind::SampleItem.parse(item).unwrap();
    let change = format!(
        "reference = 'X{number}', amount_cents = {number}, hits = {}, draw_order = {number}, ticket = '{number}',
            state = 'CHECKED', result = 'ERROR', version = version + 1 WHERE id",
        number % 9 + 1
    );
    let changed = update(service, "sample_item", "sample_item_selection", &change, id).await;
    assert_eq!(changed, 1, "{item}");
}

/// Gives the strata of a Bezirksstelle another label and other numbers.
async fn scramble_strata(service: &Service, place: &str, number: i64) {
    let id = NodeKind::Bezirksstelle.parse(place).unwrap();
    let change = format!(
        "label = 'X{number}', item_count = {number}, sum_cents = {number}, size = {number} WHERE bezirksstelle_id"
    );
    update(service, "sample_stratum", "sample_stratum_update", &change, id).await;
}

/// What is drawn is guarded: a test database goes without.
async fn update(service: &Service, table: &str, guard: &str, change: &str, id: Uuid) -> u64 {
    let db = service.db.owner();
    let (id, before, after) = match db.get_database_backend() {
        DatabaseBackend::Postgres => (
            format!("'{id}'"),
            format!("ALTER TABLE {table} DISABLE TRIGGER USER"),
            format!("ALTER TABLE {table} ENABLE TRIGGER USER"),
        ),
        _ => (
            format!("X'{}'", id.simple()),
            format!("DROP TRIGGER IF EXISTS {guard}"),
            "SELECT 1".to_owned(),
        ),
    };
    db.execute_unprepared(&before).await.unwrap();
    let changed = db
        .execute_unprepared(&format!("UPDATE {table} SET {change} = {id}"))
        .await
        .unwrap();
    db.execute_unprepared(&after).await.unwrap();
    changed.rows_affected()
}
