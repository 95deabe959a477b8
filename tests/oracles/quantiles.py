"""Writes the vectors that the numerics are tested against: `quantiles.py [folder]`, one CSV for each family.

The folder is `audit/src/sampling/numerics/vectors` unless another is named. Needs the packages mpmath and, for start
values only, scipy. The same rows come out of every run; it takes a minute or two.

Values are computed with 60 digits and more, in integers scaled by 2^240, from formulas that the Rust side does not use:
the beta and gamma distributions by their series of positive terms (NIST DLMF 8.17.8 and 8.11.4), the hypergeometric one
as sum of exact rationals, or where these have too many digits by recurrence from one probability; limits by bisection,
quantiles by Newton's method until the residual is below 1e-25, and once more. Every input is a binary float, taken exactly as the Rust side reads
it. Outputs are the shortest decimals that give the nearest float.

Rows, the upper tail of a quantile first:
  beta         tail,a,b,x           P(X > x) = tail
  gamma        tail,shape,x
  normal       tail,x
  student      tail,df,t
  f            tail,d1,d2,f
  binomial     k,n,rate,p           p is P(X <= k), or -P(X > k) where that is the smaller tail
  poisson      k,mean,p
  hypergeometric  k,population,deviating,size,p
  limits       k,population,size,risk,upper,lower
               the largest number of deviating items with P(X <= k) > risk, the smallest with P(X >= k) > risk
"""

import math
import pathlib
import random
import sys
from fractions import Fraction

import mpmath as mp
from scipy import special

mp.mp.dps = 75
BITS = 240
ONE = 1 << BITS
ROWS = 2_100
DEFAULT = pathlib.Path(__file__).parents[2] / "audit/src/sampling/numerics/vectors"
TAILS = [1e-10, 1e-8, 1e-6, 0.0001, 0.001, 0.005, 0.01, 0.02, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5,
         0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9999, 0.999999, 0.9999999999]
# what comes out is compared relatively: nothing much smaller is a tail that an audit asks for
SMALLEST = mp.mpf(10) ** -30


def scaled(x):
    return int(mp.floor(mp.mpf(x) * ONE + mp.mpf(0.5)))


def series(first, other, x):
    """Sum over i of the product over j < i of (first + j) x / (other + j), all terms positive; 240 bits."""
    common = math.lcm(Fraction(first).denominator, Fraction(other).denominator)
    a, b = int(Fraction(first) * common), int(Fraction(other) * common)
    x = scaled(x)
    term = total = ONE
    while term:
        term = (term * a * x >> BITS) // b
        total += term
        a += common
        b += common
    return mp.mpf(total) / ONE


def beta_terms(a, b, x):
    """How many terms the series of the lower tail at x has, roughly."""
    if x >= 1:
        return math.inf
    low, high = 1, 2
    log = lambda j: (math.lgamma(a + b + j) - math.lgamma(a + b) - math.lgamma(a + 1 + j) + math.lgamma(a + 1)
                     + j * math.log(x))
    while log(high) > -170 and high < 1e12:
        low, high = high, 2 * high
    return high


def beta_factor(a, b, x, y):
    """x^a y^b / B(a, b)"""
    a, b = mp.mpf(a), mp.mpf(b)
    return mp.exp(a * mp.log(x) + b * mp.log(y) + mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b))


def beta_tails(a, b, x, y):
    """(P(X <= x), P(X > x)) for x + y = 1, by the shorter of the two series."""
    factor = beta_factor(a, b, x, y)
    whole = Fraction(a) + Fraction(b)
    if beta_terms(a, b, float(x)) <= beta_terms(b, a, float(y)):
        lower = factor / a * series(whole, Fraction(a) + 1, x)
        return lower, 1 - lower
    upper = factor / b * series(whole, Fraction(b) + 1, y)
    return 1 - upper, upper


def gamma_factor(shape, x):
    """x^shape e^-x / Γ(shape)"""
    shape = mp.mpf(shape)
    return mp.exp(shape * mp.log(x) - x - mp.loggamma(shape))


def gamma_tails(shape, x):
    common = Fraction(shape).denominator
    divisor = int(Fraction(shape) * common)
    step = scaled(mp.mpf(x) * common)
    term = total = ONE
    while term:
        divisor += common
        term = (term * step >> BITS) // divisor
        total += term
    lower = gamma_factor(shape, x) / shape * total / ONE
    return lower, 1 - lower


