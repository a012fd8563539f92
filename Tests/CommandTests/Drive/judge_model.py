"""A second reader of responses, written from the grammar with regular expressions and nothing else,
and random responses for both to read: they must agree (RFC 9112 sections 4 to 7 and 9).

`python3 judge_model.py FETCH [SEED [COUNT]]` runs it alone.
"""

import random
import re
import sys
import time

import command
from command import Session, body
from origin import Origin, ok

TCHAR = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
TEXT = rb"[\t\x20-\x7e\x80-\xff]"
STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: (" + TEXT + rb"*))?")
FIELD = re.compile(rb"(" + TCHAR + rb"+):[ \t]*((?:" + TEXT + rb"*[^ \t])?)[ \t]*")
LINE_BYTES = re.compile(TEXT + rb"*")
QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\' + TEXT + rb')*"'
EXTENSION = (rb"[ \t]*;[ \t]*" + TCHAR + rb"+(?:[ \t]*=[ \t]*(?:" + TCHAR + rb"+|" + QUOTED
             + rb"))?")
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]+)(?:" + EXTENSION + rb")*")
CAP = 64 << 20


class Bad(Exception):
    """Refused, with the codes that say so."""


MALFORMED = ("malformed-response",)
EARLY = MALFORMED + ("closed-before-response",)
TRUNCATED = ("truncated-body",)


class Reader:
    def __init__(self, wire):
        self.wire, self.at, self.met_end = wire, 0, False

    def line(self, cut):
        """The next line without its CR LF; `cut` is what its missing end means."""
        rest = self.wire[self.at:]
        good = LINE_BYTES.match(rest).end()
        if rest[good:good + 2] == b"\r\n":
            self.at += good + 2
            return rest[:good]
        if rest[good:] in (b"", b"\r"):
            self.met_end = True
            raise Bad(*cut, *MALFORMED)
        raise Bad(*MALFORMED)

    def fields(self, cut):
        fields = []
        while True:
            line = self.line(cut)
            if not line:
                return fields
            match = FIELD.fullmatch(line)
            if not match:
                raise Bad(*MALFORMED)
            fields.append((match[1], match[2]))

    def take(self, count):
        data = self.wire[self.at:self.at + count]
        self.at += len(data)
        if len(data) < count:
            self.met_end = True
            raise Bad(*TRUNCATED)
        return data


def elements(fields, name):
    return [part.strip(b" \t") for key, value in fields if key.lower() == name
            for part in value.split(b",")]


def lengths_of(fields):
    """None, a number, or -1 for nonsense."""
    parts = elements(fields, b"content-length")
    if not parts:
        return None
    if not all(re.fullmatch(rb"[0-9]+", part) for part in parts):
        return -1
    numbers = {int(part) for part in parts}
    return numbers.pop() if len(numbers) == 1 and max(numbers) < 1 << 63 else -1


def has(fields, name):
    return any(key.lower() == name for key, _ in fields)


def chunked(reader):
    data = b""
    while True:
        match = CHUNK_LINE.fullmatch(reader.line(TRUNCATED))
        if not match or int(match[1], 16) >= 1 << 63:
            raise Bad(*MALFORMED)
        size = int(match[1], 16)
        if size == 0:
            return data, reader.fields(TRUNCATED)
        if len(data) + size > CAP:
            raise Bad("body-too-large")
        data += reader.take(size)
        end = reader.wire[reader.at:reader.at + 2]
        if end != b"\r\n":
            reader.met_end = end in (b"", b"\r")
            raise Bad(*(TRUNCATED if reader.met_end else MALFORMED))
        reader.at += 2


def read(wire, is_head):
    """What a strict reader makes of a response: a dictionary, with `reused` and `needs_end`."""
    reader = Reader(wire)
    for interim in range(18):
        line = reader.line(EARLY)
        match = STATUS_LINE.fullmatch(line)
        if not match:
            raise Bad(*MALFORMED)
        status = int(match[2])
        if status == 101:
            raise Bad(*MALFORMED)
        fields = reader.fields(EARLY)
        if status >= 200:
            break
    length = lengths_of(fields)
    codings = [part.lower() for part in elements(fields, b"transfer-encoding") if part]
    coded = has(fields, b"transfer-encoding")
    options = {part.lower() for part in elements(fields, b"connection")}
    kept = b"close" not in options and (match[1] != b"0" or b"keep-alive" in options)
    data, trailers, needs_end = b"", [], False
    if is_head or status in (204, 304):
        # Nonsense that frames nothing: the response stands, the connection need not.
        if length == -1 or coded:
            kept = None if kept else False
    elif coded:
        if length is not None or codings != [b"chunked"] or match[1] == b"0":
            raise Bad(*MALFORMED)
        data, trailers = chunked(reader)
    elif length is not None:
        if length < 0:
            raise Bad(*MALFORMED)
        if length > CAP:
            raise Bad("body-too-large")
        data = reader.take(length)
    else:
        data, reader.at, kept, needs_end = reader.wire[reader.at:], len(wire), False, True
    if reader.at < len(wire):
        kept = False
    return {"status": status, "reason": (match[3] or b"").decode("latin-1"), "body": data,
            "headers": texts(fields), "trailers": texts(trailers), "reused": kept,
            "needs_end": needs_end}


def texts(fields):
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in fields]


