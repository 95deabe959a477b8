"""An attacker with good tokens who asks for what is not theirs, written apart from the service.

It knows what anybody can know: the GraphQL specification, GraphQL over HTTP, the protocol graphql-transport-ws, the published
schema. It is a caseworker of one Bezirksstelle, somebody of the budget office, a second auditor, or nobody; it has seen
ids, cursors and idempotency keys of others. Words it must never read come with the situation.

    python3 tests/attacks/documents.py < situation.json

The verdict is printed as JSON; the exit code is 1 where something was let out.
"""

import base64
import json
import sys
import time

import tokens

SLOW = 3.0  # seconds; a refusal that takes longer is work an attacker gets for nothing

situation = json.load(sys.stdin)
address, ids, words = situation["address"], situation["ids"], situation["words"]
door = tokens.Door(address)
failures, tried = [], 0


def fail(what, why):
    failures.append(f"{what}: {why}")


class Said:
    def __init__(self, answer, seconds):
        self.status, self.text, self.seconds, self.headers = answer.status, answer.body, seconds, answer.headers
        try:
            self.json = json.loads(answer.body)
        except ValueError:
            self.json = None

    @property
    def codes(self):
        errors = self.json.get("errors", []) if isinstance(self.json, dict) else []
        return sorted({error.get("extensions", {}).get("code", "none") for error in errors})

    @property
    def data(self):
        return self.json.get("data") if isinstance(self.json, dict) else None


def request(who, method, path, body=b"", headers=()):
    token = situation["tokens"].get(who)
    authorization = [f"Bearer {token}"] if token else []
    begun = time.monotonic()
    return Said(door.request(method, path, authorization, headers, body), time.monotonic() - begun)


def post(who, body):
    return request(who, "POST", "/graphql", json.dumps(body).encode(), [("Content-Type", "application/json")])


def ask(who, document, variables=None, operation=None):
    body = {"query": document}
    if variables is not None:
        body["variables"] = variables
    if operation is not None:
        body["operationName"] = operation
    return post(who, body)


def keeps_silent(what, said):
    """Whatever the answer is, it says nothing of what it hides and nothing of the inside."""
    for word in words:
        if word in said.text:
            fail(what, f"lets out {word!r}: {said.text[:300]}")
    if said.status >= 400 or (isinstance(said.json, dict) and "errors" in said.json):
        if tokens.INTERNAL.search(said.text):
            fail(what, f"talks of its inside: {said.text[:300]}")
    if said.status >= 500:
        fail(what, f"{said.status}: {said.text[:300]}")
    if said.seconds > SLOW:
        fail(what, f"took {said.seconds:.1f} s")


def refused(what, said, *codes):
    """Nothing ran, and the code is one of these."""
    global tried
    tried += 1
    keeps_silent(what, said)
    if said.data is not None:
        fail(what, f"ran: {said.text[:300]}")
    elif not said.codes or not set(said.codes) <= set(codes):
        fail(what, f"{said.status} {said.codes} instead of {codes}: {said.text[:300]}")


def nothing(what, said, *codes):
    """It ran, or not: in any case it brought nothing."""
    global tried
    tried += 1
    keeps_silent(what, said)
    values = said.data.values() if isinstance(said.data, dict) else []
    if any(value is not None for value in values):
        fail(what, f"brought something: {said.text[:300]}")
    if codes and not set(said.codes) & set(codes):
        fail(what, f"{said.codes} instead of {codes}: {said.text[:300]}")


def allowed(what, said):
    """The control: what is theirs, they get; else a refusal would show nothing."""
    global tried
    tried += 1
    keeps_silent(what, said)
    if said.codes or said.data is None:
        fail(what, f"refused: {said.text[:300]}")


# --- fields of a class the caller lacks --------------------------------------------------------------------------


