// CacheControl: what a response and a request say about caching (RFC 9111 section 5.2, RFC 5861,
// RFC 8246). Values; any thread. How wrong fields are read is told in CacheDirective.swift.

internal import FetchBytes

/// The Cache-Control of a response.
package struct ResponseCacheControl: Equatable, Sendable {
    /// Directives that are there.
    package struct Directives: OptionSet, Sendable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static var noStore: Directives { Directives(rawValue: 1) }
        /// Without field names.
        package static var noCache: Directives { Directives(rawValue: 2) }
        /// Without field names.
        package static var isPrivate: Directives { Directives(rawValue: 4) }
        package static var isPublic: Directives { Directives(rawValue: 8) }
        package static var mustRevalidate: Directives { Directives(rawValue: 16) }
        package static var proxyRevalidate: Directives { Directives(rawValue: 32) }
        package static var mustUnderstand: Directives { Directives(rawValue: 64) }
        package static var immutable: Directives { Directives(rawValue: 128) }
        package static var noTransform: Directives { Directives(rawValue: 256) }
        /// With field names, which are `privateFields`.
        package static var privateFields: Directives { Directives(rawValue: 512) }
    }

    package private(set) var directives: Directives = []
    /// Seconds; 0 where there is a max-age that is no number.
    package private(set) var maxAge: Int64?
    /// Seconds; 0 where there is an s-maxage that is no number.
    package private(set) var sMaxAge: Int64?
    /// Seconds (RFC 5861 section 3).
    package private(set) var staleWhileRevalidate: Int64?
    /// Seconds (RFC 5861 section 4).
    package private(set) var staleIfError: Int64?
    /// The most names that such lists may hold together; with more, all of the response is meant.
    package static let mostFields = 64

    /// Lower-case names that `no-cache="…"` lists.
    package private(set) var noCacheFields: [String] = []
    /// Lower-case names that `private="…"` lists.
    package private(set) var privateFields: [String] = []

    /// Nothing said.
    package init() {}

    /// Reads all Cache-Control lines of a response.
    package init(_ fields: FieldSection) {
        fields.forEachCacheDirective { add($0) }
    }

    /// Whether a directive is there.
    package func has(_ directive: Directives) -> Bool { directives.contains(directive) }

    private mutating func add(_ directive: CacheDirective) {
        switch directive.name {
        case .noStore: directives.insert(.noStore)
        case .noTransform: directives.insert(.noTransform)
        case .mustRevalidate: directives.insert(.mustRevalidate)
        case .proxyRevalidate: directives.insert(.proxyRevalidate)
        case .noCache: addNoCache(directive)
        case .isPrivate: addPrivate(directive)
        case .isPublic: if directive.isWellFormed { directives.insert(.isPublic) }
        case .immutable: if directive.isWellFormed { directives.insert(.immutable) }
        case .mustUnderstand: if directive.isWellFormed { directives.insert(.mustUnderstand) }
        case .maxAge: maxAge = maxAge ?? directive.seconds ?? 0
        case .sMaxAge: sMaxAge = sMaxAge ?? directive.seconds ?? 0
        case .staleWhileRevalidate:
            staleWhileRevalidate = staleWhileRevalidate ?? directive.seconds ?? 0
        case .staleIfError: staleIfError = staleIfError ?? directive.seconds ?? 0
        case .maxStale, .minFresh, .onlyIfCached, .unknown: break
        }
    }

    /// Names that can't be read mean all of the response.
    private mutating func addNoCache(_ directive: CacheDirective) {
        if let names = directive.fieldNames,
            names.count + noCacheFields.count <= Self.mostFields
        {
            noCacheFields += names
        } else {
            directives.insert(.noCache)
        }
    }

    private mutating func addPrivate(_ directive: CacheDirective) {
        if let names = directive.fieldNames,
            names.count + privateFields.count <= Self.mostFields
        {
            privateFields += names
            directives.insert(.privateFields)
        } else {
            directives.insert(.isPrivate)
        }
    }
}

/// The Cache-Control of a request, or its Pragma where it has none.
package struct RequestCacheControl: Equatable, Sendable {
    /// How stale a response may be.
    package enum MaxStale: Equatable, Sendable {
        case any
        /// Seconds.
        case within(Int64)
    }

    package private(set) var noCache = false
    package private(set) var noStore = false
    package private(set) var onlyIfCached = false
    /// Seconds; 0 where it is no number, so that the response is validated.
    package private(set) var maxAge: Int64?
    /// Nil also where its argument is no number.
    package private(set) var maxStale: MaxStale?
    /// Seconds; 2³¹ where it is no number, so that the response is validated.
    package private(set) var minFresh: Int64?
    /// Seconds (RFC 5861 section 4).
    package private(set) var staleIfError: Int64?

    /// Nothing said.
    package init() {}

    /// Reads a request's fields. `Pragma: no-cache` counts where there is no Cache-Control
    /// (section 5.4).
    package init(_ headers: Headers) {
        guard !headers.isEmpty else { return }
        let isThere = headers.forEachCacheDirective { add($0) }
        if !isThere { noCache = Self.pragmaSaysNoCache(headers) }
    }

    /// Whether nothing is asked that could keep a fresh response from being used.
    package var isIndifferent: Bool { self == RequestCacheControl() }

    private mutating func add(_ directive: CacheDirective) {
        switch directive.name {
        case .noCache: noCache = true
        case .noStore: noStore = true
        case .onlyIfCached: onlyIfCached = true
        case .maxAge: maxAge = maxAge ?? directive.seconds ?? 0
        case .minFresh: minFresh = minFresh ?? directive.seconds ?? DeltaSeconds.most
        case .staleIfError: staleIfError = staleIfError ?? directive.seconds
        case .maxStale: if maxStale == nil { maxStale = Self.maxStale(directive) }
        case .sMaxAge, .noTransform, .mustRevalidate, .proxyRevalidate, .mustUnderstand,
            .isPrivate, .isPublic, .immutable, .staleWhileRevalidate, .unknown:
            break
        }
    }

    private static func maxStale(_ directive: CacheDirective) -> MaxStale? {
        if directive.argument == .none { return .any }
        return directive.seconds.map { .within($0) }
    }

    private static func pragmaSaysNoCache(_ headers: Headers) -> Bool {
        for index in 0..<headers.count where headers.hasName("Pragma", at: index) {
            let field = headers.value(at: index)
            let value = field.span
            var cursor = ListCursor()
            while let member = cursor.next(in: value) {
                if CacheDirective(value.extracting(member)).name == .noCache { return true }
            }
        }
        return false
    }
}
