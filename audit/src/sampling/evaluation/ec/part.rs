//! A stratum with its sums: what was drawn, what was all checked, and by what both are extended.

use num_bigint::BigInt;
use rust_decimal::Decimal;

use super::{
    super::{LARGEST_POPULATION, variables::moments::Moments},
    error::{EcError, within},
    input::{EcInput, EcItem, EcMethod, EcStratum, EcSummary, Excluded, Understatements},
    units::{Found, RATE_SCALE, Unit, unit},
};
use crate::sampling::numerics::Fraction;
use crate::sampling::refusal::{Located, Refused as _};

/// The sums of a drawn part.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// Items, or hits.
    pub(super) size: u64,
    /// Items.
    pub(super) items: u64,
    /// Sum of the errors, or of error rates.
    pub(super) error_sum: Fraction,
    /// What a ratio divides by.
    pub(super) book_sum: Option<Fraction>,
    /// Variance of what is projected.
    pub(super) variance: Option<Fraction>,
    /// Error rates above zero in `10^-40` with their hits, largest first; for the conservative approach.
    pub(super) rates: Vec<(BigInt, u64)>,
    /// Whether the guidance's rule (6.1.1.3) recommends the ratio rather than the mean per unit.
    pub(super) ratio_recommended: Option<bool>,
    /// Largest book value of an item.
    pub(super) largest: Option<i128>,
    /// Sum of the book values of the items.
    pub(super) book_values: Option<i128>,
}

/// The part that was all checked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Exhaustive {
    pub(super) items: u64,
    pub(super) book: i128,
    pub(super) error: i128,
    /// Smallest book value of an item.
    pub(super) smallest: Option<i128>,
}

/// A stratum.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    pub(super) stratum: &'a EcStratum,
    /// None if there are exhaustive items only.
    pub(super) sample: Option<Sample>,
    pub(super) exhaustive: Exhaustive,
    /// By what the drawn part is extended (7.10).
    pub(super) extension: Fraction,
    /// By what the exhaustive part is extended.
    pub(super) exhaustive_extension: Fraction,
    pub(super) found: Found,
}

impl Part<'_> {
    /// Book value with everything, the excluded too.
    pub(super) fn book_value(&self) -> i128 {
        let excluded = self.stratum.excluded.unwrap_or_default();
        i128::from(self.stratum.book_value)
            + self.exhaustive.book
            + i128::from(excluded.book_value)
            + i128::from(excluded.exhaustive_book_value)
    }

    /// Book value of the drawn part.
    pub(super) fn drawn_book_value(&self) -> Fraction {
        Fraction::from(self.stratum.book_value)
    }

    /// Errors of the exhaustive part, extended.
    pub(super) fn exhaustive_error(&self) -> Fraction {
        &Fraction::from(self.exhaustive.error) * &self.exhaustive_extension
    }

    /// Items of the drawn part; 0 where they were not given, which only methods that do without allow.
    pub(super) fn population(&self) -> Fraction {
        Fraction::from(self.stratum.population.unwrap_or(0))
    }

    /// Projected error of the drawn part, extended.
    pub(super) fn projected(&self, method: EcMethod) -> Fraction {
        let Some(sample) = &self.sample else {
            return Fraction::zero();
        };
        let size = Fraction::from(sample.size);
        let book_sum = sample.book_sum.clone().unwrap_or_else(Fraction::zero);
        let less_systemic = &self.drawn_book_value() - &Fraction::from(self.stratum.systemic_error);
        let (base, divisor) = match method {
            EcMethod::MeanPerUnit | EcMethod::Difference | EcMethod::NonStatisticalMeanPerUnit => {
                (self.population(), size)
            }
            EcMethod::Ratio | EcMethod::MusRatio | EcMethod::NonStatisticalRatio => (less_systemic, book_sum),
            EcMethod::MusStandard | EcMethod::NonStatisticalPps | EcMethod::MusConservative => {
                (self.drawn_book_value(), size)
            }
        };
        &(&base * &(&sample.error_sum / &divisor)) * &self.extension
    }
}

