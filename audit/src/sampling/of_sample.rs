//! The methods of evaluation on a stored sample: the sample gives what was drawn and found, the request gives the rest.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::calculator::{Calculator, Fault};
use super::derivation::Text;
use super::evaluation::errors::ErrorClass;

/// What a stored sample gives to each method that evaluates one, by the names of its inputs.
const GIVEN: [(&str, &[&str]); 11] = [
    (
        "rateLimits",
        &["size", "deviations", "population", "confidence", "tolerable"],
    ),
    ("strataLimits", &["strata", "confidence", "tolerable"]),
    ("stringerBound", &["sample"]),
    ("allowances", &["sample"]),
    ("cellBound", &["sample"]),
    ("momentBound", &["sample"]),
    ("rohrbachBound", &["sample"]),
    ("coxSnellBound", &["sample"]),
    ("meanEstimate", &["sample"]),
    ("variables", &["unit", "confidence", "samplingUnit", "strata"]),
    (
        "ec",
        &["unit", "confidence", "strata", "plannedSize", "knownErrors"],
    ),
];

/// The inputs of a calculator that a stored sample gives; none where it is not for samples.
pub fn given(calculator: &Calculator) -> Option<&'static [&'static str]> {
    let found = GIVEN.iter().find(|(name, _)| *name == calculator.name);
    found.map(|(_, fields)| *fields)
}

/// The inputs that a stored sample gives where the request does not: those of the parameter set it cites.
pub const GIVEN_BY_PARAMETER_SET: [&str; 2] = ["materiality", "profile"];

/// What was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// Items without replacement.
    Items,
    /// Items with replacement.
    ItemsWithReplacement,
    /// Cases with all their lines.
    Clusters,
    /// Monetary units.
    Money,
}

/// A checked sample. Amounts are cents.
#[derive(Debug, Clone)]
pub struct CheckedSample {
    /// What was drawn.
    pub drawn: Drawn,
    /// Confidence.
    pub confidence: Decimal,
    /// The plan's tolerable rate.
    pub tolerable_rate: Option<Decimal>,
    /// The tolerable error, of the plan or by the materiality of the set it cites.
    pub tolerable_error: Option<i64>,
    /// Materiality and factor profile of the parameter set that the plan cites.
    pub cited: Option<(Decimal, &'static str)>,
    /// The strata; one for an unstratified sample.
    pub strata: Vec<CheckedStratum>,
    /// Errors that are known in the whole population, and not projected by the methods of the EC guidance.
    pub known_errors: Vec<KnownError>,
}

/// A systemic error that is delimited, or an anomalous one.
#[derive(Debug, Clone)]
pub struct KnownError {
    /// Systemic or anomalous.
    pub class: ErrorClass,
    /// Its amount in the whole population.
    pub amount: i64,
    /// Corrected before the audit ended.
    pub corrected: bool,
    /// Why it is one.
    pub reason: String,
}

/// A stratum of it.
#[derive(Debug, Clone)]
pub struct CheckedStratum {
    /// Name.
    pub name: String,
    /// Units that could be drawn.
    pub population: u64,
    /// Their amount.
    pub book_value: i64,
    /// What was checked.
    pub items: Vec<CheckedItem>,
    /// Units checked: hits, or cases.
    pub size: u64,
    /// Units in error.
    pub deviations: u64,
    /// Delimited systemic errors in it.
    pub systemic: i64,
}

/// A checked item.
#[derive(Debug, Clone)]
pub struct CheckedItem {
    /// Its id.
    pub id: String,
    /// Its case, where cases were drawn.
    pub cluster: Option<String>,
    /// Amount as booked.
    pub book: i64,
    /// Correct amount; the booked one where it is not in error.
    pub audit: i64,
    /// Hits.
    pub hits: u64,
    /// The part of its error that is systemic.
    pub systemic: i64,
    /// The part of its error that is anomalous.
    pub anomalous: i64,
}

impl CheckedSample {
    /// The result of a method for this sample, `settings` being its other inputs. A method for samples of another kind is refused.
    pub fn evaluate(&self, calculator: &Calculator, settings: Value) -> Result<Value, Fault> {
        let figures = self.figures(calculator.name, &settings)?;
        let (Value::Object(mut input), Value::Object(figures)) = (settings, figures) else {
            return Err(not_for(calculator.name));
        };
        input.extend(figures);
        calculator.run(Value::Object(input))
    }

