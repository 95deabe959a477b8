//! The factors of the guidance of the European Commission on sampling, EGESIF 16-0014-01 of 20 January 2017: as printed in its
//! tables, or exact.

use rust_decimal::{Decimal, RoundingStrategy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::numerics::{decimal_to_float, float, gamma_quantile, nearest, normal_quantile};

/// Where factors come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FactorProfile {
    /// The tables of the guidance of 2017 for the confidences that they have: `z` of table 3, the factor of the basic
    /// precision of table 4, the other reliability factors of appendix 3 (which has 2.30 where table 4 has 2.31).
    EcTables,
    /// Quantiles of the normal and the gamma distribution with twelve places, for any confidence. Expansion factors (table 5)
    /// have no other form than the table.
    Exact,
}

/// Why there is no factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoFactor {
    /// The table has no row for the confidence.
    NotInTable(Decimal),
    /// Appendix 3 has no row for so many errors.
    TooManyErrors(u64),
    /// The confidence lies so near to 0 or 1 that its quantile is no number.
    Confidence(Decimal),
}

/// Confidence in percent and `z` in thousandths; two-sided (5.3).
const TABLE_3: [(i64, i64); 5] = [(60, 842), (70, 1_036), (80, 1_282), (90, 1_645), (95, 1_960)];
/// Confidence in percent and reliability factor for no error in hundredths (6.3.5.2).
const TABLE_4: [(i64, i64); 9] = [
    (99, 461),
    (95, 300),
    (90, 231),
    (85, 190),
    (80, 161),
    (75, 139),
    (70, 121),
    (60, 92),
    (50, 70),
];
/// Confidence in percent and expansion factor in hundredths (6.3.5.2).
const TABLE_5: [(i64, i64); 9] = [
    (99, 190),
    (95, 160),
    (90, 150),
    (85, 140),
    (80, 130),
    (75, 125),
    (70, 120),
    (60, 110),
    (50, 100),
];
/// Last number of errors of appendix 3.
const APPENDIX_3_ERRORS: u64 = 50;
/// Decimal places of exact factors.
const PLACES: u32 = 12;

fn row(table: &[(i64, i64)], confidence: Decimal, places: u32) -> Result<Decimal, NoFactor> {
    table
        .iter()
        .find(|(percent, _)| Decimal::new(*percent, 2) == confidence)
        .map(|(_, value)| Decimal::new(*value, places).normalize())
        .ok_or(NoFactor::NotInTable(confidence))
}

fn exact(errors: u64, confidence: Decimal) -> Result<Decimal, NoFactor> {
    let risk = decimal_to_float(Decimal::ONE - confidence);
    nearest(gamma_quantile(risk, float(errors) + 1.0), PLACES).ok_or(NoFactor::Confidence(confidence))
}

impl FactorProfile {
    /// `z`: two-sided, as the guidance has it (5.3).
    pub(in crate::sampling) fn z(self, confidence: Decimal) -> Result<Decimal, NoFactor> {
        match self {
            Self::EcTables => row(&TABLE_3, confidence, 3),
            Self::Exact => {
                let tail = decimal_to_float((Decimal::ONE - confidence) / Decimal::TWO);
                nearest(normal_quantile(tail), PLACES).ok_or(NoFactor::Confidence(confidence))
            }
        }
    }

    /// Factor of the basic precision, that for no error (6.3.5.2).
    pub(in crate::sampling) fn basic(self, confidence: Decimal) -> Result<Decimal, NoFactor> {
        match self {
            Self::EcTables => row(&TABLE_4, confidence, 2),
            Self::Exact => exact(0, confidence),
        }
    }

    /// Reliability factor of the allowances. Appendix 3 is the exact one rounded half up at two places, for up to 50 errors.
    pub(in crate::sampling) fn reliability(
        self,
        errors: u64,
        confidence: Decimal,
    ) -> Result<Decimal, NoFactor> {
        let factor = exact(errors, confidence)?;
        match self {
            Self::EcTables if errors > APPENDIX_3_ERRORS => Err(NoFactor::TooManyErrors(errors)),
            Self::EcTables => Ok(factor.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)),
            Self::Exact => Ok(factor),
        }
    }
}

