"""Exact one-sided upper limit of an error rate (Clopper and Pearson), with scipy.

    clopper_pearson.py CONFIDENCE < lines of errors,size

Prints one limit a line: the quantile of Beta(errors + 1, size - errors) at the confidence; 1 where all are in error.
"""

import sys

from scipy.stats import beta

confidence = float(sys.argv[1])
for line in sys.stdin:
    errors, size = map(int, line.split(","))
    print(float(beta.ppf(confidence, errors + 1, size - errors)) if errors < size else 1.0)