def newton(tail, start, tails, slope):
    """The x > 0 whose smaller tail is as given, by Newton's method on logarithms. `slope` is x times the density."""
    tail = mp.mpf(tail)
    upper = tail < 0.5
    target = mp.log(tail if upper else 1 - tail)
    x = mp.mpf(start)
    for _ in range(80):
        value = tails(x)[1 if upper else 0]
        rest = mp.log(value) - target
        step = rest * value / slope(x)
        x *= mp.exp(min(max(step if upper else -step, -2), 2))
        if abs(rest) < mp.mpf(10) ** -25:
            # the step just made squares the error
            return x
    raise ArithmeticError("no convergence")


def beta_quantile(tail, a, b):
    """(x, 1 - x), both with all digits; the tail may have more digits than a float."""
    tail = mp.mpf(tail)
    start = float(special.betainccinv(a, b, float(tail)))
    if start > 0.5:
        y = newton_beta(1 - tail, b, a, float(special.betaincinv(b, a, float(tail))))
        return 1 - y, y
    x = newton_beta(tail, a, b, start)
    return x, 1 - x


def newton_beta(tail, a, b, start):
    start = start if start > 0 and math.isfinite(start) else 1e-10
    return newton(tail, start, lambda x: beta_tails(a, b, x, 1 - x), lambda x: beta_factor(a, b, x, 1 - x) / (1 - x))


def short(value):
    """The shortest decimal of the nearest float."""
    text = repr(float(value))
    text = text.removesuffix(".0").replace("e-0", "e-")
    return text[1:] if text.startswith("0.") else text


def row(*cells):
    return ",".join(str(cell) if isinstance(cell, int) else short(cell) for cell in cells)


def digits(value, count=3):
    """The value to some significant digits, so that the rows stay short."""
    return float(f"{value:.{count - 1}e}")


def between(dice, low, high):
    """A number whose logarithm is uniform."""
    return math.exp(dice.uniform(math.log(low), math.log(high)))


def smaller(lower, upper):
    """The smaller tail, the upper one with a minus; nothing where it is too small."""
    value = lower if lower <= 0.5 else -upper
    return value if abs(value) >= SMALLEST else None


def deviance(x, mean):
    return (x * math.log(x / mean) if x > 0 else 0) + mean - x


def beta(dice):
    shapes = [(1, 1), (1, 59), (1, 1_000_000), (2, 58), (3, 3651), (6, 300), (32, 1573), (59, 1), (150, 150),
              (101, 999_900), (3000, 17_000), (999_990, 11), (1_000_000, 1), (500_000, 500_000), (0.5, 0.5)]
    for a, b in shapes:
        for tail in TAILS:
            yield tail, a, b
    while True:
        # limits of k deviations in n, then shapes of any kind, quarters among them
        n = int(between(dice, 1, 1_000_000))
        k = dice.choice([0, 1, 2, dice.randint(0, n - 1), int(between(dice, 1, n))])
        yield dice.choice(TAILS), k + 1, n - min(k, n - 1)
        a, b = (max(1, round(4 * between(dice, 0.25, 1_000_000))) / 4 for _ in range(2))
        yield dice.choice(TAILS), a, b


def beta_rows(dice):
    for tail, a, b in beta(dice):
        x, _ = beta_quantile(tail, a, b)
        yield row(tail, a, b, x)


def gamma_rows(dice):
    def inputs():
        for shape in [0.25, 0.5, 1, 1.25, 2, 3, 6.5, 33, 250.75, 5000, 100_000.5, 1_000_000]:
            for tail in TAILS:
                yield tail, shape
        while True:
            yield dice.choice(TAILS), max(1, round(4 * between(dice, 0.25, 1_000_000))) / 4
            yield dice.choice(TAILS), dice.randint(1, 120)

    for tail, shape in inputs():
        start = float(special.gammainccinv(shape, tail))
        x = newton(tail, start, lambda x: gamma_tails(shape, x), lambda x: gamma_factor(shape, x))
        yield row(tail, shape, x)


def normal_rows(dice):
    def inputs():
        yield from TAILS
        for i in range(1, 1000):
            yield i / 1000
        while True:
            small = digits(between(dice, 1e-10, 0.5))
            yield small
            yield 1 - small
            yield 0.5 + dice.choice([-1, 1]) * digits(between(dice, 1e-9, 0.49), 2)

    for tail in inputs():
        if tail == 0.5:
            yield row(tail, 0.0)
            continue
        sign, part = (1, mp.mpf(tail)) if tail < 0.5 else (-1, 1 - mp.mpf(tail))
        start = float(special.ndtri(1 - tail)) if abs(tail - 0.5) < 0.4 else -sign * float(special.ndtri(float(part)))
        x = mp.mpf(abs(start))
        for _ in range(10):
            x += (mp.erfc(x / mp.sqrt(2)) / 2 - part) / (mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi))
        assert abs(mp.erfc(x / mp.sqrt(2)) / 2 / part - 1) < mp.mpf(10) ** -40
        yield row(tail, sign * x)


