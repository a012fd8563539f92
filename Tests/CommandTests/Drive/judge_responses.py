"""Responses and what must become of each: one row a case (RFC 9112 sections 2 to 9, RFC 9110)."""

import threading

LINE = b"HTTP/1.1 200 OK\r\n"
ZERO = b"Content-Length: 0\r\n\r\n"
CHUNKED = LINE + b"Transfer-Encoding: chunked\r\n\r\n"
MALFORMED = ("malformed-response",)
CUT = ("truncated-body",)


class Case:
    def __init__(self, name, wire, reused=None, codes=None, end=None, late=None, method="GET",
                 whole_only=False, **wanted):
        self.name, self.wire, self.reused, self.codes = name, wire, reused, codes
        self.end, self.late, self.method = end, late, method
        self.wanted = {"body": b"", "status": 200, **wanted} if not codes else {}
        size = 1 << 20 if isinstance(wire, list) else len(wire)
        self.may_be_cut = size < 1200 and not whole_only

    def reset(self, pieces):
        self.pieces = pieces
        self.connection, self.times = None, 0
        self.told, self.played = threading.Event(), threading.Event()


def fine(name, wire, reused=True, **more):
    return Case(name, wire, reused, **more)


def bad(name, wire, codes=MALFORMED, reused=False, **more):
    return Case(name, wire, reused, codes, **more)


def shown(data):
    text = data.decode("latin-1").encode("unicode_escape").decode()
    return text if len(text) < 60 else text[:57] + "..."


def heads():
    """Status lines that are right."""
    for line, reason in (
        (b"200 OK", "OK"), (b"200 ", ""), (b"200  OK", " OK"), (b"200 O  K ", "O  K "),
        (b"200 a\tb", "a\tb"), (b"200 \xe9\xff", "\u00e9\u00ff"),
        (b"200 caf\xc3\xa9", "caf\u00c3\u00a9"), (b"200 :;,\"()<>@", ":;,\"()<>@"),
        (b"200 HTTP/1.1 200 OK", "HTTP/1.1 200 OK"),
    ):
        yield fine(f"status line {shown(line)}", b"HTTP/1.1 " + line + b"\r\n" + ZERO,
                   reason=reason)
    for status in (200, 201, 202, 203, 205, 206, 207, 226, 299, 300, 301, 302, 303, 307, 308, 400,
                   401, 404, 407, 408, 413, 418, 421, 426, 429, 451, 499, 500, 501, 503, 511, 599,
                   600, 777, 999):
        yield fine(f"status {status}", b"HTTP/1.1 %d X\r\n" % status + ZERO, status=status)
    yield fine("no space behind the status", b"HTTP/1.1 200\r\n" + ZERO, reason="")
    yield fine("version 1.2", b"HTTP/1.2 200 OK\r\n" + ZERO, reused=None)
    yield fine("version 1.9", b"HTTP/1.9 200 OK\r\n" + ZERO, reused=None)


