"""An attacker who got hold of an access token that is bound to a key (RFC 9449), and of everything but the key.

It is written apart from the service, from RFC 7638, 7800, 8037 and 9449, and finds the doors as `tokens.py` does. To mint
the bound token it holds the development key's file, as the identity provider would; the attacks do not use it.

    python3 tests/attacks/proofs.py ADDRESS PUBLIC_URL KEY_FILE

PUBLIC_URL is the address the service is configured for, which is what proofs have to name. The verdict is printed as JSON;
the exit code is 1 where a door did not hold.
"""

import base64
import hashlib
import json
import os
import sys
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

import tokens
from tokens import b64


def number(value, length):
    return b64(value.to_bytes(length, "big"))


class Key:
    """A key of any of the three kinds, with its public JWK."""

    def __init__(self, alg):
        self.alg = alg
        if alg == "EdDSA":
            self.key = Ed25519PrivateKey.generate()
            raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
        elif alg == "ES256":
            self.key = ec.generate_private_key(ec.SECP256R1())
            point = self.key.public_key().public_numbers()
            self.jwk = {"kty": "EC", "crv": "P-256", "x": number(point.x, 32), "y": number(point.y, 32)}
        else:
            self.key = rsa.generate_private_key(65537, 2048)
            parts = self.key.public_key().public_numbers()
            self.jwk = {"kty": "RSA", "e": number(parts.e, 3), "n": number(parts.n, 256)}

    def thumbprint(self):
        """RFC 7638: the required members in their order, without spaces."""
        text = json.dumps(self.jwk, sort_keys=True, separators=(",", ":"))
        return b64(hashlib.sha256(text.encode()).digest())

    def sign(self, message):
        if self.alg == "EdDSA":
            return self.key.sign(message)
        if self.alg == "RS256":
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def private(self):
        raw = self.key.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        return {**self.jwk, "d": b64(raw)}


def prove(key, door, public_url, token, header=(), claims=(), signer=None):
    """A proof for a request to a door, but for the changes."""
    head = {"typ": "dpop+jwt", "alg": key.alg, "jwk": key.jwk, **dict(header)}
    body = {
        "jti": os.urandom(9).hex(),
        "htm": door.method,
        "htu": public_url + door.path,
        "iat": int(time.time()),
        "ath": b64(hashlib.sha256(token.encode()).digest()),
        **dict(claims),
    }
    drop = lambda values: {name: value for name, value in values.items() if value is not None}
    message = f"{b64(drop(head))}.{b64(drop(body))}"
    return f"{message}.{b64((signer or key).sign(message.encode()))}"


class Door:
    """A way in: `reason` is why it stays shut, None where it opened."""

    def __init__(self, name, method, path, headers=(), body=b""):
        self.name, self.method, self.path, self.headers, self.body = name, method, path, headers, body

    def reason(self, address, authorization, proofs):
        asked = [*self.headers, *(("DPoP", proof) for proof in proofs)]
        answer = tokens.Door(address).request(self.method, self.path, authorization, asked, self.body)
        if answer.status != 401:
            if answer.status in (200, 422):
                return None
            raise AssertionError(f"{answer.status}: {answer.body[:200]}")
        challenge = answer.headers["www-authenticate"]
        (error,) = json.loads(answer.body)["errors"]
        reason = error["extensions"]["reason"]
        expected = "DPoP " if reason.startswith("PROOF_") else "Bearer "
        if error["extensions"]["code"] != "UNAUTHENTICATED" or not challenge.startswith(expected):
            raise AssertionError(f"{challenge}: {answer.body[:200]}")
        if expected == "DPoP " and "algs=" not in challenge:
            raise AssertionError(challenge)
        if tokens.INTERNAL.search(answer.body):
            raise AssertionError(f"talks of its inside: {answer.body[:300]}")
        return reason


