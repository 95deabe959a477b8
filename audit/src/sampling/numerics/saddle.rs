//! Leading factors in saddle-point form: the difference of log-gammas of a million would lose six digits.
//!
//! Source: C. Loader 2000, Fast and Accurate Computation of Binomial Probabilities. Each factorial is written
//! as Stirling's formula times its rest, and what is left of the powers is a sum of deviances, none of which
//! is negative: nothing cancels.

use std::f64::consts::TAU;

/// Relative change at which series, fractions and Newton steps have converged.
pub(super) const CONVERGED: f64 = 1e-16;

/// What Stirling's formula leaves over: `ln Γ(z + 1) - ((z + 1/2) ln z - z + ln(2π)/2)`, for `z > 0` (DLMF
/// 5.11.1).
pub(super) fn stirling_rest(z: f64) -> f64 {
    let mut shifted = z;
    let mut rest = 0.0;
    // rest(z) - rest(z + 1) = (z + 1/2) ln(1 + 1/z) - 1
    while shifted < 15.0 {
        rest += deviance_of_step(shifted);
        shifted += 1.0;
    }
    let s = 1.0 / (shifted * shifted);
    let series = 1.0 / 12.0 - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s * (1.0 / 1680.0 - s / 1188.0)));
    rest + series / shifted
}

/// `(z + 1/2) ln(1 + 1/z) - 1`; with `v = 1/(2z + 1)` that is `artanh(v)/v - 1`.
fn deviance_of_step(z: f64) -> f64 {
    let v = 1.0 / (2.0 * z + 1.0);
    if v > 0.1 {
        return (z + 0.5) * (1.0 / z).ln_1p() - 1.0;
    }
    let square = v * v;
    let mut power = square;
    let mut odd = 3.0;
    let mut sum = 0.0;
    while power > CONVERGED * sum {
        sum += power / odd;
        power *= square;
        odd += 2.0;
    }
    sum
}

/// `ln(n! / (n^n e^-n))`: Stirling's rest with the root; 0 for `n = 0`.
pub(super) fn factorial_rest(n: f64) -> f64 {
    if n > 0.0 {
        stirling_rest(n) + 0.5 * (TAU * n).ln()
    } else {
        0.0
    }
}

/// Deviance term `x ln(x/m) + m - x`, without cancellation where `x` is near `m`; `difference` is `x - m`,
/// which the caller may know better than `m`.
pub(super) fn deviance(x: f64, m: f64, difference: f64) -> f64 {
    if x <= 0.0 {
        return m;
    }
    let v = difference / (x + m);
    if v.abs() >= 0.3 {
        return x * (x / m).ln() - difference;
    }
    // x ln((1+v)/(1-v)) - difference with the odd powers of v
    let square = v * v;
    let mut sum = difference * v;
    let mut power = 2.0 * x * v;
    let mut odd = 3.0;
    loop {
        power *= square;
        let next = sum + power / odd;
        if (next - sum).abs() <= CONVERGED * sum.abs() {
            return next;
        }
        sum = next;
        odd += 2.0;
    }
}
