// How the client is configured for a load: as many connections as callers, coalescing off, caching
// as the plan says, every other default on. Pure.

import Fetch

extension LoadPlan {
    /// The configuration of the client under load.
    var configuration: FetcherConfiguration {
        var configuration = FetcherConfiguration()
        configuration.coalescing = nil
        configuration.cache = cache
        switch target {
        case .url:
            configuration.pool.connectionsPerOrigin = connections
            configuration.pool.connections = max(connections, configuration.pool.connections)
            configuration.pool.idleConnections = max(
                connections, configuration.pool.idleConnections)
            configuration.pool.waitingCalls = max(connections, configuration.pool.waitingCalls)
        case .origins:
            // The bound that the scenario shows: a tenth of the origins that are visited.
            configuration.pool.trackedOrigins = Self.trackedOrigins
        }
        if let authority { configuration.tls.trust = .file(authority) }
        configuration.tls.resumesSessions = resumesSessions
        if let timeout {
            configuration.timeouts.total = .nanoseconds(Int64(timeout * 1e9))
        }
        return configuration
    }

    /// Records of origins that the client may keep in the scenario of many origins.
    static let trackedOrigins = 1_000

    /// Request `number`.
    func request(_ number: Int) throws -> Request {
        var request = Request(HTTPRequest.Method(method) ?? .get, url(number))
        for (name, value) in headers { try request.headers.append(name, value) }
        if let body { request.body = .bytes(Bytes(body)) }
        return request
    }
}

/// The code under which a failure is counted.
func code(of error: any Error) -> String {
    if let error = error as? FetchError { return error.code.rawValue }
    return "other"
}
