"""Stored responses, held against RFC 9111 from outside: what is asked of the origin a second time.

Nothing waits for time to pass: a response that says `Age` is as old as it says.
"""

import email.utils
import os
import shutil
import stat
import tempfile
import time

from command import Session, body, check, equal, failed, holds, run_lines
from origin import Origin


def date(seconds):
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


class Scene:
    """One session against one origin, which answers what it was told and counts what it heard."""

    def __init__(self, *arguments):
        self.origin = Origin(self.answer)
        self.session = Session(*arguments)
        self.replies = {}
        self.paths = 0

    def __enter__(self):
        return self

    def __exit__(self, *anything):
        self.session.__exit__(*anything)
        self.origin.close()

    def answer(self, connection, heard):
        reply = self.replies[heard.target]
        if callable(reply):
            reply = reply(heard)
        if reply is None:
            connection.close()
            return
        status, fields, content = reply
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        if status not in (204, 304):
            head += f"Content-Length: {len(content)}\r\n"
        data = f"HTTP/1.1 {status} X\r\n{head}\r\n".encode("latin-1")
        connection.send(data if heard.method == b"HEAD" or status == 304 else data + content)

    def path(self):
        self.paths += 1
        return f"/{self.paths}"

    def ask(self, path, reply=(200, [], b"new"), **request):
        """A result, and what the origin heard of it: one request or none."""
        self.replies[path] = reply
        before = len(self.origin.heard)
        result = self.session.ask(id=1, url=self.origin.url(path), **request)
        heard = self.origin.heard[before:]
        holds(len(heard) <= 1, f"{len(heard)} requests for one")
        return result, heard[0] if heard else None

    def twice(self, name, fields, wanted, status=200, first=None, second=None):
        """Stores a response and asks again: `wanted` is where the second result is from."""
        path = self.path()
        result, _ = self.ask(path, (status, fields, b"old"), **(first or {}))
        equal(result["from_cache"], "miss", f"{name}: the first")
        reply = lambda heard: self.validated(heard, fields)  # noqa: E731
        result, heard = self.ask(path, reply, **(second or {}))
        equal(result["from_cache"], wanted, f"{name}: the second")
        holds((heard is None) == (wanted in ("hit", "stale")), f"{name}: {heard}")
        return result, heard

    @staticmethod
    def validated(heard, fields):
        """304 to a condition that holds, else another version."""
        known = {name.lower(): value for name, value in fields}
        tag, modified = heard.field("If-None-Match"), heard.field("If-Modified-Since")
        if tag is not None and tag.decode() == known.get("etag"):
            return (304, [], b"")
        if tag is None and modified is not None and modified.decode() == known.get("last-modified"):
            return (304, [], b"")
        return (200, [], b"new")


FRESH, ASKED = "hit", "miss"


@check
def directives_decide_about_freshness_however_they_are_written():
    # RFC 9111 sections 4.2.1, 5.2.2
    fresh = [
        "max-age=60", "MAX-AGE=60", "Max-Age=60", 'max-age="60"', "max-age=060", "max-age=60, x",
        "x, max-age=60", "max-age=60,,", " max-age=60 ", "public, max-age=60",
        "private, max-age=60", 'x="a,b", max-age=60', "max-age=99999999999999999999",
        "max-age=60, s-maxage=0", "must-revalidate, max-age=60", "proxy-revalidate, max-age=60",
        "immutable, max-age=60", "no-transform, max-age=60", "no-stores, max-age=60",
        "must-understand, no-store, max-age=60",
    ]
    asked = [
        "max-age=0", 'x="max-age=60"', "max-age=-1", "max-age", "max-age=", "max-age=a",
        "max-age=1.5", "amax-age=60", "max-agea=60", "s-maxage=60", "no-store",
        "no-store, max-age=60", "max-age=60, no-store", "No-Store, max-age=60",
        "no-cache, max-age=60", "max-age=60, No-Cache",
    ]
    rows = [(value, FRESH) for value in fresh] + [(value, ASKED) for value in asked]
    with Scene() as scene:
        for value, wanted in rows:
            scene.twice(value, [("Cache-Control", value)], wanted)


