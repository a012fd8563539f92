// How a simulated network treats its connections: ranges to draw from and odds. A value.

package struct Weather: Sendable {
    /// From `connect` to its outcome.
    package var connectDelay: ClosedRange<Duration> = .zero ... .milliseconds(5)
    /// Odds that a connection is refused although somebody listens.
    package var refusal = 0.0
    /// Odds that a connection is never answered.
    package var blackHole = 0.0
    /// One way; drawn once for each direction of a connection.
    package var delay: ClosedRange<Duration> = .zero ... .milliseconds(10)
    /// Added to each segment; order within a direction is kept.
    package var jitter: ClosedRange<Duration> = .zero ... .milliseconds(3)
    /// What was written is split into pieces of such sizes, sixteen a write at most.
    package var segment: ClosedRange<Int> = 1...4_096
    /// One read gives at most so much.
    package var read: ClosedRange<Int> = 1...65_536
    /// Bytes written and not yet read, a direction of a connection; a write beyond it is partial.
    package var window: ClosedRange<Int> = 2_048...65_536
    /// A direction's speed.
    package var bytesPerMillisecond: ClosedRange<Int> = 1_000...100_000
    /// Odds that a write takes less than there is room for.
    package var partialWrite = 0.1
    /// How long readiness waits before it is told, with whatever else became ready until then.
    package var readiness: ClosedRange<Duration> = .zero ... .milliseconds(1)
    /// Odds of each misfortune in a connection's life, and when it strikes.
    package var reset = 0.0
    package var orderlyEnd = 0.0
    package var loss = 0.0
    package var misfortune: ClosedRange<Duration> = .zero ... .milliseconds(500)

    package init() {}

    /// No delay and nothing goes wrong; splits and orders are still drawn.
    package static var still: Weather {
        var weather = Weather()
        weather.connectDelay = .zero ... .zero
        weather.delay = .zero ... .zero
        weather.jitter = .zero ... .zero
        weather.readiness = .zero ... .zero
        weather.partialWrite = 0
        return weather
    }

    /// Everything goes wrong now and then.
    package static var storm: Weather {
        var weather = Weather()
        weather.refusal = 0.05
        weather.blackHole = 0.02
        weather.reset = 0.1
        weather.orderlyEnd = 0.1
        weather.loss = 0.03
        return weather
    }
}
