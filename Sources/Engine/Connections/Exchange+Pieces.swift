// Large bodies on their way to a reader (RFC 9112 §6): bytes that are body whatever they are,
// because the framing says so, are read straight into storage of their own, which the reader gets.
// They are copied once less than by way of the buffer that all connections share.
//
// One piece at a time where the reader keeps up: it has let go of the last one when the next is
// made, so that the allocator gives the same memory again, instead of going to the kernel for new
// pages and giving them back.

internal import FetchBytes
internal import FetchHTTP1
internal import FetchReactor
internal import FetchTransport

extension Connection {
    /// Less than this is not worth storage of its own before it is known how much comes.
    static var pieceLeast: Int { 16 << 10 }

    /// One read into a piece; false when that was all for now. Goes back to the shared buffer where
    /// there is no large run of body ahead, or little of it comes at once.
    func readPiece(for call: Call, from stream: any ByteStream, _ budget: inout Int) -> Bool {
        let wanted = min(road.settings.bytesPerRead, parser.bodyBytesAhead)
        guard wanted >= Connection.pieceLeast, leftover == nil, call.isStreamed, !call.abandoned,
            let receiver = call.streamReceiver
        else {
            exchange.readsPieces = false
            return true
        }
        var piece = Bytes()
        let outcome = stream.read(&piece, atMost: wanted)
        guard case .bytes(let count) = outcome else {
            nothingRead(outcome, for: call)
            return false
        }
        budget -= count
        road.counters.bytesReceived += count
        exchange.readsPieces = count >= Connection.pieceLeast
        parser.bodyBytesPassed(count)
        pieceArrived(piece, receiver, call)
        // The end may have come with it; if not, the clock begins anew.
        received(inputBuffer, for: call)
        return count == wanted && !exchange.readerRuns
    }

    func pieceArrived(_ piece: Bytes, _ receiver: any StreamReceiver, _ call: Call) {
        if let caching = call.caching, caching.collects != nil {
            caching.collect(piece, expecting: call.head?.framing.announced)
        }
        let demand = receiver.bodyArrived(piece)
        exchange.readerRuns = demand == .later
        if demand == .none { pauseReading(call) }
    }
}
