"""Monetary unit sample by fixed interval, from the description in `audit/src/sampling/selection/interval.rs`, with fractions.

Reads JSON lines {"seed", "context", "n", "items": [[id, cents], ...]} and prints one JSON line for each:
{"start", "sample": [{"id", "hits"}, ...]}; `start` is the whole number r in 0..total.
"""

import hashlib
import json
import struct
import sys
from fractions import Fraction


def start(seed, context, total):
    seed, context = seed.encode(), context.encode()
    counter = 0
    while True:
        text = struct.pack(">I", len(seed)) + seed + struct.pack(">I", len(context)) + context
        value = int.from_bytes(hashlib.sha256(text + struct.pack(">Q", counter)).digest()[:8], "big")
        if value < 2**64 // total * total:
            return value % total
        counter += 1


def sample(seed, context, n, items):
    total = sum(cents for _, cents in items)
    first = start(seed, context, total)
    interval = Fraction(total, n)
    positions = [Fraction(first, n) + i * interval for i in range(n)]
    found, position, cumulative = [], 0, 0
    for item, cents in items:
        cumulative += cents
        hits = 0
        while position < n and positions[position] < cumulative:
            hits += 1
            position += 1
        if hits:
            found.append({"id": item, "hits": hits})
    return {"start": first, "sample": found}


if __name__ == "__main__":
    for line in sys.stdin:
        query = json.loads(line)
        print(json.dumps(sample(query["seed"], query["context"], query["n"], query["items"])))
