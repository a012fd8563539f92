// How names become addresses: what users may say about it. A value; any thread.

internal import FetchEngine
public import FetchTransport

/// How a client resolves host names.
///
/// Literals, `localhost` (RFC 6761 §6.3), `hostOverrides` and the hosts file come first and cost no
/// query; then the name servers are asked by c-ares, or a ``Resolver`` of the caller's own.
public struct NameConfiguration: Sendable {
    /// Name servers to ask in place of those in `/etc/resolv.conf`: addresses, with a port behind a
    /// colon where it is not 53 (`127.0.0.1:5353`, `[::1]:5353`). Default nil: resolv.conf's.
    public var servers: [String]?
    /// Asked in place of hosts file and name servers. Default nil.
    public var resolver: (any Resolver)?
    /// How long an answer is believed, at most; records that live shorter are obeyed. Default
    /// 300 s.
    public var longestLifetime: Duration = .seconds(300)
    /// How long it is believed that a name does not exist, at most. Default 5 s.
    public var negativeLifetime: Duration = .seconds(5)
    /// Names that are remembered; the one used longest ago is forgotten first. Default 10,000.
    public var cachedNames = 10_000
    /// Queries on their way at once, two for a name; the rest wait in line. Default 256.
    public var queriesInFlight = 256

    /// The defaults.
    public init() {}

    func validate() throws {
        if let servers {
            guard !servers.isEmpty else { throw invalid("servers", "must not be empty") }
            for server in servers where NameConfiguration.address(of: server) == nil {
                throw invalid("servers", "\(server) is no address")
            }
        }
        if longestLifetime < .zero { throw invalid("longestLifetime", "must not be negative") }
        if negativeLifetime < .zero { throw invalid("negativeLifetime", "must not be negative") }
        if cachedNames < 0 { throw invalid("cachedNames", "must not be negative") }
        if queriesInFlight < 2 { throw invalid("queriesInFlight", "must be 2 or more") }
    }

    private func invalid(_ key: String, _ reason: String) -> FetchError {
        FetchError(.invalidConfiguration, reason: "names.\(key): \(reason)")
    }

    /// What the engine is told.
    var settings: NameSettings {
        var settings = NameSettings()
        settings.resolver = resolver
        settings.nameServers = servers?.compactMap(NameConfiguration.address)
        settings.lifetimeMost = Timeouts.nanoseconds(longestLifetime)
        settings.negativeLifetime = Timeouts.nanoseconds(negativeLifetime)
        settings.cachedNames = cachedNames
        settings.queriesInFlight = queriesInFlight
        return settings
    }

    /// `127.0.0.1`, `127.0.0.1:53`, `::1`, `[::1]:53`.
    static func address(of text: String) -> SocketAddress? {
        if let plain = SocketAddress(literal: text, port: 53) { return plain }
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return SocketAddress(literal: String(host), port: port)
    }
}
