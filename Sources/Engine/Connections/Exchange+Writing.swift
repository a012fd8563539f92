// The writing half of an exchange: the head, then the content from where it lies or as an upload
// gives it (RFC 9112 §7.1 for unknown lengths).

internal import FetchBytes
internal import FetchHTTP
internal import FetchHTTP1
internal import FetchReactor
internal import FetchTransport
internal import Glibc

extension Connection {
    private enum Progress: Equatable {
        /// Something was done; there may be more to do.
        case wentOn
        /// The peer takes no more now.
        case peerIsFull
        /// The upload has nothing now.
        case uploadIsEmpty
        /// The peer takes nothing any more.
        case broken(SystemError)
        /// The call failed for a reason of its own.
        case failed
    }

    /// Writes what can be written of the request, up to the turn's budget.
    func write() {
        guard let stream, let call = current, !exchange.writingEnded,
            !exchange.requestWritten
        else { return }
        let buffer = output ?? outputBuffer
        var budget = road.settings.bytesPerTurn
        var progress = Progress.wentOn
        while progress == .wentOn, !exchange.requestWritten, budget > 0 {
            progress = writeSome(of: call, from: buffer, to: stream, &budget)
        }
        switch progress {
        case .wentOn, .peerIsFull, .uploadIsEmpty:
            if exchange.requestWritten {
                requestWritten()
            } else {
                waitToWrite(buffer, peerIsFull: progress != .uploadIsEmpty)
            }
            if buffer === outputBuffer { buffer.removeAll() }
        case .broken(let error):
            buffer.removeAll()
            writingBroke(error)
        case .failed:
            buffer.removeAll()
        }
    }

    /// What is buffered goes first, then the next piece of the content.
    private func writeSome(
        of call: Call, from buffer: ByteBuffer, to stream: any ByteStream,
        _ budget: inout Int
    ) -> Progress {
        if !buffer.isEmpty {
            let offered = buffer.readableCount
            let progress = taken(stream.write(buffer), of: offered, &budget)
            if progress == .wentOn { bufferWritten(call) }
            return progress
        }
        switch call.content {
        case .none:
            exchange.requestWritten = true
            return .wentOn
        case .bytes(let bytes):
            let offered = bytes.count - exchange.contentOffset
            let outcome = stream.write(bytes, from: exchange.contentOffset)
            if case .taken(let count) = outcome { exchange.contentOffset += count }
            let progress = taken(outcome, of: offered, &budget)
            if progress == .wentOn { bufferWritten(call) }
            return progress
        case .file(let file):
            return pull(file.value, into: buffer)
        case .pipe(let pipe):
            return pull(pipe.value, into: buffer)
        }
    }

    private func taken(_ outcome: WriteOutcome, of offered: Int, _ budget: inout Int) -> Progress {
        switch outcome {
        case .taken(let count):
            budget -= count
            road.counters.bytesSent += count
            if count > 0 { exchange.anythingWritten = true }
            return count == offered ? .wentOn : .peerIsFull
        case .failed(let error):
            return .broken(error)
        }
    }

    /// Nothing is buffered: whether that was the whole request.
    private func bufferWritten(_ call: Call) {
        guard call.hasContent else {
            exchange.requestWritten = true
            return
        }
        switch call.content {
        case .none: exchange.requestWritten = true
        case .bytes(let bytes): exchange.requestWritten = exchange.contentOffset == bytes.count
        case .file, .pipe: exchange.requestWritten = exchange.uploadEnded
        }
    }

    /// Takes the upload's next piece into `buffer`, framed.
    private func pull(_ upload: any Upload, into buffer: ByteBuffer) -> Progress {
        let piece = road.uploadBuffer
        defer { piece.removeAll() }
        switch upload.pull(into: piece, atMost: road.settings.uploadPiece) {
        case .bytes(let count):
            exchange.uploaded += count
            guard let length = upload.length else {
                ChunkedEncoder.appendChunk(piece.readable, to: buffer)
                return .wentOn
            }
            guard exchange.uploaded <= length else { return uploadMisjudged(length) }
            buffer.append(piece.readable)
            return .wentOn
        case .notYet:
            // With the last announced byte the request is whole, whenever its producer ends.
            guard exchange.uploaded == upload.length else { return .uploadIsEmpty }
            exchange.requestWritten = true
            return .wentOn
        case .end(let trailers):
            exchange.uploadEnded = true
            guard let length = upload.length else {
                return appendLastChunk(trailers ?? Headers(), to: buffer)
            }
            guard exchange.uploaded == length else { return uploadMisjudged(length) }
            exchange.requestWritten = true
            return .wentOn
        case .failed(let error):
            road.exchangeFailed(self, .uploadFailed(error))
            return .failed
        }
    }

    /// The end of a chunked body, if what the caller wants to say there may be said there.
    private func appendLastChunk(_ trailers: Headers, to buffer: ByteBuffer) -> Progress {
        do throws(RequestError) {
            try RequestHead.check(trailers: trailers)
        } catch {
            road.exchangeFailed(self, .uploadTrailers(error))
            return .failed
        }
        ChunkedEncoder.appendLast(trailers: trailers, to: buffer)
        return .wentOn
    }

    private func uploadMisjudged(_ length: Int) -> Progress {
        road.exchangeFailed(self, .uploadLength(declared: length, given: exchange.uploaded))
        return .failed
    }

    private func requestWritten() {
        if let output {
            road.buffers.give(output)
            self.output = nil
            stream?.setWriting(false)
        }
        guard let call = current else { return }
        run(exchange.anythingReceived ? .readIdle : .firstByte, of: call)
    }

    /// The rest waits in a buffer of the connection's own, until the peer or the upload goes on.
    private func waitToWrite(_ buffer: ByteBuffer, peerIsFull: Bool) {
        if output == nil {
            let own = road.buffers.take()
            own.append(buffer.readable)
            output = own
        }
        stream?.setWriting(peerIsFull)
        // The write clock is the peer's: an upload that has nothing to give is not its fault.
        guard let call = current else { return }
        if peerIsFull { run(.writeIdle, of: call) } else { runTotalOnly(of: call) }
    }

    /// The peer takes nothing any more. It may have answered before it left: what has arrived is
    /// read first, and its end or its error, which must be there too, ends the exchange.
    ///
    /// A failed send takes the socket's pending error with it, and the read behind it would see a
    /// mere end: a body that a reset cut would look whole. So the error is kept. EPIPE alone says
    /// that the peer's end had come before its reset.
    func writingBroke(_ error: SystemError) {
        if error.errorNumber != EPIPE { brokenBy = error }
        // The upload is not stopped: if nothing was written, another attempt sends it.
        exchange.writingEnded = true
        stream?.setWriting(false)
        if let call = current { run(.firstByte, of: call) }
        read()
    }

    /// Stops the upload; reading goes on.
    func endWriting() {
        if !exchange.requestWritten {
            exchange.writingEnded = true
            stream?.setWriting(false)
        }
        if let call = current, call.hasContent { call.content.stop() }
    }

    /// The upload has more, or its end.
    func uploadWentOn(_ call: Call) {
        guard exchange.requestWritten, let upload = call.content.upload else {
            write()
            return
        }
        // All that was announced is written: a piece more fails the call, the end is as it should.
        _ = pull(upload, into: outputBuffer)
        outputBuffer.removeAll()
    }
}
