//! Roots of distribution functions.

use super::saddle::CONVERGED;

/// Newton's method on the distribution function, kept inside a bracket that shrinks with every evaluation.
pub(super) fn solve(
    tail: f64,
    start: f64,
    mut low: f64,
    mut high: f64,
    tails_and_density: impl Fn(f64) -> ((f64, f64), f64),
) -> f64 {
    let mut x = start;
    for _ in 0..200 {
        let ((lower, upper), density) = tails_and_density(x);
        // the smaller tail carries more digits
        let excess = if tail < 0.5 {
            tail - upper
        } else {
            lower - (1.0 - tail)
        };
        if excess < 0.0 {
            low = x;
        } else {
            high = x;
        }
        let newton = x - excess / density;
        let next = if newton > low && newton < high {
            newton
        } else {
            f64::midpoint(low, high)
        };
        if (next - x).abs() <= 4.0 * CONVERGED * x {
            return next;
        }
        x = next;
    }
    x
}
