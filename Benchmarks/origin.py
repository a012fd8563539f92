#!/usr/bin/env python3
"""An nginx of one's own: on a free port of the loopback, for as long as a program runs.

usage: Benchmarks/origin.py COMMAND [ARGUMENT ...]

Each word URL is replaced by the origin's address, as in
`Benchmarks/origin.py .build/release/bench http URL --connections 64 --requests 300000 --json`.
Ends with the program's status. The configuration is Benchmarks/nginx.conf.template.
"""

import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BENCHMARKS = pathlib.Path(__file__).resolve().parent


def main():
    if len(sys.argv) < 2:
        fail(__doc__.splitlines()[2])
    with Origin() as origin:
        words = [origin.url if word == "URL" else word for word in sys.argv[1:]]
        return subprocess.run(words).returncode


class Origin:
    """nginx on a free port of the loopback, ended with the block whatever happens."""

    def __enter__(self):
        # Termination becomes an exception, so that the block is left in order.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(143))
        self.nginx = require("nginx", "nginx-light")
        self.folder = tempfile.mkdtemp(prefix="nginx-")
        os.chmod(self.folder, 0o755)  # the worker may be another user
        self.process = None
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        port = free_port()
        template = (BENCHMARKS / "nginx.conf.template").read_text()
        configuration = pathlib.Path(self.folder) / "nginx.conf"
        configuration.write_text(template.replace("PREFIX", self.folder).replace("PORT", str(port)))
        self.url = f"http://127.0.0.1:{port}/"
        self.process = subprocess.Popen(
            [self.nginx, "-p", self.folder, "-e", f"{self.folder}/error.log", "-c",
             str(configuration)],
            stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=end_with_parent)
        self.wait(port)

    def wait(self, port):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        log = pathlib.Path(self.folder) / "error.log"
        fail(f"nginx did not start:\n{log.read_text() if log.exists() else ''}")

    def __exit__(self, *_):
        if self.process is not None:
            self.process.terminate()  # the master then ends its worker and reaps it
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def end_with_parent():
    """Even a SIGKILL leaves no nginx behind: the kernel then sends its master a SIGTERM."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def require(program, package):
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin")
    if found is None:
        fail(f"{program} is missing: install the package {package}")
    return found


def fail(text):
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {text}")


if __name__ == "__main__":
    sys.exit(main())
