//! A random Jobcenter: engagements, populations, samples, announcements, checks, holds, comments and grants from one seed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reqwest::Method;
use serde_json::{Value, json};
use tests::grants::{inspection, issued, of, revoke};
use tests::story::{Audit, FUNDS, change, check, euro, with};
use tests::{Person, Service};

/// Where lines are from.
pub(crate) const PLACES: [&str; 4] = ["01", "02", "05", "09"];

/// A line of an extract.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) reference: String,
    pub(crate) place: &'static str,
    /// Cents by fund.
    pub(crate) funds: [i64; 4],
    pub(crate) own_staff: bool,
    pub(crate) case: bool,
    pub(crate) month: u32,
}

impl Line {
    pub(crate) fn cents(&self) -> i64 {
        self.funds.iter().sum()
    }
}

/// A drawn item as the world knows it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) line: Line,
    /// Place of the engagement.
    pub(crate) engagement: usize,
    pub(crate) sample: Value,
    /// Visible to its Bezirksstelle by now.
    pub(crate) announced: bool,
}

/// A population with its lines.
pub(crate) struct Extract<'a> {
    pub(crate) audit: Audit<'a>,
    pub(crate) engagement: usize,
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct World<'a> {
    pub(crate) service: &'a Service,
    pub(crate) random: ChaCha8Rng,
    /// The Bezirksstelle of the local callers.
    pub(crate) here: &'static str,
    pub(crate) places: BTreeMap<String, String>,
    pub(crate) engagements: Vec<String>,
    pub(crate) closed: BTreeSet<usize>,
    pub(crate) restricted: BTreeSet<usize>,
    pub(crate) extracts: Vec<Extract<'a>>,
    pub(crate) samples: Vec<Value>,
    pub(crate) items: Vec<Item>,
    /// Items that callers have cursors and ids of, theirs or not.
    pub(crate) marked: Vec<usize>,
    /// Works under a grant of its own in each engagement.
    pub(crate) strangers: Vec<Person<'a>>,
    pub(crate) grants: Vec<Value>,
    pub(crate) attributes: Vec<Value>,
    pub(crate) began: String,
    /// Leaves of the log when the world was made.
    pub(crate) leaves: i64,
    seed: u64,
    count: usize,
}

/// How the extracts of all worlds are read.
pub(crate) fn mapping() -> Value {
    json!({
        "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "ISO", "key": ["Beleg"],
        "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag", "period": "Monat", "ownStaff": "Eigen",
        "funds": { "bund": "Bund", "kommune": "Kommune", "land": "Land", "eu": "EU" }, "caseNumber": "Akte",
        "kind": "Art", "attributes": [{ "name": "Merkmal", "column": "Merkmal" }],
    })
}

fn german(cents: i64) -> String {
    euro(cents).replace('.', ",")
}

/// An extract and its control total; off by a cent where they are to differ.
pub(crate) fn files(lines: &[Line], off: i64) -> (String, String) {
    let mut extract = "Beleg;Ort;Betrag;Bund;Kommune;Land;EU;Monat;Eigen;Akte;Art;Merkmal\n".to_owned();
    let mut cells: BTreeMap<(usize, &str, u32), (u32, i64)> = BTreeMap::new();
    for line in lines {
        let funds: Vec<String> = line.funds.iter().map(|cents| german(*cents)).collect();
        let own = if line.own_staff { "ja" } else { "nein" };
        let case = if line.case {
            format!("BG {}", line.reference)
        } else {
            String::new()
        };
        writeln!(
            extract,
            "{};{};{};{};2025-{:02};{own};{case};Art {};M {}",
            line.reference,
            line.place,
            german(line.cents()),
            funds.join(";"),
            line.month,
            line.reference,
            line.reference
        )
        .unwrap();
        for (fund, cents) in line.funds.iter().enumerate().filter(|(_, cents)| **cents != 0) {
            let cell = cells.entry((fund, line.place, line.month)).or_default();
            *cell = (cell.0 + 1, cell.1 + cents);
        }
    }
    let mut total = "fund;bezirksstelle;month;count;sum\n".to_owned();
    for (place, ((fund, number, month), (count, sum))) in cells.into_iter().enumerate() {
        let sum = german(sum + if place == 0 { off } else { 0 });
        let fund = FUNDS[fund].to_uppercase();
        writeln!(total, "{fund};{number};2025-{month:02};{count};{sum}").unwrap();
    }
    (extract, total)
}

