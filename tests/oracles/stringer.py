"""Projected error and Stringer bound of a monetary unit sample, from the formula text, with scipy.

    stringer.py N_HITS BOOK_VALUE CONFIDENCE < lines of book,audit,hits

Amounts are decimals in one unit (euros or cents), used exactly; a header line is passed over. For each direction the
hits in error are ranked by tainting t = error / book, largest first, an item hit h times taking h ranks:

    projected = BV / n * sum(t)
    bound     = BV * (p(0) * max(1, t(1)) + sum over j of (p(j) - p(j-1)) * t(j))
    p(j)      = quantile of Beta(j + 1, n - j) at the confidence; 1 for j = n

Prints JSON {"over": {...}, "under": {...}}, each with "known", "projected" (also as exact fraction), "bound".
"""

import json
import sys
from fractions import Fraction

from scipy.stats import beta


def side(units, known, n, book_value, confidence):
    taintings = sorted(units, reverse=True)
    limits = [float(beta.ppf(confidence, j + 1, n - j)) if j < n else 1.0 for j in range(len(taintings) + 1)]
    fraction = limits[0] * max(1.0, float(taintings[0]) if taintings else 0.0)
    for j, tainting in enumerate(taintings, start=1):
        fraction += (limits[j] - limits[j - 1]) * float(tainting)
    projected = book_value / n * sum(taintings, Fraction(0))
    return {
        "hits": len(taintings),
        "known": str(known),
        "projected": float(projected),
        "projected_rounded": str(round(projected)),
        "bound": fraction * float(book_value),
    }


def main():
    n, book_value, confidence = int(sys.argv[1]), Fraction(sys.argv[2]), float(sys.argv[3])
    over, under, hits_seen = [], [], 0
    known_over = known_under = Fraction(0)
    for line in sys.stdin:
        cells = line.strip().split(",")
        if not line.strip() or not cells[0].replace(".", "").isdigit():
            continue
        book, audit, hits = Fraction(cells[0]), Fraction(cells[1]), int(float(cells[2]))
        hits_seen += hits
        tainting = (book - audit) / book
        if tainting > 0:
            over += [tainting] * hits
            known_over += book - audit
        elif tainting < 0:
            under += [-tainting] * hits
            known_under += audit - book
    if hits_seen != n:
        sys.exit(f"{hits_seen} hits, not {n}")
    print(json.dumps({
        "over": side(over, known_over, n, book_value, confidence),
        "under": side(under, known_under, n, book_value, confidence),
    }))


main()
