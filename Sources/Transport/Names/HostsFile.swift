// The hosts file (hosts(5)): an address, then the names that have it. A value; pure.

internal import FetchBytes

/// What a hosts file says. Names are kept in lower case and without trailing dots.
package struct HostsFile: Equatable, Sendable {
    private var addresses: [String: [SocketAddress.Host]] = [:]

    package init() {}

    /// Parses a file's bytes. Lines that make no sense are skipped, as every reader of it does; a
    /// name on several lines has all their addresses, in order.
    package init(parsing bytes: [UInt8]) {
        for line in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            let entry = line.prefix { $0 != UInt8(ascii: "#") }
            var words = entry.split { $0 == 0x20 || $0 == 0x09 }[...]
            guard let first = words.popFirst() else { continue }
            let literal = String(decoding: first, as: UTF8.self)
            guard let address = SocketAddress(literal: literal, port: 0) else { continue }
            for word in words { add(address.host, as: word) }
        }
    }

    private mutating func add(_ host: SocketAddress.Host, as word: ArraySlice<UInt8>) {
        var name = word.map { ASCII.lowercased($0) }
        if name.last == UInt8(ascii: ".") { name.removeLast() }
        let text = String(decoding: name, as: UTF8.self)
        guard HostName.isValid(text), addresses[text]?.contains(host) != true else { return }
        addresses[text, default: []].append(host)
    }

    /// The addresses of a lower-case name, in the file's order; nil if the file has none. A name
    /// that is there with one family is not asked for in the other.
    package func addresses(of name: String) -> [SocketAddress.Host]? { addresses[name] }

    /// How many names there are.
    package var count: Int { addresses.count }
}
