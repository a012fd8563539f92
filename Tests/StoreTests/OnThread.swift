// A thread for a test's own loop.

import CFetchLinux
import Glibc

private final class Errand: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Runs the body on a new thread, and waits without keeping this one.
func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        onAnotherThread { continuation.resume(with: Result { try body() }) }
    }
}

/// Runs the body on a new thread, and does not wait: unlike the threads of the pool, which other
/// tests may keep, it runs at once.
func onAnotherThread(_ body: @escaping @Sendable () -> Void) {
    let errand = Errand(body)
    var thread = pthread_t()
    // The thread takes over the errand's reference; it is never joined.
    unsafe pthread_create(
        &thread, nil,
        { errand in
            guard let errand = unsafe errand else { return nil }
            unsafe Unmanaged<Errand>.fromOpaque(errand).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(errand).toOpaque())
    pthread_detach(thread)
}
