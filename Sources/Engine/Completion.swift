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
    /// Takes body bytes; false asks the exchange to stop reading until `resume`.
    func bodyArrived(_ bytes: Bytes) -> Bool
    func bodyEnded(trailers: FieldSection?)
    func callFailed(_ failure: CallFailure)
}

/// Who is told of the end.
@safe package enum Completion {
    /// The engine's own `receiver`.
    case receiver
    case continuation(UnsafeContinuation<WholeResponse, any Error>)
    case stream(any StreamReceiver)
}
