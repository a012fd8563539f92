"""What the origin hears, and what never reaches it."""

import base64
import os

from command import Session, body, check, equal, failed, holds, run_lines
from origin import Origin, always, closed_port, ok


def heard(**request):
    """The one request that a line makes, and its result."""
    with Origin(always()) as origin:
        path = request.pop("path", "/")
        results, _ = run_lines({"id": 1, "url": origin.url(path), **request})
        holds(results[0]["ok"], f"{results[0]}")
        equal(len(origin.heard), 1, "requests")
        return origin.heard[0], origin


@check
def a_plain_GET_says_host_agent_and_accept_in_this_order():
    request, origin = heard(path="/a/b?c=d")
    equal(request.line, b"GET /a/b?c=d HTTP/1.1", "request line")
    equal([name for name, _ in request.fields], [b"Host", b"User-Agent", b"Accept"], "fields")
    equal(request.field("Host"), b"127.0.0.1:%d" % origin.port, "Host")
    holds(request.field("User-Agent").startswith(b"swift-fetch/"), "User-Agent")
    equal(request.field("Accept"), b"*/*", "Accept")
    holds(request.head.endswith(b"\r\n\r\n"), "end of the head")


@check
def fields_keep_their_order_case_repetition_and_Latin_1_bytes():
    fields = [["X-b", "2"], ["x-A", "1"], ["X-b", "3"], ["e", "caf\u00e9 \u00ff\u0080"], ["z", ""]]
    request, _ = heard(headers=fields)
    # The reader splits at ": ", so the empty value is looked for in the bytes.
    wanted = b"X-b: 2\r\nx-A: 1\r\nX-b: 3\r\ne: caf\xe9 \xff\x80\r\nz:"
    holds(wanted in request.head, f"{request.head}")


@check
def a_field_of_the_caller_replaces_the_default_of_its_name():
    request, _ = heard(headers=[["user-agent", "mine"], ["Accept", "text/html"], ["Host", "h"]])
    equal(sorted(request.fields), [(b"Accept", b"text/html"), (b"Host", b"h"),
                                   (b"user-agent", b"mine")], "fields")


@check
def a_body_goes_out_with_its_length():
    for stated, wanted in (
        ({"body": "h\u00e9llo \U0001f600"}, "h\u00e9llo \U0001f600".encode()),
        ({"body_base64": base64.b64encode(bytes(range(256))).decode()}, bytes(range(256))),
        ({"body": "\r\n\u0000"}, b"\r\n\x00"),
    ):
        request, _ = heard(method="POST", **stated)
        equal(request.method, b"POST", "method")
        equal(request.field("Content-Length"), b"%d" % len(wanted), "Content-Length")
        equal(request.body, wanted, "body")
        equal(request.fields[-1][0], b"Content-Length", "the last field")


@check
def an_empty_body_has_the_length_0():
    request, _ = heard(method="POST", body="")
    equal(request.field("Content-Length"), b"0", "Content-Length")


@check
def a_large_body_arrives_whole():
    data = os.urandom(8 << 20)
    request, _ = heard(method="PUT", body_base64=base64.b64encode(data).decode())
    holds(request.body == data, f"{len(request.body)} bytes arrived, or others")


@check
def methods_go_out_as_they_are_written():
    for method in ("OPTIONS", "DELETE", "PATCH", "QUERY", "get", "M-x!"):
        request, _ = heard(method=method)
        equal(request.method, method.encode(), "method")


@check
def targets_are_encoded_and_dot_segments_removed():
    for path, wanted in (
        ("/\u00e9", b"/%C3%A9"), ("/a%20b", b"/a%20b"), ("/a/../b/./c", b"/b/c"),
        ("/x#fragment", b"/x"), ("?q=1", b"/?q=1"), ("", b"/"), ("/?q=\u00fc", b"/?q=%C3%BC"),
    ):
        request, _ = heard(path=path)
        equal(request.line, b"GET " + wanted + b" HTTP/1.1", f"for {path}")


@check
def a_user_in_the_URL_is_never_sent_or_shown():
    with Origin(always()) as origin:
        url = f"http://user:secret@127.0.0.1:{origin.port}/"
        for result in run_lines({"id": 1, "url": url}, {"id": 2, "url": url, "method": "é"})[0]:
            holds("secret" not in str(result), f"{result}")
        for request in origin.heard:
            holds(b"secret" not in request.head, f"{request.head}")


@check
def requests_that_must_not_leave_are_refused_before_any_connection():
    with Origin(always()) as origin:
        wrong = [
            {"headers": [["a", "b\r\nEvil: 1"]]}, {"headers": [["a", "b\n"]]},
            {"headers": [["a", "\u0000"]]}, {"headers": [["a b", "c"]]}, {"headers": [["", "c"]]},
            {"headers": [["a:", "c"]]}, {"headers": [["\u00e9", "c"]]},
            {"headers": [["Transfer-Encoding", "chunked"]]}, {"headers": [["Upgrade", "h2c"]]},
            {"headers": [["keep-alive", "timeout=5"]]}, {"headers": [["Expect", "100-continue"]]},
            {"headers": [["Content-Length", "3"]], "body": "four"},
            {"headers": [["Content-Length", "x"]], "body": "four"},
            {"method": ""}, {"method": "GE T"}, {"method": "GET\r\n"}, {"method": "G\u00c9T"},
        ]
        lines = [{"id": n, "url": origin.url(), **line} for n, line in enumerate(wrong)]
        results, status = run_lines(*lines)
        equal(status, 0, "exit status")
        equal(len(results), len(wrong), "results")
        for result in results:
            failed(result, "invalid-request", "none")
        equal(origin.accepted, 0, "connections")


