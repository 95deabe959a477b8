//! The methods as calculators: whoever asks names one and gives its figures as JSON, and gets its result as JSON. Nothing is
//! stored, and nothing is read that is not in the request.
//!
//! What a calculator takes and gives is told by the types of its method: their schemas (JSON Schema 2020-12) are what
//! `pruefpfad calculate --describe` prints, and what the API's types are made from.

use std::collections::HashSet;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::derivation::Text;
use super::evaluation::ec::EcError;
use super::evaluation::errors::ErrorRateError;
use super::evaluation::variables::VariablesError;
use super::evaluation::{EvaluationError, attribute as rates, ec, errors, monetary, variables};
use super::planning::{self, SizeError};
use super::refusal::{Located, Refused};
use super::selection::{DrawInput, Drawing, Seed, Selection, SelectionError, SelectionMethod, Tickets};

/// What a calculator is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// How large a sample has to be, and how it is shared out.
    Plan,
    /// Which items it holds.
    Select,
    /// What its result says.
    Evaluate,
}

/// Why there is no result: each fault names the input that has to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Stable code.
    pub code: &'static str,
    /// The input, by its path from the top: `strata[2].size`.
    pub field: String,
    /// What is wrong.
    pub message: Text,
}

impl<E: Refused> From<Located<E>> for Fault {
    fn from(refusal: Located<E>) -> Self {
        Self {
            code: refusal.code(),
            field: refusal.path(),
            message: Text::new(refusal.german(), refusal.to_string()),
        }
    }
}

/// A method, or several that take the same figures.
#[derive(Debug, Clone, Copy)]
pub struct Calculator {
    /// What a request names it by.
    pub name: &'static str,
    /// What it is for.
    pub purpose: Purpose,
    /// What it finds, in German and English.
    pub title: (&'static str, &'static str),
    /// Ids of the methods it computes by; a result names the one it was.
    pub methods: &'static [&'static str],
    /// Where the methods come from.
    pub source: &'static str,
    input: fn() -> Value,
    result: fn() -> Value,
    run: fn(Value) -> Result<Value, Fault>,
}

impl Calculator {
    /// The schema of its figures.
    pub fn input(&self) -> Value {
        (self.input)()
    }

    /// The schema of its result.
    pub fn result(&self) -> Value {
        (self.result)()
    }

    /// The result for these figures.
    pub fn run(&self, input: Value) -> Result<Value, Fault> {
        (self.run)(input)
    }

    /// Name, purpose, title, methods, source and both schemas.
    pub fn describe(&self) -> Value {
        json!({
            "name": self.name,
            "purpose": self.purpose,
            "title": { "de": self.title.0, "en": self.title.1 },
            "methods": self.methods,
            "source": self.source,
            "input": self.input(),
            "result": self.result(),
        })
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        CALCULATORS.iter().find(|one| one.name == name)
    }
}

/// The figures as the method takes them. What cannot be read is refused with its path.
fn read<T: DeserializeOwned>(input: Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(input).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.inner().to_string();
        // What is missing or unknown is not in the path: the message names it.
        let named = inner
            .strip_prefix("missing field `")
            .or_else(|| inner.strip_prefix("unknown field `"))
            .and_then(|rest| rest.split('`').next());
        let field = match (path.as_str(), named) {
            (".", Some(name)) => name.to_owned(),
            (path, Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
            (path, _) => path.to_owned(),
        };
        let code = if inner.starts_with("missing field") {
            "REQUIRED"
        } else if inner.starts_with("unknown field") {
            "UNKNOWN_FIELD"
        } else {
            "INVALID_VALUE"
        };
        let german = match code {
            "REQUIRED" => format!("Die Angabe {field} fehlt."),
            "UNKNOWN_FIELD" => format!("Die Angabe {field} gibt es hier nicht."),
            _ => format!("Die Angabe {field} ist nicht lesbar ({inner})."),
        };
        let english = match code {
            "REQUIRED" => format!("The input {field} is missing."),
            "UNKNOWN_FIELD" => format!("There is no input {field} here."),
            _ => format!("The input {field} cannot be read ({inner})."),
        };
        Fault {
            code,
            field,
            message: Text::new(german, english),
        }
    })
}

