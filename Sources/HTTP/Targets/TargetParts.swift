// TargetParts: where the parts of a canonical URL lie. One pass over the bytes, no allocation. A
// value; any thread. RFC 3986 section 3; hosts by RFC 1123 with underscores.
//
// Unsafe: the loops that every URL goes through read the span without its check, each time right
// behind a comparison of the same index with its count.

internal import FetchBytes

/// Ranges in the text of a `Target`, and what was learned on the way.
@usableFromInline
struct TargetParts: Equatable, Sendable {
    @usableFromInline private(set) var originHash: UInt64 = 0
    private(set) var pathStart32: UInt32 = 0
    private(set) var queryStart32: UInt32 = 0
    private(set) var end32: UInt32 = 0
    @usableFromInline private(set) var port: UInt16 = 0
    private(set) var hostCount: UInt8 = 0
    @usableFromInline private(set) var zoneCount: UInt8 = 0
    @usableFromInline private(set) var flags: Flags = []

    /// What two targets of one origin agree in.
    @usableFromInline
    struct Flags: OptionSet, Sendable {
        @usableFromInline let rawValue: UInt8

        @usableFromInline
        init(rawValue: UInt8) { self.rawValue = rawValue }

        static var secure: Flags { Flags(rawValue: 1) }
        static var absoluteName: Flags { Flags(rawValue: 2) }
        static var ipv4: Flags { Flags(rawValue: 4) }
        static var ipv6: Flags { Flags(rawValue: 8) }
    }