@check
def several_lines_and_fields_of_freshness_count_in_the_order_of_the_standard():
    rows = [
        ([("Cache-Control", "x"), ("Cache-Control", "max-age=60")], FRESH),
        ([("Cache-Control", "max-age=60"), ("Cache-Control", "no-store")], ASKED),
        ([("Expires", date(60))], FRESH), ([("Expires", date(-60))], ASKED),
        ([("Expires", "0")], ASKED), ([("Expires", "-1")], ASKED), ([("Expires", "")], ASKED),
        ([("Expires", "never")], ASKED),
        ([("Expires", date(60)), ("Cache-Control", "max-age=0")], ASKED),
        ([("Expires", date(-60)), ("Cache-Control", "max-age=60")], FRESH),
        ([("Expires", "0"), ("Cache-Control", "max-age=60")], FRESH),
        ([("Date", date(-100)), ("Expires", date(-50))], ASKED),
        ([("Date", date(-100)), ("Cache-Control", "max-age=60")], ASKED),
        ([("Date", date(100)), ("Cache-Control", "max-age=60")], FRESH),
        ([("Age", "1"), ("Cache-Control", "max-age=60")], FRESH),
        ([("Age", "60"), ("Cache-Control", "max-age=60")], ASKED),
        ([("Age", "x"), ("Cache-Control", "max-age=60")], FRESH),
        ([("Age", "-1"), ("Cache-Control", "max-age=60")], FRESH),
        ([("Age", "99999999999999999999"), ("Cache-Control", "max-age=60")], ASKED),
        ([("Age", "7200"), ("Expires", date(3600))], ASKED),
        ([("Surrogate-Control", "max-age=60")], ASKED),
        ([("Pragma", "no-cache"), ("Cache-Control", "max-age=60")], FRESH),
        ([("Vary", "*"), ("Cache-Control", "max-age=60")], ASKED),
        ([("Last-Modified", date(-1000000))], "revalidated"),
        ([("ETag", '"a"')], "revalidated"), ([("ETag", 'W/"a"')], "revalidated"),
        ([("ETag", '"a"'), ("Last-Modified", date(-100))], "revalidated"),
        ([("ETag", '"a"'), ("Cache-Control", "no-cache")], "revalidated"),
        ([("ETag", '"a"'), ("Cache-Control", "max-age=60")], FRESH),
        ([("ETag", '"a"'), ("Cache-Control", "max-age=60"), ("Age", "100")], "revalidated"),
    ]
    with Scene() as scene:
        for fields, wanted in rows:
            scene.twice(f"{fields}", fields, wanted)


@check
def every_status_that_may_be_stored_is_and_says_so_again():
    fresh = [("Cache-Control", "max-age=60")]
    with Scene() as scene:
        for status in (200, 203, 204, 299, 300, 301, 302, 303, 307, 308, 400, 404, 405, 410, 414,
                       451, 500, 501, 502, 503, 504, 599):
            result, _ = scene.twice(f"{status}", fresh, FRESH, status=status)
            equal(result["status"], status, "status")
        # Without a word of freshness nothing but a validator makes a response worth keeping.
        for status in (200, 302, 404, 500):
            scene.twice(f"plain {status}", [("X", "1")], ASKED, status=status)