/// Expansion factor of expected errors (table 5).
pub(in crate::sampling) fn expansion(confidence: Decimal) -> Result<Decimal, NoFactor> {
    row(&TABLE_5, confidence, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn tables_are_as_printed() {
        let tables = FactorProfile::EcTables;
        for (confidence, printed) in [
            ("0.6", "0.842"),
            ("0.70", "1.036"),
            ("0.8", "1.282"),
            ("0.9", "1.645"),
            ("0.95", "1.960"),
        ] {
            assert_eq!(tables.z(decimal(confidence)).unwrap(), decimal(printed));
        }
        assert_eq!(
            tables.z(decimal("0.85")),
            Err(NoFactor::NotInTable(decimal("0.85")))
        );
        assert_eq!(tables.basic(decimal("0.9")).unwrap(), decimal("2.31"));
        assert_eq!(
            tables.basic(decimal("0.63")),
            Err(NoFactor::NotInTable(decimal("0.63")))
        );
    }

    #[test]
    fn appendix_3_is_as_printed() {
        let levels = [
            "0.99", "0.95", "0.90", "0.85", "0.80", "0.75", "0.70", "0.63", "0.60", "0.50",
        ];
        let printed: [(u64, [&str; 10]); 9] = [
            (
                0,
                [
                    "4.61", "3.00", "2.30", "1.90", "1.61", "1.39", "1.20", "0.99", "0.92", "0.69",
                ],
            ),
            (
                1,
                [
                    "6.64", "4.74", "3.89", "3.37", "2.99", "2.69", "2.44", "2.14", "2.02", "1.68",
                ],
            ),
            (
                2,
                [
                    "8.41", "6.30", "5.32", "4.72", "4.28", "3.92", "3.62", "3.25", "3.11", "2.67",
                ],
            ),
            (
                3,
                [
                    "10.05", "7.75", "6.68", "6.01", "5.52", "5.11", "4.76", "4.34", "4.18", "3.67",
                ],
            ),
            (
                12,
                [
                    "22.82", "19.44", "17.78", "16.71", "15.90", "15.22", "14.62", "13.88", "13.59", "12.67",
                ],
            ),
            (
                16,
                [
                    "28.03", "24.30", "22.45", "21.26", "20.34", "19.57", "18.90", "18.06", "17.72", "16.67",
                ],
            ),
            (
                20,
                [
                    "33.10", "29.06", "27.05", "25.74", "24.73", "23.88", "23.14", "22.21", "21.84", "20.67",
                ],
            ),
            (
                35,
                [
                    "51.41", "46.40", "43.87", "42.22", "40.93", "39.85", "38.89", "37.68", "37.20", "35.67",
                ],
            ),
            (
                50,
                [
                    "69.07", "63.29", "60.34", "58.40", "56.89", "55.62", "54.49", "53.06", "52.49", "50.67",
                ],
            ),
        ];
        for (errors, row) in printed {
            for (level, factor) in levels.iter().zip(row) {
                let computed = FactorProfile::EcTables
                    .reliability(errors, decimal(level))
                    .unwrap();
                assert_eq!(computed, decimal(factor), "{errors} at {level}");
            }
        }
        let beyond = FactorProfile::EcTables.reliability(51, decimal("0.9"));
        assert_eq!(beyond, Err(NoFactor::TooManyErrors(51)));
        assert_eq!(expansion(decimal("0.75")), Ok(decimal("1.25")));
        assert_eq!(
            expansion(decimal("0.76")),
            Err(NoFactor::NotInTable(decimal("0.76")))
        );
    }

    #[test]
    fn exact_factors_have_twelve_places() {
        // ln 10 and the normal quantile of 0.95
        assert_eq!(
            FactorProfile::Exact.basic(decimal("0.9")).unwrap(),
            decimal("2.302585092994")
        );
        assert_eq!(
            FactorProfile::Exact.z(decimal("0.9")).unwrap(),
            decimal("1.644853626951")
        );
        assert!(FactorProfile::Exact.reliability(80, decimal("0.87")).unwrap() > decimal("81"));
    }
}