LINES = [
    b"Content-Length: 5", b"Content-Length: 0", b"content-length:5", b"Content-Length: 5, 5",
    b"Content-Length: 6", b"Content-Length: x", b"Content-Length:", b"Transfer-Encoding: chunked",
    b"transfer-encoding:Chunked", b"Transfer-Encoding: gzip", b"Transfer-Encoding: ,chunked,",
    b"Connection: close", b"Connection: keep-alive", b"Connection: x, CLOSE ,", b"A: b", b"A:",
    b"X-Y: \xe9 \t z\t", b"Trailer: A", b"!: ~", b"A : b", b" A: b", b"A", b": b", b"A: b\rc",
]
STARTS = [b"HTTP/1.1 200 OK"] * 20 + [
    b"HTTP/1.0 200 OK", b"HTTP/1.1 204 N", b"HTTP/1.1 304 N", b"HTTP/1.1 404", b"HTTP/1.1 599 \xe9",
    b"HTTP/1.1 101 S", b"HTTP/2.0 200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1  200 OK", b"",
]
BODIES = [
    b"hello", b"", b"hello!", b"hell", b"5\r\nhello\r\n0\r\n\r\n", b"0\r\n\r\n", b"0\r\nA: b\r\n\r\n",
    b"5;a=\"b;\\\"\" ; c\r\nhello\r\n00\r\nA:\r\nB: c\r\n\r\n", b"2\r\nhi\r\n3\r\n!\r\n\r\n0\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"5 \r\nhello\r\n",
    b"A\r\n0123456789\r\n0\r\n\r\n", b"fffffffffffffff0\r\nx", b"5\r\nhello\r\n",
]
FRAMINGS = [
    *[(b"Content-Length: 5", BODIES[:1])] * 4, *[(b"Content-Length: 0", [b""])] * 2,
    *[(b"Transfer-Encoding: chunked", BODIES[4:9])] * 6, (b"", BODIES[:4]),
    *[(line, BODIES) for line in LINES[:11]],
]
INSERTED = [b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b"0", b",", b":", b";", b"\xff", b"\"", b"\\",
            b"=", b"\x7f", b"\x0b", b"chunked", b"5"]


def random_response(dice):
    wire = b""
    if dice.random() < 0.15:
        wire = dice.choice([b"HTTP/1.1 100 C\r\n\r\n", b"HTTP/1.1 103 E\r\nContent-Length: 9\r\n\r\n"])
    framing, good = dice.choice(FRAMINGS)
    lines = [dice.choice(LINES[11:18]) for _ in range(dice.randrange(3))] + [framing] * bool(framing)
    if dice.random() < 0.1:
        lines.append(dice.choice(LINES))
    dice.shuffle(lines)
    wire += b"\r\n".join([dice.choice(STARTS), *lines, b"", b""])
    wire += dice.choice(good) if dice.random() < 0.85 else dice.choice(BODIES)
    if dice.random() < 0.4:
        return wire
    wire = bytearray(wire)
    for _ in range(dice.randrange(1, 3)):
        at = dice.randrange(len(wire) + 1)
        match dice.randrange(4):
            case 0:
                wire[at:at + 1] = bytes([dice.randrange(256)])
            case 1:
                del wire[at:at + dice.randrange(1, 4)]
            case 2:
                wire[at:at] = dice.choice(INSERTED)
            case 3:
                wire[at:at + 1] = dice.choice(INSERTED)
    return bytes(wire)


class Trial:
    def __init__(self, number, seed):
        dice = random.Random(f"{seed}/{number}")
        self.wire = random_response(dice)
        self.method = "HEAD" if dice.random() < 0.1 else "GET"
        self.connection = None
        self.wanted, self.codes = None, None
        try:
            self.wanted = read(self.wire, self.method == "HEAD")
            self.ends = self.wanted["needs_end"]
        except Bad as bad:
            self.codes = bad.args
            self.ends = True
        cuts = sorted(dice.randrange(len(self.wire) + 1) for _ in range(dice.randrange(4)))
        self.pieces = [self.wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(self.wire)])]

    def complaint(self, result, after_connection):
        if self.codes:
            if result["ok"] or result["error"]["code"] not in self.codes:
                return f"{result}, not {self.codes}"
            return None
        if not result["ok"]:
            return f"refused: {result}, not {self.wanted}"
        if body(result) != self.wanted["body"]:
            return f"body {body(result)}, not {self.wanted['body']}"
        for key in ("status", "reason", "headers", "trailers"):
            if result[key] != self.wanted[key]:
                return f"{key} {result[key]}, not {self.wanted[key]}"
        kept = after_connection == self.connection
        if self.wanted["reused"] is not None and kept != self.wanted["reused"]:
            return f"kept {kept}, not {self.wanted['reused']}"
        return None


def run(seed, count):
    """The complaints of that many trials."""
    trials = [Trial(number, seed) for number in range(count)]
    problems = []

    def answer(connection, heard):
        if heard.target.startswith("/after"):
            connection.send(ok(heard.target.encode()))
            return
        trial = trials[int(heard.target[1:])]
        trial.connection = connection.number
        for piece in trial.pieces:
            if piece:
                connection.send(piece)
        if trial.ends:
            connection.close()

    with Origin(answer) as origin, Session() as session:
        for number, trial in enumerate(trials):
            result = session.ask(id=number, url=origin.url(f"/{number}"), method=trial.method,
                                 timeout_ms=2000)
            if trial.method == "GET" or trial.codes or trial.wanted["reused"] is False:
                time.sleep(0.0002)
            after = session.ask(id=-1, url=origin.url(f"/after{number}"), timeout_ms=2000)
            wrong = trial.complaint(result, origin.heard[-1].connection)
            if not after["ok"] or body(after) != b"/after%d" % number:
                wrong = f"{wrong}; the next response was poisoned: {after}"
            if wrong:
                problems.append(f"trial {number} {trial.method} {trial.wire!r}: {wrong}")
    return problems


if __name__ == "__main__":
    command.BINARY = sys.argv[1]
    found = run(*(sys.argv[2:3] or ["0"]), int((sys.argv[3:4] or ["2000"])[0]))
    print("\n".join(found[:20]) or "ok")
    print(len(found), "disagreements")
