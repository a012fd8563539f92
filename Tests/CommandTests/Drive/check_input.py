"""`fetch --input`: a URL a line, a result a line, bodies in files."""

import json
import os
import pty
import subprocess
import tempfile
import threading
import time

import command
from command import check, equal, failed, holds, run, stays_below
from origin import Origin, always, closed_port, ok

RESULT_KEYS = [
    "id", "line", "ok", "status", "reason", "version", "url", "headers", "trailers", "body_bytes",
    "from_cache", "attempts", "timing", "remote",
]


def fetch(text, *arguments, name="-"):
    """Feeds text to `fetch --input -`: results by line, the exit status, standard error."""
    data = text if isinstance(text, bytes) else text.encode()
    done = run("--input", name, *arguments, input=data)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return {result["line"]: result for result in results}, done.returncode, done.stderr


@check
def each_URL_has_a_result_without_its_body():
    with Origin(always(ok(b"twelve bytes"))) as origin:
        results, status, errors = fetch(f"{origin.url('/a')}\n{origin.url('/b')}")
        equal(sorted(heard.target for heard in origin.heard), ["/a", "/b"], "asked for")
    equal((status, sorted(results)), (0, [1, 2]), "outcome")
    equal(list(results[1]), RESULT_KEYS, "keys")
    equal((results[1]["id"], results[1]["url"]), (origin.url("/a"),) * 2, "URL")
    equal((results[2]["status"], results[2]["body_bytes"]), (200, 12), "result")
    holds(errors.startswith(b"fetch: 2 fetched, 0 failed in 0:0"), f"{errors}")
    equal(errors.count(b"\n"), 1, "lines of summary")


@check
def blanks_and_comments_are_skipped_and_counted():
    with Origin(always()) as origin:
        text = f"\ufeff# a list\r\n\r\n \t{origin.url('/x')} \r\n   \n#{origin.url()}\n\t# no\n"
        results, status, _ = fetch(text + origin.url("/y"))
    equal((status, sorted(results)), (0, [3, 7]), "lines")
    equal(results[3]["id"], origin.url("/x"), "URL without what stands around it")


@check
def one_bad_URL_ends_nothing_but_counts():
    with Origin(always()) as origin:
        text = f"{origin.url()}\nnot-a-url\nftp://x/\nhttp://127.0.0.1:{closed_port()}/\n"
        long = b"http://127.0.0.1/" + b"a" * 70_000 + b"\n"
        results, status, errors = fetch(text.encode() + b"http://\xff/\n" + long)
    equal((status, sorted(results)), (1, [1, 2, 3, 4, 5, 6]), "outcome")
    equal(results[1]["ok"], True, "the good one")
    equal(results[2]["id"], "not-a-url", "id")
    for line, code in ((2, "invalid-url"), (3, "unsupported-scheme"), (4, "refused"),
                       (6, "invalid-request")):
        failed(results[line], code)
    equal(results[5]["ok"], False, "not UTF-8")
    holds(b"fetch: 5 of 6 URLs have no response\n" in errors, f"{errors}")


@check
def a_status_counts_with_fail_alone():
    def answer(connection, heard):
        status = heard.target[1:].encode()
        connection.send(b"HTTP/1.1 " + status + b" X\r\nContent-Length: 0\r\n\r\n")

    with Origin(answer) as origin:
        text = f"{origin.url('/200')}\n{origin.url('/404')}\n"
        equal(fetch(text)[1], 0, "exit status without --fail")
        _, status, errors = fetch(text, "--fail")
        equal(status, 22, "exit status with --fail")
        holds(b"1 responses have a status of 400 or above" in errors, f"{errors}")
        equal(fetch(text + "nope\n", "--fail")[1], 1, "no response is worse")


@check
def retries_and_rates_hold_for_each_line():
    times = []

    def answer(connection, heard):
        times.append(time.monotonic())
        status = b"503" if len(times) == 1 else b"200"
        connection.send(b"HTTP/1.1 " + status + b" X\r\nContent-Length: 0\r\n\r\n")

    with Origin(answer) as origin:
        results, status, _ = fetch(
            f"{origin.url()}\n" * 3, "--retries", "2", "--per-host-rate", "5", "--concurrency", "1")
        equal((status, [results[line]["status"] for line in (1, 2, 3)]), (0, [200] * 3), "results")
        equal([results[line]["attempts"] for line in (1, 2, 3)], [2, 1, 1], "attempts")


