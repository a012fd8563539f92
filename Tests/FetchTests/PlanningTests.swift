// What is refused before anything is opened, where a base URL leads, and which clock holds
// (CORE-08, ERR-02, ERR-03, POOL-13).

import Fetch
import TestSupport
import Testing

struct PlanningTests {
    @Test(arguments: [
        ("not-a-url", FetchError.Code.invalidURL), ("", .invalidURL), ("http://", .invalidURL),
        ("http:///path", .invalidURL), ("http://a.test:99999/", .invalidURL),
        ("http://a.test:x/", .invalidURL), ("http://a.test:0/", .invalidURL),
        ("http://a b.test/", .invalidURL), ("http://a.test/a b", .invalidURL),
        (" http://a.test/", .invalidURL), ("//a.test/", .invalidURL),
        ("http://300.1.1.1/", .invalidURL), ("ftp://x", .unsupportedScheme),
        ("file:///etc/passwd", .unsupportedScheme), ("wss://a.test/", .unsupportedScheme),
        ("https://", .invalidURL), ("https://a.test:0/", .invalidURL),
    ])
    func `a bad URL is refused, and nothing is opened`(
        url: String, code: FetchError.Code
    ) throws {
        let world = try LocalWorld()
        let told = world.get(url)
        #expect(told.error?.code == code)
        #expect(told.error?.phase == FetchError.Phase.none)
        #expect(told.error?.isRetryable == false)
        #expect(world.network.streams.isEmpty)
        #expect(world.fetcher.statistics.callsStarted == 0)
    }

    @Test(arguments: [
        ("Content-Length", "7"), ("Transfer-Encoding", "chunked"), ("Upgrade", "h2c"),
        ("Keep-Alive", "timeout=5"), ("Expect", "100-continue"),
    ])
    func `a field that is the library's own is refused by name`(
        name: String, value: String
    ) throws {
        let world = try LocalWorld()
        var request = Request(.post, "http://10.0.0.1/")
        request.headers = try Headers([(name, value)])
        request.body = .string("body")
        let error = world.execute(request).error
        #expect(error?.code == .invalidRequest)
        #expect(error?.reason.contains(name) == true)
        #expect(world.network.streams.isEmpty)
    }

    private static func tls(
        from: TLSConfiguration.Version = .tls12, to: TLSConfiguration.Version = .tls13,
        keyLog: String? = nil
    ) -> TLSConfiguration {
        var tls = TLSConfiguration()
        (tls.minimumVersion, tls.maximumVersion) = (from, to)
        tls.keyLog = keyLog.map { .file($0) } ?? .off
        return tls
    }

    @Test func `a request's own bad values are invalid requests`() throws {
        let world = try LocalWorld()
        let changes: [(String, (inout Request) -> Void)] = [
            ("timeout", { $0.totalTimeout = .zero }),
            ("timeouts.connect", { $0.timeouts = Timeouts().with(\.connect, .zero) }),
            ("bodyLimit", { $0.bodyLimit = -1 }),
            ("file", { $0.body = .file("/nonexistent/file") }),
            ("file", { $0.body = .file("/") }),
            ("file", { $0.body = .file("/etc/hosts\0.txt") }),
            ("tls.keyLog", { $0.tls = Self.tls(keyLog: "/tmp/a\0b") }),
            ("tls.minimumVersion", { $0.tls = Self.tls(from: .tls13, to: .tls12) }),
        ]
        for (key, change) in changes {
            var request = Request(.put, "http://10.0.0.1/")
            change(&request)
            let error = world.execute(request).error
            #expect(error?.code == .invalidRequest, "\(key)")
            #expect(error?.reason.hasPrefix(key + ": ") == true, "\(error?.reason ?? "")")
        }
        #expect(world.network.streams.isEmpty)
    }

    @Test(arguments: [
        ("http://10.0.0.1/v1", "/users", "/v1/users"),
        ("http://10.0.0.1/v1/", "/users", "/v1/users"),
        ("http://10.0.0.1/v1/", "users", "/v1/users"),
        ("http://10.0.0.1/v1", "users?page=2", "/v1/users?page=2"),
        ("http://10.0.0.1", "/users/1", "/users/1"),
        ("http://10.0.0.1/v1", "http://10.0.0.2/else", "/else"),
    ])
    func `a path continues the base URL, and an absolute URL stands for itself`(
        base: String, url: String, path: String
    ) throws {
        let world = try LocalWorld { $0.baseURL = base }
        _ = world.get(url)
        #expect(world.takeRequest().hasPrefix("GET \(path) HTTP/1.1\r\n"))
        let host = url.hasPrefix("http") ? "10.0.0.2:80" : "10.0.0.1:80"
        #expect("\(world.network.streams[0].peer)" == host)
    }

