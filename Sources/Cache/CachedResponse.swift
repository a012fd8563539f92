// CachedResponse: one stored response (RFC 9111 section 3). Immutable; any thread. An object,
// because it is handed from the index to the road, the caller and a store: each hand-over is one
// reference count instead of a copy of its facts.
//
// It costs three allocations: the object, one array with everything that is text (status line,
// fields, URI, selecting fields), and the body's, which callers share.

package import FetchBytes
package import FetchHTTP
package import FetchTime

/// A response that is stored, with all that is needed to use it again.
package final class CachedResponse: Sendable {
    /// What the content is.
    package enum Content: Equatable, Sendable {
        /// All of it.
        case whole
        /// So many bytes from a position on, of so many in all (section 3.3).
        case part(Range<Int>, of: Int)
    }

    /// Everything about it, as a value.
    package struct Facts: Sendable {
        /// What is kept of the fields; without Age.
        package var fields = FieldSection()
        package var body = Bytes()
        package var status: UInt16 = 200
        package var content = Content.whole
        /// Where in the fields' bytes the URI and the selecting fields lie.
        package var uri = 0..<0
        package var selecting = 0..<0
        /// Hash of the URI, in this process.
        package var targetHash: UInt64 = 0
        package var partition = CachePartition.open
        package var times: ResponseTimes
        /// Seconds since the epoch: its Date.
        package var date: Int64 = 0
        package var freshness: Freshness
        package var control = StaleControl()
        package var onlyInMemory = false
    }

    package let facts: Facts
    /// What it costs in memory, its place in an index included.
    package let allocatedBytes: Int
    /// The first moment at which it is stale, by either clock: by the wall clock in nanoseconds
    /// since the epoch.
    private let staleAt: Instant
    private let staleAtWall: Int64

    package init(_ facts: Facts) {
        self.facts = facts
        allocatedBytes = Self.allocatedBytes(facts)
        let left = Nanoseconds.of(facts.freshness.lifetime) &- facts.freshness.initialAge
        let came = facts.times.response
        // What is stale from the start is stale before the start, too.
        staleAt = left > 0 ? came.instant.adding(nanoseconds: left) : Instant(nanoseconds: .min)
        staleAtWall = Nanoseconds.sinceEpoch(came.wall.adding(nanoseconds: left))
    }

    package var status: UInt16 { facts.status }
    package var fields: FieldSection { facts.fields }
    package var body: Bytes { facts.body }
    package var freshness: Freshness { facts.freshness }

    /// Bytes of the URI: `Target.resourceText` of the request it answered.
    package var uriBytes: Bytes { facts.fields.receivedBytes(facts.uri) }

    /// The selecting fields, as `SelectingFields` writes them.
    package var selectingBytes: Bytes { facts.fields.receivedBytes(facts.selecting) }

    /// Whether a request would have been answered with the same representation.
    package func isSelected(by request: CacheRequest) -> Bool {
        guard !facts.selecting.isEmpty else { return true }
        let selecting = selectingBytes
        return SelectingFields.match(selecting.span, request)
    }

    /// Whether all of the content is there.
    package var isWhole: Bool { facts.content == .whole }

    /// The length of the whole representation.
    package var wholeLength: Int {
        switch facts.content {
        case .whole: facts.body.count
        case .part(_, let length): length
        }
    }

    /// Its tag; read from the fields each time.
    package var entityTag: EntityTag? { EntityTag(of: facts.fields) }

    /// The Last-Modified field as it came, and what it says in seconds since the epoch.
    package var lastModified: (field: Bytes, seconds: Int64)? {
        guard let index = facts.fields.firstIndex(of: "last-modified") else { return nil }
        let field = facts.fields.valueBytes(at: index)
        let received = facts.times.response.wall.seconds
        return HTTPDate.seconds(field.span, now: received).map { (field, $0) }
    }

    private static func allocatedBytes(_ facts: Facts) -> Int {
        // An object begins with two words of its own.
        let object = Allocation.bytes(
            for: 16 + MemoryLayout<Facts>.size + 8 + 3 * MemoryLayout<Int64>.size)
        return object + facts.fields.allocatedBytes + facts.body.allocatedBytes
            + MemoryIndex.bytesPerEntry
    }
}

extension CachedResponse: Equatable {
    /// Whether both are the same object.
    package static func == (one: CachedResponse, other: CachedResponse) -> Bool { one === other }
}

extension CachedResponse: CustomStringConvertible {
    package var description: String {
        "\(status) \(String(uriBytes)) (\(body.count) bytes)"
    }
}

// MARK: Age

extension CachedResponse {
    /// `current_age` in nanoseconds (section 4.2.3).
    ///
    /// The monotonic clock stands still while the machine sleeps and the wall clock may be set
    /// back: the one that saw more time pass is right.
    package func age(_ now: Now) -> Int64 {
        let times = facts.times.response
        let monotonic = max(0, now.instant.nanoseconds(since: times.instant))
        let wall = Nanoseconds.between(times.wall, now.wall) ?? 0
        return Nanoseconds.sum(facts.freshness.initialAge, max(monotonic, wall))
    }

    /// `current_age` in whole seconds, as the Age field has it.
    package func ageSeconds(_ now: Now) -> Int64 { age(now) / 1_000_000_000 }

    /// Nanoseconds of freshness that are left; negative for a stale response.
    package func timeToLive(_ now: Now) -> Int64 {
        Nanoseconds.of(facts.freshness.lifetime) &- age(now)
    }

    /// Section 4.2: whether `timeToLive` is more than nothing.
    package func isFresh(_ now: Now) -> Bool {
        now.instant < staleAt && Nanoseconds.sinceEpoch(now.wall) < staleAtWall
    }

    /// Whether a request that asks nothing of the cache may be given it as it is.
    func isUsedUnasked(_ now: Now) -> Bool {
        !facts.control.alwaysValidate && isFresh(now) && isWhole
    }
}

// MARK: The key

extension CachedResponse {
    /// Whether it stands under this key.
    func isStored(for target: Target, _ partition: CachePartition) -> Bool {
        facts.partition == partition
            && facts.fields.received(facts.uri, isResourceOf: target)
    }

    func isSelected(by headers: borrowing Headers, _ defaults: borrowing Headers) -> Bool {
        guard !facts.selecting.isEmpty else { return true }
        let selecting = selectingBytes
        return SelectingFields.match(selecting.span, headers, defaults)
    }
}

/// What a stored response says about being used without asking.
package struct StaleControl: Equatable, Sendable {
    /// `no-cache`: never without a successful validation.
    package var alwaysValidate = false
    /// `must-revalidate` and, in a shared cache, its kin: never once it is stale.
    package var neverStale = false
    /// Seconds; 0 where it doesn't say.
    package var staleWhileRevalidate: Int64 = 0
    /// Seconds; the configuration's where it doesn't say.
    package var staleIfError: Int64 = 0

    package init() {}

    /// What a response says, under the rules.
    package init(_ control: ResponseCacheControl, _ rules: CacheRules) {
        staleWhileRevalidate = control.staleWhileRevalidate ?? 0
        staleIfError = control.staleIfError ?? rules.staleIfError
        guard rules.forcedLifetime == nil else { return }
        alwaysValidate = control.has(.noCache)
        // Section 5.2.2.10: s-maxage means proxy-revalidate as well.
        neverStale =
            control.has(.mustRevalidate)
            || (rules.isShared && (control.has(.proxyRevalidate) || control.sMaxAge != nil))
    }
}
