//! The beta distribution: exact limits of rates.
//!
//! Sources: the continued fraction of algorithm 708 (ACM Transactions on Mathematical Software 18, 1992,
//! equation 9; the even part of NIST DLMF 8.17.22), by the method of modified Lentz, times a factor in
//! saddle-point form. Start values of quantiles: Abramowitz and Stegun 26.5.22, and the first term of the
//! series.

use std::f64::consts::TAU;

use super::{
    MAX_TERMS, TINY,
    gamma::{gamma_start, ln_gamma},
    normal::normal_quantile,
    root::{Point, solve},
    saddle::{CONVERGED, deviance, stirling_rest},
};

/// Both tails of the beta distribution at `x`: `(P(X <= x), P(X > x))`, for positive shapes; the smaller one
/// is accurate relatively.
pub fn beta_tails(a: f64, b: f64, x: f64) -> (f64, f64) {
    Beta::new(a, b).tails(x, 1.0 - x)
}

/// Quantile of the beta distribution, given by its upper tail: the `x` with `P(X > x) = tail`.
///
/// `a` and `b` are positive shapes, `0 < tail < 1`; at and beyond these bounds the answer is 0 or 1, the
/// limit from within. The one-sided Clopper-Pearson limit of `k` deviations in `n` is
/// `beta_quantile(1 - CL, k + 1, n - k)`.
pub fn beta_quantile(tail: f64, a: f64, b: f64) -> f64 {
    if tail <= 0.0 || b <= 0.0 {
        return 1.0;
    }
    if tail >= 1.0 || a <= 0.0 {
        return 0.0;
    }
    #[expect(
        clippy::float_cmp,
        reason = "no deviation found: the closed form holds for exactly 1"
    )]
    if a == 1.0 {
        return -(tail.ln() / b).exp_m1();
    }
    Beta::new(a, b).quantile((1.0 - tail, tail)).0
}

/// A beta distribution.
pub(super) struct Beta {
    a: f64,
    b: f64,
    /// `a + b`, and what its rounding left over.
    sum: (f64, f64),
    /// What does not depend on the place: Stirling's rests, and the root.
    constant: f64,
}

impl Beta {
    /// The distribution with positive shapes.
    pub(super) fn new(a: f64, b: f64) -> Self {
        let sum = a + b;
        let (large, small) = if a > b { (a, b) } else { (b, a) };
        let rests = stirling_rest(sum) - stirling_rest(a) - stirling_rest(b);
        Self {
            a,
            b,
            sum: (sum, small - (sum - large)),
            constant: rests.exp() * (a / sum * b / TAU).sqrt(),
        }
    }

    /// `a - (a + b) x`, rounded once or twice: `y = 1 - x`, and the smaller of both has the smaller rounding
    /// error.
    fn difference(&self, x: f64, y: f64) -> f64 {
        let (sum, rest) = self.sum;
        if x < y {
            (-sum).mul_add(x, self.a) - rest * x
        } else {
            sum.mul_add(y, -self.b) + rest * y
        }
    }

    /// `x^a y^b / B(a, b)`.
    fn factor(&self, x: f64, y: f64, difference: f64) -> f64 {
        let (a, b, sum) = (self.a, self.b, self.sum.0);
        let divergence = deviance(a, sum * x, difference) + deviance(b, sum * y, -difference);
        self.constant * (-divergence).exp()
    }

    /// `(P(X <= x), P(X > x))`; `y = 1 - x`.
    pub(super) fn tails(&self, x: f64, y: f64) -> (f64, f64) {
        if x <= 0.0 {
            return (0.0, 1.0);
        }
        if y <= 0.0 {
            return (1.0, 0.0);
        }
        let difference = self.difference(x, y);
        self.tails_by(x, y, difference, self.factor(x, y, difference))
    }

    fn tails_by(&self, x: f64, y: f64, difference: f64, factor: f64) -> (f64, f64) {
        if difference > 0.0 {
            let lower = factor / fraction(self.a, self.b, x, difference);
            (lower, 1.0 - lower)
        } else {
            let upper = factor / fraction(self.b, self.a, y, -difference);
            (1.0 - upper, upper)
        }
    }

