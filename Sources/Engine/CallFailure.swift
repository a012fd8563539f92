// What a call ends with otherwise, and how far it had come. Immutable; any thread.

package import FetchHTTP

/// An attempt that failed and was followed by another.
package struct LostAttempt: Sendable {
    package let error: CallError
    package let phase: CallPhase
    package let elapsedNanoseconds: Int64
}

/// A failure with all that is known of it.
package final class CallFailure: Error {
    package let error: CallError
    package let phase: CallPhase
    package let method: Method
    package let target: Target?
    package let dispatches: Int
    /// The attempts before this one.
    package let lost: [LostAttempt]
    package let elapsedNanoseconds: Int64

    init(
        _ error: CallError, phase: CallPhase, method: Method, target: Target?, dispatches: Int,
        lost: [LostAttempt], elapsedNanoseconds: Int64
    ) {
        self.error = error
        self.phase = phase
        self.method = method
        self.target = target
        self.dispatches = dispatches
        self.lost = lost
        self.elapsedNanoseconds = elapsedNanoseconds
    }

    /// The caller's own doing, which is told as `CancellationError`.
    package var isCancellation: Bool {
        if case .cancelled = error { true } else { false }
    }
}

/// How far a call had come.
package enum CallPhase: String, Sendable, CaseIterable {
    case none, queue, dns, connect, tls, write
    case firstByte = "first-byte"
    case body
}