class HandshakeDoor(Door):
    def reason(self, address, authorization, proofs):
        connection, stream, answer = Socket(address, proofs).handshake(authorization)
        try:
            if answer.status != 101:
                return json.loads(stream.read(int(answer.headers["content-length"])))["errors"][0]["extensions"]["reason"]
            tokens.Socket.send(connection, {"type": "connection_init"})
            return told(tokens.Socket.receive(stream))
        finally:
            connection.close()


class InitDoor(Door):
    def reason(self, address, authorization, proofs):
        connection, stream, answer = Socket(address, []).handshake([])
        try:
            payload = {"authorization": authorization[0]}
            if proofs:
                payload["dpop"] = ", ".join(proofs)
            tokens.Socket.send(connection, {"type": "connection_init", "payload": payload})
            return told(tokens.Socket.receive(stream))
        finally:
            connection.close()


def told(message):
    if isinstance(message, tuple):
        return message[1].partition(": ")[2]
    return None if message == {"type": "connection_ack"} else repr(message)


class Socket(tokens.Socket):
    """A handshake that carries proofs, too."""

    def __init__(self, address, proofs):
        super().__init__(address)
        self.proofs = proofs

    def connect(self):
        connection = super().connect()
        end = connection.endheaders

        def with_proofs(*arguments):
            for proof in self.proofs:
                connection.putheader("DPoP", proof)
            end(*arguments)

        connection.endheaders = with_proofs
        return connection


QUERY = json.dumps({"query": "{ viewer { subject } }"}).encode()

DOORS = [
    Door("POST /graphql", "POST", "/graphql", [("Content-Type", "application/json")], QUERY),
    Door("GET /graphql", "GET", "/graphql?query=%7Bviewer%7Bsubject%7D%7D"),
    Door("PUT /imports/{id}", "PUT", "/imports/nothing", (), b"a;b\n1;2\n"),
    Door("GET /exports/sample-items.csv", "GET", "/exports/sample-items.csv"),
    HandshakeDoor("WebSocket, proof in the handshake", "GET", "/graphql"),
    InitDoor("WebSocket, proof in connection_init", "GET", "/graphql"),
]


