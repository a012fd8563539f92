// OpenSSL's error queue in Swift: its words, and what they mean to a client. The queue belongs to
// the thread; it is emptied before a call whose failure is to be read, and after.
//
// Unsafe: OpenSSL's strings are static or written into the array that is handed in.

internal import CFetchOpenSSL

enum OpenSSLErrors {
    /// One error of the queue.
    struct Entry {
        let code: UInt

        var isOfTLS: Bool { fetch_ERR_lib(code) == ERR_LIB_SSL }
        var reason: CInt { fetch_ERR_reason(code) }

        /// `certificate verify failed`, or the number if there are no words.
        var words: String {
            if let text = unsafe ERR_reason_error_string(code) {
                return unsafe String(cString: text)
            }
            var line = [CChar](repeating: 0, count: 256)
            unsafe ERR_error_string_n(code, &line, line.count)
            return String(
                decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// Forgets what others have left; to look first is the cheaper half of it.
    @inline(__always)
    static func clear() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// Takes the queue, oldest first. OpenSSL keeps 16 at most.
    static func take() -> [Entry] {
        var entries: [Entry] = []
        while true {
            let code = ERR_get_error()
            if code == 0 { return entries }
            entries.append(Entry(code: code))
        }
    }

    /// The queue's words, newest first, and without it.
    static func takeWords(orElse words: String = "no reason given") -> String {
        let entries = take()
        return entries.isEmpty
            ? words : entries.reversed().map { $0.words }.joined(separator: ": ")
    }
}

extension TLSFailure {
    /// Alerts stand among the reasons behind this number (ssl.h, SSL_AD_REASON_OFFSET).
    private static let alerts: CInt = 1_000

    /// What the queue says after a call on a connection has failed.
    static func fromQueue(inHandshake: Bool) -> TLSFailure {
        let entries = OpenSSLErrors.take()
        for entry in entries where entry.isOfTLS {
            if let failure = TLSFailure(entry, inHandshake: inHandshake) { return failure }
        }
        let words = entries.reversed().map { $0.words }
        return .other(words.isEmpty ? "no reason given" : words.joined(separator: ": "))
    }

    private init?(_ entry: OpenSSLErrors.Entry, inHandshake: Bool) {
        switch entry.reason {
        case TLSFailure.alerts + CInt(SSL_AD_PROTOCOL_VERSION), SSL_R_UNSUPPORTED_PROTOCOL,
            SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_WRONG_SSL_VERSION, SSL_R_VERSION_TOO_LOW,
            SSL_R_VERSION_TOO_HIGH:
            self = .protocolVersion
        case SSL_R_WRONG_VERSION_NUMBER where inHandshake:
            // What came first was no record of TLS at all, such as `HTTP/1.1 400`.
            self = .notTLS
        case let reason where (0...255).contains(reason - TLSFailure.alerts):
            self = .alertReceived(TLSAlert(number: UInt8(reason - TLSFailure.alerts)))
        default:
            return nil
        }
    }
}