def student_rows(dice):
    def inputs():
        for df in [0.5, 1, 1.5, 2, 3, 4, 9, 29, 30, 59, 199, 200, 1000, 12_345.5, 1_000_000]:
            for tail in TAILS:
                yield tail, df
        while True:
            yield dice.choice(TAILS), max(2, round(4 * between(dice, 0.5, 1_000_000))) / 4
            yield dice.choice(TAILS), dice.randint(1, 400)
            yield 0.5 + dice.choice([-1, 1]) * digits(between(dice, 1e-6, 0.49), 2), dice.randint(1, 100_000)

    for tail, df in inputs():
        if tail == 0.5:
            yield row(tail, df, 0.0)
            continue
        sign, part = (1, mp.mpf(tail)) if tail < 0.5 else (-1, 1 - mp.mpf(tail))
        # t^2 / (df + t^2) has a beta distribution
        x, y = beta_quantile(2 * part, 0.5, df / 2)
        yield row(tail, df, sign * mp.sqrt(df * x / y))


def f_rows(dice):
    def inputs():
        for d1, d2 in [(1, 1), (1, 30), (2, 2), (2, 118), (5, 10), (30, 1), (10, 1_000_000), (1_000_000, 10),
                       (1_000_000, 1_000_000), (6, 126), (120, 60)]:
            for tail in TAILS:
                yield tail, d1, d2
        while True:
            yield (dice.choice(TAILS), *(int(between(dice, 1, 1_000_000)) for _ in range(2)))
            yield (dice.choice(TAILS), *(max(1, round(2 * between(dice, 0.5, 500))) / 2 for _ in range(2)))

    for tail, d1, d2 in inputs():
        x, y = beta_quantile(tail, d1 / 2, d2 / 2)
        yield row(tail, d1, d2, d2 * x / (d1 * y))


def place(dice, mean, deviation, low, high):
    """A count some deviations off the mean, where tails are worth asking for."""
    return min(max(round(mean + dice.uniform(-7, 7) * deviation), low), high)


def binomial_rows(dice):
    def inputs():
        for n in [1, 2, 59, 93, 300, 1604, 5000, 10_000, 1_000_000]:
            for rate in [0.0001, 0.001, 0.01, 0.02, 0.05, 0.09, 0.3, 0.5, 0.9, 0.999]:
                for k in range(4):
                    yield k, n, rate
        while True:
            n = int(between(dice, 2, 1_000_000))
            rate = digits(between(dice, 1e-6, 1))
            rate = dice.choice([rate, 0.05, 0.02, digits(dice.random()), 1 - min(rate, 0.9)])
            if rate < 1:
                deviation = math.sqrt(n * rate * (1 - rate))
                yield place(dice, n * rate, deviation + 0.3, 0, n - 1), n, rate

    for k, n, rate in inputs():
        # by Chernoff's bound nothing is left further out
        if k < n and deviance(k, n * rate) + deviance(n - k, n * (1 - rate)) < 80:
            p = mp.mpf(rate)
            upper, lower = beta_tails(k + 1, n - k, p, 1 - p)
            value = smaller(lower, upper)
            if value is not None:
                yield row(k, n, rate, value)


def poisson_rows(dice):
    def inputs():
        for mean in [0.001, 0.1, 0.5, 1, 2.31, 3, 4.61, 9.5, 30, 100, 1000, 1_000_000]:
            for k in range(8):
                yield k, mean
        while True:
            mean = digits(between(dice, 1e-3, 1_000_000), 4)
            yield place(dice, mean, math.sqrt(mean) + 0.3, 0, 1_100_000), mean

    for k, mean in inputs():
        if deviance(k, mean) > 80:
            continue
        upper, lower = gamma_tails(k + 1, mp.mpf(mean))
        value = smaller(lower, upper)
        if value is not None:
            yield row(k, mean, value)


def hypergeometric_exact(k, population, deviating, size):
    """The cdf as fraction of whole numbers."""
    least = max(0, deviating + size - population)
    ways = sum(math.comb(deviating, i) * math.comb(population - deviating, size - i) for i in range(least, k + 1))
    return mp.mpf(ways) / math.comb(population, size)


def log_ways(n, k):
    n, k = mp.mpf(n), mp.mpf(k)
    return mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)