impl<'a> World<'a> {
    pub(crate) async fn random(service: &'a Service, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let auditor = service.auditor();
        let known = auditor.data("{ bezirksstellen { id number } }", json!({})).await;
        let places = known["bezirksstellen"].as_array().unwrap().iter();
        let places = places
            .map(|place| {
                (
                    place["number"].as_str().unwrap().to_owned(),
                    place["id"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        let mut world = Self {
            service,
            here: PLACES.choose(&mut random).unwrap(),
            random,
            places,
            engagements: Vec::new(),
            closed: BTreeSet::new(),
            restricted: BTreeSet::new(),
            extracts: Vec::new(),
            samples: Vec::new(),
            items: Vec::new(),
            marked: Vec::new(),
            strangers: Vec::new(),
            grants: Vec::new(),
            attributes: Vec::new(),
            began: String::new(),
            leaves: 0,
            seed,
            count: 0,
        };
        world.fill().await;
        world
    }

    async fn fill(&mut self) {
        for engagement in 0..2 {
            let first = Audit::titled(self.service, &self.name("Prüfung")).await;
            self.engagements.push(first.engagement.clone());
            let name = self.name("Weitere");
            let second = Audit::of(self.service, &first.engagement, &name).await;
            for (part, audit) in [first, second].into_iter().enumerate() {
                // The second engagement is smaller.
                if (engagement, part) == (1, 1) {
                    continue;
                }
                let size = self.random.random_range(8..14);
                let lines = self.lines(size, part == 0);
                let (extract, total) = files(&lines, 0);
                audit.import(mapping(), extract.into_bytes()).await;
                audit.control_total(&total).await;
                audit.freeze().await;
                self.extracts.push(Extract {
                    audit,
                    engagement,
                    lines,
                });
            }
        }
        self.attributes = self.extracts[0].audit.attributes().await;
        for place in 0..self.extracts.len() {
            // The first of each engagement has all lines, so that each caller has something to see.
            self.draw(place, "SIMPLE_RANDOM").await;
        }
        let again = self.random.random_range(0..self.extracts.len());
        self.record(again).await;
        self.draw(0, "STRATIFIED_BY_BEZIRKSSTELLE").await;
        for place in 0..self.items.len() {
            let certain =
                self.samples[0]["id"] == self.items[place].sample["id"] && !self.items[place].line.own_staff;
            if self.items[place].line.place == self.here && certain || self.random.random_bool(0.5) {
                self.announce(place, false).await;
            }
            if self.random.random_bool(0.3) {
                self.check(place).await;
            }
        }
        for engagement in 0..2 {
            let input = inspection(
                &self.engagements[engagement],
                &json!({
                    "recipientSubject": format!("fremd-{engagement}"), "classes": ["AUDIT", "SOCIAL_DATA", "PERSONNEL"],
                    "readBudget": 1_000_000,
                }),
            );
            let grant = issued(&self.extracts[0].audit, input).await;
            self.strangers.push(
                self.holder(&format!("fremd-{engagement}"), &grant, &json!({}))
                    .await,
            );
            self.grants.push(grant);
            if self.random.random_bool(0.5) {
                self.hold(engagement).await;
            }
        }
        let item = self.random.random_range(0..self.items.len());
        self.comment(Some(item)).await;
        for download in [false, true] {
            let item = self.some(1, |item| item.announced)[0];
            self.read_outside(item, download).await;
        }
        self.began = api::auth::system_clock()().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        // The log numbers what was written about a second later.
        let checkpoint = "{ logCheckpoint { size } }";
        let anybody = self.service.anybody();
        while self.leaves == 0 {
            let told = anybody.data(checkpoint, json!({})).await;
            self.leaves = told["logCheckpoint"]["size"].as_i64().unwrap_or(0);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// A name nobody used before.
    pub(crate) fn name(&mut self, word: &str) -> String {
        self.count += 1;
        format!("{word} {}-{}", self.seed, self.count)
    }

    /// Random lines; where it has to be so, some of the callers' Bezirksstelle, own staff's among them, and of another.
    pub(crate) fn lines(&mut self, size: usize, of_all: bool) -> Vec<Line> {
        (0..size)
            .map(|place| {
                let reference = self.name("B").replace(' ', "");
                let random = &mut self.random;
                let mut funds = [0; 4];
                funds[random.random_range(0..4)] = random.random_range(-2_000..20_000);
                funds[random.random_range(0..4)] += random.random_range(1..9) * 100;
                Line {
                    reference,
                    place: match place {
                        0..3 if of_all => self.here,
                        3 if of_all => PLACES.iter().find(|number| **number != self.here).unwrap(),
                        _ => PLACES.choose(random).unwrap(),
                    },
                    funds,
                    own_staff: of_all && (1..=3).contains(&place) && place != 2 || random.random_bool(0.2),
                    case: random.random_bool(0.7),
                    month: random.random_range(1..=12),
                }
            })
            .collect()
    }

    /// Draws all of a population, in strata or not. A part would be another one each time, with the ids.
    pub(crate) async fn draw(&mut self, extract: usize, method: &str) -> Value {
        let name = self.name("Stichprobe");
        let of = &self.extracts[extract];
        // Half of the samples need two people for each item.
        let fields = json!({ "size": of.lines.len(), "checksPerItem": self.random.random_range(1..=2) });
        let sample = of.audit.drawn(&name, method, &fields).await;
        self.take(extract, sample).await
    }

    /// Records some lines as drawn elsewhere, some of them hit more than once.
    async fn record(&mut self, extract: usize) {
        let name = self.name("Anderswo");
        let of = &self.extracts[extract];
        let mut items: Vec<Value> = Vec::new();
        for line in of.lines.iter().filter(|line| line.cents() > 0) {
            if items.is_empty() || self.random.random_bool(0.5) {
                items.push(json!({ "key": [line.reference], "hits": self.random.random_range(1..4) }));
            }
        }
        let input = json!({
            "populationId": of.audit.population, "name": name, "reason": "Vom RPA gezogen", "idempotencyKey": name,
            "items": items,
        });
        let recorded = of
            .audit
            .auditor
            .done(&change("recordSample", "sample { id version }"), input)
            .await;
        self.take(extract, recorded["sample"].clone()).await;
    }

    /// Keeps the items of a new sample.
    async fn take(&mut self, extract: usize, sample: Value) -> Value {
        let of = &self.extracts[extract];
        let mut drawn = of.audit.items(&sample).await;
        drawn.sort_by_key(|item| item["reference"].to_string());
        for item in drawn {
            let line = of
                .lines
                .iter()
                .find(|line| item["reference"] == line.reference.as_str())
                .unwrap();
            self.items.push(Item {
                id: item["id"].as_str().unwrap().to_owned(),
                line: line.clone(),
                engagement: of.engagement,
                sample: sample.clone(),
                announced: false,
            });
        }
        self.samples.push(sample.clone());
        sample
    }

    /// Announces an item, or for a day that has not come.
    pub(crate) async fn announce(&mut self, item: usize, later: bool) {
        let of = &self.items[item];
        let input = json!({
            "sampleId": of.sample["id"], "itemIds": [of.id], "from": if later { json!("2031-01-01T00:00:00Z") } else { Value::Null },
        });
        let document = change("announceSampleItems", "announced { count }");
        self.extracts[0].audit.auditor.done(&document, input).await;
        self.items[item].announced |= !later;
    }

    /// Somebody new checks an item; nothing where its checks are complete.
    pub(crate) async fn check(&mut self, item: usize) {
        let document =
            "query($id: ID!) { sampleItem(id: $id) { id version state funds { bund kommune land eu } } }";
        let auditor = &self.extracts[0].audit.auditor;
        let seen = auditor.data(document, json!({ "id": self.items[item].id })).await["sampleItem"].clone();
        if seen["state"] == "CHECKED" || seen["state"] == "DISPUTED" {
            return;
        }
        let (class, correct) = if self.random.random_bool(0.5) {
            ("NONE", self.items[item].line.funds)
        } else {
            ("NOT_EVIDENCED", [0; 4])
        };
        let key = self.name("pruefung");
        let input = with(
            &check(&seen, class, correct, &self.attributes),
            &json!({ "idempotencyKey": key }),
        );
        let tester = self.service.person(&key, "QUALITAETSSICHERUNG+OWN_STAFF");
        let document = change("recordCheck", "check { id }");
        tester.done(&document, input).await;
    }

    pub(crate) async fn hold(&mut self, engagement: usize) {
        let input = json!({
            "engagementId": self.engagements[engagement], "reason": "Klage anhängig", "idempotencyKey": self.name("halt"),
        });
        let document = change("placeLegalHold", "legalHold { id }");
        self.extracts[0].audit.head.done(&document, input).await;
    }

    /// Somebody under a grant of their own comments on an item, or on the first engagement.
    pub(crate) async fn comment(&mut self, item: Option<usize>) {
        let of = item.map(|item| &self.items[item]);
        let engagement = of.map_or(0, |item| item.engagement);
        let input = json!({
            "engagementId": self.engagements[engagement], "sampleItemId": of.map(|item| item.id.clone()),
            "text": "Woher kommt der Beleg?", "idempotencyKey": tests::unique("k"),
        });
        let document = change("addComment", "comment { id }");
        self.strangers[engagement].done(&document, input).await;
    }

    /// Somebody from outside reads an item, or downloads those of its Bezirksstelle, under a grant that is revoked then; the
    /// grant's id.
    pub(crate) async fn read_outside(&mut self, item: usize, download: bool) -> String {
        let subject = self.name("leser").replace(' ', "-");
        let item = &self.items[item];
        let fields = json!({ "recipientSubject": subject, "classes": ["AUDIT", "SOCIAL_DATA", "PERSONNEL"] });
        let audit = &self.extracts[0].audit;
        let grant = issued(audit, inspection(&self.engagements[item.engagement], &fields)).await;
        let reader = self.holder(&subject, &grant, &json!({})).await;
        if download {
            let path = format!(
                "/exports/sample-items.csv?bezirksstelle={}",
                self.place(item.line.place)
            );
            let answer = reader.request(Method::GET, &path).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            assert!(answer.text().await.unwrap().lines().count() > 1);
        } else {
            let document = "query($id: ID!) { sampleItem(id: $id) { reference amount } }";
            let seen = reader.data(document, json!({ "id": item.id })).await;
            assert!(seen["sampleItem"]["reference"].is_string());
        }
        let end = with(&of(&grant), &json!({ "reason": "Einsicht beendet" }));
        audit.auditor.done(&revoke(), end).await;
        grant["id"].as_str().unwrap().to_owned()
    }

    /// Somebody under a grant; less of it where the fields say so.
    pub(crate) async fn holder(&self, subject: &str, grant: &Value, fields: &Value) -> Person<'a> {
        let (status, answer) = self.service.redeem(subject, grant, fields).await;
        assert_eq!(status, 200, "{answer}");
        self.service.bearer(answer["access_token"].as_str().unwrap())
    }

    /// Some of the items, at least one of those that fit.
    pub(crate) fn some(&mut self, most: usize, fits: impl Fn(&Item) -> bool) -> Vec<usize> {
        let mut found: Vec<usize> = (0..self.items.len())
            .filter(|item| fits(&self.items[*item]))
            .collect();
        found.shuffle(&mut self.random);
        found.truncate(most);
        found
    }

    pub(crate) fn place(&self, number: &str) -> &str {
        &self.places[number]
    }
}