@check
def a_request_may_ask_for_more_than_freshness():
    fields = [("Cache-Control", "max-age=600"), ("Age", "100"), ("ETag", '"a"')]
    stale = [("Cache-Control", "max-age=60"), ("Age", "100"), ("ETag", '"a"')]
    strict = [("Cache-Control", "max-age=60, must-revalidate"), ("Age", "100"), ("ETag", '"a"')]
    rows = [
        ("max-age=0", fields, "revalidated"), ("max-age=50", fields, "revalidated"),
        ("max-age=300", fields, "hit"), ("no-cache", fields, "revalidated"),
        ("min-fresh=400", fields, "hit"), ("min-fresh=1000", fields, "revalidated"),
        ("max-stale", stale, "stale"), ("max-stale=1000", stale, "stale"),
        ("max-stale=10", stale, "revalidated"), ("max-stale", strict, "revalidated"),
        ("max-stale=1000", strict, "revalidated"), ("only-if-cached", fields, "hit"),
        ("no-transform", fields, "hit"), ("unknown=1", fields, "hit"),
    ]
    with Scene() as scene:
        for value, answer, wanted in rows:
            scene.twice(f"{value} of {answer}", answer, wanted,
                        second={"headers": [["Cache-Control", value]]})
        scene.twice("Pragma", fields, "revalidated", second={"headers": [["Pragma", "no-cache"]]})
        # What a request wants unstored isn't.
        scene.twice("no-store", fields, "miss", first={"headers": [["Cache-Control", "no-store"]]})
        result, heard = scene.ask(scene.path(), headers=[["Cache-Control", "only-if-cached"]])
        equal((result["status"], heard), (504, None), "only-if-cached of nothing")


@check
def modes_are_those_of_the_Fetch_standard():
    fresh = [("Cache-Control", "max-age=600"), ("ETag", '"a"')]
    stale = fresh + [("Age", "1000")]
    rows = {
        "default": ("hit", "revalidated"), "no-store": ("miss", "miss"), "reload": ("miss", "miss"),
        "no-cache": ("revalidated", "revalidated"), "force-cache": ("hit", "stale"),
        "only-if-cached": ("hit", "stale"),
    }
    with Scene() as scene:
        for mode, wanted in rows.items():
            for fields, source in zip((fresh, stale), wanted):
                scene.twice(f"{mode} of {fields}", fields, source, second={"cache": mode})
        result, heard = scene.ask(scene.path(), cache="only-if-cached")
        failed(result, "not-cached", "none")
        equal(heard, None, "only-if-cached of nothing")
        path = scene.path()
        scene.ask(path, (200, fresh, b"old"), cache="no-store")
        equal(scene.ask(path)[0]["from_cache"], "miss", "after no-store")
        path = scene.path()
        scene.ask(path, (200, fresh, b"old"), cache="reload")
        equal(scene.ask(path)[0]["from_cache"], "hit", "after reload")
        failed(scene.ask(path, cache="whatever")[0], "invalid-request")


@check
def Vary_keeps_apart_what_differs():
    # Section 4.1: the field that Vary names, what was asked first and then, and who answers.
    rows = [
        ("Accept-Language", [["Accept-Language", "de"]], [["Accept-Language", "de"]], FRESH),
        ("accept-LANGUAGE", [["Accept-Language", "de"]], [["accept-language", "de"]], FRESH),
        ("Accept-Language", [["Accept-Language", "de"]], [["Accept-Language", "fr"]], ASKED),
        ("Accept-Language", [["Accept-Language", "de"]], [], ASKED),
        ("Accept-Language", [], [["Accept-Language", "de"]], ASKED),
        ("Accept-Language", [], [], FRESH), ("X-A", [["X-A", "1"]], [["X-A", " 1 "]], FRESH),
        ("X-A, X-B", [["X-A", "1"], ["X-B", "2"]], [["X-B", "2"], ["X-A", "1"]], FRESH),
        ("X-A, X-B", [["X-A", "1"], ["X-B", "2"]], [["X-A", "1"]], ASKED),
        ("X-A", [["X-A", "1"], ["X-A", "2"]], [["X-A", "1, 2"]], FRESH),
        ("*", [], [], ASKED), ("X-A, *", [], [], ASKED), ("", [], [], FRESH),
        ("User-Agent", [], [], FRESH), ("User-Agent", [], [["User-Agent", "other"]], ASKED),
    ]
    with Scene() as scene:
        for value, first, second, wanted in rows:
            fields = [("Cache-Control", "max-age=60"), ("Vary", value)]
            scene.twice(f"{value}: {first} {second}", fields, wanted, first={"headers": first},
                        second={"headers": second})


