// The URL of `bench compare` and of the floor, which speak to IPv4 loopback only: the library's own
// URL parser is part of what is measured, so it is not used here. Pure.

/// `http://127.a.b.c:port/path` or `http://localhost:port/path`.
package struct LoopbackURL: Equatable {
    package let address: LoopbackAddress
    /// Host and port as they were written.
    package let authority: String
    /// Path and query, at least "/".
    package let path: String

    package var text: String { "http://\(authority)\(path)" }

    package init?(_ text: String) {
        guard text.hasPrefix("http://") else { return nil }
        let rest = text.dropFirst(7)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        authority = String(rest[..<slash])
        path = slash == rest.endIndex ? "/" : String(rest[slash...])
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard let host = parts.first.flatMap({ Self.host($0) }), parts.count <= 2 else {
            return nil
        }
        guard let port = parts.count == 2 ? UInt16(parts[1]) : 80 else { return nil }
        address = LoopbackAddress(host: host, port: port)
        guard address.isLoopback else { return nil }
    }

    private static func host(_ text: Substring) -> UInt32? {
        if text == "localhost" { return LoopbackAddress.localhost }
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
            .map { UInt8($0) }
        guard numbers.count == 4 else { return nil }
        return numbers.reduce(UInt32?(0)) { sum, number in
            guard let sum, let number else { return nil }
            return sum << 8 | UInt32(number)
        }
    }
}

/// The little of a message's head that the raw loops look at. Trusts its peer: both ends are
/// bench's own or a server on the same machine.
struct RawHead {
    /// Bytes up to and with the empty line.
    let length: Int
    /// Content-Length, 0 where there is none.
    let contentLength: Int

    var messageLength: Int { length + contentLength }

    /// nil while the empty line has not come.
    init?(_ bytes: [UInt8]) {
        let mark = Array("\r\n\r\n".utf8)
        guard bytes.count >= mark.count else { return nil }
        let ends = (0...bytes.count - mark.count).first {
            bytes[$0..<$0 + mark.count].elementsEqual(mark)
        }
        guard let ends else { return nil }
        length = ends + mark.count
        let text = String(decoding: bytes[..<ends], as: UTF8.self)
        let key = "content-length:"
        let line = text.split(separator: "\r\n").first { $0.lowercased().hasPrefix(key) }
        contentLength = line.flatMap { Int($0.dropFirst(key.count).filter(\.isNumber)) } ?? 0
    }
}
