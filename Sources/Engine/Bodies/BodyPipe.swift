// A streamed response's body between the exchange that receives it and the caller who reads it:
// a bounded queue of pieces. Above the high-water mark the socket is no longer read; below half of
// it, it is again. Owned by the caller's scope; reactor thread.

package import FetchBytes
package import FetchHTTP

package final class BodyPipe: StreamReceiver {
    /// What comes next for the reader.
    package enum Next {
        case bytes(Bytes)
        case end
        case failure(CallFailure)
        /// The caller has left the scope in which the body may be read.
        case left
        /// Another reader waits for the next piece.
        case busy
    }

    private enum End {
        case none
        case ended(trailers: FieldSection?)
        case failed(CallFailure)
    }

    /// Held while the call lasts.
    private var engine: Engine?
    package private(set) var call: CallID?
    private let highWater: Int
    private var pieces = PieceQueue()
    private var isPaused = false
    private var end = End.none
    private var hasLeft = false
    private var headWaiter: ((Result<WholeResponse, CallFailure>) -> Void)?
    private var reader: ((Next) -> Void)?

    package init(engine: Engine, highWater: Int, call: CallID) {
        self.engine = engine
        self.highWater = highWater
        self.call = call
    }

    /// Tells `waiter` once, of the head or of the failure that came instead. It and every reader
    /// must not call back into the engine at once.
    package func whenHead(_ waiter: @escaping (Result<WholeResponse, CallFailure>) -> Void) {
        headWaiter = waiter
    }

    // MARK: The exchange's side

    package func headArrived(_ response: WholeResponse) {
        let waiter = headWaiter
        headWaiter = nil
        waiter?(.success(response))
    }

    package func bodyArrived(_ bytes: Bytes) -> StreamDemand {
        if let reader {
            self.reader = nil
            reader(.bytes(bytes))
            return .later
        }
        pieces.append(bytes)
        isPaused = pieces.bytes >= highWater
        return isPaused ? .none : .more
    }

    package func bodyEnded(trailers: FieldSection?) {
        call = nil
        engine = nil
        end = .ended(trailers: trailers)
        tellReader(.end)
    }

    package func callFailed(_ failure: CallFailure) {
        call = nil
        engine = nil
        if let waiter = headWaiter {
            headWaiter = nil
            waiter(.failure(failure))
        }
        end = .failed(failure)
        tellReader(.failure(failure))
    }

    private func tellReader(_ next: Next) {
        let reader = self.reader
        self.reader = nil
        reader?(next)
    }

    // MARK: The reader's side

    /// What is there now; nil if the reader has to wait.
    package func takeNext() -> Next? {
        if hasLeft { return .left }
        if reader != nil { return .busy }
        if let piece = pieces.takeFirst() {
            if isPaused, pieces.bytes <= highWater / 2, let call {
                isPaused = false
                engine?.resume(call)
            }
            return .bytes(piece)
        }
        switch end {
        case .none: return nil
        case .ended: return .end
        case .failed(let failure): return .failure(failure)
        }
    }

    /// Tells `reader` of what comes next, once. Only after `takeNext` gave nil.
    package func wait(_ reader: @escaping (Next) -> Void) { self.reader = reader }

    /// Trailers of a body that has ended.
    package var trailers: FieldSection? {
        if case .ended(let trailers) = end { trailers } else { nil }
    }

    /// The caller leaves: what is still to come is drained if it is short, else cut off.
    package func leave() {
        hasLeft = true
        pieces.removeAll()
        tellReader(.left)
        guard let call else { return }
        self.call = nil
        engine?.abandon(call)
    }
}
