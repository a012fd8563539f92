// SelectingValue: whether two values of a request field mean the same (RFC 9111 section 4.1): white
// space where lists allow it, case where the field's definition has none, order where it doesn't
// matter. Pure; any thread.
//
// Order is left alone where some origin could read a preference into it, though RFC 9110 section
// 12.5.4 says that nobody should: `de, en` and `en, de` may well have got different answers.

internal import FetchBytes
internal import FetchHTTP

/// Compares values.
enum SelectingValue {
    /// What is known of a field's syntax.
    private enum Kind {
        /// One value: only the same bytes are the same.
        case single
        /// A list, as far as anybody knows: blanks around its commas say nothing.
        case list
        /// A set of tokens with weights; neither case nor order matters.
        case set
        /// Weighted alternatives without case; those of unequal weight may stand in any order.
        case preferences
        /// The same, but parameters keep their case.
        case mediaRanges
    }

    static func matches(_ name: Span<UInt8>, _ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        if isSame(one, other) { return true }
        let kind = kind(of: name)
        switch kind {
        case .single: return false
        case .list: return isSameList(one, other)
        case .set:
            let (mine, theirs) = (members(one, kind), members(other, kind))
            return mine.sorted(by: isBefore) == theirs.sorted(by: isBefore)
        case .preferences, .mediaRanges:
            return inOrder(members(one, kind)) == inOrder(members(other, kind))
        }
    }

    private static func kind(of name: Span<UInt8>) -> Kind {
        let kinds: [(StaticString, Kind)] = [
            ("accept", .mediaRanges), ("accept-encoding", .set), ("accept-charset", .set),
            ("te", .set), ("accept-language", .preferences), ("authorization", .single),
            ("proxy-authorization", .single), ("cookie", .single), ("user-agent", .single),
            ("host", .single), ("origin", .single), ("referer", .single), ("range", .single),
        ]
        for (literal, kind) in kinds where ASCII.equalsIgnoringCase(name, literal) { return kind }
        return .list
    }

    private static func isSame(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        let count = one.count
        guard count == other.count else { return false }
        var index = 0
        while index &+ 8 <= count {
            guard Scan.word(one, at: index) == Scan.word(other, at: index) else { return false }
            index &+= 8
        }
        while index < count {
            guard one[index] == other[index] else { return false }
            index &+= 1
        }
        return true
    }

    /// Member by member, without their white space.
    private static func isSameList(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        var mine = ListCursor()
        var theirs = ListCursor()
        while true {
            switch (mine.next(in: one), theirs.next(in: other)) {
            case (nil, nil): return true
            case (.some(let left), .some(let right)):
                guard isSame(one.extracting(left), other.extracting(right)) else { return false }
            case (.some, nil), (nil, .some): return false
            }
        }
    }

    /// A list's members, with what says nothing taken out of them.
    private static func members(_ value: Span<UInt8>, _ kind: Kind) -> [[UInt8]] {
        var members: [[UInt8]] = []
        var cursor = ListCursor()
        while let range = cursor.next(in: value) {
            members.append(normalized(value.extracting(range), kind))
        }
        return members
    }

    private static func normalized(_ member: Span<UInt8>, _ kind: Kind) -> [UInt8] {
        var bytes: [UInt8] = []
        var inQuotes = false
        var inParameters = false
        for index in 0..<member.count {
            let byte = member[index]
            if byte == UInt8(ascii: "\"") { inQuotes.toggle() }
            if byte == UInt8(ascii: ";") { inParameters = true }
            if !inQuotes, ASCII.isBlank(byte) { continue }
            let keepsCase: Bool =
                switch kind {
                case .mediaRanges: inParameters
                case .single, .list, .set, .preferences: inQuotes
                }
            bytes.append(keepsCase ? byte : ASCII.lowercased(byte))
        }
        return bytes
    }

    private static func isBefore(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.lexicographicallyPrecedes(other)
    }

    /// Heaviest first; those of one weight as they stood.
    private static func inOrder(_ members: [[UInt8]]) -> [[UInt8]] {
        let weights = members.map(weight)
        return members.indices
            .sorted { weights[$0] != weights[$1] ? weights[$0] > weights[$1] : $0 < $1 }
            .map { members[$0] }
    }

    /// Its `;q=` in thousandths; 1000 where it has none that can be read.
    private static func weight(_ member: [UInt8]) -> Int {
        guard let start = weightStart(member) else { return 1_000 }
        let digits = member[start...].prefix { $0 != UInt8(ascii: ";") }
        guard digits.count <= 5, let first = digits.first, ASCII.isDigit(first) else {
            return 1_000
        }
        var weight = Int(first - 0x30) * 1_000
        var unit = 100
        for digit in digits.dropFirst(2) {
            guard ASCII.isDigit(digit) else { return 1_000 }
            weight += Int(digit - 0x30) * unit
            unit /= 10
        }
        return min(weight, 1_000)
    }

    /// Behind the first `;q=`.
    private static func weightStart(_ member: [UInt8]) -> Int? {
        guard member.count > 3 else { return nil }
        for index in 0..<(member.count - 3)
        where member[index] == UInt8(ascii: ";") && member[index + 1] | 0x20 == UInt8(ascii: "q")
            && member[index + 2] == UInt8(ascii: "=")
        {
            return index + 3
        }
        return nil
    }
}
