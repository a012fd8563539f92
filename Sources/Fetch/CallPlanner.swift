// From a request and a configuration to the plan that the engine follows: every check that needs
// no network stands here. Immutable; any thread. An object, because as a value it would be copied
// with its configuration for every call.

internal import FetchEngine
internal import FetchHTTP1

final class CallPlanner: Sendable {
    private let configuration: FetcherConfiguration
    private let base: Target?
    private let clocks: SharedClocks
    private let reactor: Reactor
    /// Whether a stored response may answer.
    let usesCache: Bool
    /// No rule and no origin says otherwise.
    private let hasOneSetOfClocks: Bool
    private let clocksOfHosts: [String: SharedClocks]
    private let retriesOfHosts: [String: RetryPolicy]

    init(_ configuration: FetcherConfiguration, on reactor: Reactor) throws {
        try configuration.validate()
        self.configuration = configuration
        self.reactor = reactor
        usesCache = configuration.cache.isEnabled
        clocks = SharedClocks(configuration.timeouts.clocks)
        clocksOfHosts = configuration.origins.compactMapValues { origin in
            origin.timeouts.map { SharedClocks($0.clocks) }
        }
        retriesOfHosts = configuration.origins.compactMapValues(\.retry)
        hasOneSetOfClocks = configuration.timeoutRules.isEmpty && clocksOfHosts.isEmpty
        base = try configuration.baseURL.map { try Target($0) }
    }

    /// The limits that the client was made with.
    var rate: FetcherConfiguration.RateLimits { configuration.rate }

    var highWaterBytes: Int { configuration.limits.highWaterBytes }

    /// The plan of the simplest call: GET without query, fields and content.
    @inline(never)
    func plan(_ url: String) throws -> CallPlan {
        let target = try target(url)
        if hasOneSetOfClocks, retriesOfHosts.isEmpty { return CallPlan(target) }
        return CallPlan(
            head: try head(.get, target, Headers(), .none), content: .none,
            clocks: clocks(.get, target), bodyLimit: configuration.limits.bodyBytes,
            policy: retriesOfHosts[target.host].map { CallPolicy(retries: $0.retries) })
    }

    /// The plan of any request. `pipe` is the way of a streamed upload.
    func plan(_ request: Request, pipe: ReactorBound<UploadPipe>? = nil) throws -> CallPlan {
        let method = try method(request.method)
        var target = try target(request.url)
        if !request.query.isEmpty { target = try appending(request.query, to: target) }
        let (content, length) = try content(request.body, pipe)
        if let limit = request.bodyLimit, limit < 0 {
            throw FetchError(.invalidRequest, reason: "bodyLimit: must not be negative")
        }
        return CallPlan(
            head: try head(method, target, request.headers, length), content: content,
            clocks: try clocks(of: request, method, target),
            bodyLimit: request.bodyLimit ?? configuration.limits.bodyBytes,
            tls: try tls(of: request),
            policy: try policy(of: request, host: target.host))
    }

    /// How the request wants its connection secured; nil where it says nothing of that.
    private func tls(of request: Request) throws -> TLSConfiguration? {
        guard !request.choices.isEmpty, let tls = request.tls else { return nil }
        do throws(TLSFailure) {
            try tls.validate()
        } catch {
            throw FetchError(.invalidRequest, reason: "\(error)")
        }
        return tls
    }

    /// What the request, or its host's configuration, says of the policies; nil for nothing.
    private func policy(of request: Request, host: String) throws -> CallPolicy? {
        if request.choices.isEmpty, retriesOfHosts.isEmpty { return nil }
        let choices = request.choices.value
        let own = choices.retry ?? retriesOfHosts[host]
        if let invalid = choices.retry?.invalidSetting {
            throw FetchError(.invalidRequest, reason: "retry.\(invalid.key): \(invalid.reason)")
        }
        guard (0...Rate.mostCount).contains(choices.cost) else {
            throw FetchError(
                .invalidRequest, reason: "cost: must be between 0 and \(Rate.mostCount)")
        }
        if choices.cache == .onlyIfCached, !usesCache {
            throw FetchError(.notCached, reason: "a stored response was wanted, and none is kept")
        }
        return CallPolicy(
            retries: own.map { $0.retries }, priority: choices.priority,
            mayBeShared: choices.coalesces, cost: choices.cost, cacheMode: choices.cache.mode)
    }

