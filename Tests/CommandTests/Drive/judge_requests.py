"""Requests and the exact bytes that must leave for them, or the refusal (RFC 9110 sections 5 to 9,
RFC 9112 sections 2, 3 and 6, RFC 3986, the WHATWG encode sets)."""

import base64
import itertools
import re

IDS = itertools.count()


class Sent:
    """A line and what goes out for it; `{port}` is the origin's."""

    def __init__(self, name, line="GET / HTTP/1.1", host="127.0.0.1:{port}", fields=None, data=b"",
                 url="http://127.0.0.1:{port}/", shown=None, replaced=(), host_name="Host",
                 **members):
        self.name, self.line, self.host, self.url = name, line, host, url
        self.host_name = host_name
        self.fields, self.data, self.shown = fields or [], data, shown
        self.replaced, self.members = replaced, members

    def request(self, port):
        return {"id": next(IDS), "timeout_ms": 5000, "url": self.url.format(port=port),
                **self.members}

    def head(self, port, agent):
        lines = [self.line, f"{self.host_name}: {self.host.format(port=port)}"]
        if "user-agent" not in self.replaced:
            lines.append(f"User-Agent: {agent.decode()}")
        if "accept" not in self.replaced:
            lines.append("Accept: */*")
        lines += [f"{name}: {value}" for name, value in self.fields]
        return "\r\n".join(lines + ["", ""]).encode("latin-1")

    def complaint(self, result, heard, port, agent):
        if not result["ok"]:
            return f"refused: {result['error']}"
        if len(heard) != 1:
            return f"{len(heard)} requests"
        wanted = self.head(port, agent)
        if heard[0].head != wanted:
            return f"sent {heard[0].head!r}, not {wanted!r}"
        if heard[0].body != self.data:
            return f"body {heard[0].body!r}, not {self.data!r}"
        shown = self.shown and self.shown.format(port=port)
        if shown and result["url"] != shown:
            return f"url {result['url']}, not {shown}"
        return None


class Refused(Sent):
    """A line for which nothing may leave; `named` stands in the message."""

    def __init__(self, name, code="invalid-request", named="", **more):
        super().__init__(name, **more)
        self.code, self.named = code, named

    def complaint(self, result, heard, port, agent):
        if heard:
            return f"sent {heard[0].head!r}"
        if result["ok"] or result["error"]["code"] != self.code:
            return f"{result}, not {self.code}"
        if result["error"]["phase"] != "none":
            return f"phase {result['error']['phase']}"
        if self.named.lower() not in result["error"]["message"].lower():
            return f"{self.named} is not named: {result['error']['message']}"
        return None


def target(path, wanted, **more):
    return Sent(f"target {path[:60]!r}", f"GET {wanted} HTTP/1.1",
                url="http://127.0.0.1:{port}" + path.replace("{", "{{").replace("}", "}}"), **more)