def forbidden_fields():
    """The caseworker sees the item, and not its place in the draw."""
    item, own = "sampleItem(id: $id)", {"id": ids["own"]}
    query = "query($id: ID!) "

    def hidden(what, document, variables=None):
        refused(what, ask("stelle", document, {**own, **(variables or {})}), "FORBIDDEN")

    allowed("its own item", ask("stelle", query + "{ " + item + " { id reference amount } }", own))
    for name, selection in [
        ("plainly", "{ ticket }"),
        ("beside what is allowed", "{ id reference ticket }"),
        ("under another name", "{ id: ticket }"),
        ("under the name of an allowed field", "{ reference: ticket }"),
        ("under the name of the type", "{ __typename: ticket }"),
        ("in an inline fragment", "{ ... { ticket } }"),
        ("in a fragment on the type", "{ ... on SampleItem { ticket } }"),
        ("in a fragment on the interface", "{ ... on Node { ... on SampleItem { ticket } } }"),
        ("deep in fragments", "{ ... { ... on SampleItem { ... { x: ticket } } } }"),
        ("with a list below", "{ checks { id } }"),
        ("on the way round", "{ sample { items { edges { node { ticket } } } } }"),
        ("by a directive that does nothing", "{ ticket @skip(if: false) }"),
    ]:
        hidden(name, query + "{ " + item + " " + selection + " }")
    hidden("in a named fragment", query + "{ " + item + " { ...F } } fragment F on SampleItem { ticket }")
    hidden(
        "in a fragment of a fragment",
        query + "{ " + item + " { ...A } } fragment A on SampleItem { id ...B } fragment B on Node { id ... on SampleItem { ticket } }",
    )
    hidden("through node", query + "{ node(id: $id) { ... on SampleItem { ticket } } }")
    hidden("through nodes", query + "{ nodes(ids: [$id]) { id ... on SampleItem { drawOrder } } }")
    hidden("through a list", query + "{ sampleItems(first: 1) { edges { node { ticket } } } node(id: $id) { id } }")
    hidden("where the id does not exist", query + "{ node(id: \"x\") { ... on SampleItem { ticket } } sampleItem(id: $id) { id } }")

    # Directives decide by the values that are really used.
    flagged = "query($id: ID!, $x: Boolean!) { " + item + " { id ticket @include(if: $x) } }"
    hidden("included by a variable", flagged, {"x": True})
    said = ask("stelle", flagged, {**own, "x": False})
    allowed("left out by a variable", said)
    if said.data and set(said.data["sampleItem"]) != {"id"}:
        fail("left out by a variable", said.text[:300])
    refused("a variable left away", ask("stelle", flagged, own), "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED")
    refused("a variable of another type", ask("stelle", flagged, {**own, "x": "false"}), "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED")
    refused("a variable that is null", ask("stelle", flagged, {**own, "x": None}), "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED")
    defaulted = flagged.replace("$x: Boolean!", "$x: Boolean! = true")
    hidden("included by a default", defaulted)
    hidden("included against a default", flagged.replace("$x: Boolean!", "$x: Boolean! = false"), {"x": True})
    allowed("left out against a default", ask("stelle", defaulted, {**own, "x": False}))
    # The same document again: what was found out for one variable is not taken for the other.
    for _ in range(3):
        hidden("included by a variable, from the cache", flagged, {"x": True})
        allowed("left out by a variable, from the cache", ask("stelle", flagged, {**own, "x": False}))
    skipped = flagged.replace("@include", "@skip")
    hidden("not skipped", skipped, {"x": False})
    allowed("skipped", ask("stelle", skipped, {**own, "x": True}))
    spread = "query($id: ID!, $x: Boolean!) { " + item + " { id ...F @include(if: $x) } } fragment F on SampleItem { ticket }"
    hidden("a fragment included", spread, {"x": True})
    allowed("a fragment left out", ask("stelle", spread, {**own, "x": False}))
    twice = "query($id: ID!, $x: Boolean!) { " + item + " { id ...F @include(if: $x) ...F } } fragment F on SampleItem { ticket }"
    hidden("a fragment left out, and there a second time", twice, {"x": False})

    # Filter and order tell as much as the field itself.
    for what, arguments in [
        ("filtered by a hidden field", "filter: {result: ERROR}"),
        ("filtered by a hidden state", "filter: {state: OPEN}"),
        ("sorted by a hidden field", "order: {by: DRAW_ORDER}"),
    ]:
        hidden(what, query + "{ sampleItems(" + arguments + ") { totalCount } node(id: $id) { id } }")
    sorted_by = "query($order: SampleItemOrder, $filter: SampleItemFilter) { sampleItems(order: $order, filter: $filter) { totalCount } }"
    for what, variables in [
        ("sorted by a variable", {"order": {"by": "DRAW_ORDER"}}),
        ("filtered by a variable", {"filter": {"state": "OPEN"}}),
    ]:
        refused(what, ask("stelle", sorted_by, variables), "FORBIDDEN")
    by_default = sorted_by.replace("$order: SampleItemOrder", "$order: SampleItemOrder = {by: DRAW_ORDER}")
    refused("sorted by a default", ask("stelle", by_default, {}), "FORBIDDEN")

    # Whoever has no right to the list gets none of it, whatever they leave away.
    for who, code in (("budget", "FORBIDDEN"), ("nobody", "UNAUTHENTICATED")):
        for selection in ("{ edges { node { reference } } }", "{ totalCount }", "{ edges { cursor } }", "{ totals { count } }"):
            nothing(f"{who}: {selection}", ask(who, "{ sampleItems " + selection + " }"), code)


