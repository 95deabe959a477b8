//! Roots of distribution functions of positive numbers.

/// Logarithmic distance from the tail at which one more step of third order leaves less than rounding does.
const CLOSE: f64 = 3e-6;
/// Far more than any start value needs; bisection alone would end within these too.
const MAX_STEPS: u32 = 200;

/// A distribution at one point.
pub(super) struct Point {
    /// `P(X <= x)`.
    pub(super) lower: f64,
    /// `P(X > x)`.
    pub(super) upper: f64,
    /// The density of `ln X`: `x` times the density of `X`.
    pub(super) density: f64,
    /// The derivative of the logarithm of `density` by `ln x`.
    pub(super) slope: f64,
}

/// The `x` between 0 and `high` at which the tails are `lower` and `upper` (`lower + upper = 1`).
///
/// Halley's method on the logarithm of the smaller tail against `ln x`, in which both tails are nearly
/// straight lines far out; kept inside a bracket that shrinks with every evaluation.
pub(super) fn solve(
    (lower, upper): (f64, f64),
    start: f64,
    mut high: f64,
    point: impl Fn(f64) -> Point,
) -> f64 {
    let mut low = 0.0;
    let mut x = start;
    for _ in 0..MAX_STEPS {
        let at = point(x);
        // distance in the logarithm of the tail, positive where x is too small
        let (distance, pull) = if lower <= upper {
            (-log_ratio(at.lower, lower), at.density / at.lower)
        } else {
            (log_ratio(at.upper, upper), at.density / at.upper)
        };
        if distance > 0.0 {
            low = x;
        } else {
            high = x;
        }
        let newton = distance / pull;
        let bend = if lower <= upper {
            at.slope - pull
        } else {
            at.slope + pull
        };
        let correction = 1.0 + 0.5 * newton * bend;
        let step = if correction > 0.5 && correction < 2.0 {
            newton / correction
        } else {
            newton
        };
        let next = x * step.exp();
        if distance.abs() < CLOSE && next.is_finite() {
            return next.min(high.max(x));
        }
        x = if next > low && next < high {
            next
        } else if low > 0.0 && high > 4.0 * low {
            low.sqrt() * high.sqrt()
        } else if low > 0.0 {
            f64::midpoint(low, high)
        } else {
            high * 0.0625
        };
    }
    x
}

/// `ln(a / b)`, without cancellation where `a` is near `b`.
fn log_ratio(a: f64, b: f64) -> f64 {
    let difference = (a - b) / b;
    if difference.abs() < 0.5 {
        difference.ln_1p()
    } else {
        (a / b).ln()
    }
}
