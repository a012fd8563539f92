// Pieces of a body between who brings them and who takes them: first in, first out, O(1). What was
// taken is let go of at once: a queue that never runs empty must not grow.

internal import FetchBytes

struct PieceQueue {
    private var pieces: [Bytes] = []
    /// Before this one all are taken, and their places hold nothing.
    private var next = 0
    /// Of all pieces together.
    private(set) var bytes = 0

    var isEmpty: Bool { next == pieces.count }

    /// The piece whose turn it is.
    var first: Bytes? { isEmpty ? nil : pieces[next] }

    mutating func append(_ piece: Bytes) {
        pieces.append(piece)
        bytes += piece.count
    }

    mutating func takeFirst() -> Bytes? {
        guard !isEmpty else { return nil }
        var piece = Bytes()
        swap(&piece, &pieces[next])
        bytes -= piece.count
        next += 1
        if isEmpty {
            pieces.removeAll(keepingCapacity: true)
            next = 0
        } else if next >= 32, next * 2 >= pieces.count {
            // Each piece is moved once on average.
            pieces.removeFirst(next)
            next = 0
        }
        return piece
    }

    mutating func removeAll() { self = PieceQueue() }
}
