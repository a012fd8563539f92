// One thread, whatever the load (CORE-01, CORE-02): `bench` in a process of its own against
// `mockserver` in another. Counts and lower bounds only: nothing here is a race.

import TestSupport
import Testing

@Suite struct OneThreadTests {
    @Test func `five thousand GETs overlap on one thread, and all of them succeed`() async throws {
        let report = try await withMockServer { url in
            try await bench([
                "http", "\(url)/delay/1000", "--connections", "5000", "--requests", "5000",
            ])
        }
        #expect(report.contains("\"requests\":5000,\"errors\":0,"))
        #expect(report.contains("\"statuses\":{\"200\":5000}"))
        #expect(number("threads", in: report) == 1)
        #expect(try #require(number("connections_opened", in: report)) <= 5_000)
        #expect(try #require(number("wall_s", in: report)) >= 1)
        // A request that began when another had ended would have had its connection.
        #expect(try #require(number("connections_opened", in: report)) > 1_000)
    }

    @Test func `a load through a reactor in a foreign poll loop has one thread`() async throws {
        let report = try await withMockServer { url in
            try await bench([
                "http", "\(url)/", "--embedded", "--connections", "32", "--requests", "2000",
            ])
        }
        #expect(report.contains("\"requests\":2000,\"errors\":0,"))
        #expect(number("threads", in: report) == 1)
        #expect(number("connections_opened", in: report) == 32)
    }

    /// Whatever else could wait is traced with it; a socket that can't block is no waiting.
    @Test func `epoll is the only thing that the client's thread waits for`() async throws {
        let program = "/usr/bin/strace"
        guard Files.isExecutable(program) else {
            throw ServerError.missing(program: "strace", package: "strace")
        }
        let calls = [
            "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6",
            "nanosleep", "clock_nanosleep", "futex", "wait4", "waitid", "pause",
            "rt_sigtimedwait", "rt_sigsuspend", "accept", "accept4", "socket", "connect",
        ]
        // The leak checker can't work in a traced process.
        let tracer = [
            "env", "ASAN_OPTIONS=detect_leaks=0", program, "-f", "-qq", "-e",
            "trace=" + calls.joined(separator: ","),
        ]
        let output = try await withMockServer { url in
            try await child(
                "bench",
                [
                    "http", "\(url)/delay/20", "--connections", "8", "--requests", "64", "--json",
                ], under: tracer)
        }
        let made = output.filter { line in
            calls.contains { line.hasPrefix($0 + "(") } || line.hasPrefix("[pid")
        }
        #expect(output.contains { $0.contains("\"requests\":64,\"errors\":0,") })
        #expect(made.contains { $0.hasPrefix("epoll_") })
        let others = made.filter { line in
            if line.hasPrefix("epoll_") || line.hasPrefix("connect(") { return false }
            if line.hasPrefix("socket(") { return !line.contains("SOCK_NONBLOCK") }
            // Waking somebody waits for nobody.
            if line.hasPrefix("futex(") { return !line.contains("FUTEX_WAKE") }
            return true
        }
        #expect(others.isEmpty)
    }

    @Test(arguments: [["--down", "30000000", "--check"], ["--up", "30000000"]])
    func `a long body goes either way whole, though one end stops in the middle`(
        options: [String]
    ) async throws {
        let path = options[0] == "--up" ? "/swallow" : "/bytes/30000000"
        let report = try await withMockServer { url in
            try await bench(["transfer", url + path, "--pause", "0.2"] + options)
        }
        #expect(report.contains("\"status\":200,\"bytes\":30000000,"))
        #expect(report.contains("\"first_wrong\":null"))
        #expect(number("threads", in: report) == 1)
        #expect(try #require(number("wall_s", in: report)) >= 0.2)
    }
}