def targets():
    for path, wanted in (
        ("", "/"), ("/", "/"), ("?", "/?"), ("?q", "/?q"), ("/?", "/?"), ("/??", "/??"),
        ("#f", "/"), ("/#f", "/"), ("/a#", "/a"), ("/a#b#c", "/a"), ("?q#f", "/?q"),
        ("/a?b#c?d", "/a?b"), ("/a#/../b", "/a"), ("/#\u00e9", "/"), ("/a?#", "/a?"),
        ("/a", "/a"), ("/a/", "/a/"), ("//", "//"), ("//a//b//", "//a//b//"), ("/a;b=c", "/a;b=c"),
        ("/a,b", "/a,b"), ("/a:b@c", "/a:b@c"), ("/-._~", "/-._~"), ("/!$&'()*+,;=", "/!$&'()*+,;="),
        ("/*", "/*"), ("/http://x/", "/http://x/"),
        ("/.", "/"), ("/..", "/"), ("/./", "/"), ("/../", "/"), ("/../..", "/"), ("/a/.", "/a/"),
        ("/a/..", "/"), ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/a/b/../../c", "/c"),
        ("/a/b/../..", "/"), ("/../a", "/a"), ("/../../../a", "/a"), ("/a/../../b", "/b"),
        ("/a//../b", "/a/b"), ("/...", "/..."), ("/.a", "/.a"), ("/a.", "/a."), ("/..a", "/..a"),
        ("/a..", "/a.."), ("/a/.../b", "/a/.../b"), ("/.?q", "/?q"), ("/..#f", "/"),
        ("/a/b/c/./../../g", "/a/g"), ("/./././a", "/a"), ("/a/..//b", "//b"),
        ("/a?b/../c", "/a?b/../c"), ("/a?.", "/a?."), ("/a?/./..", "/a?/./.."),
        ("/%41", "/%41"), ("/%7e", "/%7e"), ("/%c3%a9", "/%c3%a9"), ("/%2F", "/%2F"),
        ("/%2f..", "/%2f.."), ("/%25", "/%25"), ("/%00", "/%00"), ("/%0d%0a", "/%0d%0a"),
        ("/a%20b", "/a%20b"), ("/?%20", "/?%20"), ("/a+b", "/a+b"), ("/?a+b", "/?a+b"),
        ("/\u00e9", "/%C3%A9"), ("/\u20ac", "/%E2%82%AC"), ("/\U0001f600", "/%F0%9F%98%80"),
        ("/?\u00e9=\u20ac", "/?%C3%A9=%E2%82%AC"), ("/\u0080", "/%C2%80"), ("/\u00a0", "/%C2%A0"),
        ("/\ufeff", "/%EF%BB%BF"), ("/e\u0301", "/e%CC%81"), ("/\u65e5\u672c",
                                                              "/%E6%97%A5%E6%9C%AC"),
        ("/\"", "/%22"), ("/<", "/%3C"), ("/>", "/%3E"), ("/`", "/%60"), ("/{", "/%7B"),
        ("/}", "/%7D"), ("/?\"", "/?%22"), ("/?<", "/?%3C"), ("/?>", "/?%3E"), ("/?'", "/?%27"),
        ("/?`", "/?`"), ("/?{}", "/?{}"), ("/?a=b&c=d", "/?a=b&c=d"), ("/?a=b;c", "/?a=b;c"),
        ("/?a/b?c:d@e", "/?a/b?c:d@e"), ("/|", "/|"), ("/?|", "/?|"), ("/[]", "/[]"),
        ("/?[]", "/?[]"), ("/'", "/'"), ("/a=b", "/a=b"), ("/a&b", "/a&b"), ("/$", "/$"),
        ("/" + "a" * 8000, "/" + "a" * 8000), ("/?" + "q" * 8000, "/?" + "q" * 8000),
        ("/a^b", "/a%5Eb"), ("/?a^b", "/?a^b"),
    ):
        yield target(path, wanted)


def authorities():
    for host, field in (
        ("127.0.0.1:{port}", "127.0.0.1:{port}"), ("LOCALHOST:{port}", "localhost:{port}"),
        ("LocalHost:{port}", "localhost:{port}"), ("u@127.0.0.1:{port}", "127.0.0.1:{port}"),
        ("u:p@127.0.0.1:{port}", "127.0.0.1:{port}"), ("u:@127.0.0.1:{port}", "127.0.0.1:{port}"),
        (":p@127.0.0.1:{port}", "127.0.0.1:{port}"), ("@127.0.0.1:{port}", "127.0.0.1:{port}"),
        ("u%40:p%3A@127.0.0.1:{port}", "127.0.0.1:{port}"),
        ("u:p:q@127.0.0.1:{port}", "127.0.0.1:{port}"),
        ("\u00e9:\u00e8@127.0.0.1:{port}", "127.0.0.1:{port}"),
        ("127.0.0.1:0{port}", "127.0.0.1:{port}"), ("127.0.0.1:000{port}", "127.0.0.1:{port}"),
    ):
        yield Sent(f"authority {host}", host=field, url=f"http://{host}/",
                   shown=f"http://{field}/")
    for scheme in ("HTTP", "Http", "hTTp"):
        yield Sent(f"scheme {scheme}", url=scheme + "://127.0.0.1:{port}/",
                   shown="http://127.0.0.1:{port}/")
    for method, url, wanted in (
        ("OPTIONS", "", "*"), ("OPTIONS", "/", "/"), ("OPTIONS", "/*", "/*"), ("OPTIONS", "#f", "*"),
        ("OPTIONS", "?q", "/?q"), ("OPTIONS", "/a", "/a"), ("GET", "", "/"), ("HEAD", "", "/"),
        ("options", "", "/"),
    ):
        yield Sent(f"{method} of {url!r}", f"{method} {wanted} HTTP/1.1", method=method,
                   url="http://127.0.0.1:{port}" + url)


OTHER_SCHEME = re.compile("(?!https?:)[A-Za-z][A-Za-z0-9+.-]*:")


