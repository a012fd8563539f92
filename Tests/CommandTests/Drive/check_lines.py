"""Lines in, lines out: what is read, what is refused, how results look."""

import json
import os
import subprocess
import tempfile

import command
from command import Session, body, check, equal, failed, holds, run_lines, stays_below
from origin import Origin, always, closed_port, ok

RESULT_KEYS = [
    "id", "ok", "status", "reason", "version", "url", "headers", "trailers", "body_base64",
    "from_cache", "attempts", "timing", "remote",
]


@check
def a_result_has_the_keys_of_the_contract_in_their_order():
    with Origin(always()) as origin:
        results, status = run_lines({"id": 1, "method": "GET", "url": origin.url("/a")})
    equal(status, 0, "exit status")
    result = results[0]
    equal(list(result), RESULT_KEYS, "keys")
    equal(list(result["timing"]),
          ["dns_ms", "connect_ms", "tls_ms", "first_byte_ms", "total_ms"], "timing")
    equal(result["status"], 200, "status")
    equal(result["reason"], "OK", "reason")
    equal(result["version"], "HTTP/1.1", "version")
    equal(result["url"], origin.url("/a"), "url")
    equal(result["headers"], [["Content-Length", "2"]], "headers")
    equal(result["trailers"], [], "trailers")
    equal(body(result), b"ok", "body")
    equal(result["attempts"], 1, "attempts")
    equal(result["remote"], f"127.0.0.1:{origin.port}", "remote")
    timing = result["timing"]
    equal((timing["dns_ms"], timing["tls_ms"]), (0, 0), "phases that an http address has not")
    holds(0 < timing["connect_ms"] <= timing["total_ms"], f"timing {timing}")
    holds(0 < timing["first_byte_ms"] <= timing["total_ms"], f"timing {timing}")


@check
def a_failure_has_id_ok_and_error():
    result = run_lines({"id": "x", "url": "not-a-url"})[0][0]
    equal(list(result), ["id", "ok", "error"], "keys")
    equal(list(result["error"]), ["code", "message", "phase"], "error's keys")
    failed(result, "invalid-url", "none")


@check
def any_JSON_value_is_echoed_as_id_byte_for_byte():
    ids = [
        b"false", b"true", b"1", b"1.50", b"-0", b"1e400", b"12345678901234567890123456789",
        b'"\\u00e9\\/"', '"é😀"'.encode(), b'"\\ud800"', b"[]", b'{"a" : [1, {}] }', b'""',
    ]
    with Session() as session:
        for text in ids:
            session.write(b'{"id":' + text + b',"url":"nope"}\n')
            line = session.line()
            holds(line.startswith(b'{"id":' + text + b',"ok":false'), f"id {text}: {line}")
        equal(session.end(), 0, "exit status")


@check
def a_line_without_id_gets_null_and_its_number_however_it_ends():
    with Origin(always()) as origin:
        good, closed = origin.url(), f"http://127.0.0.1:{closed_port()}/"
        for url in (good, closed, "nope", 5):
            for line in ({"url": url}, {"id": None, "url": url}):
                result = run_lines(b"\n", line)[0][0]
                equal(list(result)[:3], ["id", "line", "ok"], f"keys for {line}")
                equal((result["id"], result["line"]), (None, 2), f"id and line for {line}")
                equal(result["ok"], url == good, f"{line}")
            named = run_lines({"id": "", "url": url})[0][0]
            equal(list(named)[:2], ["id", "ok"], f"keys for {url}")