# --- several operations, cycles, floods --------------------------------------------------------------------------


def operations():
    both = "query Good { serviceInfo { version } } query Bad($id: ID!) { sampleItem(id: $id) { ticket } } mutation Ugly { closeEngagement(input: {id: \"x\", expectedVersion: 1}) { userErrors { code } } }"
    variables = {"id": ids["own"]}
    allowed("the harmless one of several", ask("stelle", both.partition(" mutation")[0], variables, "Good"))
    refused("the forbidden one of several", ask("stelle", both.partition(" mutation")[0], variables, "Bad"), "FORBIDDEN")
    for what, operation in [("none of several named", None), ("an unknown one", "Nobody"), ("an empty name", ""), ("a name that differs in case", "good")]:
        refused(what, ask("stelle", both.partition(" mutation")[0], variables, operation), "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED")
    two = "query A { serviceInfo { version } } query A { viewer { subject } }"
    refused("two of one name", ask("stelle", two, None, "A"), "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED")
    refused("a nameless one among named ones", ask("stelle", "{ serviceInfo { version } } query A { viewer { subject } }", None, "A"), "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED")
    said = request("stelle", "GET", "/graphql?query=mutation%7BcloseEngagement%28input%3A%7Bid%3A%22x%22%2CexpectedVersion%3A1%7D%29%7BuserErrors%7Bcode%7D%7D%7D")
    if said.status != 405:
        fail("a mutation by GET", f"{said.status}: {said.text[:200]}")


def cycles():
    codes = ("GRAPHQL_VALIDATION_FAILED", "LIMIT_EXCEEDED")
    for what, document in [
        ("a fragment in itself", "{ ...A } fragment A on Query { ...A }"),
        ("two fragments in each other", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"),
        ("a ring of fragments", "{ ...F0 } " + " ".join(f"fragment F{n} on Query {{ ...F{(n + 1) % 50} }}" for n in range(50))),
        ("a ring beside what is allowed", "{ serviceInfo { version } ...A } fragment A on Query { viewer { subject } ... { ...A } }"),
        ("a ring within a field", "{ engagements { ...E } } fragment E on EngagementConnection { edges { node { populations { edges { node { engagement { ...N } } } } } } } fragment N on Engagement { samples { edges { node { engagement { ...N } } } } }"),
        ("a ring left out by a directive", "{ serviceInfo { version } ...A @skip(if: true) } fragment A on Query { ...A }"),
        ("a ring nobody uses", "{ serviceInfo { version } } fragment A on Query { ...A }"),
    ]:
        for who in ("auditor", "nobody"):
            refused(f"{what} ({who})", ask(who, document), *codes)
    doubled = "{ ...F0 } " + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(30)) + " fragment F30 on Query { serviceInfo { version } }"
    refused("fragments that double", ask("nobody", doubled), *codes)


