// Blocking work and hand-driven reactors on a thread of their own: Swift Testing's pool is as wide
// as the machine, and a blocked pool starves every other test.

package import FetchReactor
internal import Glibc

/// Runs the body on a new thread and returns what it returned; the calling task is suspended.
package func onThreadOfItsOwn<R: Sendable>(
    _ body: @escaping @Sendable () throws -> R
) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        do throws(ServerError) {
            try startThread { continuation.resume(with: Result(catching: body)) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}

/// Runs the body on a new thread, and doesn't wait.
package func startThread(_ body: @escaping @Sendable () -> Void) throws(ServerError) {
    // The thread takes this reference over.
    let context = unsafe Unmanaged.passRetained(ThreadBody(body)).toOpaque()
    var thread = pthread_t()
    let failure = unsafe pthread_create(
        &thread, nil,
        { context in
            guard let context = unsafe context else { return nil }
            unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run()
            return nil
        }, context)
    guard failure == 0 else {
        unsafe Unmanaged<ThreadBody>.fromOpaque(context).release()
        throw .system("pthread_create", failure)
    }
    pthread_detach(thread)
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

/// Drives an embedded reactor with virtual time on a thread of its own: `body` sets the scene, then
/// the reactor turns until `isDone` or nothing is left to happen.
package func simulate<Scene, R: Sendable>(
    _ setUp: @escaping @Sendable (Reactor) throws -> Scene,
    until isDone: @escaping @Sendable (Scene) -> Bool,
    then finish: @escaping @Sendable (Scene) throws -> R
) async throws -> R {
    try await onThreadOfItsOwn {
        var configuration = Reactor.Configuration()
        configuration.virtualTime = VirtualTime()
        let reactor = try Reactor.embedded(configuration)
        defer { reactor.stop() }
        let scene = try setUp(reactor)
        var idle = 0
        while !isDone(scene), idle < 1_000 { idle = reactor.turn() == 0 ? idle + 1 : 0 }
        return try finish(scene)
    }
}

/// Drives an embedded reactor on real time, on the calling thread, until `isDone`; false after a
/// minute in which nothing happened.
package func drive(_ reactor: Reactor, until isDone: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .patience
    while !isDone() {
        if ContinuousClock.now > end { return false }
        if reactor.turn() > 0 { continue }
        var wait = pollfd(fd: reactor.fileDescriptor, events: Int16(POLLIN), revents: 0)
        // poll reads and writes one pollfd.
        if unsafe poll(&wait, 1, 60_000) == 0 { return isDone() }
    }
    return true
}
