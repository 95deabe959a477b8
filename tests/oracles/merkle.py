#!/usr/bin/env python3
"""Recomputes the Merkle root of a frozen population, written from the description in audit/src/population/canonical.rs alone.

Reads one JSON object a line from standard input, in any order, and prints the root in hexadecimal (with --leaves: the
leaves instead, in canonical order). Keys: salt, itemKey, caseKey (hexadecimal; caseKey may be null), id, bezirksstelleId
(UUIDs), amount, funds (Bund, Kommune, Land, EU; cents), product, period, decisionDate (YYYY-MM-DD or null), kind,
ownStaff (true or false), attributes (list of [name, value]), reference.
"""

import hashlib
import json
import struct
import sys
import unicodedata
import uuid


def field(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def text(value) -> bytes:
    return field(unicodedata.normalize("NFC", value or "").encode("utf-8"))


def cents(value: int) -> bytes:
    return field(struct.pack(">q", value))


def canonical(row: dict) -> bytes:
    parts = [
        b"pruefpfad-row-01",
        field(uuid.UUID(row["id"]).bytes),
        field(bytes.fromhex(row["itemKey"])),
        field(bytes.fromhex(row["caseKey"] or "")),
        field(uuid.UUID(row["bezirksstelleId"]).bytes),
        cents(row["amount"]),
        *[cents(share) for share in row["funds"]],
        text(row["product"]),
        text(row["period"]),
        text(row["decisionDate"]),
        text(row["kind"]),
        field(b"\x01" if row["ownStaff"] else b"\x00"),
        struct.pack(">I", len(row["attributes"])),
    ]
    pairs = [(text(name), text(value)) for name, value in row["attributes"]]
    # The length in front must not take part in the order.
    parts += [name + value for name, value in sorted(pairs, key=lambda pair: pair[0][4:])]
    parts.append(text(row["reference"]))
    return b"".join(parts)


def leaf(row: dict) -> bytes:
    return hashlib.sha256(b"\x00" + bytes.fromhex(row["salt"]) + canonical(row)).digest()


def root(leaves: list) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    while len(leaves) > 1:
        # Pairing neighbours and handing up an odd last one is the same tree as splitting at the largest power of two.
        above = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in zip(leaves[0::2], leaves[1::2])]
        if len(leaves) % 2:
            above.append(leaves[-1])
        leaves = above
    return leaves[0]


def main() -> None:
    hashed = [(uuid.UUID(row["id"]).bytes, leaf(row)) for row in map(json.loads, sys.stdin)]
    leaves = [digest for _, digest in sorted(hashed)]
    if "--leaves" in sys.argv[1:]:
        for digest in leaves:
            print(digest.hex())
    else:
        print(root(leaves).hex())


if __name__ == "__main__":
    main()
