// A request's body as the exchange sees it. Bytes are sent from where they lie; everything else is
// pulled piece by piece, when the peer has taken what came before (back-pressure by construction).
// Reactor thread only.

package import FetchBytes
package import FetchHTTP
package import FetchReactor

/// What a pull from an upload gave.
package enum UploadPull {
    /// So many bytes were appended to the buffer.
    case bytes(Int)
    /// Nothing there yet; the upload calls its `moreArrived` when there is.
    case notYet
    /// That was all; trailers are sent if the body is chunked.
    case end(trailers: Headers?)
    case failed(any Error)
}

/// A body that is produced while it is sent.
package protocol Upload: AnyObject {
    /// Nil: unknown, sent chunked.
    var length: Int? { get }
    /// Called when an earlier `.notYet` has been overcome. Set by the exchange.
    var moreArrived: (() -> Void)? { get set }
    func pull(into buffer: ByteBuffer, atMost: Int) -> UploadPull
    /// Nobody will pull any more: a response came early, or the call is over.
    func stop()
    /// Whether `rewind` will work.
    var isReplayable: Bool { get }
    /// Begins again for another attempt; false when what was given cannot be given again.
    func rewind() -> Bool
}

package enum RequestContent: Sendable {
    case none
    case bytes(Bytes)
    case file(ReactorBound<FileUpload>)
    case pipe(ReactorBound<UploadPipe>)

    /// What is pulled piece by piece; nil for bytes and for nothing.
    var upload: (any Upload)? {
        switch self {
        case .none, .bytes: nil
        case .file(let file): file.value
        case .pipe(let pipe): pipe.value
        }
    }

    /// Whether it can be sent again from its start.
    var isReplayable: Bool { upload?.isReplayable ?? true }

    /// Makes it ready to be sent again; false if it can't be.
    func rewind() -> Bool { upload?.rewind() ?? true }

    /// Nobody will ask for more of it.
    func stop() { upload?.stop() }
}