def floods():
    limit = ("LIMIT_EXCEEDED",)
    either = ("LIMIT_EXCEEDED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED", "UNAUTHENTICATED")
    one = {"query": "{ serviceInfo { version } }"}
    for size in (0, 1, 2, 1000):
        refused(f"a batch of {size}", post("auditor", [one] * size), "BAD_USER_INPUT", "LIMIT_EXCEEDED")
    types = "{ __schema { types { fields { type { " + "ofType { " * 20 + "name" + " }" * 20 + " } } } } }"
    round_trip = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"
    for who in ("auditor", "nobody"):
        for what, document in [
            ("introspection, deep", types),
            ("introspection, round and round", round_trip),
            ("introspection under many names", "{ " + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(200)) + " }"),
            ("one type under many names", "{ " + " ".join(f'a{n}: __type(name: "Query") {{ name }}' for n in range(200)) + " }"),
            ("a field under many names", "{ " + " ".join(f"a{n}: serviceInfo {{ version }}" for n in range(200)) + " }"),
            ("a field ten thousand times", "{ serviceInfo { " + "version " * 10_000 + "} }"),
            ("many directives", "{ serviceInfo { version " + "@include(if: true) " * 500 + "} }"),
            ("many fragments", "{ " + " ".join(f"...F{n}" for n in range(2000)) + " } " + " ".join(f"fragment F{n} on Query {{ serviceInfo {{ version }} }}" for n in range(2000))),
            ("deep brackets", "{ viewer(a: " + "[" * 4000 + "]" * 4000 + ") { subject } }"),
            ("deep objects", "{ viewer(a: " + "{a:" * 4000 + "1" + "}" * 4000 + ") { subject } }"),
            ("deep selections", "{ a" * 4000 + " }" * 4000),
        ]:
            refused(f"{what} ({who})", ask(who, document), *either)
    wide = "{ engagements(first: 200) { edges { node { samples(first: 200) { edges { node { items(first: 200) { edges { node { id } } } } } } } } } }"
    refused("lists in lists in lists", ask("auditor", wide), *limit)
    nothing("pages beyond the largest", ask("auditor", "{ engagements(first: 100000) { totalCount } }"), "BAD_USER_INPUT", "LIMIT_EXCEEDED")
    refused("deep variables", post("auditor", {**one, "variables": json.loads("[" * 100 + "]" * 100)}), *either)
    said = request("nobody", "POST", "/graphql", b'{"query":"{ a }","variables":' + b'{"a":' * 5000 + b"1" + b"}" * 5001, [("Content-Type", "application/json")])
    refused("variables nested five thousand times", said, *either)
    said = request("nobody", "POST", "/graphql", b" " * 2_000_000, [("Content-Type", "application/json")])
    keeps_silent("two million spaces", said)
    if said.status != 413:
        fail("two million spaces", f"{said.status}")
    allowed("the service goes on", ask("nobody", "{ serviceInfo { version } }"))


# --- cursors, ids, addresses, keys -------------------------------------------------------------------------------


