// A response whose body is still coming, for the length of a scope.

internal import FetchEngine

/// A response whose head is there and whose body is read piece by piece.
public struct StreamedResponse: Sendable {
    /// The head; its own body is empty.
    public let head: Response
    private let reader: ReactorBound<BodyReader>

    init(_ head: WholeResponse, reader: ReactorBound<BodyReader>) {
        self.head = Response(whole: head)
        self.reader = reader
    }

    /// Status code and reason phrase.
    public var status: HTTPResponse.Status { head.status }
    /// The status code.
    public var statusCode: Int { head.statusCode }
    /// The fields, as received.
    public var headers: ReceivedFields { head.headers }
    /// The first value of a field, or nil.
    public subscript(_ name: HTTPField.Name) -> String? { head[name] }

    /// The body's pieces in the order of their arrival. It can be gone through once, by one reader
    /// at a time.
    public var body: ResponseBody { ResponseBody(reader: reader) }

    /// The fields behind a chunked body; nil before the body's end, or if there are none.
    public var trailers: ReceivedFields? {
        get async {
            let reader = reader
            // Resumed by the action, or here if it is refused.
            return await unsafe withUnsafeContinuation { continuation in
                let isPosted = reader.reactor.post {
                    unsafe continuation.resume(returning: reader.value.pipe.trailers)
                }
                if !isPosted { unsafe continuation.resume(returning: nil) }
            }
            .map { ReceivedFields(section: $0) }
        }
    }

    /// The scope ends.
    func leave() {
        let reader = reader
        if reader.reactor.isCurrent {
            reader.value.pipe.leave()
        } else {
            reader.reactor.post { reader.value.pipe.leave() }
        }
    }
}

/// The pieces of a response's body.
///
/// Reading waits for the peer; not reading makes the peer wait, once 256 KiB are unread.
public struct ResponseBody: AsyncSequence, Sendable {
    let reader: ReactorBound<BodyReader>

    /// Goes through the pieces once.
    public func makeAsyncIterator() -> Iterator { Iterator(reader: reader) }

    /// Gives the pieces one after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let reader: ReactorBound<BodyReader>

        /// The next piece, never empty; nil at the body's end.
        ///
        /// - Throws: ``FetchError`` with phase `body`, or `CancellationError`; `invalidRequest`
        ///   when the scope was left, or while another reader waits for the next piece.
        public mutating func next() async throws -> Bytes? {
            do {
                return try await BodyReader.next(reader)
            } catch let failure as CallFailure {
                throw FetchError.made(of: failure)
            }
        }
    }
}

/// The reading end of a body's pipe, with what it takes to cancel.
final class BodyReader {
    let pipe: BodyPipe
    private let engine: Engine

    init(_ pipe: BodyPipe, _ engine: Engine) {
        self.pipe = pipe
        self.engine = engine
    }

    static func next(_ reader: ReactorBound<BodyReader>) async throws -> Bytes? {
        if reader.reactor.isCurrent, let next = reader.value.pipe.takeNext() {
            return try next.get()
        }
        return try await withTaskCancellationHandler {
            // The pipe calls its reader once; when the post is refused, nobody else can resume.
            try await unsafe withUnsafeThrowingContinuation { continuation in
                let isPosted = reader.reactor.post {
                    reader.value.next { next in
                        unsafe continuation.resume(with: Result { try next.get() })
                    }
                }
                if !isPosted {
                    unsafe continuation.resume(throwing: Fetcher.closed(reader.reactor))
                }
            }
        } onCancel: {
            reader.reactor.post { reader.value.cancel() }
        }
    }

    private func next(_ receive: @escaping (BodyPipe.Next) -> Void) {
        if let next = pipe.takeNext() { receive(next) } else { pipe.wait(receive) }
    }

    private func cancel() {
        if let call = pipe.call { engine.cancel(call) }
    }
}

extension BodyPipe.Next {
    func get() throws -> Bytes? {
        switch self {
        case .bytes(let bytes): return bytes
        case .end: return nil
        case .failure(let failure): throw failure
        case .left:
            throw FetchError(
                .invalidRequest, phase: .body,
                reason: "a streamed body can be read only inside its scope")
        case .busy:
            throw FetchError(
                .invalidRequest, phase: .body, reason: "a body has one reader at a time")
        }
    }
}
