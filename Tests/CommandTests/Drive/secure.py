"""Certificates made on the spot by openssl(1), an origin that speaks TLS, and a name server."""

import contextlib
import os
import socket
import ssl
import struct
import subprocess
import tempfile
import threading

from origin import Origin


class Certificate:
    """A certificate and its key in PEM files: signed by `issuer`, by itself without one."""

    def __init__(self, folder, name, hosts="", issuer=None):
        self.path = os.path.join(folder, name + ".pem")
        self.key = os.path.join(folder, name + ".key")
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", self.path,
                 "-subj", "/CN=" + name, "-days", "1"]
        if hosts:
            words += ["-addext", "subjectAltName=" + hosts]
        if issuer:
            words += ["-CA", issuer.path, "-CAkey", issuer.key]
        subprocess.run(words, check=True, capture_output=True, timeout=60)

    def encrypted_key(self, password):
        """The path of the same key, encrypted."""
        path = self.key + ".encrypted"
        subprocess.run(
            ["openssl", "pkcs8", "-topk8", "-in", self.key, "-out", path, "-passout",
             "pass:" + password], check=True, capture_output=True, timeout=60)
        return path


@contextlib.contextmanager
def certificates():
    """A folder, an authority, and a certificate of it for good.test, localhost and 127.0.0.1."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Certificate(folder, "authority")
        hosts = "DNS:good.test,DNS:localhost,IP:127.0.0.1"
        yield folder, authority, Certificate(folder, "good", hosts, authority)


class SecureOrigin(Origin):
    """An origin behind TLS. `clients` is whose client certificates it insists on."""

    def __init__(self, answer, certificate, clients=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate.path, certificate.key)
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        if clients:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(clients.path)
        self.chosen = []
        super().__init__(answer)

    def url(self, path="/", host="127.0.0.1"):
        return f"https://{host}:{self.port}{path}"

    def _serve(self, connection):
        try:
            connection.socket = self.context.wrap_socket(connection.socket, server_side=True)
            self.chosen.append(connection.socket.selected_alpn_protocol())
        except OSError:
            connection.close()
            return
        super()._serve(connection)


class NameServer:
    """A name server on UDP: `names` maps a name to IPv4 addresses, or to a response code."""

    def __init__(self, names):
        self.names = names
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(2048)
            except OSError:
                return
            labels, place = [], 12
            while query[place]:
                labels.append(query[place + 1:place + 1 + query[place]].decode().lower())
                place += 1 + query[place]
            name, kind = ".".join(labels), struct.unpack("!H", query[place + 1:place + 3])[0]
            self.asked.append(name)
            found = self.names.get(name, 3)
            code = found if isinstance(found, int) else 0
            records = found if kind == 1 and not isinstance(found, int) else []
            answer = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(records), 0, 0)
            answer += query[12:place + 5]
            for address in records:
                answer += struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address)
            self.socket.sendto(answer, peer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