def cursors():
    items = "query($after: String, $by: SampleItemSort!) { sampleItems(first: 1, after: $after, order: {by: $by}) { edges { cursor node { id reference amount } } } }"
    lists = "query($after: String) { engagements(first: 1, after: $after) { edges { cursor node { id } } } }"
    first = ask("auditor", items, {"by": "AMOUNT"})
    by_amount = first.data["sampleItems"]["edges"][0]["cursor"]
    of_engagements = ask("auditor", lists, {}).data["engagements"]["edges"][0]["cursor"]
    raw = base64.urlsafe_b64decode(by_amount + "=" * (-len(by_amount) % 4))
    for word in words + [ids["own"]]:
        if word.encode() in raw or word in by_amount:
            fail("a cursor", f"tells {word!r}")
    for what, document, variables in [
        ("of another list", items, {"after": of_engagements, "by": "AMOUNT"}),
        ("of another order", items, {"after": by_amount, "by": "REFERENCE"}),
        ("of items for engagements", lists, {"after": by_amount}),
        ("an id", items, {"after": ids["own"], "by": "AMOUNT"}),
        ("cut", items, {"after": by_amount[:-4], "by": "AMOUNT"}),
        ("altered", items, {"after": ("A" if by_amount[0] != "A" else "B") + by_amount[1:], "by": "AMOUNT"}),
        ("made up", items, {"after": base64.urlsafe_b64encode(b'{"o":"items","p":[1]}').decode(), "by": "AMOUNT"}),
        ("empty", items, {"after": "", "by": "AMOUNT"}),
        ("long", items, {"after": "A" * 50_000, "by": "AMOUNT"}),
        ("no text", items, {"after": "\x00\u202e", "by": "AMOUNT"}),
    ]:
        for who in ("auditor", "stelle"):
            nothing(f"cursor {what} ({who})", ask(who, document, variables), "BAD_USER_INPUT")
    # Somebody else's cursor, if it is taken at all, is a place in one's own list.
    said = ask("stelle", items, {"after": by_amount, "by": "AMOUNT"})
    keeps_silent("an auditor's cursor", said)
    edges = ((said.data or {}).get("sampleItems") or {}).get("edges", [])
    if any(edge["node"]["id"] != ids["own"] for edge in edges):
        fail("an auditor's cursor", said.text[:300])


def other_ids():
    roots = {
        "engagement": "engagement",
        "population": "population",
        "sample": "sample",
        "sampleItem": "own",
    }
    for field, right in roots.items():
        for name, identifier in ids.items():
            if name == right or (field == "sampleItem" and name in ("foreign", "hidden")):
                continue
            for who in ("auditor", "stelle"):
                nothing(f"{field} by the id of {name} ({who})", ask(who, "query($id: ID!) { x: " + field + "(id: $id) { id } }", {"id": identifier}))
    for what, identifier in [
        ("empty", ""),
        ("a path", "../../etc/passwd"),
        ("a query", "' OR 1=1 --"),
        ("a number", "1"),
        ("long", "A" * 100_000),
        ("a zero", "\x00"),
        ("the own one, cut", ids["own"][:-2]),
        ("the own one, doubled", ids["own"] * 2),
    ]:
        nothing(f"an id that is {what}", ask("stelle", "query($id: ID!) { node(id: $id) { id } sampleItem(id: $id) { id } }", {"id": identifier}))
    # Of what is hidden, nothing is different from what is not there.
    one = "query($id: ID!) { node(id: $id) { id __typename } sampleItem(id: $id) { id reference amount } }"
    for name in ("foreign", "hidden"):
        nothing(f"the {name} item", ask("stelle", one, {"id": ids[name]}))
    for name in ("population", "import"):
        nothing(f"the {name} as a node", ask("stelle", "query($id: ID!) { node(id: $id) { id __typename } }", {"id": ids[name]}))
    for name in ("own", "foreign", "hidden"):
        said = ask("stelle", "mutation($s: ID!, $i: [ID!]) { announceSampleItems(input: {sampleId: $s, itemIds: $i}) { announced { count } userErrors { code message } } }", {"s": ids["sample"], "i": [ids[name]]})
        nothing(f"announcing the {name} item", said, "FORBIDDEN")


