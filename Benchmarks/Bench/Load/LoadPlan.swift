// What a load run is to do, read from arguments or from the scenario list. A pure value.

import Fetch

/// One load run.
struct LoadPlan: Sendable {
    /// Where request `number` goes.
    enum Target: Sendable {
        case url(String)
        /// So many origins in turn, 127.1.0.1 and up, all on one port.
        case origins(Int, port: UInt16)
    }

    /// Which of the client's faces makes the requests.
    enum Face: Sendable {
        /// `Fetcher`, a task per connection, on the reactor's own thread.
        case async
        /// The same, and the body is read as a stream.
        case stream
        /// `LocalFetcher`, a chain of callbacks per connection.
        case callback
        /// `LocalFetcher` on a reactor that a poll(2) loop drives.
        case embedded
        /// `Fetcher` with a thread of its own, called from Swift's thread pool.
        case crossThread
    }

    var target: Target
    var face = Face.async
    /// Requests in flight at once, and connections at most.
    var connections = 64
    var amount: Amount
    /// Requests per second in an open loop.
    var rate: Double?
    var method = "GET"
    var headers: [(String, String)] = []
    var body: [UInt8]?
    /// Seconds, the client's own total clock.
    var timeout: Double?
    /// A PEM file of authorities that are trusted in place of the machine's.
    var authority: String?
    var cache = CacheConfiguration.disabled
    /// Whether earlier TLS sessions are taken up.
    var resumesSessions = true

    /// Whether `get` with a URL says it all.
    var isPlain: Bool {
        if case .stream = face { return false }
        return method == "GET" && headers.isEmpty && body == nil
    }

    var hasOneURL: Bool {
        if case .url = target { true } else { false }
    }

    /// The URL of request `number`.
    func url(_ number: Int) -> String {
        switch target {
        case .url(let url): return url
        case .origins(let count, let port):
            let origin = number % count
            let (second, third) = (1 + origin / 62_500, origin / 250 % 250)
            return "http://127.\(second).\(third).\(1 + origin % 250):\(port)/"
        }
    }
}
