// TargetRewriting: makes a URL canonical, or says what is wrong with it. The slow road, taken only
// for what `TargetParts` does not accept as it is. Pure; any thread. RFC 3986 sections 5.2.4 and
// 6.2.2; encode sets of the WHATWG URL Standard; RFC 6874 zones.

internal import FetchBytes
internal import FetchIDN

/// Turns bytes that should be a URL into canonical bytes.
struct TargetRewriting {
    private var out: [UInt8] = []

    /// The canonical form of an absolute URL.
    static func rewrite(_ bytes: Span<UInt8>) throws(TargetError) -> [UInt8] {
        guard Scan.firstBlankOrControl(bytes) == bytes.count else { throw .forbiddenCharacter }
        var rewriting = TargetRewriting()
        rewriting.out.reserveCapacity(bytes.count + 16)
        let isSecure = try scheme(bytes)
        let start = isSecure ? 6 : 5
        guard start + 1 < bytes.count, bytes[start] == slash, bytes[start + 1] == slash else {
            throw .missingHost
        }
        rewriting.out.append(contentsOf: (isSecure ? "https://" : "http://").utf8)
        let end = first(of: "/?#", in: bytes, from: start + 2)
        try rewriting.authority(bytes, start + 2..<end, defaultPort: isSecure ? 443 : 80)
        let query = first(of: "?#", in: bytes, from: end)
        let fragment = first(of: "#", in: bytes, from: query)
        rewriting.path(bytes, end..<query)
        rewriting.encode(bytes, query..<fragment, .query)
        return rewriting.out
    }

    /// Whether there is a scheme in front: letters, digits, `+`, `-`, `.` up to a colon.
    static func hasScheme(_ bytes: Span<UInt8>) -> Bool { endOfScheme(bytes) != nil }

    private static let slash = UInt8(ascii: "/")

    private static func endOfScheme(_ bytes: Span<UInt8>) -> Int? {
        guard bytes.count > 0, ASCII.isLetter(bytes[0]) else { return nil }
        for index in 1..<bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: ":") { return index }
            let mark =
                byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: ".")
            guard ASCII.isLetter(byte) || ASCII.isDigit(byte) || mark else { return nil }
        }
        return nil
    }

    /// Whether the scheme is https; http and https are all there is.
    private static func scheme(_ bytes: Span<UInt8>) throws(TargetError) -> Bool {
        guard let end = endOfScheme(bytes) else { throw .missingScheme }
        let scheme = bytes.extracting(0..<end)
        if ASCII.equalsIgnoringCase(scheme, "https") { return true }
        guard ASCII.equalsIgnoringCase(scheme, "http") else { throw .unsupportedScheme }
        return false
    }

    /// The first place of one of a few characters, or the end.
    private static func first(
        of characters: String, in bytes: Span<UInt8>, from start: Int
    ) -> Int {
        var index = start
        while index < bytes.count, !characters.utf8.contains(bytes[index]) { index += 1 }
        return index
    }

    /// Host and port, without user information.
    private mutating func authority(
        _ bytes: Span<UInt8>, _ range: Range<Int>, defaultPort: Int
    ) throws(TargetError) {
        var start = range.lowerBound
        for index in range {
            // A backslash ends the authority for some readers and not for others.
            guard bytes[index] != UInt8(ascii: "\\") else { throw .invalidHost }
            if bytes[index] == UInt8(ascii: "@") { start = index + 1 }
        }
        guard start < range.upperBound else { throw .missingHost }
        let hostEnd: Int
        if bytes[start] == UInt8(ascii: "[") {
            hostEnd = try bracketed(bytes, start..<range.upperBound)
        } else {
            hostEnd = try name(bytes, start..<range.upperBound)
        }
        try port(bytes, hostEnd..<range.upperBound, defaultPort: defaultPort)
    }

    /// A name or dotted quad up to a colon, in lower case.
    private mutating func name(
        _ bytes: Span<UInt8>, _ range: Range<Int>
    ) throws(TargetError) -> Int {
        var index = range.lowerBound
        while index < range.upperBound, bytes[index] != UInt8(ascii: ":") {
            let byte = ASCII.lowercased(bytes[index])
            guard byte < 0x80 else { return try internationalName(bytes, range) }
            guard byte != UInt8(ascii: "%") else { throw .percentEncodedHost }
            guard ASCII.is(byte, .host) else { throw .invalidHost }
            out.append(byte)
            index += 1
        }
        guard index > range.lowerBound else { throw .missingHost }
        return index
    }

    /// A name outside ASCII up to a colon, in its ASCII form (RFC 5891). That form is judged like
    /// any other: it may turn out to be an address, or no host at all.
    private mutating func internationalName(
        _ bytes: Span<UInt8>, _ range: Range<Int>
    ) throws(TargetError) -> Int {
        guard InternationalName.isSupported else { throw .internationalHost }
        var name: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound, bytes[index] != UInt8(ascii: ":") {
            name.append(bytes[index])
            index += 1
        }
        guard !name.contains(UInt8(ascii: "%")) else { throw .percentEncodedHost }
        guard let ascii = InternationalName.ascii(name) else { throw .invalidInternationalHost }
        guard !ascii.isEmpty, ascii.allSatisfy({ ASCII.is($0, .host) }) else { throw .invalidHost }
        // What stands in front of the first such byte is there already.
        out.removeLast(out.reversed().prefix { $0 != Self.slash }.count)
        out += ascii
        return index
    }

    /// An address in brackets; its zone keeps its case. What is inside is judged afterwards.
    private mutating func bracketed(
        _ bytes: Span<UInt8>, _ range: Range<Int>
    ) throws(TargetError) -> Int {
        var inZone = false
        for index in range {
            let byte = bytes[index]
            inZone = inZone || byte == UInt8(ascii: "%")
            out.append(inZone ? byte : ASCII.lowercased(byte))
            if byte == UInt8(ascii: "]") { return index + 1 }
        }
        throw .invalidAddress
    }

    /// Nothing, a colon, or a colon and a port; the default port is left out.
    private mutating func port(
        _ bytes: Span<UInt8>, _ range: Range<Int>, defaultPort: Int
    ) throws(TargetError) {
        guard let value = try Authority.port(bytes, range), value != defaultPort else { return }
        out.append(contentsOf: ":\(value)".utf8)
    }

    /// The path without dot segments (RFC 3986 section 5.2.4), encoded. Only literal dots count.
    private mutating func path(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        let floor = out.count
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start + 1
            while end < range.upperBound, bytes[end] != Self.slash { end += 1 }
            let isLast = end == range.upperBound
            switch Self.dots(bytes, start + 1..<end) {
            case 0:
                out.append(Self.slash)
                encode(bytes, start + 1..<end, .path)
            case 1:
                if isLast { out.append(Self.slash) }
            default:
                while out.count > floor, out.removeLast() != Self.slash {}
                if isLast { out.append(Self.slash) }
            }
            start = end
        }
        // Dot segments may leave nothing of a path that was there; it must not look empty.
        if out.count == floor, !range.isEmpty { out.append(Self.slash) }
    }

    /// 1 for `.`, 2 for `..`, 0 for any other segment.
    private static func dots(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        guard range.count == 1 || range.count == 2,
            range.allSatisfy({ bytes[$0] == UInt8(ascii: ".") })
        else { return 0 }
        return range.count
    }

    /// Appends bytes, those that may not stand as they are percent-encoded.
    private mutating func encode(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ allowed: ASCII.Class
    ) {
        for index in range {
            let byte = bytes[index]
            let opensQuery = index == range.lowerBound && byte == UInt8(ascii: "?")
            if ASCII.is(byte, allowed) || opensQuery {
                out.append(byte)
            } else {
                Self.appendEncoded(byte, to: &out)
            }
        }
    }

    /// Appends `%XX`.
    static func appendEncoded(_ byte: UInt8, to bytes: inout [UInt8]) {
        func digit(_ value: UInt8) -> UInt8 {
            value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") - 10 + value
        }
        bytes.append(UInt8(ascii: "%"))
        bytes.append(digit(byte >> 4))
        bytes.append(digit(byte & 15))
    }
}

