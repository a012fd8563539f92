"""Responses, byte for byte (RFC 9112): accepted, refused, and what becomes of the connection."""

from command import Session, body, check, equal, failed, holds
from origin import Origin, ok


class Case:
    """An answer under a path of its own. After each, `/after` is asked for: its answer must be its
    own, on the same connection or on another one as `reused` says."""

    def __init__(self, name, answer, end=None, reused=None, method="GET", **wanted):
        self.name, self.answer, self.end, self.reused = name, answer, end, reused
        self.method, self.wanted = method, wanted

    def say(self, connection):
        pieces = self.answer if isinstance(self.answer, list) else [self.answer]
        for piece in pieces:
            connection.send(piece)
        if self.end is not None:
            getattr(connection, self.end)()


def run_cases(cases, piecewise=False):
    by_path = {f"/{number}": case for number, case in enumerate(cases)}

    def answer(connection, heard):
        case = by_path.get(heard.target)
        if case is None:
            connection.send(ok(b"after"))
        elif piecewise and not isinstance(case.answer, list):
            split = Case(case.name, [bytes([b]) for b in case.answer], case.end)
            split.say(connection)
        else:
            case.say(connection)

    with Origin(answer) as origin, Session() as session:
        for path, case in by_path.items():
            before = origin.accepted
            try:
                judge(case, session.ask(id=case.name, url=origin.url(path), method=case.method))
                used = origin.accepted
                after = session.ask(id="after", url=origin.url("/after"))
                equal((after["ok"], body(after)), (True, b"after"), "the next response")
                if case.reused is not None:
                    equal(origin.accepted == used, case.reused, "the connection was kept")
                holds(origin.accepted - before <= 2, "more connections than needed")
            except AssertionError as error:
                raise AssertionError(f"{case.name}: {error}") from None


def judge(case, result):
    wanted = case.wanted
    if "code" in wanted:
        codes = wanted["code"] if isinstance(wanted["code"], tuple) else (wanted["code"],)
        holds(not result["ok"] and result["error"]["code"] in codes, f"{result}, not {codes}")
        if "phase" in wanted:
            equal(result["error"]["phase"], wanted["phase"], f"phase of {result}")
        return
    holds(result["ok"], f"{result}")
    equal(result["status"], wanted.get("status", 200), "status")
    equal(body(result), wanted.get("body", b""), "body")
    for key in ("reason", "version", "headers", "trailers"):
        if key in wanted:
            equal(result[key], wanted[key], key)


def head(*lines, status=b"HTTP/1.1 200 OK"):
    return b"\r\n".join([status, *lines, b"", b""])