def hypergeometric_sum(k, population, deviating, size):
    """(P(X <= k), P(X > k)) by recurrence from one probability, away from the mean."""
    others = population - deviating
    probability = lambda i: mp.exp(log_ways(deviating, i) + log_ways(others, size - i) - log_ways(population, size))
    term = total = ONE
    if k * population < deviating * size:
        i = k
        while term and i > 0:
            term = term * i * (others - size + i) // ((deviating - i + 1) * (size - i + 1))
            total += term
            i -= 1
        lower = probability(k) * total / ONE
        return lower, 1 - lower
    i = k + 1
    while term and i < min(deviating, size):
        term = term * (deviating - i) * (size - i) // ((i + 1) * (others - size + i + 1))
        total += term
        i += 1
    upper = probability(k + 1) * total / ONE
    return 1 - upper, upper


def hypergeometric_rows(dice):
    def inputs():
        for population in [20, 3653, 200_000, 10 ** 9, 7 * 10 ** 10, 10 ** 12]:
            for size in [1, 10, 59, 300]:
                for share in [100, 50, 20, 2]:
                    for k in range(4):
                        yield k, population, population // share, size
        while True:
            population = int(digits(between(dice, 2, 10 ** 12), 5))
            size = int(between(dice, 1, min(population, 1_000_000) + 1))
            deviating = dice.choice([int(between(dice, 1, population + 1)), dice.randint(1, population)])
            if dice.random() < 0.1:
                # more is looked at than left out
                size, deviating = population - size, min(deviating, 1_000_000)
            if dice.random() < 0.1:
                size, deviating = deviating, size
            if min(size, deviating, population - size, population - deviating) > 1_000_000:
                continue
            mean = size * deviating / population
            deviation = math.sqrt(mean * (1 - deviating / population) * (1 - size / population))
            yield place(dice, mean, deviation + 0.3, 0, size), population, deviating, size

    checked = 0
    for k, population, deviating, size in inputs():
        if not max(0, deviating + size - population) <= k < min(deviating, size):
            continue
        lower, upper = hypergeometric_sum(k, population, deviating, size)
        if size * population.bit_length() < 20_000 and k < 500:
            exact = hypergeometric_exact(k, population, deviating, size)
            assert abs(lower - exact) < mp.mpf(10) ** -50
            lower, upper = exact, 1 - exact
            checked += 1
        value = smaller(lower, upper)
        if value is not None:
            yield row(k, population, deviating, size, value)
        if checked == 0:
            raise AssertionError("no exact rows")


def above(k, population, deviating, size, risk):
    """Whether P(X <= k) > risk."""
    if k >= min(deviating, size):
        return risk < 1
    if k < deviating + size - population:
        return False
    distance = hypergeometric_sum(k, population, deviating, size)[0] - mp.mpf(risk.numerator) / risk.denominator
    if abs(distance) > mp.mpf(10) ** -40:
        return distance > 0
    ways = sum(math.comb(deviating, i) * math.comb(population - deviating, size - i) for i in range(k + 1))
    return ways * risk.denominator > risk.numerator * math.comb(population, size)


def upper_limit(k, population, size, risk):
    """Bisection: what is supported ends between low and high."""
    if k == size:
        return population
    low, high = k, population - (size - k) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if above(k, population, middle, size, risk):
            low = middle
        else:
            high = middle
    return low


def limit_rows(dice):
    def inputs():
        for population in [2, 4, 10, 3653, 10 ** 12]:
            for size in [1, 2, 59, 300]:
                for k in range(4):
                    for risk in ["0.05", "0.25", "0.5"]:
                        yield k, population, size, risk
        while True:
            population = int(digits(between(dice, 2, 10 ** 12), 5))
            size = int(between(dice, 1, min(population, 1_000_000) + 1))
            k = dice.choice([0, 1, 2, int(between(dice, 1, size + 1)), dice.randint(0, size)])
            yield k, population, size, dice.choice(["0.000001", "0.01", "0.025", "0.05", "0.1", "0.2", "0.5", "0.9"])

    for k, population, size, risk in inputs():
        if k <= size <= population:
            upper = upper_limit(k, population, size, Fraction(risk))
            lower = population - upper_limit(size - k, population, size, Fraction(risk))
            yield f"{k},{population},{size},{risk},{upper},{lower}"


FAMILIES = {
    "beta": beta_rows, "gamma": gamma_rows, "normal": normal_rows, "student": student_rows, "f": f_rows,
    "binomial": binomial_rows, "poisson": poisson_rows, "hypergeometric": hypergeometric_rows,
    "limits": limit_rows,
}


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    folder.mkdir(parents=True, exist_ok=True)
    for family, rows in FAMILIES.items():
        if len(sys.argv) > 2 and family not in sys.argv[2:]:
            continue
        found = {}
        for line in rows(random.Random(f"sampling {family}")):
            found.setdefault(line)
            if len(found) == ROWS:
                break
        (folder / f"{family}.csv").write_text("".join(f"{line}\n" for line in found))
        print(family, len(found))


if __name__ == "__main__":
    main()