def addresses():
    global tried
    sample, own = ids["sample"], request("stelle", "GET", f"/exports/sample-items.csv?sample={ids['sample']}")
    keeps_silent("the own download", own)
    if own.status != 200 or situation["visible"] not in own.text:
        fail("the own download", f"{own.status}: {own.text[:300]}")
    for who in ("nobody", "stelle", "budget"):
        for path in [
            f"/exports/sample-items.csv?sample={sample}&reference=GEHEIM",
            f"/exports/sample-items.csv?sample={sample}&announced=false",
            f"/exports/sample-items.csv?engagement={ids['engagement']}&bezirksstelle={ids['elsewhere']}",
            f"/exports/sample-items.csv?sample={sample}&state=OPEN",
            f"/exports/sample-items.csv?sample={sample}&result=ERROR",
            f"/exports/sample-items.csv?sample={sample}&order=DRAW_ORDER",
            f"/exports/sample-items.csv?sample={ids['population']}",
            "/exports/sample-items.csv?sample=../../etc/passwd",
            "/exports/sample-items.csv%00",
            "/exports/",
            "/exports/populations.csv",
            f"/exports/{sample}.csv",
            f"/imports/{ids['import']}",
            "/imports/",
            "/uploads/zahlungen.csv",
            "/data/pruefpfad.sqlite",
            "/pruefpfad.toml",
            "/explorer/../../Cargo.toml",
            "/explorer/..%2f..%2f..%2fCargo.toml",
            "/explorer/%2e%2e/%2e%2e/%2e%2e/Cargo.toml",
            "/explorer/....//....//Cargo.toml",
            "/log/tile/../../../../etc/passwd",
            "/log/tile/0/..%2f..%2f000",
            "/.env",
            "/.git/config",
        ]:
            tried += 1
            said = request(who, "GET", path)
            what = f"GET {path} ({who})"
            keeps_silent(what, said)
            if "[workspace]" in said.text or "root:" in said.text:
                fail(what, f"reads files: {said.text[:200]}")
            lists = path.startswith("/exports/sample-items.csv?")
            # An address that makes no sense is told so before anything is looked at.
            senseless = said.status == 422 and "INVALID_VALUE" in said.text
            if who != "stelle" and lists and said.status not in (401, 403) and not senseless:
                fail(what, f"{said.status}: {said.text[:200]}")
    for path in (f"/imports/{ids['import']}", f"/imports/{ids['waiting']}"):
        for who in ("nobody", "stelle", "budget"):
            tried += 1
            said = request(who, "PUT", path, b"a;b\n")
            keeps_silent(f"PUT {path} ({who})", said)
            if said.status not in (401, 403):
                fail(f"PUT {path} ({who})", f"{said.status}: {said.text[:200]}")


def keys():
    """An idempotency key is its caller's: whoever repeats another's request gets nothing of the other's."""
    global tried
    document = "mutation($input: OpenEngagementInput!) { openEngagement(input: $input) { engagement { id number title } userErrors { code message } } }"
    given = {
        "title": "Prüfung mit Schlüssel", "function": "INNENREVISION", "objective": "Rechtmäßigkeit",
        "legalBasis": "§ 6b (4) SGB II", "periodFrom": "2025-01-01", "periodTo": "2025-12-31", "idempotencyKey": "wiederholt",
    }
    first = ask("auditor", document, {"input": given})
    again = ask("auditor", document, {"input": given})
    other = ask("second", document, {"input": given})
    tried += 3
    opened = [said.data["openEngagement"]["engagement"]["id"] for said in (first, again, other)]
    if opened[0] != opened[1]:
        fail("a repeated request", f"made two: {opened}")
    if opened[0] == opened[2]:
        fail("a replayed key", "was answered with what the other had made")
    changed = ask("second", document, {"input": {**given, "title": "Eine andere"}})
    codes = [error["code"] for error in changed.data["openEngagement"]["userErrors"]]
    if codes != ["IDEMPOTENCY_KEY_REUSED"] or changed.data["openEngagement"]["engagement"] is not None:
        fail("a key with another input", changed.text[:300])
    for who, code in (("stelle", "FORBIDDEN"), ("budget", "FORBIDDEN"), ("nobody", "UNAUTHENTICATED")):
        said = ask(who, document, {"input": given})
        nothing(f"a replayed key ({who})", said, code)
        if opened[0] in said.text:
            fail(f"a replayed key ({who})", f"tells the id: {said.text[:300]}")