fn answer<I, R, E, L>(input: Value, method: impl Fn(I) -> Result<R, L>) -> Result<Value, Fault>
where
    I: DeserializeOwned,
    R: Serialize,
    E: Refused,
    L: Into<Located<E>>,
{
    let result = method(read(input)?).map_err(|refusal| Fault::from(refusal.into()))?;
    serde_json::to_value(result).map_err(|error| Fault {
        code: "AMOUNT_TOO_LARGE",
        field: String::new(),
        message: Text::new("Das Ergebnis lässt sich nicht darstellen.", error.to_string()),
    })
}

fn schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    SchemaGenerator::new(settings)
        .into_root_schema_for::<T>()
        .to_value()
}

/// Most sampling units that are drawn at once here.
const MOST_UNITS: u64 = 1_000_000;

/// What a sample is drawn from, whole.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelectInput {
    /// The draw.
    pub draw: DrawInput,
    /// The population in its canonical order, ascending by id.
    pub items: Vec<OfferedItem>,
}

/// An item of a population.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfferedItem {
    /// Its id, as the draw file has it.
    pub id: String,
    /// Its amount in whole monetary units; 1 where items count alike.
    pub amount: i64,
}

fn select(input: SelectInput) -> Result<Selection, Located<SelectionError>> {
    let SelectInput { draw, items } = input;
    let of_draw = |error: SelectionError| error.at("draw");
    if draw.size > MOST_UNITS {
        return Err(of_draw(SelectionError::SizeTooLarge(draw.size)));
    }
    let place = |index: usize| format!("items[{index}]");
    let mut ids = HashSet::with_capacity(items.len());
    if let Some((index, twice)) = (0..).zip(&items).find(|(_, item)| !ids.insert(item.id.as_str())) {
        return Err(SelectionError::ItemDoubled(twice.id.clone()).at(place(index)));
    }
    let mut order: Vec<(usize, &OfferedItem)> = (0..).zip(&items).collect();
    if draw.method == SelectionMethod::RandomisedInterval {
        let tickets = Tickets::new(&Seed::new(draw.seed.clone()).map_err(of_draw)?);
        order.sort_by_cached_key(|(_, item)| tickets.of(&item.id));
    }
    let mut drawing = Drawing::new(draw).map_err(of_draw)?;
    for (index, item) in order {
        drawing
            .offer(&item.id, item.amount)
            .map_err(|error| match error.field() {
                "items" => error.at(place(index)),
                _ => of_draw(error),
            })?;
    }
    drawing.finish().map_err(of_draw)
}

macro_rules! calculators {
    ($($purpose:ident $name:literal $german:literal $english:literal
        = $method:expr, $input:ty => $result:ty, $error:ty; [$($id:literal),+ $(,)?] $source:literal)+) => {
        vec![$(Calculator {
            name: $name,
            purpose: Purpose::$purpose,
            title: ($german, $english),
            methods: &[$($id),+],
            source: $source,
            input: || schema::<$input>(SchemaSettings::draft2020_12()),
            result: || schema::<$result>(SchemaSettings::draft2020_12().for_serialize()),
            run: |input| answer::<$input, $result, $error, _>(input, $method),
        }),+]
    };
}

