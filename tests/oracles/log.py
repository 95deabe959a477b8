#!/usr/bin/env python3
"""Verifies the log from the outside: written from RFC 6962, the C2SP texts (signed-note, tlog-checkpoint, tlog-tiles, tlog-proof,
tlog-witness, tlog-cosignature), and audit/src/trail/canonical.rs and export.rs as documentation alone. Trusts one verifier key.

    log.py service URL KEY [QUORUM WITNESS-KEY ...]
                             reads from standard input {"entries": [{"line", "text"}], "growth": [{"old", "text"}]}: lines and
                             proofs of trail entries as the contract gives them, old checkpoints with their consistency proofs.
                             Fetches checkpoint, tiles and bundles from URL. With a quorum, the checkpoint and those of the
                             proofs must be cosigned by so many of the witnesses.
    log.py export FILE KEY [CHECKPOINT-FILE ...]
    log.py tamper FILE FOLDER   writes copies of an export, each wrong in one point, and prints their names

Prints {"size", "root"}, or ends with exit code 1 and the reason on standard error.
"""

import base64
import copy
import hashlib
import json
import os
import struct
import sys
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Rejected(Exception):
    pass


def need(holds, reason):
    if not holds:
        raise Rejected(reason)


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(data):
    return sha256(b"\x00" + data)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


# --- notes and checkpoints ---------------------------------------------------------------------------------------


def signatures(note):
    """The text of a note, and name, key id and signature of each of its lines."""
    text, _, lines = note.rpartition("\n\n")
    found = []
    for line in lines.splitlines():
        need(line.startswith("\u2014 "), "not a signature line")
        name, signature = line[2:].split(" ")
        signature = base64.b64decode(signature, validate=True)
        found.append((name, signature[:4], signature[4:]))
    return text + "\n", found


class Key:
    KIND = 1

    def __init__(self, text):
        self.name, key_id, key = text.strip().split("+", 2)
        material = base64.b64decode(key, validate=True)
        need(material[0] == self.KIND and len(material) == 33, "not an Ed25519 key of this kind")
        self.id = sha256(self.name.encode() + b"\n" + material)[:4]
        need(self.id.hex() == key_id, "the key's id is not its own")
        self.public = Ed25519PublicKey.from_public_bytes(material[1:])

        self.quorum, self.witnesses = 0, []

    def verify(self, signature, text):
        try:
            self.public.verify(signature, text.encode())
        except InvalidSignature:
            raise Rejected("the signature is not of this text") from None

    def ask_witnesses(self, note):
        agreeing = {witness.name for witness in self.witnesses if witness.cosigned(note)}
        need(len(agreeing) >= self.quorum, f"only {len(agreeing)} witnesses cosigned the checkpoint")

    def open(self, note):
        """(size, root) of a signed checkpoint."""
        text, lines = signatures(note)
        found = False
        for name, key_id, signature in lines:
            if name != self.name or key_id != self.id:
                continue
            self.verify(signature, text)
            found = True
        need(found, "not signed by the key")
        self.ask_witnesses(note)
        origin, size, root, *_ = text.split("\n")
        need(origin == self.name, "a checkpoint of another log")
        need(str(int(size)) == size, "the size is not spelled plainly")
        root = base64.b64decode(root, validate=True)
        need(len(root) == 32, "the root is not a digest")
        return int(size), root


class Witness(Key):
    KIND = 4

    def cosigned(self, note):
        text, lines = signatures(note)
        found = False
        for name, key_id, signature in lines:
            if name == self.name and key_id == self.id:
                need(len(signature) == 72, "a cosignature of another length")
                (at,) = struct.unpack(">Q", signature[:8])
                self.verify(signature[8:], f"cosignature/v1\ntime {at}\n{text}")
                found = True
        return found


# --- the tree ----------------------------------------------------------------------------------------------------


def tree(leaves):
    """Root by the definition of RFC 6962, level by level: an odd last node waits for its partner."""
    if not leaves:
        return sha256(b"")
    while len(leaves) > 1:
        pairs = [node_hash(leaves[i], leaves[i + 1]) for i in range(0, len(leaves) - 1, 2)]
        leaves = pairs + ([leaves[-1]] if len(leaves) % 2 else [])
    return leaves[0]


def root_by_inclusion(leaf, index, size, path):
    need(index < size, "the place is outside the log")
    left, last, node = index, size - 1, leaf
    for sibling in path:
        need(last > 0, "the path is too long")
        if left % 2 or left == last:
            node = node_hash(sibling, node)
            while left % 2 == 0 and left:
                left, last = left >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        left, last = left >> 1, last >> 1
    need(last == 0, "the path is too short")
    return node