@check
def malformed_lines_get_their_number_and_end_nothing():
    bad = [
        b"{", b"}", b"nonsense", b'{"id":1', b'{"id":1,}', b"{'id':1}", b'{"id":01}', b'{"id":+1}',
        b'{"id":.5}', b'{"id":1.}', b'{"id":NaN}', b'{"id":"\t"}', b'{"id":"\\x"}', b'{"id":1}{}',
        b'{"id":"\xff"}', b'{"id":"\xc0\x80"}', b'{"id":"\xed\xa0\x80"}', b'{"id":"\\u12g4"}',
        b'{"id":tru}', b'{"id" 1}', b"[" * 100_000, b'{"id":1,"a":[1,,2]}', b"\x00",
    ]
    with Origin(always()) as origin, Session() as session:
        for index, line in enumerate(bad):
            session.write(line + b"\n")
            result = session.result()
            equal(list(result), ["id", "line", "ok", "error"], f"keys for {line[:40]}")
            equal(result["id"], None, "id")
            equal(result["line"], 2 * index + 1, f"line for {line[:40]}")
            failed(result, "invalid-json", "none")
            equal(session.ask(id=index, url=origin.url())["id"], index, "the next id")
        equal(session.end(), 0, "exit status")


@check
def a_line_that_is_no_object_is_an_invalid_request_with_its_number():
    for line in (b"[]", b"1", b'"http://x/"', b"null", b"true"):
        result = run_lines(b"\n" + line + b"\n")[0][0]
        failed(result, "invalid-request", "none")
        equal((result["id"], result["line"]), (None, 2), "id and line")


@check
def an_unknown_field_is_refused_by_name():
    for name in ("proxy", "verify", "retries", "Method", "timeout", "x\u2028y"):
        result = run_lines({"id": 7, "url": "http://127.0.0.1:1/", name: 1})[0][0]
        failed(result, "unsupported-field", "none")
        equal(result["id"], 7, "id")
        holds(name in result["error"]["message"], f"{name}: {result}")


@check
def wrong_types_and_contradictions_are_invalid_requests():
    url = "http://127.0.0.1:1/"
    wrong = [
        {}, {"url": None}, {"url": 5}, {"url": ["a"]}, {"url": url, "method": 5},
        {"url": url, "headers": "a: b"}, {"url": url, "headers": {"a": "b"}},
        {"url": url, "headers": [["a"]]}, {"url": url, "headers": [["a", "b", "c"]]},
        {"url": url, "headers": [["a", 1]]}, {"url": url, "headers": [[1, "a"]]},
        {"url": url, "headers": [["a", "\u0100"]]}, {"url": url, "body": 1},
        {"url": url, "body": ["a"]}, {"url": url, "body_base64": "a"},
        {"url": url, "body_base64": "YQ"}, {"url": url, "body_base64": "Y Q=="},
        {"url": url, "body_base64": "YR=="}, {"url": url, "body": "", "body_base64": ""},
        {"url": url, "timeout_ms": "5"}, {"url": url, "timeout_ms": 0},
        {"url": url, "timeout_ms": -1}, {"url": url, "timeout_ms": True},
    ]
    results, status = run_lines(*[{"id": n, **line} for n, line in enumerate(wrong)])
    equal(status, 0, "exit status")
    equal(sorted(result["id"] for result in results), list(range(len(wrong))), "ids")
    for result in results:
        failed(result, "invalid-request", "none")


@check
def null_stands_for_an_optional_member_left_out():
    with Origin(always()) as origin:
        results, _ = run_lines({
            "id": 1, "url": origin.url(), "method": None, "headers": None, "body": None,
            "body_base64": None, "timeout_ms": None,
        })
    equal(results[0].get("status"), 200, f"{results[0]}")
    equal(origin.heard[0].method, b"GET", "method")


@check
def the_last_of_two_members_of_one_name_counts():
    with Origin(always()) as origin:
        line = b'{"id":1,"url":5,"id":2,"url":"%s"}\n' % origin.url("/last").encode()
        results, _ = run_lines(line)
    equal((results[0]["id"], results[0]["url"]), (2, origin.url("/last")), "id and url")


