"""What takes more than one request to tell: timing, reuse under load, early answers, half-closed
peers, retries (RFC 9112 sections 7.2, 9.3 to 9.6)."""

import base64
import random
import socket
import threading
import time

import command
from command import Session, body, equal, failed, holds, stays_below
from origin import Origin, ok, wait_until

FLOWS = []
LINE = b"HTTP/1.1 200 OK\r\n"
CHUNKED = LINE + b"Transfer-Encoding: chunked\r\n\r\n"
STALE = LINE + b"Content-Length: 5\r\n\r\nstale"


def flow(function):
    FLOWS.append(function)
    return function


def all_answered(session, count):
    """The results of that many requests by id, each of which must have its own path as its body."""
    results = {}
    for _ in range(count):
        result = session.result()
        results[result["id"]] = result
    return results


def own(results):
    for number, result in results.items():
        holds(result["ok"], f"{number}: {result}")
        equal(body(result), b"/%d" % number, f"body of {number}")


def named(heard, size=None):
    """A response whose body is the path, padded to a size where one is given."""
    data = heard.target.encode()
    lines = b""
    if size:
        lines = b"P: " + b"p" * (size - len(ok(data)) - 5) + b"\r\n"
    return ok(data, lines)


@flow
def POSTs_survive_a_server_that_closes_behind_each_response():
    """The FIN comes in one segment with the response, so no request may follow it."""

    def answer(connection, heard):
        connection.socket.send(named(heard), socket.MSG_MORE)
        connection.close()

    with Origin(answer) as origin, Session("--concurrency", "64") as session:
        for number in range(200):
            session.send(id=number, url=origin.url(f"/{number}"), method="POST", body="x")
        own(all_answered(session, 200))


@flow
def a_stray_response_behind_each_is_never_taken_while_others_wait():
    def answer(connection, heard):
        connection.send(named(heard) + STALE)

    with Origin(answer) as origin, Session("--concurrency", "64") as session:
        for number in range(200):
            session.send(id=number, url=origin.url(f"/{number}"))
        own(all_answered(session, 200))
        equal(origin.accepted, 200, "connections")


@flow
def a_stray_response_behind_a_full_read_is_never_taken_while_others_wait():
    """Sizes around the one a client reads at once: what lies behind must not be overlooked."""
    sizes = [16_384, 32_768, 65_536 - 200, 61_440]

    def answer(connection, heard):
        connection.send(named(heard, sizes[int(heard.target[1:]) % 4]) + STALE)

    with Origin(answer) as origin, Session("--concurrency", "64") as session:
        for number in range(120):
            session.send(id=number, url=origin.url(f"/{number}"))
        own(all_answered(session, 120))


@flow
def answers_in_random_pieces_find_their_requests():
    def answer(connection, heard):
        dice = random.Random(heard.target)
        data = heard.target.encode()
        wire = dice.choice([
            ok(data), CHUNKED + b"".join(b"1\r\n%c\r\n" % b for b in data) + b"0\r\nA: b\r\n\r\n",
            b"HTTP/1.1 103 E\r\nA: b\r\n\r\n" + ok(data), ok(data, b"Connection: close\r\n"),
        ])
        while wire:
            cut = dice.randrange(1, len(wire) + 1)
            connection.send(wire[:cut])
            wire = wire[cut:]
            if wire and dice.random() < 0.3:
                time.sleep(0.0005)

    with Origin(answer) as origin, Session("--concurrency", "64") as session:
        for number in range(400):
            session.send(id=number, url=origin.url(f"/{number}"))
        own(all_answered(session, 400))


PATIENCE_MS = 400 * command.PATIENCE
LARGE = base64.b64encode(bytes(8 << 20)).decode()


def early(answer_bytes, then, **wanted):
    """An upload of 8 MiB of which the server reads nothing but the head."""

    def answer(connection):
        times.append(time.monotonic())
        connection.send(answer_bytes)
        if then:
            getattr(connection, then)()
        else:
            done.wait(command.PATIENCE / 2)

    class Deaf(Origin):
        """Answers when the head is there; never reads the body."""

        def _serve(self, connection):
            head = connection._until(b"\r\n\r\n")
            self.heads.append(head)
            try:
                if head.startswith(b"POST"):
                    answer(connection)
                else:
                    connection.send(ok(b"next"))
                    done.wait(command.PATIENCE / 2)
            except OSError:
                pass
            connection.close()

    done = threading.Event()
    origin = Deaf(None)
    # A small window: the whole upload must never fit into the sockets' buffers.
    origin.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    origin.heads, times = [], []
    with origin, Session() as session:
        result = session.ask(id=1, url=origin.url(), method="POST", body_base64=LARGE,
                             timeout_ms=PATIENCE_MS)
        elapsed = time.monotonic() - times[0]
        after = session.ask(id=2, url=origin.url("/next"), timeout_ms=PATIENCE_MS)
        done.set()
    equal((after["ok"], after["ok"] and body(after)), (True, b"next"), "the next response")
    equal(len(origin.heads), 2, "connections")
    holds(elapsed < command.PATIENCE / 20, f"{elapsed:.1f} s for an answer that was there at once")
    if "codes" in wanted:
        holds(not result["ok"] and result["error"]["code"] in wanted["codes"], f"{result}")
    else:
        holds(result["ok"], f"{result}")
        equal((result["status"], body(result)), (wanted["status"], wanted["data"]), "answer")


