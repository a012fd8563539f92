// The scripted origin over real loopback TCP: it says what its script says and sees what came.

import FetchBytes
import FetchReactor
import FetchTransport
import Glibc
import TestSupport
import Testing

/// A blocking conversation with an origin, on the calling thread; reads to the end or `until`.
private func converse(
    _ origin: RunningOrigin, _ request: String, until: String? = nil
) throws -> String {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
    defer { _ = close(descriptor) }
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    // setsockopt, connect, send and recv use their pointers during the call only.
    _ = unsafe setsockopt(
        descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    guard unsafe origin.address.withSockaddr({ unsafe connect(descriptor, $0, $1) }) == 0 else {
        throw ServerError.system("connect", errno)
    }
    let bytes = Array(request.utf8)
    _ = unsafe send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL))
    var answer: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = unsafe recv(descriptor, &block, block.count, 0)
        if count <= 0 { return String(latin1: answer) + (count < 0 ? "[errno \(errno)]" : "") }
        answer.append(contentsOf: block.prefix(count))
        if let until, String(latin1: answer).hasSuffix(until) { return String(latin1: answer) }
    }
}

private func get(_ path: String, close: Bool = true) -> String {
    "GET \(path) HTTP/1.1\r\nHost: a\r\n\(close ? "Connection: close\r\n" : "")\r\n"
}

/// Head and body of an answer.
private func parts(_ answer: String) -> (head: String, body: ArraySlice<UInt8>) {
    let bytes = answer.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    let end = (4..<bytes.count + 1).first { bytes[$0 - 4..<$0].elementsEqual("\r\n\r\n".utf8) }
    return (String(latin1: bytes.prefix(end ?? 0)), bytes.dropFirst(end ?? 0))
}