/// The strata with their sums.
pub(super) fn parts(input: &EcInput) -> Result<Vec<Part<'_>>, Located<EcError>> {
    let located = |(index, stratum)| {
        part(input, stratum).map_err(|refusal| within(refusal, format!("strata[{index}]")))
    };
    input.strata.iter().enumerate().map(located).collect()
}

fn part<'a>(input: &EcInput, stratum: &'a EcStratum) -> Result<Part<'a>, Located<EcError>> {
    let name = || stratum.name.clone();
    let method = input.method;
    let book_value = || EcError::BookValue {
        stratum: name(),
        book_value: stratum.book_value,
    };
    if stratum.book_value < 0 {
        return Err(book_value().into());
    }
    if stratum.systemic_error < 0 {
        return Err(EcError::ErrorPart(stratum.systemic_error).into());
    }
    let excluded = stratum.excluded.unwrap_or_default();
    for count in [
        stratum.population,
        stratum.summary.as_ref().map(|summary| summary.size),
        stratum.exhaustive_summary.map(|summary| summary.items),
        Some(excluded.items),
        Some(excluded.exhaustive_items),
    ] {
        if let Some(count) = count
            && count > LARGEST_POPULATION
        {
            return Err(EcError::CountTooLarge(count).into());
        }
    }
    if (stratum.summary.is_some() && !stratum.items.is_empty())
        || (stratum.exhaustive_summary.is_some() && !stratum.exhaustive.is_empty())
    {
        return Err(EcError::ItemsAndSummary(name()).into());
    }
    let mut found = Found::default();
    let exhaustive = exhaustive(stratum, input.understatements, &mut found)?;
    let sample = if let Some(summary) = &stratum.summary {
        if method == EcMethod::MusConservative {
            return Err(EcError::SummaryNotPossible.into());
        }
        // of a sum below zero nothing can be set aside
        if summary.error_sum < Decimal::ZERO && input.understatements != Some(Understatements::Net) {
            return Err(EcError::UnderstatementsUndecided.into());
        }
        Some(of_summary(method, &stratum.name, summary)?)
    } else if stratum.items.is_empty() {
        None
    } else {
        let units = units(
            "items",
            &stratum.items,
            method.by_size(),
            input.understatements,
            &mut found,
        )?;
        Some(of_units(method, &stratum.name, &units)?)
    };
    match &sample {
        None if stratum.book_value > 0 => return Err(EcError::SampleEmpty(name()).into()),
        Some(_) if stratum.book_value == 0 => return Err(book_value().into()),
        _ => {}
    }
    if let Some(sample) = &sample {
        let needs_population = method.by_count() || method == EcMethod::Ratio;
        if needs_population && stratum.population.is_none() {
            return Err(EcError::PopulationMissing(name()).into());
        }
        if let Some(population) = stratum.population
            && population < sample.items
        {
            return Err(EcError::SizeAbovePopulation {
                stratum: name(),
                size: sample.items,
                population,
            }
            .into());
        }
        let needs_variance = method.is_statistical() && method != EcMethod::MusConservative;
        if needs_variance && sample.variance.is_none() {
            return Err(EcError::SampleTooSmall(name()).into());
        }
    }
    let (extension, exhaustive_extension) = extensions(method, stratum, sample.is_some(), exhaustive)?;
    Ok(Part {
        stratum,
        sample,
        exhaustive,
        extension,
        exhaustive_extension,
        found,
    })
}

fn units(
    list: &str,
    items: &[EcItem],
    by_size: bool,
    rule: Option<Understatements>,
    found: &mut Found,
) -> Result<Vec<Unit>, Located<EcError>> {
    let mut located = |(index, item)| {
        unit(item, by_size, rule, found).map_err(|error| within(error, format!("{list}[{index}]")))
    };
    items.iter().enumerate().map(&mut located).collect()
}

