// CacheRequest: a request as a cache sees it. A value; any thread.

package import FetchBytes
package import FetchHTTP

/// What is asked, by whom, and how the caller wants the cache used.
package struct CacheRequest: Sendable {
    package let method: Method
    /// The effective target URI.
    package let target: Target
    /// The caller's fields.
    package let headers: Headers
    /// Fields that are sent where the caller gives none of that name.
    package let defaults: Headers
    package let partition: CachePartition
    package let mode: CacheMode
    /// What its Cache-Control, or its Pragma, says.
    package let control: RequestCacheControl

    package init(
        _ method: Method, _ target: Target, _ headers: Headers = Headers(),
        defaults: Headers = Headers(), partition: CachePartition = .open,
        mode: CacheMode = .standard
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.defaults = defaults
        self.partition = partition
        self.mode = mode
        control =
            headers.cachingFields.contains(.directives)
            ? RequestCacheControl(headers) : RequestCacheControl()
    }

    /// Where what is stored for it would be.
    package var key: CacheKey { CacheKey(target, partition) }

    var isGet: Bool { method == .get }

    /// Whether its method is one that stored responses may answer.
    var mayBeAnswered: Bool { isGet || method.isHead }

    /// Whether it says who asks: then the answer may be meant for nobody else.
    var showsCredentials: Bool {
        !headers.cachingFields.union(defaults.cachingFields)
            .isDisjoint(with: [.authorization, .cookie])
    }

    /// RFC 9111 section 3.5 asks after this one alone.
    var hasAuthorization: Bool {
        headers.cachingFields.union(defaults.cachingFields).contains(.authorization)
    }

    /// The caller's own conditions that a cache may evaluate.
    var hasConditions: Bool {
        !headers.cachingFields.isDisjoint(with: [.ifNoneMatch, .ifModifiedSince])
    }

    /// Its Range, where it has one and may: another method than GET ignores it (RFC 9110 section
    /// 14.2).
    var range: RangeRequest? {
        guard isGet, headers.cachingFields.contains(.range) else { return nil }
        guard let value = single("Range") else { return .other }
        return RangeRequest(value.span)
    }

    /// The value of a field that is there exactly once.
    func single(_ name: String) -> Bytes? {
        var found: Bytes?
        for index in 0..<headers.count where headers.hasName(name, at: index) {
            guard found == nil else { return nil }
            found = headers.value(at: index)
        }
        return found
    }
}

/// A field that the cache adds to a request it sends on. It takes the place of the caller's of the
/// same name, of which there is none.
package struct FieldLine: Equatable, Sendable {
    package let name: String
    package let value: Bytes

    package init(_ name: String, _ value: Bytes) {
        self.name = name
        self.value = value
    }

    init(_ name: String, _ value: String) {
        self.init(name, Bytes(value))
    }
}
