"""Writes the table of quantiles that the numerics are tested against: `quantiles.py > audit/src/sampling/vectors.csv`.

Every value is the root of the distribution function, computed with 50 digits (package mpmath) and printed with 20.
Rows: `beta,tail,a,b,x` with P(X > x) = tail; `gamma,tail,shape,0,x`; `binomial,rate,k,n,P(X <= k)`.
The inputs are binary floats, taken exactly as the Rust side reads them.
"""

import mpmath as mp

mp.mp.dps = 50


def root(distribution, tail, low, high):
    """Bisection, then secant: the tail falls in x."""
    low, high = mp.mpf(low), mp.mpf(high)
    for _ in range(60):
        middle = (low + high) / 2
        if distribution(middle) > tail:
            low = middle
        else:
            high = middle
    return mp.findroot(lambda x: distribution(x) - tail, (low, high), solver="secant", tol=mp.mpf(10) ** -38)


def beta_upper(a, b, x):
    """P(X > x) for whole a: a binomial sum of the a first terms, or of the b last ones."""
    n = a + b - 1
    y = 1 - x
    if a <= b:
        term = y ** n
        total = term
        for i in range(1, a):
            term = term * (n - i + 1) / i * x / y
            total += term
        return total
    term = x ** n
    total = term
    for i in range(1, b):
        term = term * (n - i + 1) / i * y / x
        total += term
    return 1 - total


def main():
    tails = [0.001, 0.01, 0.05, 0.1, 0.2, 0.5]
    shapes = [(1, 1), (1, 59), (1, 1_000_000), (2, 58), (3, 3651), (6, 300), (32, 1573), (59, 1), (150, 150),
              (101, 999_900), (3000, 17_000), (999_990, 11)]
    for tail in tails:
        for a, b in shapes:
            mean, deviation = mp.mpf(a) / (a + b), mp.sqrt(mp.mpf(a) * b) / (a + b) / mp.sqrt(a + b + 1)
            low = max(mp.mpf(10) ** -12, mean - 12 * deviation)
            high = min(1 - mp.mpf(10) ** -12, mean + 30 * deviation)
            x = root(lambda v: beta_upper(a, b, v), mp.mpf(tail), low, high)
            print(f"beta,{tail},{a},{b},{mp.nstr(x, 20)}")
    for tail in tails + [0.95]:
        for shape in [0.5, 1, 1.25, 2, 6.5, 33, 250.75, 5000, 100_000.5, 1_000_000]:
            exact = mp.mpf(shape)
            low, high = max(mp.mpf(10) ** -9, exact - 12 * mp.sqrt(exact)), exact + 30 * mp.sqrt(exact) + 30
            x = root(lambda v: mp.gammainc(exact, v, mp.inf, regularized=True), mp.mpf(tail), low, high)
            print(f"gamma,{tail},{shape},0,{mp.nstr(x, 20)}")
    for rate in [0.001, 0.02, 0.05, 0.09, 0.5]:
        for k, n in [(0, 1), (0, 59), (1, 59), (2, 68), (5, 300), (31, 1604), (10, 10_000), (200, 5000), (450, 5000),
                     (2500, 5000), (900, 1_000_000)]:
            p = mp.mpf(rate)
            x = beta_upper(k + 1, n - k, p)
            if x > mp.mpf(10) ** -290:
                print(f"binomial,{rate},{k},{n},{mp.nstr(x, 20)}")


main()
