// How single fields speak about framing and persistence: Content-Length (RFC 9110 section 8.6),
// Transfer-Encoding (RFC 9112 section 6.1), Connection (RFC 9110 section 7.6.1) and the Keep-Alive
// hint. Pure; peers' numbers are checked for overflow, hints saturate.

internal import FetchBytes

extension HeadFacts {
    /// A bit for each length that a name which matters can have.
    static var lengthsThatMatter: UInt64 { 1 << 10 | 1 << 14 | 1 << 17 }

    /// Takes note of a field if it matters. The name is known to be a token.
    @inline(__always)
    mutating func fieldReceived(_ input: Span<UInt8>, name: Range<Int>, value: Range<Int>) {
        switch name.count {
        case 10:
            let first = Scan.lowercaseWord(input, at: name.lowerBound)
            let last = Scan.lowercaseWord(input, at: name.lowerBound &+ 2)
            if first == Word.connecti, last == Word.nnection {
                connectionReceived(input, value)
            } else if first == Word.keepAli, last == Word.epAlive {
                keepAliveReceived(input, value)
            }
        case 14:
            if Scan.lowercaseWord(input, at: name.lowerBound) == Word.contentDash,
                Scan.lowercaseWord(input, at: name.lowerBound &+ 6) == Word.tDashLength
            {
                contentLengthReceived(input, value)
            }
        case 17:
            if Scan.lowercaseWord(input, at: name.lowerBound) == Word.transfer,
                Scan.lowercaseWord(input, at: name.lowerBound &+ 8) == Word.dashEncodin,
                input[name.upperBound &- 1] | 0x20 == UInt8(ascii: "g")
            {
                transferEncodingReceived(input, value)
            }
        default:
            break
        }
    }

    /// Lower-case letters and hyphens as little-endian words.
    private enum Word {
        static var connecti: UInt64 { 0x6974_6365_6e6e_6f63 }
        static var nnection: UInt64 { 0x6e6f_6974_6365_6e6e }
        static var keepAli: UInt64 { 0x696c_612d_7065_656b }
        static var epAlive: UInt64 { 0x6576_696c_612d_7065 }
        static var contentDash: UInt64 { 0x2d74_6e65_746e_6f63 }
        static var tDashLength: UInt64 { 0x6874_676e_656c_2d74 }
        static var transfer: UInt64 { 0x7265_6673_6e61_7274 }
        static var dashEncodin: UInt64 { 0x6e69_646f_636e_652d }
    }

    /// One or more equal decimal numbers with commas between, over any number of lines.
    @inline(__always)
    private mutating func contentLengthReceived(_ input: Span<UInt8>, _ value: Range<Int>) {
        guard value.count <= 8, input.count >= 8 else {
            return contentLengthListReceived(input, value)
        }
        let (number, digits) = Scan.decimal(input, at: value.lowerBound)
        guard digits == value.count, digits > 0 else {
            return contentLengthListReceived(input, value)
        }
        lengthReceived(Int(number))
    }

    /// The slow form: a list, a number of nine digits or more, or something invalid.
    @inline(never)
    private mutating func contentLengthListReceived(_ input: Span<UInt8>, _ value: Range<Int>) {
        var start = value.lowerBound
        while true {
            let end = Self.endOfElement(input, from: start, to: value.upperBound)
            let element = ASCII.trimmed(input, start..<end)
            guard let number = Self.decimal(input, element) else {
                marks.insert(.invalidLength)
                return
            }
            lengthReceived(number)
            guard end < value.upperBound else { return }
            start = end &+ 1
        }
    }

    private mutating func lengthReceived(_ number: Int) {
        if marks.contains(.length), contentLength != number { marks.insert(.conflictingLength) }
        contentLength = number
        marks.insert(.length)
    }

    /// `1*DIGIT` that can be counted; nil otherwise.
    private static func decimal(_ input: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard !range.isEmpty else { return nil }
        var number = 0
        for index in range {
            guard ASCII.isDigit(input[index]) else { return nil }
            let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(Int(input[index] &- 0x30))
            guard !overflow, !carry else { return nil }
            number = sum
        }
        return number
    }

    /// Only one `chunked` in all lines together is supported; empty list elements are skipped.
    @inline(never)
    private mutating func transferEncodingReceived(_ input: Span<UInt8>, _ value: Range<Int>) {
        marks.insert(.transferEncoding)
        var start = value.lowerBound
        while start <= value.upperBound {
            let end = Self.endOfElement(input, from: start, to: value.upperBound)
            let element = ASCII.trimmed(input, start..<end)
            start = end &+ 1
            if element.isEmpty { continue }
            let isChunked = ASCII.equalsIgnoringCase(input.extracting(element), "chunked")
            if isChunked, !marks.contains(.chunked) {
                marks.insert(.chunked)
            } else {
                marks.insert(.unsupportedCoding)
            }
        }
    }