def bad_heads():
    for line in (
        b"", b"\r\nHTTP/1.1 200 OK", b"\nHTTP/1.1 200 OK", b" HTTP/1.1 200 OK", b"HTTP/1.1",
        b"HTTP/1.1 ", b"HTTP/1.1 20", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 2OO OK",
        b"HTTP/1.1 +20 OK", b"HTTP/1.1 -20 OK", b"HTTP/1.1 2.0 OK", b"HTTP/1.1  200 OK",
        b"HTTP/1.1\t200 OK", b"HTTP/1.1 200\tOK", b"HTTP/1.1 200OK", b"HTTP/1.1200 OK",
        b"HTTP/1.1 000 OK", b"HTTP/1.1 099 OK", b"HTTP/1.1 OK", b"HTTP/1.1 OK 200",
        b"http/1.1 200 OK", b"Http/1.1 200 OK", b"HTTP /1.1 200 OK", b"HTTP/ 1.1 200 OK",
        b"HTTP/1 200 OK", b"HTTP/1. 200 OK", b"HTTP/.1 200 OK", b"HTTP/1.10 200 OK",
        b"HTTP/01.1 200 OK", b"HTTP/1.01 200 OK", b"HTTP/2.0 200 OK", b"HTTP/2 200 OK",
        b"HTTP/0.9 200 OK", b"HTTP/3.0 200 OK", b"HTTP/1,1 200 OK", b"HTTP/1.x 200 OK",
        b"HTTP-1.1 200 OK", b"HTTPS/1.1 200 OK", b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 O\rK",
        b"HTTP/1.1 200 O\x0bK", b"HTTP/1.1 200 O\x7fK", b"HTTP/1.1 200 O\x1bK",
        b"ICY 200 OK", b"SIP/2.0 200 OK", b"GET / HTTP/1.1", b"<html>", b"hello world, again",
        b"\x16\x03\x01\x02\x00\x01\x00", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00",
        b"SSH-2.0-OpenSSH_9.2", b"220 ready", b"HTTP/1.1 200\x00OK", b"HTTP/1.1 200\x0cOK",
        b"\xef\xbb\xbfHTTP/1.1 200 OK", b"HTTP/1.1 101 Switching Protocols",
        b"HTTP/1.1\x00200 OK", b"HTTP/1.1\xa0200 OK", b"HTTP/1.1 200\xa0OK", b"HTTP/1.1 2 0 OK",
        b"HTTP/1.1 \xb2\xb0\xb0 OK", b"HTTP/1.1 0x1 OK", b"HTTP/11 200 OK", b"HTTP/1.1.1 200 OK",
    ):
        yield bad(f"status line {shown(line)}", line + b"\r\n" + ZERO)
    yield bad("a status line that ends in LF", b"HTTP/1.1 200 OK\n" + ZERO)
    yield bad("a whole head of LF", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n")
    yield bad("a whole head of CR", b"HTTP/1.1 200 OK\rContent-Length: 0\r\r")
    yield bad("LF CR", b"HTTP/1.1 200 OK\n\rContent-Length: 0\n\r\n\r")
    yield bad("CR CR LF", b"HTTP/1.1 200 OK\r\r\n" + ZERO)


TOKENS = b"!#$%&'*+-.^_`|~0123456789abcXYZ"


def fields():
    for lines, wanted in (
        (b"A: b", [["A", "b"]]), (b"A:b", [["A", "b"]]), (b"A:", [["A", ""]]),
        (b"A:   ", [["A", ""]]), (b"A:\t b\t ", [["A", "b"]]), (b"A: b c", [["A", "b c"]]),
        (b"A: b\t\tc", [["A", "b\t\tc"]]), (b"A: :", [["A", ":"]]), (b"A::b", [["A", ":b"]]),
        (b"a: 1\r\nA: 2\r\na: 3", [["a", "1"], ["A", "2"], ["a", "3"]]),
        (b"Z: 1\r\nY: 2\r\nX: 3", [["Z", "1"], ["Y", "2"], ["X", "3"]]),
        (b"A: \x80\xa0\xff", [["A", "\u0080\u00a0\u00ff"]]),
        (b"A: \xa0", [["A", "\u00a0"]]), (b"A: \x85x\x85", [["A", "\u0085x\u0085"]]),
        (b"A: caf\xc3\xa9", [["A", "caf\u00c3\u00a9"]]),
        (b"A: \"quoted \\\" pair\"", [["A", "\"quoted \\\" pair\""]]),
        (b"A: (comment)", [["A", "(comment)"]]), (b"A: \\", [["A", "\\"]]),
        (TOKENS + b": x", [[TOKENS.decode(), "x"]]),
        (b"Set-Cookie: a=1\r\nSet-Cookie: b=2", [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]),
        (b"Content-Encoding: identity", [["Content-Encoding", "identity"]]),
        (b"Trailer: X", [["Trailer", "X"]]), (b"Upgrade: h2c", [["Upgrade", "h2c"]]),
        (b"Date: not a date", [["Date", "not a date"]]),
        (b"Content-Length-X: 9", [["Content-Length-X", "9"]]),
        (b"X-Content-Length: 9", [["X-Content-Length", "9"]]),
        (b"Content_Length: 9", [["Content_Length", "9"]]),
        (b"X: " + b"v" * 8000, [["X", "v" * 8000]]), (b"N" * 900 + b": v", [["N" * 900, "v"]]),
    ):
        yield fine(f"field {shown(lines)}", LINE + lines + b"\r\n" + ZERO,
                   headers=wanted + [["Content-Length", "0"]])
    for byte in list(range(0x20, 0x7F)) + [0x09, 0x80, 0x9F, 0xFF]:
        value = b"x%cy" % byte
        yield fine(f"byte {byte:#04x} in a value", LINE + b"A: " + value + b"\r\n" + ZERO,
                   headers=[["A", value.decode("latin-1")], ["Content-Length", "0"]],
                   whole_only=True)


def bad_fields():
    for lines in (
        b"A : b", b"A\t: b", b" A: b", b"\tA: b", b"A: b\r\n c", b"A: b\r\n\tc", b"A: b\r\n ",
        b"A", b"A b", b"A b: c", b": b", b":", b"A\xe9: b", b"A(: b", b"A,: b", b"A/: b",
        b"A@: b", b"A[: b", b"A{: b", b"A\": b", b"A;: b", b"A=: b", b"A?: b", b"A\\: b",
        b"A<: b", b"A: b\nB: c", b"A: b\n", b"A: b\rB: c", b"A: b\r\r", b"A: b\r\n\rB: c",
        b"\nA: b", b"A: b\n c", b"A\r: b", b"A\r\n: b", b"A\n: b", b"A: \rb", b"A: b\r",
        b"Content-Length : 5", b"Transfer-Encoding : chunked", b"\x0bA: b", b"\x0cA: b",
        b"A:\x0bb", b"A: b\x0c", b"Content-Length:\x0b0", b"HTTP/1.1 200 OK",
    ):
        yield bad(f"field {shown(lines)}", LINE + lines + b"\r\n" + ZERO)
    for byte in [b for b in range(0x20) if b not in (9, 10, 13)] + [0x7F]:
        yield bad(f"byte {byte:#04x} in a value", LINE + b"A: x%cy\r\n" % byte + ZERO,
                  whole_only=True)
        yield bad(f"byte {byte:#04x} in a name", LINE + b"A%cB: x\r\n" % byte + ZERO,
                  whole_only=True)
    yield bad("an empty line of LF", LINE + b"Content-Length: 0\r\n\n")
    yield bad("an empty line of LF behind LF", LINE + b"Content-Length: 0\n\n")


def lengths():
    for value in (b"5", b"05", b"0000000000000000000000000005", b" 5", b"\t5\t", b"5  ", b"5,5",
                  b"5, 5", b"5 ,\t5 , 5", b"5\r\nContent-Length: 5", b"5\r\ncontent-length:5"):
        yield fine(f"length {shown(value)}", LINE + b"Content-Length:" + value + b"\r\n\r\nhello",
                   body=b"hello")
    yield fine("a length's body holds a response", LINE + b"Content-Length: 19\r\n\r\n"
               + LINE + b"\r\n", body=LINE + b"\r\n")
    yield fine("a body of NUL", LINE + b"Content-Length: 3\r\n\r\n\0\r\n", body=b"\0\r\n")
    for count in (16_383, 16_384, 16_385, 65_536, 131_072, 1_000_003):
        data = bytes(range(251)) * (count // 251 + 1)
        yield fine(f"a body of {count}", LINE + b"Content-Length: %d\r\n\r\n" % count
                   + data[:count], body=data[:count])


def bad_lengths():
    for value in (b"", b" ", b"+5", b"-5", b"-0", b"5x", b"x5", b"0x5", b"5.0", b"5e0", b"5 5",
                  b"5;5", b"5,6", b"5, 6", b"6,5", b"5,", b",5", b"5,,5", b",", b"5,x", b"\"5\"",
                  b"'5'", b"5_0", b"9223372036854775808", b"18446744073709551616",
                  b"18446744073709551621", b"9" * 40, b"\xb25", b"5\xa0", b"NaN", b"chunked",
                  b"5\r\nContent-Length: 6", b"5\r\nContent-Length: x", b"5\r\nContent-Length:",
                  b"x\r\nContent-Length: 5", b"0\r\nContent-Length: 5", b"1 2", b"(5)", b"5\t5"):
        yield bad(f"length {shown(value)}", LINE + b"Content-Length: " + value + b"\r\n\r\nhello")
    for value in (b"67108865", b"99999999999", b"9223372036854775807"):
        yield bad(f"length {shown(value)}", LINE + b"Content-Length: " + value + b"\r\n\r\nhello",
                  ("body-too-large",))


def encodings():
    for value in (b"chunked", b"Chunked", b"CHUNKED", b"\tchunked ", b"chunked\t"):
        yield fine(f"encoding {shown(value)}", LINE + b"Transfer-Encoding:" + value
                   + b"\r\n\r\n2\r\nhi\r\n0\r\n\r\n", body=b"hi")
    for value in (b"chunked, chunked", b"chunked\r\nTransfer-Encoding: chunked", b"identity",
                  b"gzip", b"gzip, chunked", b"chunked, gzip", b"chunked, identity",
                  b"identity, chunked", b"xchunked", b"chunkedx", b"chunked;q=1", b"chunked;a",
                  b"\"chunked\"", b"'chunked'", b"chun ked", b"chunked\xa0", b"\xa0chunked",
                  b"c\xe8unked", b"", b"nothing", b"chunked\r\nTransfer-Encoding: identity",
                  b"identity\r\nTransfer-Encoding: chunked", b"chunke\xc4\xb1", b"x",
                  b"chunked/1", b"chunked chunked", b"[chunked]"):
        yield bad(f"encoding {shown(value)}", LINE + b"Transfer-Encoding: " + value
                  + b"\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
    both = b"2\r\nhi\r\n0\r\n\r\n"
    yield bad("length, chunked", LINE + b"Content-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\n"
              + both)
    yield bad("chunked, length", LINE + b"Transfer-Encoding: chunked\r\nContent-Length: 12\r\n\r\n"
              + both)
    yield bad("chunked, length 0", LINE + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"
              + both)
    yield bad("chunked, bad length", LINE + b"Transfer-Encoding: chunked\r\nContent-Length: x\r\n"
              b"\r\n" + both)
    yield bad("chunked in 1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + both)
    yield bad("chunked in 1.0, kept", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
              b"Transfer-Encoding: chunked\r\n\r\n" + both)


def chunks():
    for wire, wanted in (
        (b"0\r\n\r\n", b""), (b"00000000\r\n\r\n", b""), (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"0005\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"00000000000000000000005\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"1a\r\n" + b"x" * 26 + b"\r\n0\r\n\r\n", b"x" * 26),
        (b"1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", b"abcdef"),
        (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n"), (b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
        (b"1;a\r\nx\r\n0\r\n\r\n", b"x"), (b"1;a=b\r\nx\r\n0\r\n\r\n", b"x"),
        (b"1;a=\"b\"\r\nx\r\n0\r\n\r\n", b"x"), (b"1;a=\"b;c \\\" d\"\r\nx\r\n0\r\n\r\n", b"x"),
        (b"1;a;b;c=d\r\nx\r\n0;e\r\n\r\n", b"x"), (b"1 ; a = b\r\nx\r\n0\r\n\r\n", b"x"),
        (b"1\t;a\r\nx\r\n0\r\n\r\n", b"x"), (b"1;a=\"\"\r\nx\r\n0\r\n\r\n", b"x"),
        (b"1;" + b"e" * 300 + b"\r\nx\r\n0\r\n\r\n", b"x"),
    ):
        yield fine(f"chunks {shown(wire)}", CHUNKED + wire, body=wanted, trailers=[])
    for wire, wanted in (
        (b"A: b", [["A", "b"]]), (b"A: b\r\na: c\r\nB:", [["A", "b"], ["a", "c"], ["B", ""]]),
        (b"A: \xe9", [["A", "\u00e9"]]), (b"Content-Length: 99", [["Content-Length", "99"]]),
        (b"Transfer-Encoding: x", [["Transfer-Encoding", "x"]]),
        (b"A:\t b \t", [["A", "b"]]), (b"Connection: close", [["Connection", "close"]]),
    ):
        # Fields that must not be trailers may be dropped or kept; they change nothing.
        kept = {} if wire[:2] in (b"Co", b"Tr") else {"trailers": wanted}
        yield fine(f"trailer {shown(wire)}", CHUNKED + b"2\r\nhi\r\n0\r\n" + wire + b"\r\n\r\n",
                   reused=None if b"close" in wire else True, body=b"hi", **kept)


def bad_chunks():
    for wire in (
        b"\r\n", b"x\r\nx\r\n0\r\n\r\n", b"g\r\n", b"-1\r\nx\r\n0\r\n\r\n",
        b"+1\r\nx\r\n0\r\n\r\n", b"0x1\r\nx\r\n0\r\n\r\n", b"1h\r\nx\r\n0\r\n\r\n",
        b" 1\r\nx\r\n0\r\n\r\n", b"1 \r\nx\r\n0\r\n\r\n", b"1\t\r\nx\r\n0\r\n\r\n",
        b"1 1\r\nx\r\n0\r\n\r\n", b"1.0\r\nx\r\n0\r\n\r\n", b"1_0\r\nx\r\n0\r\n\r\n",
        b"\"1\"\r\nx\r\n0\r\n\r\n", b"1,\r\nx\r\n0\r\n\r\n", b"1\nx\r\n0\r\n\r\n",
        b"1\rx\r\n0\r\n\r\n", b"1\r\r\nx\r\n0\r\n\r\n", b"1\n\rx\r\n0\r\n\r\n",
        b"1\x00\r\nx\r\n0\r\n\r\n", b"1\r\nx\n0\r\n\r\n", b"1\r\nx0\r\n\r\n",
        b"1\r\nxy\r\n0\r\n\r\n", b"1\r\nx\r0\r\n\r\n", b"1\r\nx\r\r\n0\r\n\r\n",
        b"2\r\nx\r\n0\r\n\r\n", b"1\r\nx\r\n\r\n0\r\n\r\n", b"1\r\n\r\nx\r\n0\r\n\r\n",
        b"1;\r\nx\r\n0\r\n\r\n", b"1;a=\r\nx\r\n0\r\n\r\n", b"1;=b\r\nx\r\n0\r\n\r\n",
        b"1;a=\"b\r\nx\r\n0\r\n\r\n", b"1;a=b\"\r\nx\r\n0\r\n\r\n", b"1;a\nx\r\n0\r\n\r\n",
        b"1;a\rx\r\n0\r\n\r\n", b"1;a=\"\n\"\r\nx\r\n0\r\n\r\n", b"1;a=\"\r\n\"\r\nx\r\n0\r\n\r\n",
        b"1;a b\r\nx\r\n0\r\n\r\n", b"1;;a\r\nx\r\n0\r\n\r\n", b"1;a=b=c\r\nx\r\n0\r\n\r\n",
        b"1;a=\x00\r\nx\r\n0\r\n\r\n", b"1;\xe9\r\nx\r\n0\r\n\r\n", b"1;a(\r\nx\r\n0\r\n\r\n",
        b"1 a\r\nx\r\n0\r\n\r\n", b"1a;\r\n" + b"x" * 26 + b"\r\n0\r\n\r\n",
        b"8000000000000000\r\nx\r\n0\r\n\r\n", b"ffffffffffffffff\r\nx\r\n0\r\n\r\n",
        b"10000000000000001\r\nx\r\n0\r\n\r\n", b"f" * 40 + b"\r\nx\r\n0\r\n\r\n",
        b"100000000000000000000000000000001\r\nx\r\n0\r\n\r\n", b"\xb1\r\nx\r\n0\r\n\r\n",
        b"0\n\r\n", b"0\r\n\n", b"0\r\n\r\r\n", b"0 \r\n\r\n", b"00x\r\n\r\n",
        b"0\r\nA : b\r\n\r\n", b"0\r\n A: b\r\n\r\n", b"0\r\nA: b\r\n c\r\n\r\n",
        b"0\r\nA\r\n\r\n", b"0\r\n: b\r\n\r\n", b"0\r\nA: b\nB: c\r\n\r\n", b"0\r\nA: b\n\n",
        b"0\r\nA: \x00\r\n\r\n", b"0\r\nA: b\rc\r\n\r\n", b"0\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"0\r\nA\x00: b\r\n\r\n",
    ):
        yield bad(f"chunks {shown(wire)}", CHUNKED + wire)


def bodiless():
    stray = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"
    for status in (204, 304):
        line = b"HTTP/1.1 %d X\r\n" % status
        yield fine(f"{status}", line + b"\r\n", status=status)
        yield fine(f"{status} with length 0", line + ZERO, status=status)
        kept = None if status == 204 else True
        yield fine(f"{status} with a length", line + b"Content-Length: 5\r\n\r\n", reused=kept,
                   status=status)
        yield fine(f"{status} with chunked", line + b"Transfer-Encoding: chunked\r\n\r\n",
                   reused=None, status=status)
        yield fine(f"{status} with a body", line + b"Content-Length: 5\r\n\r\nhello",
                   reused=False, status=status, whole_only=True)
        yield fine(f"{status} with chunks", line + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   reused=False, status=status, whole_only=True)
        yield fine(f"{status} with a late body", line + b"Content-Length: 5\r\n\r\n", reused=False,
                   status=status, late=b"hello")
        yield fine(f"{status} with a stray response", line + b"\r\n" + stray, reused=False,
                   status=status, whole_only=True)
        yield fine(f"{status} that closes", line + b"Connection: close\r\n\r\n", reused=False,
                   status=status)
        yield fine(f"{status} in 1.0", b"HTTP/1.0 %d X\r\n\r\n" % status, reused=False,
                   status=status)
    for lines in (b"", b"Content-Length: 0\r\n", b"Content-Length: 5\r\n",
                  b"Content-Length: 99999999999\r\n", b"Transfer-Encoding: chunked\r\n",
                  b"Content-Type: x\r\n"):
        for status in (200, 404, 206, 301):
            yield fine(f"HEAD {status} {shown(lines)}",
                       b"HTTP/1.1 %d X\r\n" % status + lines + b"\r\n", method="HEAD",
                       status=status)
    yield fine("HEAD with a body", LINE + b"Content-Length: 5\r\n\r\nhello", method="HEAD",
               reused=False, whole_only=True)
    yield fine("HEAD with a late body", LINE + b"Content-Length: 5\r\n\r\n", method="HEAD",
               reused=False, late=b"hello")
    yield fine("HEAD with a late response", LINE + b"Content-Length: 5\r\n\r\n", method="HEAD",
               reused=False, late=stray)
    yield fine("HEAD with length and chunked", LINE + b"Content-Length: 5\r\n"
               b"Transfer-Encoding: chunked\r\n\r\n", method="HEAD", reused=None)
    yield fine("HEAD, closing", LINE + b"Connection: close\r\n\r\n", method="HEAD", reused=False)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "head", "FOO"):
        yield fine(f"{method} has a body", LINE + b"Content-Length: 5\r\n\r\nhello", body=b"hello",
                   method=method)


def interim():
    final = LINE + b"Content-Length: 2\r\n\r\nok"
    for name, before in (
        ("100", b"HTTP/1.1 100 Continue\r\n\r\n"), ("100, no reason", b"HTTP/1.1 100 \r\n\r\n"),
        ("102", b"HTTP/1.1 102 Processing\r\n\r\n"),
        ("103", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"),
        ("199", b"HTTP/1.1 199 X\r\nA: b\r\n\r\n"),
        ("100 100", b"HTTP/1.1 100 C\r\n\r\n" * 2), ("sixteen", b"HTTP/1.1 100 C\r\n\r\n" * 16),
        ("100 103", b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nA: b\r\n\r\n"),
        ("1.0", b"HTTP/1.0 100 C\r\n\r\n"),
    ):
        yield fine(f"interim {name}", before + final, body=b"ok",
                   headers=[["Content-Length", "2"]])
    yield fine("interim with a length", b"HTTP/1.1 100 C\r\nContent-Length: 5\r\n\r\n" + final,
               reused=None, body=b"ok")
    yield fine("interim, then 204", b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 N\r\n\r\n", status=204)
    yield fine("interim, then 304", b"HTTP/1.1 103 C\r\n\r\nHTTP/1.1 304 N\r\n\r\n", status=304)
    yield fine("interim to HEAD", b"HTTP/1.1 103 C\r\n\r\n" + LINE + b"Content-Length: 2\r\n\r\n",
               method="HEAD")
    yield fine("interim, then chunks", b"HTTP/1.1 100 C\r\n\r\n" + CHUNKED
               + b"2\r\nhi\r\n0\r\n\r\n", body=b"hi")
    yield fine("a late interim", [b"HTTP/1.1 100 C\r\n\r\n", 0.02, final], body=b"ok")
    yield fine("an interim behind the end", final, late=b"HTTP/1.1 100 C\r\n\r\n", reused=False,
               body=b"ok")
    yield bad("seventeen interim", b"HTTP/1.1 100 C\r\n\r\n" * 17 + final,
              ("malformed-response", "head-too-large"))
    yield bad("101", b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" + final)
    yield bad("100, then 101", b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 101 S\r\n\r\n" + final)
    yield bad("a broken interim", b"HTTP/1.1 100 C\r\nA : b\r\n\r\n" + final)
    yield bad("an interim with a body", b"HTTP/1.1 100 C\r\nContent-Length: 5\r\n\r\nhello" + final)
    ends = ("malformed-response", "closed-before-response", "truncated-body")
    yield bad("an interim and the end", b"HTTP/1.1 100 C\r\n\r\n", ends, end="close")


def persistence():
    body = b"Content-Length: 2\r\n\r\nok"
    for value, kept in (
        (b"close", False), (b"Close", False), (b"CLOSE", False), (b"keep-alive", True),
        (b"Keep-Alive", True), (b"close, keep-alive", False), (b"keep-alive, close", False),
        (b"x, close", False), (b"close,x", False), (b",close,", False), (b"\tclose ", False),
        (b"closed", True), (b"x-close", True), (b"", True), (b",", True), (b"x", True),
        (b"keep-alive\r\nConnection: close", False), (b"close\r\nConnection: keep-alive", False),
        (b"\"close\"", None), (b"close;q=1", None), (b"TE, close", False),
        (b"not close", None), (b"upgrade", True),
    ):
        yield fine(f"connection {shown(value)}", LINE + b"Connection: " + value + b"\r\n" + body,
                   reused=kept, body=b"ok")
    yield fine("proxy-connection: close", LINE + b"Proxy-Connection: close\r\n" + body, body=b"ok")
    old = b"HTTP/1.0 200 OK\r\n"
    for lines, kept in ((b"", False), (b"Connection: keep-alive\r\n", True),
                        (b"Connection: Keep-Alive\r\n", True), (b"Connection: close\r\n", False),
                        (b"Connection: keep-alive, close\r\n", False),
                        (b"Connection: x\r\n", False), (b"Keep-Alive: timeout=9\r\n", False),
                        (b"Proxy-Connection: keep-alive\r\n", False)):
        yield fine(f"1.0 {shown(lines)}", old + lines + body, reused=kept, body=b"ok",
                   version="HTTP/1.0")
    for value, kept in (
        (b"timeout=5", True), (b"timeout=5, max=100", True), (b"timeout=0", False),
        (b"timeout=1", False), (b"timeout=-1", False), (b"max=0", False), (b"max=1", True),
        (b"timeout=60", True), (b"timeout=99999999999999999999", True), (b"TIMEOUT=0", False),
        (b"timeout = 0", False), (b"timeout=0, max=5", False), (b"timeout=5, max=0", False),
        (b"nonsense", True), (b"", True), (b"timeout", True), (b"timeout=x", True), (b"=", True),
        (b"max=99999999999999999999", True), (b"timeout=5\r\nKeep-Alive: max=9", True),
    ):
        yield fine(f"keep-alive {shown(value)}", LINE + b"Keep-Alive: " + value + b"\r\n" + body,
                   reused=kept, body=b"ok")
    yield fine("close and a hint", LINE + b"Connection: close\r\nKeep-Alive: timeout=9\r\n" + body,
               reused=False, body=b"ok")


def endings():
    """Bodies that the end of the connection ends, and bytes that nobody asked for."""
    for name, head in (
        ("1.1", LINE + b"\r\n"), ("1.0", b"HTTP/1.0 200 OK\r\n\r\n"),
        ("kept 1.0", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"),
        ("keep-alive", LINE + b"Connection: keep-alive\r\n\r\n"),
        ("close", LINE + b"Connection: close\r\n\r\n"),
        ("hint", LINE + b"Keep-Alive: timeout=60\r\n\r\n"),
    ):
        for end in ("close", "finish"):
            for data in (b"", b"x", b"to the end\r\n\r\n", LINE + ZERO):
                yield fine(f"until the end, {name}, {end}, {shown(data)}", head + data,
                           reused=False, end=end, body=data)
    yield fine("a slow end", [LINE + b"\r\n", 0.01, b"a", 0.01, b"b", 0.01], end="close",
               reused=False, body=b"ab")
    big = bytes(range(256)) * 2048
    yield fine("half a MiB until the end", LINE + b"\r\n" + big, end="close", reused=False,
               body=big)
    one = LINE + b"Content-Length: 2\r\n\r\nok"
    stray = LINE + b"Content-Length: 5\r\n\r\nstale"
    for name, extra in (("CRLF", b"\r\n"), ("LF", b"\n"), ("a byte", b"x"), ("NUL", b"\0"),
                        ("a response", stray), ("two", stray * 2), ("half", stray[:20]),
                        ("many", stray * 3000)):
        for kind, first in (("length", one), ("chunks", CHUNKED + b"2\r\nok\r\n0\r\n\r\n"),
                            ("length 0", LINE + ZERO),
                            ("trailers", CHUNKED + b"2\r\nok\r\n0\r\nA: b\r\n\r\n")):
            data = b"" if kind == "length 0" else b"ok"
            yield fine(f"{name} behind {kind}", first + extra, reused=False, body=data,
                       whole_only=True)
            yield fine(f"{name} late behind {kind}", first, reused=False, body=data, late=extra,
                       whole_only=True)
    for size in (65_536, 131_072, 262_144):
        fixed = LINE + b"Content-Length: %d\r\n\r\n"
        count = size - len(fixed % size)
        yield fine(f"a stray response behind exactly {size} bytes",
                   fixed % count + b"y" * count + stray, reused=False, body=b"y" * count)
    for end in ("close", "finish", "reset"):
        # What a reset overtakes in the sender's own queue is lost: never in single bytes.
        yield fine(f"{end} behind a response", one, end=end, reused=False, body=b"ok",
                   whole_only=end == "reset")


def cuts():
    for wire, codes in (
        (b"", ("closed-before-response",)), (b"H", MALFORMED), (b"HTTP/1.1 200", MALFORMED),
        (b"HTTP/1.1 200 OK\r", MALFORMED), (LINE, MALFORMED), (LINE + b"A: b\r\n", MALFORMED),
        (LINE + b"Content-Length: 5\r\n\r", MALFORMED), (LINE + b"A", MALFORMED),
        (LINE + b"Content-Length: 5\r\n\r\n", CUT), (LINE + b"Content-Length: 5\r\n\r\nhell", CUT),
        (CHUNKED, CUT), (CHUNKED + b"5", CUT), (CHUNKED + b"5\r", CUT), (CHUNKED + b"5\r\n", CUT),
        (CHUNKED + b"5;a", CUT), (CHUNKED + b"5\r\nhel", CUT), (CHUNKED + b"5\r\nhello", CUT),
        (CHUNKED + b"5\r\nhello\r", CUT), (CHUNKED + b"5\r\nhello\r\n", CUT),
        (CHUNKED + b"5\r\nhello\r\n0", CUT), (CHUNKED + b"0\r\n", CUT), (CHUNKED + b"0\r\n\r", CUT),
        (CHUNKED + b"0\r\nA: b\r\n", CUT), (CHUNKED + b"0\r\nA: b", CUT),
        (CHUNKED + b"7fffffffffffffff\r\nx", CUT + ("body-too-large", "malformed-response")),
    ):
        early = codes if codes == CUT else codes + ("closed-before-response", "truncated-body")
        for end in ("close", "finish"):
            yield bad(f"{end} after {shown(wire)}", wire, early, end=end)
        yield bad(f"reset after {shown(wire)}", wire, early + ("reset",), end="reset",
                  whole_only=True)
    yield bad("a reset ends no body", [LINE + b"\r\nhello", 0.02], ("reset", "truncated-body"),
              end="reset")


def limits():
    def padded(size, lines=b""):
        rest = size - len(LINE) - len(lines) - len(ZERO) - 5
        return LINE + lines + b"A: " + b"x" * rest + b"\r\n" + ZERO

    large = ("head-too-large",)
    yield fine("a head of 64 KiB", padded(65_536))
    yield bad("a head of 64 KiB and 1", padded(65_537), large)
    lines = b"B: " + b"y" * 12_000 + b"\r\n"
    yield fine("a head of 64 KiB in fields", padded(65_536, lines * 5))
    yield bad("a head of 64 KiB and 1 in fields", padded(65_537, lines * 5), large)
    yield fine("a name of 60,000", LINE + b"N" * 60_000 + b": x\r\n" + ZERO)
    yield bad("a name of 70,000", LINE + b"N" * 70_000 + b": x\r\n" + ZERO, large)
    yield bad("a name without an end", LINE + b"N" * 200_000, large)
    yield bad("a value without an end", LINE + b"N: " + b"v" * 200_000, large)
    yield bad("fields without an end", LINE + b"A: b\r\n" * 50_000, large)
    yield fine("256 fields", LINE + b"A: b\r\n" * 255 + ZERO)
    yield bad("257 fields", LINE + b"A: b\r\n" * 256 + ZERO, large)
    start = b"HTTP/1.1 200 "
    yield fine("a status line of 16 KiB", start + b"r" * (16_384 - 15) + b"\r\n" + ZERO)
    yield bad("a status line of 16 KiB and 1", start + b"r" * (16_384 - 14) + b"\r\n" + ZERO, large)
    yield bad("a status line without an end", start + b"r" * 200_000, large)
    for size, codes in ((16_384, None), (16_385, large)):
        trailer = b"A: " + b"x" * (size - 7) + b"\r\n\r\n"
        wire = CHUNKED + b"2\r\nhi\r\n0\r\n" + trailer
        name = f"trailers of {size}"
        yield bad(name, wire, codes) if codes else fine(name, wire, body=b"hi")
    yield fine("256 trailers", CHUNKED + b"0\r\n" + b"A: b\r\n" * 256 + b"\r\n")
    yield bad("257 trailers", CHUNKED + b"0\r\n" + b"A: b\r\n" * 257 + b"\r\n", large)
    yield bad("trailers without an end", CHUNKED + b"0\r\n" + b"A: b\r\n" * 20_000, large)
    yield fine("a chunk extension of 4,000", CHUNKED + b"1;" + b"e" * 4_000
               + b"\r\nx\r\n0\r\n\r\n", body=b"x")
    yield bad("a chunk extension of 100,000", CHUNKED + b"1;" + b"e" * 100_000
              + b"\r\nx\r\n0\r\n\r\n", MALFORMED + large)
    yield bad("a chunk size of 100,000 zeros", CHUNKED + b"0" * 100_000 + b"\r\n\r\n",
              MALFORMED + large)
    yield fine("a thousand chunks", CHUNKED + b"1\r\nx\r\n" * 1000 + b"0\r\n\r\n",
               body=b"x" * 1000)


TABLES = {
    "heads": list(heads()), "bad heads": list(bad_heads()), "fields": list(fields()),
    "bad fields": list(bad_fields()), "lengths": list(lengths()),
    "bad lengths": list(bad_lengths()), "encodings": list(encodings()),
    "chunks": list(chunks()), "bad chunks": list(bad_chunks()), "bodiless": list(bodiless()),
    "interim": list(interim()), "persistence": list(persistence()), "endings": list(endings()),
    "cuts": list(cuts()), "limits": list(limits()),
}
