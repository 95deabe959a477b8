//! From the audit risk to the confidence of the sample.
//!
//! `DR = AR / (IR * CR [* AP])`, and the confidence of the sample is `1 - DR` (the audit risk model of ISA
//! 200; AICPA). The profile gives the named levels figures: JASP for Audit, after the Handboek Auditing
//! Rijksoverheid.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SizeError;
use super::exact::german;
use crate::sampling::derivation::{Step, Text, outside_the_population};
use crate::sampling::numerics::Fraction;

/// Method id of [`sample_confidence`].
pub const RISK_MODEL_METHOD: &str = "audit-risk-model";
/// Its version.
pub const RISK_MODEL_VERSION: &str = "1";

/// What figures named levels have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RiskProfile {
    /// Inherent 1.00, 0.63, 0.40; control 1.00, 0.52, 0.34; analytical 1.00, 0.50, 0.25.
    HandboekAuditingRijksoverheid,
}

/// How high a risk is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RiskLevel {
    /// High: nothing speaks against an error.
    High,
    /// Medium.
    Medium,
    /// Low.
    Low,
}

/// A risk: a figure, or a level of the profile. Exactly one of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Risk {
    /// Above 0 and up to 1.
    pub rate: Option<Decimal>,
    /// The level.
    pub level: Option<RiskLevel>,
}

/// What the confidence of a sample follows from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RiskModelInput {
    /// Audit risk that is accepted, between 0 and 1.
    pub audit_risk: Decimal,
    /// Inherent risk.
    pub inherent_risk: Risk,
    /// Control risk.
    pub control_risk: Risk,
    /// Risk that analytical procedures miss the error; none where there are none.
    pub analytical_risk: Option<Risk>,
    /// Figures of levels; needed where a level is named.
    pub profile: Option<RiskProfile>,
}

/// The confidence of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RiskModel {
    /// Method id.
    pub method: &'static str,
    /// Version of the method.
    pub version: &'static str,
    /// The profile, where one was named.
    pub profile: Option<RiskProfile>,
    /// Audit risk.
    pub audit_risk: Decimal,
    /// Inherent risk.
    pub inherent_risk: Decimal,
    /// Control risk.
    pub control_risk: Decimal,
    /// Risk of analytical procedures.
    pub analytical_risk: Option<Decimal>,
    /// Detection risk left to the sample, rounded down to twelve places.
    pub detection_risk: Decimal,
    /// Confidence of the sample, `1 - detectionRisk`.
    pub confidence: Decimal,
    /// How it came about.
    pub steps: Vec<Step>,
    /// What the method cannot find.
    pub cannot_find: Vec<Text>,
}

#[derive(Clone, Copy)]
enum Kind {
    Inherent,
    Control,
    Analytical,
}

impl RiskProfile {
    fn rate(self, kind: Kind, level: RiskLevel) -> Decimal {
        let Self::HandboekAuditingRijksoverheid = self;
        let hundredths = match (kind, level) {
            (_, RiskLevel::High) => 100,
            (Kind::Inherent, RiskLevel::Medium) => 63,
            (Kind::Inherent, RiskLevel::Low) => 40,
            (Kind::Control, RiskLevel::Medium) => 52,
            (Kind::Control, RiskLevel::Low) => 34,
            (Kind::Analytical, RiskLevel::Medium) => 50,
            (Kind::Analytical, RiskLevel::Low) => 25,
        };
        Decimal::new(hundredths, 2)
    }
}

fn rate(risk: Risk, kind: Kind, profile: Option<RiskProfile>) -> Result<Decimal, SizeError> {
    let field = match kind {
        Kind::Inherent => "inherentRisk",
        Kind::Control => "controlRisk",
        Kind::Analytical => "analyticalRisk",
    };
    match (risk.rate, risk.level) {
        (Some(_), Some(_)) => Err(SizeError::NotTogether {
            field,
            other: "level",
        }),
        (None, None) => Err(SizeError::Required(field)),
        (Some(value), None) if value <= Decimal::ZERO || value > Decimal::ONE => {
            Err(SizeError::Rate { field, value })
        }
        (Some(value), None) => Ok(value),
        (None, Some(level)) => Ok(profile.ok_or(SizeError::Required("profile"))?.rate(kind, level)),
    }
}