def bad_urls():
    for url in (
        "", " ", "/", "//", "//127.0.0.1:{port}/", "/path", "path", "?q", "#f", "not-a-url",
        "127.0.0.1:{port}", "127.0.0.1:{port}/", "localhost:{port}/", "http", "http:", "http:/",
        "http://", "http:///", "http:///path", "http://?q", "http://#f", "http:127.0.0.1:{port}/",
        "http:/127.0.0.1:{port}/", "http://:{port}/", "http://@/", "http://u@/", "http://u:p@:80/",
        "ftp://127.0.0.1:{port}/", "file:///etc/passwd", "ws://127.0.0.1:{port}/", "data:,x",
        "javascript:x", "mailto:a@b", "unix:/x", "gopher://127.0.0.1:{port}/", "ht tp://a/",
        "1http://127.0.0.1:{port}/", "+http://127.0.0.1:{port}/", "http+x://127.0.0.1:{port}/",
        " http://127.0.0.1:{port}/", "http://127.0.0.1:{port}/ ", "\thttp://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}/\n", "http://127.0.0.1:{port}/a b", "http://127.0.0.1:{port}/a\tb",
        "http://127.0.0.1:{port}/a\rb", "http://127.0.0.1:{port}/a\nb",
        "http://127.0.0.1:{port}/a\x00b", "http://127.0.0.1:{port}/a\x01b",
        "http://127.0.0.1:{port}/a\x1fb", "http://127.0.0.1:{port}/a\x7fb",
        "http://127.0.0.1:{port}/?a b", "http://127.0.0.1:{port}/?a\r\nX: y",
        "http://127.0.0.1:{port}/ HTTP/1.1\r\nX: y", "http://127.0.0.1:{port}/#a b",
        "http://127.0.0.1:{port}/#\r\n", "http://127.0.0.1:{port} /", "http://127.0.0.1 :{port}/",
        "http:// 127.0.0.1:{port}/", "http://a b@127.0.0.1:{port}/", "http://127.0.0.1\r\n/",
        "http://127.0.0.1:/\n", "http://127.0.0.1:x/", "http://127.0.0.1:{port}x/",
        "http://127.0.0.1:-1/", "http://127.0.0.1:+80/", "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/", "http://127.0.0.1:99999/", "http://127.0.0.1:999999999999999/",
        "http://127.0.0.1:8 0/", "http://127.0.0.1:80:80/", "http://127.0.0.1:0x50/",
        "http://127.0.0.1:\u0668\u0660/", "http://127.0.0.1:{port}\\/", "http://127.0.0.1\\@b/",
        "http://[::1", "http://::1/", "http://[]/", "http://[:]/", "http://[::1]x/",
        "http://[::1]:x/", "http://[g::]/", "http://[1:2:3:4:5:6:7]/", "http://[1:2:3:4:5:6:7:8:9]/",
        "http://[::1::]/", "http://[12345::]/", "http://[::256.1.1.1]/", "http://[127.0.0.1]/",
        "http://[v1.x]/", "http://[::1%eth0]/", "http://[::1%25]/", "http://[::1 ]/", "http://]/",
        "http://256.0.0.1/", "http://127.0.0.256/", "http://1.2.3/", "http://1.2.3.4.5/",
        "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/",
        "http://0177.0.0.1/", "http://127.0.0.01/", "http://1.2.3.4./", "http://%31/",
        "http://a%2eb/", "http://\u202eh/", "http://\u00fc..b/", "http://a..b/",
        "http://.a/", "http://./", "http://..", "http://a b/", "http://a<b/", "http://a|b/",
        "http://a^b/", "http://a\"b/", "http://a,b/", "http://" + "a" * 64 + "/",
        "http://" + "a." * 130 + "a/", "http://127.0.0.1:{port}/" + "a" * 70_000,
    ):
        code = "unsupported-scheme" if OTHER_SCHEME.match(url) else "invalid-url"
        yield Refused(f"URL {url[:50]!r}", code, url=url)


def methods():
    for method in ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "QUERY", "PROPFIND", "get", "Get",
                   "G", "X-1", "!#$%&'*+-.^_`|~", "0", "M" * 32, "PATCHED", "POSTX", "CONNECTED",
                   "MKCALENDAR", "connect"):
        yield Sent(f"method {method}", f"{method} / HTTP/1.1", method=method)
    for method in ("POST", "PUT", "PATCH"):
        yield Sent(f"method {method}", f"{method} / HTTP/1.1", [("Content-Length", "0")] and
                   "127.0.0.1:{port}", [("Content-Length", "0")], method=method)
    for method in ("", " ", "GET ", " GET", "GE T", "GET\r\n", "GET\n", "GET\x00", "GET\t", "G\u00c9T",
                   "GET /", "GET / HTTP/1.1\r\nX:", "G:T", "G(T)", "G,T", "G/T", "G@T", "G[T]",
                   "G{T}", "G\"T\"", "G\\T", "G;T", "G=T", "G?T", "G<T>", "\u65e5", "GET\x7f",
                   "CONNECT", "\ud800"):
        yield Refused(f"method {method!r}", method=method)


