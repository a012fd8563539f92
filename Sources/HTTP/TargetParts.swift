// TargetParts: where the parts of a canonical URL lie. One pass over the bytes, no allocation. A
// value; any thread. RFC 3986 section 3; hosts by RFC 1123 with underscores.

internal import FetchBytes

/// Ranges in the text of a `Target`, and what was learned on the way.
struct TargetParts: Equatable, Sendable {
    private(set) var originHash: UInt64 = 0
    private(set) var pathStart32: UInt32 = 0
    private(set) var queryStart32: UInt32 = 0
    private(set) var end32: UInt32 = 0
    private(set) var port: UInt16 = 0
    private(set) var hostCount: UInt8 = 0
    private(set) var zoneCount: UInt8 = 0
    private(set) var flags: Flags = []

    /// What two targets of one origin agree in.
    struct Flags: OptionSet, Sendable {
        let rawValue: UInt8
        static var secure: Flags { Flags(rawValue: 1) }
        static var absoluteName: Flags { Flags(rawValue: 2) }
        static var ipv4: Flags { Flags(rawValue: 4) }
        static var ipv6: Flags { Flags(rawValue: 8) }
    }

    var isSecure: Bool { flags.contains(.secure) }
    var isAbsoluteName: Bool { flags.contains(.absoluteName) }
    var hostKind: Target.HostKind {
        flags.contains(.ipv4) ? .ipv4 : flags.contains(.ipv6) ? .ipv6 : .name
    }

    /// Behind the two slashes.
    private var authorityStart: Int { isSecure ? 8 : 7 }
    private var hostStart: Int { flags.contains(.ipv6) ? authorityStart &+ 1 : authorityStart }

    /// The host: without brackets, zone and trailing dot.
    var host: Range<Int> { hostStart..<hostStart &+ Int(hostCount) }
    /// The zone, behind `%25`.
    var zone: Range<Int> { host.upperBound &+ 3..<host.upperBound &+ 3 &+ Int(zoneCount) }
    /// Everything between the slashes and the path.
    var authority: Range<Int> { authorityStart..<pathStart }
    var path: Range<Int> { pathStart..<queryStart }
    var pathAndQuery: Range<Int> { pathStart..<end }

    var pathStart: Int { Int(pathStart32) }
    var queryStart: Int { Int(queryStart32) }
    /// Where the fragment begins, or the text ends.
    var end: Int { Int(end32) }

    /// Finds the parts of a canonical URL; nil when it has to be rewritten first.
    init?(canonical bytes: Span<UInt8>) throws(TargetError) {
        guard bytes.count >= 8, bytes.count <= Target.mostCanonicalBytes else { return nil }
        let scheme = Scan.word(bytes, at: 0)
        if scheme == 0x2f2f_3a73_7074_7468 {
            flags = .secure
        } else if scheme & 0x00ff_ffff_ffff_ffff != 0x002f_2f3a_7074_7468 {
            return nil
        }
        let start = authorityStart
        var hostEnd = Address.endOfIPv4(bytes, start)
        if hostEnd > 0, Self.endsAuthority(bytes, hostEnd) {
            flags.insert(.ipv4)
            hostCount = UInt8(truncatingIfNeeded: hostEnd &- start)
        } else {
            hostEnd = try scanHost(bytes)
            guard hostEnd > 0 else { return nil }
        }
        let pathStart = scanPort(bytes, hostEnd)
        guard pathStart > 0 else { return nil }
        let queryStart = Self.endOfPath(bytes, pathStart)
        guard queryStart > 0 else { return nil }
        let end = Self.endOfQuery(bytes, queryStart)
        guard end > 0 else { return nil }
        pathStart32 = UInt32(truncatingIfNeeded: pathStart)
        queryStart32 = UInt32(truncatingIfNeeded: queryStart)
        end32 = UInt32(truncatingIfNeeded: end)
        if end < bytes.count {
            let fragment = bytes.extracting(end..<bytes.count)
            guard Scan.firstBlankOrControl(fragment) == fragment.count else { return nil }
        }
        originHash = hash(bytes)
    }

