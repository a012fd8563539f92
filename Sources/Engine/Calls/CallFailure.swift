// What a call ends with otherwise, and how far it had come. Immutable; any thread.

package import FetchHTTP
package import FetchPolicy

/// An attempt that failed and was followed by another.
package struct LostAttempt: Sendable {
    package enum Ending: Sendable {
        case failed(CallError)
        /// With a response that was not the one wanted.
        case status(Int)
    }

    /// Of many attempts the first and the last eight are kept: how it began, and how it ended.
    package static var mostKept: Int { 16 }

    /// From 1.
    package let number: Int
    package let ending: Ending
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
    /// Attempts made, those included that `lost` no longer holds.
    package let attempts: Int
    /// Why there was no further attempt; nil where it was no question.
    package let refusal: RetryRefusal?
    package let elapsedNanoseconds: Int64

    init(
        _ error: CallError, phase: CallPhase, method: Method, target: Target?, dispatches: Int,
        lost: [LostAttempt], attempts: Int, refusal: RetryRefusal?, elapsedNanoseconds: Int64
    ) {
        self.error = error
        self.phase = phase
        self.method = method
        self.target = target
        self.dispatches = dispatches
        self.lost = lost
        self.attempts = attempts
        self.refusal = refusal
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
