// How long tests wait. On a busy machine, under a sanitizer, a task may rest for a minute and a
// thread for seconds: no verdict may hang on that. So a client whose clocks are not the subject
// gets clocks that only a hang will see, and who waits does so until the condition holds.

package import Fetch
package import FetchReactor

extension Duration {
    /// After so long without what must come, it will not come.
    package static let patience = Duration.seconds(600)
}

extension FetcherConfiguration {
    /// The defaults, but for the times: every clock, and how long an unused connection is kept.
    package static var patient: FetcherConfiguration {
        var configuration = FetcherConfiguration()
        configuration.timeouts = .patient
        configuration.pool.idleTimeout = .patience
        return configuration
    }
}

extension Timeouts {
    /// Every clock on, and none that runs out before a test has hung.
    package static var patient: Timeouts {
        var timeouts = Timeouts()
        timeouts.queue = .patience
        timeouts.dns = .patience
        timeouts.connect = .patience
        timeouts.tls = .patience
        timeouts.writeIdle = .patience
        timeouts.firstByte = .patience
        timeouts.readIdle = .patience
        timeouts.total = .patience
        return timeouts
    }
}

/// Whether the condition comes to hold; `pass` is done between two looks.
package func eventually(
    _ condition: () async throws -> Bool, pass: () async throws -> Void
) async rethrows -> Bool {
    let end = ContinuousClock.now + .patience
    while try await !condition() {
        if ContinuousClock.now > end { return false }
        try await pass()
    }
    return true
}

/// The same on a reactor's thread, whose turns pass in between.
package func eventually(
    on reactor: Reactor, _ condition: () async throws -> Bool
) async throws -> Bool {
    try await eventually(condition) { try await reactor.clock.sleep(for: .milliseconds(1)) }
}
