// How long to wait before the next attempt: base · factor^n up to a cap, with jitter. A value; the
// chance is handed in.

internal import FetchTime

/// What chance does to a delay, so that callers who failed together don't come back together.
public enum Jitter: Sendable, Hashable {
    /// Nothing.
    case none
    /// Up to this share of the delay more or less: 0.1 for ±10 %. Between 0 and 1.
    case proportional(Double)
    /// Anything between nothing and the delay.
    case full
}

/// Delays that grow exponentially.
public struct Backoff: Sendable, Hashable {
    /// The first delay. Default 200 ms.
    public var base: Duration
    /// Each delay is the one before times this; 1 for equal delays. Default 2.
    public var factor: Double
    /// No delay is longer, jitter aside. Default 60 s.
    public var cap: Duration
    /// Default ±10 %.
    public var jitter: Jitter

    /// A back-off of these values.
    public init(
        base: Duration = .milliseconds(200), factor: Double = 2, cap: Duration = .seconds(60),
        jitter: Jitter = .proportional(0.1)
    ) {
        self.base = base
        self.factor = factor
        self.cap = cap
        self.jitter = jitter
    }

    /// The delay after the `failures`th failed attempt (from 1), before jitter.
    public func delay(afterFailures failures: Int) -> Duration {
        .nanoseconds(nanoseconds(afterFailures: failures))
    }

    /// The delay after the `failures`th failed attempt (from 1), with jitter.
    ///
    /// - Parameter random: 64 bits of chance, all alike.
    public func delay(afterFailures failures: Int, random: UInt64) -> Duration {
        let plain = nanoseconds(afterFailures: failures)
        return .nanoseconds(jitter.applied(to: plain, random: random))
    }

    func nanoseconds(afterFailures failures: Int) -> Int64 {
        let most = max(0, cap.saturatingNanoseconds)
        let first = max(0, base.saturatingNanoseconds)
        guard first < most, first > 0, failures > 1, factor > 1 else { return min(first, most) }
        // As many steps as attempts, which `RetryContext.mostAttempts` bounds, or fewer.
        var delay = Double(first)
        var count = 1
        while count < failures, delay < Double(most) {
            delay *= factor
            count += 1
        }
        return delay < Double(most) ? Int64(delay.rounded()) : most
    }

    package var invalidSetting: InvalidSetting? {
        if base < .zero { return InvalidSetting("base", "must not be negative") }
        if cap < .zero { return InvalidSetting("cap", "must not be negative") }
        if !(factor >= 1) || factor.isInfinite {
            return InvalidSetting("factor", "must be 1 or more")
        }
        if case .proportional(let share) = jitter, !(0...1).contains(share) {
            return InvalidSetting("jitter", "must be between 0 and 1")
        }
        return nil
    }
}

extension Jitter {
    func applied(to nanoseconds: Int64, random: UInt64) -> Int64 {
        switch self {
        case .none:
            return nanoseconds
        case .proportional(let share):
            let swing = Chance.unit(random) * 2 - 1
            return Chance.whole(Double(nanoseconds) * (1 + share * swing))
        case .full:
            return Chance.whole(Double(nanoseconds) * Chance.unit(random))
        }
    }
}

/// Numbers out of chance.
enum Chance {
    /// 0 ..< 1, from the upper 53 bits.
    static func unit(_ random: UInt64) -> Double { Double(random >> 11) * 0x1p-53 }

    /// The nearest whole number that an Int64 holds; 0 for what is none.
    static func whole(_ value: Double) -> Int64 {
        if value.isNaN || value <= 0 { return 0 }
        return value >= 0x1p63 ? .max : Int64(value.rounded())
    }
}
