// What the engine is told once, when it is made: bounds, clocks and the default fields. The public
// configuration fills it; every number here has its name there.

package import FetchHTTP1
package import FetchTLS
package import FetchTransport

package struct EngineSettings {
    package var pool = PoolLimits()
    package var parserLimits = ParserLimits()
    package var hosts = HostTable()
    /// How the other hosts' names are resolved.
    package var names = NameSettings()
    /// Which addresses may be connected to; asked on every attempt.
    package var addressPolicy = AddressPolicy.any
    package var raceDelays = AddressRace.Delays()
    /// What is remembered of single addresses between dials.
    package var addressMemory = AddressMemorySettings()
    /// How https origins are secured, unless `tlsOfHosts` or the request says otherwise.
    package var tls = TLSConfiguration()
    /// By host, in lower case.
    package var tlsOfHosts: [String: TLSConfiguration] = [:]
    /// Connections to one origin, by host, in place of the pool's.
    package var connectionsOfHosts: [String: Int] = [:]
    /// Calls that may wait: in all lines, for another's answer, and between two attempts.
    package var waitingCalls = 10_000
    /// Origins with a connection or a waiting call.
    package var trackedOrigins = 10_000
    /// Behaviour 1: one free retry when a reused connection dies before any response byte.
    package var retriesReuseRace = true
    /// Retries, limits, breaker, coalescing.
    package var policies = PolicySettings()
    /// Stored responses; nil for none.
    package var cache: CacheSettings?
    package var encoder: RequestEncoder
    package var calls = CallDefaults()
    /// Read from one connection, or written to it, before the others have their turn.
    package var bytesPerTurn = 1 << 20
    /// Asked of the kernel at once.
    package var bytesPerRead = 128 << 10
    /// A content of at most so many bytes is sent in one piece with its head.
    package var inlineContent = 16 << 10
    /// Taken from an upload at once.
    package var uploadPiece = 64 << 10
    /// Read of a response that its caller left, to save the connection.
    package var drainBytes = 64 << 10

    package init(encoder: RequestEncoder) {
        self.encoder = encoder
    }
}

/// What holds for a call that asks for nothing of its own. An object, because every call looks.
package final class CallDefaults {
    package let clocks: SharedClocks
    /// The largest whole body that is accepted.
    package let bodyLimit: Int

    package init(clocks: SharedClocks = SharedClocks(Clocks()), bodyLimit: Int = 64 << 20) {
        self.clocks = clocks
        self.bodyLimit = bodyLimit
    }
}
