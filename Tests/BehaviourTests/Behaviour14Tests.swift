// Behaviours 14 and 15: messages that are refused, and no byte that can trap. The rows are judged
// through the whole client; the parser's own tables stand in HTTP1Tests.

import Fetch
import FetchTransport
import TestSupport
import Testing

/// A response as bytes, and the code of the error that it is.
struct BadMessage: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: String
    var code = "malformed-response"

    var testDescription: String { name }
}

private func chunked(_ body: String) -> String {
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
}

@Suite struct Behaviour14Tests {
    @Test(arguments: [
        BadMessage(
            name: "length and transfer-encoding",
            bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "0\r\n\r\n"),
        BadMessage(
            name: "differing lengths",
            bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
        BadMessage(
            name: "differing lengths in one field",
            bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello!"),
        BadMessage(
            name: "negative length", bytes: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        BadMessage(
            name: "length beyond 64 bits",
            bytes: "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617\r\n\r\nx"),
        BadMessage(name: "chunk size that is no number", bytes: chunked("xyz\r\n")),
        BadMessage(name: "chunk size beyond 64 bits", bytes: chunked("fffffffffffffffff\r\n")),
        BadMessage(name: "negative chunk size", bytes: chunked("-1\r\n")),
        BadMessage(name: "chunk longer than its size", bytes: chunked("3\r\nabcd\r\n0\r\n\r\n")),
        BadMessage(name: "bare CR in a field", bytes: "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n"),
        BadMessage(name: "NUL in a field", bytes: "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n"),
        BadMessage(name: "folded field", bytes: "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"),
        BadMessage(name: "space before the colon", bytes: "HTTP/1.1 200 OK\r\nA : b\r\n\r\n"),
        BadMessage(name: "no status line", bytes: "hello\r\n\r\n"),
        BadMessage(name: "another protocol", bytes: "SSH-2.0-OpenSSH_9.2\r\n"),
        BadMessage(name: "HTTP/2's preface", bytes: "HTTP/2.0 200 OK\r\n\r\n"),
        BadMessage(
            name: "shorter than its length",
            bytes: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", code: "truncated-body"),
        BadMessage(
            name: "ends inside a chunk", bytes: chunked("9\r\nabc"), code: "truncated-body"),
        BadMessage(
            name: "ends before the last chunk", bytes: chunked("3\r\nabc\r\n"),
            code: "truncated-body"),
        BadMessage(
            name: "256 fields and one",
            bytes: "HTTP/1.1 200 OK\r\n" + String(repeating: "A: b\r\n", count: 257)
                + "Content-Length: 0\r\n\r\n",
            code: "head-too-large"),
        BadMessage(
            name: "head of more than 64 KiB",
            bytes: "HTTP/1.1 200 OK\r\n"
                + String(repeating: "A: \(String(repeating: "b", count: 1_000))\r\n", count: 66)
                + "\r\n",
            code: "head-too-large"),
        BadMessage(
            name: "seventeen interim responses",
            bytes: String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 17)
                + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        BadMessage(
            name: "switches protocols unasked",
            bytes: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
    ])
    func `a message that breaks the framing is refused and its connection closed`(
        row: BadMessage
    ) async throws {
        let steps: [Step] = [.raw(row.bytes)] + (row.code == "truncated-body" ? [.close] : [])
        for seed in 1...3 as ClosedRange<UInt64> {
            // Split at places that are drawn.
            var weather = Weather()
            weather.segment = 1...max(8, row.bytes.utf8.count / 3)
            try await onStage(Script { _ in steps }, seed: seed, weather: weather) { stage in
                let code = await failure { try await stage.fetcher.get("http://127.0.0.1/") }
                #expect(code == row.code)
                #expect(stage.open == 0)
                try await stage.expectBaseline()
            }
        }
    }

    @Test func `sixteen interim responses and a head at its limits are accepted`() async throws {
        let interim = String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 16)
        let fields = String(repeating: "A: b\r\n", count: 255) + "Content-Length: 2\r\n"
        try await onStage(.always(.raw(interim + "HTTP/1.1 200 OK\r\n\(fields)\r\nok"))) { stage in
            let response = try await stage.fetcher.get("http://127.0.0.1/")
            #expect(response.text == "ok")
            #expect(response.headers.count == 256)
            #expect(await stage.pool == "0 active, 1 idle, 0 connecting")
        }
    }

    @Test func `a head without end fails by its limit, in flat memory`() async throws {
        let script = Script { _ in
            [.raw("HTTP/1.1 200 OK\r\nA: ")]
                + Array(repeating: Step.raw(BodyPattern.letters), count: 1_000)
        }
        try await onStage(script) { stage in
            let code = await failure { try await stage.fetcher.get("http://127.0.0.1/") }
            #expect(code == "head-too-large")
            // The limit, and what one turn may read beyond it.
            let received = try await stage.statistics.bytesReceived
            #expect(received <= (64 << 10) + (128 << 10))
            #expect(stage.open == 0)
        }
    }

    @Test func `limits are configurable, and the error names which`() async throws {
        let configuration = configured { $0.limits.headBytes = 100 }
        let fields = [("A", String(repeating: "b", count: 100))]
        try await onStage(.always(.text("x", fields: fields)), configuration) { stage in
            let error = await #expect(throws: FetchError.self) {
                try await stage.fetcher.get("http://127.0.0.1/")
            }
            #expect(error?.code == .headTooLarge)
            #expect(error?.reason == "response head too large")
        }
    }
}

extension BodyPattern {
    /// 64 KiB that may stand in a field's value.
    fileprivate static let letters = String(repeating: "abcdefgh", count: 8_192)
}

/// Pieces that responses are made of, good and bad.
private let shards = [
    "HTTP/1.1 200 OK\r\n", "HTTP/1.0 200\r\n", "HTTP/1.1 103 x\r\n\r\n", "HTTP/1.1 304 x\r\n",
    "HTTP/1.1 204 x\r\n", "HTTP/9.9 999 x\r\n", "Content-Length: 3\r\n",
    "Content-Length: 99999999999999999999\r\n", "Content-Length: 9223372036854775807\r\n",
    "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
    "Connection: close\r\n", "Connection: ,,,\r\n", "Keep-Alive: timeout=99999999999999\r\n",
    "Keep-Alive: timeout=-5,max=\r\n", "A: b\r\n", "A:\r\n", ": b\r\n", "\r\n", "\n", "\r",
    "3\r\nabc\r\n", "0\r\n\r\n", "7fffffffffffffff\r\n", "0;a=\"b\\\"c\"\r\n\r\n", "abc", "\0",
    "Trailer: A\r\n", "ffffffff\r\n", "1\r\n", "x\r\n", "\u{80}\u{ff}",
]

private func garbage(_ dice: inout Dice) -> Bytes {
    var bytes: [UInt8] = []
    // Most begin as a response does, or nothing behind the first line would ever be read.
    if dice.chance(0.8) { bytes += Array(shards[dice.pick(0...3)].utf8) }
    for _ in 0..<dice.pick(0...12) {
        if dice.chance(0.15) {
            for _ in 0..<dice.pick(1...40) { bytes.append(UInt8(dice.pick(0...255))) }
        } else {
            bytes += Array(dice.pick(shards).utf8)
        }
    }
    // One byte changed.
    if !bytes.isEmpty, dice.chance(0.3) {
        bytes[dice.pick(0...(bytes.count - 1))] = UInt8(dice.pick(0...255))
    }
    return Bytes(bytes)
}

@Suite struct Behaviour15Tests {
    @Test(arguments: Array(1...8) as [UInt64])
    func `no byte from a peer traps, and every call ends`(seed: UInt64) async throws {
        let script = Script { request in
            var dice = Dice(seed: seed &* 100_003 &+ UInt64(request.number))
            let ends: [[Step]] = [[.close], [.reset], [.hang], []]
            return [.raw(garbage(&dice))] + dice.pick(ends)
        }
        try await onStage(script, seed: seed, weather: Weather()) { stage in
            let methods: [HTTPRequest.Method] = [.get, .head, .put, .options]
            var ended = 0
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<10 {
                    group.addTask {
                        for call in 0..<50 {
                            let method = methods[(worker + call) % 4]
                            do {
                                _ = try await stage.fetcher.request(method, "http://127.0.0.1/")
                            } catch is FetchError {
                                continue
                            }
                        }
                    }
                }
                for try await _ in group { ended += 1 }
            }
            #expect(ended == 10)
            let statistics = try await stage.statistics
            #expect(statistics.callsStarted == 500)
            #expect(statistics.callsSucceeded + statistics.callsFailed == 500)
            try await stage.expectBaseline()
        }
    }

    @Test(arguments: Array(1...4) as [UInt64])
    func `no byte from a peer traps in a streamed response`(seed: UInt64) async throws {
        let script = Script { request in
            var dice = Dice(seed: seed &* 7_919 &+ UInt64(request.number))
            return [.raw(garbage(&dice)), .close]
        }
        try await onStage(script, seed: seed, weather: Weather()) { stage in
            for _ in 0..<250 {
                do {
                    try await stage.fetcher.stream("http://127.0.0.1/") { response in
                        for try await _ in response.body {}
                    }
                } catch is FetchError {
                    continue
                }
            }
            try await stage.expectBaseline()
        }
    }

    @Test func `ten thousand empty-handed chunks and fields do not deepen the stack`() async throws {
        let chunks = chunked(String(repeating: "1\r\nx\r\n", count: 100_000) + "0\r\n\r\n")
        try await onStage(.always(.raw(chunks))) { stage in
            let response = try await stage.fetcher.get("http://127.0.0.1/")
            #expect(response.body.count == 100_000)
        }
    }
}