WHOLE = [
    Case("length", head(b"Content-Length: 5") + b"hello", body=b"hello", reused=True),
    Case("length 0", head(b"Content-Length: 0"), reused=True),
    Case("an empty reason", head(b"Content-Length: 0", status=b"HTTP/1.1 200 "), reason=""),
    Case("a long reason", head(b"Content-Length: 0", status=b"HTTP/1.1 404 Not  \tFound\xff"),
         status=404, reason="Not  \tFound\u00ff", reused=True),
    Case("an unknown status", head(b"Content-Length: 1", status=b"HTTP/1.1 599 x") + b"y",
         status=599, body=b"y", reused=True),
    Case("fields", head(b"B: 1", b"a:2", b"A:\t 3 \t", b"b:", b"E: \xe9\xff", b"Content-Length: 0"),
         headers=[["B", "1"], ["a", "2"], ["A", "3"], ["b", ""], ["E", "\u00e9\u00ff"],
                  ["Content-Length", "0"]], reused=True),
    Case("204", head(status=b"HTTP/1.1 204 No Content"), status=204, reused=True),
    Case("304", head(b"Content-Length: 9", status=b"HTTP/1.1 304 Not Modified"), status=304,
         reused=True),
    Case("HEAD", head(b"Content-Length: 9"), method="HEAD", reused=True),
    Case("HEAD chunked", head(b"Transfer-Encoding: chunked"), method="HEAD", reused=True),
    Case("interim", head(status=b"HTTP/1.1 100 Continue")
         + head(b"Link: x", status=b"HTTP/1.1 103 E") + head(b"Content-Length: 2") + b"ok",
         body=b"ok", reused=True),
    Case("chunked", head(b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
         body=b"hello!", trailers=[], reused=True),
    Case("chunked, upper case", head(b"TRANSFER-ENCODING: CHUNKED")
         + b"0A\r\n0123456789\r\n00\r\n\r\n", body=b"0123456789", reused=True),
    Case("chunk extensions", head(b"Transfer-Encoding: chunked")
         + b"3;a=b;c=\"d;e\"\r\nabc\r\n0;x\r\n\r\n", body=b"abc", reused=True),
    Case("trailers", head(b"Transfer-Encoding: chunked")
         + b"3\r\nabc\r\n0\r\nX-Sum: 9\r\nx-e: \xe9\r\n\r\n", body=b"abc",
         trailers=[["X-Sum", "9"], ["x-e", "\u00e9"]], reused=True),
    Case("connection: close", head(b"Connection: close", b"Content-Length: 2") + b"ok", body=b"ok",
         reused=False),
    Case("connection: a list", head(b"Connection: x, Close", b"Content-Length: 2") + b"ok",
         body=b"ok", reused=False),
    Case("HTTP/1.0", head(b"Content-Length: 2", status=b"HTTP/1.0 200 OK") + b"ok",
         body=b"ok", version="HTTP/1.0", reused=False),
]

ENDED = [
    Case("until close", head() + b"to the end", end="close", body=b"to the end", reused=False),
    Case("until close, empty", head(), end="close", reused=False),
    Case("until close, 1.0", head(status=b"HTTP/1.0 200 OK") + b"x", end="close", body=b"x",
         reused=False),
    Case("bytes after a length", head(b"Content-Length: 2") + b"okHTTP/1.1 200 OK\r\n", body=b"ok",
         reused=False),
    Case("a whole response too many", ok(b"1") + ok(b"stale"), body=b"1", reused=False),
    Case("bytes after chunks", head(b"Transfer-Encoding: chunked") + b"0\r\n\r\nX", reused=False),
    Case("bytes after 204", head(status=b"HTTP/1.1 204 N") + b"body", status=204, reused=False),
    Case("a body to a HEAD", head(b"Content-Length: 4") + b"body", method="HEAD", reused=False),
]


def bad(name, answer, code="malformed-response", **more):
    return Case(name, answer, code=code, **{"reused": False, **more})


BAD_HEADS = [
    bad("no HTTP", b"hello there\r\n\r\n"),
    bad("lower case", head(b"Content-Length: 0", status=b"http/1.1 200 OK")),
    bad("version 2", head(b"Content-Length: 0", status=b"HTTP/2.0 200 OK")),
    bad("version 1.10", head(b"Content-Length: 0", status=b"HTTP/1.10 200 OK")),
    bad("a status of two digits", head(b"Content-Length: 0", status=b"HTTP/1.1 20 OK")),
    bad("a status of four digits", head(b"Content-Length: 0", status=b"HTTP/1.1 2000 OK")),
    bad("a status of letters", head(b"Content-Length: 0", status=b"HTTP/1.1 2x0 OK")),
    bad("a status below 100", head(b"Content-Length: 0", status=b"HTTP/1.1 099 OK")),
    bad("two spaces", head(b"Content-Length: 0", status=b"HTTP/1.1  200 OK")),
    bad("a space before the colon", head(b"A : b", b"Content-Length: 0")),
    bad("a folded line", head(b"A: b", b" c", b"Content-Length: 0")),
    bad("a first line that begins with a space", head(b" A: b", b"Content-Length: 0")),
    bad("no colon", head(b"nonsense", b"Content-Length: 0")),
    bad("no name", head(b": b", b"Content-Length: 0")),
    bad("NUL in a value", head(b"A: b\x00c", b"Content-Length: 0")),
    bad("NUL in a name", head(b"A\x00: b", b"Content-Length: 0")),
    bad("CR in a value", head(b"A: b\rc", b"Content-Length: 0")),
    bad("NUL in the reason", head(b"Content-Length: 0", status=b"HTTP/1.1 200 \x00")),
    bad("a name with a control", head(b"A\x7f: b", b"Content-Length: 0")),
]

BAD_FRAMING = [
    bad("length and chunked", head(b"Content-Length: 3", b"Transfer-Encoding: chunked")
        + b"3\r\nabc\r\n0\r\n\r\n"),
    bad("two lengths", head(b"Content-Length: 3", b"Content-Length: 4") + b"abcd"),
    bad("two lengths in one", head(b"Content-Length: 3, 4") + b"abcd"),
    bad("chunked twice", head(b"Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n"),
    bad("chunked in HTTP/1.0", head(b"Transfer-Encoding: chunked", status=b"HTTP/1.0 200 OK")
        + b"0\r\n\r\n"),
] + [
    bad(f"length {value}", head(b"Content-Length: " + value) + b"abc")
    for value in (b"+3", b"-3", b"3a", b"0x3", b"3 3", b"", b"3.0", b"9" * 30, b"\xb3")
] + [
    bad(f"chunk {line}", head(b"Transfer-Encoding: chunked") + line + b"\r\nabc\r\n0\r\n\r\n")
    for line in (b"+3", b"-3", b"0x3", b"3g", b"", b" 3", b"f" * 17, b";a=b", b"3\x00", b"3\r")
] + [
    bad("a chunk longer than it says", head(b"Transfer-Encoding: chunked")
        + b"3\r\nabcd\r\n0\r\n\r\n"),
    bad("a chunk without its CRLF", head(b"Transfer-Encoding: chunked") + b"3\r\nabc0\r\n\r\n"),
    bad("a bad trailer", head(b"Transfer-Encoding: chunked") + b"0\r\nbad line\r\n\r\n"),
]

CUT = [
    Case("nothing", b"", end="close", code="closed-before-response", reused=False),
    Case("half a length", head(b"Content-Length: 9") + b"half", end="close",
         code="truncated-body", phase="body"),
    Case("no body at all", head(b"Content-Length: 9"), end="close", code="truncated-body"),
    Case("half a chunk", head(b"Transfer-Encoding: chunked") + b"5\r\nhel", end="close",
         code="truncated-body", phase="body"),
    Case("chunks without a last", head(b"Transfer-Encoding: chunked") + b"3\r\nabc\r\n",
         end="close", code="truncated-body"),
    Case("half a last chunk", head(b"Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n",
         end="close", code="truncated-body"),
    Case("half a head", b"HTTP/1.1 200 OK\r\nContent-Le", end="close",
         code=("malformed-response", "closed-before-response", "truncated-head")),
    Case("a reset", b"", end="reset", code=("reset", "closed-before-response")),
    Case("a reset in the body", head(b"Content-Length: 9") + b"half", end="reset",
         code=("reset", "truncated-body")),
]

LIMITS = [
    bad("a field of 70 KiB", head(b"A: " + b"x" * 70_000, b"Content-Length: 0"), "head-too-large"),
    bad("300 fields", head(*[b"A: b"] * 300, b"Content-Length: 0"), "head-too-large"),
    bad("an endless status line", b"HTTP/1.1 200 " + b"x" * 70_000,
        ("head-too-large", "malformed-response")),
    bad("an endless head", head() [:-2] + b"A: b\r\n" * 20_000, "head-too-large"),
    bad("20 interim responses", head(status=b"HTTP/1.1 103 E") * 20 + ok(),
        ("malformed-response", "head-too-large", "too-many-interim-responses")),
    bad("a length above the cap", head(b"Content-Length: 99999999999"), "body-too-large"),
    bad("chunks above the cap", [head(b"Transfer-Encoding: chunked")]
        + [b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"] * 65 + [b"0\r\n\r\n"], "body-too-large"),
]


@check
def whole_responses_come_out_whole_and_keep_the_connection():
    run_cases(WHOLE)


@check
def whole_responses_in_single_bytes_come_out_the_same():
    run_cases(WHOLE, piecewise=True)


@check
def left_over_bytes_never_poison_the_next_response():
    run_cases(ENDED)


@check
def malformed_heads_are_refused_and_close():
    run_cases(BAD_HEADS)


@check
def malformed_framing_is_refused_and_closes():
    run_cases(BAD_FRAMING)


@check
def malformed_responses_in_single_bytes_are_refused_too():
    run_cases(BAD_HEADS + BAD_FRAMING, piecewise=True)


@check
def responses_cut_short_say_where():
    run_cases(CUT)


@check
def limits_hold():
    run_cases(LIMITS)


@check
def a_response_after_a_late_interim_one_is_not_taken_for_the_next():
    with Origin(lambda c, h: c.send(ok(h.target.encode()))) as origin, Session() as session:
        for number in range(20):
            result = session.ask(id=number, url=origin.url(f"/{number}"))
            equal(body(result), b"/%d" % number, "body")


@check
def an_answer_before_the_request_is_not_believed():
    """Bytes on an idle connection close it."""
    import time

    def answer(connection, heard):
        connection.send(ok(heard.target.encode()))
        if heard.target == "/1":
            time.sleep(0.1)
            connection.send(ok(b"unasked"))

    with Origin(answer) as origin, Session() as session:
        equal(body(session.ask(id=1, url=origin.url("/1"))), b"/1", "body")
        time.sleep(0.3)
        equal(body(session.ask(id=2, url=origin.url("/2"))), b"/2", "body")
        equal(origin.accepted, 2, "connections")


@check
def a_failure_after_the_head_is_no_result_with_a_status():
    answer = head(b"Content-Length: 9") + b"half"

    def cut(connection, heard):
        connection.send(answer)
        connection.close()

    with Origin(cut) as origin, Session() as session:
        failed(session.ask(id=1, url=origin.url()), "truncated-body", "body")
