// An upload that the caller produces while it is sent: a bounded queue between the producer and
// the exchange that pulls. The producer is held when a high-water mark's worth waits. Owned by the
// call's scope; reactor thread.

package import FetchBytes
package import FetchHTTP

package final class UploadPipe: Upload {
    private enum End {
        case none
        case ended(trailers: Headers?)
        case failed(any Error)
        /// Nobody pulls any more.
        case stopped
    }

    package let length: Int?
    package var moreArrived: (() -> Void)?
    /// Called once, when the producer fails; set by the road.
    var whenFailed: ((any Error) -> Void)?
    private let highWater: Int
    private var pieces = PieceQueue()
    private var offsetInFirst = 0
    private var end = End.none
    private var producer: ((Bool) -> Void)?
    private var anythingGiven = false

    package init(length: Int?, highWater: Int) {
        self.length = length
        self.highWater = highWater
    }

    // MARK: The producer's side

    /// Adds a piece; `whenRoom` is told, at once or later, whether another is wanted.
    package func push(_ bytes: Bytes, whenRoom: @escaping (Bool) -> Void) {
        guard case .none = end else {
            whenRoom(false)
            return
        }
        if !bytes.isEmpty {
            pieces.append(bytes)
            moreArrived?()
        }
        if case .stopped = end {
            whenRoom(false)
        } else if waiting < highWater {
            whenRoom(true)
        } else {
            producer = whenRoom
        }
    }

    /// No more pieces.
    package func finish(trailers: Headers?) {
        guard case .none = end else { return }
        end = .ended(trailers: trailers)
        moreArrived?()
    }

    /// The caller's own error; the call fails with it, at once: what waits need not be sent.
    package func fail(_ error: any Error) {
        guard case .none = end else { return }
        end = .failed(error)
        dropAll()
        let tell = whenFailed
        whenFailed = nil
        tell?(error)
    }

    /// What the producer failed with.
    var failure: (any Error)? {
        if case .failed(let error) = end { error } else { nil }
    }

    // MARK: The exchange's side

    package func pull(into buffer: ByteBuffer, atMost: Int) -> UploadPull {
        var taken = 0
        while taken < atMost, let piece = pieces.first {
            let count = min(atMost - taken, piece.count - offsetInFirst)
            buffer.append(piece.span.extracting(offsetInFirst..<offsetInFirst + count))
            taken += count
            offsetInFirst += count
            if offsetInFirst == piece.count {
                _ = pieces.takeFirst()
                offsetInFirst = 0
            }
        }
        if taken > 0 {
            anythingGiven = true
            if waiting <= highWater / 2 { wakeProducer(true) }
            return .bytes(taken)
        }
        switch end {
        case .none: return .notYet
        case .ended(let trailers): return .end(trailers: trailers)
        case .failed(let error): return .failed(error)
        case .stopped: return .notYet
        }
    }

    /// Bytes that were produced and not yet sent.
    private var waiting: Int { pieces.bytes - offsetInFirst }

    private func wakeProducer(_ wantsMore: Bool) {
        let producer = self.producer
        self.producer = nil
        producer?(wantsMore)
    }

    package func stop() {
        moreArrived = nil
        whenFailed = nil
        end = .stopped
        dropAll()
        wakeProducer(false)
    }

    private func dropAll() {
        pieces.removeAll()
        offsetInFirst = 0
    }

    /// What was given is gone; only an upload that gave nothing yet can begin again.
    package var isReplayable: Bool { false }

    package func rewind() -> Bool { !anythingGiven }
}
