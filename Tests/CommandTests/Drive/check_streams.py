"""Many requests at once, slow readers, clocks, and the ends of things."""

import fcntl
import json
import os
import signal
import subprocess
import threading
import time

import command
from command import Session, body, check, equal, failed, holds
from origin import Origin, always, is_nonblocking, ok, status_of, wait_until


@check
def a_thousand_requests_run_through_64_places_on_one_thread():
    with Origin(always()) as origin, Session() as session:
        lines = b"".join(
            json.dumps({"id": n, "url": origin.url(f"/{n}")}).encode() + b"\n" for n in range(1000))
        writer = threading.Thread(target=session.write, args=(lines,))
        writer.start()
        ids = []
        for number in range(1000):
            result = session.result()
            equal(result.get("status"), 200, f"{result}")
            ids.append(result["id"])
            if number == 500:
                equal(status_of(session.process.pid, "Threads"), 1, "threads")
        writer.join()
        equal(sorted(ids), list(range(1000)), "ids")
        equal(session.end(), 0, "exit status")
        holds(origin.most_running <= 64, f"{origin.most_running} ran at once")


@check
def results_come_as_they_complete_and_at_once():
    gate = threading.Event()

    def answer(connection, heard):
        if heard.target == "/slow":
            gate.wait(20)
        connection.send(ok(heard.target.encode()))

    with Origin(answer) as origin, Session() as session:
        session.send(id="slow", url=origin.url("/slow"))
        for number in range(5):
            session.send(id=number, url=origin.url(f"/{number}"))
        equal(sorted(session.result()["id"] for _ in range(5)), list(range(5)), "first ids")
        gate.set()
        equal(session.result()["id"], "slow", "the last id")


@check
def concurrency_limits_what_runs_at_once():
    for limit in (1, 7, 30):
        barrier = threading.Barrier(limit)

        def answer(connection, heard):
            barrier.wait(10)
            connection.send(ok())

        with Origin(answer) as origin, Session("--concurrency", str(limit)) as session:
            for number in range(limit * 3):
                session.send(id=number, url=origin.url(f"/{number}"))
            for _ in range(limit * 3):
                equal(session.result().get("status"), 200, f"status at {limit}")
            equal(origin.most_running, limit, "most at once")


@check
def input_waits_while_results_wait():
    """Nobody reads the output: past 8 MiB of results no more requests are taken in."""
    with Origin(always(ok(b"x" * (1 << 19)))) as origin, Session(reading=False) as session:
        lines = b"".join(
            json.dumps({"id": n, "url": origin.url(f"/{n}")}).encode() + b"\n" for n in range(160))
        writer = threading.Thread(target=session.write, args=(lines,))
        writer.start()
        holds(wait_until(lambda: len(origin.heard) >= 6), "the first requests")
        taken = 0
        while taken < len(origin.heard):
            taken = len(origin.heard)
            time.sleep(1)
        holds(taken <= 80, f"{taken} requests were taken in")
        session.start_reading()
        for _ in range(160):
            equal(len(body(session.result())), 1 << 19, "body")
        writer.join()
        equal(session.end(), 0, "exit status")


@check
def a_slow_reader_of_results_stops_no_clock():
    """The output is full but for a page, the loop goes on: a request's clock runs out in time."""
    gone = threading.Event()

    def answer(connection, heard):
        if heard.target == "/large":
            connection.send(ok(b"x" * (4 << 20)))
        elif not connection.socket.recv(1):
            gone.set()

    with Origin(answer) as origin, Session(reading=False) as session:
        session.send(id=1, url=origin.url("/large"))
        holds(wait_until(lambda: len(origin.heard) == 1), "the first request")
        time.sleep(0.3)
        begun = os.read(session.process.stdout.fileno(), 8192)
        session.send(id=2, url=origin.url("/hangs"), timeout_ms=300)
        holds(gone.wait(5), "the clock ran out while nobody read")
        session.start_reading()
        equal(json.loads(begun + session.line())["id"], 1, "the first result")
        failed(session.result(), "total-timeout")


@check
def no_shared_descriptor_is_made_nonblocking():
    with Origin(always()) as origin, Session() as session:
        session.ask(id=1, url=origin.url())
        for stream in (session.process.stdin, session.process.stdout, session.process.stderr):
            equal(is_nonblocking(stream.fileno()), False, "non-blocking")
        for name in ("0", "1", "2"):
            with open(f"/proc/{session.process.pid}/fdinfo/{name}") as info:
                flags = int(info.read().split("flags:")[1].split()[0], 8)
            equal(flags & os.O_NONBLOCK, 0, f"O_NONBLOCK of {name}")