    private func method(_ method: HTTPRequest.Method) throws -> Method {
        do throws(MethodError) {
            return try Method(method)
        } catch {
            throw FetchError(.invalidRequest, reason: "\(error)")
        }
    }

    private func target(_ url: String) throws -> Target {
        let target: Target
        do throws(TargetError) {
            if let base { target = try Target(url, base: base) } else { target = try Target(url) }
        } catch {
            let code: FetchError.Code = error.isScheme ? .unsupportedScheme : .invalidURL
            throw FetchError(code, reason: "\(error)")
        }
        return target
    }

    private func appending(_ query: [(String, String)], to target: Target) throws -> Target {
        do throws(TargetError) {
            return try target.appending(query: query)
        } catch {
            throw FetchError(.invalidURL, reason: "\(error)")
        }
    }

    private func head(
        _ method: Method, _ target: Target, _ headers: Headers, _ length: RequestBodyLength
    ) throws -> RequestHead {
        do throws(RequestError) {
            return try RequestHead(method: method, target: target, headers: headers, body: length)
        } catch {
            throw FetchError(
                .invalidRequest, reason: "\(error)", method: method.name, url: target.description)
        }
    }

    private func content(
        _ body: RequestBody?, _ pipe: ReactorBound<UploadPipe>?
    ) throws -> (RequestContent, RequestBodyLength) {
        switch body {
        case nil:
            return (.none, .none)
        case .bytes(let bytes):
            return (.bytes(bytes), .known(bytes.count))
        case .file(let path):
            if FilePath.hasNUL(path) {
                throw FetchError(.invalidRequest, reason: "file: the path has a NUL in it")
            }
            do throws(SystemError) {
                let file = try FileUpload(path: path)
                let length = file.length ?? 0
                return (.file(ReactorBound(file, on: reactor)), .known(length))
            } catch {
                throw FetchError(.invalidRequest, reason: "file: \(error)", systemError: error)
            }
        case .stream(let stream):
            guard let pipe else {
                throw FetchError(.invalidRequest, reason: "a stream needs an asynchronous call")
            }
            if let length = stream.length, length < 0 {
                throw FetchError(.invalidRequest, reason: "length: must not be negative")
            }
            return (.pipe(pipe), stream.length.map { .known($0) } ?? .unknown)
        }
    }

    /// A request's own clocks win over rules, and its total clock over all.
    private func clocks(of request: Request, _ method: Method, _ target: Target) throws
        -> SharedClocks
    {
        guard request.timeouts != nil || request.totalTimeout != nil else {
            return clocks(method, target)
        }
        try request.timeouts?.validate(prefix: "timeouts", .invalidRequest)
        var clocks = request.timeouts?.clocks ?? clocks(method, target).clocks
        if let total = request.totalTimeout {
            guard total > .zero else {
                throw FetchError(.invalidRequest, reason: "timeout: must be more than zero")
            }
            clocks.total = Timeouts.nanoseconds(total)
        }
        return SharedClocks(clocks)
    }

    /// The host's clocks or the configuration's, with the first rule that matches.
    private func clocks(_ method: Method, _ target: Target) -> SharedClocks {
        if hasOneSetOfClocks { return clocks }
        let clocks = clocksOfHosts[target.host] ?? clocks
        guard let rule = configuration.timeoutRules.first(where: { $0.matches(method, target) })
        else { return clocks }
        var changed = clocks.clocks
        changed.total = Timeouts.nanoseconds(rule.total)
        return SharedClocks(changed)
    }
}

extension TargetError {
    /// Whether the scheme is what is wrong.
    var isScheme: Bool {
        if case .unsupportedScheme = self { true } else { false }
    }
}
