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
    /// The hosts file (hosts(5)), read again when it has changed; at most 8 MiB of it. nil for
    /// none. A ``resolver`` of the caller's own is asked in its place too. Default `/etc/hosts`.
    public var hostsFile: String? = "/etc/hosts"
    /// How long an answer is believed, at most; records that live shorter are obeyed. Default
    /// 300 s.
    public var longestLifetime: Duration = .seconds(300)
    /// How long it is believed that a name does not exist, at most. Default 5 s.
    public var negativeLifetime: Duration = .seconds(5)
    /// Names that are remembered; the one used longest ago is forgotten first. Default 10,000.
    public var cachedNames = 10_000
    /// Queries on their way at once, two for a name; the rest wait in line. Default 256.
    public var queriesInFlight = 256
    /// How long an attempt to connect to one of a name's addresses has before the next address is
    /// tried beside it (RFC 8305 §5). Default 250 ms.
    public var attemptDelay: Duration = .milliseconds(250)
    /// How long IPv4 addresses wait for the answer about IPv6 ones (RFC 8305 §3). Default 50 ms.
    public var resolutionDelay: Duration = .milliseconds(50)
    /// How long an address of a name that refused, failed or let another one overtake it is tried
    /// behind the name's other addresses; zero forgets it at once. Default 30 s.
    public var failedAddressLifetime: Duration = .seconds(30)
    /// Addresses of which something is remembered: that they failed, or how they are reached.
    /// Default 1,000.
    public var rememberedAddresses = 1_000

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
        if let hostsFile, hostsFile.isEmpty || FilePath.hasNUL(hostsFile) {
            throw invalid("hostsFile", "is no path")
        }
        if attemptDelay <= .zero { throw invalid("attemptDelay", "must be more than zero") }
        if resolutionDelay < .zero { throw invalid("resolutionDelay", "must not be negative") }
        if failedAddressLifetime < .zero {
            throw invalid("failedAddressLifetime", "must not be negative")
        }
        if rememberedAddresses < 0 {
            throw invalid("rememberedAddresses", "must not be negative")
        }
        if queriesInFlight < 2 { throw invalid("queriesInFlight", "must be 2 or more") }
    }

    private func invalid(_ key: String, _ reason: String) -> FetchError {
        FetchError(.invalidConfiguration, reason: "names.\(key): \(reason)")
    }

    /// What the engine is told.
    var settings: NameSettings {
        var settings = NameSettings()
        settings.resolver = resolver
        settings.hostsPath = hostsFile
        settings.nameServers = servers?.compactMap(NameConfiguration.address)
        settings.lifetimeMost = Timeouts.nanoseconds(longestLifetime)
        settings.negativeLifetime = Timeouts.nanoseconds(negativeLifetime)
        settings.cachedNames = cachedNames
        settings.queriesInFlight = queriesInFlight
        return settings
    }

    var raceDelays: AddressRace.Delays {
        var delays = AddressRace.Delays()
        delays.attempt = Timeouts.nanoseconds(attemptDelay)
        delays.resolution = Timeouts.nanoseconds(resolutionDelay)
        return delays
    }

    var memory: AddressMemorySettings {
        var settings = AddressMemorySettings()
        settings.addresses = rememberedAddresses
        settings.failureLifetime = Timeouts.nanoseconds(failedAddressLifetime)
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