FULL = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nfull"


@flow
def an_answer_during_an_upload_is_delivered_at_once_and_the_connection_closed():
    early(FULL, None, status=413, data=b"full")


@flow
def an_answer_during_an_upload_and_half_a_close_are_an_answer():
    early(FULL, "finish", status=413, data=b"full")


@flow
def an_interim_and_a_final_answer_during_an_upload():
    early(b"HTTP/1.1 100 Continue\r\n\r\n" + FULL, None, status=413, data=b"full")


@flow
def interim_answers_do_not_end_an_upload():
    size = 4 << 20

    class Patient(Origin):
        def _serve(self, connection):
            connection._until(b"\r\n\r\n")
            for _ in range(4):
                connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                self.read += len(connection._exactly(size // 4))
            connection.send(ok(b"taken"))
            connection._until(b"\r\n\r\n")
            connection.send(ok(b"next"))
            done.wait(command.PATIENCE / 4)

    done = threading.Event()
    origin = Patient(None)
    origin.read = 0
    data = base64.b64encode(bytes(size)).decode()
    with origin, Session() as session:
        result = session.ask(id=1, url=origin.url(), method="POST", body_base64=data)
        equal((result["ok"], body(result), origin.read), (True, b"taken", size), "answer")
        equal(body(session.ask(id=2, url=origin.url())), b"next", "the next response")
        equal(origin.accepted, 1, "connections")
        done.set()


@flow
def failures_name_the_phase_they_happened_in():
    for wire, code, phase in (
        (b"x", "malformed-response", "first-byte"), (LINE + b"A : b\r\n\r\n",
                                                    "malformed-response", "first-byte"),
        (b"", "closed-before-response", "first-byte"),
        (LINE + b"A: b\r\n" * 300 + b"\r\n", "head-too-large", "first-byte"),
        (LINE + b"Content-Length: 5\r\n\r\nhell", "truncated-body", "body"),
        (CHUNKED + b"x\r\n", "malformed-response", "body"),
        (CHUNKED + b"5\r\nhello\r\n", "truncated-body", "body"),
        (CHUNKED + b"0\r\n" + b"A: b\r\n" * 300 + b"\r\n", "head-too-large", "body"),
        (LINE + b"Content-Length: 67108865\r\n\r\n", "body-too-large", "body"),
    ):
        with Origin(lambda c, h: (c.send(wire), c.close())) as origin, Session() as session:
            failed(session.ask(id=1, url=origin.url()), code, phase)


@flow
def an_answer_until_the_end_during_an_upload():
    early(b"HTTP/1.1 413 X\r\n\r\nfull", "finish", status=413, data=b"full")


@flow
def half_a_close_without_an_answer_during_an_upload():
    early(b"", "finish", codes=("closed-before-response", "reset"))


@flow
def a_reset_during_an_upload():
    early(b"", "reset", codes=("closed-before-response", "reset"))


@flow
def a_malformed_answer_during_an_upload():
    early(b"HTTP/1.1 413 X\r\nContent-Length: x\r\n\r\n", None, codes=("malformed-response",))


@flow
def a_body_that_a_reset_cut_is_never_whole_whoever_met_the_reset_first():
    """The upload's write may be what hears of the reset; the read behind it sees a mere end."""
    for _ in range(3 if command.SANITIZED else 30):
        early_reset()


def early_reset():
    class Cutting(Origin):
        def _serve(self, connection):
            connection._until(b"\r\n\r\n")
            connection.send(LINE + b"\r\nhalf of the")
            connection.reset()

    with Cutting(None) as origin, Session() as session:
        result = session.ask(id=1, url=origin.url(), method="POST", body_base64=LARGE[:1 << 20],
                             timeout_ms=PATIENCE_MS)
        holds(not result["ok"], f"a cut body was taken for whole: {result}")
        holds(result["error"]["code"] in ("reset", "truncated-body"), f"{result}")


@flow
def bytes_on_an_idle_connection_end_it():
    for extra in (STALE, b"\r\n", b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"):
        closed = threading.Event()

        def answer(connection, heard):
            connection.send(ok())
            if heard.target == "/1":
                time.sleep(0.02)
                connection.send(extra)
                try:
                    connection.socket.settimeout(5)
                    ended = connection.socket.recv(1) == b""
                except ConnectionResetError:
                    ended = True
                if ended:
                    closed.set()

        with Origin(answer) as origin, Session() as session:
            holds(session.ask(id=1, url=origin.url("/1"))["ok"], "first")
            holds(closed.wait(3), f"still open after {extra}")
            equal(body(session.ask(id=2, url=origin.url("/2"))), b"ok", "second")


@flow
def an_idle_connection_that_the_server_closed_is_closed():
    for method in ("GET", "POST"):
        closed = []

        def answer(connection, heard):
            connection.send(ok())
            connection.close()
            closed.append(heard)

        with Origin(answer) as origin, Session() as session:
            for number in range(1, 30):
                result = session.ask(id=number, url=origin.url("/1"), method=method)
                holds(result["ok"], f"{result}")
                # A POST that meets the closing on its way may not be sent again.
                holds(wait_until(lambda: len(closed) == number), "not closed")


@flow
def a_hint_ends_idleness_before_the_server_does():
    closed = []

    def answer(connection, heard):
        connection.send(ok(b"", b"Keep-Alive: timeout=3\r\n"))
        connection.socket.settimeout(5)
        if connection.socket.recv(1) == b"":
            closed.append(time.monotonic())

    with Origin(answer) as origin, Session() as session:
        session.ask(id=1, url=origin.url())
        started = time.monotonic()
        holds(wait_until(lambda: closed, 4), "never closed")
        holds(0.5 < closed[0] - started < 2.5, f"closed after {closed[0] - started:.1f} s")


@flow
def what_may_be_sent_twice_is_sent_twice_and_nothing_else():
    """A kept connection that dies before a response byte: RFC 9112 section 9.3.1."""
    for method, data, dying, requests in (
        ("GET", None, b"", 2), ("HEAD", None, b"", 2), ("PUT", "x", b"", 2),
        ("DELETE", None, b"", 2), ("OPTIONS", None, b"", 2), ("QUERY", "x", b"", 2),
        ("TRACE", None, b"", 2), ("POST", "x", b"", 1), ("PATCH", "x", b"", 1),
        ("POST", None, b"", 1), ("FOO", None, b"", 1), ("get", None, b"", 1),
        ("GET", None, b"H", 1), ("GET", None, b"HTTP/1.1 100 C\r\n\r\n", 1),
        ("GET", None, LINE, 1),
    ):
        deaths = []

        def answer(connection, heard):
            if heard.target == "/2" and not deaths:
                deaths.append(heard)
                if dying:
                    connection.send(dying)
                connection.close()
            else:
                connection.send(ok(b"" if heard.method == b"HEAD" else b"ok"))

        with Origin(answer) as origin, Session() as session:
            holds(session.ask(id=1, url=origin.url("/1"))["ok"], "first")
            line = {"body": data} if data else {}
            result = session.ask(id=2, url=origin.url("/2"), method=method, **line)
            sent = [heard for heard in origin.heard if heard.target == "/2"]
            equal(len(sent), requests, f"requests for {method} after {dying}")
            equal(result["ok"], requests == 2, f"{method} after {dying}: {result}")
            if requests == 2:
                equal(result["attempts"], 2, "attempts")
                equal(sent[0].head, sent[1].head, "the second request")


@flow
def a_fresh_connection_that_dies_is_not_replaced():
    with Origin(lambda c, h: c.close()) as origin, Session() as session:
        failed(session.ask(id=1, url=origin.url()), "closed-before-response", "first-byte")
        equal(len(origin.heard), 1, "requests")


@flow
def a_replacement_that_dies_too_is_the_last():
    def answer(connection, heard):
        connection.send(ok()) if heard.target == "/1" else connection.close()

    with Origin(answer) as origin, Session() as session:
        session.ask(id=1, url=origin.url("/1"))
        failed(session.ask(id=2, url=origin.url("/2")), "closed-before-response")
        equal([heard.target for heard in origin.heard], ["/1", "/2", "/2"], "requests")


@flow
def what_stalls_runs_into_a_clock():
    for wire in (b"", b"HTTP/1.1 20", LINE, LINE + b"Content-Length: 5\r\n\r\nhell", CHUNKED,
                 CHUNKED + b"5\r\nhello\r\n", LINE + b"\r\nno end", b"HTTP/1.1 100 C\r\n\r\n",
                 CHUNKED + b"0\r\nA: b\r\n"):
        release = threading.Event()

        def answer(connection, heard):
            if heard.target == "/1":
                connection.send(wire)
                release.wait(command.PATIENCE / 4)
                connection.send(b"o" + STALE)
            connection.send(ok(b"next"))

        with Origin(answer) as origin, Session() as session:
            result = session.ask(id=1, url=origin.url("/1"), timeout_ms=60)
            failed(result, "total-timeout")
            release.set()
            equal(body(session.ask(id=2, url=origin.url("/2"))), b"next", "the next response")
            equal(origin.accepted, 2, "connections")


@flow
def a_chunk_beyond_the_cap_fails_when_its_size_is_read():
    for size in (b"4000001", b"7fffffffffffffff", b"100000000"):
        with Origin(lambda c, h: c.send(CHUNKED + size + b"\r\nx")) as origin, \
                Session() as session:
            failed(session.ask(id=1, url=origin.url(), timeout_ms=1500), "body-too-large", "body")


@flow
def bodies_at_the_cap_are_whole_and_one_byte_more_is_too_large():
    cap = 64 << 20

    def answer(connection, heard):
        count = int(heard.target[2:])
        if heard.target[1] == "c":
            connection.send(LINE + b"Content-Length: %d\r\n\r\n" % count)
        elif heard.target[1] == "k":
            connection.send(CHUNKED + b"%x\r\n" % count)
        else:
            connection.send(LINE + b"\r\n")
        connection.send(bytes(count))
        if heard.target[1] == "k":
            connection.send(b"\r\n0\r\n\r\n")
        connection.close()

    with Origin(answer) as origin, Session() as session:
        result = session.ask(id=1, url=origin.url(f"/k{cap}"))
        holds(result["ok"] and len(result["body_base64"]) == (cap + 2) // 3 * 4,
              f"{str(result)[:200]}")
        for kind in "cku":
            failed(session.ask(id=2, url=origin.url(f"/{kind}{cap + 1}")), "body-too-large")


@flow
def IPv6_literals_stand_in_brackets():
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        return
    port = listener.getsockname()[1]
    heads = []

    def serve():
        for _ in range(2):
            peer, _ = listener.accept()
            heads.append(peer.recv(4096))
            peer.sendall(ok(b"six", b"Connection: close\r\n"))
            peer.close()

    threading.Thread(target=serve, daemon=True).start()
    with Session() as session:
        for host in ("[::1]", "[0:0:0:0:0:0:0:1]"):
            result = session.ask(id=1, url=f"http://{host}:{port}/")
            equal((result["ok"], body(result)), (True, b"six"), "answer")
            equal(result["remote"], f"[::1]:{port}", "remote")
            holds(b"\r\nHost: %s:%d\r\n" % (host.encode(), port) in heads[-1], f"{heads[-1]}")
    listener.close()


@flow
def a_dot_behind_a_name_stays_out_of_Host():
    with Origin(lambda c, h: c.send(ok())) as origin, Session() as session:
        result = session.ask(id=1, url=f"http://localhost.:{origin.port}/")
        if result["ok"]:
            equal(origin.heard[0].field("Host"), b"localhost:%d" % origin.port, "Host")


@flow
def a_flood_of_garbage_ends_at_once_in_flat_memory():
    from origin import status_of
    stopped = threading.Event()

    def answer(connection, heard):
        try:
            piece = heard.target.encode() * 4096
            while True:
                connection.send(piece)
        finally:
            stopped.set()

    with Origin(answer) as origin, Session() as session:
        failed(session.ask(id=1, url=origin.url("/H")), "malformed-response")
        holds(stopped.wait(command.PATIENCE / 4), "the flood went on")
        stays_below(status_of(session.process.pid, "VmHWM"), 60_000)


@flow
def random_garblings_never_hang_or_kill():
    """Every answer ends in some result, and the process lives."""
    good = [ok(b"hello"), CHUNKED + b"5;a=\"b\"\r\nhello\r\n0\r\nA: b\r\n\r\n",
            b"HTTP/1.1 103 E\r\nA: b\r\n\r\n" + ok(b"x", b"Keep-Alive: timeout=5, max=9\r\n"),
            b"HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n"]

    def garbled(number):
        dice = random.Random(number)
        wire = bytearray(dice.choice(good))
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(wire))
            action = dice.randrange(3)
            if action == 0:
                wire[at] = dice.randrange(256)
            elif action == 1:
                del wire[at:at + dice.randrange(1, 4)]
            else:
                wire[at:at] = dice.choice([b"\r", b"\n", b"\0", b" ", b"0", b",", b":", b"\xff"])
        return bytes(wire)

    def answer(connection, heard):
        if heard.target[1] == "n":
            connection.send(ok(heard.target.encode()))
            return
        connection.send(garbled(int(heard.target[1:])))
        connection.close()

    with Origin(answer) as origin, Session() as session:
        for number in range(400):
            session.ask(id=number, url=origin.url(f"/{number}"), timeout_ms=PATIENCE_MS)
            if number % 10 == 0:
                result = session.ask(id=number, url=origin.url(f"/n{number}"))
                equal(body(result), b"/n%d" % number, "a good response among them")
        equal(session.end(), 0, "exit status")