fn exhaustive(
    stratum: &EcStratum,
    rule: Option<Understatements>,
    found: &mut Found,
) -> Result<Exhaustive, Located<EcError>> {
    if let Some(summary) = stratum.exhaustive_summary {
        if summary.book_value < 0 {
            return Err(EcError::BookValue {
                stratum: stratum.name.clone(),
                book_value: summary.book_value,
            }
            .at("exhaustiveSummary"));
        }
        if summary.error_sum < 0 && rule != Some(Understatements::Net) {
            return Err(EcError::UnderstatementsUndecided.into());
        }
        return Ok(Exhaustive {
            items: summary.items,
            book: summary.book_value.into(),
            error: summary.error_sum.into(),
            smallest: None,
        });
    }
    let units = units("exhaustive", &stratum.exhaustive, false, rule, found)?;
    Ok(Exhaustive {
        items: u64::try_from(units.len()).unwrap_or(u64::MAX),
        book: units.iter().map(|unit| unit.book).sum(),
        error: units.iter().map(|unit| unit.random).sum(),
        smallest: units.iter().map(|unit| unit.book).min(),
    })
}

fn of_summary(method: EcMethod, name: &str, summary: &EcSummary) -> Result<Sample, EcError> {
    let lacks = |field| EcError::SummaryIncomplete {
        stratum: name.into(),
        field,
    };
    if summary.size == 0 {
        return Err(EcError::SampleEmpty(name.into()));
    }
    let book_sum = match (method.by_ratio(), summary.book_sum) {
        (false, _) => None,
        (true, None) => return Err(lacks("bookSum")),
        (true, Some(sum)) if sum <= Decimal::ZERO => return Err(EcError::SampleBookValue(name.into())),
        (true, Some(sum)) => Some(Fraction::from(sum)),
    };
    if method.is_statistical() && summary.standard_deviation.is_none_or(|sd| sd < Decimal::ZERO) {
        return Err(lacks("standardDeviation"));
    }
    Ok(Sample {
        size: summary.size,
        // hits may be of few items
        items: if method.by_size() { 1 } else { summary.size },
        error_sum: Fraction::from(summary.error_sum),
        book_sum,
        variance: summary
            .standard_deviation
            .map(|deviation| Fraction::from(deviation).square()),
        rates: Vec::new(),
        ratio_recommended: None,
        largest: None,
        book_values: None,
    })
}

fn of_units(method: EcMethod, name: &str, units: &[Unit]) -> Result<Sample, EcError> {
    let size = units.iter().map(|unit| unit.hits).sum();
    let mut sample = Sample {
        size,
        items: u64::try_from(units.len()).unwrap_or(u64::MAX),
        error_sum: Fraction::zero(),
        book_sum: None,
        variance: None,
        rates: Vec::new(),
        ratio_recommended: None,
        largest: units.iter().map(|unit| unit.book).max(),
        book_values: Some(units.iter().map(|unit| unit.book).sum()),
    };
    if method.by_size() {
        of_rates(method, units, &mut sample);
    } else {
        of_errors(method, units, &mut sample);
    }
    if sample
        .book_sum
        .as_ref()
        .is_some_and(|sum| *sum <= Fraction::zero())
    {
        return Err(EcError::SampleBookValue(name.into()));
    }
    Ok(sample)
}

/// Equal probabilities: sums and variances of errors, or of `q = error - ratio * book`.
fn of_errors(method: EcMethod, units: &[Unit], sample: &mut Sample) {
    let moments = Moments::of_pairs(units.iter().map(|unit| {
        let book = if method.by_ratio() {
            unit.book - unit.systemic
        } else {
            unit.book
        };
        (book, book - unit.random)
    }));
    sample.error_sum = Fraction::from(moments.differences());
    let several = moments.size > 1;
    if method.by_ratio() {
        let book = Fraction::from(moments.book.clone());
        if book > Fraction::zero() && several {
            // q = ratio * book - error, but for the sign: audited less (1 - ratio) * book
            let rest = &Fraction::one() - &(&sample.error_sum / &book);
            sample.variance = Some(moments.residual_variance(&rest));
        }
        sample.book_sum = Some(book);
    } else if several {
        sample.variance = Some(moments.difference_variance());
    }
    if several && moments.book.sign() == num_bigint::Sign::Plus {
        let variance = moments.book_variance();
        let covariance = &variance - &moments.covariance();
        let half = &sample.error_sum / &Fraction::from(moments.book.clone() * 2);
        sample.ratio_recommended = (!variance.is_zero()).then(|| &covariance / &variance > half);
    }
}

