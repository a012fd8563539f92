// Target: a parsed http or https URL (RFC 3986, RFC 9110 section 4.2, RFC 6874). Immutable; any
// thread. An object, because it is handed from the plan to the origin's record, the encoder and the
// response: each hand-over is one reference count instead of a copy.
//
// The text is kept as it came when it is canonical already, which costs no allocation: the fields
// below are ranges in it. Otherwise it is rewritten first (TargetRewriting). Canonical means:
// scheme and host in lower case, no user information, no default or empty port, no dot segment,
// nothing that has to be percent-encoded. A fragment may stay in the text; nothing ever reads it.

package import FetchBytes

/// An absolute http or https URL, ready to be connected to and written on the wire.
@usableFromInline
package final class Target: Sendable {
    /// The longest URL accepted, in bytes of UTF-8.
    package static let mostBytes = 65_536

    /// What kind of thing the host is.
    package enum HostKind: UInt8, Equatable, Sendable {
        /// A registered name, to be resolved.
        case name
        /// A dotted quad.
        case ipv4
        /// An IPv6 address, in brackets in the URL.
        case ipv6
    }

    @usableFromInline let text: String
    @usableFromInline let parts: TargetParts

    /// Hash of scheme, host and port; seeded per process, so that nobody can aim at a bucket.
    @inlinable
    package var originHash: UInt64 { parts.originHash }

    /// Parses an absolute URL.
    package convenience init(_ url: String) throws(TargetError) {
        guard url.utf8.count <= Self.mostBytes else { throw .tooLong }
        var parts = TargetParts()
        switch parts.find(in: url) {
        case .canonical: self.init(text: url, parts: parts)
        case .unusual: try self.init(rewriting: url.utf8.span)
        case .invalid(let error): throw error
        }
    }

    private init(text: String, parts: TargetParts) {
        self.text = text
        self.parts = parts
    }

    /// Rewrites to canonical form, then parses that.
    private convenience init(rewriting bytes: Span<UInt8>) throws(TargetError) {
        let rewritten = String(decoding: try TargetRewriting.rewrite(bytes), as: UTF8.self)
        var parts = TargetParts()
        switch parts.find(in: rewritten) {
        case .canonical: self.init(text: rewritten, parts: parts)
        case .unusual: throw .invalidHost
        case .invalid(let error): throw error
        }
    }

    /// Parses an absolute URL, or appends a path (and query) to a base's path.
    ///
    /// The base's path loses a trailing `/`; its query is not inherited. `/v1` and `/users` make
    /// `/v1/users`, and so do `/v1/` and `users`. A reference with a scheme stands for itself.
    package convenience init(_ reference: String, base: Target) throws(TargetError) {
        if TargetRewriting.hasScheme(reference.utf8.span) {
            try self.init(reference)
        } else {
            try self.init(base.joined(reference))
        }
    }

    /// Whether the scheme is https.
    package var isSecure: Bool { parts.isSecure }

    /// The port, the scheme's default where the URL names none.
    package var port: UInt16 { parts.port }

    /// What kind of thing the host is.
    package var hostKind: HostKind { parts.hostKind }

    /// The host in lower case: no brackets, zone or trailing dot. Made when asked for.
    package var host: String { String(text.utf8[range: parts.host]) }

    /// The zone of a scoped IPv6 address (`eth0`); it never goes on the wire.
    package var zone: String? {
        parts.zoneCount == 0 ? nil : String(text.utf8[range: parts.zone])
    }

    /// Whether the host name ended in a dot, so that no search domain applies.
    package var isAbsoluteName: Bool { parts.isAbsoluteName }

    /// Whether the URL had nothing between host and query.
    package var hadEmptyPath: Bool { parts.path.isEmpty }

    /// Whether there is a `?`.
    package var hasQuery: Bool { parts.queryStart < parts.end }

    /// Path and query as sent in a request line.
    package var pathAndQuery: String {
        (hadEmptyPath ? "/" : "") + String(text.utf8[range: parts.pathAndQuery])
    }

    /// Bytes `appendPathAndQuery` writes.
    package var pathAndQueryCount: Int { parts.pathAndQuery.count + (hadEmptyPath ? 1 : 0) }

    /// Writes the request target in origin form.
    package func appendPathAndQuery(to buffer: ByteBuffer) {
        let utf8 = text.utf8
        parts.appendPathAndQuery(of: utf8.span, to: buffer)
    }

    /// Writes the value of the Host field: host and, unless it is the default, port.
    package func appendHostField(to buffer: ByteBuffer) {
        let utf8 = text.utf8
        parts.appendHostField(of: utf8.span, to: buffer)
    }

    /// Writes the request target, `between`, and the value of the Host field.
    package func append(
        to buffer: ByteBuffer, isAsterisk: Bool, between: StaticString
    ) {
        if isAsterisk {
            buffer.append(UInt8(ascii: "*"))
        } else {
            appendPathAndQuery(to: buffer)
        }
        buffer.append(between)
        appendHostField(to: buffer)
    }

    /// Writes `method`, the request target, `between`, the value of the Host field and `end`, which
    /// is all of most requests, in one go. False where it can't, and then nothing is written.
    package func append(
        to buffer: ByteBuffer, _ method: Method, between: StaticString, end: borrowing [UInt8]
    ) -> Bool {
        guard method.wordCount > 0, parts.isWrittenAsItIs else { return false }
        let end = end.span
        // Faster than `utf8.span`, which is a call; the bytes are used inside the closure only.
        let written: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { bytes in
            let text = unsafe Span(_unsafeElements: bytes)
            append(text, to: buffer, method.word, Int(method.wordCount), between, end)
        }
        return written != nil
    }

    @inline(__always)
    private func append(
        _ text: Span<UInt8>, to buffer: ByteBuffer, _ method: UInt64, _ count: Int,
        _ between: StaticString, _ end: Span<UInt8>
    ) {
        buffer.append(
            word: method, count: count, text.extracting(parts.pathAndQuery), between,
            text.extracting(parts.authority), end)
    }

    /// The value of the Host field.
    package var hostField: String {
        let buffer = ByteBuffer(capacity: 64)
        appendHostField(to: buffer)
        return String(buffer.takeBytes(buffer.readableCount))
    }

    /// Whether scheme, host and port are the same. Compares what parsing left in a few words, and
    /// the text only where those agree.
    @inlinable
    package func isSameOrigin(as other: Target) -> Bool {
        if self === other { return true }
        guard parts.isLikely(sameOriginAs: other.parts) else { return false }
        return hasSameAuthority(as: other)
    }

    @usableFromInline
    func hasSameAuthority(as other: Target) -> Bool {
        let range = parts.authority
        guard range.count == other.parts.authority.count else { return false }
        // The bytes are used inside the closures only; both hold the same range, from 7 on.
        let isSame = unsafe text.utf8.withContiguousStorageIfAvailable { mine in
            unsafe other.text.utf8.withContiguousStorageIfAvailable { theirs in
                unsafe Scan.isSame(
                    Span(_unsafeElements: mine), Span(_unsafeElements: theirs), range)
            }
        }
        if let isSame = isSame ?? nil { return isSame }
        return Scan.isSame(text.utf8.span, other.text.utf8.span, range)
    }
}

