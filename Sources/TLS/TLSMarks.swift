// What of a configuration keeps apart what was fetched by it: bytes that are alike for the same.

internal import FetchBytes

extension TLSConfiguration {
    /// Which servers are believed, where that isn't the default: what came from one that another
    /// request wouldn't believe must not answer that request. Empty for the default.
    package var trustMark: [UInt8] {
        var mark = Mark()
        if verification == .none { mark.add("unverified") }
        if trust != .system {
            for source in trust.sources { mark.add(source) }
        }
        for list in revocationLists { mark.add("revoked", list) }
        for pin in pins.sorted() { mark.add("pin", pin.utf8) }
        if let serverName { mark.add("name", serverName.utf8) }
        return mark.bytes
    }

    /// Who asks, where a certificate says so; empty without one.
    package var identityMark: [UInt8] {
        var mark = Mark()
        if let identity { mark.add("identity", identity.certificate) }
        return mark.bytes
    }

    /// Parts, each behind its length: no two lists of parts are alike.
    private struct Mark {
        private(set) var bytes: [UInt8] = []

        mutating func add(_ kind: String) { add(kind, "".utf8) }

        mutating func add(_ kind: String, _ pem: PEM) {
            switch pem {
            case .file(let path): add(kind + " file", path.utf8)
            case .bytes(let text): add(kind + " text", text)
            }
        }

        mutating func add(_ source: Trust.Source) {
            switch source {
            case .system: add("system")
            case .file(let path): add("authorities file", path.utf8)
            case .directory(let path): add("authorities directory", path.utf8)
            case .pem(let text): add("authorities text", text)
            }
        }

        mutating func add(_ kind: String, _ value: some Collection<UInt8>) {
            append(kind.utf8)
            append(value)
        }

        private mutating func append(_ part: some Collection<UInt8>) {
            var count = part.count
            for _ in 0..<8 {
                bytes.append(UInt8(truncatingIfNeeded: count))
                count &>>= 8
            }
            bytes += part
        }
    }
}
