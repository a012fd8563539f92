"""https, whom to trust, and where names lead."""

import os

from command import Session, body, check, equal, failed, holds, run, run_lines
from origin import Origin, always
from secure import Certificate, NameServer, SecureOrigin, certificates


def line(origin, **request):
    return {"id": 1, "url": origin.url(**request)}


def environment(**changes):
    """This process's, without what would change whom OpenSSL trusts."""
    rest = {k: v for k, v in os.environ.items() if k not in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
    return rest | changes


@check
def https_works_with_an_authority_that_is_named_and_keeps_its_connection():
    with certificates() as (_, authority, good), SecureOrigin(always(), good) as origin:
        with Session("--cacert", authority.path) as session:
            first = session.ask(id=1, url=origin.url())
            second = session.ask(id=2, url=origin.url("/2"))
        equal((first["ok"], body(first), first["url"]), (True, b"ok", origin.url()), "first")
        equal((origin.accepted, origin.chosen), (1, ["http/1.1"]), "connections and protocols")
        equal(list(first["timing"]),
              ["dns_ms", "connect_ms", "tls_ms", "first_byte_ms", "total_ms"], "timing")
        holds(first["timing"]["tls_ms"] > 0, f"{first['timing']}")
        equal(first["timing"]["dns_ms"], 0, "dns_ms of an address")
        for name in ("dns_ms", "connect_ms", "tls_ms"):
            equal(second["timing"][name], 0, name + " when reused")
        done = run("--cacert", authority.path, origin.url())
        equal((done.returncode, done.stdout), (0, b"ok"), "with a URL")


@check
def the_environment_names_the_authorities_where_no_option_does():
    with certificates() as (folder, authority, good), SecureOrigin(always(), good) as origin:
        done = run(origin.url(), env=environment(SSL_CERT_FILE=authority.path))
        equal((done.returncode, done.stdout), (0, b"ok"), f"SSL_CERT_FILE {done.stderr}")
        nowhere = environment(SSL_CERT_FILE=folder + "/none", SSL_CERT_DIR=folder + "/none")
        done = run(origin.url(), env=nowhere)
        equal((done.returncode, done.stderr.count(b"\n")), (1, 1), "nothing there")
        holds(b"no-trust-store" in done.stderr, f"{done.stderr}")


@check
def the_secrets_are_written_where_SSLKEYLOGFILE_says_and_nowhere_else():
    with certificates() as (folder, authority, good), SecureOrigin(always(), good) as origin:
        log = os.path.join(folder, "keys.log")
        done = run("--cacert", authority.path, origin.url())
        equal((done.returncode, os.path.exists(log)), (0, False), "without it")
        done = run("--cacert", authority.path, origin.url(), env=environment(SSLKEYLOGFILE=log))
        equal((done.returncode, done.stdout), (0, b"ok"), f"{done.stderr}")
        kinds = {words.split()[0] for words in open(log)}
        holds("CLIENT_TRAFFIC_SECRET_0" in kinds, f"{kinds}")
        equal(os.stat(log).st_mode & 0o777, 0o600, "its mode")


@check
def a_certificate_that_should_fail_fails_with_its_own_code_unless_nothing_is_checked():
    with certificates() as (folder, authority, good):
        stranger = Certificate(folder, "stranger")
        own = Certificate(folder, "own", "IP:127.0.0.1")
        other = Certificate(folder, "other", "DNS:other.test", authority)
        for trusted, certificate, code in (
            (stranger, good, "unknown-authority"), (stranger, own, "self-signed-certificate"),
            (authority, other, "wrong-host"),
        ):
            with SecureOrigin(always(), certificate) as origin:
                results, _ = run_lines(line(origin), arguments=["--cacert", trusted.path])
                failed(results[0], code, "tls")
                equal(len(origin.heard), 0, "requests")
                done = run("--cacert", trusted.path, origin.url())
                equal((done.returncode, done.stderr.count(b"\n")), (1, 1), code)
                holds(code.encode() in done.stderr, f"{done.stderr}")
                done = run("--insecure", origin.url())
                equal((done.returncode, done.stdout), (0, b"ok"), f"{code} --insecure")


@check
def a_client_certificate_is_shown_and_its_key_may_have_a_password():
    with certificates() as (folder, authority, good):
        client = Certificate(folder, "client", "", authority)
        locked = client.encrypted_key("open sesame")
        both = os.path.join(folder, "both.pem")
        with open(both, "w") as file:
            file.write(open(client.path).read() + open(client.key).read())
        for name, text in (("right", "open sesame\n"), ("wrong", "wrong\n")):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        right, wrong = os.path.join(folder, "right"), os.path.join(folder, "wrong")
        with SecureOrigin(always(), good, clients=authority) as origin:
            for arguments, code in (
                (["--cert", client.path, "--key", client.key], None),
                (["--cert", both], None),
                (["--cert", client.path, "--key", locked, "--pass-file", right], None),
                (["--cert", client.path, "--key", locked], "client-certificate"),
                (["--cert", client.path, "--key", locked, "--pass-file", wrong],
                 "client-certificate"),
                (["--cert", client.path, "--key", good.key], "client-certificate"),
                (["--cert", folder + "/none"], "client-certificate"),
                (["--cert", client.path], "client-certificate"),
                ([], "tls-alert"),
            ):
                results, status = run_lines(
                    line(origin), arguments=["--cacert", authority.path, *arguments])
                equal((len(results), status), (1, 0), f"{arguments}")
                if code:
                    failed(results[0], code)
                    without_key = arguments == ["--cert", client.path]
                    message = results[0]["error"]["message"]
                    equal("no private key in it" in message, without_key, message)
                else:
                    equal(results[0]["ok"], True, f"{arguments}: {results[0]}")


@check
def an_option_that_can_not_be_obeyed_is_told_as_such():
    with certificates() as (folder, authority, good), SecureOrigin(always(), good) as origin:
        results, _ = run_lines(line(origin), arguments=["--cacert", folder + "/none"])
        failed(results[0], "invalid-configuration")
        done = run("--cert", good.path, "--pass-file", folder + "/none", origin.url())
        equal((done.returncode, done.stderr.count(b"\n")), (1, 1), "no password file")
        holds(b"--pass-file" in done.stderr, f"{done.stderr}")


@check
def TLS_asked_of_a_port_that_does_not_speak_it_fails_in_the_phase_tls():
    with Origin(always(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as origin:
        origin_url = origin.url().replace("http:", "https:")
        # An origin of lines waits for one: it is given up on by the total clock at the latest.
        result = run_lines({"id": 1, "url": origin_url, "timeout_ms": 500})[0][0]
        equal(result["error"]["phase"], "tls", f"{result}")


@check
def resolve_leads_elsewhere_and_leaves_the_host_as_it_is():
    with certificates() as (_, authority, good), SecureOrigin(always(), good) as origin:
        there = f"good.test:{origin.port}:127.0.0.1"
        url = origin.url(host="good.test")
        results, _ = run_lines(
            {"id": 1, "url": url}, arguments=["--cacert", authority.path, "--resolve", there])
        equal(results[0]["ok"], True, f"{results[0]}")
        equal(results[0]["timing"]["dns_ms"], 0, "dns_ms")
        equal(results[0]["remote"], f"127.0.0.1:{origin.port}", "remote")
        equal(origin.heard[0].field("Host"), b"good.test:%d" % origin.port, "Host")
        two = f"GOOD.test:{origin.port}:[::1],127.0.0.1"
        done = run("--cacert", authority.path, "--resolve", two, url)
        equal((done.returncode, done.stdout), (0, b"ok"), f"two addresses: {done.stderr}")
        elsewhere = f"good.test:{origin.port + 1}:127.0.0.1"
        with NameServer({}) as server:
            results, _ = run_lines(
                {"id": 1, "url": url},
                arguments=["--resolve", elsewhere, "--dns", server.address])
        failed(results[0], "name-not-resolved", "dns")


@check
def a_name_server_that_is_named_is_asked_once_for_each_family():
    names = {"a.test": ["127.0.0.1"], "broken.test": 2, "empty.test": []}
    with NameServer(names) as server, Origin(always()) as origin:
        with Session("--dns", server.address) as session:
            first = session.ask(id=1, url=f"http://a.test:{origin.port}/")
            equal(first["ok"], True, f"{first}")
            holds(first["timing"]["dns_ms"] > 0, f"{first['timing']}")
            equal(session.ask(id=2, url=f"http://A.test:{origin.port}/")["ok"], True, "again")
            equal(server.asked, ["a.test", "a.test"], "questions")
            for host, code in (("none.test", "name-not-resolved"),
                               ("empty.test", "name-not-resolved"), ("broken.test", "dns-failed")):
                failed(session.ask(id=3, url=f"http://{host}:{origin.port}/"), code, "dns")
        del server.asked[:]
        with Session("--dns", server.address, "--retries", "2") as session:
            for host in ("none.test", "empty.test", "broken.test"):
                session.ask(id=4, url=f"http://{host}:{origin.port}/")
        # Twice, for each family; what only failed is asked for again.
        equal([server.asked.count(host) for host in ("none.test", "empty.test")], [2, 2], "final")
        holds(server.asked.count("broken.test") >= 6, f"questions {server.asked}")
        done = run("--dns", server.address, f"http://a.test:{origin.port}/")
        equal((done.returncode, done.stdout), (0, b"ok"), f"with a URL: {done.stderr}")


def names_of_this_machine():
    """Names that the hosts file gives to an address of 127.0.0.0/8, `localhost` left out."""
    with open("/etc/hosts") as file:
        rows = [row.split("#")[0].split() for row in file]
    first = {}
    for row in rows:
        for name in row[1:]:
            first.setdefault(name.lower(), row[0])
    return [name for name, address in first.items()
            if address.startswith("127.0.0.") and not name.endswith("localhost")]


@check
def names_of_the_hosts_file_are_found_before_a_name_server_is_asked():
    # A machine whose hosts file holds nothing but localhost has nothing more to show.
    names = ["localhost", *names_of_this_machine()]
    with NameServer({}) as server, Origin(always()) as origin:
        lines = [{"id": name, "url": f"http://{name}:{origin.port}/"} for name in names]
        results, _ = run_lines(*lines, arguments=["--dns", server.address])
        equal([result["ok"] for result in results], [True] * len(names), f"{results}")
        equal(server.asked, [], "questions")


@check
def public_only_connects_to_nothing_that_is_not_public_however_it_is_spelt():
    names = {"inside.test": ["127.0.0.1"], "metadata.test": ["169.254.169.254"]}
    with NameServer(names) as server, Origin(always()) as origin:
        options = ["--public-only", "--dns", server.address,
                   "--resolve", f"there.test:{origin.port}:127.0.0.1"]
        hosts = ["127.0.0.1", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "localhost",
                 "inside.test", "metadata.test", "there.test", "10.0.0.1", "[fe80::1]"]
        results, _ = run_lines(
            *[{"id": h, "url": f"http://{h}:{origin.port}/"} for h in hosts], arguments=options)
        equal(len(results), len(hosts), "results")
        for result in results:
            failed(result, "address-refused", "connect")
        odd = ["0x7f.1", "0177.0.0.1", "2130706433", "127.1", "0x7f000001", "0"]
        results, _ = run_lines(
            *[{"id": h, "url": f"http://{h}:{origin.port}/"} for h in odd], arguments=options)
        for result in results:
            equal(result["ok"], False, f"{result}")
        equal(origin.accepted, 0, "connections")
        done = run("--public-only", origin.url())
        equal((done.returncode, done.stdout), (1, b""), "with a URL")
        holds(b"address-refused" in done.stderr, f"{done.stderr}")


@check
def wrong_options_of_names_and_trust_end_with_2_and_are_named():
    url = "https://127.0.0.1:1/"
    for arguments in (
        ["--key", "k"], ["--pass-file", "p"], ["--resolve", "host"], ["--resolve", "h:1"],
        ["--resolve", "h:0:127.0.0.1"], ["--resolve", "h:1:"], ["--resolve", "h:1:name"],
        ["--resolve", "h:x:127.0.0.1"], ["--resolve", ":1:127.0.0.1"],
        ["--resolve", "[::1:1:127.0.0.1"], ["--resolve", "h\u00e9:1:127.0.0.1"],
        ["--dns", "name"], ["--dns", ""], ["--dns", "127.0.0.1:0"], ["--dns", "127.0.0.1:99999"],
        ["--insecure", "--cacert", "f"],
    ):
        for rest in ([url], ["--jsonl"]):
            done = run(*arguments, *rest, input=b"")
            equal((done.returncode, done.stdout), (2, b""), f"{arguments} {done.stderr}")
            holds(arguments[0].encode() in done.stderr, f"{arguments}: {done.stderr}")


@check
def a_body_that_only_the_connection_ends_must_end_properly():
    def answer(connection, heard):
        if heard.target == "/whole":
            connection.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")
            connection.socket = connection.socket.unwrap()
        elif heard.target == "/counted":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall of it")
        else:
            connection.send(b"HTTP/1.1 200 OK\r\n\r\nall of")
        connection.close()

    with certificates() as (_, authority, good), SecureOrigin(answer, good) as origin:
        for path, wanted in (("/whole", b"all of it"), ("/counted", b"all of it"), ("/cut", None)):
            results, _ = run_lines(line(origin, path=path), arguments=["--cacert", authority.path])
            if wanted:
                equal(results[0]["ok"] and body(results[0]), wanted, path)
            else:
                failed(results[0], "truncated-body", "body")