    /// Whether all but the text says that the origin is the same.
    @inlinable
    func isLikely(sameOriginAs other: TargetParts) -> Bool {
        originHash == other.originHash && port == other.port && zoneCount == other.zoneCount
            && flags.rawValue == other.flags.rawValue
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

    /// What became of a URL. (A result instead of a thrown error, because it leaves a closure that
    /// lends the bytes, and such closures can't say what they throw.)
    enum Outcome: Equatable {
        /// The parts are known.
        case canonical
        /// It may be a URL, but has to be rewritten first.
        case unusual
        case invalid(TargetError)
    }

    /// Nothing found yet.
    init() {}

    /// Finds the parts of a canonical URL. (A string's bytes are found in three ways; inlined, this
    /// would stand there thrice.)
    @inline(never)
    mutating func find(in bytes: Span<UInt8>) -> Outcome {
        guard bytes.count >= 8, bytes.count <= Target.mostCanonicalBytes else { return .unusual }
        let scheme = Scan.word(bytes, at: 0)
        let isSecure = scheme == 0x2f2f_3a73_7074_7468
        if !isSecure, scheme & 0x00ff_ffff_ffff_ffff != 0x002f_2f3a_7074_7468 {
            return .unusual
        }
        let start = isSecure ? 8 : 7
        flags = isSecure ? .secure : []
        var hostEnd = Address.endOfIPv4(bytes, start)
        if hostEnd > 0, Self.endsHost(bytes, hostEnd) {
            hostCount = UInt8(truncatingIfNeeded: hostEnd &- start)
            flags.insert(.ipv4)
        } else {
            do throws(TargetError) {
                hostEnd = try scanHost(bytes)
            } catch {
                return .invalid(error)
            }
            guard hostEnd > 0 else { return .unusual }
        }
        let pathStart = scanPort(bytes, hostEnd, isSecure ? 443 : 80)
        guard pathStart > 0 else { return .unusual }
        let queryStart = Self.endOfPath(bytes, pathStart)
        guard queryStart > 0 else { return .unusual }
        let end = Self.endOfQuery(bytes, queryStart)
        guard end > 0 else { return .unusual }
        if end < bytes.count {
            let fragment = bytes.extracting(end..<bytes.count)
            guard Scan.firstBlankOrControl(fragment) == fragment.count else { return .unusual }
        }
        pathStart32 = UInt32(truncatingIfNeeded: pathStart)
        queryStart32 = UInt32(truncatingIfNeeded: queryStart)
        end32 = UInt32(truncatingIfNeeded: end)
        originHash = OriginHash.hash(bytes, from: start, to: pathStart, flags)
        return .canonical
    }

    /// Reads a host that is no dotted quad; gives where it ends, −1 when it is not canonical.
    private mutating func scanHost(_ bytes: Span<UInt8>) throws(TargetError) -> Int {
        let start = authorityStart
        guard start < bytes.count else { return -1 }
        if bytes[start] == UInt8(ascii: "[") { return try scanBracketed(bytes, start &+ 1) }
        var index = start
        var label = start
        var labelBefore = start
        var isNumber = true
        var lastWasNumber = false
        while index < bytes.count {
            let byte = unsafe bytes[unchecked: index]
            if byte == UInt8(ascii: ".") {
                guard index > label, index &- label <= 63 else { throw .invalidHost }
                lastWasNumber = isNumber
                isNumber = true
                labelBefore = label
                label = index &+ 1
            } else if ASCII.isDigit(byte) {
            } else if ASCII.is(byte, .host) {
                isNumber = false
            } else {
                break
            }
            index &+= 1
        }
        guard index > start, Self.endsHost(bytes, index) else { return -1 }
        guard index &- label <= 63 else { throw .invalidHost }
        var end = index
        if label == index {
            // The name ends in a dot: its last label is the one in front of that.
            flags.insert(.absoluteName)
            isNumber = lastWasNumber
            label = labelBefore
            end = index &- 1
        }
        guard end &- start <= 253 else { throw .invalidHost }
        hostCount = UInt8(truncatingIfNeeded: end &- start)
        if isNumber { throw .invalidAddress }  // a number, and no dotted quad
        guard !Address.isHexNumber(bytes, label..<end) else { throw .invalidAddress }
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
        return Self.endsHost(bytes, close &+ 1) ? close &+ 1 : -1
    }

    /// Whether a host may end at a place, which is not negative.
    @inline(__always)
    private static func endsHost(_ bytes: Span<UInt8>, _ index: Int) -> Bool {
        guard index < bytes.count else { return true }
        let byte = unsafe bytes[unchecked: index]
        return byte == UInt8(ascii: ":") || endsAuthority(byte)
    }

    @inline(__always)
    private static func endsAuthority(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    /// Reads a port that is canonical and not the default, or none; gives where the path begins, −1
    /// when it is not like that.
    @inline(__always)
    private mutating func scanPort(
        _ bytes: Span<UInt8>, _ hostEnd: Int, _ defaultPort: UInt16
    ) -> Int {
        let count = bytes.count
        port = defaultPort
        guard hostEnd < count, unsafe bytes[unchecked: hostEnd] == UInt8(ascii: ":") else {
            return hostEnd
        }
        let start = hostEnd &+ 1
        let (number, digits) = Scan.decimal(bytes, at: start)
        let end = start &+ digits
        // The first digit of what isn't zero is there.
        guard number &- 1 < 65_535, digits <= 5, number != UInt64(defaultPort),
            unsafe bytes[unchecked: start] != UInt8(ascii: "0"),
            end == count || Self.endsAuthority(unsafe bytes[unchecked: end])
        else { return -1 }
        port = UInt16(truncatingIfNeeded: number)
        return end
    }

    /// The end of a path that needs no rewriting; −1 when it does.
    @inline(__always)
    private static func endOfPath(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        var previous: UInt8 = 0
        while index < bytes.count {
            let byte = unsafe bytes[unchecked: index]
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
    @inline(__always)
    private static func endOfQuery(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        guard index < bytes.count, unsafe bytes[unchecked: index] == UInt8(ascii: "?") else {
            return index
        }
        while index < bytes.count, unsafe ASCII.is(bytes[unchecked: index], .query) {
            index &+= 1
        }
        return index == bytes.count || bytes[index] == UInt8(ascii: "#") ? index : -1
    }
}

/// The hash of origins, seeded once per process, so that nobody can aim at a bucket.
enum OriginHash {
    private static let seeds = (
        UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max)
    )

    /// Folds a range of a URL, and whatever else tells origins apart, into one word. The range is
    /// not empty and stands behind a scheme, so that it ends at 8 or later, and in the bytes.
    @inline(__always)
    static func hash(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, _ flags: TargetParts.Flags
    ) -> UInt64 {
        precondition(start < end && end >= 8 && end <= bytes.count)
        let seeds = seeds
        let traits = UInt64(flags.rawValue)
        var hash = seeds.0 ^ (traits &<< 32 | UInt64(truncatingIfNeeded: end &- start))
        var index = start
        while end &- index > 16 {
            let first = unsafe Scan.word(bytes, unchecked: index)
            let second = unsafe Scan.word(bytes, unchecked: index &+ 8)
            hash = fold(hash ^ first, second ^ seeds.1)
            index &+= 16
        }
        // One to sixteen bytes are left. The last eight are read together with what stands in
        // front of them, where they are fewer.
        let first = end &- index > 8 ? unsafe Scan.word(bytes, unchecked: index) : 0
        let second = unsafe Scan.word(bytes, unchecked: end &- 8)
        return fold(hash ^ first, second ^ seeds.1)
    }

    /// What a hash of something else is made with. Asked for once in each: the question costs more
    /// than a word.
    @inline(__always)
    static var key: (UInt64, UInt64) { seeds }

    /// One word more, in a hash of something else.
    @inline(__always)
    static func fold(_ hash: UInt64, with word: UInt64, _ key: (UInt64, UInt64)) -> UInt64 {
        fold(hash ^ word, key.1)
    }

    /// The end of such a hash.
    @inline(__always)
    static func finish(_ hash: UInt64, _ key: (UInt64, UInt64)) -> UInt64 {
        fold(hash ^ key.1, key.0)
    }

    /// Multiplies to 128 bits and folds the halves.
    @inline(__always)
    private static func fold(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let product = one.multipliedFullWidth(by: other)
        return product.high ^ product.low
    }
}
