// What a connection of the scripted origin has yet to send. Owned by its connection; reactor
// thread. Small pieces are joined so that a head and its body leave in one write.

internal import FetchBytes
internal import FetchReactor
internal import FetchTransport

struct OriginOutbox {
    private enum Piece {
        case small(ByteBuffer)
        case large(Bytes, offset: Int)
        case pattern(offset: Int, remaining: Int)
    }

    enum Progress: Equatable {
        case flushed
        case blocked
        case failed
    }

    private static let small = 16_384
    private var pieces: [Piece] = []
    private(set) var sent = 0

    var isEmpty: Bool { pieces.isEmpty }

    mutating func append(_ text: String) {
        tail(atLeast: text.utf8.count).append(utf8: text)
    }

    mutating func append(_ bytes: Bytes) {
        if bytes.isEmpty { return }
        if bytes.count > OriginOutbox.small {
            pieces.append(.large(bytes, offset: 0))
        } else {
            tail(atLeast: bytes.count).append(bytes)
        }
    }

    mutating func appendPattern(_ count: Int) {
        if count > 0 { pieces.append(.pattern(offset: 0, remaining: count)) }
    }

    private mutating func tail(atLeast count: Int) -> ByteBuffer {
        if case .small(let buffer) = pieces.last { return buffer }
        let buffer = ByteBuffer(capacity: max(count, 512))
        pieces.append(.small(buffer))
        return buffer
    }

    /// Offers all there is, at most `budget` bytes at a time so that one stream starves no other.
    mutating func flush(to stream: any ByteStream, budget: Int = 1 << 20) -> Progress {
        var left = budget
        while let piece = pieces.first {
            guard left > 0 else { return .blocked }
            guard let (offered, taken) = offer(piece, to: stream) else { return .failed }
            left -= taken
            sent += taken
            if taken < offered { return .blocked }
        }
        return .flushed
    }

    /// Offers the first piece and puts back what is left; nil means that the stream has failed.
    private mutating func offer(
        _ piece: Piece, to stream: any ByteStream
    ) -> (offered: Int, taken: Int)? {
        let offered: Int
        let outcome: WriteOutcome
        let rest: (Int) -> Piece?
        switch piece {
        case .small(let buffer):
            offered = buffer.readableCount
            outcome = stream.write(buffer)
            rest = { _ in buffer.isEmpty ? nil : piece }
        case .large(let bytes, let offset):
            offered = bytes.count - offset
            outcome = stream.write(bytes, from: offset)
            rest = { $0 == offered ? nil : .large(bytes, offset: offset + $0) }
        case .pattern(let offset, let remaining):
            let bytes = BodyPattern.bytes(at: offset, count: remaining)
            offered = bytes.count
            outcome = stream.write(bytes, from: 0)
            rest = {
                $0 == remaining ? nil : .pattern(offset: offset + $0, remaining: remaining - $0)
            }
        }
        guard case .taken(let taken) = outcome else { return nil }
        if let left = rest(taken) {
            pieces[0] = left
        } else {
            pieces.removeFirst()
        }
        return (offered, taken)
    }
}