extension TargetParts {
    /// Finds the parts of a canonical URL in its text.
    @inline(__always)
    fileprivate mutating func find(in text: borrowing String) -> Outcome {
        // Faster than `utf8.span`, which is a call; the bytes are used inside the closure only.
        let outcome = unsafe text.utf8.withContiguousStorageIfAvailable { bytes in
            unsafe find(in: Span(_unsafeElements: bytes))
        }
        return outcome ?? find(in: Array(text.utf8).span)
    }

    /// Whether path and host go on the wire as they stand in the text.
    fileprivate var isWrittenAsItIs: Bool {
        !path.isEmpty && zoneCount == 0 && !isAbsoluteName
    }

    @inline(__always)
    fileprivate func appendPathAndQuery(of text: Span<UInt8>, to buffer: ByteBuffer) {
        if path.isEmpty { buffer.append(UInt8(ascii: "/")) }
        buffer.append(text.extracting(pathAndQuery))
    }

    @inline(__always)
    fileprivate func appendHostField(of text: Span<UInt8>, to buffer: ByteBuffer) {
        if zoneCount == 0 && !isAbsoluteName {
            buffer.append(text.extracting(authority))
        } else {
            appendUnusualHost(of: text, to: buffer)
        }
    }

    /// A host that is sent without its zone or its trailing dot.
    private func appendUnusualHost(of text: Span<UInt8>, to buffer: ByteBuffer) {
        let isAddress = hostKind == .ipv6
        if isAddress { buffer.append(UInt8(ascii: "[")) }
        buffer.append(text.extracting(host))
        if isAddress { buffer.append(UInt8(ascii: "]")) }
        if port != (isSecure ? 443 : 80) {
            buffer.append(UInt8(ascii: ":"))
            buffer.appendDecimal(Int(port))
        }
    }
}

extension Target: CustomStringConvertible {
    /// The whole URL in canonical form: no user information, no fragment.
    @usableFromInline
    package var description: String {
        let authority = String(text.utf8[range: 0..<parts.authority.upperBound])
        return authority + pathAndQuery
    }
}

extension Target: Equatable {
    /// Whether both print the same.
    @usableFromInline
    package static func == (one: Target, other: Target) -> Bool {
        one.isSameOrigin(as: other) && one.pathAndQuery == other.pathAndQuery
    }
}

extension Span<UInt8> {
    /// Whether both runs hold the same bytes.
    func holdsSameBytes(as other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var index = 0
        while index < count {
            guard self[index] == other[index] else { return false }
            index &+= 1
        }
        return true
    }
}

extension String.UTF8View {
    /// The characters of a range counted in bytes. Ranges of targets lie between ASCII bytes.
    subscript(range range: Range<Int>) -> Substring {
        let start = index(startIndex, offsetBy: range.lowerBound)
        let end = index(startIndex, offsetBy: range.upperBound)
        return Substring(self[start..<end])
    }
}
