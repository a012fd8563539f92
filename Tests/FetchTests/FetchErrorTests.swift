// What users read when something failed (ERR-01, ERR-04, ERR-05).

import Fetch
import FetchEngine
import FetchTransport
import TestSupport
import Testing

struct FetchErrorTests {
    /// Failures as they come about, and the line that is printed.
    struct Golden: Sendable, CustomTestStringConvertible {
        let line: String
        let make: @Sendable (LocalWorld) throws -> FetchError?
        var testDescription: String { line }

        init(_ line: String, _ make: @escaping @Sendable (LocalWorld) throws -> FetchError?) {
            self.line = line
            self.make = make
        }
    }

    private static let url = "http://10.0.0.1/x"

    /// The error of a GET after `happens`.
    private static func get(
        _ world: LocalWorld, _ happens: (LocalWorld) -> Void
    ) -> FetchError? {
        let told = world.get(url)
        happens(world)
        world.reactor.runUntilIdle()
        return told.error
    }

    static let golden: [Golden] = [
        Golden(
            "GET http://10.0.0.1/x: refused (connect, attempt 1, 0 ms): "
                + "10.0.0.1:80: connection refused"
        ) { world in
            world.network.fate = { _ in .fails(.refused) }
            return get(world) { _ in }
        },
        Golden(
            "GET http://10.0.0.1/x: connect-timeout (connect, attempt 1, 10000 ms): "
                + "no connection was made in time"
        ) { world in
            world.network.fate = { _ in .hangs }
            return get(world) { $0.pass(.seconds(10)) }
        },
        Golden(
            "GET http://10.0.0.1/x: first-byte-timeout (first-byte, attempt 1, 30000 ms): "
                + "no response began in time"
        ) { world in get(world) { $0.pass(.seconds(30)) } },
        Golden(
            "GET http://10.0.0.1/x: closed-before-response (first-byte, attempt 1, 0 ms): "
                + "the peer closed before a response"
        ) { world in get(world) { $0.network.streams[0].end() } },
        Golden(
            "GET http://10.0.0.1/x: malformed-response (first-byte, attempt 1, 0 ms): "
                + "invalid status line"
        ) { world in get(world) { $0.send("nonsense\r\n") } },
        Golden(
            "GET http://10.0.0.1/x: head-too-large (first-byte, attempt 1, 0 ms): "
                + "status line too long"
        ) { world in
            get(world) {
                $0.send("HTTP/1.1 200 " + String(repeating: "x", count: 20_000) + "\r\n")
            }
        },
        Golden(
            "GET http://10.0.0.1/x: truncated-body (body, attempt 1, 0 ms): "
                + "connection closed inside a response body"
        ) { world in
            get(world) {
                $0.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
                $0.network.streams[0].end()
            }
        },
        Golden(
            "GET http://10.0.0.1/x: read-timeout (body, attempt 1, 30000 ms): "
                + "no byte of the response came for too long"
        ) { world in
            get(world) {
                $0.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
                $0.pass(.seconds(30))
            }
        },
        Golden(
            "GET http://10.0.0.1/x: body-too-large (body, attempt 1, 0 ms): "
                + "the body is larger than 67108864 bytes"
        ) { world in
            get(world) { $0.send("HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n") }
        },
        Golden("invalid-url: URL without a scheme") { $0.get("not-a-url").error },
        Golden("GET http://10.0.0.1/x: client-closed: the client is shut down") { world in
            world.fetcher.shutdown(.immediate)
            return get(world) { _ in }
        },
        Golden(
            "GET http://nowhere.invalid/: name-not-resolved (dns, attempt 1, 0 ms): "
                + "no such name: nowhere.invalid"
        ) { $0.get("http://nowhere.invalid/").error },
    ]

    @Test(arguments: golden)
    func `an error prints as one line`(golden: Golden) throws {
        let error = try #require(try golden.make(try LocalWorld()))
        #expect(error.description == golden.line)
        #expect(error.details["code"] == error.code.rawValue)
        #expect(error.details["reason"] == error.reason)
    }