@check
def bodies_are_kept_in_files_named_by_line():
    data = bytes(range(256)) * 300
    with Origin(always(ok(data))) as origin, tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "new")
        results, status, _ = fetch(f"{origin.url()}\n\n{origin.url()}\n", "--output", place)
        equal((status, sorted(os.listdir(place))), (0, ["1", "3"]), "files")
        for line in (1, 3):
            equal(results[line]["body_file"], f"{place}/{line}", "path")
            with open(results[line]["body_file"], "rb") as file:
                holds(file.read() == data, "the file is the body")
        # A folder of that name stands in the way of the second.
        os.remove(f"{place}/3")
        os.mkdir(f"{place}/3")
        results, status, _ = fetch(f"{origin.url()}\n\n{origin.url()}\n", "--output", place)
        equal((status, results[1]["ok"]), (1, True), "outcome")
        failed(results[3], "output-failed")
        done = run("--input", "-", "--output", "/dev/null/x", input=b"")
        equal((done.returncode, done.stderr.count(b"\n")), (1, 1), "no folder")


@check
def a_file_is_read_as_it_is_and_one_that_is_not_there_is_named():
    with Origin(always()) as origin, tempfile.NamedTemporaryFile() as file:
        file.write(f"{origin.url()}\n".encode() * 5_000)
        file.flush()
        done = run("--input", file.name, "--concurrency", "7")
        equal((done.returncode, len(done.stdout.splitlines())), (0, 5_000), "outcome")
        holds(origin.accepted <= 7, f"{origin.accepted} connections")
        empty = tempfile.NamedTemporaryFile()
        equal(run("--input", empty.name).returncode, 0, "an empty list")
    done = run("--input", "/nowhere/at/all")
    equal((done.returncode, done.stdout), (1, b""), "no such file")
    holds(b"/nowhere/at/all: No such file" in done.stderr, f"{done.stderr}")
    with tempfile.TemporaryDirectory() as folder:
        done = run("--input", folder)
        equal((done.returncode, done.stdout), (1, b""), "a folder")
        holds(f"--input {folder}: Is a directory".encode() in done.stderr, f"{done.stderr}")


@check
def a_terminal_sees_one_line_of_progress():
    with Origin(always()) as origin:
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [command.BINARY, "--input", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=follower)
        os.close(follower)
        seen = b""
        try:
            process.stdin.write(f"{origin.url()}\n".encode() * 3)
            process.stdin.flush()
            # It goes on while nothing happens.
            while b"3 done, 0 failed, 0 in flight, " not in seen:
                seen += os.read(leader, 4096)
            process.stdin.close()
            while b"\n" not in seen:
                seen += os.read(leader, 4096)
            equal(process.wait(command.PATIENCE), 0, "exit status")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            os.close(leader)
    before, summary = seen.rsplit(b"\r\x1b[K", 1)
    holds(summary.startswith(b"fetch: 3 fetched, 0 failed"), f"{summary}")
    holds(b"\n" not in before, f"{before}")


@check
def a_long_list_needs_the_memory_of_what_runs():
    with Origin(always()) as origin:
        process = subprocess.Popen(
            [command.BINARY, "--input", "-", "--concurrency", "4"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

        def feed():
            for _ in range(500):
                process.stdin.write(b"nope-" + b"x" * 60_000 + b"\n")
            process.stdin.write(f"{origin.url()}\n".encode())
            process.stdin.close()

        feeder = threading.Thread(target=feed)
        feeder.start()
        lines = sum(1 for _ in process.stdout)
        feeder.join()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
    equal((lines, process.returncode), (501, 1), "results and exit status")
    stays_below(usage.ru_maxrss, 80_000)


@check
def options_that_mean_nothing_here_are_refused():
    for arguments, word in (
        (["http://127.0.0.1/"], "--input"), (["--jsonl"], "--input"), (["-X", "PUT"], "--method"),
        (["-d", "x"], "--data"), (["-H", "a: b"], "--header"),
    ):
        done = run("--input", "-", *arguments, input=b"")
        equal((done.returncode, done.stdout), (2, b""), f"{arguments}")
        holds(word.encode() in done.stderr, f"{arguments}: {done.stderr}")
    for arguments in (["--output", "x", "http://127.0.0.1/"], ["--output", "x", "--jsonl"]):
        done = run(*arguments, input=b"")
        equal(done.returncode, 2, f"{arguments}")
        holds(b"--output" in done.stderr, f"{arguments}: {done.stderr}")
