// A reactor on a thread of its own for the length of a test: Swift Testing's pool is as wide as
// the machine has cores, and a loop on one of its threads would starve other tests.

package import FetchReactor

/// Runs the body on a new reactor's thread and ends the reactor afterwards. With `virtual`, time
/// jumps to the next deadline whenever nothing else is left to do.
package func onReactor<R: Sendable>(
    virtual: Bool = false, _ body: @escaping @Sendable (Reactor) async throws -> R
) async throws -> R {
    var configuration = Reactor.Configuration()
    if virtual { configuration.virtualTime = VirtualTime() }
    let reactor = try Reactor.startThread(configuration, name: "test")
    defer { reactor.stop() }
    return try await Task(executorPreference: reactor) { try await body(reactor) }.value
}