    @Test func `details tell what a log wants to know`() throws {
        let world = try LocalWorld()
        let told = world.get("http://10.0.0.1/x")
        world.pass(.milliseconds(1_234))
        world.network.streams[0].fail()
        world.reactor.runUntilIdle()
        let details = try #require(told.error?.details)
        #expect(details["code"] == "reset")
        #expect(details["phase"] == "first-byte")
        #expect(details["method"] == "GET")
        #expect(details["url"] == "http://10.0.0.1/x")
        #expect(details["attempt"] == "1")
        #expect(details["elapsed_ms"] == "1234")
        #expect(details["errno"] == "104")
    }

    @Test func `every attempt that failed is kept`() throws {
        let world = try LocalWorld()
        let warm = world.get("http://10.0.0.1/x")
        world.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(warm.response?.statusCode == 200)
        let told = world.get("http://10.0.0.1/x")
        world.pass(.seconds(1))
        world.network.fate = { _ in .fails(.refused) }
        world.network.streams[0].fail()
        world.reactor.runUntilIdle()
        let attempts = try #require(told.error?.attempts)
        #expect(attempts.map(\.code) == [.reset, .refused])
        #expect(attempts.map(\.phase) == [.firstByte, .connect])
        #expect(attempts.map(\.number) == [1, 2])
        #expect(attempts.map(\.elapsed) == [.seconds(1), .seconds(1)])
        #expect(told.error?.attempt == 2)
    }

    @Test func `a call that is refused at the door has made no attempt`() throws {
        let world = try LocalWorld()
        world.fetcher.shutdown(.immediate)
        let error = try #require(world.get("http://10.0.0.1/").error)
        #expect(error.code == .clientClosed)
        #expect(error.phase == .none)
        #expect(error.attempt == 0)
        #expect(error.attempts.isEmpty)
        #expect(error.details["attempt"] == "0")
    }

    @Test(arguments: CallPhase.allCases)
    func `each phase of a call has the name that users read`(phase: CallPhase) {
        #expect(FetchError.Phase(phase).rawValue == phase.rawValue)
        #expect(FetchError.Phase.allCases.count == CallPhase.allCases.count)
    }

    /// The codes whose failures lie with the network, the peer's state or a clock.
    @Test func `each code says whether trying again can help`() {
        let retryable: Set<FetchError.Code> = [
            .nameNotResolved, .dnsFailed, .refused, .unreachable, .connectFailed, .outOfResources,
            .reset,
            .closedBeforeResponse, .truncatedBody, .queueTimeout, .dnsTimeout, .connectTimeout,
            .tlsTimeout, .writeTimeout, .firstByteTimeout, .readTimeout, .totalTimeout,
            .overloaded, .tlsClosed, .circuitOpen, .rateLimited, .retriesSpent,
        ]
        for code in FetchError.Code.allCases {
            #expect(FetchError(code, reason: "").isRetryable == retryable.contains(code))
        }
    }

    @Test(arguments: [200, 204, 299, 302, 404, 408, 429, 500, 501, 502, 503, 504])
    func `validate throws outside 200 to 299, with the response and its body's start`(
        status: Int
    ) throws {
        let world = try LocalWorld()
        let told = world.get("http://10.0.0.1/")
        let body = status == 204 ? "" : "Content-Length: 7\r\n\r\nwhat is"
        world.send("HTTP/1.1 \(status) X\r\n" + (body.isEmpty ? "\r\n" : body))
        let response = try #require(told.response)
        #expect(response.statusCode == status)
        #expect(response.ok == (status < 300))
        guard status >= 300 else {
            #expect(throws: Never.self) { try response.validate() }
            return
        }
        let error = #expect(throws: FetchError.self) { try response.validate() }
        #expect(error?.code == .unacceptableStatus)
        #expect(error?.response?.statusCode == status)
        #expect(error?.reason == "status \(status), body begins: what is")
        #expect(error?.isRetryable == [408, 429, 500, 502, 503, 504].contains(status))
    }

    @Test func `a local call that is cancelled is told CancellationError, once`() throws {
        let world = try LocalWorld()
        let told = world.get("http://10.0.0.1/")
        world.fetcher.cancel(try #require(told.handle))
        world.reactor.runUntilIdle()
        guard case .failure(let error) = told.outcome else {
            Issue.record("nothing was told")
            return
        }
        #expect(error is CancellationError)
        #expect(world.fetcher.poolDescription == "0 active, 0 idle, 0 connecting")
        #expect(world.fetcher.statistics.callsCancelled == 1)
    }
}
