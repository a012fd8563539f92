// What a call ends with when all goes well. Immutable; any thread.

package import FetchBytes
internal import FetchCache
package import FetchHTTP
package import FetchHTTP1
internal import FetchRoad
package import FetchTime
package import FetchTransport

/// When things happened to a call, on the reactor's clock.
package struct CallTimes: Equatable, Sendable {
    package var started = Instant(nanoseconds: 0)
    /// How long opening the connection took; zero on one that was used before.
    package var connectNanoseconds: Int64 = 0
    /// How long finding the host's addresses took before that; zero where they were known, and on
    /// a connection that was used before.
    package var dnsNanoseconds: Int64 = 0
    /// How long the TLS handshake took; zero without one, and on a connection used before.
    package var tlsNanoseconds: Int64 = 0
    package var firstByte = Instant(nanoseconds: 0)
    package var ended = Instant(nanoseconds: 0)

    package init() {}
}

/// What the cache had to do with a response.
package enum CacheOutcome: UInt8, Sendable {
    /// Nothing: it was not asked.
    case bypass
    /// The origin answered.
    case miss
    /// A stored response answered, and was fresh.
    case hit
    /// A stored response answered, and the origin said that it still holds.
    case revalidated
    /// A stored response answered, and was stale.
    case stale
}

/// How a cache came to an answer, in full. An object, because most answers need none.
package final class CacheReport: Sendable {
    package let status: CacheStatus

    init(_ status: CacheStatus) {
        self.status = status
    }
}

/// A response with all of its body; for a streamed call, with none of it. An object for the same
/// reason as the plan.
package final class WholeResponse: Sendable {
    /// How a stored response became the answer. Its age is found when somebody asks.
    private struct Use: Sendable {
        let form: CacheAnswer.Form
        let now: Now
    }

    /// One reference for what is rare.
    private final class Extra: Sendable {
        let trailers: FieldSection?
        let report: CacheReport?

        private init(_ trailers: FieldSection?, _ report: CacheReport?) {
            self.trailers = trailers
            self.report = report
        }

        @inline(__always)
        static func of(_ trailers: FieldSection?, _ report: CacheReport?) -> Extra? {
            trailers == nil && report == nil ? nil : Extra(trailers, report)
        }
    }

    /// How often a request was sent.
    struct Sends {
        let all: Int32
        let reconnects: Int32

        static var none: Sends { Sends(all: 0, reconnects: 0) }

        private init(all: Int32, reconnects: Int32) {
            self.all = all
            self.reconnects = reconnects
        }

        @inline(__always)
        init(_ call: Call) {
            all = Int32(truncatingIfNeeded: call.lostCount + 1)
            reconnects = Int32(call.attempt.reconnects)
        }
    }

    /// What came; nil for a stored response, whose head is made when somebody asks for it.
    package let receivedHead: ResponseHead?
    private let stored: CachedResponse?
    private let use: Use?
    package let body: Bytes
    /// Trailers and the cache's report, which most have not.
    private let extra: Extra?
    package let target: Target
    package let times: CallTimes
    private let sends: Sends
    package let peer: SocketAddress?
    /// Another caller's exchange answered it.
    package let isShared: Bool
    package let cacheOutcome: CacheOutcome

    init(
        head: consuming ResponseHead, body: consuming Bytes, trailers: consuming FieldSection?,
        target: consuming Target, times: CallTimes, sends: Sends, peer: SocketAddress?,
        cacheOutcome: CacheOutcome = .bypass, report: CacheReport? = nil
    ) {
        receivedHead = head
        stored = nil
        use = nil
        self.body = body
        extra = Extra.of(trailers, report)
        self.target = target
        self.times = times
        self.sends = sends
        self.peer = peer
        isShared = false
        self.cacheOutcome = cacheOutcome
    }

    /// A stored response.
    init(
        _ response: consuming CachedResponse, _ form: CacheAnswer.Form, now: Now,
        body: consuming Bytes, target: consuming Target, times: CallTimes, sends: Sends = .none,
        peer: SocketAddress? = nil, cacheOutcome: CacheOutcome = .hit, report: CacheReport? = nil
    ) {
        receivedHead = nil
        stored = response
        use = Use(form: form, now: now)
        self.body = body
        extra = Extra.of(nil, report)
        self.target = target
        self.times = times
        self.sends = sends
        self.peer = peer
        isShared = false
        self.cacheOutcome = cacheOutcome
    }

    /// The same for another caller.
    init(sharing other: WholeResponse, target: consuming Target, times: CallTimes) {
        receivedHead = other.receivedHead
        stored = other.stored
        use = other.use
        body = other.body
        extra = other.extra
        self.target = target
        self.times = times
        sends = other.sends
        peer = other.peer
        isShared = true
        cacheOutcome = other.cacheOutcome
    }

    /// How often it was sent, the last time included; 0 for a stored response.
    package var attempts: Int { Int(sends.all) }

    /// Of these, free retries on a fresh connection.
    package var reconnects: Int { Int(sends.reconnects) }

    package var trailers: FieldSection? { extra?.trailers }

    private var answer: CacheAnswer? {
        guard let stored, let use else { return nil }
        return CacheAnswer(stored, use.form, age: stored.ageSeconds(use.now))
    }

    /// Of a stored response it is made each time.
    package var head: ResponseHead {
        if let receivedHead { return receivedHead }
        guard let answer else { preconditionFailure("a response came or was stored") }
        return ResponseHead(
            status: answer.status, reason: answer.reason, fields: answer.fields,
            bodyCount: answer.form == .whole ? answer.body.count : nil)
    }

    /// Of a stored response.
    package var storedStatus: UInt16 {
        if use?.form == .whole { return stored?.status ?? 0 }
        return answer?.status ?? 0
    }

    package var reasonBytes: Bytes { receivedHead?.reasonBytes ?? answer?.reason ?? Bytes() }

    /// All fields; of a stored response they are put together each time.
    package var fields: FieldSection {
        receivedHead?.fields ?? answer?.fields ?? FieldSection()
    }

    /// The first value of a field of a stored response.
    package func storedField(_ name: String) -> String? { answer?.field(name) }

    /// The member of a Cache-Status field (RFC 9211) that says how the cache came to it; nil where
    /// it wasn't asked.
    package var cacheStatus: String? {
        var status: CacheStatus
        if let report = extra?.report {
            status = report.status
        } else if let stored, let use {
            status = CacheStatus(hit: stored, now: use.now)
        } else if cacheOutcome == .miss {
            status = CacheStatus(cache: "swift-fetch")
            status.forward = .uriMiss
        } else {
            return nil
        }
        if isShared { status.isCollapsed = true }
        return status.text
    }
}