def fields():
    def sent(name, headers, fields=None, **more):
        fields = headers if fields is None else fields
        return Sent(f"fields {name}", fields=fields, headers=headers, **more)

    yield sent("in order", [["Z", "1"], ["a", "2"], ["M", "3"], ["a", "4"], ["Z", "5"]])
    yield sent("in case", [["x-lower", "1"], ["X-UPPER", "2"], ["x-MiXeD", "3"]])
    yield sent("token names", [["!#$%&'*+-.^_`|~09aZ", "x"]])
    yield sent("empty", [["A", ""], ["B", "x"]])
    yield sent("white space", [["A", "  b\t c \t"], ["B", " "]], [["A", "b\t c"], ["B", ""]])
    yield sent("Latin-1", [["A", "\u00e9\u0080\u00ff"], ["B", "caf\u00c3\u00a9"]])
    yield sent("NEL and NBSP are no white space", [["A", "\u0085x\u00a0"]])
    yield sent("every byte", [["A", "x" + "".join(map(chr, range(0x21, 0x7F))) + "y"]])
    yield sent("long", [["A", "v" * 30_000]])
    yield sent("many", [[f"X-{n}", str(n)] for n in range(500)])
    yield sent("User-Agent", [["User-Agent", "mine"]], replaced=["user-agent"])
    yield sent("user-agent", [["A", "1"], ["user-agent", "mine"], ["B", "2"]],
               replaced=["user-agent"])
    yield sent("Accept", [["Accept", "text/html"]], replaced=["accept"])
    yield sent("ACCEPT twice", [["ACCEPT", "a/b"], ["X", "1"], ["Accept", "c/d"]],
               replaced=["accept"])
    yield sent("both", [["Accept", "a/b"], ["User-Agent", "x"]], replaced=["accept", "user-agent"])
    yield sent("Host", [["Host", "example.org"]], [], host="example.org")
    yield sent("Host with a port", [["A", "1"], ["Host", "example.org:8080"], ["B", "2"]],
               [["A", "1"], ["B", "2"]], host="example.org:8080")
    yield sent("Host in its case", [["A", "1"], ["hOsT", "h"]], [["A", "1"]], host="h",
               host_name="hOsT")
    # RFC 9110 section 8.6: not sent where neither content nor the method calls for it.
    yield sent("Content-Length of nothing", [["content-length", "0"], ["A", "1"]], [["A", "1"]])
    yield sent("Host of IPv6", [["Host", "[::1]:80"]], [], host="[::1]:80")
    for name, value in (("Cookie", "a=b; c=d"), ("Authorization", "Basic eDp5"),
                        ("Range", "bytes=0-1"), ("If-None-Match", "\"x\""), ("Content-Type", "a/b"),
                        ("Accept-Encoding", "gzip"), ("Trailer", "X"),
                        ("Referer", "x"), ("Via", "1.1 x"), ("Proxy-Connection", "close"),
                        ("Content-Encoding", "gzip"), ("Date", "x"), ("Origin", "null"),
                        ("X-Content-Length", "9"), ("Connection", "keep-alive"),
                        ("Cache-Control", "no-cache"), ("From", "a@b"), ("Max-Forwards", "1")):
        yield sent(name, [[name, value]])
    yield sent("Connection: close", [["Connection", "close"]])
    # RFC 9110 section 10.1.4: TE is for the next hop alone, and that has to be said.
    yield sent("TE", [["TE", "trailers"], ["A", "1"]],
               [["TE", "trailers"], ["A", "1"], ["Connection", "TE"]])
    yield sent("TE with its option", [["Connection", "te"], ["TE", "trailers"]])
    for name, value in (("Transfer-Encoding", "chunked"), ("transfer-encoding", "identity"),
                        ("TRANSFER-ENCODING", ""), ("Upgrade", "h2c"), ("upgrade", "websocket"),
                        ("Keep-Alive", "timeout=5"), ("keep-alive", ""),
                        ("Expect", "100-continue"), ("EXPECT", "x"), ("Content-Length", "5"),
                        ("Content-Length", "1"), ("content-length", "-0"),
                        ("Content-Length", ""), ("Content-Length", "0, 0"),
                        ("Content-Length", "+0"), ("Content-Length", "x"),
                        ("Connection", "upgrade"), ("Connection", "X-Secret"),
                        ("Connection", "close, host"), ("Connection", "content-length"),
                        ("Host", "a b"), ("Host", "a/b"), ("Host", "a@b"), ("Host", "a\\b"),
                        ("Host", "\u00e9"), ("Host", "a?b"), ("Host", "a#b"), ("Host", "[::1"),
                        ("Host", "]"), ("Host", "[]"), ("Host", "[::1]x"), ("Host", "::1"),
                        ("Host", "a:80x"), ("Host", "a:-1"), ("Host", "x:99999"), ("Host", ":1")):
        yield Refused(f"field {name}: {value}", named=name, headers=[[name, value]])
    yield Refused("two Hosts", named="Host", headers=[["Host", "a"], ["host", "b"]])
    for value in ("a\r\nB: c", "a\nb", "a\rb", "a\x00b", "\r\n", "a\r\n", "\n", "\x00", "a\r\n b",
                  "a\x01", "\x1f", "\x7f", "\x0b", "\x0c", "\x08", "\x1b[0m", "\u0100", "\u20ac",
                  "\U0001f600", "\u010d\u010a", "\u560d\u560a", "\u2028"):
        yield Refused(f"value {value!r}", headers=[["A", value]])
    for name in ("", " ", "A ", " A", "A B", "A:", ":A", "A\r\nB", "A\n", "A\r", "A\x00", "\u00e9",
                 "A\t", "A/B", "A,B", "A;B", "A=B", "A(B", "A)B", "A[B", "A]B", "A{B", "A}B", "A@B",
                 "A\"B", "A\\B", "A<B", "A>B", "A?B", "A\x7f", "\u65e5", "A\u0100", "A\u010a"):
        yield Refused(f"name {name!r}", headers=[[name, "x"]])


