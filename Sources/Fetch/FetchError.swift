// What went wrong, for users: one type, a closed list of codes, and everything known about how far
// the call had come. Made of the rooms' errors once, here.

internal import FetchEngine
internal import FetchHTTP1
public import FetchPolicy
internal import FetchTransport

/// Why a call gave no response.
///
/// A cancelled task gets `CancellationError` instead, and an error of the caller's own upload or
/// closure comes back as it was; everything else is one of these.
public struct FetchError: Error, Sendable {
    /// What went wrong. The raw value is the code's name in logs and in `fetch --jsonl`.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The URL can't be parsed or has a part that is not allowed.
        case invalidURL = "invalid-url"
        /// The URL's scheme is not one that this build speaks.
        case unsupportedScheme = "unsupported-scheme"
        /// The method, a field or the body can't be sent as asked.
        case invalidRequest = "invalid-request"
        /// A configuration value makes no sense; the reason names its key.
        case invalidConfiguration = "invalid-configuration"
        /// No address is known for the host: there is none.
        case nameNotResolved = "name-not-resolved"
        /// Name servers failed, refused or could not be reached; whether the host has an address is
        /// not known.
        case dnsFailed = "dns-failed"
        /// The host's addresses are not among those that the configuration permits.
        case addressRefused = "address-refused"
        /// Every address refused the connection.
        case refused
        /// No way to the peer.
        case unreachable
        /// The connection could not be made for another reason.
        case connectFailed = "connect-failed"
        /// This machine has no descriptor, port or memory left.
        case outOfResources = "out-of-resources"
        /// The server's certificate is no longer valid.
        case certificateExpired = "certificate-expired"
        /// The server's certificate is not valid yet, or this machine's clock is slow.
        case certificateNotYetValid = "certificate-not-yet-valid"
        /// The server's certificate vouches for itself and is not trusted.
        case selfSignedCertificate = "self-signed-certificate"
        /// Nobody who is trusted vouches for the server's certificate.
        case unknownAuthority = "unknown-authority"
        /// The server's certificate is for other hosts.
        case wrongHost = "wrong-host"
        /// The server's certificate was withdrawn by its authority.
        case certificateRevoked = "certificate-revoked"
        /// No key of the server's certificates is among the pins.
        case pinMismatch = "pin-mismatch"
        /// The server's certificate is refused for another reason.
        case certificateRefused = "certificate-refused"
        /// No TLS version in common with the server.
        case tlsVersion = "tls-version"
        /// The server ended TLS with an alert; the reason names it.
        case tlsAlert = "tls-alert"
        /// The server closed the connection during the TLS handshake.
        case tlsClosed = "tls-closed"
        /// TLS failed for another reason: what answers may not speak it.
        case tlsFailed = "tls-failed"
        /// No certificate of an authority was found on this machine.
        case noTrustStore = "no-trust-store"
        /// The client's own certificate or key can't be used.
        case clientCertificate = "client-certificate"
        /// The peer reset the connection.
        case reset
        /// The peer closed the connection before the first byte of a response.
        case closedBeforeResponse = "closed-before-response"
        /// What came is not HTTP/1.1.
        case malformedResponse = "malformed-response"
        /// The response's head is beyond a limit.
        case headTooLarge = "head-too-large"
        /// The whole body is beyond its limit.
        case bodyTooLarge = "body-too-large"
        /// The response ended before its framing said that it would.
        case truncatedBody = "truncated-body"
        /// No connection came free in time.
        case queueTimeout = "queue-timeout"
        /// Name servers did not answer in time.
        case dnsTimeout = "dns-timeout"
        /// No connection was made in time.
        case connectTimeout = "connect-timeout"
        /// The TLS handshake was not done in time.
        case tlsTimeout = "tls-timeout"
        /// The peer took no byte of the request for too long.
        case writeTimeout = "write-timeout"
        /// No response began in time.
        case firstByteTimeout = "first-byte-timeout"
        /// The response stalled.
        case readTimeout = "read-timeout"
        /// The call as a whole took too long.
        case totalTimeout = "total-timeout"
        /// Too many calls wait, or too many origins are in use.
        case overloaded
        /// The origin's circuit breaker is open; nothing was sent.
        case circuitOpen = "circuit-open"
        /// The rate limits would let the request go only after its clocks have run out.
        case rateLimited = "rate-limited"
        /// The site asks crawlers for a longer delay than the politeness rules keep.
        case skipped
        /// The last response has a status that is to be retried, and there is no further attempt.
        case retriesSpent = "retries-spent"
        /// A stored response was asked for, and none can be used; nothing was sent.
        case notCached = "not-cached"
        /// The client is shut down.
        case clientClosed = "client-closed"
        /// The client belongs to the process that this one was forked from.
        case forked
        /// The upload gave fewer or more bytes than it had declared.
        case uploadLengthMismatch = "upload-length-mismatch"
        /// `validate()` found a status outside 200…299.
        case unacceptableStatus = "unacceptable-status"
        /// The operating system refused something else.
        case system
    }

    /// How far the call had come.
    public enum Phase: String, Sendable, Hashable, CaseIterable {
        /// Nothing was begun.
        case none
        /// Waiting for a connection.
        case queue
        /// Asking for the host's addresses.
        case dns
        /// Connecting.
        case connect
        /// In the TLS handshake.
        case tls
        /// Sending the request.
        case write
        /// Waiting for the response, or reading its head.
        case firstByte = "first-byte"
        /// Reading the response's body.
        case body
    }

    /// One attempt that failed.
    public struct AttemptRecord: Sendable, Hashable {
        /// Counted from 1.
        public let number: Int
        /// Why it failed.
        public let code: Code
        /// How far it had come.
        public let phase: Phase
        /// One sentence about it.
        public let reason: String
        /// The status of the response that was not wanted; nil where none came.
        public let status: Int?
        /// From the call's start to the attempt's end.
        public let elapsed: Duration
    }

    /// What went wrong.
    public let code: Code
    /// How far the call had come.
    public let phase: Phase
    /// One sentence about the cause.
    public let reason: String
    /// The request's method; nil when none was made.
    public let method: String?
    /// The request's URL without user information; nil when it could not be parsed.
    public let url: String?
    /// Every attempt that failed, the last one included, in order; of more than 17 the first eight
    /// and the last nine. An attempt begins when the call
    /// asks for a connection; one that failed before (``Phase/none``) has made none.
    public let attempts: [AttemptRecord]
    /// From the call's start to its failure.
    public let elapsed: Duration
    /// What the operating system said, if it was that.
    public let systemError: SystemError?
    /// The response that ``Response/validate()`` refused, or the last one of a call whose retries
    /// are spent.
    public let response: Response?
    /// Why there was no further attempt; nil where that was no question.
    public let retryRefusal: RetryRefusal?
    /// How long the breaker stays open, or the limits keep the request back, at least.
    public let retryAfter: Duration?

    /// The number of the attempt that failed last, counted from 1; 0 when none was begun.
    public var attempt: Int { attempts.last?.number ?? 0 }

    package init(
        _ code: Code, phase: Phase = .none, reason: String, method: String? = nil,
        url: String? = nil, attempts: [AttemptRecord] = [], elapsed: Duration = .zero,
        systemError: SystemError? = nil, response: Response? = nil,
        retryRefusal: RetryRefusal? = nil, retryAfter: Duration? = nil
    ) {
        self.code = code
        self.phase = phase
        self.reason = reason
        self.method = method
        self.url = url
        self.attempts = attempts
        self.elapsed = elapsed
        self.systemError = systemError
        self.response = response
        self.retryRefusal = retryRefusal
        self.retryAfter = retryAfter
    }

    /// Whether the same request might succeed later: the failure lies with the network, the peer's
    /// state or a clock, and not with the request or the configuration.
    ///
    /// It says nothing about whether repeating the request is safe; that is the method's matter
    /// (RFC 9110 §9.2.2).
    public var isRetryable: Bool {
        switch code {
        case .refused, .unreachable, .connectFailed, .outOfResources, .reset,
            .closedBeforeResponse, .truncatedBody, .queueTimeout, .dnsTimeout, .connectTimeout,
            .tlsTimeout, .writeTimeout, .firstByteTimeout, .readTimeout, .totalTimeout,
            .overloaded, .nameNotResolved, .dnsFailed, .tlsClosed, .circuitOpen, .rateLimited,
            .retriesSpent:
            true
        case .unacceptableStatus:
            [408, 429, 500, 502, 503, 504].contains(response?.statusCode ?? 0)
        case .invalidURL, .unsupportedScheme, .invalidRequest, .invalidConfiguration,
            .malformedResponse, .headTooLarge, .bodyTooLarge, .clientClosed, .forked,
            .uploadLengthMismatch, .system, .addressRefused, .certificateExpired,
            .certificateNotYetValid, .selfSignedCertificate, .unknownAuthority, .wrongHost,
            .certificateRevoked, .pinMismatch, .certificateRefused, .tlsVersion, .tlsAlert,
            .tlsFailed, .noTrustStore, .clientCertificate, .skipped, .notCached:
            false
        }
    }

    /// The facts as pairs, for structured logs.
    public var details: [String: String] {
        var details = ["code": code.rawValue, "phase": phase.rawValue, "reason": reason]
        details["method"] = method
        details["url"] = url
        details["attempt"] = String(attempt)
        if let retryRefusal { details["retry_refusal"] = "\(retryRefusal)" }
        details["elapsed_ms"] = String(milliseconds(elapsed))
        if let number = systemError?.errorNumber { details["errno"] = String(number) }
        return details
    }
}

extension FetchError: CustomStringConvertible {
    /// One line: `GET http://host/: connect-timeout (connect, attempt 1, 10000 ms): reason`.
    public var description: String {
        var what = ""
        if let method { what += method + " " }
        if let url { what += url }
        if !what.isEmpty { what += ": " }
        var where_ = phase == .none ? "" : "\(phase.rawValue), "
        if attempt > 0 { where_ += "attempt \(attempt), " }
        where_ += "\(milliseconds(elapsed)) ms"
        let origin = phase == .none ? "" : " (\(where_))"
        return "\(what)\(code.rawValue)\(origin): \(reason)"
    }
}

private func milliseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
}
