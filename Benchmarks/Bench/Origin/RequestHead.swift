// A request's head as far as the embedded origin reads it: method, path, length of the body. Pure.

import CBench
import Glibc

/// The first request in what has arrived.
struct RequestHead {
    /// Bytes up to and with the empty line.
    let length: Int
    let contentLength: Int
    let route: OriginRoute
    let isHEAD: Bool

    /// nil while the empty line has not come.
    init?(_ bytes: [UInt8]) {
        guard let head = RawHead(bytes) else { return nil }
        length = head.length
        contentLength = head.contentLength
        let line = bytes.prefix { $0 != UInt8(ascii: "\r") }
        let parts = line.split(separator: UInt8(ascii: " "))
        isHEAD = parts.first.map { $0.elementsEqual("HEAD".utf8) } ?? false
        route =
            parts.count > 1
            ? OriginRoute(path: String(decoding: parts[1], as: UTF8.self)) : .unknown
    }

    /// Whether these bytes are one whole `GET /` and no more: the path of nearly every request.
    static func isPlainHello(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let start: StaticString = "GET / HTTP/1.1\r\n"
        let mark: StaticString = "\r\n\r\n"
        let startCount = start.utf8CodeUnitCount
        let markCount = mark.utf8CodeUnitCount
        // Both comparisons and the search stay within `bytes`, whose length was checked.
        guard bytes.count >= startCount + 2, let base = bytes.baseAddress,
            unsafe memcmp(base, start.utf8Start, startCount) == 0
        else { return false }
        let end = unsafe bench_find(base, bytes.count, mark.utf8Start, markCount)
        return end == bytes.count - markCount
    }
}
