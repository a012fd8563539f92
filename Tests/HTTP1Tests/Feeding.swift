// How the tests feed a parser: whole, in pieces, up to a point; and what they compare.

import FetchBytes
import FetchHTTP
import FetchHTTP1

/// All that came out of a parser for one response, however it was cut.
struct Outcome: Equatable, CustomStringConvertible {
    var interims: [UInt16] = []
    var status: UInt16?
    var minor: UInt8 = 0
    var reason = ""
    var fields: [String] = []
    var framing: Framing?
    var closeReason: CloseReason?
    var timeout: Int?
    var body: [UInt8] = []
    var trailers: [String] = []
    var isEnded = false
    var error: MessageError?
    /// Bytes of the input not consumed; 0 after an error, when nothing more is read.
    var left = 0

    var description: String {
        let text = String(decoding: body.prefix(80), as: UTF8.self)
        let end = isEnded ? "ended" : "open"
        return "\(interims) \(status.map(String.init) ?? "-") \(reason) \(fields) "
            + "\(framing.map { "\($0)" } ?? "-") \(text.debugDescription) \(trailers) \(end) "
            + "\(error.map { "\($0)" } ?? "") left \(left)"
    }
}

/// A parser with the bytes it has not consumed.
struct Feeder {
    private var parser: ResponseParser
    private var remembered = RememberedHead()
    private var pending: [UInt8] = []
    private(set) var outcome = Outcome()

    init(isHead: Bool = false, limits: ParserLimits = ParserLimits()) {
        parser = ResponseParser(limits: limits)
        parser.begin(isHead: isHead)
    }

    /// Awaits another response on the same connection, with nothing of the last one left.
    mutating func beginNext(isHead: Bool = false) {
        parser.begin(isHead: isHead)
        pending = []
        outcome = Outcome()
    }

    private var isOver: Bool { outcome.isEnded || outcome.error != nil }

    mutating func feed(_ bytes: ArraySlice<UInt8>) {
        pending += bytes
        while !isOver {
            do throws(MessageError) {
                let input = pending
                let (step, consumed) = try parser.parse(input.span, &remembered)
                let isDry = take(step)
                pending.removeFirst(consumed)
                if isDry { break }
            } catch {
                outcome.error = error
            }
        }
        outcome.left = outcome.error == nil ? pending.count : 0
    }

    mutating func end() {
        guard !isOver else { return }
        do throws(MessageError) {
            _ = take(try parser.endOfInput())
        } catch {
            outcome.error = error
        }
    }

    /// Notes a step; true when the parser needs more.
    private mutating func take(_ step: ResponseParser.Step) -> Bool {
        switch step {
        case .needMore:
            return true
        case .informational(let status):
            outcome.interims.append(status)
        case .head(let head):
            take(head)
        case .complete(let head, let body):
            take(head)
            outcome.body = Array(body)
            outcome.isEnded = true
        case .body(let range):
            outcome.body += pending[range]
        case .end(let trailers):
            outcome.trailers = trailers.map(Self.lines) ?? []
            outcome.isEnded = true
        }
        return false
    }

    private mutating func take(_ head: ResponseHead) {
        outcome.status = head.status
        outcome.minor = head.versionMinor
        outcome.reason = head.reason
        outcome.fields = Self.lines(head.fields)
        outcome.framing = head.framing
        outcome.closeReason = head.closeReason
        outcome.timeout = head.keepAliveTimeoutSeconds
    }

    private static func lines(_ section: FieldSection) -> [String] {
        (0..<section.count).map { "\(section.name(at: $0)): \(section.latin1Value(at: $0))" }
    }
}

/// Feeds everything at once.
func whole(
    _ bytes: [UInt8], isHead: Bool = false, limits: ParserLimits = ParserLimits(),
    ends: Bool = false
) -> Outcome {
    var feeder = Feeder(isHead: isHead, limits: limits)
    feeder.feed(bytes[...])
    if ends { feeder.end() }
    return feeder.outcome
}

/// Feeds in pieces that end at the given places.
func cut(
    _ bytes: [UInt8], at places: some Sequence<Int>, isHead: Bool = false,
    limits: ParserLimits = ParserLimits(), ends: Bool = false
) -> Outcome {
    var feeder = Feeder(isHead: isHead, limits: limits)
    var start = 0
    for place in places {
        feeder.feed(bytes[start..<place])
        start = place
    }
    feeder.feed(bytes[start...])
    if ends { feeder.end() }
    return feeder.outcome
}

/// Latin-1 text as bytes, so that a row can hold any byte.
func latin1(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
}

/// A generator whose seed decides everything (splitmix64).
struct SeededRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