@check
def two_users_get_their_own_answers_without_a_Vary():
    fresh = [("Cache-Control", "max-age=60")]
    with Scene() as scene:
        for name in ("Authorization", "Cookie"):
            path = scene.path()
            for user in ("a", "b"):
                result, _ = scene.ask(path, (200, fresh, user.encode()), headers=[[name, user]])
                equal(body(result), user.encode(), f"{name} of {user}")
            for user in ("a", "b"):
                result, heard = scene.ask(path, headers=[[name, user]])
                equal((body(result), heard), (user.encode(), None), f"{name} of {user} again")
            equal(scene.ask(path)[0]["from_cache"], "miss", "nobody in particular")


@check
def unsafe_methods_make_doubtful_what_they_may_have_changed():
    fresh = [("Cache-Control", "max-age=60")]
    rows = [(method, 200, "miss") for method in ("POST", "PUT", "DELETE", "PATCH", "M-SEARCH")]
    rows += [(method, 200, "hit") for method in ("HEAD", "OPTIONS", "TRACE")]
    rows += [("POST", status, "miss") for status in (204, 303)]
    rows += [("POST", status, "hit") for status in (400, 500)]
    with Scene() as scene:
        for method, status, wanted in rows:
            path = scene.path()
            scene.ask(path, (200, fresh, b"old"))
            scene.ask(path, (status, [], b""), method=method)
            equal(scene.ask(path)[0]["from_cache"], wanted, f"after {method} {status}")
        for name in ("Location", "Content-Location"):
            for place, wanted in (("same", "miss"), ("http://127.0.0.2:1", "hit")):
                path, other = scene.path(), scene.path()
                scene.ask(other, (200, fresh, b"old"))
                target = other if place == "same" else place + other
                scene.ask(path, (200, [(name, target)], b""), method="POST")
                equal(scene.ask(other)[0]["from_cache"], wanted, f"{name} {place}")


@check
def a_304_freshens_what_it_speaks_of():
    with Scene() as scene:
        path = scene.path()
        scene.ask(path, (200, [("ETag", '"a"'), ("X-Old", "1"), ("X-Both", "1")], b"old"))
        fields = [("ETag", '"a"'), ("Cache-Control", "max-age=60"), ("X-Both", "2")]
        result, heard = scene.ask(path, (304, fields, b""))
        equal(heard.field("If-None-Match"), b'"a"', "condition")
        equal((result["status"], body(result)), (200, b"old"), "answer")
        result, heard = scene.ask(path)
        equal((result["from_cache"], body(result), heard), ("hit", b"old", None), "afterwards")
        named = dict(result["headers"])
        equal((named["X-Old"], named["X-Both"], named["Content-Length"]), ("1", "2", "3"), "fields")
        # The caller's own condition is answered by a 304 of what is stored.
        result, heard = scene.ask(path, headers=[["If-None-Match", '"a"']])
        equal((result["status"], heard), (304, None), "the caller's condition")


@check
def HEAD_and_parts_are_made_of_what_is_stored():
    fields = [("Cache-Control", "max-age=60"), ("ETag", '"a"')]
    with Scene() as scene:
        path = scene.path()
        scene.ask(path, (200, fields, b"0123456789"))
        result, heard = scene.ask(path, method="HEAD")
        equal((result["status"], body(result), heard), (200, b"", None), "HEAD")
        for value, part in (("0-1", b"01"), ("8-", b"89"), ("-3", b"789"), ("2-200", b"23456789")):
            result, heard = scene.ask(path, headers=[["Range", f"bytes={value}"]])
            equal((result["status"], body(result), heard), (206, part, None), value)