def comes_to_rest(session):
    """A second without processor time comes, at the latest when what was to do is done."""

    def ticks():
        with open(f"/proc/{session.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    spent = None
    for _ in range(command.PATIENCE // 2):
        before = ticks()
        time.sleep(1)
        spent = ticks() - before
        if spent <= 3:
            return
    raise AssertionError(f"{spent} ticks in a second, and no end")


@check
def an_idle_session_uses_no_processor_time():
    with Origin(always()) as origin, Session() as session:
        session.ask(id=1, url=origin.url())
        comes_to_rest(session)


@check
def a_full_output_or_a_closed_input_uses_no_processor_time():
    gate = threading.Event()

    def answer(connection, heard):
        if heard.target == "/":
            connection.send(ok(b"x" * (2 << 20)))
        else:
            gate.wait(20)

    with Origin(answer) as origin, Session(reading=False) as session:
        session.send(id=1, url=origin.url())
        session.send(id=2, url=origin.url("/hangs"))
        session.process.stdin.close()
        time.sleep(0.5)
        comes_to_rest(session)
        gate.set()


@check
def what_runs_at_the_end_of_input_completes():
    def answer(connection, heard):
        time.sleep(0.3)
        connection.send(ok())

    with Origin(answer) as origin, Session() as session:
        for number in range(8):
            session.send(id=number, url=origin.url(f"/{number}"))
        session.process.stdin.close()
        equal(sorted(session.result()["id"] for _ in range(8)), list(range(8)), "ids")
        equal(session.line(), None, "the end")
        equal(session.process.wait(command.PATIENCE / 4), 0, "exit status")


@check
def output_that_nobody_takes_ends_with_1():
    with Origin(always()) as origin:
        process = subprocess.Popen(
            [command.BINARY, "--jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        process.stdout.close()
        process.stdin.write(json.dumps({"id": 1, "url": origin.url()}).encode() + b"\n")
        process.stdin.flush()
        equal(process.wait(command.PATIENCE / 2), 1, "exit status, with the input still open")
        process.stdin.close()
        holds(process.stderr.read().count(b"\n") == 1, "one line on stderr")
        process.stderr.close()
        line = json.dumps({"id": 1, "url": origin.url()}).encode()
        for target in ("/dev/full", "&-"):
            done = subprocess.run(
                ["sh", "-c", f'"$0" --jsonl >{target}', command.BINARY], input=line,
                stderr=subprocess.PIPE, timeout=command.PATIENCE)
            equal(done.returncode, 1, f"exit status with >{target}")


@check
def input_that_can_not_be_read_ends_with_1():
    for arguments in ("--jsonl", "--input -"):
        for source in ("&-", "/"):
            done = subprocess.run(
                ["sh", "-c", f'"$0" {arguments} <{source}', command.BINARY],
                capture_output=True, timeout=command.PATIENCE)
            equal((done.returncode, done.stdout), (1, b""), f"{arguments} <{source}")
            holds(b"fetch: standard input: " in done.stderr, f"{done.stderr}")


@check
def the_default_SIGPIPE_kills_nothing():
    """A peer's reset under a large upload, with SIGPIPE as the shell leaves it."""
    def answer(connection, heard):
        connection.reset()

    with Origin(answer) as origin, Session() as session:
        for number in range(20):
            result = session.ask(id=number, url=origin.url(), method="POST", body="x" * 100_000)
            holds(not result["ok"], f"{result}")
        equal(session.end(), 0, "exit status")


@check
def timeout_ms_is_the_total_clock():
    release = threading.Event()

    def answer(connection, heard):
        if heard.target == "/drip":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not release.wait(0.02):
                connection.send(b"x")
        release.wait(20)

    with Origin(answer) as origin, Session() as session:
        for path, phase in (("/silent", "first-byte"), ("/drip", "body")):
            start = time.monotonic()
            result = session.ask(id=path, url=origin.url(path), timeout_ms=250)
            took = time.monotonic() - start
            failed(result, "total-timeout", phase)
            holds(0.24 <= took < 2, f"{path} took {took} s")
        release.set()


@check
def a_clock_names_the_phase_it_ran_out_in():
    import socket

    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent, Session() as session:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        # The kernel takes connections and bytes for a while on behalf of a server that sleeps.
        result = session.ask(id=1, url=url, method="POST", body="x" * (32 << 20), timeout_ms=400)
        failed(result, "total-timeout", "write")
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(silent.getsockname())
            fillers.append(filler)
        failed(session.ask(id=2, url=url, timeout_ms=300), "total-timeout", "connect")
        for filler in fillers:
            filler.close()


@check
def a_large_concurrency_raises_the_limit_of_descriptors():
    release = threading.Event()

    def answer(connection, heard):
        release.wait(30)
        connection.send(ok())

    with Origin(answer) as origin:
        limited = ["sh", "-c", 'ulimit -S -n 128; exec "$0" --jsonl --concurrency 300']
        process = subprocess.Popen(
            [*limited, command.BINARY], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for number in range(300):
            process.stdin.write(json.dumps({"id": number, "url": origin.url(f"/{number}")}).encode() + b"\n")
        process.stdin.close()
        holds(wait_until(lambda: len(origin.heard) == 300, 20), f"{len(origin.heard)} requests")
        release.set()
        statuses = [json.loads(line).get("status") for line in process.stdout]
        status = process.wait(command.PATIENCE / 2)
        equal((statuses, status), ([200] * 300, 0), "statuses and exit status")
        process.stdout.close()


@check
def concurrency_and_not_the_pool_limits_an_origin():
    release = threading.Event()
    with Origin(lambda c, h: release.wait(20)) as origin, Session("--concurrency", "11") as session:
        for number in range(11):
            session.send(id=number, url=origin.url(f"/{number}"), timeout_ms=300)
        phases = [session.result()["error"]["phase"] for _ in range(11)]
        equal(phases, ["first-byte"] * 11, "phases: concurrency is what limits")
        release.set()


@check
def a_connection_that_timed_out_is_not_used_again():
    def answer(connection, heard):
        if heard.target == "/slow":
            time.sleep(0.4)
        connection.send(ok(heard.target.encode()))

    with Origin(answer) as origin, Session() as session:
        failed(session.ask(id=1, url=origin.url("/slow"), timeout_ms=100), "total-timeout")
        equal(body(session.ask(id=2, url=origin.url("/next"))), b"/next", "body")
        equal(origin.accepted, 2, "connections")


@check
def timeout_of_the_command_line_is_the_default_of_lines():
    with Origin(lambda c, h: time.sleep(5)) as origin, Session("--timeout", "0.2") as session:
        failed(session.ask(id=1, url=origin.url()), "total-timeout")


@check
def a_body_of_20_MiB_comes_out_whole():
    data = os.urandom(20 << 20)
    with Origin(always(ok(data))) as origin, Session() as session:
        holds(body(session.ask(id=1, url=origin.url())) == data, "the body")


@check
def a_socket_serves_as_input_and_output():
    import socket

    ours, theirs = socket.socketpair()
    with Origin(always(ok(b"y" * 300_000))) as origin, ours:
        process = subprocess.Popen([command.BINARY, "--jsonl"], stdin=theirs, stdout=theirs)
        theirs.close()
        ours.settimeout(20)
        for number in range(20):
            ours.sendall(json.dumps({"id": number, "url": origin.url()}).encode() + b"\n")
        ours.shutdown(socket.SHUT_WR)
        with ours.makefile("rb") as lines:
            equal(sorted(json.loads(line)["id"] for line in lines), list(range(20)), "ids")
        equal(process.wait(command.PATIENCE / 2), 0, "exit status")


@check
def a_pipe_of_one_page_is_enough():
    """The smallest pipe there is, read slowly: no line is torn, the loop never blocks."""
    with Origin(always(ok(b"z" * 50_000))) as origin, Session(reading=False) as session:
        fcntl.fcntl(session.process.stdout.fileno(), 1031, 4096)  # F_SETPIPE_SZ
        for number in range(20):
            session.send(id=number, url=origin.url(f"/{number}"))
        session.process.stdin.close()
        data = b""
        while piece := os.read(session.process.stdout.fileno(), 1000):
            data += piece
        equal(sorted(json.loads(line)["id"] for line in data.splitlines()), list(range(20)), "ids")


@check
def a_termination_signal_ends_the_command():
    with Origin(lambda c, h: time.sleep(5)) as origin, Session() as session:
        session.send(id=1, url=origin.url())
        holds(wait_until(lambda: origin.heard), "the request")
        session.process.send_signal(signal.SIGTERM)
        equal(session.process.wait(command.PATIENCE / 4), -signal.SIGTERM, "exit status")