def consistent(old, new, path):
    """By peeling the proof off both roots recursively, unlike the loop of the RFC."""
    (old_size, old_root), (new_size, new_root) = old, new
    need(old_size <= new_size, "the log is shorter than it was: it was set back")
    if old_size in (0, new_size):
        need(not path, "nothing to prove")
        need(old_size == 0 or old_root == new_root, "the same size with another root: forked")
        return
    path = list(path)

    def roots(m, n, whole):
        """Roots over the first m and over all n leaves; the proof's hashes come from the back."""
        if m == n:
            node = old_root if whole else take()
            return node, node
        k = 1 << ((n - 1).bit_length() - 1)
        if m <= k:
            right = take()
            left_old, left_new = roots(m, k, whole)
            return left_old, node_hash(left_new, right)
        left = take()
        right_old, right_new = roots(m - k, n - k, False)
        return node_hash(left, right_old), node_hash(left, right_new)

    def take():
        need(path, "the proof is too short")
        return path.pop()

    first, second = roots(old_size, new_size, True)
    need(not path, "the proof is too long")
    need(first == old_root and second == new_root, "the log is not the old one grown: forked")


# --- entries -----------------------------------------------------------------------------------------------------


def field(data):
    return struct.pack(">I", len(data)) + data


def micros(text):
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)


def identity(text):
    return uuid.UUID(text).bytes if text else b""


def opening(salt, entry):
    return b"".join(
        [
            b"pruefpfad-log-01",
            salt,
            field(identity(entry["id"])),
            field(struct.pack(">q", micros(entry["at"]))),
            field(entry["actor"].encode()),
            field(entry["membership"].encode()),
            field(entry["action"].encode()),
            field(entry["outcome"].encode()),
            field(identity(entry["engagementId"])),
            field(entry["subjectKind"].encode()),
            field(identity(entry["subjectId"])),
            field(identity(entry["requestId"])),
            field(entry["detail"].encode()),
        ]
    )


def commitment(line):
    """The commitment of a line, opened as far as its content is there."""
    given = bytes.fromhex(line["commitment"])
    need(len(given) == 32, "the commitment is not a digest")
    if line["salt"] is None:
        return given
    salt = bytes.fromhex(line["salt"])
    need(len(salt) == 32 and line["entry"] is not None, "a salt without its entry")
    need(sha256(opening(salt, line["entry"])) == given, "the entry is not the one that was committed to")
    return given


# --- a service ---------------------------------------------------------------------------------------------------


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise Rejected(f"{url} is not served: {error}") from None


def place(index):
    parts = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        parts.insert(0, f"x{index % 1000:03}")
    return "/".join(parts)


