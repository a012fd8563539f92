// ConnectionOptions: what a caller's Connection field says (RFC 9110 section 7.6.1). A value; any
// thread.

internal import FetchBytes

/// The options that a caller may give.
struct ConnectionOptions: OptionSet, Sendable {
    let rawValue: UInt8

    static var close: ConnectionOptions { ConnectionOptions(rawValue: 1) }
    static var keepAlive: ConnectionOptions { ConnectionOptions(rawValue: 2) }
    static var te: ConnectionOptions { ConnectionOptions(rawValue: 4) }

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The options of one value; nil when another is among them.
    init?(_ value: Span<UInt8>) {
        self = []
        var start = 0
        while start <= value.count {
            var end = start
            while end < value.count, value[end] != UInt8(ascii: ",") { end += 1 }
            let option = value.extracting(ASCII.trimmed(value, start..<end))
            start = end + 1
            if option.isEmpty { continue }
            if ASCII.equalsIgnoringCase(option, "close") {
                insert(.close)
            } else if ASCII.equalsIgnoringCase(option, "keep-alive") {
                insert(.keepAlive)
            } else if ASCII.equalsIgnoringCase(option, "te") {
                insert(.te)
            } else {
                return nil
            }
        }
    }
}