/// Probabilities by size: sums and variances of error rates, or of `error rate - ratio * rest rate`.
fn of_rates(method: EcMethod, units: &[Unit], sample: &mut Sample) {
    let scale = BigInt::from(10).pow(RATE_SCALE);
    let zero = || BigInt::ZERO;
    let (mut errors, mut rests) = (zero(), zero());
    let (mut squares, mut products, mut rest_squares) = (zero(), zero(), zero());
    for unit in units {
        let rate = unit.share(unit.random, &scale);
        if method == EcMethod::MusRatio {
            let rest = unit.share(unit.book - unit.systemic, &scale);
            products += &rate * &rest * unit.hits;
            rest_squares += &rest * &rest * unit.hits;
            rests += rest * unit.hits;
        }
        if unit.random != 0 {
            squares += &rate * &rate * unit.hits;
            errors += &rate * unit.hits;
            if method == EcMethod::MusConservative && unit.random > 0 {
                sample.rates.push((rate, unit.hits));
            }
        }
    }
    sample.rates.sort_by(|left, right| right.0.cmp(&left.0));
    let square_scale = &scale * &scale;
    sample.error_sum = Fraction::new(errors.clone(), scale.clone());
    if method == EcMethod::MusRatio {
        sample.book_sum = Some(Fraction::new(rests, scale));
    }
    if sample.size < 2 {
        return;
    }
    let less_one = Fraction::new(1, sample.size - 1);
    let of = |sum: BigInt| Fraction::new(sum, square_scale.clone());
    sample.variance = match &sample.book_sum {
        Some(rests) if !rests.is_zero() => {
            let ratio = &sample.error_sum / rests;
            let mixed = &(&ratio * &of(products)) * &Fraction::from(2u64);
            let sum = &(&of(squares) - &mixed) + &(&ratio.square() * &of(rest_squares));
            Some(&sum * &less_one)
        }
        _ => {
            let spread = squares * sample.size - &errors * &errors;
            Some(&Fraction::new(spread, square_scale * sample.size) * &less_one)
        }
    };
}

/// By what the drawn and the exhaustive part are extended to the original population (7.10.2).
fn extensions(
    method: EcMethod,
    stratum: &EcStratum,
    drawn: bool,
    exhaustive: Exhaustive,
) -> Result<(Fraction, Fraction), EcError> {
    let one = || Fraction::one();
    let Some(excluded) = stratum.excluded else {
        return Ok((one(), one()));
    };
    let refused = || EcError::Exclusion(stratum.name.clone());
    let Excluded {
        book_value,
        items,
        exhaustive_book_value,
        exhaustive_items,
    } = excluded;
    if book_value < 0 || exhaustive_book_value < 0 {
        return Err(refused());
    }
    let factor = |amount: i64, count: u64, book: i128, units: u64| -> Result<Fraction, EcError> {
        if amount == 0 && count == 0 {
            return Ok(one());
        }
        if method.by_count() {
            if count == 0 || units == 0 {
                return Err(refused());
            }
            Ok(Fraction::new(u128::from(units) + u128::from(count), units))
        } else {
            if amount == 0 || book <= 0 {
                return Err(refused());
            }
            Ok(Fraction::new(book + i128::from(amount), book))
        }
    };
    if !drawn && (book_value > 0 || items > 0) {
        return Err(refused());
    }
    let own = factor(
        book_value,
        items,
        stratum.book_value.into(),
        stratum.population.unwrap_or(0),
    )?;
    let other = factor(
        exhaustive_book_value,
        exhaustive_items,
        exhaustive.book,
        exhaustive.items,
    )?;
    Ok((own, other))
}
