"""An attacker with forged access tokens, written apart from the service.

It knows what anybody can know: the public documents (RFC 7515, 7519, 8725, 9068, the protocol graphql-transport-ws, the
example configuration), and the address of the service. To show that good tokens pass, and to forge tokens that are right
in all but one point, it also holds the development key's file; no attacker has that.

    python3 tests/attacks/tokens.py ADDRESS KEY_FILE

Every forgery goes to every door. The verdict is printed as JSON; the exit code is 1 where a door did not hold.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import struct
import sys
import time
import urllib.parse

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

ISSUER = "pruefpfad-development"
AUDIENCE = "pruefpfad"
KID = "development"
NOW = int(time.time())
ORDER = 2**252 + 27742317777372353535851937790883648493  # of the group of Ed25519

# Words that only somebody inside would say.
INTERNAL = re.compile(
    r"panick|backtrace|stack|thread '|\.rs\b|/src/|jsonwebtoken|serde|sqlx|sea_orm|actix|at line|column \d|Err\(|Some\("
    r"|InvalidSignature|ErrorKind|base64|utf-?8|/tmp/|\.pem|SELECT |PRIVATE",
    re.IGNORECASE,
)


def b64(data):
    if isinstance(data, (dict, list)):
        data = json.dumps(data)
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Forge:
    """Makes tokens: good ones, and such as are wrong in one point."""

    def __init__(self, key_file):
        with open(key_file, "rb") as file:
            self.key = serialization.load_pem_private_key(file.read(), None)
        self.public = self.key.public_key()
        self.foreign = Ed25519PrivateKey.generate()

    def header(self, **changes):
        return self._changed({"alg": "EdDSA", "typ": "at+jwt", "kid": KID}, changes)

    def claims(self, **changes):
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "attacker",
            "client_id": "attacker",
            "jti": os.urandom(8).hex(),
            "iat": NOW,
            "exp": NOW + 600,
            "groups": ["INNENREVISION"],
        }
        return self._changed(claims, changes)

    @staticmethod
    def _changed(values, changes):
        values.update(changes)
        return {name: value for name, value in values.items() if value is not None}

    def sign(self, header=None, claims=None, key=None):
        message = f"{b64(header or self.header())}.{b64(claims or self.claims())}"
        return f"{message}.{b64((key or self.key).sign(message.encode()))}"

    def hs256(self, secret, **header):
        message = f"{b64(self.header(alg='HS256', **header))}.{b64(self.claims())}"
        return f"{message}.{b64(hmac.new(secret, message.encode(), hashlib.sha256).digest())}"

    def rs256(self):
        key = rsa.generate_private_key(65537, 2048)
        message = f"{b64(self.header(alg='RS256'))}.{b64(self.claims())}"
        return f"{message}.{b64(key.sign(message.encode(), padding.PKCS1v15(), SHA256()))}"

    def jwk(self, key):
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw), "kid": KID, "alg": "EdDSA", "use": "sig"}

    def malleable(self):
        """The same signature with S + L in the place of S: RFC 8032 has it refused."""
        message, _, signature = self.sign().rpartition(".")
        raw = base64.urlsafe_b64decode(signature + "==")
        s = (int.from_bytes(raw[32:], "little") + ORDER).to_bytes(32, "little")
        return f"{message}.{b64(raw[:32] + s)}"

    def attacks(self):
        """Name of the attack, values of the `Authorization` header, and the reason the service has to give."""
        good = self.sign()
        head, payload, signature = good.split(".")
        raw, pem, der = (
            self.public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw),
            self.public.public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
            self.public.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
        )
        other = b64(self.claims(sub="head", groups=["INNENREVISION_LEITUNG"]))
        none = b64(self.header(alg="none"))
        twice = b64('{"alg":"none",' + json.dumps(self.header())[1:])
        cut = b64(base64.urlsafe_b64decode(signature + "==")[:-10])
        last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


        def claim(**changes):
            return self.sign(claims=self.claims(**changes))

        def head_with(**changes):
            return self.sign(header=self.header(**changes))

        forged = [
            ("expired", claim(iat=NOW - 4000, exp=NOW - 3600), "TOKEN_EXPIRED"),
            ("expired a minute ago", claim(exp=NOW - 60), "TOKEN_EXPIRED"),
            ("expired in 1970", claim(exp=1), "TOKEN_EXPIRED"),
            ("not yet valid", claim(nbf=NOW + 300), "TOKEN_NOT_YET_VALID"),
            ("foreign issuer", claim(iss="https://issuer.example"), "TOKEN_WRONG_ISSUER"),
            ("issuer with something behind it", claim(iss=ISSUER + "/"), "TOKEN_WRONG_ISSUER"),
            ("wrong audience", claim(aud="another-service"), "TOKEN_WRONG_AUDIENCE"),
            ("several wrong audiences", claim(aud=["another", "PRUEFPFAD"]), "TOKEN_WRONG_AUDIENCE"),
            ("no audience in the list", claim(aud=[]), "TOKEN_WRONG_AUDIENCE"),
            ("an ID token", head_with(typ="JWT"), "TOKEN_WRONG_TYPE"),
            ("no type", head_with(typ=None), "TOKEN_WRONG_TYPE"),
            ("a logout token", head_with(typ="logout+jwt"), "TOKEN_WRONG_TYPE"),
            ("none, signature empty", f"{none}.{payload}.", "TOKEN_WRONG_ALGORITHM"),
            ("none, without a signature", f"{none}.{payload}", "TOKEN_WRONG_ALGORITHM"),
            ("none, signature kept", f"{none}.{payload}.{signature}", "TOKEN_WRONG_ALGORITHM"),
            ("nOnE", f"{b64(self.header(alg='nOnE'))}.{payload}.", "TOKEN_WRONG_ALGORITHM"),
            ("algorithm missing", head_with(alg=None), "TOKEN_MALFORMED"),
            ("HS256 with the public key as PEM", self.hs256(pem), "TOKEN_WRONG_ALGORITHM"),
            ("HS256 with the public key as stripped PEM", self.hs256(pem.strip()), "TOKEN_WRONG_ALGORITHM"),
            ("HS256 with the public key as DER", self.hs256(der), "TOKEN_WRONG_ALGORITHM"),
            ("HS256 with the public key's bytes", self.hs256(raw), "TOKEN_WRONG_ALGORITHM"),
            ("HS256 with an empty secret", self.hs256(b""), "TOKEN_WRONG_ALGORITHM"),
            ("RS256 under the name of an EdDSA key", self.rs256(), "TOKEN_WRONG_ALGORITHM"),
            ("signed by another key of that name", self.sign(key=self.foreign), "TOKEN_BAD_SIGNATURE"),
            (
                "brings its own key",
                self.sign(header=self.header(jwk=self.jwk(self.foreign)), key=self.foreign),
                "TOKEN_BAD_SIGNATURE",
            ),
            (
                "names a place to fetch its key",
                self.sign(header=self.header(jku="http://127.0.0.1:9/keys"), key=self.foreign),
                "TOKEN_BAD_SIGNATURE",
            ),
            ("unknown key", head_with(kid="2026-01"), "TOKEN_UNKNOWN_KEY"),
            ("key not named", head_with(kid=None), "TOKEN_UNKNOWN_KEY"),
            ("key named by a path", head_with(kid="../../dev/null"), "TOKEN_UNKNOWN_KEY"),
            ("key named by a query", head_with(kid="' OR 1=1 --"), "TOKEN_UNKNOWN_KEY"),
            ("key named by a number", head_with(kid=7), "TOKEN_MALFORMED"),
            ("critical extension", head_with(crit=["exp"]), "TOKEN_MALFORMED"),
            ("payload altered", f"{head}.{other}.{signature}", "TOKEN_BAD_SIGNATURE"),
            ("header altered", f"{b64(self.header(cty='x'))}.{payload}.{signature}", "TOKEN_BAD_SIGNATURE"),
            ("signature of zeros", f"{head}.{payload}.{b64(bytes(64))}", "TOKEN_BAD_SIGNATURE"),
            ("signature with S + L", self.malleable(), "TOKEN_BAD_SIGNATURE"),
            ("signature cut", f"{head}.{payload}.{cut}", "TOKEN_BAD_SIGNATURE"),
            ("last letter cut", good[:-1], "TOKEN_MALFORMED"),
            ("signature missing", f"{head}.{payload}.", "TOKEN_BAD_SIGNATURE"),
            (
                "signature with its unused bits set",
                good[:-1] + last[last.index(good[-1]) ^ 1],
                "TOKEN_MALFORMED",
            ),
            ("cut in the payload", good[: len(head) + 20], "TOKEN_MALFORMED"),
            ("cut in the header", good[:10], "TOKEN_MALFORMED"),
            ("five parts", good + ".AA.AA", "TOKEN_MALFORMED"),
            ("standard base64", good.replace(head, base64.b64encode(b"\xfb\xff" * 9).decode()), "TOKEN_MALFORMED"),
            ("no token", "", "TOKEN_MALFORMED"),
            ("dots", "..", "TOKEN_MALFORMED"),
            ("a header that is a list", f"{b64([])}.{payload}.{signature}", "TOKEN_MALFORMED"),
            ("a header with its algorithm twice", f"{twice}.{payload}.{signature}", "TOKEN_MALFORMED"),
            ("a payload that is no object", self.sign(claims=["sub"]), "TOKEN_MALFORMED"),
            ("nested deeply", self.sign(claims="[" * 3000), "TOKEN_MALFORMED"),
            ("long", claim(filler="x" * 9000), "TOKEN_MALFORMED"),
            ("date that is text", claim(exp="never"), "TOKEN_MALFORMED"),
            ("date before 1970", claim(exp=-1), "TOKEN_MALFORMED"),
            ("date beyond all calendars", claim(exp=1e300), "TOKEN_MALFORMED"),
            ("begin that is text", claim(nbf="now"), "TOKEN_MALFORMED"),
            ("subject that is a list", claim(sub=["head"]), "TOKEN_MALFORMED"),
        ]
        forged += [
            (f"without {name}", claim(**{name: None}), "TOKEN_MALFORMED")
            for name in ("sub", "exp", "jti", "iat", "iss", "aud")
        ]
        attacks = [(name, [f"Bearer {token}"], reason) for name, token, reason in forged]
        attacks += [
            ("two headers, both good", [f"Bearer {good}", f"Bearer {good}"], "TOKEN_MALFORMED"),
            ("two headers, the first one good", [f"Bearer {good}", "Bearer x"], "TOKEN_MALFORMED"),
            ("two tokens in one header", [f"Bearer {good}, Bearer {good}"], "TOKEN_MALFORMED"),
            ("another scheme", [f"Basic {good}"], "TOKEN_MALFORMED"),
            ("no scheme", [good], "TOKEN_MALFORMED"),
        ]
        return attacks


class Answer:
    def __init__(self, status, body, headers=()):
        self.status, self.body, self.headers = status, body, {name.lower(): value for name, value in headers}


class Door:
    """A way into the service."""

    def __init__(self, address):
        self.address = urllib.parse.urlsplit(address)

    def connect(self):
        return http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=20)

    def request(self, method, path, authorization, headers=(), body=b""):
        connection = self.connect()
        try:
            connection.putrequest(method, path)
            for value in authorization:
                connection.putheader("Authorization", value)
            for name, value in headers:
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode(), answer.getheaders())
        finally:
            connection.close()

    def refused(self, authorization):
        """Code, reason and message with which the door stays shut; an exception if it does not."""
        answer = self.knock(authorization)
        if answer.status != 401:
            raise AssertionError(f"answered {answer.status}: {answer.body[:300]}")
        if answer.headers.get("www-authenticate") != 'Bearer error="invalid_token"':
            raise AssertionError(f"no challenge: {answer.headers}")
        body = json.loads(answer.body)
        (error,) = body["errors"]
        extensions = error["extensions"]
        if set(body) != {"errors"} or set(error) != {"message", "extensions"} or set(extensions) != {"code", "reason"}:
            raise AssertionError(f"says more than it should: {answer.body[:300]}")
        if INTERNAL.search(answer.body):
            raise AssertionError(f"talks of its inside: {answer.body[:300]}")
        return extensions["code"], extensions["reason"], error["message"]


class Graphql(Door):
    name = "POST /graphql"

    def knock(self, authorization):
        body = json.dumps({"query": "{ viewer { subject } }"}).encode()
        return self.request("POST", "/graphql", authorization, [("Content-Type", "application/json")], body)

    def opens(self, authorization):
        answer = self.knock(authorization)
        return answer.status == 200 and json.loads(answer.body) == {"data": {"viewer": {"subject": "attacker"}}}


class GraphqlByGet(Door):
    name = "GET /graphql"

    def knock(self, authorization):
        return self.request("GET", "/graphql?query=%7Bviewer%7Bsubject%7D%7D", authorization)

    opens = Graphql.opens


class Imports(Door):
    name = "PUT /imports/{id}"

    def knock(self, authorization):
        return self.request("PUT", "/imports/nothing", authorization, body=b"a;b\n1;2\n")

    def opens(self, authorization):
        # Let in, and told that there is no such import.
        answer = self.knock(authorization)
        return answer.status == 422 and "NOT_FOUND" in answer.body


class Exports(Door):
    name = "GET /exports/sample-items.csv"

    def knock(self, authorization):
        return self.request("GET", "/exports/sample-items.csv", authorization)

    def opens(self, authorization):
        answer = self.knock(authorization)
        return answer.status == 200 and answer.headers["content-type"].startswith("text/csv")


class Socket(Door):
    """A WebSocket by RFC 6455, as far as a short conversation needs it."""

    def handshake(self, authorization):
        connection = self.connect()
        connection.putrequest("GET", "/graphql")
        for name, value in (
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", base64.b64encode(os.urandom(16)).decode()),
            ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
        ):
            connection.putheader(name, value)
        for value in authorization:
            connection.putheader("Authorization", value)
        connection.endheaders()
        stream = connection.sock.makefile("rb")
        status = int(stream.readline().split()[1])
        headers = []
        while (line := stream.readline().decode().strip()) != "":
            headers.append(tuple(part.strip() for part in line.split(":", 1)))
        return connection, stream, Answer(status, "", headers)

    @staticmethod
    def send(connection, message):
        data = json.dumps(message).encode()
        mask = os.urandom(4)
        length = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack(">H", len(data))
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        connection.sock.sendall(b"\x81" + length + mask + masked)

    @staticmethod
    def receive(stream):
        """The next text or close frame: its message, or its code and reason."""
        while True:
            first, second = stream.read(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", stream.read(2))
            data = stream.read(length)
            if first & 0x0F == 1:
                return json.loads(data)
            if first & 0x0F == 8:
                return struct.unpack(">H", data[:2])[0], data[2:].decode()


class SocketByHeader(Socket):
    name = "WebSocket, token in the handshake"

    def knock(self, authorization):
        connection, stream, answer = self.handshake(authorization)
        try:
            if answer.status != 101:
                answer.body = stream.read(int(answer.headers["content-length"])).decode()
            return answer
        finally:
            connection.close()

    def opens(self, authorization):
        connection, stream, answer = self.handshake(authorization)
        try:
            self.send(connection, {"type": "connection_init"})
            return answer.status == 101 and self.receive(stream) == {"type": "connection_ack"}
        finally:
            connection.close()


class SocketByMessage(Socket):
    """There is no status any more once the socket is open: the protocol has close code 4403, and the service its code."""

    name = "WebSocket, token in connection_init"

    def told(self, authorization):
        connection, stream, answer = self.handshake([])
        try:
            if answer.status != 101:
                raise AssertionError(f"no socket: {answer.status}")
            self.send(connection, {"type": "connection_init", "payload": {"authorization": authorization}})
            return self.receive(stream)
        finally:
            connection.close()

    def refused(self, authorization):
        told = self.told(", ".join(authorization))
        if not isinstance(told, tuple) or told[0] != 4403:
            raise AssertionError(f"answered {told}")
        code, _, reason = told[1].partition(": ")
        return code, reason, None

    def opens(self, authorization):
        return self.told(authorization[0]) == {"type": "connection_ack"}


def main():
    address, key_file = sys.argv[1:]
    forge = Forge(key_file)
    doors = [door(address) for door in (Graphql, GraphqlByGet, Imports, Exports, SocketByHeader, SocketByMessage)]
    failures, knocks, messages = [], 0, {}

    def controls():
        for door in doors:
            for scheme in ("Bearer", "bearer"):
                if not door.opens([f"{scheme} {forge.sign()}"]):
                    failures.append(f"{door.name}: a good token ({scheme}) does not pass")

    controls()
    attacks = forge.attacks()
    for name, authorization, expected in attacks:
        for door in doors:
            knocks += 1
            try:
                code, reason, message = door.refused(authorization)
                if (code, reason) != ("UNAUTHENTICATED", expected):
                    failures.append(f"{door.name}: {name}: {code} {reason} instead of {expected}")
                # What is said depends on the reason alone, never on the token.
                if message is not None and messages.setdefault(reason, message) != message:
                    failures.append(f"{door.name}: {name}: {message!r} instead of {messages[reason]!r}")
            except Exception as problem:
                failures.append(f"{door.name}: {name}: {problem!r}")
    # Whoever knocks so often has not shut the door for the others.
    controls()
    verdict = {
        "doors": [door.name for door in doors],
        "attacks": len(attacks),
        "knocks": knocks,
        "reasons": sorted(messages),
        "failures": failures,
    }
    print(json.dumps(verdict, indent=1, ensure_ascii=False))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
