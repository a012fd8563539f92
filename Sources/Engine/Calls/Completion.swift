// Who is told of a call. Reactor thread.

package import FetchBytes
package import FetchHTTP

/// Who is told how calls ended, and nothing before: one for all calls of an engine, so that no call
/// holds a reference to it. Called from the reactor's loop, never inside
/// a call into the engine; may call back into the engine.
package protocol CallReceiver: AnyObject {
    /// The call is over and its name free for another.
    func callEnded(_ id: CallID, _ response: WholeResponse)
    func callFailed(_ id: CallID, _ failure: CallFailure)
}

/// Who takes a response piece by piece. Its methods are called on the reactor thread and must not
/// call back into the engine.
package protocol StreamReceiver: AnyObject {
    func headArrived(_ response: WholeResponse)
    /// Takes body bytes, and says what it thinks of more.
    func bodyArrived(_ bytes: Bytes) -> StreamDemand
    func bodyEnded(trailers: FieldSection?)
    func callFailed(_ failure: CallFailure)
}

/// What a receiver thinks of more bytes.
package enum StreamDemand: Equatable {
    /// They are welcome.
    case more
    /// Somebody has waited for these and runs next: more are welcome in the next turn. Memory that
    /// is let go of in between is in the caches when it is used again.
    case later
    /// They are not read until `resume`.
    case none
}

/// Who is told of the end.
@safe package enum Completion {
    /// The engine's own `receiver`.
    case receiver
    case continuation(UnsafeContinuation<WholeResponse, any Error>)
    case stream(any StreamReceiver)
}