@Suite struct ScriptedOriginTests {
    @Test func `a response has its length and the request is remembered`() async throws {
        let (answer, seen) = try await onThreadOfItsOwn {
            let origin = try ScriptedOrigin.start(.always(.text("hello")))
            defer { origin.stop() }
            return (try converse(origin, get("/a?b=c")), origin.seen)
        }
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("Content-Length: 5\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nhello"))
        #expect(seen.accepted == 1)
        #expect(seen.requests.count == 1)
        #expect(seen.requests[0].method == "GET")
        #expect(seen.requests[0].target == "/a?b=c")
        #expect(seen.requests[0].query("b") == "c")
        #expect(String(latin1: seen.requests[0].raw) == get("/a?b=c"))
        #expect(seen.requests[0].isComplete)
    }

    @Test func `pipelined requests are answered in order on one connection`() async throws {
        let (answer, seen) = try await onThreadOfItsOwn {
            let origin = try ScriptedOrigin.start(
                Script { [.delay(.milliseconds(1)), .text("<\($0.target)>")] })
            defer { origin.stop() }
            let requests = get("/1", close: false) + get("/2", close: false) + get("/3")
            return (try converse(origin, requests), origin.seen)
        }
        let bodies = answer.split(separator: "<").dropFirst().map { $0.prefix { $0 != ">" } }
        #expect(bodies == ["/1", "/2", "/3"])
        #expect(seen.requestsOnConnection == [3])
        #expect(seen.mostOpen == 1)
    }

    @Test func `a chunked body is read with its trailers`() async throws {
        let request =
            "PUT /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            + "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nX-Sum: 13\r\n\r\n"
        let (answer, seen) = try await onThreadOfItsOwn {
            let origin = try ScriptedOrigin.start(.always(.echo))
            defer { origin.stop() }
            return (try converse(origin, request), origin.seen)
        }
        #expect(answer.contains("\"body\":\"abc0123456789\""))
        #expect(answer.contains("\"trailers\":[[\"X-Sum\",\"13\"]]"))
        #expect(String(latin1: seen.requests[0].raw) == request)
        #expect(seen.requests[0].upload.bytes == 13)
    }

    @Test func `an early answer does not wait for the body`() async throws {
        let request =
            "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nonly this"
        let answer = try await onThreadOfItsOwn {
            let origin = try ScriptedOrigin.start(MockPaths().script)
            defer { origin.stop() }
            return try converse(origin, request, until: "body\n")
        }
        #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", "0 Host fields"),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "request line"),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "version"),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", "a field line"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "framing fields"
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "Content-Length"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "chunk size"
        ),
    ])
    func `a client's mistake is refused by name`(request: String, reason: String) async throws {
        let (answer, seen) = try await onThreadOfItsOwn {
            let origin = try ScriptedOrigin.start(.always(.echo))
            defer { origin.stop() }
            return (try converse(origin, request), origin.seen)
        }
        #expect(answer.hasPrefix("HTTP/1.1 400 "))
        #expect(seen.complaints.count == 1)
        #expect(seen.complaints[0].contains(reason))
    }

    @Test(arguments: [
        ("/status/503", "HTTP/1.1 503 Service Unavailable\r\n", "status 503\n"),
        ("/status/204", "HTTP/1.1 204 No Content\r\n", "\r\n\r\n"),
        ("/chunked/2", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("/chunked/2?trailers=1", "HTTP/1.1 200 OK\r\n", "0\r\nX-Chunks: 2\r\n\r\n"),
        ("/keep-alive/7", "HTTP/1.1 200 OK\r\n", "hinted\n"),
        ("/informational/103", "HTTP/1.1 103 Early Hints\r\n", "response\n"),
        ("/delay/1", "HTTP/1.1 200 OK\r\n", "waited\n"),
        ("/extra", "HTTP/1.1 200 OK\r\n", "asked for\nHTTP/1.1 200 OK\r\n"),
        ("/close", "", ""),
        ("/reset", "[errno 104]", ""),
        ("/nowhere", "HTTP/1.1 404 Not Found\r\n", "no such path\n"),
    ])
    func `a path says what the mock server does`(
        path: String, start: String, end: String
    ) async throws {
        let answer = try await onThreadOfItsOwn {
            let origin = try ScriptedOrigin.start(MockPaths().script)
            defer { origin.stop() }
            return try converse(origin, get(path))
        }
        #expect(answer.hasPrefix(start), "\(answer)")
        #expect(answer.hasSuffix(end), "\(answer)")
    }

    @Test(arguments: [0, 5, 1_023, 1_024, 32_768, 65_520, 65_521, 65_522, 131_043, 300_000])
    func `a truncated body is as long as was asked for, and said to be longer`(
        count: Int
    ) async throws {
        let answer = try await onThreadOfItsOwn {
            let origin = try ScriptedOrigin.start(MockPaths().script)
            defer { origin.stop() }
            return try converse(origin, get("/truncate/\(count)"))
        }
        let (head, body) = parts(answer)
        #expect(body.count == count)
        #expect(BodyPattern.matches(Bytes(Array(body)), at: 0))
        #expect(head.contains("\r\nContent-Length: \(max(1_024, 2 * count))\r\n"), "\(head)")
    }

    @Test(arguments: [(3, 6), (1_000, 500_500), (1_001, 500_501), (2_500, 1_126_250)])
    func `chunks grow to a thousand bytes and begin again`(count: Int, bytes: Int) async throws {
        let answer = try await onThreadOfItsOwn {
            let origin = try ScriptedOrigin.start(MockPaths().script)
            defer { origin.stop() }
            return try converse(origin, get("/chunked/\(count)"))
        }
        var sizes: [Int] = []
        var rest = parts(answer).body
        repeat {
            let line = rest.prefix { $0 != 0x0D }
            let size = try #require(Int(String(latin1: line), radix: 16))
            sizes.append(size)
            rest = rest.dropFirst(line.count + 2 + size + 2)
        } while sizes.last != 0
        #expect(sizes == (0..<count).map { $0 % 1_000 + 1 } + [0])
        #expect(sizes.reduce(0, +) == bytes)
    }

    @Test func `a list of statuses goes round over all connections`() async throws {
        let lines = try await onThreadOfItsOwn {
            let origin = try ScriptedOrigin.start(MockPaths().script)
            defer { origin.stop() }
            return try (0..<4).map { _ in
                try converse(origin, get("/status/500,503,200")).prefix(12)
            }
        }
        #expect(lines == ["HTTP/1.1 500", "HTTP/1.1 503", "HTTP/1.1 200", "HTTP/1.1 500"])
    }

    @Test func `a generated body is the pattern to its last byte`() async throws {
        let answer = try await onThreadOfItsOwn {
            let origin = try ScriptedOrigin.start(MockPaths().script)
            defer { origin.stop() }
            return try converse(origin, get("/bytes/300000"))
        }
        let bytes = answer.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        #expect(bytes.count > 300_000)
        #expect(BodyPattern.matches(Bytes(Array(bytes.suffix(300_000))), at: 0))
    }

    @Test func `a connection ends after as many requests as were asked for`() async throws {
        let answer = try await onThreadOfItsOwn {
            let origin = try ScriptedOrigin.start(closesAfter: 2, .always(.text("x")))
            defer { origin.stop() }
            return try converse(origin, get("/1", close: false) + get("/2", close: false))
        }
        #expect(answer.split(separator: "Connection: close").count == 2)
    }

    @Test func `a port that is taken is an error and not a trap`() async throws {
        await #expect(throws: SystemError.self) {
            try await onThreadOfItsOwn {
                let one = try ScriptedOrigin.start(.always(.echo))
                defer { one.stop() }
                try ScriptedOrigin.start(on: one.address, .always(.echo)).stop()
            }
        }
    }
}
