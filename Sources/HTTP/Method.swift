// Method: a request method that may be sent (RFC 9110 section 9). A value; any thread.

package import FetchBytes
package import HTTPTypes

/// Why a method may not be sent.
package enum MethodError: Error, Equatable, Sendable {
    /// Not a token.
    case notAToken
    /// Longer than `Method.mostBytes`.
    case tooLong
    /// CONNECT makes a tunnel, not a request.
    case connect
}

extension MethodError: CustomStringConvertible {
    @usableFromInline package var description: String {
        switch self {
        case .notAToken: "method is not a token"
        case .tooLong: "method is longer than \(Method.mostBytes) bytes"
        case .connect: "CONNECT is not a request method here"
        }
    }
}

/// A checked method with what its definition says about it.
@usableFromInline
package struct Method: Sendable, Equatable {
    /// The longest method accepted.
    package static let mostBytes = 64

    /// Name and a space in one word, for methods of up to seven bytes.
    package let word: UInt64
    /// Bytes of `word` in use; 0 for a longer method.
    package let wordCount: UInt8
    @usableFromInline let traits: Traits
    private let long: LongName?

    /// A name that does not fit the word, kept apart so that a method is three words and a copy of
    /// it costs nothing.
    private indirect enum LongName: Equatable, Sendable {
        case name(String)

        var text: String {
            switch self {
            case .name(let text): text
            }
        }
    }

    @usableFromInline
    struct Traits: OptionSet, Sendable {
        @usableFromInline let rawValue: UInt8

        @inlinable
        init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        static var safe: Traits { Traits(rawValue: 1) }
        @inlinable static var idempotent: Traits { Traits(rawValue: 2) }
        static var definesContent: Traits { Traits(rawValue: 4) }
        @inlinable static var head: Traits { Traits(rawValue: 8) }
        static var options: Traits { Traits(rawValue: 16) }
        static var trace: Traits { Traits(rawValue: 32) }
    }

    private init(word: UInt64, _ wordCount: UInt8, _ traits: Traits, long: LongName? = nil) {
        self.word = word
        self.wordCount = wordCount
        self.traits = traits
        self.long = long
    }

    package static var get: Method { Method(word: 0x2054_4547, 4, [.safe, .idempotent]) }
    package static var head: Method {
        Method(word: 0x20_4441_4548, 5, [.safe, .idempotent, .head])
    }
    package static var post: Method { Method(word: 0x20_5453_4f50, 5, .definesContent) }
    package static var put: Method { Method(word: 0x2054_5550, 4, [.idempotent, .definesContent]) }
    package static var patch: Method { Method(word: 0x2048_4354_4150, 6, .definesContent) }
    package static var delete: Method { Method(word: 0x20_4554_454c_4544, 7, .idempotent) }
    package static var options: Method {
        Method(word: 0x2053_4e4f_4954_504f, 8, [.safe, .idempotent, .options])
    }
    package static var trace: Method {
        Method(word: 0x2045_4341_5254, 6, [.safe, .idempotent, .trace])
    }
    package static var query: Method { Method(word: 0x2059_5245_5551, 6, [.safe, .idempotent]) }

    private static var known: [Method] {
        [.get, .head, .post, .put, .patch, .delete, .options, .trace, .query]
    }

    /// Checks a method's name: a token, and not CONNECT. Names are case-sensitive.
    package init(_ name: String) throws(MethodError) {
        let utf8 = name.utf8
        let bytes = utf8.span
        guard bytes.count <= Self.mostBytes else { throw .tooLong }
        guard bytes.count > 0, Scan.endOfToken(bytes, from: 0) == bytes.count else {
            throw .notAToken
        }
        guard name != "CONNECT" else { throw .connect }
        guard bytes.count < 8 else {
            self.init(word: 0, 0, [], long: .name(name))
            return
        }
        var word = UInt64(UInt8(ascii: " ")) &<< (8 * bytes.count)
        for index in 0..<bytes.count { word |= UInt64(bytes[index]) &<< (8 * index) }
        self =
            Self.known.first { $0.word == word }
            ?? Method(word: word, UInt8(bytes.count + 1), [])
    }

    /// Checks a method of swift-http-types.
    package init(_ method: HTTPRequest.Method) throws(MethodError) {
        if method == .get { self = .get } else { try self.init(method.rawValue) }
    }

    /// The name as sent.
    package var name: String {
        if let long { return long.text }
        let bytes = (0..<Int(wordCount) - 1).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes the name and a space.
    package func appendWithSpace(to buffer: ByteBuffer) {
        if wordCount > 0 {
            buffer.append(word: word, count: Int(wordCount))
        } else {
            buffer.append(utf8: name)
            buffer.append(UInt8(ascii: " "))
        }
    }

    /// HEAD: the response has no content.
    @inlinable package var isHead: Bool { traits.contains(.head) }
    /// OPTIONS: may be sent for the whole server.
    package var isOptions: Bool { traits.contains(.options) }
    /// TRACE: must not have content.
    package var isTrace: Bool { traits.contains(.trace) }
    /// RFC 9110 section 9.2.1, and QUERY.
    package var isSafe: Bool { traits.contains(.safe) }
    /// RFC 9110 section 9.2.2, and QUERY: a second attempt does no harm.
    @inlinable package var isIdempotent: Bool { traits.contains(.idempotent) }
    /// Without fields and body there is nothing more to say than the method, and that in one word:
    /// no Content-Length, no asterisk.
    package var isShortAndPlain: Bool {
        wordCount > 0 && traits.isDisjoint(with: [.definesContent, .options])
    }
    /// POST, PUT, PATCH: without a body they say `Content-Length: 0`.
    package var definesContent: Bool { traits.contains(.definesContent) }
}

extension Method: CustomStringConvertible {
    @usableFromInline package var description: String { name }
}