def bodies():
    def sent(name, method, data, fields=None, **more):
        fields = fields or [("Content-Length", str(len(data)))]
        return Sent(f"body {name}", f"{method} / HTTP/1.1", fields=fields, data=data,
                    method=method, **more)

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "HEAD", "FOO"):
        yield sent(method, method, b"hello", body="hello")
    yield sent("empty", "POST", b"", body="")
    yield sent("empty, base64", "PUT", b"", body_base64="")
    yield sent("empty, GET", "GET", b"", body="")
    yield sent("UTF-8", "POST", "\u00e9\u20ac\U0001f600".encode(), body="\u00e9\u20ac\U0001f600")
    yield sent("CR LF NUL", "POST", b"\r\n\r\n\0", body="\r\n\r\n\0")
    every = bytes(range(256))
    yield sent("bytes", "POST", every, body_base64=base64.b64encode(every).decode())
    yield sent("a request", "POST", b"GET / HTTP/1.1\r\n\r\n", body="GET / HTTP/1.1\r\n\r\n")
    yield sent("type", "POST", b"{}", [["Content-Type", "application/json"],
                                       ("Content-Length", "2")], body="{}",
               headers=[["Content-Type", "application/json"]])
    for name in ("Content-Length", "content-length", "CONTENT-LENGTH"):
        yield sent(f"its own {name}", "POST", b"hello", body="hello",
                   headers=[[name, "5"]])
    yield sent("a length of 0", "POST", b"", headers=[["Content-Length", "0"]])
    for value in ("4", "6", "05x", "", "-5", "5, 5", "0", "99999999999999999999", "5.0", "0x5"):
        yield Refused(f"length {value!r} for 5 bytes", named="Content-Length", method="POST",
                      body="hello", headers=[["Content-Length", value]])
    yield Refused("lengths 5 and 6", named="Content-Length", method="POST", body="hello",
                  headers=[["Content-Length", "5"], ["Content-Length", "6"]])
    yield Refused("TRACE with a body", method="TRACE", body="x")
    for size in (1, 8_191, 65_536, 1_000_003):
        data = (every * (size // 256 + 1))[:size]
        yield sent(f"of {size}", "POST", data, body_base64=base64.b64encode(data).decode())


def cases():
    return [*targets(), *authorities(), *bad_urls(), *methods(), *fields(), *bodies()]