    fn figures(&self, name: &str, settings: &Value) -> Result<Value, Fault> {
        let refused = || not_for(name);
        let method = settings["method"].as_str().unwrap_or_default();
        let money = self.drawn == Drawn::Money;
        let replaced = self.drawn == Drawn::ItemsWithReplacement;
        if replaced && settings["distribution"] == "HYPERGEOMETRIC" {
            return Err(refused());
        }
        Ok(without_nulls(match name {
            "rateLimits" if !money => {
                let [stratum] = self.strata.as_slice() else {
                    return Err(refused());
                };
                json!({
                    "size": stratum.size, "deviations": stratum.deviations, "population": stratum.population,
                    "confidence": self.confidence, "tolerable": self.tolerable_rate,
                })
            }
            "strataLimits" if !money => {
                let strata = (1..).zip(&self.strata).map(|(ordinal, stratum): (u32, _)| {
                    json!({
                        "ordinal": ordinal, "population": stratum.population, "size": stratum.size,
                        "deviations": stratum.deviations,
                    })
                });
                json!({
                    "strata": strata.collect::<Vec<_>>(), "confidence": self.confidence, "tolerable": self.tolerable_rate,
                })
            }
            "variables" if matches!(self.drawn, Drawn::Items | Drawn::Clusters) => {
                self.for_variables(settings)
            }
            "ec" if matches!(self.drawn, Drawn::Items | Drawn::Money)
                && money == draws_money(method)
                && (self.strata.len() == 1 || !matches!(method, "MUS_RATIO" | "MUS_CONSERVATIVE")) =>
            {
                self.for_guidance(method, settings)
            }
            "rateLimits" | "strataLimits" | "variables" | "ec" => return Err(refused()),
            _ if money => {
                let [stratum] = self.strata.as_slice() else {
                    return Err(refused());
                };
                let items = stratum
                    .items
                    .iter()
                    .map(|item| json!({ "book": item.book, "audit": item.audit, "hits": item.hits }));
                json!({ "sample": without_nulls(json!({
                    "unit": "CENT", "bookValue": stratum.book_value, "size": stratum.size,
                    "items": items.collect::<Vec<_>>(), "confidence": self.confidence, "tolerable": self.tolerable_error,
                })) })
            }
            _ => return Err(refused()),
        }))
    }
}

/// What is null is not given.
fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

impl CheckedSample {
    /// The strata as the estimators take them, with their items so.
    fn strata(&self, item: impl Fn(&CheckedItem) -> Value) -> Vec<Value> {
        let stratum = |stratum: &CheckedStratum| {
            let items: Vec<Value> = stratum.items.iter().map(|one| without_nulls(item(one))).collect();
            json!({
                "name": stratum.name, "population": stratum.population, "bookValue": stratum.book_value, "items": items,
            })
        };
        self.strata.iter().map(stratum).collect()
    }

    fn for_variables(&self, settings: &Value) -> Value {
        let strata = self.strata(|item| {
            json!({
                "id": item.id, "cluster": item.cluster, "bookValue": item.book, "auditValue": item.audit,
            })
        });
        let unit = if self.drawn == Drawn::Clusters {
            "CLUSTER"
        } else {
            "ITEM"
        };
        json!({
            "unit": "CENT", "confidence": self.confidence, "samplingUnit": unit, "strata": strata,
            "tolerable": self.tolerable_error.filter(|_| settings["tolerable"].is_null()),
        })
    }

    fn for_guidance(&self, method: &str, settings: &Value) -> Value {
        let money = self.drawn == Drawn::Money;
        let strata = self.strata(|item| {
            let hits = money.then_some(item.hits);
            json!({
                "id": item.id, "bookValue": item.book, "auditValue": item.audit, "hits": hits,
                "systemicError": above_zero(item.systemic), "anomalousError": above_zero(item.anomalous),
            })
        });
        let of_strata = strata.into_iter().zip(&self.strata);
        let strata: Vec<Value> = of_strata
            .map(|(mut value, stratum)| {
                value["systemicError"] = json!(stratum.systemic);
                value
            })
            .collect();
        let known = self.known_errors.iter().map(|error| {
            json!({
                "class": error.class, "amount": error.amount, "corrected": error.corrected, "reason": error.reason,
            })
        });
        let planned = self.strata.iter().map(|stratum| stratum.size).sum::<u64>();
        let statistical = !method.starts_with("NON_STATISTICAL");
        let (materiality, profile) = self.cited.unzip();
        let unless_asked = |name: &str, value: Option<Value>| value.filter(|_| settings[name].is_null());
        json!({
            "unit": "CENT", "confidence": statistical.then_some(self.confidence), "strata": strata,
            "knownErrors": known.collect::<Vec<_>>(),
            "plannedSize": (method == "MUS_CONSERVATIVE").then_some(planned),
            "materiality": unless_asked("materiality", materiality.map(|rate| json!(rate))),
            "profile": unless_asked("profile", profile.filter(|_| statistical).map(Into::into)),
        })
    }
}

/// What is nothing is not given.
fn above_zero(amount: i64) -> Option<i64> {
    (amount > 0).then_some(amount)
}

/// Whether a method of the EC guidance is for monetary units.
fn draws_money(method: &str) -> bool {
    method.starts_with("MUS") || method.ends_with("PPS")
}

fn not_for(name: &str) -> Fault {
    Fault {
        code: "METHOD_NOT_FOR_SAMPLE",
        field: String::new(),
        message: Text::new(
            format!(
                "Das Verfahren {name} passt nicht zu dieser Stichprobe. Bitte eines wählen, das zu ihrer Ziehung (Positionen, Fälle \
                 oder Geldeinheiten) und Schichtung gehört."
            ),
            format!(
                "The method {name} is not for this sample. Please choose one that belongs to its draw (items, cases or monetary \
                 units) and its strata."
            ),
        ),
    }
}