/// The confidence a sample needs so that the audit risk is not exceeded.
pub fn sample_confidence(input: &RiskModelInput) -> Result<RiskModel, SizeError> {
    if input.audit_risk <= Decimal::ZERO || input.audit_risk >= Decimal::ONE {
        return Err(SizeError::Rate {
            field: "auditRisk",
            value: input.audit_risk,
        });
    }
    let inherent = rate(input.inherent_risk, Kind::Inherent, input.profile)?;
    let control = rate(input.control_risk, Kind::Control, input.profile)?;
    let analytical = input
        .analytical_risk
        .map(|risk| rate(risk, Kind::Analytical, input.profile))
        .transpose()?;
    let product = Fraction::from(inherent)
        .times(&Fraction::from(control))
        .times(&Fraction::from(analytical.unwrap_or(Decimal::ONE)));
    let detection = Fraction::from(input.audit_risk)
        .over(&product)
        .filter(|risk| *risk < Fraction::one())
        .and_then(|risk| risk.down(12))
        .ok_or(SizeError::NoDetectionNeeded(input.audit_risk))?
        .normalize();
    let confidence = Decimal::ONE - detection;
    let extra = analytical.map(|rate| format!(" · {rate}")).unwrap_or_default();
    let formula = format!("{} / ({inherent} · {control}{extra})", input.audit_risk);
    Ok(RiskModel {
        cannot_find: vec![outside_the_population()],
        method: RISK_MODEL_METHOD,
        version: RISK_MODEL_VERSION,
        profile: input.profile,
        audit_risk: input.audit_risk,
        inherent_risk: inherent,
        control_risk: control,
        analytical_risk: analytical,
        detection_risk: detection,
        confidence,
        steps: vec![
            Step::new(
                format!(
                    "Entdeckungsrisiko: Prüfungsrisiko / (inhärentes Risiko · Kontrollrisiko{}) = {}",
                    if analytical.is_some() {
                        " · Risiko analytischer Prüfungen"
                    } else {
                        ""
                    },
                    german(&formula)
                ),
                format!(
                    "Detection risk: audit risk / (inherent risk · control risk{}) = {formula}",
                    if analytical.is_some() {
                        " · risk of analytical procedures"
                    } else {
                        ""
                    }
                ),
                detection,
            ),
            Step::new(
                format!("Sicherheit der Stichprobe: 1 − {}", german(&detection)),
                format!("Confidence of the sample: 1 − {detection}"),
                confidence,
            ),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::RiskLevel::{High, Low, Medium};
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn figure(text: &str) -> Risk {
        Risk {
            rate: Some(decimal(text)),
            level: None,
        }
    }

    fn named(level: RiskLevel) -> Risk {
        Risk {
            rate: None,
            level: Some(level),
        }
    }

    fn input(inherent: Risk, control: Risk, analytical: Option<Risk>) -> RiskModelInput {
        RiskModelInput {
            audit_risk: decimal("0.05"),
            inherent_risk: inherent,
            control_risk: control,
            analytical_risk: analytical,
            profile: Some(RiskProfile::HandboekAuditingRijksoverheid),
        }
    }

    #[test]
    fn confidences_follow_from_the_levels() {
        let confidence = |inherent, control, analytical: Option<RiskLevel>| {
            let input = input(named(inherent), named(control), analytical.map(named));
            sample_confidence(&input).unwrap().confidence
        };
        assert_eq!(confidence(High, High, None), decimal("0.95"));
        // 1 - 0.05 / 0.63
        assert_eq!(confidence(Medium, High, None), decimal("0.920634920635"));
        // 1 - 0.05 / (0.63 * 0.52), and with analytical procedures 1 - 0.05 / (0.63 * 0.52 * 0.5)
        assert_eq!(confidence(Medium, Medium, None).round_dp(4), decimal("0.8474"));
        assert_eq!(
            confidence(Medium, Medium, Some(Medium)).round_dp(4),
            decimal("0.6947")
        );
        // 1 - 0.05 / (0.40 * 0.34)
        assert_eq!(confidence(Low, Low, None).round_dp(4), decimal("0.6324"));
        assert_eq!(confidence(High, High, Some(Low)), decimal("0.8"));
    }

    #[test]
    fn the_model_can_be_followed() {
        // AICPA: AR 0.05, IR 1, CR 0.5, AP 0.3: DR 0.33
        let model = sample_confidence(&input(figure("1"), figure("0.5"), Some(figure("0.3")))).unwrap();
        assert_eq!(model.detection_risk, decimal("0.333333333333"));
        assert_eq!(model.confidence, decimal("0.666666666667"));
        assert!(model.steps[0].de.ends_with("0,05 / (1 · 0,5 · 0,3)"));
        assert_eq!(model.steps[1].en, "Confidence of the sample: 1 − 0.333333333333");
    }

    #[test]
    fn impossible_risks_are_refused_by_name() {
        let refused = |input: RiskModelInput| {
            let error = sample_confidence(&input).unwrap_err();
            (error.code(), error.field())
        };
        let base = input(figure("1"), figure("1"), None);
        for audit_risk in ["0", "1", "5", "-0.05"] {
            let answer = refused(RiskModelInput {
                audit_risk: decimal(audit_risk),
                ..base.clone()
            });
            assert_eq!(answer, ("RATE_OUT_OF_RANGE", "auditRisk"));
        }
        assert_eq!(
            refused(input(figure("0"), figure("1"), None)),
            ("RATE_OUT_OF_RANGE", "inherentRisk")
        );
        assert_eq!(
            refused(input(figure("1"), figure("1.1"), None)),
            ("RATE_OUT_OF_RANGE", "controlRisk")
        );
        let neither = Risk {
            rate: None,
            level: None,
        };
        assert_eq!(
            refused(input(neither, figure("1"), None)),
            ("REQUIRED", "inherentRisk")
        );
        let both = Risk {
            level: Some(RiskLevel::High),
            ..figure("1")
        };
        assert_eq!(
            refused(input(figure("1"), figure("1"), Some(both))),
            ("NOT_TOGETHER", "analyticalRisk")
        );
        assert_eq!(
            refused(RiskModelInput {
                profile: None,
                ..input(named(RiskLevel::Low), figure("1"), None)
            }),
            ("REQUIRED", "profile")
        );
        // 0.05 / (0.25 * 0.2) is 1: nothing is left to detect
        assert_eq!(
            refused(input(figure("0.25"), figure("0.2"), None)),
            ("NO_DETECTION_NEEDED", "auditRisk")
        );
    }
}
