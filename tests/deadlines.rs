//! Deadlines: started, stopped, extended, passed and told of; by services whose clock is set by hand.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::sync::Arc;

use api::app;
use audit::deadline::calendar::Calendar;
use audit::trail::rows::unexplained;
use audit::{Clock, Ctx, Db, Sources, deadline, retention};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tests::story::{change, nodes, with};
use tests::{Backend, Hand, Person, Service};

/// A service that stands at this time.
struct House {
    service: Service,
    hand: Arc<Hand>,
    calendar: Calendar,
    engagement: Value,
}

const FIELDS: &str =
    "deadline { id number state endsOn endsAt triggerOn version permissions settledBy settledReason
    bezirksstelle { number } dates { kind endsOn reason derivation } }";

fn seconds(time: &str) -> i64 {
    time.parse::<DateTime<Utc>>().unwrap().timestamp()
}

impl House {
    async fn at(backend: Backend, time: &str) -> Option<Self> {
        let hand = Hand::at(seconds(time));
        let clock: Arc<dyn Clock> = hand.clone();
        let service = Service::start_by(backend, &[], Some(clock)).await?;
        let input = json!({
            "title": "Stellenbesetzung", "function": "INNENREVISION", "objective": "Verfahren",
            "legalBasis": "§ 6b (4) SGB II", "periodFrom": "2026-01-01", "periodTo": "2026-12-31", "idempotencyKey": "e",
        });
        let opened = service
            .auditor()
            .done(&change("openEngagement", "engagement { id }"), input)
            .await;
        let calendar = service.settings.calendar.calendar();
        Some(Self {
            hand,
            calendar,
            engagement: opened["engagement"]["id"].clone(),
            service,
        })
    }

    fn now(&self, time: &str) {
        self.hand.set(seconds(time));
    }

    fn chief(&self, place: &str) -> Person<'_> {
        self.service.person(
            &format!("chief{place}"),
            &format!("BEZIRKSSTELLENLEITUNG:{place}"),
        )
    }

    async fn place(&self, number: &str) -> Value {
        let data = self
            .service
            .auditor()
            .data("{ bezirksstellen { id number } }", json!({}))
            .await;
        let all = data["bezirksstellen"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["number"] == number).unwrap()["id"].clone()
    }

    /// The rule of the personnel standards: a week from the complete notice, then the post may be filled.
    async fn staffing(&self) -> Value {
        json!({
            "engagementId": self.engagement, "bezirksstelleId": self.place("09").await, "title": "Stellenbesetzung Teamleitung",
            "legalBasis": "Personelle Standards Nr. 2", "expiry": "MAY_PROCEED", "start": "EVENT",
            "length": { "count": 1, "unit": "WEEK" }, "idempotencyKey": tests::unique("d"),
        })
    }

    /// Ten working days from notification.
    async fn documents(&self, expiry: &str) -> Value {
        json!({
            "engagementId": self.engagement, "bezirksstelleId": self.place("09").await, "title": "Unterlagen vorlegen",
            "legalBasis": "§ 6 der Satzung", "expiry": expiry, "triggerOn": "2026-06-08",
            "length": { "count": 10, "unit": "WORKING_DAY" }, "idempotencyKey": tests::unique("d"),
        })
    }

    async fn set(&self, input: Value) -> Value {
        let set = self
            .service
            .auditor()
            .done(&change("setDeadline", FIELDS), input)
            .await;
        set["deadline"].clone()
    }

    /// What the auditor does to it.
    async fn does(&self, what: &str, deadline: &Value, fields: &Value) -> Value {
        let input = with(&version_of(deadline), fields);
        let done = self.service.auditor().done(&change(what, FIELDS), input).await;
        done["deadline"].clone()
    }

    async fn refused(&self, what: &str, deadline: &Value, fields: &Value) -> Vec<(String, String)> {
        let input = with(&version_of(deadline), fields);
        let auditor = self.service.auditor();
        auditor.refused(&change(what, "deadline { id }"), input).await
    }

    /// Has the scheduler do all that is due; the service's own may come first.
    async fn run(&self) {
        run(&self.service.sources, &self.service.db, &self.calendar).await;
        for _ in 0..100 {
            let left = self.leases().await;
            if left == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("the scheduler does not end");
    }

    /// Looks that are due and not done.
    async fn leases(&self) -> u64 {
        use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
        entity::deadline_due::Entity::find()
            .filter(entity::deadline_due::Column::At.lte(self.service.sources.now()))
            .count(self.service.db.reader())
            .await
            .unwrap()
    }

    async fn look(&self, deadline: &Value) -> Value {
        let document = format!(
            "query($id: ID!) {{ node(id: $id) {{ ... on Deadline {{ {} }} }} }}",
            inner()
        );
        let auditor = self.service.auditor();
        auditor.data(&document, json!({ "id": deadline["id"] })).await["node"].clone()
    }
}

