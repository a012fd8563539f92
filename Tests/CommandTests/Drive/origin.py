"""A raw-socket origin: it says what it is told, byte for byte, and remembers what it heard."""

import os
import socket
import struct
import threading
import time


class Heard:
    """A request as it came in: the head's bytes, the body, and the connection's number."""

    def __init__(self, head, body, connection):
        self.head = head
        self.body = body
        self.connection = connection
        lines = head.split(b"\r\n")
        self.line = lines[0]
        self.fields = [tuple(line.split(b": ", 1)) for line in lines[1:] if line]
        parts = self.line.split(b" ")
        self.method = parts[0]
        self.target = parts[1].decode("latin-1") if len(parts) > 1 else ""

    def field(self, name):
        values = [value for key, value in self.fields if key.lower() == name.lower().encode()]
        return values[0] if values else None


class Connection:
    def __init__(self, origin, sock, number):
        self.origin = origin
        self.socket = sock
        self.number = number
        self.buffer = b""
        self.is_open = True

    def _more(self):
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def _until(self, mark):
        while mark not in self.buffer:
            if not self._more():
                return None
        taken, self.buffer = self.buffer.split(mark, 1)
        return taken + mark

    def _exactly(self, count):
        pieces = [self.buffer[:count]]
        self.buffer = self.buffer[count:]
        missing = count - len(pieces[0])
        while missing > 0:
            piece = self.socket.recv(min(missing, 1 << 20))
            if not piece:
                return None
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def _chunked(self):
        body = b""
        while True:
            size = int(self._until(b"\r\n"), 16)
            if size == 0:
                self._until(b"\r\n")
                return body
            body += self._exactly(size)
            self._exactly(2)

    def read_request(self):
        head = self._until(b"\r\n\r\n")
        if head is None:
            return None
        heard = Heard(head, b"", self.number)
        if heard.field("Transfer-Encoding"):
            heard.body = self._chunked()
        elif heard.field("Content-Length"):
            heard.body = self._exactly(int(heard.field("Content-Length")))
        with self.origin.lock:
            self.origin.heard.append(heard)
        return heard

    def send(self, data):
        self.socket.sendall(data)

    def reset(self):
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close()

    def finish(self):
        """Says that no more will come, and leaves reading open."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        if self.is_open:
            self.is_open = False
            self.socket.close()


class Origin:
    """Listens on loopback; `answer(connection, heard)` is called for each request, in a thread of
    its connection."""

    def __init__(self, answer):
        self.answer = answer
        self.lock = threading.Lock()
        self.heard = []
        self.accepted = 0
        self.running = 0
        self.most_running = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.accepted += 1
                number = self.accepted
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, sock, number)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while connection.is_open:
                heard = connection.read_request()
                if heard is None:
                    break
                with self.lock:
                    self.running += 1
                    self.most_running = max(self.most_running, self.running)
                try:
                    self.answer(connection, heard)
                finally:
                    with self.lock:
                        self.running -= 1
        except (OSError, ValueError, TypeError):
            pass
        connection.close()

    def close(self):
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ok(body=b"ok", extra=b""):
    """A plain answer."""
    return b"HTTP/1.1 200 OK\r\n" + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


def always(data=None):
    """An answer that is the same for all."""
    return lambda connection, heard: connection.send(data if data is not None else ok())


def closed_port():
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds=10):
    """True as soon as the condition is; False if it isn't in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.005)
    return condition()


def status_of(pid, name):
    """A number of /proc/PID/status, such as Threads or VmHWM (kB)."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1])
    raise KeyError(name)


def is_nonblocking(descriptor):
    import fcntl

    return bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK)