    /// The `x` with the given tails `(P(X <= x), P(X > x))`, which add up to 1, and `1 - x`: both with all
    /// their digits.
    pub(super) fn quantile(&self, (lower, upper): (f64, f64)) -> (f64, f64) {
        let below_half = if self.a.max(self.b) < 20.0 {
            self.tails(0.5, 0.5).0 >= lower
        } else {
            start(self.a, self.b, (lower, upper)).0 <= 0.5
        };
        if below_half {
            let x = self.solve((lower, upper));
            (x, 1.0 - x)
        } else {
            let mirrored = Self {
                a: self.b,
                b: self.a,
                ..*self
            };
            let y = mirrored.solve((upper, lower));
            (1.0 - y, y)
        }
    }

    fn solve(&self, tails: (f64, f64)) -> f64 {
        let (x, _) = start(self.a, self.b, tails);
        solve(tails, x.clamp(f64::MIN_POSITIVE, 1.0 - 1e-9), 1.0, |x| {
            let y = 1.0 - x;
            let difference = self.difference(x, y);
            let factor = self.factor(x, y, difference);
            let (lower, upper) = self.tails_by(x, y, difference, factor);
            // a - (b - 1) x / y
            Point {
                lower,
                upper,
                density: factor / y,
                slope: (difference + x) / y,
            }
        })
    }
}

/// Start value of the quantile and 1 less it.
pub(super) fn start(a: f64, b: f64, (lower, upper): (f64, f64)) -> (f64, f64) {
    if a >= 1.0 && b >= 1.0 {
        let (s, t) = (1.0 / (2.0 * a - 1.0), 1.0 / (2.0 * b - 1.0));
        let z = if lower <= upper {
            normal_quantile(lower)
        } else {
            -normal_quantile(upper)
        };
        let h = 2.0 / (s + t);
        let third = (z * z - 3.0) / 6.0;
        let w = z * (h + third).max(0.0).sqrt() / h - (t - s) * (third + 5.0 / 6.0 - 2.0 / (3.0 * h));
        let odds = a / b * (-2.0 * w).exp();
        return (odds / (1.0 + odds), 1.0 / (1.0 + odds));
    }
    if b >= 20.0 {
        // nearly a gamma distribution of small shape
        let x = gamma_start(upper, a) / (b + 0.5 * (a - 1.0));
        return (-(-x).exp_m1(), (-x).exp());
    }
    if a >= 20.0 {
        let (y, x) = start(b, a, (upper, lower));
        return (x, y);
    }
    // P(X <= x) is nearly x^a / (a B(a, b)) near 0, P(X > x) likewise near 1
    let log_beta = ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    let x = ((lower.ln() + a.ln() + log_beta) / a).exp();
    let y = ((upper.ln() + b.ln() + log_beta) / b).exp();
    if x <= y { (x, 1.0 - x) } else { (1.0 - y, y) }
}

/// Continued fraction by which `x^a y^b / B(a, b)` is divided to give the lower tail;
/// `difference = a - (a + b) x`, which is positive.
fn fraction(a: f64, b: f64, x: f64, difference: f64) -> f64 {
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut value = guard(a * (difference + 1.0) / (a + 1.0));
    let mut c = value;
    let mut d = 0.0;
    for m in 1..MAX_TERMS {
        let m = f64::from(m);
        let (odd, even) = (a + 2.0 * m - 1.0, a + 2.0 * m + 1.0);
        let step = m * (b - m) * x / odd;
        let numerator = (a + m - 1.0) * (a + b + m - 1.0) * x / odd * step;
        let denominator = m + step + (a + m) * (difference + 1.0 + m * (2.0 - x)) / even;
        d = 1.0 / guard(denominator + numerator * d);
        c = guard(denominator + numerator / c);
        let change = c * d;
        value *= change;
        if (change - 1.0).abs() <= 2.0 * CONVERGED {
            break;
        }
    }
    value
}
