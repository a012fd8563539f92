// The eight clocks of a call, as the user sets them.

internal import FetchEngine

/// How long each phase of a call may take. All are on by default; nil switches one off.
///
/// A clock that runs out fails the call with an error that names it. Resolution is a millisecond;
/// a clock never fires early.
public struct Timeouts: Sendable, Hashable {
    /// Waiting for a connection, when as many as allowed are busy. Default 30 s.
    public var queue: Duration? = .seconds(30)
    /// Asking name servers. Default 10 s.
    public var dns: Duration? = .seconds(10)
    /// Connecting, over all addresses of the origin together. Default 10 s.
    public var connect: Duration? = .seconds(10)
    /// The TLS handshake. Default 10 s.
    public var tls: Duration? = .seconds(10)
    /// The peer takes no byte of the request for so long. Default 30 s.
    public var writeIdle: Duration? = .seconds(30)
    /// From the request's last byte to the response's first. Default 30 s.
    public var firstByte: Duration? = .seconds(30)
    /// No byte of the response comes for so long. Default 30 s.
    public var readIdle: Duration? = .seconds(30)
    /// From the call to the response's last byte, waiting and further attempts included; for a
    /// streamed response, to the end of its head. Default 300 s.
    public var total: Duration? = .seconds(300)

    /// The defaults.
    public init() {}

    /// No clock at all.
    public static var disabled: Timeouts {
        var none = Timeouts()
        for path in Timeouts.names.map(\.1) { none[keyPath: path] = nil }
        return none
    }

    // Key paths to a Sendable struct's stored properties are constants.
    static var names: [(String, WritableKeyPath<Timeouts, Duration?>)] {
        [
            ("queue", \.queue), ("dns", \.dns), ("connect", \.connect), ("tls", \.tls),
            ("writeIdle", \.writeIdle), ("firstByte", \.firstByte), ("readIdle", \.readIdle),
            ("total", \.total),
        ]
    }

    var clocks: Clocks {
        var clocks = Clocks()
        clocks.queue = Timeouts.nanoseconds(queue)
        clocks.dns = Timeouts.nanoseconds(dns)
        clocks.connect = Timeouts.nanoseconds(connect)
        clocks.tls = Timeouts.nanoseconds(tls)
        clocks.writeIdle = Timeouts.nanoseconds(writeIdle)
        clocks.firstByte = Timeouts.nanoseconds(firstByte)
        clocks.readIdle = Timeouts.nanoseconds(readIdle)
        clocks.total = Timeouts.nanoseconds(total)
        return clocks
    }

    /// Saturating; nil is never.
    static func nanoseconds(_ duration: Duration?) -> Int64 {
        guard let duration else { return Clocks.never }
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? Clocks.never : whole.addingSaturated(attoseconds / 1_000_000_000)
    }
}

extension Int64 {
    fileprivate func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

/// Gives requests that match another total clock. The first rule that matches holds; a timeout
/// given with the request itself wins over all rules.
public struct TimeoutRule: Sendable, Hashable {
    enum Condition: Sendable, Hashable {
        case pathContains(String)
        case pathHasPrefix(String)
        case host(String)
        case method(String)
    }

    let condition: Condition
    let total: Duration

    /// Requests whose path (without the query) contains `text`.
    public static func path(contains text: String, total: Duration) -> TimeoutRule {
        TimeoutRule(condition: .pathContains(text), total: total)
    }

    /// Requests whose path begins with `prefix`.
    public static func path(prefix: String, total: Duration) -> TimeoutRule {
        TimeoutRule(condition: .pathHasPrefix(prefix), total: total)
    }

    /// Requests to this host, whatever the port; case does not matter.
    public static func host(_ host: String, total: Duration) -> TimeoutRule {
        TimeoutRule(condition: .host(host.lowercased()), total: total)
    }

    /// Requests with this method.
    public static func method(_ method: HTTPRequest.Method, total: Duration) -> TimeoutRule {
        TimeoutRule(condition: .method(method.rawValue), total: total)
    }

    func matches(_ method: Method, _ target: Target) -> Bool {
        switch condition {
        case .pathContains(let text): TimeoutRule.path(of: target).contains(text)
        case .pathHasPrefix(let prefix): TimeoutRule.path(of: target).hasPrefix(prefix)
        case .host(let host): target.host == host
        case .method(let name): method.name == name
        }
    }

    private static func path(of target: Target) -> String {
        let all = target.pathAndQuery
        return String(all.prefix { $0 != "?" })
    }
}