@check
def stale_answers_are_used_where_the_origin_lets_them():
    behind = [("Cache-Control", "max-age=60, stale-while-revalidate=600"), ("Age", "100")]
    error = [("Cache-Control", "max-age=60, stale-if-error=600"), ("Age", "100")]
    strict = [("Cache-Control", "max-age=60, must-revalidate"), ("Age", "100")]
    with Scene() as scene:
        path = scene.path()
        scene.ask(path, (200, behind, b"old"))
        scene.replies[path] = (200, [("Cache-Control", "max-age=60")], b"new")
        result = scene.session.ask(id=1, url=scene.origin.url(path))
        equal((result["from_cache"], body(result)), ("stale", b"old"), "stale-while-revalidate")
        while result["from_cache"] == "stale":
            result = scene.session.ask(id=1, url=scene.origin.url(path))
        equal((result["from_cache"], body(result)), ("hit", b"new"), "what came meanwhile")
        for status in (500, 502, 503, 504):
            path = scene.path()
            scene.ask(path, (200, error, b"old"))
            result, heard = scene.ask(path, (status, [], b"broken"))
            holds(heard is not None, "the origin is asked")
            equal((result["from_cache"], body(result)), ("stale", b"old"), f"instead of {status}")
        path = scene.path()
        scene.ask(path, (200, error, b"old"))
        equal(scene.ask(path, (404, [], b"gone"))[0]["status"], 404, "404 is an answer")
        path = scene.path()
        scene.ask(path, (200, strict, b"old"))
        equal(scene.ask(path, (500, [], b"broken"))[0]["status"], 500, "must-revalidate")


@check
def fields_of_one_hop_are_not_stored():
    hop = ["Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "X-Hop"]
    fields = [("Cache-Control", "max-age=60"), ("Connection", "X-Hop"), ("X-End", "1")]
    fields += [(name, "1") for name in hop if name != "Connection"]
    with Scene() as scene:
        result, _ = scene.twice("hop", fields, "hit")
        names = {name for name, _ in result["headers"]}
        holds(names.isdisjoint(hop) and "X-End" in names and "Age" in names, f"{names}")


@check
def lines_that_ask_the_same_at_once_say_who_waited():
    with Origin(lambda connection, heard: (time.sleep(0.2), connection.send(
            b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok"))
    ) as origin, Session() as session:
        for number in range(5):
            session.send(id=number, url=origin.url("/"))
        sources = sorted(session.result()["from_cache"] for _ in range(5))
        equal(sources, ["coalesced"] * 4 + ["miss"], "sources")
        equal(session.ask(id=5, url=origin.url("/"))["from_cache"], "hit", "afterwards")
        equal(len(origin.heard), 1, "requests")


@check
def a_directory_serves_the_next_run_and_stays_within_its_size():
    place = tempfile.mkdtemp()
    folder = os.path.join(place, "cache")
    large = b"x" * 200_000
    reply = (200, [("Cache-Control", "max-age=600")], large)
    try:
        with Scene("--cache-dir", folder) as scene:
            path = scene.path()
            scene.ask(path, reply)
            url = scene.origin.url(path)
            equal(scene.session.end(), 0, "exit status")
            results, _ = run_lines({"id": 1, "url": url}, arguments=["--cache-dir", folder])
            equal((results[0]["from_cache"], body(results[0])), ("hit", large), "the next run")
            results, _ = run_lines({"id": 1, "url": url}, arguments=["--no-cache"])
            equal(results[0]["from_cache"], "miss", "--no-cache")
            for name in os.listdir(folder):
                mode = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
                equal(mode, 0o600, f"mode of {name}")
        size = 4 << 20
        with Scene("--cache-dir", folder, "--cache-size", str(size)) as scene:
            for _ in range(100):
                scene.ask(scene.path(), reply)
            equal(scene.session.end(), 0, "exit status")
        used = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))
        holds(used <= size, f"{used} bytes in the directory")
    finally:
        shutil.rmtree(place)


@check
def the_memory_stays_within_its_size():
    reply = (200, [("Cache-Control", "max-age=600")], b"x" * 100_000)
    with Scene("--cache-size", "1000000") as scene:
        paths = [scene.path() for _ in range(30)]
        for path in paths:
            scene.ask(path, reply)
        equal(scene.ask(paths[0])[0]["from_cache"], "miss", "what was stored first")
        equal(scene.ask(paths[-1])[0]["from_cache"], "hit", "what was stored last")
