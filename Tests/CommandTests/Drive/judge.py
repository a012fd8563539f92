"""A judge of HTTP/1.1: python3 judge.py FETCH [part of a case's name …]

Tables of responses and requests, each held against RFC 9110 and 9112 by one `fetch --jsonl` that
runs them all. One line per table; the exit status is 1 when a case failed.
"""

import random
import sys
import threading
import time

import command
from command import Session, body
from origin import Origin, ok

import judge_flows
import judge_model
import judge_requests
import judge_responses


LONG = 250 * command.PATIENCE


def served(origin_cases):
    """An origin's answer that plays the case of each path; `/after` gets its own name."""

    def answer(connection, heard):
        case = origin_cases.get(heard.target)
        if case is None:
            connection.send(ok(heard.target.encode()))
            return
        case.connection = connection.number
        case.times += 1
        try:
            for piece in case.pieces:
                if isinstance(piece, float):
                    time.sleep(piece)
                else:
                    connection.send(piece)
            if case.end:
                getattr(connection, case.end)()
            if case.late:
                case.told.wait(command.PATIENCE / 4)
                connection.send(case.late)
        finally:
            case.played.set()

    return answer


def pieces_of(case, cut):
    """The wire bytes as they are sent: whole, in single bytes, or cut in three."""
    wire = case.wire
    if isinstance(wire, list) or cut == "whole":
        return wire if isinstance(wire, list) else [wire]
    if cut == "bytes":
        return [wire[index:index + 1] for index in range(len(wire))]
    dice = random.Random(case.name)
    one, two = sorted(dice.randrange(len(wire) + 1) for _ in range(2))
    return [piece for piece in (wire[:one], 0.001, wire[one:two], 0.001, wire[two:]) if piece]


def complaint(case, result):
    """What is wrong with a result, or None."""
    if case.codes:
        if result["ok"]:
            return f"accepted: {result}"
        code = result["error"]["code"]
        return None if code in case.codes else f"code {code}, not {case.codes}: {result['error']}"
    if not result["ok"]:
        return f"refused: {result['error']}"
    found = {"body": body(result)}
    for key in ("status", "reason", "version", "headers", "trailers"):
        found[key] = result[key]
    for key, wanted in case.wanted.items():
        if found[key] != wanted:
            return f"{key} {found[key]!r}, not {wanted!r}"
    return None


def run_responses(cases, cut, problems):
    by_path = {f"/{number}": case for number, case in enumerate(cases)}
    for case in cases:
        case.reset(pieces_of(case, cut))
    with Origin(served(by_path)) as origin, Session() as session:
        for path, case in by_path.items():
            result = session.ask(
                id=case.name, url=origin.url(path), method=case.method, timeout_ms=LONG)
            wrong = complaint(case, result)
            case.told.set()
            if case.late or case.end:
                case.played.wait(command.PATIENCE / 4)
                time.sleep(0.002)
            after = session.ask(id="after", url=origin.url(path + "/after"), timeout_ms=LONG)
            said = path.encode() + b"/after"
            if not after["ok"] or body(after) != said:
                wrong = f"{wrong or ''} the next response was poisoned: {after}"
            number = origin.heard[-1].connection
            if case.reused is not None and (number == case.connection) != case.reused:
                wrong = f"{wrong or ''} connection {'not ' * case.reused}kept: {result}"
            if wrong:
                problems.append(f"{case.name} ({cut}): {wrong}")


def run_requests(problems):
    cases = judge_requests.cases()
    with Origin(lambda c, h: c.send(ok())) as origin, Session() as session:
        session.ask(id=0, url=origin.url())
        agent = origin.heard[0].field("User-Agent")
        for case in cases:
            before = len(origin.heard)
            result = session.ask(**case.request(origin.port))
            heard = origin.heard[before:]
            wrong = case.complaint(result, heard, origin.port, agent)
            if wrong:
                problems.append(f"{case.name}: {wrong}")
    return len(cases)


def report(name, count, start, problems):
    seconds = time.monotonic() - start
    if problems:
        for problem in problems:
            print(f"FAIL  {name}: {problem}")
    else:
        print(f"ok    {name}: {count} cases ({seconds:.2f} s)")
    sys.stdout.flush()
    return len(problems)


def main():
    command.BINARY = sys.argv[1]
    parts = sys.argv[2:]
    failures = 0
    for table, cases in judge_responses.TABLES.items():
        if parts:
            cases = [case for case in cases if any(p in case.name + table for p in parts)]
        for cut in ("whole", "bytes", "thirds"):
            chosen = [case for case in cases if cut == "whole" or case.may_be_cut]
            if not chosen:
                continue
            start, problems = time.monotonic(), []
            run_responses(chosen, cut, problems)
            failures += report(f"{table}, {cut}", len(chosen), start, problems)
    if not parts or "requests" in parts:
        start, problems = time.monotonic(), []
        count = run_requests(problems)
        failures += report("requests", count, start, problems)
    if not parts or "random" in parts:
        start = time.monotonic()
        problems = judge_model.run("fixed", 800)
        failures += report("random responses, against a model", 800, start, problems)
    for flow in judge_flows.FLOWS:
        name = flow.__name__.replace("_", " ")
        if parts and not any(part in name for part in parts):
            continue
        start, problems = time.monotonic(), []
        try:
            flow()
        except Exception as error:
            problems.append(f"{type(error).__name__}: {error}")
        failures += report(name, 1, start, problems)
    return 1 if failures else 0


if __name__ == "__main__":
    threading.stack_size(256 << 10)
    sys.exit(main())
