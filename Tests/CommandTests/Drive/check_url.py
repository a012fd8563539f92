"""`fetch URL`, options and exit statuses."""

import os
import subprocess
import threading

import command
from command import check, equal, holds, run, stays_below
from origin import Origin, always, closed_port, ok, status_of


@check
def fetch_URL_prints_the_body():
    data = bytes(range(256)) * 1000
    with Origin(always(ok(data))) as origin:
        done = run(origin.url())
    equal((done.returncode, done.stdout == data, done.stderr), (0, True, b""), "outcome")


@check
def an_error_status_is_a_success_without_fail_and_22_with_it():
    for status, wanted in ((200, 0), (399, 0), (400, 22), (404, 22), (500, 22)):
        answer = b"HTTP/1.1 %d X\r\nContent-Length: 4\r\n\r\nbody" % status
        with Origin(always(answer)) as origin:
            plain = run(origin.url())
            equal((plain.returncode, plain.stdout), (0, b"body"), f"{status}")
            equal(run("--fail", origin.url()).returncode, wanted, f"{status} with --fail")


@check
def a_failure_is_1_and_one_line_on_stderr_with_phase_and_cause():
    def cut(connection, heard):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        connection.close()

    done = run(f"http://127.0.0.1:{closed_port()}/")
    equal((done.returncode, done.stdout, done.stderr.count(b"\n")), (1, b"", 1), "refused")
    holds(b"connect" in done.stderr and b"refused" in done.stderr, f"{done.stderr}")
    with Origin(cut) as origin:
        done = run(origin.url())
    equal((done.returncode, done.stdout, done.stderr.count(b"\n")), (1, b"half", 1), "truncated")
    holds(b"body" in done.stderr, f"{done.stderr}")
    done = run("not-a-url")
    equal((done.returncode, done.stderr.count(b"\n")), (1, 1), "invalid URL")
    with Origin(lambda connection, heard: threading.Event().wait(5)) as origin:
        done = run("--timeout", "0.2", origin.url())
    equal((done.returncode, done.stderr.count(b"\n")), (1, 1), "timeout")
    holds(b"first-byte" in done.stderr and b"timeout" in done.stderr, f"{done.stderr}")


@check
def wrong_options_end_with_2_and_are_named():
    url = "http://127.0.0.1:1/"
    for arguments, word in (
        ([], "URL"), (["--proxy", "x", url], "--proxy"), (["--http2", url], "--http2"),
        ([url, url], ""), (["--jsonl", url], "--jsonl"), (["--retries", "-1", url], "--retries"),
        (["--retries", "x", url], "--retries"), (["--retry-all", url], "--retry-all"),
        (["--rate", "0/s", url], "--rate"), (["--per-host-rate", "5/x", url], "--per-host-rate"),
        (["--concurrency", "0", "--jsonl"], "--concurrency"),
        (["--concurrency", "x", "--jsonl"], "--concurrency"), (["--concurrency", "4", url], ""),
        (["--timeout", "0", url], "--timeout"), (["--timeout", "nan", url], "--timeout"),
        (["--jsonl", "--fail"], "--fail"), (["--jsonl", "--header", "a: b"], "--header"),
        (["--header", "nonsense", url], "nonsense"),
        # What follows an option that is not known may look like a URL.
        (["--jsonl", "--max-redirs", "3"], "--max-redirs"),
        (["--jsonl", "--proxy", url], "--proxy"), (["--jsonl", "--proxy=x"], "--proxy"),
        (["--proxy", url, "--jsonl"], "--proxy"), (["--input", "-", "--proxy", url], "--proxy"),
        (["--proxy", url], "--proxy"), (["--max-redirs", "3", "--jsonl", "--fail"], "--max-redirs"),
    ):
        done = run(*arguments, stdin=subprocess.DEVNULL)
        equal((done.returncode, done.stdout), (2, b""), f"{arguments} {done.stderr}")
        holds(word.encode() in done.stderr, f"{arguments}: {done.stderr}")


@check
def options_that_change_nothing_yet_are_accepted():
    with Origin(always()) as origin:
        options = ["--no-cache", "--no-decompress"]
        equal(run(*options, origin.url()).returncode, 0, "with a URL")
        equal(run(*options, "--jsonl", stdin=subprocess.DEVNULL).returncode, 0, "with --jsonl")


@check
def help_is_a_success():
    done = run("--help")
    equal(done.returncode, 0, "exit status")
    holds(b"--jsonl" in done.stdout, f"{done.stdout}")


@check
def method_fields_and_body_of_the_command_line_go_out():
    with Origin(always()) as origin:
        run("-H", "X-a:  b ", "--header", "Accept: x", "--method", "PUT", "-d", "b\u00f6dy",
            origin.url("/p"))
        run("--data", "x", origin.url())
    first, second = origin.heard
    equal(first.line, b"PUT /p HTTP/1.1", "request line")
    equal((first.field("X-a").strip(), first.field("Accept")), (b"b", b"x"), "fields")
    equal(first.body, "b\u00f6dy".encode(), "body")
    equal((second.method, second.body), (b"POST", b"x"), "method and body")


@check
def a_wrong_method_or_field_is_a_failure_of_one_line():
    for arguments in (["-X", "G T"], ["-H", "a b: c"], ["-H", "a: b\r\nc: d"]):
        done = run(*arguments, "http://127.0.0.1:1/")
        equal((done.returncode, done.stderr.count(b"\n")), (1, 1), f"{arguments} {done.stderr}")


@check
def a_large_body_streams_in_flat_memory_and_waits_for_its_reader():
    piece = os.urandom(1 << 20)
    sent = []

    def answer(connection, heard):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(piece) * 256))
        for _ in range(256):
            connection.send(piece)
            sent.append(len(piece))

    with Origin(answer) as origin:
        process = subprocess.Popen([command.BINARY, origin.url()], stdout=subprocess.PIPE)
        process.stdout.read(1 << 20)
        threading.Event().wait(0.5)
        holds(len(sent) < 64, f"{len(sent)} MiB sent to a reader that took one")
        equal(status_of(process.pid, "Threads"), 1, "threads")
        count = 1 << 20
        while block := process.stdout.read(1 << 20):
            count += len(block)
            if count < 250 << 20:
                peak = status_of(process.pid, "VmHWM")
        stays_below(peak, 100_000)
        equal((process.wait(command.PATIENCE / 2), count), (0, 256 << 20), "exit status and size")
        process.stdout.close()


@check
def output_that_nobody_takes_ends_fetch_URL_with_1():
    with Origin(always(ok(b"x" * (32 << 20)))) as origin:
        process = subprocess.Popen(
            [command.BINARY, origin.url()], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(10)
        process.stdout.close()
        equal(process.wait(command.PATIENCE / 2), 1, "exit status")
        equal(process.stderr.read().count(b"\n"), 1, "lines on stderr")
        process.stderr.close()