@check
def URLs_that_are_none_are_refused():
    wrong = [
        "", "not-a-url", "http://", "http:///p", "http://h:99999/", "http://h:x/",
        "http://a b/", "http://h/a b", "http://h/\n", "//h/", "/p", "http:h", "http://[::1",
        "http://[::g]/", "http://h\\x/", "http://127.0.0.1:-1/",
    ]
    results, _ = run_lines(*[{"id": url, "url": url} for url in wrong])
    equal(len(results), len(wrong), "results")
    for result in results:
        failed(result, "invalid-url", "none")


@check
def a_scheme_that_is_not_spoken_is_refused_as_such():
    wrong = ["ftp://x", "file:///etc/passwd", "ws://127.0.0.1/", "httpss://127.0.0.1/"]
    results, _ = run_lines(*[{"id": url, "url": url} for url in wrong])
    equal(len(results), len(wrong), "results")
    for result in results:
        failed(result, "unsupported-scheme", "none")


@check
def nobody_listening_is_refused_in_the_phase_connect():
    result = run_lines({"id": 1, "url": f"http://127.0.0.1:{closed_port()}/"})[0][0]
    failed(result, "refused", "connect")


@check
def a_second_request_uses_the_first_ones_connection():
    with Origin(always()) as origin, Session() as session:
        first = session.ask(id=1, url=origin.url("/1"))
        second = session.ask(id=2, url=origin.url("/2"), method="POST", body="x")
        equal(origin.accepted, 1, "connections")
    holds(first["timing"]["connect_ms"] > 0, f"{first['timing']}")
    equal(second["timing"]["connect_ms"], 0, "connect_ms when reused")


@check
def a_hundred_requests_in_a_row_use_one_connection():
    with Origin(always()) as origin, Session() as session:
        for number in range(100):
            equal(session.ask(id=number, url=origin.url())["status"], 200, "status")
        equal(origin.accepted, 1, "connections")


@check
def connection_close_of_the_caller_is_obeyed():
    with Origin(always()) as origin, Session() as session:
        session.ask(id=1, url=origin.url(), headers=[["Connection", "close"]])
        session.ask(id=2, url=origin.url())
        equal(origin.heard[0].field("Connection"), b"close", "Connection")
        equal(origin.accepted, 2, "connections")


@check
def a_kept_connection_that_dies_under_the_request_is_replaced_once():
    def answer(connection, request):
        if connection.number == 1 and request.target == "/2":
            connection.reset()
        else:
            connection.send(ok())

    with Origin(answer) as origin, Session() as session:
        session.ask(id=1, url=origin.url("/1"))
        result = session.ask(id=2, url=origin.url("/2"))
        equal((result["ok"], result.get("attempts")), (True, 2), f"{result}")
        equal(origin.accepted, 2, "connections")


@check
def a_POST_on_a_kept_connection_that_dies_is_not_sent_twice():
    def answer(connection, request):
        if request.target == "/2":
            connection.reset()
        else:
            connection.send(ok())

    with Origin(answer) as origin, Session() as session:
        session.ask(id=1, url=origin.url("/1"))
        result = session.ask(id=2, url=origin.url("/2"), method="POST", body="once")
        holds(result["error"]["code"] in ("reset", "closed-before-response"), f"{result}")
        equal([request.target for request in origin.heard], ["/1", "/2"], "requests")


@check
def HEAD_gets_no_body_and_keeps_the_connection():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    with Origin(always(answer)) as origin, Session() as session:
        for number in range(3):
            result = session.ask(id=number, url=origin.url(), method="HEAD")
            equal((result["status"], body(result)), (200, b""), "status and body")
        equal(origin.accepted, 1, "connections")


@check
def localhost_and_IPv6_literals_are_reached():
    with Origin(always()) as origin:
        result = run_lines({"id": 1, "url": f"http://localhost:{origin.port}/"})[0][0]
        equal(result.get("remote"), f"127.0.0.1:{origin.port}", f"{result}")
        equal(origin.heard[0].field("Host"), b"localhost:%d" % origin.port, "Host")
    import socket

    if not socket.has_ipv6:
        return
    try:
        probe = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        return
    with probe:
        port = probe.getsockname()[1]
        with Session() as session:
            session.send(id=1, url=f"http://[::1]:{port}/")
            peer, _ = probe.accept()
            with peer:
                holds(b"Host: [::1]:%d\r\n" % port in peer.recv(4096), "Host")
                peer.sendall(ok())
            equal(session.result().get("remote"), f"[::1]:{port}", "remote")


@check
def a_name_that_nobody_knows_is_not_resolved():
    result = run_lines({"id": 1, "url": "http://nobody.invalid/"})[0][0]
    failed(result, "name-not-resolved")
