// CacheDirective: one member of a Cache-Control field (RFC 9111 section 5.2). Pure; any thread.
//
// Servers get this field wrong in every way. The rule is the same for all of them: a member that is
// not well formed counts where it restricts (`no-store;`, `max-age= 5` make a response stale or
// unstorable) and not where it would permit. Names have no case, arguments may be tokens or quoted
// strings, and of two of one name the first counts.

internal import FetchBytes

/// A member of the list, taken apart.
struct CacheDirective {
    /// What stands behind the name.
    enum Argument: Equatable {
        case none
        /// A token, or what a quoted string holds.
        case text([UInt8])
        /// Something that is neither, or an `=` with nothing behind it.
        case malformed
    }

    let name: Name
    let argument: Argument

    /// The names that mean something here.
    enum Name: Equatable {
        case maxAge, sMaxAge, noCache, noStore, noTransform, mustRevalidate, proxyRevalidate
        case mustUnderstand, isPrivate, isPublic, immutable, staleWhileRevalidate, staleIfError
        case maxStale, minFresh, onlyIfCached
        case unknown
    }

    /// Takes a member apart.
    init(_ bytes: Span<UInt8>) {
        let end = Scan.endOfToken(bytes, from: 0)
        name = Self.name(bytes.extracting(0..<end))
        if end == bytes.count {
            argument = .none
        } else if bytes[end] == UInt8(ascii: "="),
            let text = QuotedString.content(bytes.extracting(end + 1..<bytes.count))
        {
            argument = .text(text)
        } else {
            argument = .malformed
        }
    }

    /// Whether nothing is wrong with it, so that it may permit something.
    var isWellFormed: Bool { argument != .malformed }

    /// A length of time; nil where the argument is none.
    var seconds: Int64? {
        guard case .text(let text) = argument else { return nil }
        return DeltaSeconds.parse(text.span)
    }

    /// Field names, in lower case; nil where the argument doesn't hold such a list.
    var fieldNames: [String]? {
        guard case .text(let text) = argument else { return nil }
        var names: [String] = []
        var cursor = ListCursor()
        let bytes = text.span
        while let range = cursor.next(in: bytes) {
            let name = bytes.extracting(range)
            guard Scan.endOfToken(name, from: 0) == name.count else { return nil }
            names.append(FieldText.latin1(name).lowercased())
        }
        return names.isEmpty ? nil : names
    }

    private static func name(_ bytes: Span<UInt8>) -> Name {
        let names: [(StaticString, Name)] = [
            ("max-age", .maxAge), ("s-maxage", .sMaxAge), ("no-cache", .noCache),
            ("no-store", .noStore), ("no-transform", .noTransform),
            ("must-revalidate", .mustRevalidate), ("proxy-revalidate", .proxyRevalidate),
            ("must-understand", .mustUnderstand), ("private", .isPrivate),
            ("public", .isPublic), ("immutable", .immutable),
            ("stale-while-revalidate", .staleWhileRevalidate),
            ("stale-if-error", .staleIfError), ("max-stale", .maxStale),
            ("min-fresh", .minFresh), ("only-if-cached", .onlyIfCached),
        ]
        for (literal, name) in names where ASCII.equalsIgnoringCase(bytes, literal) {
            return name
        }
        return .unknown
    }
}

extension FieldSection {
    /// Hands out every directive of a response's Cache-Control, in order.
    func forEachCacheDirective(_ body: (CacheDirective) -> Void) {
        var next = firstIndex(of: "cache-control")
        while let index = next {
            let value = valueSpan(at: index)
            var cursor = ListCursor()
            while let member = cursor.next(in: value) {
                body(CacheDirective(value.extracting(member)))
            }
            next = firstIndex(of: "cache-control", from: index + 1)
        }
    }
}

extension Headers {
    /// Hands out every directive of a request's Cache-Control, in order; whether there is one.
    func forEachCacheDirective(_ body: (CacheDirective) -> Void) -> Bool {
        var isThere = false
        for index in 0..<count where hasName("Cache-Control", at: index) {
            isThere = true
            let field = value(at: index)
            let value = field.span
            var cursor = ListCursor()
            while let member = cursor.next(in: value) {
                body(CacheDirective(value.extracting(member)))
            }
        }
        return isThere
    }
}
