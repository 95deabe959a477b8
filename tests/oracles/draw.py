"""Draws, plans, commitments and seeds, from the text of `audit/README.md` alone, with the standard library.

Reads JSON lines and prints one JSON line for each:
  {"what": "draw", "algorithm", "seed", "context", "size", "items": [[id, amount], ...]} -> [[id, hits, ticket or null], ...]
  {"what": "frame", "rows": [[id, stratum, bezirksstelle, amount or null], ...]}        -> digest
  {"what": "plan", "plan": {...}}                                                       -> digest
  {"what": "commitment", "plan": {...}, "contribution": {...}}                          -> digest
  {"what": "seed", "plan": {...}, "contributions": [...], "source": [text, ...]}        -> seed
  {"what": "record", "record": {...}, "rows": [[id, stratum, bezirksstelle, amount or null], ...]}
                                                  -> {"planDigest", "seed", "late", "silent", "differences": [...]}
Plans and contributions have the fields of the API's JSON; a record is the draw record. Signatures of the beacon are not verified
here: that takes more than the standard library.
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


CHAINS = {
    "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce": (1595431050, 30),
    "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971": (1692803367, 3),
}


class Refused(Exception):
    pass


def require(holds, what):
    if not holds:
        raise Refused(what)


def source_of(plan, source):
    """What of the source goes into the seed, since when it exists, and its position in the log if it has one."""
    planned = plan["source"]
    require((planned is None) == (source is None), "source")
    if planned is None:
        return ["NONE"], None, None
    require(planned["kind"] == source["kind"], "source")
    if planned["kind"] == "DRAND":
        require(planned["round"] == source["round"], "round")
        require(source.get("chainHash") in (None, planned["chain"]), "chain")
        randomness = hashlib.sha256(bytes.fromhex(source["signature"])).hexdigest()
        require(source.get("randomness") in (None, randomness), "randomness")
        genesis, period = CHAINS[planned["chain"]]
        at = genesis + (planned["round"] - 1) * period
        return ["DRAND", planned["chain"], str(planned["round"]), randomness], at, None
    digits = source["digits"]
    require(len(digits) == planned["throws"] and all(digit in "0123456789" for digit in digits), "digits")
    require(any(witness != source["thrownBy"] for witness in source["witnesses"]), "witnesses")
    require(source["begunAt"] <= source["logged"]["at"], "time of the session")
    return ["DICE", digits], source["begunAt"], source["logged"]["position"]


def ceremony(plan, material):
    """The seed, who opened too late, and who did not open, of a ceremony in the order of the log."""
    commitments, openings, source = material["commitments"], material["openings"], material["source"]
    steps = [material["frozen"], material["planned"]] + [entry["logged"] for entry in commitments + openings]
    texts, exists, position = source_of(plan, source)
    if position is not None:
        steps.append(source["logged"])
    steps.sort(key=lambda step: step["position"])
    for before, after in zip(steps, steps[1:]):
        require(before["position"] < after["position"] and before["at"] <= after["at"], "order of the log")
    frozen, planned = material["frozen"], material["planned"]
    require(frozen["position"] < planned["position"], "frozen before planned")
    require(sorted(entry["party"] for entry in commitments) == sorted(plan["parties"]), "one commitment of each")
    digests = {entry["party"]: entry["digest"] for entry in commitments}
    last = max(entry["logged"]["position"] for entry in commitments)

    def known(step):
        return exists is not None and (exists <= step["at"] or (position is not None and position <= step["position"]))

    for step in [planned] + [entry["logged"] for entry in commitments]:
        require(planned is step or planned["position"] < step["position"], "planned before committed")
        require(not known(step), "source after plan and commitments")
    opened = {}
    for entry in openings:
        contribution = entry["contribution"]
        party = contribution["party"]
        require(party not in opened and commitment(plan, contribution) == digests.get(party), "opened as committed")
        require(last < entry["logged"]["position"], "opened after the last commitment")
        opened[party] = entry
    never = plan["assurance"] == "NOT_STEERABLE"
    late = [party for party in plan["parties"] if party in opened and never and known(opened[party]["logged"])]
    counted = [opened[party]["contribution"] for party in opened if party not in late]
    require(counted, "somebody opened")
    silent = [party for party in plan["parties"] if party not in opened]
    return seed_of(plan, counted, texts), late, silent


def record(record, rows):
    plan, seed, late, silent, differences = record["plan"], record["seed"], [], [], []
    if record["populationRoot"] != plan["populationRoot"]:
        differences.append("root")
    if frame(rows) != plan["frameDigest"]:
        differences.append("draw file")
    if record["material"] is not None:
        try:
            found, late, silent = ceremony(plan, record["material"])
            if found != seed:
                differences.append("seed")
                seed = found
        except Refused as refused:
            differences.append(str(refused))
    drawn = []
    for stratum in plan["strata"]:
        own = [[item, amount or 0] for item, name, _, amount in rows if name == stratum["name"]]
        if len(own) != stratum["populationSize"]:
            differences.append("number")
        algorithm = ALGORITHMS[stratum["method"]]
        drawn += [[stratum["name"], *item] for item in draw(algorithm, seed, stratum["name"], stratum["size"], own)]
    recorded = [[item["stratum"], item["id"], item["hits"], item["ticket"]] for item in record["items"]]
    if drawn != recorded:
        differences.append("items")
    return {"planDigest": plan_digest(plan), "seed": seed, "late": late, "silent": silent, "differences": differences}


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
        case "record":
            return record(query["record"], query["rows"])
    raise ValueError(query["what"])


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line)), ensure_ascii=False))