    @inline(__always)
    private mutating func connectionReceived(_ input: Span<UInt8>, _ value: Range<Int>) {
        if value.count == 10, Scan.word(input, at: value.lowerBound) == Word.keepAli,
            Scan.word(input, at: value.lowerBound &+ 2) == Word.epAlive
        {
            marks.insert(.keepAlive)
        } else {
            connectionListReceived(input, value)
        }
    }

    @inline(never)
    private mutating func connectionListReceived(_ input: Span<UInt8>, _ value: Range<Int>) {
        var start = value.lowerBound
        while start <= value.upperBound {
            let end = Self.endOfElement(input, from: start, to: value.upperBound)
            let element = ASCII.trimmed(input, start..<end)
            start = end &+ 1
            let option = input.extracting(element)
            if ASCII.equalsIgnoringCase(option, "close") {
                marks.insert(.close)
            } else if ASCII.equalsIgnoringCase(option, "keep-alive") {
                marks.insert(.keepAlive)
            }
        }
    }

    /// `timeout=5, max=100`; what is malformed is ignored.
    @inline(never)
    private mutating func keepAliveReceived(_ input: Span<UInt8>, _ value: Range<Int>) {
        var start = value.lowerBound
        while start <= value.upperBound {
            let end = Self.endOfElement(input, from: start, to: value.upperBound)
            let element = ASCII.trimmed(input, start..<end)
            start = end &+ 1
            guard let equals = element.first(where: { input[$0] == UInt8(ascii: "=") }) else {
                continue
            }
            let name = input.extracting(
                ASCII.trimmed(input, element.lowerBound..<equals))
            let number = Self.hint(
                input, ASCII.trimmed(input, equals &+ 1..<element.upperBound))
            guard let number else { continue }
            if ASCII.equalsIgnoringCase(name, "timeout") {
                keepAliveTimeout = number
            } else if ASCII.equalsIgnoringCase(name, "max") {
                keepAliveMax = number
            }
        }
    }

    /// A number that saturates; less than nothing is nothing.
    private static func hint(_ input: Span<UInt8>, _ range: Range<Int>) -> Int32? {
        var digits = range
        let isNegative = !range.isEmpty && input[range.lowerBound] == UInt8(ascii: "-")
        if isNegative { digits = range.dropFirst() }
        guard !digits.isEmpty else { return nil }
        var number = 0
        for index in digits {
            guard ASCII.isDigit(input[index]) else { return nil }
            number = min(number &* 10 &+ Int(input[index] &- 0x30), Int(Int32.max))
        }
        return isNegative ? 0 : Int32(truncatingIfNeeded: number)
    }

    /// The comma that ends a list element, or the end.
    private static func endOfElement(_ input: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, input[index] != UInt8(ascii: ",") { index &+= 1 }
        return index
    }
}

extension HeadFacts {
    /// Decides framing and persistence once all fields are there: RFC 9112 sections 6.3 and 9.3.
    mutating func headEnded(isHeadRequest: Bool) throws(MessageError) {
        if marks == [.length, .keepAlive] || marks == .length, minor > 0, keepAliveTimeout != 0,
            keepAliveMax != 0, status != 204, status != 304, !isHeadRequest
        {
            framing = .length(contentLength)
            return
        }
        let hasNoBody = isHeadRequest || status == 204 || status == 304
        framing = hasNoBody ? .none : try bodyFraming()
        closeReason = persistenceReason(hasNoBody: hasNoBody)
    }

    private func bodyFraming() throws(MessageError) -> Framing {
        if marks.contains(.transferEncoding) {
            guard marks.isDisjoint(with: .anyLength) else { throw .lengthAndTransferEncoding }
            guard minor > 0 else { throw .transferEncodingInOldVersion }
            guard marks.contains(.chunked), !marks.contains(.unsupportedCoding) else {
                throw .unsupportedTransferEncoding
            }
            return .chunked
        }
        if marks.contains(.invalidLength) { throw .invalidContentLength }
        if marks.contains(.conflictingLength) { throw .conflictingContentLength }
        return marks.contains(.length) ? .length(contentLength) : .closeDelimited
    }

    private func persistenceReason(hasNoBody: Bool) -> CloseReason? {
        if marks.contains(.close) { return .peerSaidClose }
        if minor == 0, !marks.contains(.keepAlive) { return .versionWithoutKeepAlive }
        if framing == .closeDelimited { return .bodyEndsWithConnection }
        if keepAliveTimeout == 0 || keepAliveMax == 0 { return .hintForbidsReuse }
        if hasNoBody, isDoubtful { return .doubtfulFraming }
        return nil
    }

    /// Framing fields that would have failed the response, had it a body.
    private var isDoubtful: Bool {
        guard !marks.isDisjoint(with: [.invalidLength, .conflictingLength, .transferEncoding])
        else { return false }
        return !marks.isDisjoint(with: [.invalidLength, .conflictingLength, .unsupportedCoding])
            || marks.contains(.length) || minor == 0
    }
}
