"""Draws, plans, commitments and seeds, from the text of `audit/README.md` alone, with the standard library.

Reads JSON lines and prints one JSON line for each:
  {"what": "draw", "algorithm", "seed", "context", "size", "items": [[id, amount], ...]} -> [[id, hits, ticket or null], ...]
  {"what": "frame", "rows": [[id, stratum, bezirksstelle, amount or null], ...]}        -> digest
  {"what": "plan", "plan": {...}}                                                       -> digest
  {"what": "commitment", "plan": {...}, "contribution": {...}}                          -> digest
  {"what": "seed", "plan": {...}, "contributions": [...], "source": [text, ...]}        -> seed
Plans and contributions have the fields of the API's JSON.
"""

import hashlib
import json
import sys
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

ALGORITHMS = {
    "SIMPLE_RANDOM": "tickets-1",
    "RECORD_INTERVAL": "record-interval-1",
    "RECORDS_WITH_REPLACEMENT": "records-with-replacement-1",
    "FIXED_INTERVAL": "fixed-interval-1",
    "RANDOMISED_INTERVAL": "randomised-interval-1",
    "CELL": "cell-1",
    "UNITS_WITH_REPLACEMENT": "units-with-replacement-1",
    "SIEVE": "sieve-1",
    "MODIFIED_SIEVE": "modified-sieve-1",
    "CENSUS": "census-1",
}


def field(text):
    data = text.encode()
    return len(data).to_bytes(4, "big") + data


def sha(data):
    return hashlib.sha256(data).digest()


def digest(texts):
    return sha(b"".join(field(text) for text in texts))


class Stream:
    def __init__(self, seed, context):
        self.prefix, self.counter = field(seed) + field(context), 0

    def below(self, limit):
        while True:
            block = sha(self.prefix + self.counter.to_bytes(8, "big"))
            self.counter += 1
            value = int.from_bytes(block[:8], "big")
            if value < 2**64 // limit * limit:
                return value % limit


def uniform(seed, context, item):
    value = int.from_bytes(digest([seed, context, item])[:8], "big")
    return Fraction(2 * value + 1, 2**65)


def ticket(seed, item):
    first = hashlib.sha256(seed.encode()).hexdigest()
    number = int.from_bytes(sha((first + item).encode()), "big")
    return "0." + str(number).zfill(64)[::-1]


def covered(items, positions):
    """Hits by position, in whole units or fractions of them, over items in the order given."""
    found, before = [], 0
    for item, amount in items:
        hits = sum(before <= position < before + amount for position in positions)
        if hits:
            found.append([item, hits, None])
        before += amount
    return found


def numbered(items, places):
    """Hits by place from 0."""
    return [[item, places.count(place), None] for place, (item, _) in enumerate(items) if place in places]


def draw(algorithm, seed, context, n, items):
    items = sorted(items, key=lambda item: item[0].encode())
    stream, count, total = Stream(seed, context), len(items), sum(amount for _, amount in items)
    if algorithm == "tickets-1":
        order = sorted((ticket(seed, item), item.encode(), item) for item, _ in items)
        return [[item, 1, number] for number, _, item in order[:n]]
    if algorithm == "record-interval-1":
        start = stream.below(count)
        places = [ceil(Fraction(start + 1 + i * count, n)) - 1 for i in range(n)]
        return numbered(items, places)
    if algorithm == "records-with-replacement-1":
        return numbered(items, [stream.below(count) for _ in range(n)])
    if algorithm in ("fixed-interval-1", "randomised-interval-1"):
        if algorithm == "randomised-interval-1":
            items = sorted(items, key=lambda item: (ticket(seed, item[0]), item[0].encode()))
        start = stream.below(total)
        return covered(items, [Fraction(start + i * total, n) for i in range(n)])
    if algorithm == "cell-1":
        return covered(items, [Fraction(stream.below(total) + i * total, n) for i in range(n)])
    if algorithm == "units-with-replacement-1":
        return covered(items, [stream.below(total) for _ in range(n)])
    if algorithm == "sieve-1":
        kept = [item for item, amount in items if amount * n > floor(uniform(seed, context, item) * total)]
        return [[item, 1, None] for item in kept]
    if algorithm == "modified-sieve-1":
        ranked = sorted((-amount / uniform(seed, context, item), item.encode(), item) for item, amount in items)
        return [[item, 1, None] for _, _, item in ranked[:n]]
    if algorithm == "census-1":
        return [[item, 1, None] for item, _ in items]
    raise ValueError(algorithm)


def frame(rows):
    data = field("pruefpfad-draw-frame-1")
    for item, stratum, office, amount in sorted(rows, key=lambda row: row[0].encode()):
        data += field(item) + field(stratum) + field(office) + field("" if amount is None else str(amount))
    return sha(data + field(str(len(rows)))).hex()


def decimal(value):
    if value is None:
        return ""
    text = format(Decimal(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def whole(value):
    return "" if value is None else str(value)


def plan_digest(plan):
    texts = ["pruefpfad-draw-plan-1", plan["engagement"], plan["sample"], plan["populationRoot"], plan["frameDigest"]]
    texts.append(str(len(plan["strata"])))
    for stratum in plan["strata"]:
        texts += [stratum["name"], ALGORITHMS[stratum["method"]], str(stratum["size"])]
        texts += [str(stratum["populationSize"]), whole(stratum["bookValue"])]
    texts += [decimal(plan[name]) for name in ("confidence", "tolerableRate", "expectedRate")]
    texts += [whole(plan[name]) for name in ("tolerableError", "expectedError")]
    texts += [plan["extensionRule"] or "", plan["assurance"], str(len(plan["parties"])), *plan["parties"]]
    source = plan["source"]
    if source is None:
        texts.append("NONE")
    elif source["kind"] == "DRAND":
        texts += ["DRAND", source["chain"], str(source["round"])]
    else:
        texts += ["DICE", str(source["throws"])]
    return digest(texts).hex()


def commitment(plan, contribution):
    values = [contribution[name] for name in ("party", "salt", "text")]
    return digest(["pruefpfad-draw-commitment-1", plan_digest(plan), *values]).hex()


def seed_of(plan, contributions, source):
    texts = ["pruefpfad-draw-seed-1", plan["assurance"], plan_digest(plan), plan["populationRoot"]]
    by_party = {contribution["party"]: contribution for contribution in contributions}
    opened = [by_party[party] for party in plan["parties"] if party in by_party]
    texts.append(str(len(opened)))
    for contribution in opened:
        texts += [contribution[name] for name in ("party", "salt", "text")]
    return digest(texts + source).hex()


def answer(query):
    match query["what"]:
        case "draw":
            return draw(query["algorithm"], query["seed"], query["context"], query["size"], query["items"])
        case "frame":
            return frame(query["rows"])
        case "plan":
            return plan_digest(query["plan"])
        case "commitment":
            return commitment(query["plan"], query["contribution"])
        case "seed":
            return seed_of(query["plan"], query["contributions"], query["source"])
    raise ValueError(query["what"])


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line)), ensure_ascii=False))