@check
def blank_lines_CRLF_a_byte_order_mark_and_a_missing_last_line_feed_are_tolerated():
    with Origin(always()) as origin:
        one = json.dumps({"id": 1, "url": origin.url()}).encode()
        two = json.dumps({"id": 2, "url": origin.url()}).encode()
        results, status = run_lines(b"\xef\xbb\xbf" + one + b"\r\n\r\n \t\n\n" + two)
    equal(status, 0, "exit status")
    equal(sorted(result["id"] for result in results), [1, 2], "ids")


@check
def a_line_in_pieces_is_one_request():
    with Origin(always()) as origin, Session() as session:
        for byte in json.dumps({"id": "dripped", "url": origin.url()}).encode() + b"\n":
            session.write(bytes([byte]))
        equal(session.result()["id"], "dripped", "id")


@check
def a_line_above_the_limit_is_refused_and_skipped_in_flat_memory():
    with Session() as session:
        for _ in range(80):
            session.write(b"x" * (1 << 20))
        session.write(b'\n{"id":2,"url":"nope"}\n')
        result = session.result()
        failed(result, "invalid-request", "none")
        equal((result["id"], result["line"]), (None, 1), "id and line")
        equal(session.result()["id"], 2, "the next id")
        from origin import status_of
        peak = status_of(session.process.pid, "VmHWM")
        stays_below(peak, 180_000)


@check
def output_is_ASCII_and_each_result_one_line():
    answer = b"HTTP/1.1 200 \xe9\x85\r\nX: \x80\x85\xff\r\nContent-Length: 0\r\n\r\n"
    with Origin(always(answer)) as origin, Session() as session:
        session.send(id=1, url=origin.url())
        line = session.line()
    holds(line.isascii() and line.endswith(b"}\n"), f"{line}")
    result = json.loads(line)
    equal(result["reason"], "\u00e9\u0085", "reason")
    equal(result["headers"][0], ["X", "\u0080\u0085\u00ff"], "field")


@check
def standard_input_may_be_a_file():
    with Origin(always()) as origin, tempfile.TemporaryFile() as file:
        for number in range(500):
            file.write(json.dumps({"id": number, "url": origin.url()}).encode() + b"\n")
        file.seek(0)
        done = subprocess.run(
            [command.BINARY, "--jsonl"], stdin=file, capture_output=True,
            timeout=3 * command.PATIENCE)
    ids = [json.loads(line)["id"] for line in done.stdout.splitlines()]
    equal(sorted(ids), list(range(500)), "ids")
    equal(done.returncode, 0, "exit status")


@check
def standard_output_may_be_a_file():
    with Origin(always(ok(b"x" * 100_000))) as origin, tempfile.TemporaryFile() as file:
        lines = b"".join(
            json.dumps({"id": n, "url": origin.url()}).encode() + b"\n" for n in range(50))
        done = subprocess.run(
            [command.BINARY, "--jsonl"], input=lines, stdout=file, timeout=3 * command.PATIENCE)
        file.seek(0)
        ids = [json.loads(line)["id"] for line in file]
    equal((done.returncode, sorted(ids)), (0, list(range(50))), "status and ids")


@check
def standard_input_may_be_a_terminal():
    import pty
    master, slave = pty.openpty()
    with Origin(always()) as origin:
        process = subprocess.Popen(
            [command.BINARY, "--jsonl"], stdin=slave, stdout=subprocess.PIPE)
        os.close(slave)
        os.write(master, json.dumps({"id": 1, "url": origin.url()}).encode() + b"\n")
        equal(json.loads(process.stdout.readline())["status"], 200, "status")
        os.write(master, b"\x04")
        equal(process.wait(command.PATIENCE / 2), 0, "exit status")
    process.stdout.close()
    os.close(master)


@check
def no_input_is_a_quiet_success():
    done = subprocess.run(
        [command.BINARY, "--jsonl"], stdin=subprocess.DEVNULL, capture_output=True,
        timeout=command.PATIENCE)
    equal((done.returncode, done.stdout), (0, b""), f"{done.stderr}")