    /// Reads a host that is no dotted quad; gives where it ends, −1 when it is not canonical.
    private mutating func scanHost(_ bytes: Span<UInt8>) throws(TargetError) -> Int {
        let start = authorityStart
        guard start < bytes.count else { return -1 }
        if bytes[start] == UInt8(ascii: "[") { return try scanBracketed(bytes, start &+ 1) }
        var index = start
        var label = start
        var isNumber = true
        var lastWasNumber = false
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: ".") {
                guard index > label, index &- label <= 63 else { throw .invalidHost }
                lastWasNumber = isNumber
                isNumber = true
                label = index &+ 1
            } else if ASCII.isDigit(byte) {
            } else if ASCII.is(byte, .host) {
                isNumber = false
            } else {
                break
            }
            index &+= 1
        }
        guard index > start, Self.endsAuthority(bytes, index) else { return -1 }
        guard index &- label <= 63 else { throw .invalidHost }
        if label == index {
            flags.insert(.absoluteName)
            isNumber = lastWasNumber
        }
        let end = label == index ? index &- 1 : index
        guard end &- start <= 253 else { throw .invalidHost }
        hostCount = UInt8(truncatingIfNeeded: end &- start)
        if isNumber { throw .invalidAddress }  // a number, and no dotted quad
        if bytes[label == index ? start : label] == UInt8(ascii: "0") {
            guard !Address.isHexNumber(bytes, label..<end) else { throw .invalidAddress }
        }
        return index
    }

    /// Reads an IPv6 address with its zone, from behind the bracket.
    private mutating func scanBracketed(
        _ bytes: Span<UInt8>, _ start: Int
    ) throws(TargetError) -> Int {
        var close = start
        var addressEnd = -1
        while close < bytes.count, bytes[close] != UInt8(ascii: "]") {
            if bytes[close] == UInt8(ascii: "%"), addressEnd < 0 { addressEnd = close }
            close &+= 1
        }
        guard close < bytes.count else { throw .invalidAddress }
        if addressEnd >= 0 {
            let zone = addressEnd &+ 3
            guard zone < close, close &- zone <= 63,
                bytes[addressEnd &+ 1] == UInt8(ascii: "2"),
                bytes[addressEnd &+ 2] == UInt8(ascii: "5"),
                (zone..<close).allSatisfy({ ASCII.is(bytes[$0], .unreserved) })
            else { throw .invalidAddress }
            zoneCount = UInt8(truncatingIfNeeded: close &- zone)
        } else {
            addressEnd = close
        }
        guard Address.isIPv6(bytes, start..<addressEnd) else { throw .invalidAddress }
        for index in start..<addressEnd where bytes[index] < 0x60 && bytes[index] > 0x40 {
            return -1  // upper case: not canonical
        }
        flags.insert(.ipv6)
        hostCount = UInt8(truncatingIfNeeded: addressEnd &- start)
        return Self.endsAuthority(bytes, close &+ 1) ? close &+ 1 : -1
    }

    /// Whether a host may end here.
    private static func endsAuthority(_ bytes: Span<UInt8>, _ index: Int) -> Bool {
        guard index < bytes.count else { return true }
        switch bytes[index] {
        case UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "?"), UInt8(ascii: "#"):
            return true
        default:
            return false
        }
    }

    /// Reads a port that is canonical and not the default, or none; gives where the path begins, −1
    /// when it is not like that.
    private mutating func scanPort(_ bytes: Span<UInt8>, _ hostEnd: Int) -> Int {
        let defaultPort = isSecure ? 443 : 80
        port = UInt16(truncatingIfNeeded: defaultPort)
        guard hostEnd < bytes.count, bytes[hostEnd] == UInt8(ascii: ":") else { return hostEnd }
        let start = hostEnd &+ 1
        var index = start
        var value = 0
        let end = min(bytes.count, start &+ 6)
        while index < end {
            let digit = bytes[index] &- 0x30
            guard digit < 10 else { break }
            value = value &* 10 &+ Int(digit)
            index &+= 1
        }
        guard value > 0, value <= 65_535, value != defaultPort,
            bytes[start] != UInt8(ascii: "0"), Self.endsAuthority(bytes, index),
            index == bytes.count || bytes[index] != UInt8(ascii: ":")
        else { return -1 }
        port = UInt16(truncatingIfNeeded: value)
        return index
    }

    /// The end of a path that needs no rewriting; −1 when it does.
    private static func endOfPath(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        var previous: UInt8 = 0
        while index < bytes.count {
            let byte = bytes[index]
            guard ASCII.is(byte, .path) else {
                return byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") ? index : -1
            }
            if byte == UInt8(ascii: "."), previous == UInt8(ascii: "/"),
                isDotSegment(bytes, index)
            {
                return -1
            }
            previous = byte
            index &+= 1
        }
        return index
    }

    /// Whether `.` or `..` is the whole segment that begins here.
    private static func isDotSegment(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
        var end = start &+ 1
        if end < bytes.count, bytes[end] == UInt8(ascii: ".") { end &+= 1 }
        guard end < bytes.count else { return true }
        let byte = bytes[end]
        return byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?")
            || byte == UInt8(ascii: "#")
    }

    /// The end of a query that needs no rewriting; −1 when it does.
    private static func endOfQuery(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        guard index < bytes.count, bytes[index] == UInt8(ascii: "?") else { return index }
        while index < bytes.count, ASCII.is(bytes[index], .query) { index &+= 1 }
        return index == bytes.count || bytes[index] == UInt8(ascii: "#") ? index : -1
    }

    /// Folds scheme, port and authority into one word.
    private func hash(_ bytes: Span<UInt8>) -> UInt64 {
        let range = authority
        var hash = OriginHash.seed ^ (UInt64(port) &<< 8 | UInt64(flags.rawValue))
        var index = range.lowerBound
        while index &+ 8 <= range.upperBound {
            hash = OriginHash.fold(hash, Scan.word(bytes, at: index))
            index &+= 8
        }
        if index < range.upperBound {
            // The last bytes are read again together with those before them; at least
            // "http://" stands in front.
            let last = Scan.word(bytes, at: range.upperBound &- 8)
            hash = OriginHash.fold(hash, last &+ UInt64(range.count))
        }
        return hash
    }
}

/// The hash of origins, seeded once per process.
enum OriginHash {
    static let seed = UInt64.random(in: .min ... .max)

    /// Multiplies to 128 bits and folds the halves.
    static func fold(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return product.high ^ product.low
    }
}
