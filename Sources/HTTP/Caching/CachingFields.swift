// CachingFields: which of a request's fields a cache must look at, noticed when they are added, so
// that a request without any is known by one comparison. A value; any thread.

internal import FetchBytes

/// Names that matter to a cache.
package struct CachingFields: OptionSet, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Cache-Control or Pragma (RFC 9111 sections 5.2 and 5.4).
    package static var directives: CachingFields { CachingFields(rawValue: 1) }
    package static var range: CachingFields { CachingFields(rawValue: 2) }
    package static var ifRange: CachingFields { CachingFields(rawValue: 4) }
    package static var ifNoneMatch: CachingFields { CachingFields(rawValue: 8) }
    package static var ifModifiedSince: CachingFields { CachingFields(rawValue: 16) }
    /// If-Match and If-Unmodified-Since, which only an origin evaluates (section 4.3.2).
    package static var forOrigin: CachingFields { CachingFields(rawValue: 32) }
    package static var authorization: CachingFields { CachingFields(rawValue: 64) }
    package static var cookie: CachingFields { CachingFields(rawValue: 128) }
    package static var host: CachingFields { CachingFields(rawValue: 256) }
    package static var proxyAuthorization: CachingFields { CachingFields(rawValue: 512) }

    /// What says who asks.
    package static var credentials: CachingFields {
        [.authorization, .cookie, .host, .proxyAuthorization]
    }
    /// What decides about the use of a stored response.
    package static var deciding: CachingFields {
        [.directives, .range, .ifRange, .ifNoneMatch, .ifModifiedSince, .forOrigin]
    }
    /// What makes a request conditional (RFC 9110 section 13.1).
    package static var conditions: CachingFields {
        [.ifRange, .ifNoneMatch, .ifModifiedSince, .forOrigin]
    }

    /// What a field of that name is; nothing for most.
    init(of name: Span<UInt8>) {
        func named(_ literal: StaticString, _ kind: CachingFields) -> CachingFields {
            ASCII.equalsIgnoringCase(name, literal) ? kind : []
        }
        switch name.count {
        case 4: self = named("host", .host)
        case 5: self = named("range", .range)
        case 6: self = named("pragma", .directives).union(named("cookie", .cookie))
        case 8: self = named("if-match", .forOrigin).union(named("if-range", .ifRange))
        case 13:
            self = named("cache-control", .directives).union(named("if-none-match", .ifNoneMatch))
                .union(named("authorization", .authorization))
        case 17: self = named("if-modified-since", .ifModifiedSince)
        case 19:
            self = named("if-unmodified-since", .forOrigin)
                .union(named("proxy-authorization", .proxyAuthorization))
        default: self = []
        }
    }
}
