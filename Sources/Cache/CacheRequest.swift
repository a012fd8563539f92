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
    /// A client's certificate says who asks.
    package let isIdentified: Bool
    package let mode: CacheMode
    /// What its Cache-Control, or its Pragma, says.
    package let control: RequestCacheControl
    /// Which fields are there that matter to a cache.
    package let kinds: CachingFields

    package init(
        _ method: Method, _ target: Target, _ headers: Headers = Headers(),
        defaults: Headers = Headers(), partition: CachePartition = .open,
        isIdentified: Bool = false, mode: CacheMode = .standard
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.defaults = defaults
        self.partition = partition
        self.isIdentified = isIdentified
        self.mode = mode
        kinds = headers.cachingFields.union(defaults.cachingFields)
        if headers.cachingFields.contains(.directives) {
            control = RequestCacheControl(headers)
        } else if defaults.cachingFields.contains(.directives) {
            control = RequestCacheControl(defaults)
        } else {
            control = RequestCacheControl()
        }
    }

    /// Where what is stored for it would be.
    package var key: CacheKey { CacheKey(target, partition) }

    var isGet: Bool { method == .get }

    /// Whether its method is one that stored responses may answer.
    var mayBeAnswered: Bool { isGet || method.isHead }

    /// Whether it says who asks: then the answer may be meant for nobody else.
    var showsCredentials: Bool {
        isIdentified || !kinds.isDisjoint(with: [.authorization, .cookie])
    }

    /// RFC 9111 section 3.5 asks after this one alone.
    var hasAuthorization: Bool { kinds.contains(.authorization) }

    /// Its Range, where it has one and may: another method than GET ignores it (RFC 9110 section
    /// 14.2).
    var range: RangeRequest? {
        guard isGet, kinds.contains(.range) else { return nil }
        guard let value = single("Range") else { return .other }
        return RangeRequest(value.span)
    }

    /// The value of a field that is there exactly once.
    func single(_ name: String) -> Bytes? {
        let source = source(of: name)
        var found: Bytes?
        for index in 0..<source.count where source.hasName(name, at: index) {
            guard found == nil else { return nil }
            found = source.value(at: index)
        }
        return found
    }

    /// The fields among which a name is to be looked for: a caller's takes a default's place.
    func source(of name: String) -> Headers { headers.contains(name) ? headers : defaults }

    /// The same request without the caller's conditions and directives: to validate in the
    /// background what others will be given.
    ///
    /// - Parameter range: whether a part of it is all that is stored.
    func forEverybody(keepingRange range: Bool) -> CacheRequest {
        var headers = headers
        for name in [
            "If-None-Match", "If-Modified-Since", "If-Range", "Cache-Control", "Pragma",
        ] {
            headers.remove(name)
        }
        if !range { headers.remove("Range") }
        return CacheRequest(
            .get, target, headers, defaults: defaults, partition: partition,
            isIdentified: isIdentified)
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
