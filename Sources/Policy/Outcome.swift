// How an attempt ended, as far as retry and breaker look. Values; any thread.

/// Why an attempt gave no whole response.
public enum FailureCause: UInt8, Sendable, Hashable, CaseIterable {
    /// The host's addresses could not be learned: its name servers failed or did not answer.
    case dns
    /// No connection was made: refused, unreachable, or the proxy said no.
    case connect
    /// The TLS handshake failed.
    case tls
    /// The connection broke, or was closed before the response was whole in its head.
    case reset
    /// One of the attempt's clocks ran out. The call's own total clock is no attempt's.
    case timeout
    /// The response's body ended before its framing said that it would.
    case truncated
    /// What came was not HTTP, or beyond a limit.
    case malformed
    /// The host has no address: its name servers say so, or its name is none.
    case noAddress
}

/// A set of causes.
public struct FailureCauses: OptionSet, Sendable, Hashable {
    /// One bit per cause.
    public let rawValue: UInt8

    /// The set with these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The set of one cause.
    public init(_ cause: FailureCause) { self.init(rawValue: 1 << cause.rawValue) }

    /// ``FailureCause/dns``
    public static var dns: FailureCauses { FailureCauses(.dns) }
    /// ``FailureCause/connect``
    public static var connect: FailureCauses { FailureCauses(.connect) }
    /// ``FailureCause/tls``
    public static var tls: FailureCauses { FailureCauses(.tls) }
    /// ``FailureCause/reset``
    public static var reset: FailureCauses { FailureCauses(.reset) }
    /// ``FailureCause/timeout``
    public static var timeout: FailureCauses { FailureCauses(.timeout) }
    /// ``FailureCause/truncated``
    public static var truncated: FailureCauses { FailureCauses(.truncated) }
    /// ``FailureCause/malformed``
    public static var malformed: FailureCauses { FailureCauses(.malformed) }
    /// ``FailureCause/noAddress``
    public static var noAddress: FailureCauses { FailureCauses(.noAddress) }

    /// What may go well next time: all but a failed TLS handshake, a malformed response and a host
    /// without address, which are what they are every time.
    public static var transient: FailureCauses { [.dns, .connect, .reset, .timeout, .truncated] }
}

/// How an attempt ended.
public enum AttemptOutcome: Sendable, Hashable {
    /// With a response; `retryAfter` is its Retry-After field as a wait from now (RFC 9110
    /// §10.2.3), 2³¹ s at most.
    case responded(status: Int, retryAfter: Duration?)
    /// Without a whole response.
    case failed(FailureCause)
}

/// A set of response statuses from 400 to 599; others are never in it.
public struct StatusSet: Sendable, Hashable, ExpressibleByArrayLiteral {
    /// Bit n is status 400 + n.
    private var clientErrors: UInt128 = 0
    /// Bit n is status 500 + n.
    private var serverErrors: UInt128 = 0

    /// The set of these statuses. Those below 400 or above 599 are left out.
    public init(_ statuses: some Sequence<Int>) {
        for status in statuses {
            switch status {
            case 400...499: clientErrors |= 1 << UInt128(status - 400)
            case 500...599: serverErrors |= 1 << UInt128(status - 500)
            default: break
            }
        }
    }

    /// The set of these statuses.
    public init(arrayLiteral statuses: Int...) { self.init(statuses) }

    /// Every status from 500 to 599.
    public static var serverErrors: StatusSet { StatusSet(500...599) }

    /// What may go well next time: 408, 429, 500, 502, 503, 504.
    public static var transient: StatusSet { [408, 429, 500, 502, 503, 504] }

    /// Whether the status is in the set.
    public func contains(_ status: Int) -> Bool {
        switch status {
        case 400...499: clientErrors >> UInt128(status - 400) & 1 == 1
        case 500...599: serverErrors >> UInt128(status - 500) & 1 == 1
        default: false
        }
    }

    /// Whether no status is in it.
    public var isEmpty: Bool { clientErrors == 0 && serverErrors == 0 }
}
