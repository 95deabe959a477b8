"""Checks of the deployment files that need no container engine. Prints what is wrong; exit status 1 if anything is."""

import re
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
problems: list[str] = []


def expect(condition: object, problem: str) -> None:
    if not condition:
        problems.append(problem)


def containerfile() -> None:
    path = DEPLOY / "image" / "Containerfile"
    text = path.read_text(encoding="utf-8")
    instructions = [
        line.split(maxsplit=1)
        for line in re.sub(r"\\\n\s*", " ", text).splitlines()
        if line.strip() and not line.startswith("#")
    ]
    stages = [rest for word, rest in instructions if word == "FROM"]
    for stage in stages:
        image = stage.split()[0]
        expect(":" in image and not image.endswith(":latest"), f"{path.name}: {image} names no version")
    last = max(index for index, (word, _) in enumerate(instructions) if word == "FROM")
    final = instructions[last:]
    words = {word for word, _ in final}
    expect({"USER", "HEALTHCHECK", "ENTRYPOINT"} <= words, f"{path.name}: the image lacks USER, HEALTHCHECK or ENTRYPOINT")
    for word, rest in final:
        if word == "USER":
            expect(rest.split(":")[0] not in ("0", "root"), f"{path.name}: the image runs as root")
        expect(word != "RUN", f"{path.name}: the final stage has no shell to RUN anything")

    for word, rest in instructions:
        if word == "COPY" and "--from=" not in rest:
            for source in [part for part in rest.split() if not part.startswith("--")][:-1]:
                expect((ROOT / source).exists(), f"{path.name}: COPY of {source}, which does not exist")
        if word == "RUN":
            command = " ".join(part for part in rest.split() if not part.startswith("--mount="))
            expect(
                re.fullmatch(r"deploy/image/build \w+( /\w+)?|mkdir /state", command),
                f"{path.name}: `{command}` is not a step of deploy/image/build",
            )


def compose() -> None:
    path = DEPLOY / "compose.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, service in document["services"].items():
        where = f"{path.name}: {name}"
        expect(service.get("read_only") is True, f"{where}: the root is writable")
        expect(service.get("cap_drop") == ["ALL"], f"{where}: keeps capabilities")
        expect("no-new-privileges:true" in service.get("security_opt", []), f"{where}: may gain privileges")
        expect("healthcheck" in service, f"{where}: says nothing about its health")
        expect(re.search(r":\d", service["image"]), f"{where}: {service['image']} names no version")
        for secret in service.get("secrets", []):
            expect(secret in document["secrets"], f"{where}: unknown secret {secret}")
        for key, value in service.get("environment", {}).items():
            expect(
                "PASSWORD" not in key or key.endswith("_FILE"), f"{where}: {key} is a secret in the environment"
            )
            if str(value).startswith("/run/secrets/"):
                expect(value.rsplit("/", 1)[1] in service.get("secrets", []), f"{where}: {value} is not mounted")
        for network in service.get("networks", []):
            expect(network in document["networks"], f"{where}: unknown network {network}")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source in ("./pruefpfad.toml", "./keys"):
                # Put there by whoever runs this.
                continue
            if source.startswith("."):
                expect((DEPLOY / source).exists(), f"{where}: mounts {source}, which does not exist")
            else:
                expect(source in document["volumes"], f"{where}: unknown volume {source}")
        for port in service.get("ports", []):
            expect(port.startswith("127.0.0.1:"), f"{where}: port {port} is open to the network")
        for other in service.get("depends_on", {}):
            expect(other in document["services"], f"{where}: depends on {other}, which does not exist")


def collector() -> None:
    path = DEPLOY / "otel-collector.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, pipeline in document["service"]["pipelines"].items():
        for kind, parts in pipeline.items():
            for part in parts:
                expect(part in document.get(kind, {}), f"{path.name}: {name} uses {part}, missing under {kind}")
    for extension in document["service"]["extensions"]:
        expect(extension in document["extensions"], f"{path.name}: unknown extension {extension}")


def catalogue_entry() -> None:
    path = ROOT / "publiccode.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))

    def at(key: str) -> object:
        value: object = document
        for part in key.split("/"):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    for key in (
        "publiccodeYmlVersion name url platforms developmentStatus softwareType description "
        "legal/license maintenance/type localisation/localisationReady localisation/availableLanguages"
    ).split():
        expect(at(key) not in (None, "", [], {}), f"{path.name}: {key} is missing")
    if at("maintenance/type") in ("internal", "community"):
        expect(at("maintenance/contacts"), f"{path.name}: maintenance/contacts is missing")
    for language, text in (at("description") or {}).items():
        expect(0 < len(text.get("shortDescription", "")) <= 150, f"{path.name}: {language}: shortDescription up to 150 letters")
        expect(150 <= len(text.get("longDescription", "")) <= 10_000, f"{path.name}: {language}: longDescription from 150 letters")
        expect(text.get("features"), f"{path.name}: {language}: features are missing")
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]
    expect(at("softwareVersion") == workspace["version"], f"{path.name}: softwareVersion differs from Cargo.toml")
    expect(at("legal/license") == workspace["license"], f"{path.name}: the licence differs from Cargo.toml")


def examples() -> None:
    tomllib.loads((DEPLOY / "pruefpfad.example.toml").read_text(encoding="utf-8"))
    for number, line in enumerate((DEPLOY / "environment.example").read_text(encoding="utf-8").splitlines(), 1):
        expect(
            not line or line.startswith("#") or re.match(r"[A-Z][A-Z0-9_]*=", line),
            f"environment.example:{number}: neither a comment nor NAME=value",
        )


def ignore_files() -> None:
    names = (".containerignore", ".dockerignore")
    expect(len({(ROOT / name).read_text(encoding="utf-8") for name in names}) == 1, f"{' and '.join(names)} differ")


for check in (containerfile, compose, collector, catalogue_entry, examples, ignore_files):
    check()
for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(bool(problems))
