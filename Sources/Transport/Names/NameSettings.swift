// What the names of one client are told: bounds, files and servers. A value; any thread.

/// How names are resolved. Durations are in nanoseconds.
package struct NameSettings: Sendable {
    /// Asked in place of hosts file and name servers; nil for those.
    package var resolver: (any Resolver)?
    /// Name servers in place of resolv.conf's; nil for those.
    package var nameServers: [SocketAddress]?
    /// Search list in place of resolv.conf's; nil for that.
    package var searchDomains: [String]?
    /// Looked at again when it has changed; nil for none.
    package var hostsPath: String? = "/etc/hosts"
    /// Looked at again when it has changed; nil for none, which leaves 127.0.0.1 to be asked.
    package var resolvConfPath: String? = "/etc/resolv.conf"
    /// How long a look at either file is believed.
    package var fileCheckInterval: Int64 = 1_000_000_000
    /// Read of the hosts file at most.
    package var hostsFileBytes = 8 << 20
    /// Read of resolv.conf at most.
    package var resolvConfBytes = 64 << 10
    /// How long a server may take before the next is asked; doubles with every round. nil for what
    /// resolv.conf says, or 2 s.
    package var queryTimeout: Int64?
    /// How often each server is asked; nil for what resolv.conf says, or 3.
    package var queryRounds: Int?
    /// Names kept, the least recently used one given up for a new one.
    package var cachedNames = 10_000
    /// A record is believed for its own lifetime, and no longer than this.
    package var lifetimeMost: Int64 = 300_000_000_000
    /// How long it is believed that a name does not exist or has no addresses, at most; and for
    /// how long one family is used when the other one's servers failed.
    package var negativeLifetime: Int64 = 5_000_000_000
    /// Queries on their way at once; a name takes two. What is above waits in line.
    package var queriesInFlight = 256
    /// Names that may wait in that line.
    package var waitingLookups = 10_000
    /// Addresses used of each family of a name; what an answer holds above is dropped.
    package var addressesPerFamily = 32

    package init() {}
}