    @Test func `query parameters are appended and encoded, in order, repeats kept`() throws {
        let world = try LocalWorld()
        var request = Request("http://10.0.0.1/find?first=1")
        request.query = [("q", "a b&c=d"), ("tag", "x"), ("tag", "ü")]
        _ = world.execute(request)
        #expect(
            world.takeRequest().hasPrefix(
                "GET /find?first=1&q=a%20b%26c%3Dd&tag=x&tag=%C3%BC HTTP/1.1\r\n"))
    }

    @Test func `user information is neither sent nor told`() throws {
        let world = try LocalWorld()
        let told = world.get("http://user:secret@10.0.0.1/x")
        #expect(!world.takeRequest().contains("secret"))
        world.network.streams[0].fail()
        world.reactor.runUntilIdle()
        #expect(told.error?.url == "http://10.0.0.1/x")
        #expect(told.error?.description.contains("secret") == false)
    }

    // MARK: Clocks by rule

    @Test(
        arguments: [
            ("http://10.0.0.1/delay/3", nil, 10), ("http://10.0.0.1/status/200", nil, 8),
            ("http://10.0.0.1/get", nil, 6), ("http://10.0.0.1/delay/3", 2, 2),
            ("http://10.0.0.1/get?next=/delay/", nil, 6),
        ] as [(String, Int?, Int)])
    func `rules give requests their total clock, and the request's own wins`(
        url: String, own: Int?, seconds: Int
    ) throws {
        let world = try LocalWorld {
            $0.timeouts.total = .seconds(6)
            $0.timeoutRules = [
                .path(contains: "/delay/", total: .seconds(10)),
                .path(contains: "/status/", total: .seconds(8)),
            ]
        }
        var request = Request(url)
        request.totalTimeout = own.map { .seconds($0) }
        let told = world.execute(request)
        world.pass(.seconds(seconds) - .nanoseconds(1))
        #expect(told.outcome == nil)
        world.pass(.nanoseconds(1))
        #expect(told.error?.code == .totalTimeout)
        #expect(told.error?.elapsed == .seconds(seconds))
    }

    @Test func `rules tell hosts, prefixes and methods apart, and the first that matches holds`()
        throws
    {
        let rules: [TimeoutRule] = [
            .host("10.0.0.9", total: .seconds(1)), .path(prefix: "/api", total: .seconds(2)),
            .method(.post, total: .seconds(3)), .path(contains: "api", total: .seconds(4)),
        ]
        for (method, url, seconds) in [
            (HTTPRequest.Method.get, "http://10.0.0.9:81/api", 1),
            (.get, "http://10.0.0.1/api/x", 2), (.post, "http://10.0.0.1/my/api", 3),
            (.get, "http://10.0.0.1/my/api", 4),
        ] {
            let world = try LocalWorld { $0.timeoutRules = rules }
            let told = world.execute(Request(method, url))
            world.pass(.seconds(seconds) - .nanoseconds(1))
            #expect(told.outcome == nil)
            world.pass(.nanoseconds(1))
            #expect(told.error?.code == .totalTimeout, "\(url)")
        }
    }

    /// What each clock of the configuration becomes in the engine.
    @Test func `clocks reach the engine under their own names`() throws {
        let cases: [(WritableKeyPath<Timeouts, Duration?>, FetchError.Code, Bool)] = [
            (\.connect, .connectTimeout, true), (\.firstByte, .firstByteTimeout, false),
            (\.total, .totalTimeout, false),
        ]
        for (path, code, hangs) in cases {
            let world = try LocalWorld {
                $0.timeouts = .disabled
                $0.timeouts[keyPath: path] = .milliseconds(1_500)
            }
            if hangs { world.network.fate = { _ in .hangs } }
            let told = world.get("http://10.0.0.1/")
            world.pass(.milliseconds(1_499))
            #expect(told.outcome == nil)
            world.pass(.milliseconds(1))
            #expect(told.error?.code == code)
        }
        let longest = try LocalWorld { $0.timeouts.total = .seconds(Int64.max) }
        let told = longest.get("http://10.0.0.1/")
        longest.pass(.seconds(29))
        #expect(told.outcome == nil)
    }
}

extension Timeouts {
    func with(_ path: WritableKeyPath<Timeouts, Duration?>, _ value: Duration?) -> Timeouts {
        var copy = self
        copy[keyPath: path] = value
        return copy
    }
}
