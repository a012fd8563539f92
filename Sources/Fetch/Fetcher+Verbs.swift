// The methods by name, and the scope.

internal import FetchEngine

extension Fetcher {
    /// Sends GET (RFC 9110 §9.3.1) and waits for all of the response.
    ///
    /// - Parameters:
    ///   - url: an absolute URL, or a path that continues the configuration's `baseURL`.
    ///   - query: added behind the URL's own query, percent-encoded.
    ///   - headers: fields in the order in which they are sent.
    ///   - timeout: the total clock, instead of the configuration's.
    public func get(
        _ url: String, query: [(String, String)] = [], headers: [(String, String)] = [],
        timeout: Duration? = nil
    ) async throws -> Response {
        if query.isEmpty, headers.isEmpty, timeout == nil {
            return try await perform(planner.plan(url))
        }
        return try await request(.get, url, query: query, headers: headers, timeout: timeout)
    }

    /// Sends HEAD (RFC 9110 §9.3.2): the response has no body.
    public func head(
        _ url: String, query: [(String, String)] = [], headers: [(String, String)] = [],
        timeout: Duration? = nil
    ) async throws -> Response {
        try await request(.head, url, query: query, headers: headers, timeout: timeout)
    }

    /// Sends OPTIONS (RFC 9110 §9.3.7); without a path and query, for the server as a whole (`*`).
    public func options(
        _ url: String, query: [(String, String)] = [], headers: [(String, String)] = [],
        timeout: Duration? = nil
    ) async throws -> Response {
        try await request(.options, url, query: query, headers: headers, timeout: timeout)
    }

    /// Sends DELETE (RFC 9110 §9.3.5).
    public func delete(
        _ url: String, query: [(String, String)] = [], headers: [(String, String)] = [],
        body: RequestBody? = nil, timeout: Duration? = nil
    ) async throws -> Response {
        try await request(
            .delete, url, query: query, headers: headers, body: body, timeout: timeout)
    }

    /// Sends POST (RFC 9110 §9.3.3).
    public func post(
        _ url: String, body: RequestBody? = nil, query: [(String, String)] = [],
        headers: [(String, String)] = [], timeout: Duration? = nil
    ) async throws -> Response {
        try await request(
            .post, url, query: query, headers: headers, body: body, timeout: timeout)
    }

    /// Sends PUT (RFC 9110 §9.3.4).
    public func put(
        _ url: String, body: RequestBody? = nil, query: [(String, String)] = [],
        headers: [(String, String)] = [], timeout: Duration? = nil
    ) async throws -> Response {
        try await request(
            .put, url, query: query, headers: headers, body: body, timeout: timeout)
    }

    /// Sends PATCH (RFC 5789).
    public func patch(
        _ url: String, body: RequestBody? = nil, query: [(String, String)] = [],
        headers: [(String, String)] = [], timeout: Duration? = nil
    ) async throws -> Response {
        try await request(
            .patch, url, query: query, headers: headers, body: body, timeout: timeout)
    }

    // Not inlined: a task's first kilobyte is free, and the plain GET's frame must fit into it.

    /// Sends a request with any method and waits for all of the response.
    @inline(never)
    public func request(
        _ method: HTTPRequest.Method, _ url: String, query: [(String, String)] = [],
        headers: [(String, String)] = [], body: RequestBody? = nil, timeout: Duration? = nil
    ) async throws -> Response {
        var request = Request(method, url)
        request.query = query
        do throws(FieldError) {
            request.headers = try Headers(headers)
        } catch {
            throw FetchError(.invalidRequest, reason: "\(error)", method: method.rawValue)
        }
        request.body = body
        request.totalTimeout = timeout
        return try await execute(request)
    }
}

/// Runs `body` with a client, and shuts the client down when `body` ends: gracefully when it
/// returns, at once when it throws. The client refuses calls afterwards (`clientClosed`).
///
/// Inside a reactor the client belongs to it; elsewhere it has a thread of its own meanwhile.
public func withFetcher<R>(
    _ configuration: FetcherConfiguration = FetcherConfiguration(),
    _ body: (Fetcher) async throws -> R
) async throws -> R {
    let fetcher = try Fetcher(configuration)
    do {
        let result = try await body(fetcher)
        await fetcher.shutdown(.graceful())
        return result
    } catch {
        await fetcher.shutdown(.immediate)
        throw error
    }
}
