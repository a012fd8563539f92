// When a circuit breaker opens and closes, as settings; and what counts as a failure. Values.

internal import FetchTime

/// What an attempt's outcome says about its origin.
public enum BreakerVerdict: Sendable, Hashable {
    /// The origin is well.
    case success
    /// The origin is not.
    case failure
    /// Nothing: it was cancelled, or failed for a reason on this side.
    case ignored
}

/// A share of failures among the attempts of a window.
public struct FailureRate: Sendable, Hashable {
    /// Failures per hundred attempts from which the breaker opens. 1 to 100.
    public var percent: Int
    /// The window over which both are counted, in slices of a twentieth of it.
    public var window: Duration
    /// With fewer attempts in the window the share says nothing.
    public var minimumVolume: Int

    /// A share of these values.
    public init(percent: Int = 50, window: Duration = .seconds(10), minimumVolume: Int = 20) {
        self.percent = percent
        self.window = window
        self.minimumVolume = minimumVolume
    }
}

/// When a circuit breaker opens, and when it closes again.
public struct BreakerRules: Sendable {
    /// Opens after so many failures in a row; nil for never. Default 5.
    public var consecutiveFailures: Int?
    /// Opens at this share of failures; nil, the default, for never.
    public var failureRate: FailureRate?
    /// How long it stays open before one request may probe. A probe that has not ended after this
    /// time no longer keeps the next one waiting. Default 60 s.
    public var coolDown: Duration
    /// Probes that must succeed, one after the other, before it closes. Default 1.
    public var probes: Int
    /// What an outcome says; nil for ``standardVerdict(_:)``. Called on the reactor's thread.
    public var classifier: (@Sendable (AttemptOutcome) -> BreakerVerdict)?

    /// Rules of these values.
    public init(
        consecutiveFailures: Int? = 5, failureRate: FailureRate? = nil,
        coolDown: Duration = .seconds(60), probes: Int = 1,
        classifier: (@Sendable (AttemptOutcome) -> BreakerVerdict)? = nil
    ) {
        self.consecutiveFailures = consecutiveFailures
        self.failureRate = failureRate
        self.coolDown = coolDown
        self.probes = probes
        self.classifier = classifier
    }

    /// Every failure of the network and every status from 500 to 599 is a failure; any other status
    /// is a success, 4xx and 429 included: the origin answers.
    public static func standardVerdict(_ outcome: AttemptOutcome) -> BreakerVerdict {
        switch outcome {
        case .responded(let status, _): status >= 500 && status < 600 ? .failure : .success
        case .failed: .failure
        }
    }

    /// What an outcome says by these rules.
    public func verdict(_ outcome: AttemptOutcome) -> BreakerVerdict {
        classifier?(outcome) ?? Self.standardVerdict(outcome)
    }

    package var invalidSetting: InvalidSetting? {
        if let consecutiveFailures, consecutiveFailures < 1 {
            return InvalidSetting("consecutiveFailures", "must be 1 or more")
        }
        if coolDown <= .zero { return InvalidSetting("coolDown", "must be more than zero") }
        if probes < 1 { return InvalidSetting("probes", "must be 1 or more") }
        guard let failureRate else { return nil }
        if !(1...100).contains(failureRate.percent) {
            return InvalidSetting("failureRate.percent", "must be between 1 and 100")
        }
        if failureRate.window < .microseconds(1) {
            return InvalidSetting("failureRate.window", "must be a microsecond or more")
        }
        if failureRate.minimumVolume < 1 {
            return InvalidSetting("failureRate.minimumVolume", "must be 1 or more")
        }
        return nil
    }
}