# --- subscriptions -----------------------------------------------------------------------------------------------


class Talk(tokens.Socket):
    """A socket opened with a token in connection_init."""

    def __init__(self, token):
        super().__init__(address)
        self.connection, self.stream, answer = self.handshake([])
        self.send(self.connection, {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        if answer.status != 101 or self.receive(self.stream) != {"type": "connection_ack"}:
            raise AssertionError("no socket")

    def says(self, message):
        self.send(self.connection, message)

    def hears(self):
        return self.receive(self.stream)


def sockets():
    """A subscription ends with its token, whatever is said meanwhile."""
    global tried
    forge = tokens.Forge(situation["key_file"])
    now = int(time.time())
    watch = {"query": "subscription($id: ID!) { importProgress(id: $id) { state } }", "variables": {"id": ids["waiting"]}}
    brief = forge.sign(claims=forge.claims(iat=now, exp=now + 3, groups=["INNENREVISION"]))
    talk = Talk(brief)
    talk.says({"type": "subscribe", "id": "1", "payload": watch})
    heard = talk.hears()
    tried += 3
    if heard.get("type") != "next" or "errors" in heard["payload"]:
        fail("a subscription", f"does not begin: {heard}")
    begun = time.monotonic()
    while not isinstance(heard, tuple):
        heard = talk.hears()
    lasted = time.monotonic() - begun
    if heard != (4403, "UNAUTHENTICATED: TOKEN_EXPIRED") or lasted > 6:
        fail("a subscription that outlives its token", f"{heard} after {lasted:.1f} s")
    # A second token on the same socket does not prolong it: the protocol has one connection_init.
    talk = Talk(forge.sign(claims=forge.claims(exp=int(time.time()) + 3)))
    talk.says({"type": "connection_init", "payload": {"authorization": f"Bearer {situation['tokens']['auditor']}"}})
    heard = talk.hears()
    if not isinstance(heard, tuple) or heard[0] != 4429:
        fail("a second token on a socket", f"{heard}")
    # What may not be asked by HTTP may not be asked here.
    talk = Talk(situation["tokens"]["stelle"])
    for name, payload in [
        ("another's import", watch),
        ("a forbidden field", {"query": "query($id: ID!) { sampleItem(id: $id) { ticket } }", "variables": {"id": ids["own"]}}),
        ("a cycle", {"query": "{ ...A } fragment A on Query { ...A }"}),
    ]:
        tried += 1
        talk.says({"type": "subscribe", "id": name, "payload": payload})
        heard = talk.hears()
        text = json.dumps(heard)
        if heard.get("type") != "error" or any(word in text for word in words):
            fail(f"{name} over a socket", text[:300])
    # Nobody is answered before connection_init.
    silent = tokens.Socket(address)
    connection, stream, _ = silent.handshake([])
    tried += 1
    silent.send(connection, {"type": "subscribe", "id": "1", "payload": watch})
    heard = silent.receive(stream)
    if not isinstance(heard, tuple) or heard[0] != 4401:
        fail("a subscription without connection_init", f"{heard}")


parts = (forbidden_fields, operations, cycles, floods, cursors, other_ids, addresses, keys, sockets)
for part in parts:
    before = tried
    try:
        part()
    except Exception as problem:
        fail(part.__name__, repr(problem))
    if tried == before:
        fail(part.__name__, "tried nothing")

print(json.dumps({"tried": tried, "failures": failures}, indent=1, ensure_ascii=False))
sys.exit(1 if failures else 0)