def main():
    address, public_url, key_file = sys.argv[1:]
    forge = tokens.Forge(key_file)
    keys = {alg: Key(alg) for alg in ("EdDSA", "ES256", "RS256")}
    bound = {alg: forge.sign(claims=forge.claims(cnf={"jkt": key.thumbprint()})) for alg, key in keys.items()}
    failures, reasons, knocks = [], set(), 0

    def expect(name, door, authorization, proofs, wanted):
        nonlocal knocks
        knocks += 1
        try:
            found = door.reason(address, authorization, proofs)
        except Exception as problem:
            found = repr(problem)
        if found is not None:
            reasons.add(found)
        if found != wanted:
            failures.append(f"{door.name}: {name}: {found} instead of {wanted}")

    for door in DOORS:
        for alg, key in keys.items():
            good = prove(key, door, public_url, bound[alg])
            expect(f"its holder ({alg})", door, [f"DPoP {bound[alg]}"], [good], None)
            expect(f"the same proof again ({alg})", door, [f"dpop {bound[alg]}"], [good], "PROOF_REPLAYED")
        key, token = keys["EdDSA"], bound["EdDSA"]
        thief, now = Key("EdDSA"), int(time.time())

        def proof(header=(), claims=(), signer=None, by=key, of=token):
            return prove(by, door, public_url, of, header, claims, signer)

        bearer, dpop = [f"Bearer {token}"], [f"DPoP {token}"]
        other_method = "PATCH" if door.method != "PATCH" else "GET"
        for name, authorization, proofs, wanted in [
            ("as a bearer token", bearer, [], "PROOF_MISSING"),
            ("as a bearer token beside a good proof", bearer, [proof()], "PROOF_MISSING"),
            ("without a proof", dpop, [], "PROOF_MISSING"),
            ("with two proofs", dpop, [proof(), proof()], "PROOF_MALFORMED"),
            ("with an empty proof", dpop, [""], "PROOF_MALFORMED"),
            ("with the token as its proof", dpop, [token], "PROOF_MALFORMED"),
            ("the thief's own key", dpop, [proof(by=thief)], "PROOF_WRONG_KEY"),
            ("the holder's key shown, the thief's used", dpop, [proof(signer=thief)], "PROOF_BAD_SIGNATURE"),
            ("another kind of key", dpop, [proof(by=keys["ES256"])], "PROOF_WRONG_KEY"),
            ("for another method", dpop, [proof(claims={"htm": other_method})], "PROOF_WRONG_REQUEST"),
            ("for another path", dpop, [proof(claims={"htu": public_url + "/elsewhere"})], "PROOF_WRONG_REQUEST"),
            ("for another host", dpop, [proof(claims={"htu": "https://thief.example" + door.path})], "PROOF_WRONG_REQUEST"),
            ("for nothing", dpop, [proof(claims={"htu": ""})], "PROOF_WRONG_REQUEST"),
            ("two minutes old", dpop, [proof(claims={"iat": now - 120})], "PROOF_WRONG_TIME"),
            ("made for tomorrow", dpop, [proof(claims={"iat": now + 86_400})], "PROOF_WRONG_TIME"),
            ("of another token", dpop, [proof(of=bound["RS256"])], "PROOF_WRONG_TOKEN"),
            ("of no token", dpop, [proof(claims={"ath": None})], "PROOF_WRONG_TOKEN"),
            ("with the private key in it", dpop, [proof(header={"jwk": key.private()})], "PROOF_MALFORMED"),
            ("without its key", dpop, [proof(header={"jwk": None})], "PROOF_MALFORMED"),
            ("with a secret as its key", dpop, [proof(header={"jwk": {"kty": "oct", "k": "AAAA"}})], "PROOF_MALFORMED"),
            ("unsigned", dpop, [proof(header={"alg": "none"})], "PROOF_MALFORMED"),
            ("signed with a secret", dpop, [proof(header={"alg": "HS256"})], "PROOF_MALFORMED"),
            ("of another type", dpop, [proof(header={"typ": "JWT"})], "PROOF_MALFORMED"),
            ("an access token's type", dpop, [proof(header={"typ": "at+jwt"})], "PROOF_MALFORMED"),
            ("critical extension", dpop, [proof(header={"crit": ["b64"]})], "PROOF_MALFORMED"),
            ("without a number", dpop, [proof(claims={"jti": None})], "PROOF_MALFORMED"),
            ("without a time", dpop, [proof(claims={"iat": None})], "PROOF_MALFORMED"),
            ("long", dpop, [proof(claims={"filler": "x" * 5000})], "PROOF_MALFORMED"),
            ("a free token as a bound one", [f"DPoP {forge.sign()}"], [proof(of=forge.sign())], "PROOF_OF_UNBOUND_TOKEN"),
            ("bound by a certificate", [f"Bearer {forge.sign(claims=forge.claims(cnf={'x5t#S256': 'AAAA'}))}"], [], "TOKEN_MALFORMED"),
            ("bound to nothing", [f"Bearer {forge.sign(claims=forge.claims(cnf={}))}"], [], "TOKEN_MALFORMED"),
        ]:
            expect(name, door, authorization, proofs, wanted)
        expect("its holder, afterwards", door, dpop, [proof()], None)

    # A proof shown at one door of the same method and address is not good at another.
    shown = prove(keys["EdDSA"], DOORS[4], public_url, bound["EdDSA"])
    expect("first", DOORS[4], [f"DPoP {bound['EdDSA']}"], [shown], None)
    expect("and at the next door", DOORS[5], [f"DPoP {bound['EdDSA']}"], [shown], "PROOF_REPLAYED")

    print(json.dumps({"reasons": sorted(reasons), "knocks": knocks, "failures": failures}, indent=1))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
