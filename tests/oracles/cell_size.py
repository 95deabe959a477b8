"""Sizes of monetary unit samples by the cell bound, from the formula alone, in whole numbers and fractions.

python3 tests/oracles/cell_size.py BOOK_VALUE TOLERABLE EXPECTED CONFIDENCE prints the first size by the hypergeometric and by the
binomial distribution. Slow on purpose: every size is tried, and every limit is found by halving the interval.
"""

import math
import sys
from fractions import Fraction


def hypergeometric(book, size, errors, risk):
    """The largest number of units in error of which at most so many are found with more than the risk."""

    def likely(units):
        ways = sum(math.comb(units, k) * math.comb(book - units, size - k) for k in range(errors + 1))
        return Fraction(ways, math.comb(book, size)) > risk

    low, high = errors, book - (size - errors)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if likely(middle) else (low, middle - 1)
    return low if errors < size else book


def binomial(book, size, errors, risk):
    """The smallest number of units of which at most so many are found with no more than the risk."""

    def unlikely(units):
        ways = sum(math.comb(size, k) * units**k * (book - units) ** (size - k) for k in range(errors + 1))
        return Fraction(ways, book**size) <= risk

    low, high = 0, book
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if unlikely(middle) else (middle + 1, high)
    return low


def bound(limit, book, size, expected, risk):
    taintings = Fraction(expected * size, book)
    planned = [Fraction(1)] * math.floor(taintings)
    if taintings > len(planned):
        planned.append(taintings - len(planned))
    stage, total = Fraction(limit(book, size, 0, risk)), Fraction(0)
    for rank, tainting in enumerate(planned, 1):
        total += tainting
        stage = max(stage + Fraction(book, size) * tainting, limit(book, size, rank, risk) * total / rank)
    return stage


def first(limit, book, tolerable, expected, risk):
    size = 1
    while bound(limit, book, size, expected, risk) >= tolerable:
        size += 1
    return size


book, tolerable, expected = (int(argument) for argument in sys.argv[1:4])
risk = 1 - Fraction(sys.argv[4])
print(first(hypergeometric, book, tolerable, expected, risk), first(binomial, book, tolerable, expected, risk))