def tiles(url, kind, count, width):
    """The parts of a level, tile by tile."""
    parts = []
    for index in range((count + 255) // 256):
        held = min(256, count - index * 256)
        suffix = "" if held == 256 else f".p/{held}"
        data = fetch(f"{url}/log/tile/{kind}/{place(index)}{suffix}")
        need(len(data) == held * width, "a tile of another length")
        parts += [data[i : i + width] for i in range(0, len(data), width)]
    return parts


def service(url, key):
    given = json.load(sys.stdin)
    size, root = key.open(fetch(f"{url}/log/checkpoint").decode())
    leaves = tiles(url, "0", size, 32)
    need(tree(leaves) == root, "the leaves are not those of the checkpoint")
    level, below = 1, leaves
    while len(below) >= 256:
        above = tiles(url, str(level), len(below) // 256, 32)
        full = [tree(below[i * 256 : (i + 1) * 256]) for i in range(len(below) // 256)]
        need(above == full, "a tile is not the tree of the tiles below")
        level, below = level + 1, above
    bundles = tiles(url, "entries", size, 34)
    need(all(entry[:2] == b"\x00\x20" for entry in bundles), "an entry of another length")
    need([leaf_hash(entry[2:]) for entry in bundles] == leaves, "the entries are not those of the leaves")
    for entry in given["entries"]:
        line = json.loads(entry["line"])
        committed = commitment(line)
        need(bundles[line["index"]][2:] == committed, "another commitment stands in this place")
        inclusion(entry["text"], key, line, committed)
    for growth in given["growth"]:
        old = key.open(growth["old"])
        need(old[0] <= size, "the log is shorter than it was: it was set back")
        need(old[1] == tree(leaves[: old[0]]), "the leaves are not those of the old checkpoint: forked")
        need(growth["text"] is not None, "there is no proof of growth")
        head, note = growth["text"].split("\n\n", 1)
        first, *path = head.split("\n")
        need(first == f"old {old[0]}", "a proof from another size")
        consistent(old, key.open(note), [base64.b64decode(hash) for hash in path])
    return size, root


def inclusion(text, key, line, committed):
    head, note = text.split("\n\n", 1)
    lines = head.split("\n")
    need(lines.pop(0) == "c2sp.org/tlog-proof@v1", "not a proof")
    if line["salt"] is not None:
        extra = lines.pop(0)
        opened = opening(bytes.fromhex(line["salt"]), line["entry"])
        need(base64.b64decode(extra.removeprefix("extra ")) == opened, "the proof opens another entry")
    need(lines.pop(0) == f"index {line['index']}", "a proof of another place")
    size, root = key.open(note)
    path = [base64.b64decode(hash) for hash in lines]
    need(root_by_inclusion(leaf_hash(committed), line["index"], size, path) == root, "the proof does not lead to the root")


# --- an export ---------------------------------------------------------------------------------------------------


def read(file):
    with open(file, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def export(file, key, kept):
    header, *lines = read(file)
    need(header["format"] == "pruefpfad-log-01", "another form")
    size, root = key.open(header["checkpoint"])
    need([line["index"] for line in lines] == list(range(len(lines))), "lines out of order")
    leaves = [leaf_hash(commitment(line)) for line in lines]
    need(len(leaves) == size and tree(leaves) == root, "the entries are not those of the checkpoint")
    for note in kept:
        old_size, old_root = key.open(note)
        need(old_size <= size, "the log is shorter than it was: it was set back")
        need(tree(leaves[:old_size]) == old_root, "the log is not the old one grown: forked")
    return size, root


def tampered(lines):
    """Every way of lying about the log that the text of the file allows, by name."""

    def changed(change, renumber=True):
        copied = copy.deepcopy(lines)
        change(copied)
        if renumber:
            for index, line in enumerate(copied[1:]):
                line["index"] = index
        return copied

    def content(copied):
        copied[3]["entry"]["actor"] = "somebody else"

    def refitted(copied):
        content(copied)
        opened = opening(bytes.fromhex(copied[3]["salt"]), copied[3]["entry"])
        copied[3]["commitment"] = sha256(opened).hex()

    def later(copied):
        copied[2]["entry"]["at"] = "2030-01-01T00:00:00Z"

    def swapped(copied):
        copied[2], copied[3] = copied[3], copied[2]

    def grown(copied):
        origin, size, rest = copied[0]["checkpoint"].split("\n", 2)
        copied[0]["checkpoint"] = "\n".join([origin, str(int(size) + 1), rest])

    yield "changed", changed(content)
    yield "changed-and-refitted", changed(refitted)
    yield "changed-time", changed(later)
    yield "removed", changed(lambda copied: copied.pop(2))
    yield "removed-with-gap", changed(lambda copied: copied.pop(2), renumber=False)
    yield "removed-last", changed(lambda copied: copied.pop())
    yield "inserted", changed(lambda copied: copied.insert(2, copy.deepcopy(copied[1])))
    yield "appended", changed(lambda copied: copied.append(copy.deepcopy(copied[1])))
    yield "reordered", changed(swapped)
    yield "reordered-with-numbers", changed(swapped, renumber=False)
    yield "other-salt", changed(lambda copied: copied[1].update(salt="00" * 32))
    yield "entry-without-its-leaf", changed(lambda copied: copied[1].update(commitment="00" * 32, salt=None, entry=None))
    yield "other-size-signed", changed(grown)


def tamper(file, folder):
    names = []
    for name, lines in tampered(read(file)):
        names.append(os.path.join(folder, f"{name}.jsonl"))
        with open(names[-1], "w", encoding="utf-8") as out:
            out.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return names


def main():
    command, *arguments = sys.argv[1:]
    if command == "tamper":
        print(json.dumps(tamper(*arguments)))
        return
    try:
        if command == "service":
            key = Key(arguments[1])
            if arguments[2:]:
                key.quorum, key.witnesses = int(arguments[2]), [Witness(text) for text in arguments[3:]]
            size, root = service(arguments[0], key)
        else:
            kept = [open(file, encoding="utf-8").read() for file in arguments[2:]]
            size, root = export(arguments[0], Key(arguments[1]), kept)
    except Rejected as reason:
        sys.exit(f"rejected: {reason}")
    print(json.dumps({"size": size, "root": root.hex()}))


if __name__ == "__main__":
    main()
