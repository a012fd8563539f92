// Bodies as streams. A response's body lives in a scope: when the caller leaves it, a short rest
// is read so that the connection survives, a long one is cut off with its connection. An upload's
// producer is a child task of the call; it never outlives it.

internal import FetchEngine
internal import FetchHTTP1

extension Fetcher {
    /// Sends a request and runs `body` as soon as the response's head is there.
    ///
    /// The response's body is read inside the scope, piece by piece, and only as fast as the
    /// caller reads. The total clock ends at the head; the idle clocks go on.
    ///
    /// - Throws: what `body` throws, ``FetchError``, or `CancellationError`.
    public func stream<R>(
        _ request: Request, _ body: (StreamedResponse) async throws -> R
    ) async throws -> R {
        guard case .stream(let upload) = request.body else {
            return try await streaming(planner.plan(request), body)
        }
        return try await uploading(upload) { [self] pipe in
            try await streaming(planner.plan(request, pipe: pipe), body)
        }
    }

    /// Sends GET and runs `body` as soon as the response's head is there.
    public func stream<R>(
        _ url: String, _ body: (StreamedResponse) async throws -> R
    ) async throws -> R {
        try await stream(Request(.get, url), body)
    }

    private func streaming<R>(
        _ plan: CallPlan, _ body: (StreamedResponse) async throws -> R
    ) async throws -> R {
        let response: StreamedResponse
        do {
            response = try await open(plan)
        } catch let failure as CallFailure {
            throw FetchError.made(of: failure)
        }
        defer { response.leave() }
        return try await body(response)
    }

    /// Waits for the head.
    private func open(_ plan: CallPlan) async throws -> StreamedResponse {
        let bound = engine
        let ticket = CallTicket()
        let highWater = planner.highWaterBytes
        return try await withTaskCancellationHandler {
            // The pipe calls back once; when the post is refused, nobody else has the continuation.
            try await unsafe withUnsafeThrowingContinuation { continuation in
                let isPosted = bound.reactor.post {
                    let engine = bound.value
                    let id = engine.open()
                    let pipe = BodyPipe(engine: engine, highWater: highWater, call: id)
                    let reader = ReactorBound(here: BodyReader(pipe, engine), on: bound.reactor)
                    pipe.whenHead { outcome in
                        unsafe continuation.resume(
                            with: outcome.map { StreamedResponse($0, reader: reader) })
                    }
                    if !ticket.began(id) { engine.cancel(id) }
                    engine.start(id, plan, .stream(pipe))
                }
                if !isPosted {
                    // See above: then it is ours alone.
                    unsafe continuation.resume(throwing: Fetcher.closed(bound.reactor))
                }
            }
        } onCancel: {
            if let id = ticket.cancelled() { Fetcher.cancel(id, bound) }
        }
    }

    /// Runs `call` beside the task that produces its upload.
    func uploading<R>(
        _ upload: UploadStream, _ call: (ReactorBound<UploadPipe>) async throws -> R
    ) async throws -> R {
        let reactor = engine.reactor
        let pipe = ReactorBound(
            UploadPipe(length: upload.length, highWater: planner.highWaterBytes), on: reactor)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await Fetcher.produce(upload, into: pipe) }
            // A response that comes early ends the upload: its producer is not waited for longer
            // than it takes to notice.
            defer { group.cancelAll() }
            return try await call(pipe)
        }
    }

    private static func produce(
        _ upload: UploadStream, into pipe: ReactorBound<UploadPipe>
    ) async {
        do {
            let trailers = try await upload.produce { piece in await push(piece, into: pipe) }
            pipe.reactor.post { pipe.value.finish(trailers: trailers) }
        } catch {
            pipe.reactor.post { pipe.value.fail(error) }
        }
    }

    /// Hands a piece over and waits until another is wanted; false when none ever will be.
    private static func push(_ piece: Bytes, into pipe: ReactorBound<UploadPipe>) async -> Bool {
        // The pipe answers once: at once, when there is room, or when it stops.
        await unsafe withUnsafeContinuation { continuation in
            let isPosted = pipe.reactor.post {
                pipe.value.push(piece) { unsafe continuation.resume(returning: $0) }
            }
            if !isPosted { unsafe continuation.resume(returning: false) }
        }
    }
}
