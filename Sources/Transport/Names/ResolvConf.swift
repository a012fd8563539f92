// resolv.conf (resolver(5)): which servers to ask, how often, and under which names. A value; pure.

internal import FetchBytes

/// What resolv.conf says, within the bounds that resolver(5) gives its numbers.
package struct ResolvConf: Equatable, Sendable {
    /// In the file's order; empty when it names none.
    package var servers: [SocketAddress] = []
    /// Domains to try names in.
    package var search: [String] = []
    /// Names with as many dots are tried as they stand first.
    package var ndots = 1
    /// How long a server may take.
    package var timeoutSeconds: Int?
    /// How often each server is asked.
    package var attempts: Int?
    /// Servers take turns.
    package var rotate = false
    /// Large answers by UDP (RFC 6891).
    package var edns = false
    /// Everything by TCP.
    package var usesTCP = false

    /// Servers that are used; more are dropped.
    package static let mostServers = 8
    /// Search domains that are used; more are dropped.
    package static let mostDomains = 16

    package init() {}

    /// Parses a file's bytes. What is not understood is skipped. The host's own domain is searched
    /// when the file names none, and two environment variables overrule it: LOCALDOMAIN and
    /// RES_OPTIONS, as resolver(5) says.
    package init(
        parsing bytes: [UInt8], hostName: String = "", localDomain: String? = nil,
        options: String? = nil
    ) {
        var saysWhereToSearch = false
        for line in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            // Comments begin in the first column; elsewhere the two characters are the line's own.
            guard let first = line.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ";")
            else { continue }
            let words = line.split { $0 == 0x20 || $0 == 0x09 }
                .map { String(decoding: $0, as: UTF8.self) }
            guard let keyword = words.first else { continue }
            let values = words.dropFirst()
            switch keyword {
            case "nameserver": add(server: values.first)
            case "domain":
                // The two exclude each other, and the last one counts.
                search = Self.domains(values.prefix(1))
                saysWhereToSearch = true
            case "search":
                search = Self.domains(values)
                saysWhereToSearch = true
            case "options": for value in values { take(option: value) }
            default: break
            }
        }
        if let localDomain {
            search = Self.domains(Self.words(localDomain)[...])
        } else if !saysWhereToSearch, let dot = hostName.firstIndex(of: ".") {
            search = Self.domains([String(hostName[hostName.index(after: dot)...])])
        }
        if let options { for option in Self.words(options) { take(option: option) } }
    }

    private mutating func add(server text: String?) {
        guard let text, servers.count < Self.mostServers,
            let server = SocketAddress(literal: text, port: 53)
        else { return }
        servers.append(server)
    }

    private mutating func take(option: String) {
        let parts = option.split(separator: ":", maxSplits: 1)
        let number = parts.count == 2 ? Int(parts[1]) : nil
        switch parts.first {
        case "ndots": if let number { ndots = min(max(number, 0), 15) }
        case "timeout": if let number { timeoutSeconds = min(max(number, 1), 30) }
        case "attempts": if let number { attempts = min(max(number, 1), 5) }
        case "rotate": rotate = true
        case "edns0": edns = true
        case "use-vc": usesTCP = true
        default: break
        }
    }

    private static func words(_ text: String) -> [String] {
        text.split { $0 == " " || $0 == "\t" }.map { String($0) }
    }

    /// In lower case and without trailing dots. The root (`.`) searches nowhere.
    private static func domains(_ words: some Sequence<String>) -> [String] {
        let names = words.map { word in
            let name = word.lowercased()
            return name.hasSuffix(".") ? String(name.dropLast()) : name
        }
        return Array(names.filter { HostName.isValid($0) }.prefix(mostDomains))
    }

    /// The names to ask for in order (resolver(5), `search` and `ndots`): an absolute name is
    /// itself alone.
    package func candidates(for name: String, isAbsolute: Bool) -> [String] {
        if isAbsolute || search.isEmpty { return [name] }
        let searched = search.map { "\(name).\($0)" }.filter { HostName.isValid($0) }
        let dots = name.utf8.count { $0 == UInt8(ascii: ".") }
        return dots >= ndots ? [name] + searched : searched + [name]
    }
}
