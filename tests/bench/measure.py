"""The measurements of tests/bench/run; nothing beyond Python's standard library.

Each thing and what it is compared with run in turns within one run, and the table prints medians and their ratios.
A missed goal is marked; what cannot be measured, or answers other rows than the others, ends the run.
"""

import argparse
import base64
import contextlib
import csv
import datetime
import decimal
import http.client
import json
import math
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
SAMPLE = "019a0000-0005-7000-8000-000000000002"
POPULATION = "019a0000-0001-7000-8000-000000000001"
ENGAGEMENT = "P-2026-001"
STATE = "CHECKED"
CASE_KEY = "5a" * 32
CONNECTIONS = 8
NO_UUID = "00000000-0000-0000-0000-000000000000"


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


class Table:
    """Rows of the result, printed at the end."""

    def __init__(self):
        self.rows = [("what", "measured", "compared with", "ratio", "goal", "")]

    def add(self, what, measured, compared="", ratio=None, goal=None, met=None):
        mark = "" if met is None else ("ok" if met else "MISSED")
        self.rows.append((what, measured, compared, "" if ratio is None else f"{ratio:.2f}", goal or "", mark))

    def rule(self, title):
        self.rows.append((title,))

    def print(self):
        full = [row for row in self.rows if len(row) > 1]
        widths = [max(len(row[column]) for row in full) for column in range(6)]
        for row in self.rows:
            if len(row) == 1:
                print(f"\n{row[0]}")
            else:
                print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.server = arguments.postgres.rstrip("/")
        self.work = pathlib.Path(arguments.work)
        self.table = Table()
        self.processes = []

    # --- databases ---

    def url(self, database):
        return f"{self.server}/{database}"

    def psql(self, database, *arguments, **options):
        command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", self.url(database), *arguments]
        return subprocess.run(command, check=True, **options)

    def value(self, database, sql):
        answer = self.psql(database, "-A", "-t", "-c", sql, stdout=subprocess.PIPE, text=True)
        return answer.stdout.strip()

    def drop(self, database):
        self.psql("postgres", "-c", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)", stderr=subprocess.DEVNULL)

    def create(self, database, template="bench_empty"):
        self.drop(database)
        self.psql("postgres", "-c", f"CREATE DATABASE {database} TEMPLATE {template}")

    def prepare(self):
        self.drop("bench_empty")
        self.psql("postgres", "-c", "CREATE DATABASE bench_empty")
        command = [self.arguments.handler, "prepare", "--database", self.url("bench_empty"), "--case-key", CASE_KEY]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        # The number carries the year of the run.
        self.engagement = self.value("bench_empty", "SELECT number FROM engagement")

    def fill(self, items, samples=4, size=5_000, checked=6):
        """A population and so many samples of it, of whose items so many in ten are checked."""
        shape = (samples, size, checked)
        if getattr(self, "shape", None) == shape and self.filled >= items:
            return
        say(f"filling {items:,} population items and {samples * size:,} sample items")
        self.create("bench_data")
        self.shape = shape
        variables = ["-v", f"items={items}", "-v", f"samples={samples}", "-v", f"size={size}", "-v", f"checked={checked}"]
        self.psql("bench_data", *variables, "-1", "-f", str(HERE / "data.sql"), stdout=subprocess.DEVNULL)
        self.psql("bench_data", "-c", "VACUUM (ANALYZE)")
        self.filled = items

    @contextlib.contextmanager
    def durable(self):
        """The server waits for the disk at every commit."""
        self.psql("postgres", "-c", "ALTER SYSTEM SET fsync = on", "-c", "SELECT pg_reload_conf()", stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            self.psql("postgres", "-c", "ALTER SYSTEM RESET fsync", "-c", "SELECT pg_reload_conf()", stdout=subprocess.DEVNULL)

    # --- processes ---

    def environment(self, database):
        return {
            **os.environ,
            "PRUEFPFAD__DATABASE__URL": self.url(database),
            "PRUEFPFAD__DATABASE__MAX_CONNECTIONS": str(CONNECTIONS),
            "PRUEFPFAD__AUTH__DEVELOPMENT_KEY": "true",
            "PRUEFPFAD__AUTH__DEVELOPMENT_KEY_FILE": str(self.work / "development-key.pem"),
            "PRUEFPFAD__SECRETS__CASE_KEY": CASE_KEY,
            "PRUEFPFAD__RATE__PER_MINUTE": "0",
            "PRUEFPFAD__LIMITS__TIMEOUT_MS": "120000",
        }

    def start(self, name, command, port, environment=None):
        log = open(self.work / f"{name}.log", "wb")
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.processes.append(process)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return process
            time.sleep(0.05)
        sys.exit(f"{name} does not start:\n{(self.work / f'{name}.log').read_text()[-4000:]}")

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    def stop_all(self):
        for process in list(self.processes):
            self.stop(process)

    def token(self, role="INNENREVISION_LEITUNG"):
        command = [self.arguments.service, "token", "--role", role, "--subject", "bench"]
        answer = subprocess.run(command, env=self.environment("bench_empty"), check=True, stdout=subprocess.PIPE, text=True)
        return answer.stdout.strip()

    def public_key(self):
        path = self.work / "development-key.pub"
        command = ["openssl", "pkey", "-in", str(self.work / "development-key.pem"), "-pubout", "-out", str(path)]
        subprocess.run(command, check=True)
        return path

    def serve(self, database):
        port = free_port()
        command = [self.arguments.service, "--listen", f"127.0.0.1:{port}", "serve"]
        return self.start("service", command, port, self.environment(database)), port

    def serve_unrecorded(self, database):
        port = free_port()
        environment = {**self.environment(database), "PRUEFPFAD__SERVER__LISTEN": f"127.0.0.1:{port}"}
        return self.start("unrecorded", [self.arguments.unrecorded], port, environment), port

    def serve_handler(self, driver, database, remember=True):
        port = free_port()
        command = [
            self.arguments.handler, "serve", "--driver", driver, "--database", self.url(database), "--listen",
            f"127.0.0.1:{port}", "--connections", str(CONNECTIONS), "--key", str(self.work / "development-key.pub"),
            *(["--remember-tokens"] if remember else []),
        ]  # fmt: skip
        return self.start(f"handler-{driver}", command, port), port

    def serve_postgraphile(self, database):
        port = free_port()
        environment = {
            **os.environ,
            "NODE_ENV": "production",
            "GRAPHILE_ENV": "production",
            "DATABASE_URL": self.url(database),
            "CONNECTIONS": str(CONNECTIONS),
            "PORT": str(port),
        }
        command = [self.arguments.node, str(HERE / "postgraphile/server.mjs")]
        return self.start("postgraphile", command, port, environment), port


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        sys.exit(f"{method} {path} answered {answer.status}: {text[:2000].decode(errors='replace')}")
    return json.loads(text)


def graphql(port, document, variables, token=None):
    headers = {"content-type": "application/json", "accept": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    answer = ask(port, "POST", "/graphql", json.dumps({"query": document, "variables": variables}), headers)
    if answer.get("errors"):
        sys.exit(f"the service refused: {json.dumps(answer['errors'], ensure_ascii=False)[:2000]}")
    return answer["data"]


def mutate(port, document, variables, token):
    """The one payload of a mutation; a refusal ends the run."""
    (payload,) = graphql(port, document, variables, token).values()
    if payload.get("userErrors"):
        sys.exit(f"the service refused: {json.dumps(payload['userErrors'], ensure_ascii=False)[:2000]}")
    return payload


# --- one page -------------------------------------------------------------------------------------------------------


class Target:
    """One way to get the page: how it is asked, and how its answer reads."""

    def __init__(self, name, port, token):
        self.name = name
        self.port = port
        self.token = token
        self.method, self.path, self.body = "GET", "/", None
        self.results = []

    def headers(self):
        headers = {"accept": "application/json"}
        if self.body is not None:
            headers["content-type"] = "application/json"
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        return headers

    def answer(self):
        return ask(self.port, self.method, self.path, self.body, self.headers())

    def wrk(self, work, seconds):
        """One run of wrk: requests a second, median and 99th percentile of the latency in milliseconds."""
        script = work / "request.lua"
        lines = [f'wrk.method = "{self.method}"', f'wrk.path = "{self.path}"']
        lines += [f'wrk.headers["{name}"] = "{value}"' for name, value in self.headers().items()]
        if self.body is not None:
            lines.append(f"wrk.body = [=[{self.body}]=]")
        script.write_text("\n".join(lines) + "\n")
        command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "--latency", "-s", str(script), f"http://127.0.0.1:{self.port}"]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        if "Non-2xx" in text or "Socket errors" in text:
            sys.exit(f"{self.name}: not every request was answered:\n{text}")
        latency = {name: milliseconds(value) for name, value in re.findall(r"^\s+(50|99)%\s+(\S+)$", text, re.M)}
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
        return rate, latency["50"], latency["99"]


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


class Handler(Target):
    def __init__(self, name, port, token):
        super().__init__(name, port, token)
        self.turn(0, NO_UUID)
        last = self.answer()["items"][-1]
        self.turn(last["drawOrder"], last["id"])

    def turn(self, order, row):
        query = {"sample": SAMPLE, "state": STATE, "first": 50, "after_order": order, "after_id": row}
        self.path = "/items?" + urllib.parse.urlencode(query)

    def rows(self):
        answer = self.answer()
        return [
            row(item, item["amountCents"], item["bezirksstelle"], item["checks"]) for item in answer["items"]
        ], answer["hasNextPage"]


class GraphQL(Target):
    def __init__(self, name, port, token, document, variables, root):
        super().__init__(name, port, token)
        self.method, self.path, self.root = "POST", "/graphql", root
        self.document, self.variables = (HERE / document).read_text(), variables
        self.turn(None)
        self.turn(self.page()["pageInfo"]["endCursor"])

    def turn(self, after):
        self.body = json.dumps({"query": self.document, "variables": {**self.variables, "after": after}})

    def page(self):
        answer = self.answer()
        if answer.get("errors"):
            sys.exit(f"{self.name} refused the page: {json.dumps(answer['errors'], ensure_ascii=False)[:2000]}")
        return answer["data"][self.root]


class Service(GraphQL):
    def rows(self):
        page = self.page()
        nodes = [edge["node"] for edge in page["edges"]]
        return [
            row(node, int(decimal.Decimal(node["amount"]) * 100), node["bezirksstelle"]["name"], node["checks"])
            for node in nodes
        ], page["pageInfo"]["hasNextPage"]


class Refused(Target):
    """The page, asked for without a token."""

    def __init__(self, name, port):
        super().__init__(name, port, None)
        self.method, self.path = "POST", "/graphql"
        variables = {"sample": global_id("Sample", SAMPLE), "state": STATE, "after": None}
        self.body = json.dumps({"query": (HERE / "page.graphql").read_text(), "variables": variables})
        answer = self.answer()
        codes = {error["extensions"]["code"] for error in answer["errors"]}
        if answer.get("data") or not codes <= {"FORBIDDEN", "UNAUTHENTICATED"}:
            sys.exit(f"the page was not refused: {json.dumps(answer, ensure_ascii=False)[:2000]}")


class PostGraphile(GraphQL):
    def rows(self):
        page = self.page()
        nodes = [edge["node"] for edge in page["edges"]]
        return [
            row(
                node, node["amountCents"], node["bezirksstelleByBezirksstelleId"]["name"],
                node["itemChecksBySampleItemId"]["nodes"],
            )
            for node in nodes
        ], page["pageInfo"]["hasNextPage"]  # fmt: skip


def row(node, cents, office, checks):
    """An item as everybody has to answer it; ids are spelled differently and left out."""
    return (
        int(node["drawOrder"]), int(node["hits"]), node["reference"], int(cents), node["state"], node["result"],
        int(node["version"]), office,
        sorted(
            (check["tester"], int(check["version"]), check["errorClass"], check["remark"], moment(check["at"]))
            for check in checks
        ),
    )  # fmt: skip


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def compare(targets):
    expected, others = targets[0], targets[1:]
    rows, more = expected.rows()
    if len(rows) != 50 or not more or not any(checks for *_, checks in rows):
        sys.exit(f"{expected.name} does not answer a full page with checks")
    for target in others:
        found = target.rows()
        if found != (rows, more):
            different = next((pair for pair in zip(rows, found[0], strict=False) if pair[0] != pair[1]), "number of rows")
            sys.exit(f"{target.name} answers other rows than {expected.name}: {different}")
    say(f"all {len(targets)} answer the same {len(rows)} rows with {sum(len(checks) for *_, checks in rows)} checks")


def processor_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_page(bench):
    bench.fill(20_000)
    token, _ = bench.token(), bench.public_key()
    wanted = bench.arguments.targets.split(",")
    targets, processes = [], {}

    def add(name, key, started, make):
        if key in wanted:
            process, port = started()
            target = make(name, port)
            targets.append(target)
            processes[target] = process
            target.key = key

    add("sqlx handler (a)", "sqlx", lambda: bench.serve_handler("sqlx", "bench_data"),
        lambda name, port: Handler(name, port, token))  # fmt: skip
    add("sqlx handler, each token verified", "sqlx-verify",
        lambda: bench.serve_handler("sqlx", "bench_data", remember=False),
        lambda name, port: Handler(name, port, token))  # fmt: skip
    add("tokio-postgres handler (c)", "tokio-postgres", lambda: bench.serve_handler("tokio-postgres", "bench_data"),
        lambda name, port: Handler(name, port, token))  # fmt: skip
    add("PostGraphile (b)", "postgraphile", lambda: bench.serve_postgraphile("bench_data"),
        lambda name, port: PostGraphile(name, port, None, "page.postgraphile.graphql",
                                        {"sample": SAMPLE, "state": STATE}, "allSampleItems"))  # fmt: skip
    add("service", "service", lambda: bench.serve("bench_data"),
        lambda name, port: Service(name, port, token, "page.graphql",
                                   {"sample": global_id("Sample", SAMPLE), "state": STATE}, "sampleItems"))  # fmt: skip
    add("service, read records kept nowhere", "unrecorded", lambda: bench.serve_unrecorded("bench_data"),
        lambda name, port: Service(name, port, token, "page.graphql",
                                   {"sample": global_id("Sample", SAMPLE), "state": STATE}, "sampleItems"))  # fmt: skip
    compare(targets)
    medians = in_turns(bench, "page", targets, processes)
    durable = {}
    recording = [target for target in targets if target.key in ("service", "unrecorded")]
    if len(recording) == 2:
        with bench.durable():
            durable = in_turns(bench, "page, every commit on the disk", recording, processes)
    bench.stop_all()
    written = bench.value("bench_data", "SELECT count(*) FROM read_record")
    size = "SELECT pg_total_relation_size('read_record') / greatest(count(*), 1) FROM read_record"
    size = bench.value("bench_data", size)
    bench.table.rule("Page of 50 sample items with Bezirksstelle and checks, 16 connections")
    service = medians.get("service")
    goals = {"sqlx": 0.6, "postgraphile": 3.0, "unrecorded": 0.8}
    for target in targets:
        rate, median, late, spent = medians[target.key]
        measured = f"{rate:,.0f}/s, {median:.1f} ms, p99 {late:.1f} ms, {spent:.0f} us CPU"
        if target.key == "service" or service is None:
            bench.table.add(target.name, measured)
            continue
        ratio, goal = service[0] / rate, goals.get(target.key)
        bench.table.add(target.name, measured, "service is x times this", ratio, goal and f">= {goal}",
                        goal and ratio >= goal)  # fmt: skip
    if service is not None:
        bench.table.add("read records", f"{int(written):,} written, {size} bytes each with indexes")
    if "unrecorded" in medians and "postgraphile" in medians:
        ratio = medians["unrecorded"][0] / medians["postgraphile"][0]
        bench.table.add("service, read records kept nowhere", f"{medians['unrecorded'][0]:,.0f}/s", "PostGraphile (b), which keeps none",
                        ratio, ">= 3.0", ratio >= 3.0)  # fmt: skip
    if durable:
        (recorded, *_), (unrecorded, *_) = durable["service"], durable["unrecorded"]
        bench.table.add("service, every commit on the disk (fsync = on)", f"{recorded:,.0f}/s",
                        f"read records kept nowhere, {unrecorded:,.0f}/s", recorded / unrecorded, ">= 0.8",
                        recorded / unrecorded >= 0.8)  # fmt: skip


def in_turns(bench, what, targets, processes):
    """Medians of requests a second, latencies in milliseconds and microseconds of CPU a request, by target."""
    for target in targets:
        target.results.clear()
        target.wrk(bench.work, 2)
    for turn in range(bench.arguments.turns):
        say(f"{what}, turn {turn + 1} of {bench.arguments.turns}")
        for target in targets:
            before = processor_seconds(processes[target])
            rate, median, late = target.wrk(bench.work, bench.arguments.seconds)
            spent = processor_seconds(processes[target]) - before
            target.results.append((rate, median, late, spent / (rate * bench.arguments.seconds) * 1e6))
    return {t.key: [statistics.median(column) for column in zip(*t.results, strict=True)] for t in targets}


# --- classes --------------------------------------------------------------------------------------------------------


def measure_classes(bench):
    """The page is refused to who may not see its classes: the same work whatever the tables hold."""
    bench.fill(20_000)
    bench.create("bench_none")
    targets, processes = [], {}
    for name, database in (("20,000 sample items", "bench_data"), ("no sample item", "bench_none")):
        process, port = bench.serve(database)
        target = Refused(name, port)
        target.key = name
        targets.append(target)
        processes[target] = process
    medians = in_turns(bench, "classes", targets, processes)
    bench.stop_all()
    bench.table.rule("The same page, refused to the anonymous by its classes, 16 connections")
    (many, *_), (none, *_) = (medians[target.key] for target in targets)
    bench.table.add(targets[0].name, f"{many:,.0f}/s", f"{targets[1].name}, {none:,.0f}/s", many / none, "0.9 to 1.1",
                    0.9 <= many / none <= 1.1)  # fmt: skip


def global_id(kind, uuid):
    """The opaque id of a row as the service spells it; checked by the comparison of the rows."""
    return base64.urlsafe_b64encode(f"{kind}:{uuid}".encode()).decode().rstrip("=")


# --- import ---------------------------------------------------------------------------------------------------------

COLUMNS = (
    "document", "case_number", "office", "benefit", "month", "decided", "amount", "bund", "kommune", "product", "kind",
    "authority", "own_staff",
)  # fmt: skip


def write_extract(path, lines):
    """Payments of a year, deterministic: 80,000 cases that come again every month."""
    benefits = ("Regelbedarf", "Kosten der Unterkunft", "Mehrbedarf", "Einmalige Leistung")
    products = ("312300.5461", "312100.5461", "312200.5461")
    with open(path, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        for n in range(1, lines + 1):
            noise = n * 2654435761 % 4294967296
            cents = noise % 250000 + 500
            if noise % 97 == 0:
                cents = -cents
            kommune = cents // 3
            month = n * 12 // (lines + 1) + 1
            writer.writerow((
                f"Z2025-{n:07}", f"BG{n % 80000:07}", f"{noise % 10 + 1:02}", benefits[noise // 16 % 4],
                f"2025-{month:02}-01", f"2025-{month:02}-{noise // 64 % 28 + 1:02}", euro(cents), euro(cents - kommune),
                euro(kommune), products[noise // 8 % 3], "Auszahlung" if cents > 0 else "Storno",
                "Sachbearbeitung" if cents < 200000 else "Teamleitung", "true" if noise % 499 == 0 else "false",
            ))  # fmt: skip


def euro(cents):
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


class Reader(threading.Thread):
    """Somebody who reads while others write: one small request after the other, on a connection of their own."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.ended = threading.Event()
        self.latencies = []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        while not self.ended.is_set():
            start = time.perf_counter()
            connection.request("GET", "/progress")
            answer = connection.getresponse()
            answer.read()
            self.latencies.append((time.perf_counter() - start) * 1000)
            if answer.status != 200:
                sys.exit("the reader was refused")
            time.sleep(0.002)

    def finish(self):
        self.ended.set()
        self.join()
        return self.latencies


def latency(values):
    values = sorted(values)
    return values[len(values) // 2], values[int(len(values) * 0.99)], values[-1]


def peak_memory(process):
    """The highest resident memory of a running process in MiB so far; None once it has ended."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{process.pid}/status").read_text())
        return found and int(found[1]) / 1024
    return None


def import_once(bench, path):
    bench.create("bench_import")
    _, port = bench.serve_handler("sqlx", "bench_import")
    reader = Reader(port)
    reader.start()
    time.sleep(1.5)
    idle, reader.latencies = reader.latencies, []
    log = open(bench.work / "import.log", "wb")
    start = time.perf_counter()
    process = subprocess.Popen(
        [
            bench.arguments.service, "import", "--engagement", bench.engagement, "--population", "Zahlungen 2025",
            "--unit", "PAYMENT", "--mapping", str(HERE / "mapping.json"), str(path),
        ],
        env=bench.environment("bench_import"), stdout=log, stderr=log,
    )  # fmt: skip
    peak = 0
    while process.poll() is None:
        peak = peak_memory(process) or peak
        time.sleep(0.02)
    seconds = time.perf_counter() - start
    busy = reader.finish()
    if process.returncode != 0:
        sys.exit(f"the import failed:\n{(bench.work / 'import.log').read_text()[-4000:]}")
    count = bench.value("bench_import", "SELECT count(*) FROM population_item")
    if int(count) != bench.arguments.lines or bench.value("bench_import", "SELECT item_count FROM population") != count:
        sys.exit(f"the import left {count} lines")
    bench.stop_all()
    bench.drop("bench_import")
    return seconds, peak, latency(idle), latency(busy)


def copy_once(bench, path):
    bench.create("bench_copy")
    bench.psql("bench_copy", "-f", str(HERE / "copy.sql"))
    start = time.perf_counter()
    bench.psql("bench_copy", "-c", f"\\copy extract ({', '.join(COLUMNS)}) FROM '{path}' WITH (FORMAT csv, HEADER true)")
    seconds = time.perf_counter() - start
    bench.drop("bench_copy")
    return seconds


def measure_import(bench):
    path = bench.work / "extract.csv"
    bench.token(), bench.public_key()
    say(f"writing {bench.arguments.lines:,} lines")
    write_extract(path, bench.arguments.lines)
    imports, copies = [], []
    for turn in range(bench.arguments.turns):
        say(f"import, turn {turn + 1} of {bench.arguments.turns}")
        copies.append(copy_once(bench, path))
        imports.append(import_once(bench, path))
    seconds = statistics.median(seconds for seconds, *_ in imports)
    copied = statistics.median(copies)
    peak = max(peak for _, peak, *_ in imports)
    lines = bench.arguments.lines
    bench.table.rule(f"Import of {lines:,} lines ({path.stat().st_size / 1e6:,.0f} MB)")
    bench.table.add("pruefpfad import", f"{seconds:.1f} s, {lines / seconds:,.0f} lines/s", f"\\copy {copied:.1f} s",
                    copied / seconds, ">= 0.5", copied / seconds >= 0.5)  # fmt: skip
    bench.table.add("peak memory", f"{peak:.0f} MiB", goal="< 200 MiB", met=peak < 200)
    idle = [statistics.median(values) for values in zip(*(idle for _, _, idle, _ in imports), strict=True)]
    busy = [statistics.median(values) for values in zip(*(busy for *_, busy in imports), strict=True)]
    bench.table.add("reader meanwhile", "median {:.1f}, p99 {:.1f}, max {:.1f} ms".format(*busy),
                    "idle {:.1f}, {:.1f}, {:.1f} ms".format(*idle))  # fmt: skip
    path.unlink()


# --- draw -----------------------------------------------------------------------------------------------------------


def measure_draw(bench):
    bench.fill(bench.arguments.lines)
    token = bench.token()
    process, port = bench.serve("bench_data")
    plan, draw = (HERE / "plan.graphql").read_text(), (HERE / "draw.graphql").read_text()
    methods = (
        "SIMPLE_RANDOM", "STRATIFIED_BY_BEZIRKSSTELLE", "MONETARY_UNIT_FIXED_INTERVAL", "MONETARY_UNIT_CELL",
        "RECORD_INTERVAL", "SIMPLE_RANDOM_CLUSTERS", "MONETARY_UNIT_RANDOMISED_INTERVAL",
    )  # fmt: skip
    results = {method: [] for method in methods}
    copies, count = [], 0
    for turn in range(bench.arguments.turns):
        say(f"draw, turn {turn + 1} of {bench.arguments.turns}")
        copies.append(read_once(bench))
        for method in methods:
            count += 1
            variables = {
                "population": global_id("Population", POPULATION), "name": f"Ziehung {count}", "method": method,
                "size": 500, "reason": "Benchmark", "key": f"bench-{count}",
            }  # fmt: skip
            planned = mutate(port, plan, variables, token)["sample"]
            pathlib.Path(f"/proc/{process.pid}/clear_refs").write_text("5")
            before = peak_memory(process)
            variables = {"sample": planned["id"], "version": planned["version"], "seed": f"Benchmark {count}"}
            start = time.perf_counter()
            mutate(port, draw, variables, token)
            seconds = time.perf_counter() - start
            results[method].append((seconds, before, peak_memory(process)))
    bench.stop_all()
    copied = statistics.median(copies)
    bench.table.rule(f"Draw of 500 from {bench.arguments.lines:,} frozen items")
    for method in methods:
        seconds, before, peak = (statistics.median(values) for values in zip(*results[method], strict=True))
        # Random order sorts on disk, and cases are grouped first: both are told, and held to nothing.
        goal = method not in ("MONETARY_UNIT_RANDOMISED_INTERVAL", "SIMPLE_RANDOM_CLUSTERS")
        bench.table.add(method, f"{seconds:.2f} s, {peak:.0f} MiB (before {before:.0f})", f"COPY TO STDOUT {copied:.2f} s",
                        copied / seconds, ">= 0.5" if goal else None, copied / seconds >= 0.5 if goal else None)  # fmt: skip


def read_once(bench):
    sql = f"COPY (SELECT id, amount_cents FROM population_item WHERE population_id = '{POPULATION}') TO STDOUT"
    start = time.perf_counter()
    bench.psql("bench_data", "-c", sql, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


# --- sampling -------------------------------------------------------------------------------------------------------

LAWS = ("BINOMIAL", "POISSON", "HYPERGEOMETRIC")
# Tolerable and expected rates of single plans, from easy to far.
RATES = (("0.05", "0.02"), ("0.05", "0.0004"), ("0.2", "0.1"), ("0.050", "0.049"), ("0.01", "0"))


def single_plans():
    """Requests for one size or limit each, by name."""
    for law in LAWS:
        for tolerable, expected in RATES:
            yield f"attributeSize {law} {tolerable} {expected}", "attributeSize", {
                "distribution": law, "population": 1_000_000, "confidence": "0.95", "tolerable": tolerable,
                "expectedRate": expected, "finiteCorrection": "NONE",
            }  # fmt: skip
        for size, deviations in ((60, 0), (2_000, 37), (100_000, 812)):
            yield f"rateLimits {law} {size}", "rateLimits", {
                "size": size, "deviations": deviations, "population": 1_000_000, "confidence": "0.95",
                "sides": "TWO_SIDED", "distribution": law,
            }  # fmt: skip
        yield f"discovery {law}", "discovery", {
            "distribution": law, "population": 1_000_000, "confidence": "0.95", "criticalRate": "0.001",
        }  # fmt: skip
    for method in ("GAMMA", "CONFIDENCE_FACTOR", "HYPERGEOMETRIC_INTERPOLATED", "BINOMIAL_INTERPOLATED", "POISSON_INTERPOLATED"):
        for expected in (0, 2_000_000_000, 7_000_000_000):
            yield f"monetarySize {method} {expected}", "monetarySize", {
                "method": method, "unit": "CENT", "bookValue": 500_000_000_000, "confidence": "0.95",
                "tolerable": 10_000_000_000, "expected": expected,
            }  # fmt: skip


class Calculator:
    """`pruefpfad calculate`: a line of JSON in, a line out."""

    def __init__(self, bench):
        self.process = subprocess.Popen(
            [bench.arguments.service, "calculate"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def seconds(self, name, figures, times):
        """The median time of an answer, from the line sent to the line read."""
        line = json.dumps({"calculator": name, "input": figures}) + "\n"
        spent = []
        for _ in range(times):
            start = time.perf_counter()
            self.process.stdin.write(line)
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
            spent.append(time.perf_counter() - start)
        answer = json.loads(answer)
        if "result" not in answer:
            sys.exit(f"{name} refused: {json.dumps(answer, ensure_ascii=False)[:2000]}")
        return statistics.median(spent), answer["result"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def reference_size(confidence, tolerable, expected):
    """The first size at which the binomial law accepts: the loop that packages in Python and R have, with floats."""
    risk = 1 - confidence
    for size in range(1, 20_000):
        deviations = math.ceil(expected * size)
        log_keep, log_lose = math.log(tolerable), math.log1p(-tolerable)
        tail = sum(
            math.exp(math.lgamma(size + 1) - math.lgamma(k + 1) - math.lgamma(size - k + 1) + k * log_keep + (size - k) * log_lose)
            for k in range(deviations + 1)
        )
        if tail <= risk:
            return size
    return None


def measure_sampling(bench):
    calculator = Calculator(bench)
    say("single plans and limits")
    slowest = max((calculator.seconds(name, figures, 21)[0], label) for label, name, figures in single_plans())
    rates = [f"{number / 100:.2f}" for number in range(1, 21)]
    expected = [f"{number / 200:.3f}" for number in range(20)]
    pages = []
    for law in (*LAWS, "HYPERGEOMETRIC_IDEA"):
        figures = {"distribution": law, "population": 20_000, "confidence": "0.95", "tolerable": rates, "expected": expected}
        pages.append((calculator.seconds("attributeSizeGrid", figures, 5)[0], law))
    say("Python's loop beside it")
    plans = [("0.05", "0.02"), ("0.05", "0.03"), ("0.08", "0.05"), ("0.1", "0.06"), ("0.02", "0.005")]
    ours, theirs = 0, 0
    for tolerable, rate in plans:
        figures = {
            "distribution": "BINOMIAL", "confidence": "0.95", "tolerable": tolerable, "expectedRate": rate,
            "finiteCorrection": "NONE",
        }  # fmt: skip
        seconds, result = calculator.seconds("attributeSize", figures, 21)
        start = time.perf_counter()
        size = reference_size(0.95, float(tolerable), float(rate))
        theirs += time.perf_counter() - start
        ours += seconds
        if size != result["size"]:
            sys.exit(f"sizes differ for {tolerable} and {rate}: {result['size']} and {size}")
    calculator.close()
    bench.table.rule("Planning, by `pruefpfad calculate`: from a line sent to a line read")
    seconds, label = slowest
    bench.table.add("slowest single plan or limit", f"{seconds * 1e3:.2f} ms", label, goal="<= 1 ms", met=seconds <= 0.001)
    seconds, law = max(pages)
    bench.table.add("page of 20 by 20 sizes", f"{seconds * 1e3:.1f} ms", law, goal="<= 100 ms", met=seconds <= 0.1)
    bench.table.add(f"{len(plans)} binomial sizes", f"{ours * 1e3:.2f} ms", f"Python's loop {theirs * 1e3:.0f} ms", theirs / ours)
    measure_evaluation(bench)


def measure_evaluation(bench):
    bench.fill(200_000, samples=1, size=100_000, checked=10)
    token = bench.token()
    _, port = bench.serve("bench_data")
    sample = global_id("Sample", "019a0000-0005-7000-8000-000000000001")
    document = "query($id: ID!) { sample(id: $id) { evaluation { items units figures { ... on RateFigures { upperLimit } } } } }"
    read = """COPY (SELECT i.id, i.stratum_id, i.bezirksstelle_id, i.hits, i.amount_cents, i.state, c.id, c.tester, c.version,
        c.error_class, c.correct_bund_cents, c.correct_kommune_cents, c.correct_land_cents, c.correct_eu_cents
        FROM sample_item i JOIN item_check c ON c.sample_item_id = i.id WHERE i.sample_id = '019a0000-0005-7000-8000-000000000001'
        ORDER BY i.draw_order) TO STDOUT"""
    reads, evaluations = [], []
    for turn in range(bench.arguments.turns):
        say(f"evaluation, turn {turn + 1} of {bench.arguments.turns}")
        start = time.perf_counter()
        bench.psql("bench_data", "-c", read, stdout=subprocess.DEVNULL)
        reads.append(time.perf_counter() - start)
        start = time.perf_counter()
        found = graphql(port, document, {"id": sample}, token)["sample"]["evaluation"]
        evaluations.append(time.perf_counter() - start)
        if int(found["items"]) != 100_000:
            sys.exit(f"not all items were evaluated: {found}")
    bench.stop_all()
    evaluated, plain = statistics.median(evaluations), statistics.median(reads)
    bench.table.rule("Evaluation of a stored sample of 100,000 checked items")
    bench.table.add("evaluation", f"{evaluated:.2f} s", f"COPY of items and checks {plain:.2f} s", evaluated / plain, "<= 3",
                    evaluated <= 3 * plain)  # fmt: skip


# --------------------------------------------------------------------------------------------------------------------

PARTS = {"page": measure_page, "classes": measure_classes, "import": measure_import, "draw": measure_draw, "sampling": measure_sampling}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    for name in ("service", "handler", "unrecorded", "postgres", "work", "node"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--targets", default="sqlx,sqlx-verify,tokio-postgres,postgraphile,service,unrecorded")
    bench = Bench(parser.parse_args())
    try:
        bench.prepare()
        for part in bench.arguments.parts:
            PARTS[part](bench)
    finally:
        bench.stop_all()
        for database in ("bench_import", "bench_copy", "bench_data", "bench_none", "bench_empty"):
            bench.drop(database)
        bench.table.print()


main()