/// All calculators, by purpose.
pub static CALCULATORS: LazyLock<Vec<Calculator>> = LazyLock::new(|| {
    calculators! {
        Plan "attributeSize" "Umfang einer Merkmalsstichprobe" "Size of an attribute sample"
            = |input| planning::attribute::attribute_size(&input), planning::attribute::AttributeSizeInput => planning::attribute::AttributeSize, SizeError;
            ["attribute-size-binomial", "attribute-size-poisson", "attribute-size-hypergeometric", "attribute-size-hypergeometric-idea"]
            "AICPA Audit Guide Audit Sampling (2017), tables A-1, A-2; IDEA for the hypergeometric variant of its name"
        Plan "attributeSizeGrid" "Umfänge für mehrere tragbare und erwartete Anteile" "Sizes for several tolerable and expected rates"
            = |input| planning::attribute::size_grid(&input), planning::attribute::GridInput => planning::attribute::SizeGrid, SizeError;
            ["attribute-size-binomial", "attribute-size-poisson", "attribute-size-hypergeometric", "attribute-size-hypergeometric-idea"]
            "AICPA Audit Guide Audit Sampling (2017), tables A-1, A-2"
        Plan "discovery" "Entdeckungsstichprobe" "Discovery sample"
            = |input| planning::attribute::discovery(&input), planning::attribute::DiscoveryInput => planning::attribute::Discovery, SizeError;
            ["attribute-discovery-binomial", "attribute-discovery-poisson", "attribute-discovery-hypergeometric"]
            "P(X = 0) of the distribution named; EZ-Quant's table of discovery sizes"
        Plan "stopOrGo" "Stufenplan mit Fortsetzung nach jedem gefundenen Fehler" "Plan that goes on after each deviation found"
            = |input| planning::attribute::stop_or_go(&input), planning::attribute::StopOrGoInput => planning::attribute::StopOrGo, SizeError;
            ["attribute-stop-or-go-binomial", "attribute-stop-or-go-poisson", "attribute-stop-or-go-hypergeometric"]
            "AICPA Audit Guide Audit Sampling (2017), sequential sampling"
        Plan "twoStage" "Zweistufiger Plan" "Two-stage plan"
            = |input| planning::attribute::two_stage(&input), planning::attribute::TwoStageInput => planning::attribute::TwoStage, SizeError;
            ["attribute-two-stage-binomial", "attribute-two-stage-poisson", "attribute-two-stage-hypergeometric"]
            "P. Touw and L. Hoogduin, Statistiek voor audit en controlling (2011), p. 129"
        Plan "monetarySize" "Umfang einer wertproportionalen Stichprobe" "Size of a monetary unit sample"
            = |input| planning::monetary::monetary_unit_size(&input), planning::monetary::MonetarySizeInput => planning::monetary::MonetarySize, SizeError;
            ["monetary-size-gamma", "monetary-size-confidence-factor", "monetary-size-hypergeometric-interpolated",
                "monetary-size-binomial-interpolated", "monetary-size-poisson-interpolated", "monetary-size-cell-hypergeometric",
                "monetary-size-cell-binomial", "monetary-size-cell-poisson"]
            "AICPA Audit Guide Audit Sampling (2017), table C-1; T. Stewart, Technical Notes (2012); IDEA for the interpolated methods; \
                D. Leslie, A. Teitlebaum and R. Anderson 1979 for the cell bound"
        Plan "ecStandardSize" "Umfang nach dem Standardansatz der EU-Kommission" "Size by the standard approach of the European Commission"
            = |input| planning::monetary::ec_standard_size(&input), planning::monetary::EcStandardInput => planning::monetary::EcStandardSize, SizeError;
            ["monetary-size-ec-standard", "monetary-size-ec-standard-stratified"]
            "EC guidance EGESIF 16-0014 (2017), 6.3.1, 6.3.2"
        Plan "ecConservativeSize" "Umfang nach dem konservativen Ansatz der EU-Kommission" "Size by the conservative approach of the European Commission"
            = |input| planning::monetary::ec_conservative_size(&input), planning::monetary::EcConservativeInput => planning::monetary::EcConservativeSize, SizeError;
            ["monetary-size-ec-conservative"]
            "EC guidance EGESIF 16-0014 (2017), 6.3.5"
        Plan "highValueStratum" "Vollprüfungsschicht der hohen Beträge" "Exhaustive stratum of high values"
            = |input| planning::monetary::high_value_stratum(&input), planning::monetary::HighValueInput => planning::monetary::HighValueStratum, SizeError;
            ["high-value-above-iterated", "high-value-above-once", "high-value-at-least-iterated"]
            "EC guidance EGESIF 16-0014 (2017), 6.3.1.3"
        Plan "variablesSize" "Umfang für eine Hochrechnung von Beträgen" "Size for an estimate of amounts"
            = |input| planning::variables::variables_size(&input), planning::variables::VariablesSizeInput => planning::variables::VariablesSize, SizeError;
            ["variables-size-ec", "variables-size-student"]
            "EC guidance EGESIF 16-0014 (2017), 6.1.1; FSaudit for Student's distribution"
        Plan "stratifiedSize" "Umfang und Aufteilung über Schichten" "Size and allocation over strata"
            = |input| planning::variables::stratified_size(&input), planning::variables::StratifiedInput => planning::variables::StratifiedSize, SizeError;
            ["variables-size-stratified-ec", "variables-size-stratified-allocated"]
            "EC guidance EGESIF 16-0014 (2017), 6.1.2; J. Neyman 1934"
        Plan "sampleConfidence" "Sicherheit aus dem Prüfungsrisikomodell" "Confidence by the audit risk model"
            = |input| planning::risk::sample_confidence(&input), planning::risk::RiskModelInput => planning::risk::RiskModel, SizeError;
            ["audit-risk-model"]
            "ISA 200; levels of the Handboek Auditing Rijksoverheid as a named profile"
        Plan "strataByRoot" "Schichtgrenzen nach kumulierten Wurzeln der Häufigkeiten" "Strata by cumulative roots of frequencies"
            = |input| planning::strata::strata_by_root(&input), planning::strata::StrataInput => planning::strata::Strata, SizeError;
            ["strata-cumulative-root"]
            "T. Dalenius and J. Hodges 1959"
        Plan "strataByValue" "Schichten gleichen Buchwerts" "Strata of equal book value"
            = |input| planning::strata::strata_by_value(&input), planning::strata::StrataInput => planning::strata::Strata, SizeError;
            ["strata-equal-value"]
            "EC guidance EGESIF 16-0014 (2017), 6.1.2"
        Select "select" "Ziehung aus einer mitgegebenen Grundgesamtheit" "Draw from a population that is given"
            = select, SelectInput => Selection, SelectionError;
            ["tickets", "record-interval", "records-with-replacement", "fixed-interval", "randomised-interval", "cell",
                "units-with-replacement", "sieve", "modified-sieve", "census"]
            "audit/README.md of this repository; R. Rivest, consistent sampling with replacement (2018), for tickets"
        Evaluate "rateLimits" "Exakte Grenzen eines Fehleranteils" "Exact limits of a rate of deviations"
            = |input| rates::rate_limits(&input), rates::RateInput => rates::RateResult, EvaluationError;
            ["attribute-clopper-pearson", "attribute-poisson", "attribute-hypergeometric"]
            "C. Clopper and E. Pearson 1934; AICPA Audit Guide Audit Sampling (2017), tables A-3, A-4"
        Evaluate "strataLimits" "Grenzen eines Fehleranteils über Schichten" "Limits of a rate of deviations over strata"
            = |input| rates::strata_limits(&input), rates::StrataInput => rates::StrataResult, EvaluationError;
            ["attribute-strata-pooled", "attribute-strata-normal", "attribute-strata-bonferroni"]
            "W. Hoeffding 1956 (pooled); EC guidance EGESIF 16-0014 (2017) (normal)"
        Evaluate "stringerBound" "Stringer-Grenze" "Stringer bound"
            = |input| monetary::stringer_bound(&input), monetary::StringerInput => monetary::BoundResult, EvaluationError;
            ["stringer-rate-binomial", "stringer-rate-poisson", "stringer-rate-hypergeometric", "stringer-money-binomial",
                "stringer-money-poisson", "stringer-money-hypergeometric", "stringer-rate-binomial-lta", "stringer-rate-poisson-lta",
                "stringer-rate-hypergeometric-lta", "stringer-money-binomial-lta", "stringer-money-poisson-lta", "stringer-money-hypergeometric-lta"]
            "K. Stringer 1963; D. Leslie, A. Teitlebaum and R. Anderson 1979 (LTA offset); IDEA for the form in money"
        Evaluate "allowances" "Basisgenauigkeit und Zuschläge" "Basic precision and incremental allowances"
            = |input| monetary::allowances(&input), monetary::AllowancesInput => monetary::BoundResult, EvaluationError;
            ["mus-allowances-exact", "mus-allowances-two-places-up", "mus-allowances-two-places-nearest"]
            "AICPA Audit Guide Audit Sampling (2017), appendix C; EC guidance EGESIF 16-0014 (2017), appendix 3"
        Evaluate "cellBound" "Zellengrenze" "Cell bound"
            = |input| monetary::cell_bound(&input), monetary::CellInput => monetary::BoundResult, EvaluationError;
            ["cell-binomial", "cell-poisson", "cell-hypergeometric"]
            "D. Leslie, A. Teitlebaum and R. Anderson, Dollar-Unit Sampling (1979)"
        Evaluate "momentBound" "Modifizierte Momentengrenze" "Modified moment bound"
            = |input| monetary::moment_bound(&input), monetary::MomentInput => monetary::BoundResult, EvaluationError;
            ["modified-moment-accounts", "modified-moment-inventory"]
            "L. Dworin and R. Grimlund 1984"
        Evaluate "rohrbachBound" "Grenze nach Rohrbach" "Rohrbach's augmented variance bound"
            = |input| monetary::rohrbach_bound(&input), monetary::RohrbachInput => monetary::BoundResult, EvaluationError;
            ["rohrbach"]
            "K. Rohrbach 1993"
        Evaluate "coxSnellBound" "Grenze nach Cox und Snell" "Cox and Snell bound"
            = |input| monetary::cox_snell_bound(&input), monetary::CoxSnellInput => monetary::BoundResult, EvaluationError;
            ["cox-snell"]
            "D. Cox and E. Snell 1979"
        Evaluate "meanEstimate" "Hochrechnung über mittlere Fehlerquoten" "Estimate by mean taintings"
            = |input| monetary::mean_estimate(&input), monetary::MeanInput => monetary::BoundResult, EvaluationError;
            ["tainting-mean-per-unit", "tainting-student-t", "hansen-hurwitz"]
            "M. Hansen and W. Hurwitz 1943; S. Lohr, Sampling (2010)"
        Evaluate "variables" "Hochrechnung von Beträgen aus Zufallsstichproben" "Estimate of amounts from random samples"
            = |input| variables::variables(&input), variables::VariablesInput => variables::VariablesResult, VariablesError;
            ["mean-per-unit", "difference-estimation", "ratio-estimation", "regression-estimation", "stratified-mean-per-unit",
                "stratified-difference-estimation", "separate-ratio-estimation", "separate-regression-estimation",
                "combined-ratio-estimation", "combined-regression-estimation"]
            "W. Cochran, Sampling Techniques (1977); IDEA for the rules of few errors"
        Evaluate "ec" "Auswertung nach dem Leitfaden der EU-Kommission" "Evaluation by the guidance of the European Commission"
            = |input| ec::ec(&input), ec::EcInput => ec::EcResult, EcError;
            ["ec-mean-per-unit", "ec-ratio", "ec-difference", "ec-mus-standard", "ec-mus-ratio", "ec-mus-conservative",
                "ec-non-statistical-mean-per-unit", "ec-non-statistical-ratio", "ec-non-statistical-pps"]
            "EC guidance EGESIF 16-0014 (2017), 6.1 to 6.5, 7.3, 7.6 to 7.8, 7.10"
        Evaluate "totalError" "Gesamtfehler aus Zufalls-, systemischen und anomalen Fehlern" "Total error from random, systemic and anomalous errors"
            = |input| errors::total_error(&input), errors::TotalErrorInput => errors::TotalErrorResult, ErrorRateError;
            ["total-error-rate"]
            "EC guidance EGESIF 16-0014 (2017), 2.2, 4.12"
        Evaluate "residualError" "Restfehler nach Korrekturen" "Residual error after corrections"
            = |input| errors::residual_error(&input), errors::ResidualErrorInput => errors::ResidualErrorResult, ErrorRateError;
            ["residual-error-rate"]
            "EC template of the annual control report"
    }
});
