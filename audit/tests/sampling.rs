//! Samples from plan to evaluation, on both databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(unreachable_pub, reason = "shared by several tests")]
mod support;

use audit::check::{self, AnswerInput, PROGRAMMES, RecordCheck};
use audit::engagement::{self, Open};
use audit::page::{PageArgs, Position};
use audit::sample::{
    self, Abort, Announce, CeremonyInput, Draw, Evaluate, Figures, ItemFilter, ItemOrder, ItemSort,
    PlanInput, Record, RecordItem,
};
use audit::sampling::selection::{FixedInterval, Seed, ticket};
use audit::{Code, Ctx, EngagementKey, Error, jobcenter};
use chrono::{NaiveDate, TimeDelta};
use entity::check_answer::{Answer, Dimension};
use entity::item_check::ErrorClass;
use entity::sample::{Method, State};
use entity::sample_item::{CheckResult, State as ItemState};
use entity::{
    Cents, EngagementId, FundSplit, ImportId, ItemId, ListedItem, PopulationId, draw_event, population,
    population_item, trail_entry,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use support::House;
use uuid::Uuid;

const ITEMS: u32 = 3_000;
const ALL: PageArgs = PageArgs {
    after: None,
    before: None,
    limit: 200,
    backward: false,
};

/// The items of the test: same ids and amounts in every database.
fn item_id(number: u32) -> Uuid {
    Uuid::from_u128((0x0190_0000_0000_7000_8000_0000_0000_0000 + (u128::from(number) << 20)) ^ 0x5a5a5)
}

fn amount(number: u32) -> i64 {
    match number % 10 {
        0 => 0,
        1 => -5_000,
        _ => i64::from(number * 7_919 % 90_000) + 100,
    }
}

struct Ground {
    house: House,
    anna: Ctx,
    engagement: EngagementId,
    population: PopulationId,
}

/// An engagement with a frozen population: item `n` belongs to Bezirksstelle `n mod 3 + 1`.
async fn ground(house: House) -> Ground {
    let anna = house.person("anna", "INNENREVISION").await;
    let open = Open {
        title: "Auszahlungen".to_owned(),
        function: entity::engagement::Function::Innenrevision,
        objective: "Rechtmäßigkeit".to_owned(),
        legal_basis: "§ 6b (4) SGB II".to_owned(),
        period_from: NaiveDate::from_ymd_opt(2025, 1, 1).unwrap(),
        period_to: NaiveDate::from_ymd_opt(2025, 12, 31).unwrap(),
    };
    let engagement = engagement::open(&anna, &house.db, "open", open).await.unwrap();
    let key = anna
        .sources
        .vault()
        .open(engagement.id.0.as_bytes(), &engagement.sealed_key)
        .unwrap();
    let id = PopulationId(anna.new_id());
    let row = insert_population(&house, &anna, engagement.id, id).await;
    insert_items(&house, id, &EngagementKey::new(&key)).await;
    freeze(&house, row).await;
    Ground {
        house,
        anna,
        engagement: engagement.id,
        population: id,
    }
}

async fn insert_population(
    house: &House,
    ctx: &Ctx,
    engagement: EngagementId,
    id: PopulationId,
) -> population::Model {
    let amounts: Vec<i64> = (0..ITEMS).map(amount).collect();
    let part = |keep: fn(&&i64) -> bool| {
        let (count, sum) = amounts
            .iter()
            .filter(keep)
            .fold((0, 0), |(n, sum), cents| (n + 1, sum + cents));
        (count, Cents(sum))
    };
    let ((positive_count, positive_cents), (negative_count, negative_cents)) =
        (part(|cents| **cents > 0), part(|cents| **cents < 0));
    let row = population::Model {
        id,
        engagement_id: engagement,
        name: "Auszahlungen 2025".to_owned(),
        unit: population::Unit::Payment,
        source: "Fachverfahren".to_owned(),
        state: population::State::Open,
        item_count: i64::from(ITEMS),
        sum_cents: Cents(amounts.iter().sum()),
        positive_count,
        positive_cents,
        zero_count: part(|cents| **cents == 0).0,
        negative_count,
        negative_cents,
        merkle_root: None,
        created_by: "anna".to_owned(),
        created_at: ctx.now(),
        frozen_by: None,
        frozen_at: None,
        version: 1,
    };
    let tx = house.db.begin_write().await.unwrap();
    population::ActiveModel::from(row.clone())
        .reset_all()
        .insert(&tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    row
}

async fn insert_items(house: &House, population: PopulationId, key: &EngagementKey) {
    let parts = jobcenter::bezirksstellen(&house.db).await.unwrap();
    let tx = house.db.begin_write().await.unwrap();
    let rows: Vec<population_item::ActiveModel> = (0..ITEMS)
        .map(|number| population_item::ActiveModel {
            id: Set(ItemId(item_id(number))),
            population_id: Set(population),
            import_id: Set(ImportId(Uuid::nil())),
            line: Set(i64::from(number) + 2),
            item_key: Set(key.item(&format!("B{number}\u{1f}ö")).to_vec()),
            case_key: Set(None),
            bezirksstelle_id: Set(parts[number as usize % 3 + 1].id),
            amount_cents: Set(Cents(amount(number))),
            bund_cents: Set(Cents(amount(number))),
            kommune_cents: Set(Cents(0)),
            land_cents: Set(Cents(0)),
            eu_cents: Set(Cents(0)),
            product: Set("312.1".to_owned()),
            period: Set(None),
            decision_date: Set(None),
            kind: Set(String::new()),
            own_staff: Set(false),
            attributes: Set("{}".to_owned()),
            reference: Set(format!("BEL-{number:05}_ÄB%")),
            salt: Set(vec![0; 32]),
        })
        .collect();
    for chunk in rows.chunks(1_000) {
        population_item::Entity::insert_many(chunk.to_vec())
            .exec_without_returning(&tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

async fn freeze(house: &House, row: population::Model) {
    let tx = house.db.begin_write().await.unwrap();
    let mut change: population::ActiveModel = row.into();
    change.state = Set(population::State::Frozen);
    change.merkle_root = Set(Some(vec![7; 32]));
    change.update(&tx).await.unwrap();
    tx.commit().await.unwrap();
}

fn code<T: std::fmt::Debug>(answer: Result<T, Error>) -> (Code, String) {
    match answer.unwrap_err() {
        Error::Refused(refusals) => (refusals[0].code, refusals[0].path.clone()),
        other => panic!("{other}"),
    }
}

fn refused(code: Code, path: &str) -> (Code, String) {
    (code, path.to_owned())
}

impl Ground {
    fn plan_of(&self, name: &str, method: Method, size: i64) -> PlanInput {
        PlanInput {
            population_id: self.population,
            name: name.to_owned(),
            method,
            stratified: false,
            size: Some(size),
            confidence: None,
            tolerable_rate: None,
            expected_rate: None,
            tolerable_cents: None,
            expected_cents: None,
            checks_per_item: 1,
            reason: Some("Vergleich der Verfahren".to_owned()),
            extends: None,
            extension_rule: None,
            parameter_set: None,
            ceremony: CeremonyInput::default(),
        }
    }

    async fn plan(&self, input: PlanInput) -> Result<entity::sample::Model, Error> {
        let key = self.anna.new_id().to_string();
        sample::plan(&self.anna, &self.house.db, &key, input).await
    }

    async fn draw(&self, row: &entity::sample::Model, seed: &str) -> Result<entity::sample::Model, Error> {
        let draw = Draw {
            id: row.id,
            expected_version: row.version,
            seed: Some(seed.to_owned()),
            source: None,
        };
        sample::draw(&self.anna, &self.house.db, draw).await
    }

    async fn drawn(&self, input: PlanInput, seed: &str) -> entity::sample::Model {
        let row = self.plan(input).await.unwrap();
        self.draw(&row, seed).await.unwrap()
    }

    async fn items_of(&self, row: &entity::sample::Model) -> Vec<entity::sample_item::Model> {
        let filter = ItemFilter {
            sample: Some(row.id),
            ..ItemFilter::default()
        };
        let (order, db) = (ItemOrder::default(), &self.house.db);
        let (page, _) = sample::items(&self.anna, db, &filter, order, &ALL, false)
            .await
            .unwrap();
        let ids: Vec<_> = page.rows.iter().map(|row| row.id).collect();
        let mut rows = sample::items_by_id(&self.anna, db, &ids).await.unwrap();
        rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
        rows
    }

    async fn check(
        &self,
        by: &Ctx,
        item: &entity::sample_item::Model,
        class: ErrorClass,
        correct: i64,
        correction: bool,
    ) -> Result<entity::item_check::Model, Error> {
        let key = self.anna.new_id().to_string();
        check::record(
            by,
            &self.house.db,
            &key,
            check_of(item, class, correct, correction),
        )
        .await
    }

    async fn item(&self, item: &entity::sample_item::Model) -> entity::sample_item::Model {
        sample::items_by_id(&self.anna, &self.house.db, &[item.id])
            .await
            .unwrap()
            .remove(0)
    }
}

fn check_of(
    item: &entity::sample_item::Model,
    class: ErrorClass,
    correct: i64,
    correction: bool,
) -> RecordCheck {
    let answers = PROGRAMMES[0].attributes.iter().map(|attribute| AnswerInput {
        attribute: attribute.code.to_owned(),
        answer: match (class, attribute.dimension) {
            (ErrorClass::None, _) => Answer::Yes,
            (ErrorClass::Formal, Dimension::Regularity) => Answer::No,
            (ErrorClass::Formal, _) => Answer::NotApplicable,
            (_, Dimension::Calculation) => Answer::No,
            _ => Answer::Yes,
        },
        remark: String::new(),
    });
    RecordCheck {
        sample_item_id: item.id,
        expected_version: item.version,
        programme: None,
        correction,
        error_class: class,
        correct: FundSplit {
            bund: Cents(correct),
            ..FundSplit::default()
        },
        remark: String::new(),
        answers: answers.collect(),
    }
}

/// The smallest tickets among the numbers that are kept: written down plainly, as an outsider would.
fn tickets(seed: &str, size: usize, keep: impl Fn(u32) -> bool) -> Vec<(String, ItemId)> {
    let seed = Seed::new(seed).unwrap();
    let mut tickets: Vec<(String, ItemId)> = (0..ITEMS)
        .filter(|number| keep(*number))
        .map(|number| {
            (
                ticket(&seed, &item_id(number).to_string()),
                ItemId(item_id(number)),
            )
        })
        .collect();
    tickets.sort();
    tickets.truncate(size);
    tickets
}

on_both!(the_seed_alone_decides_what_is_drawn, async |house: House| {
    let ground = ground(house).await;
    let simple = ground
        .drawn(ground.plan_of("einfach", Method::SimpleRandom, 60), "20250101")
        .await;
    let items = ground.items_of(&simple).await;
    let expected = tickets("20250101", 60, |_| true);
    let found: Vec<_> = items
        .iter()
        .map(|item| (item.ticket.clone().unwrap(), item.item_id))
        .collect();
    assert_eq!(found, expected);
    assert!(
        (1..)
            .zip(&items)
            .all(|(order, item)| item.draw_order == order && item.hits == 1)
    );
    assert_eq!(items[0].state, ItemState::Open);
    assert_eq!(
        (simple.state, simple.algorithm.as_deref()),
        (State::Drawn, Some("tickets-1"))
    );
    assert_eq!(simple.population_root.as_deref(), Some([7; 32].as_slice()));

    let strata = ground.plan_of("geschichtet", Method::StratifiedByBezirksstelle, 31);
    let strata = ground.drawn(strata, "20250101").await;
    let parts = sample::strata(&ground.anna, &ground.house.db, &[strata.id])
        .await
        .unwrap();
    let sizes: Vec<_> = parts.iter().map(|part| (part.item_count, part.size)).collect();
    assert_eq!(sizes, [(1_000, 11), (1_000, 10), (1_000, 10)]);
    let expected: Vec<_> = [(0, 11), (1, 10), (2, 10)]
        .into_iter()
        .flat_map(|(place, size)| tickets("20250101", size, move |number| number % 3 == place))
        .collect();
    let items = ground.items_of(&strata).await;
    let found: Vec<_> = items
        .iter()
        .map(|item| (item.ticket.clone().unwrap(), item.item_id))
        .collect();
    assert_eq!(found, expected);

    let units = ground
        .drawn(
            ground.plan_of("betrag", Method::MonetaryUnitFixedInterval, 80),
            "20250101",
        )
        .await;
    let mut numbers: Vec<u32> = (0..ITEMS).filter(|number| amount(*number) > 0).collect();
    numbers.sort_by_key(|number| item_id(*number));
    let seed = Seed::new("20250101").unwrap();
    let mut interval = FixedInterval::new(&seed, "gesamt", units.frame_cents.0, 80).unwrap();
    for number in numbers {
        interval.offer(item_id(number), amount(number)).unwrap();
    }
    let expected: Vec<_> = interval
        .finish()
        .unwrap()
        .into_iter()
        .map(|hit| (hit.id, hit.hits))
        .collect();
    let items = ground.items_of(&units).await;
    let found: Vec<_> = items
        .iter()
        .map(|item| (item.item_id.to_string(), u64::try_from(item.hits).unwrap()))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(items.iter().map(|item| item.hits).sum::<i64>(), 80);
});

on_both!(a_plan_is_refused_where_it_has_to_be, async |house: House| {
    let ground = ground(house).await;
    let db = &ground.house.db;
    let first = PlanInput {
        reason: None,
        ..ground.plan_of("erste", Method::SimpleRandom, 20)
    };

    let clerk = ground.house.person("carl", "CONTROLLING").await;
    assert!(matches!(
        sample::plan(&clerk, db, "k", first.clone()).await,
        Err(Error::Forbidden(_))
    ));
    let denied = trail_entry::Entity::find()
        .filter(trail_entry::Column::Outcome.eq(trail_entry::Outcome::Denied))
        .count(db.reader())
        .await
        .unwrap();
    assert_eq!(denied, 1);

    let row = sample::plan(&ground.anna, db, "k", first.clone()).await.unwrap();
    assert_eq!(
        sample::plan(&ground.anna, db, "k", first.clone()).await.unwrap(),
        row
    );
    let other = PlanInput {
        size: Some(21),
        ..first.clone()
    };
    assert_eq!(
        code(sample::plan(&ground.anna, db, "k", other).await).0,
        Code::IdempotencyKeyReused
    );
    let taken = ground.plan_of("erste", Method::SimpleRandom, 20);
    assert_eq!(
        code(ground.plan(taken).await),
        refused(Code::NameTaken, "input.name")
    );
    let again = PlanInput {
        name: "zweite".to_owned(),
        ..first.clone()
    };
    assert_eq!(
        code(ground.plan(again).await),
        refused(Code::ReasonRequired, "input.reason")
    );
    let large = ground.plan_of("große", Method::SimpleRandom, 3_001);
    assert_eq!(
        code(ground.plan(large).await),
        refused(Code::SampleLargerThanPopulation, "input.size")
    );
    let unknown = PlanInput {
        population_id: PopulationId(Uuid::nil()),
        ..first.clone()
    };
    assert_eq!(
        code(ground.plan(unknown).await),
        refused(Code::NotFound, "input.populationId")
    );
    let open = PopulationId(ground.anna.new_id());
    let tx = db.begin_write().await.unwrap();
    let frozen = population::Entity::find_by_id(ground.population)
        .one(&tx)
        .await
        .unwrap()
        .unwrap();
    let copy = population::Model {
        id: open,
        name: "offen".to_owned(),
        state: population::State::Open,
        ..frozen
    };
    population::ActiveModel::from(copy)
        .reset_all()
        .insert(&tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let early = PlanInput {
        population_id: open,
        ..first
    };
    assert_eq!(
        code(ground.plan(early).await),
        refused(Code::PopulationNotFrozen, "input.populationId")
    );
});

on_both!(a_sample_is_drawn_once_or_given_up, async |house: House| {
    let ground = ground(house).await;
    let db = &ground.house.db;
    let row = ground
        .plan(ground.plan_of("eins", Method::SimpleRandom, 20))
        .await
        .unwrap();
    assert_eq!(
        code(ground.draw(&row, "").await),
        refused(Code::SeedInvalid, "input.seed")
    );
    let stale = entity::sample::Model {
        version: 9,
        ..row.clone()
    };
    assert_eq!(
        code(ground.draw(&stale, "1").await),
        refused(Code::StaleVersion, "input.expectedVersion")
    );
    let (one, two) = tokio::join!(ground.draw(&row, "1"), ground.draw(&row, "2"));
    assert_eq!(
        [one.is_ok(), two.is_ok()]
            .into_iter()
            .filter(|drawn| *drawn)
            .count(),
        1
    );
    assert_eq!(
        code(ground.draw(&row, "3").await),
        refused(Code::SampleNotPlanned, "input.id")
    );
    assert_eq!(ground.items_of(&row).await.len(), 20);

    let other = ground
        .plan(ground.plan_of("zwei", Method::SimpleRandom, 20))
        .await
        .unwrap();
    let mut abort = Abort {
        id: other.id,
        expected_version: other.version,
        reason: " ".to_owned(),
    };
    assert_eq!(
        code(sample::abort(&ground.anna, db, abort.clone()).await),
        refused(Code::ReasonRequired, "input.reason")
    );
    abort.reason = "falscher Zeitraum".to_owned();
    assert_eq!(
        sample::abort(&ground.anna, db, abort.clone())
            .await
            .unwrap()
            .state,
        State::Aborted
    );
    assert_eq!(
        code(sample::abort(&ground.anna, db, abort).await),
        refused(Code::SampleNotPlanned, "input.id")
    );

    let third = ground
        .plan(ground.plan_of("drei", Method::SimpleRandom, 20))
        .await
        .unwrap();
    let draw = Draw {
        id: third.id,
        expected_version: third.version,
        seed: None,
        source: None,
    };
    let seed = sample::draw(&ground.anna, db, draw).await.unwrap().seed.unwrap();
    assert!(seed.len() == 20 && seed.bytes().all(|digit| digit.is_ascii_digit()));
    let draws = sample::draws(&ground.anna, db, &[ground.engagement])
        .await
        .unwrap();
    let draws: Vec<_> = draws
        .into_iter()
        .map(|event| (event.number, event.kind))
        .collect();
    let (draw, abort) = (draw_event::Kind::Draw, draw_event::Kind::Abort);
    assert_eq!(draws, [(1, draw), (2, abort), (3, draw)]);
});

on_both!(
    a_bezirksstelle_sees_its_own_items_once_announced,
    async |house: House| {
        let ground = ground(house).await;
        let db = &ground.house.db;
        let row = ground
            .drawn(ground.plan_of("eins", Method::SimpleRandom, 60), "7")
            .await;
        let local = ground.house.person("lena", "SACHBEARBEITUNG:01").await;
        let filter = ItemFilter {
            sample: Some(row.id),
            ..ItemFilter::default()
        };
        let hidden = [
            (
                ItemFilter {
                    state: Some(ItemState::Open),
                    ..filter.clone()
                },
                ItemOrder::usual(&local),
            ),
            (
                ItemFilter {
                    result: Some(CheckResult::Error),
                    ..filter.clone()
                },
                ItemOrder::usual(&local),
            ),
            (
                filter.clone(),
                ItemOrder {
                    by: ItemSort::DrawOrder,
                    descending: false,
                },
            ),
        ];
        for (filter, order) in hidden {
            let searched = sample::items(&local, db, &filter, order, &ALL, false).await;
            assert!(
                matches!(searched, Err(Error::Forbidden(_))),
                "working papers are found by searching"
            );
        }
        let seen = async || {
            let order = ItemOrder::usual(&local);
            let (page, totals) = sample::items(&local, db, &filter, order, &ALL, true)
                .await
                .unwrap();
            assert_eq!(i64::try_from(page.rows.len()).unwrap(), totals.unwrap().count);
            assert_eq!(
                sample::find(&local, db, row.id).await.unwrap().is_some(),
                !page.rows.is_empty()
            );
            page.rows
        };
        assert!(seen().await.is_empty());
        let items = ground.items_of(&row).await;
        let own = local.caller.bezirksstelle.unwrap();
        let some = items.iter().find(|item| item.bezirksstelle_id == own).unwrap();
        let later = ground.anna.now() + TimeDelta::days(9);
        let announce = |item_ids, from| {
            sample::announce(
                &ground.anna,
                db,
                Announce {
                    sample_id: row.id,
                    item_ids,
                    from,
                },
            )
        };
        assert_eq!(announce(Some(vec![some.id]), Some(later)).await.unwrap(), 1);
        assert!(seen().await.is_empty());
        assert_eq!(announce(Some(vec![some.id]), None).await.unwrap(), 1);
        assert_eq!(seen().await.len(), 1);
        let stranger = entity::SampleItemId(Uuid::nil());
        assert_eq!(
            code(announce(Some(vec![stranger]), None).await),
            refused(Code::NotFound, "input.itemIds.0")
        );
        assert_eq!(announce(None, Some(later)).await.unwrap(), 59);
        assert_eq!(seen().await.len(), 1);
        assert_eq!(announce(None, None).await.unwrap(), 59);
        assert_eq!(announce(None, Some(later)).await.unwrap(), 0);
        let visible = seen().await;
        assert!(visible.iter().all(|item| item.bezirksstelle_id == own));
        assert_eq!(
            visible.len(),
            items.iter().filter(|item| item.bezirksstelle_id == own).count()
        );

        let ids: Vec<_> = items.iter().map(|item| item.id).collect();
        assert_eq!(
            sample::items_by_id(&local, db, &ids).await.unwrap().len(),
            visible.len()
        );
        assert_eq!(
            sample::population_items(&local, db, &ids).await.unwrap().len(),
            visible.len()
        );
        assert!(
            sample::draws(&local, db, &[ground.engagement])
                .await
                .unwrap()
                .is_empty()
        );
        assert!(matches!(
            check::of_items(&local, db, &ids).await,
            Err(Error::Forbidden(_))
        ));
        let item = sample::items_by_id(&local, db, &[visible[0].id])
            .await
            .unwrap()
            .remove(0);
        assert!(matches!(
            ground.check(&local, &item, ErrorClass::None, 0, false).await,
            Err(Error::Forbidden(_))
        ));
    }
);

on_both!(lists_filter_sort_and_page_alike, async |house: House| {
    let ground = ground(house).await;
    let db = &ground.house.db;
    let row = ground
        .drawn(ground.plan_of("eins", Method::SimpleRandom, 90), "7")
        .await;
    let items = ground.items_of(&row).await;
    let listed = async |filter: ItemFilter| {
        let order = ItemOrder::default();
        let (page, totals) = sample::items(&ground.anna, db, &filter, order, &ALL, true)
            .await
            .unwrap();
        let totals = totals.unwrap();
        assert_eq!(totals.count, i64::try_from(page.rows.len()).unwrap());
        assert_eq!(
            totals.amount.0,
            page.rows.iter().map(|item| item.amount_cents.0).sum::<i64>()
        );
        assert_eq!(totals.hits, page.rows.iter().map(|item| item.hits).sum::<i64>());
        page.rows.len()
    };
    let named = |text: &str| ItemFilter {
        reference: Some(text.to_owned()),
        ..ItemFilter::default()
    };
    assert_eq!(listed(ItemFilter::default()).await, 90);
    assert_eq!(listed(named("bel-0")).await, 90);
    assert_eq!(
        listed(named(&items[5].reference.to_lowercase().replace('ä', "Ä"))).await,
        1
    );
    assert_eq!(listed(named("_äb")).await, 0);
    assert_eq!(listed(named("_A\u{308}b%")).await, 90);
    assert_eq!(listed(named("%BEL")).await, 0);
    assert_eq!(listed(named("Bxb")).await, 0);
    let positive = ItemFilter {
        amount_from: Some(Cents(1)),
        ..ItemFilter::default()
    };
    let expected = items.iter().filter(|item| item.amount_cents > Cents(0)).count();
    assert_eq!(listed(positive).await, expected);
    assert_eq!(
        listed(ItemFilter {
            announced: Some(true),
            ..ItemFilter::default()
        })
        .await,
        0
    );
    assert_eq!(
        listed(ItemFilter {
            announced: Some(false),
            ..ItemFilter::default()
        })
        .await,
        90
    );
    let bezirksstelle = Some(items[0].bezirksstelle_id);
    let expected = items
        .iter()
        .filter(|item| Some(item.bezirksstelle_id) == bezirksstelle)
        .count();
    assert_eq!(
        listed(ItemFilter {
            bezirksstelle,
            ..ItemFilter::default()
        })
        .await,
        expected
    );
    assert_eq!(
        listed(ItemFilter {
            result: Some(CheckResult::Error),
            ..ItemFilter::default()
        })
        .await,
        0
    );

    for by in [ItemSort::DrawOrder, ItemSort::Amount, ItemSort::Reference] {
        for descending in [false, true] {
            let order = ItemOrder { by, descending };
            let filter = ItemFilter::default();
            let whole = sample::items(&ground.anna, db, &filter, order, &ALL, false)
                .await
                .unwrap()
                .0
                .rows;
            let mut expected: Vec<ListedItem> = items.iter().cloned().map(Into::into).collect();
            expected.sort_by_key(|item| (sort_key(by, item), item.id));
            if descending {
                expected.reverse();
            }
            assert_eq!(whole, expected);
            for backward in [false, true] {
                assert_eq!(
                    walk(&ground, order, backward).await,
                    whole,
                    "{order:?} {backward}"
                );
            }
        }
    }
    let foreign = PageArgs {
        after: Some(Position { id: Uuid::nil() }),
        ..ALL
    };
    let (filter, order) = (ItemFilter::default(), ItemOrder::default());
    let answer = sample::items(&ground.anna, db, &filter, order, &foreign, false).await;
    let page = answer.unwrap().0;
    assert_eq!((page.rows, page.has_next), (Vec::new(), false));
});

fn sort_key(by: ItemSort, item: &ListedItem) -> (i64, String) {
    match by {
        ItemSort::DrawOrder => (item.draw_order, String::new()),
        ItemSort::Amount => (item.amount_cents.0, String::new()),
        ItemSort::Reference => (0, item.reference.clone()),
        ItemSort::Id => (0, item.id.0.to_string()),
    }
}

/// All rows, seven at a time.
async fn walk(ground: &Ground, order: ItemOrder, backward: bool) -> Vec<ListedItem> {
    let mut rows: Vec<ListedItem> = Vec::new();
    loop {
        let edge = if backward { rows.first() } else { rows.last() };
        let position = edge.map(|row| Position { id: row.id.0 });
        let args = PageArgs {
            after: if backward { None } else { position },
            before: if backward { position } else { None },
            limit: 7,
            backward,
        };
        let filter = ItemFilter::default();
        let page = sample::items(&ground.anna, &ground.house.db, &filter, order, &args, false)
            .await
            .unwrap()
            .0;
        let more = if backward {
            page.has_previous
        } else {
            page.has_next
        };
        if backward {
            rows = page.rows.into_iter().chain(rows).collect();
        } else {
            rows.extend(page.rows);
        }
        if !more {
            return rows;
        }
    }
}

on_both!(four_eyes_are_two_people, async |house: House| {
    let ground = ground(house).await;
    let db = &ground.house.db;
    let quality = ground.house.person("quirin", "QUALITAETSSICHERUNG").await;
    let head = ground.house.person("leitung", "INNENREVISION_LEITUNG").await;
    let plan = PlanInput {
        checks_per_item: 2,
        ..ground.plan_of("vier", Method::MonetaryUnitFixedInterval, 5)
    };
    let row = ground.drawn(plan, "7").await;
    let item = ground.items_of(&row).await.remove(0);
    let booked = item.amount_cents.0;
    let (none, over) = (ErrorClass::None, ErrorClass::Overpayment);

    let nobody = entity::sample_item::Model {
        id: entity::SampleItemId(Uuid::nil()),
        ..item.clone()
    };
    let answer = ground.check(&ground.anna, &nobody, none, booked, false).await;
    assert_eq!(code(answer), refused(Code::NotFound, "input.sampleItemId"));
    let answer = ground.check(&ground.anna, &item, none, booked, true).await;
    assert_eq!(code(answer), refused(Code::NotFound, "input.correction"));
    let answer = ground.check(&ground.anna, &item, over, booked, false).await;
    assert_eq!(
        code(answer),
        refused(Code::ErrorClassContradictsAmounts, "input.errorClass")
    );

    let input = check_of(&item, none, booked, false);
    let first = check::record(&ground.anna, db, "c1", input.clone())
        .await
        .unwrap();
    assert_eq!(check::record(&ground.anna, db, "c1", input).await.unwrap(), first);
    let answer = ground.check(&ground.anna, &item, none, booked, false).await;
    assert_eq!(code(answer), refused(Code::StaleVersion, "input.expectedVersion"));
    let item = ground.item(&item).await;
    assert_eq!((item.state, item.result), (ItemState::PartlyChecked, None));
    let answer = ground.check(&ground.anna, &item, none, booked, false).await;
    assert_eq!(
        code(answer),
        refused(Code::SecondCheckSamePerson, "input.correction")
    );
    ground
        .check(&quality, &item, over, booked - 1, false)
        .await
        .unwrap();
    let item = ground.item(&item).await;
    assert_eq!((item.state, item.result), (ItemState::Disputed, None));
    let answer = ground.check(&head, &item, none, booked, false).await;
    assert_eq!(code(answer), refused(Code::ChecksComplete, "input.correction"));
    assert_eq!(
        ground
            .check(&ground.anna, &item, over, booked - 1, true)
            .await
            .unwrap()
            .version,
        2
    );
    let item = ground.item(&item).await;
    assert_eq!(
        (item.state, item.result),
        (ItemState::Checked, Some(CheckResult::Error))
    );

    let checks = check::of_items(&ground.anna, db, &[item.id]).await.unwrap();
    let kept: Vec<_> = checks
        .iter()
        .map(|check| (check.tester.as_str(), check.version))
        .collect();
    assert_eq!(kept, [("anna", 2), ("quirin", 1), ("anna", 1)]);
    let answers = check::answers_of(&ground.anna, db, &[first.id]).await.unwrap();
    let codes: Vec<_> = answers.iter().map(|answer| answer.attribute.as_str()).collect();
    let programme: Vec<_> = PROGRAMMES[0]
        .attributes
        .iter()
        .map(|attribute| attribute.code)
        .collect();
    assert_eq!(codes, programme);
});

on_both!(many_checks_are_answered_one_by_one, async |house: House| {
    let ground = ground(house).await;
    let db = &ground.house.db;
    let row = ground
        .drawn(ground.plan_of("eins", Method::SimpleRandom, 40), "7")
        .await;
    let items = ground.items_of(&row).await;
    let mut inputs: Vec<_> = items
        .iter()
        .map(|item| check_of(item, ErrorClass::None, item.amount_cents.0, false))
        .collect();
    for input in &mut inputs[..4] {
        input.error_class = ErrorClass::Formal;
        input.answers[3].answer = Answer::No;
    }
    inputs[39].expected_version = 2;
    let answers = check::record_many(&ground.anna, db, "viele", inputs.clone())
        .await
        .unwrap();
    assert!(answers[..39].iter().all(Result::is_ok));
    let evaluate = |provisional, dimension| Evaluate {
        sample_id: row.id,
        confidence: None,
        dimension,
        provisional,
    };
    let answer = sample::evaluate(&ground.anna, db, evaluate(false, None)).await;
    assert_eq!(code(answer), refused(Code::SampleNotEvaluable, "input.id"));
    let early = sample::evaluate(&ground.anna, db, evaluate(true, None))
        .await
        .unwrap();
    assert!((early.checked, early.items, early.provisional) == (39, 40, true));

    inputs[39].expected_version = 1;
    let answers = check::record_many(&ground.anna, db, "viele", inputs)
        .await
        .unwrap();
    assert!(answers.iter().all(Result::is_ok));
    let result = sample::evaluate(&ground.anna, db, evaluate(false, None))
        .await
        .unwrap();
    assert_eq!(
        (result.errors, result.checked, result.provisional),
        (4, 40, false)
    );
    let Figures::Rate(rates) = &result.figures else {
        panic!("rates")
    };
    // Clopper-Pearson: the 0.95 quantile of Beta(5, 36), by scipy.stats.beta.ppf.
    assert_eq!(
        (rates.rate.to_string(), rates.upper_limit.unwrap().to_string()),
        ("0.100000".to_owned(), "0.214398".to_owned())
    );
    assert_eq!(
        rates
            .bezirksstellen
            .iter()
            .map(|part| part.result.size)
            .sum::<u64>(),
        40
    );
    let funding = sample::evaluate(&ground.anna, db, evaluate(false, Some(Dimension::Funding)))
        .await
        .unwrap();
    assert_eq!(funding.errors, 0);
    let regularity = sample::evaluate(&ground.anna, db, evaluate(false, Some(Dimension::Regularity)))
        .await
        .unwrap();
    assert_eq!(regularity.errors, 4);
});

on_both!(
    a_sample_drawn_elsewhere_is_recorded_and_evaluated,
    async |house: House| {
        let ground = ground(house).await;
        let db = &ground.house.db;
        let item = |number: u32, hits| RecordItem {
            key: vec![format!(" B{number} "), "o\u{308}".to_owned()],
            hits,
        };
        let record = |name: &str, items| Record {
            population_id: ground.population,
            name: name.to_owned(),
            reason: "gezogen vom Rechnungsprüfungsamt".to_owned(),
            checks_per_item: 1,
            confidence: Some("0.95".parse().unwrap()),
            tolerable_cents: Some(Cents(10_000_000)),
            items,
        };
        let recorded = async |name: &str, items| {
            sample::record(
                &ground.anna,
                db,
                &ground.anna.new_id().to_string(),
                record(name, items),
            )
            .await
        };
        let unknown = recorded("a", vec![item(2, 1), item(9_999, 1)]).await;
        assert_eq!(
            code(unknown),
            refused(Code::ItemNotInPopulation, "input.items.1.key")
        );
        let doubled = recorded("a", vec![item(2, 1), item(2, 1)]).await;
        assert_eq!(code(doubled), refused(Code::ItemDoubled, "input.items.1.key"));
        assert_eq!(
            code(recorded("a", vec![item(2, 0)]).await),
            refused(Code::InvalidValue, "input.items.0.hits")
        );
        assert_eq!(
            code(recorded("a", vec![item(10, 1)]).await),
            refused(Code::ItemNotPositive, "input.items.0.key")
        );
        assert_eq!(
            code(recorded("a", Vec::new()).await),
            refused(Code::Required, "input.items")
        );

        let numbers: Vec<u32> = (0..60).map(|place| place * 40 + 5).collect();
        let row = recorded("fremd", numbers.iter().map(|number| item(*number, 2)).collect())
            .await
            .unwrap();
        assert_eq!(
            (row.state, row.size, row.seed.as_deref()),
            (State::Drawn, 120, None)
        );
        let items = ground.items_of(&row).await;
        assert_eq!(
            items.iter().map(|item| item.item_id.0).collect::<Vec<_>>(),
            numbers.iter().map(|number| item_id(*number)).collect::<Vec<_>>()
        );
        for (place, item) in items.iter().enumerate() {
            let booked = item.amount_cents.0;
            let (class, correct) = match place {
                0 => (ErrorClass::NotEvidenced, 0),
                1 => (ErrorClass::Underpayment, booked * 2),
                2 => (ErrorClass::Formal, booked),
                _ => (ErrorClass::None, booked),
            };
            ground
                .check(&ground.anna, item, class, correct, false)
                .await
                .unwrap();
        }
        let question = Evaluate {
            sample_id: row.id,
            confidence: None,
            dimension: None,
            provisional: false,
        };
        let result = sample::evaluate(&ground.anna, db, question).await.unwrap();
        assert_eq!((result.errors, result.error_units, result.units), (3, 6, 120));
        let Figures::Monetary(figures) = result.figures else {
            panic!("amounts")
        };
        let book = row.frame_cents.0;
        // Two hits of 120 with a tainting of 1 in either direction.
        let projected = book / 60;
        assert!((figures.result.over.projected_cents - projected).abs() <= 1);
        assert!((figures.result.under.projected_cents - projected).abs() <= 1);
        // p(2) of 120 at 0.95 is the 0.95 quantile of Beta(3, 118), by scipy.stats.beta.ppf.
        let limit = i64::try_from(i128::from(book) * 51_533_714 / 1_000_000_000).unwrap();
        let gap = figures.result.over.upper_limit_cents - limit;
        assert!(gap.abs() <= book / 100_000_000 + 1, "{gap}");
        assert_eq!(figures.over, Some(figures.result.over.conclude(10_000_000)));
    }
);

on_both!(a_closed_engagement_stays_as_it_is, async |house: House| {
    let ground = ground(house).await;
    let db = &ground.house.db;
    let head = ground.house.person("leitung", "INNENREVISION_LEITUNG").await;
    let drawn = ground
        .drawn(ground.plan_of("eins", Method::SimpleRandom, 3), "7")
        .await;
    let planned = ground
        .plan(ground.plan_of("zwei", Method::SimpleRandom, 3))
        .await
        .unwrap();
    let item = ground.items_of(&drawn).await.remove(0);
    let version = engagement::find(&head, db, ground.engagement)
        .await
        .unwrap()
        .unwrap()
        .version;
    let close = engagement::Close {
        id: ground.engagement,
        expected_version: version,
        note: Some("abgebrochen".to_owned()),
    };
    engagement::close(&head, db, close).await.unwrap();

    let plan = ground.plan_of("drei", Method::SimpleRandom, 3);
    assert_eq!(
        code(ground.plan(plan).await),
        refused(Code::EngagementClosed, "input.populationId")
    );
    assert_eq!(
        code(ground.draw(&planned, "1").await),
        refused(Code::EngagementClosed, "input.id")
    );
    let announce = Announce {
        sample_id: drawn.id,
        item_ids: None,
        from: None,
    };
    assert_eq!(
        code(sample::announce(&ground.anna, db, announce).await),
        refused(Code::EngagementClosed, "input.sampleId")
    );
    let answer = ground
        .check(&ground.anna, &item, ErrorClass::None, item.amount_cents.0, false)
        .await;
    assert_eq!(
        code(answer),
        refused(Code::EngagementClosed, "input.sampleItemId")
    );
});
