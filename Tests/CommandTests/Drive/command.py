"""The command under test, and the list of checks."""

import base64
import json
import os
import queue
import subprocess
import threading

BINARY = None
# A sanitizer's build of the command is some ten times slower and keeps what it freed: it gets more
# time and fewer rounds, and how much memory it needs says nothing.
SANITIZED = bool(os.environ.get("FETCH_SANITIZED"))
PATIENCE = 120 * (10 if SANITIZED else 1)
CHECKS = []


def check(function):
    """Registers a check; its name is its sentence."""
    CHECKS.append(function)
    return function


def equal(found, wanted, what="value"):
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r}, wanted {wanted!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def stays_below(peak, most):
    """Asserts a bound on the command's peak memory, in kB."""
    holds(SANITIZED or peak < most, f"peak memory {peak} kB")


class Session:
    """One `fetch --jsonl` on pipes. Results are read in a thread unless `reading` is False."""

    def __init__(self, *arguments, reading=True):
        self.process = subprocess.Popen(
            [BINARY, "--jsonl", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.results = queue.Queue()
        if reading:
            self.start_reading()

    def start_reading(self):
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with os.fdopen(os.dup(self.process.stdout.fileno()), "rb", 1 << 20) as lines:
            for line in lines:
                self.results.put(line)
        self.results.put(None)

    def write(self, data):
        view = memoryview(data)
        while view:
            view = view[self.process.stdin.write(view):]

    def send(self, **request):
        self.write(json.dumps(request).encode() + b"\n")

    def line(self, seconds=PATIENCE):
        """The next line as it is, or None at the end."""
        return self.results.get(timeout=seconds)

    def result(self, seconds=PATIENCE):
        line = self.line(seconds)
        if line is None:
            errors = self.process.stderr.read().decode("utf-8", "replace")
            raise AssertionError(f"the output ended; stderr: {errors}")
        return json.loads(line)

    def ask(self, **request):
        self.send(**request)
        return self.result()

    def end(self, seconds=PATIENCE):
        """Closes standard input and gives the exit status."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        return self.process.wait(seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


def run_lines(*lines, arguments=()):
    """Feeds lines (objects or bytes), gives the parsed results and the exit status."""
    data = b"".join(
        line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines
    )
    done = subprocess.run(
        [BINARY, "--jsonl", *arguments], input=data, capture_output=True, timeout=3 * PATIENCE
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def run(*arguments, **options):
    """Runs `fetch` with arguments to its end."""
    return subprocess.run(
        [BINARY, *arguments], capture_output=True, timeout=3 * PATIENCE, **options)


def body(result):
    return base64.b64decode(result["body_base64"], validate=True)


def failed(result, code, phase=None):
    """Asserts that a result is a failure of that code."""
    equal(result["ok"], False, f"ok of {result}")
    equal(result["error"]["code"], code, f"code of {result}")
    if phase is not None:
        equal(result["error"]["phase"], phase, f"phase of {result}")
