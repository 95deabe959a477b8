#!/usr/bin/env python3
"""Recomputes the roots of a visibility statement from rows as the API shows them, written from the description in
audit/src/grant/statement.rs alone.

Reads a JSON object from standard input: name of a list to its rows, each [id of the API, version]. Prints a JSON object: name of
the list to {"count", "root"}.
"""

import base64
import hashlib
import json
import sys
import uuid


def row(api_id: str, version: int) -> bytes:
    _, _, text = base64.urlsafe_b64decode(api_id + "=" * (-len(api_id) % 4)).decode().partition(":")
    return uuid.UUID(text).bytes + version.to_bytes(4, "big")


def root(leaves: list) -> bytes:
    """RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()


stated = {}
for name, rows in json.load(sys.stdin).items():
    leaves = sorted(row(api_id, version) for api_id, version in rows)
    stated[name] = {"count": len(leaves), "root": root(leaves).hex()}
json.dump(stated, sys.stdout)