fn inner() -> &'static str {
    FIELDS
        .trim_start_matches("deadline { ")
        .strip_suffix(" }")
        .unwrap()
}

async fn run(sources: &Arc<Sources>, db: &Db, calendar: &Calendar) -> u64 {
    deadline::run(sources, db, calendar).await.unwrap()
}

fn version_of(deadline: &Value) -> Value {
    json!({ "id": deadline["id"], "expectedVersion": deadline["version"] })
}

fn because(reason: &str) -> Value {
    json!({ "reason": reason })
}

fn refusal(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

/// Kinds in somebody's inbox, newest first.
async fn told(person: &Person<'_>) -> Vec<String> {
    let data = person
        .data("{ notices { edges { node { kind } } } }", json!({}))
        .await;
    nodes(&data["notices"])
        .iter()
        .map(|notice| notice["kind"].as_str().unwrap().to_owned())
        .collect()
}

macro_rules! on_both_at {
    ($name:ident, $time:literal, $story:expr) => {
        mod $name {
            use super::*;

            async fn on(backend: Backend) {
                if let Some(house) = House::at(backend, $time).await {
                    let story: fn(Arc<House>) -> _ = $story;
                    let house = Arc::new(house);
                    story(house.clone()).await;
                    if let Some(house) = Arc::into_inner(house) {
                        house.service.stop().await;
                    }
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on(Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                on(Backend::Postgres).await;
            }
        }
    };
}

on_both_at!(
    whoever_hears_nothing_for_a_week_may_proceed,
    "2026-06-01T08:00:00Z",
    |house| async move {
        let input = house.staffing().await;
        let set = house.set(input.clone()).await;
        assert_eq!(
            json!([
                set["state"],
                set["endsOn"],
                set["dates"],
                set["bezirksstelle"]["number"]
            ]),
            json!(["NOT_STARTED", null, [], "09"])
        );
        assert!(set["number"].as_str().unwrap().ends_with("/09/T-01"), "{set}");
        assert_eq!(house.set(input).await["id"], set["id"]);

        // An incomplete notice starts nothing, however long nobody reacts.
        house.now("2026-08-03T08:00:00Z");
        house.run().await;
        assert_eq!(house.look(&set).await["state"], "NOT_STARTED");
        assert_eq!(
            house.refused("objectToDeadline", &set, &because("zu früh")).await,
            refusal("DEADLINE_STATE", "input.id")
        );

        let running = house.does("acknowledgeDeadline", &set, &json!({})).await;
        assert_eq!(
            json!([
                running["state"],
                running["triggerOn"],
                running["endsOn"],
                running["endsAt"]
            ]),
            json!([
                "RUNNING",
                "2026-08-03",
                "2026-08-10",
                "2026-08-10T22:00:00.000000Z"
            ])
        );
        assert_eq!(
            running["dates"][0]["derivation"][1],
            "First day: Tuesday 2026-08-04 (§ 187 Abs. 1 BGB)"
        );
        assert_eq!(
            house.refused("acknowledgeDeadline", &set, &json!({})).await,
            refusal("STALE_VERSION", "input.expectedVersion")
        );
        // The week belongs to the Koordinierungsstelle until its last second.
        house.now("2026-08-10T21:59:59Z");
        house.run().await;
        assert_eq!(house.look(&set).await["state"], "RUNNING");
        house.now("2026-08-10T22:00:00Z");
        let late = house
            .refused("objectToDeadline", &running, &because("Bedenken"))
            .await;
        assert!(
            [
                refusal("DEADLINE_OVER", "input.id"),
                refusal("STALE_VERSION", "input.expectedVersion")
            ]
            .contains(&late),
            "{late:?}"
        );
        house.run().await;
        let passed = house.look(&set).await;
        // No approval, and nothing can be changed any more.
        assert_eq!(passed["state"], "EXPIRED");
        assert_eq!(passed["permissions"], json!(["DEADLINE_READ"]));
        assert_eq!(
            house
                .refused("objectToDeadline", &passed, &because("Bedenken"))
                .await,
            refusal("DEADLINE_STATE", "input.id")
        );
        assert_eq!(told(&house.chief("09")).await, ["MAY_PROCEED", "STARTED", "SET"]);
        assert_eq!(told(&house.service.auditor()).await, ["MAY_PROCEED"]);
    }
);

on_both_at!(
    an_objection_in_time_stops_it,
    "2026-06-08T08:00:00Z",
    |house| async move {
        let set = house.set(house.staffing().await).await;
        let running = house.does("acknowledgeDeadline", &set, &json!({})).await;
        assert_eq!(
            house.refused("objectToDeadline", &running, &because(" ")).await,
            refusal("REQUIRED", "input.reason")
        );
        house.now("2026-06-15T21:59:59Z");
        let stopped = house
            .does("objectToDeadline", &running, &because("Qualifikation unklar"))
            .await;
        assert_eq!(
            json!([stopped["state"], stopped["settledBy"], stopped["settledReason"]]),
            json!(["STOPPED", "auditor", "Qualifikation unklar"])
        );
        house.now("2026-07-15T08:00:00Z");
        house.run().await;
        assert_eq!(house.look(&set).await["state"], "STOPPED");
        assert_eq!(told(&house.chief("09")).await, ["STOPPED", "STARTED", "SET"]);
        let agreed = house
            .does("meetDeadline", &stopped, &because("Einvernehmen"))
            .await;
        assert_eq!(agreed["state"], "MET");
        assert_eq!(
            house
                .refused("cancelDeadline", &agreed, &because("doch nicht"))
                .await,
            refusal("DEADLINE_STATE", "input.id")
        );
    }
);

on_both_at!(
    an_extension_deletes_no_end,
    "2026-06-08T08:00:00Z",
    |house| async move {
        let set = house.set(house.documents("REMIND").await).await;
        assert_eq!(set["endsOn"], "2026-06-22");
        let longer = json!({ "reason": "Urlaub", "length": { "count": 1, "unit": "WEEK" } });
        let extended = house.does("extendDeadline", &set, &longer).await;
        assert_eq!(extended["endsOn"], "2026-06-29");
        for (fields, code, path) in [
            (
                json!({ "endsOn": "2026-06-29" }),
                "DEADLINE_NOT_LATER",
                "input.endsOn",
            ),
            (
                json!({ "endsOn": "2200-01-01" }),
                "DEADLINE_OUTSIDE_CALENDAR",
                "input.endsOn",
            ),
            (
                json!({ "length": { "count": 0, "unit": "DAY" } }),
                "DEADLINE_SHAPE_INVALID",
                "input.length",
            ),
        ] {
            let fields = with(&because("mehr"), &fields);
            assert_eq!(
                house.refused("extendDeadline", &extended, &fields).await,
                refusal(code, path)
            );
        }
        house.now("2026-07-01T08:00:00Z");
        house.run().await;
        let passed = house.look(&set).await;
        assert_eq!(passed["state"], "EXPIRED");
        let past = json!({ "reason": "mehr", "endsOn": "2026-06-30" });
        assert_eq!(
            house.refused("extendDeadline", &passed, &past).await,
            refusal("DEADLINE_IN_PAST", "input.endsOn")
        );
        // Saturday: moves to Monday.
        let until = json!({ "reason": "Die Akte war im Archiv", "endsOn": "2026-07-11" });
        let again = house.does("extendDeadline", &passed, &until).await;
        let kinds: Vec<_> = again["dates"].as_array().unwrap().iter().collect();
        assert_eq!(
            kinds
                .iter()
                .map(|date| json!([date["kind"], date["endsOn"], date["reason"]]))
                .collect::<Vec<_>>(),
            [
                json!(["SET", "2026-06-22", null]),
                json!(["EXTENDED", "2026-06-29", "Urlaub"]),
                json!(["RETROACTIVE", "2026-07-13", "Die Akte war im Archiv"]),
            ]
        );
        assert_eq!(again["state"], "RUNNING");
        // What was agreed is no authority's to extend.
        let week = house
            .set(with(
                &house.staffing().await,
                &json!({ "triggerOn": "2026-07-01" }),
            ))
            .await;
        assert_eq!(
            house.refused("extendDeadline", &week, &longer).await,
            refusal("DEADLINE_NOT_EXTENDABLE", "input.id")
        );
        // Whoever changes the database past the service is found out.
        let ctx = Ctx::system(house.service.sources.clone());
        assert_eq!(unexplained(&ctx, &house.service.db).await.unwrap().0, []);
        for past in [
            "DELETE FROM deadline_date",
            "UPDATE deadline_date SET reason = 'x'",
            "UPDATE deadline SET title = 'x'",
            "DELETE FROM notice",
        ] {
            assert!(
                house.service.db.owner().execute_unprepared(past).await.is_err(),
                "{past}"
            );
        }
    }
);

on_both_at!(
    wrong_input_is_refused,
    "2026-06-08T08:00:00Z",
    |house| async move {
        let input = house.documents("REMIND").await;
        let auditor = house.service.auditor();
        let set = change("setDeadline", "deadline { id endsOn }");
        for (fields, code, path) in [
            (json!({ "title": " " }), "REQUIRED", "input.title"),
            (
                json!({ "endsOn": "2026-07-01" }),
                "DEADLINE_SHAPE_INVALID",
                "input",
            ),
            (json!({ "length": null }), "DEADLINE_SHAPE_INVALID", "input"),
            (json!({ "freeDays": "TERMIN" }), "DEADLINE_SHAPE_INVALID", "input"),
            (
                json!({ "length": { "count": -1, "unit": "DAY" } }),
                "DEADLINE_SHAPE_INVALID",
                "input.length",
            ),
            (
                json!({ "triggerOn": "1990-01-01" }),
                "DEADLINE_OUTSIDE_CALENDAR",
                "input.length",
            ),
            (
                json!({ "triggerOn": "2026-05-01" }),
                "DEADLINE_IN_PAST",
                "input.triggerOn",
            ),
            (
                json!({ "length": null, "triggerOn": null, "endsOn": "2026-06-07", "freeDays": "TERMIN" }),
                "DEADLINE_IN_PAST",
                "input.endsOn",
            ),
        ] {
            assert_eq!(
                auditor.refused(&set, with(&input, &fields)).await,
                refusal(code, path),
                "{fields}"
            );
        }
        let first = auditor.done(&set, input.clone()).await["deadline"].clone();
        let other = with(&input, &json!({ "title": "Etwas anderes" }));
        assert_eq!(
            auditor.refused(&set, other).await,
            refusal("IDEMPOTENCY_KEY_REUSED", "input.idempotencyKey")
        );
        // A Sunday: a Termin stays on it.
        let termin = json!({ "length": null, "triggerOn": null, "endsOn": "2026-06-14", "freeDays": "TERMIN", "idempotencyKey": "t" });
        let termin = auditor.done(&set, with(&input, &termin)).await["deadline"].clone();
        assert_eq!(termin["endsOn"], "2026-06-14");
        let document = format!(
            "mutation($input: SetDeadlineInput!) {{ {} }}",
            "setDeadline(input: $input) { deadline { id } }"
        );
        let denied = with(&input, &json!({ "idempotencyKey": "x" }));
        assert_eq!(
            house
                .chief("09")
                .codes(&document, json!({ "input": denied }))
                .await,
            ["FORBIDDEN"]
        );

        // A deadline of another Bezirksstelle is not there.
        let list = "{ deadlines { totalCount edges { node { id permissions engagement { id } } } } notices { totalCount } }";
        let own = house.chief("09").data(list, json!({})).await;
        assert_eq!(
            json!([own["deadlines"]["totalCount"], own["notices"]["totalCount"]]),
            json!([2, 2])
        );
        assert_eq!(
            own["deadlines"]["edges"][0]["node"]["permissions"],
            json!(["DEADLINE_READ"])
        );
        let other = house.chief("01").data(list, json!({})).await;
        assert_eq!(
            json!([other["deadlines"]["totalCount"], other["notices"]["totalCount"]]),
            json!([0, 0])
        );
        let node = "query($id: ID!) { node(id: $id) { id } }";
        let seen = house.chief("01").data(node, json!({ "id": first["id"] })).await;
        assert_eq!(seen["node"], json!(null));
        let seen = house.chief("09").data(node, json!({ "id": first["id"] })).await;
        assert_eq!(seen["node"]["id"], first["id"]);
        let filtered = "query($place: ID!) { deadlines(filter: { bezirksstelle: $place, states: [RUNNING], endsUntil: \"2026-06-15\" }) { totalCount } }";
        let found = auditor
            .data(filtered, json!({ "place": house.place("09").await }))
            .await;
        assert_eq!(found["deadlines"]["totalCount"], 1);
    }
);

on_both_at!(nobody_is_told_twice, "2026-06-08T08:00:00Z", |house| async move {
    for _ in 0..6 {
        house.set(house.documents("REMIND").await).await;
    }
    // Two instances beside the service's own.
    house.now("2026-06-23T08:00:00Z");
    let others = [
        app::connect(&house.service.settings).await.unwrap(),
        app::connect(&house.service.settings).await.unwrap(),
    ];
    let (one, two) = tokio::join!(
        run(&house.service.sources, &others[0], &house.calendar),
        run(&house.service.sources, &others[1], &house.calendar),
    );
    assert!(one + two <= 6);
    house.run().await;
    let overdue = async || {
        let kinds = told(&house.service.auditor()).await;
        kinds.iter().filter(|kind| *kind == "OVERDUE").count()
    };
    assert_eq!(overdue().await, 6);
    // The clock is put back, and comes by again.
    house.now("2026-06-20T08:00:00Z");
    house.run().await;
    house.now("2026-06-23T09:00:00Z");
    house.run().await;
    assert_eq!(overdue().await, 6);
    let ctx = Ctx::system(house.service.sources.clone());
    assert_eq!(unexplained(&ctx, &house.service.db).await.unwrap().0, []);
});

on_both_at!(
    who_does_not_answer_is_escalated,
    "2026-06-08T08:00:00Z",
    |house| async move {
        let set = house.set(house.documents("ESCALATE").await).await;
        let higher = [
            house.chief("09"),
            house.service.person("department", "FACHBEREICHSLEITUNG"),
            house.service.person("board", "VORSTAND"),
        ];
        let mut told_so_far = Vec::new();
        for day in [
            "2026-06-23",
            "2026-06-30",
            "2026-07-07",
            "2026-07-14",
            "2026-07-21",
            "2026-07-28",
            "2026-09-01",
        ] {
            house.now(&format!("{day}T06:00:00Z"));
            house.run().await;
            let mut counts = Vec::new();
            for person in &higher {
                counts.push(told(person).await.len());
            }
            told_so_far.push(counts);
        }
        assert_eq!(
            told_so_far,
            [
                [2, 0, 0],
                [3, 0, 0],
                [4, 0, 0],
                [5, 0, 0],
                [5, 1, 0],
                [5, 1, 1],
                [5, 1, 1]
            ]
        );
        assert_eq!(
            told(&higher[0]).await,
            ["ESCALATION", "REMINDER", "REMINDER", "OVERDUE", "SET"]
        );
        // The board is told of it, and sees no more of it.
        let document =
            "{ notices(unread: true) { totalCount edges { node { id number endsOn readAt deadlineId } } } }";
        let inbox = higher[2].data(document, json!({})).await["notices"].clone();
        let notice = nodes(&inbox)[0].clone();
        assert_eq!(
            json!([notice["endsOn"], notice["deadlineId"]]),
            json!(["2026-06-22", set["id"]])
        );
        let node = "query($id: ID!) { node(id: $id) { id } }";
        assert_eq!(
            higher[2].data(node, json!({ "id": set["id"] })).await["node"],
            json!(null)
        );
        let mark = change("markNoticeRead", "notice { readAt }");
        let read = higher[2].done(&mark, json!({ "id": notice["id"] })).await;
        assert_eq!(read, higher[2].done(&mark, json!({ "id": notice["id"] })).await);
        assert_eq!(
            higher[2].data(document, json!({})).await["notices"]["totalCount"],
            0
        );
        assert_eq!(
            higher[1].refused(&mark, json!({ "id": notice["id"] })).await,
            refusal("NOT_FOUND", "input.id")
        );
        // Late is better than never.
        let late = house.look(&set).await;
        assert_eq!(
            house
                .does("meetDeadline", &late, &because("am 1.9. eingegangen"))
                .await["state"],
            "MET"
        );
    }
);

on_both_at!(
    a_person_confirms_that_a_right_is_barred,
    "2026-06-08T08:00:00Z",
    |house| async move {
        let set = house.set(house.documents("PRESUMED_BARRED").await).await;
        let confirm = change("confirmDeadline", "deadline { state settledBy }");
        house.now("2026-06-23T08:00:00Z");
        house.run().await;
        let passed = house.look(&set).await;
        assert_eq!(passed["state"], "EXPIRED");
        assert!(
            !passed["permissions"]
                .as_array()
                .unwrap()
                .contains(&json!("DEADLINE_CONFIRM"))
        );
        let input = with(&version_of(&passed), &because("Kein Eingang bis zum 22.06."));
        let head = house.service.head();
        assert_eq!(
        house.service.auditor().codes("mutation($input: ConfirmDeadlineInput!) { confirmDeadline(input: $input) { deadline { id } } }",
            json!({ "input": input })).await,
        ["FORBIDDEN"]
    );
        let own = head
            .done(
                &change("setDeadline", FIELDS),
                with(
                    &house.documents("PRESUMED_BARRED").await,
                    &json!({ "triggerOn": "2026-06-23" }),
                ),
            )
            .await["deadline"]
            .clone();
        house.now("2026-08-01T08:00:00Z");
        house.run().await;
        let own = house.look(&own).await;
        assert_eq!(
            head.refused(&confirm, with(&version_of(&own), &because("verfristet")))
                .await,
            refusal("DEADLINE_CONFIRM_OWN", "input.id")
        );
        let confirmed = head.done(&confirm, input).await["deadline"].clone();
        assert_eq!(
            json!([confirmed["state"], confirmed["settledBy"]]),
            json!(["CONFIRMED", "head"])
        );
    }
);

on_both_at!(
    the_service_comes_by_itself_and_forgets_after_ten_years,
    "2026-06-08T08:00:00Z",
    |house| async move {
        let set = house.set(house.documents("REMIND").await).await;
        house.now("2026-06-23T08:00:00Z");
        let mut state = json!(null);
        for _ in 0..150 {
            state = house.look(&set).await["state"].clone();
            if state == "EXPIRED" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(state, "EXPIRED");
        let close = change("closeEngagement", "engagement { state }");
        let input = json!({ "id": house.engagement, "expectedVersion": 1, "note": "Ende" });
        house.service.head().done(&close, input).await;
        // Nobody is reminded of what is closed.
        house.now("2026-09-01T08:00:00Z");
        house.run().await;
        assert_eq!(told(&house.chief("09")).await, ["OVERDUE", "SET"]);
        house.now("2036-09-01T08:00:00Z");
        let ctx = Ctx::system(house.service.sources.clone());
        retention::run(&ctx, &house.service.db, retention::Kind::WorkingPaper)
            .await
            .unwrap();
        assert_eq!(house.look(&set).await, json!(null));
        assert_eq!(told(&house.chief("09")).await, Vec::<String>::new());
        assert_eq!(unexplained(&ctx, &house.service.db).await.unwrap().0, []);
    }
);

on_both_at!(
    periods_and_clocks_are_computed,
    "2026-06-08T08:00:00Z",
    |house| async move {
        let auditor = house.service.auditor();
        let document = "query($input: DeadlineEndInput!) { deadlineEnd(input: $input) { endsOn endsAt derivation { kind norm because text } } }";
        let ask = async |start: &str, on: &str, count: i32, unit: &str, land: Value| {
            let input =
                json!({ "start": start, "on": on, "length": { "count": count, "unit": unit }, "land": land });
            auditor.data(document, json!({ "input": input })).await["deadlineEnd"].clone()
        };
        let end = ask("NOTIFICATION", "2026-05-28", 1, "WEEK", json!(null)).await;
        assert_eq!(end["endsOn"], "2026-06-05");
        assert_eq!(
            json!([
                end["derivation"][3]["kind"],
                end["derivation"][3]["because"],
                end["derivation"][1]["norm"]
            ]),
            json!(["MOVED", "Corpus Christi", "§ 26 Abs. 2 SGB X"])
        );
        assert_eq!(
            ask("NOTIFICATION", "2026-05-28", 1, "WEEK", json!("BE")).await["endsOn"],
            "2026-06-04"
        );
        assert_eq!(
            ask("EVENT", "2028-02-29", 1, "YEAR", json!(null)).await["endsOn"],
            "2029-02-28"
        );
        assert_eq!(
            ask("OLD_END", "2025-02-28", 1, "MONTH", json!(null)).await["endsOn"],
            "2025-03-31"
        );
        // The house is closed on 24 and 31 December.
        assert_eq!(
            ask("EVENT", "2026-12-23", 1, "WORKING_DAY", json!(null)).await["endsOn"],
            "2026-12-28"
        );
        assert_eq!(
            ask("EVENT", "2026-12-23", 1, "WORKING_DAY", json!("NW")).await["endsOn"],
            "2026-12-24"
        );
        // Easter: from Maundy Thursday's week over Good Friday to Tuesday.
        assert_eq!(
            ask("EVENT", "2026-03-27", 1, "WEEK", json!(null)).await["endsOn"],
            "2026-04-07"
        );
        let summer = ask("EVENT", "2026-03-26", 1, "WEEK", json!(null)).await;
        assert_eq!(summer["endsAt"], "2026-04-02T22:00:00.000000Z");
        let winter = ask("EVENT", "2026-10-19", 1, "WEEK", json!(null)).await;
        assert_eq!(winter["endsAt"], "2026-10-26T23:00:00.000000Z");
        let wrong = json!({ "start": "EVENT", "on": "2026-01-01", "length": { "count": 0, "unit": "DAY" } });
        assert_eq!(
            auditor.codes(document, json!({ "input": wrong })).await,
            ["BAD_USER_INPUT"]
        );
        assert_eq!(
            house
                .service
                .anybody()
                .codes("{ legalClocks(input: {}) { threshold } }", json!({}))
                .await,
            ["UNAUTHENTICATED"]
        );

        let document = "query($input: LegalClocksInput!) { legalClocks(input: $input) { thresholdNorm threshold belowThreshold
        clocks { code norm wording validFrom knowledge endsOn warnOn progress meaning } } }";
        let input =
            json!({ "auditorToldOfficeOn": "2025-08-01", "hearingEndedOn": "2026-01-15", "amount": "49.99" });
        let found = auditor.data(document, json!({ "input": input })).await["legalClocks"].clone();
        assert_eq!(
            json!([found["threshold"], found["belowThreshold"]]),
            json!(["50.00", true])
        );
        let of_45: Vec<_> = found["clocks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|clock| clock["code"] == "SGBX_45_4_ONE_YEAR")
            .map(|clock| {
                json!([
                    clock["knowledge"],
                    clock["endsOn"],
                    clock["warnOn"],
                    clock["progress"]
                ])
            })
            .collect();
        assert_eq!(
            of_45,
            [
                json!([
                    "AUDITOR_TOLD_OFFICE",
                    "2026-08-01",
                    ["2026-05-01", "2026-07-01"],
                    "WARNED"
                ]),
                json!(["HEARING", "2027-01-15", ["2026-10-15", "2026-12-15"], "RUNNING"]),
            ]
        );
    }
);