extension Target {
    /// The longest canonical text: every byte of a path may triple.
    static var mostCanonicalBytes: Int { 3 * mostBytes + 16 }

    /// The text of a base with a reference's path appended.
    func joined(_ reference: String) -> String {
        let authority = text.utf8[range: 0..<parts.authority.upperBound]
        let path = text.utf8[range: parts.path]
        switch reference.utf8.first {
        case nil, UInt8(ascii: "?"), UInt8(ascii: "#"):
            return authority + path + reference
        case UInt8(ascii: "/"):
            return authority + (path.hasSuffix("/") ? path.dropLast() : path) + reference
        default:
            return authority + (path.hasSuffix("/") ? path.dropLast() : path) + "/" + reference
        }
    }

    /// The same target with pairs added behind its query, in order, repeated names kept.
    ///
    /// Everything outside `unreserved` (RFC 3986 section 2.3) is percent-encoded, a space as `%20`.
    package func appending(query pairs: [(String, String)]) throws(TargetError) -> Target {
        guard !pairs.isEmpty else { return self }
        var bytes = Array(description.utf8)
        var separator = UInt8(ascii: "?")
        if hasQuery { separator = bytes.last == separator ? 0 : UInt8(ascii: "&") }
        for (name, value) in pairs {
            if separator != 0 { bytes.append(separator) }
            Self.append(name, to: &bytes)
            bytes.append(UInt8(ascii: "="))
            Self.append(value, to: &bytes)
            separator = UInt8(ascii: "&")
        }
        guard bytes.count <= Self.mostCanonicalBytes else { throw .tooLong }
        return try Target(String(decoding: bytes, as: UTF8.self))
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            if ASCII.is(byte, .unreserved) {
                bytes.append(byte)
            } else {
                TargetRewriting.appendEncoded(byte, to: &bytes)
            }
        }
    }
}
