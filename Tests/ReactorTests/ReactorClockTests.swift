// Sleeping on a reactor's wheel.

import FetchReactor
import FetchTime
import TestSupport
import Testing

@Suite struct ReactorClockTests {
    @Test func `a virtual minute takes no time and is exactly a minute`() async throws {
        let clock = ContinuousClock()
        let began = clock.now
        let slept = try await onReactor(virtual: true) { reactor in
            let start = reactor.now
            try await reactor.clock.sleep(for: .seconds(60))
            return reactor.now - start
        }
        #expect(slept == .seconds(60))
        #expect(clock.now - began < .seconds(30))
    }
}
