// The writing half of a TLS stream: plaintext in records, and ciphertext that the stream below has
// not taken yet.

package import FetchBytes
internal import FetchReactor
internal import FetchTLS
internal import Glibc

extension TLSStream {
    package func write(_ buffer: ByteBuffer) -> WriteOutcome {
        // The bytes are encrypted during the call only.
        let outcome = unsafe buffer.withReadable { bytes in unsafe encrypt(bytes) }
        if case .taken(let count) = outcome { buffer.consume(count) }
        return outcome
    }

    package func write(_ bytes: Bytes, from offset: Int) -> WriteOutcome {
        // As above; the slice lives as long as `bytes`.
        unsafe bytes.withUnsafeBytes { all in
            unsafe encrypt(UnsafeRawBufferPointer(rebasing: all[offset...]))
        }
    }

    /// Encrypts as much as the stream below keeps up with. The memory of the bytes is the caller's,
    /// and is read during the call only.
    private func encrypt(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        guard phase == .open, let session else { return .failed(.failed(.send, errno: ENOTCONN)) }
        if let writeFailure { return .failed(writeFailure) }
        var count = 0
        while count < bytes.count, !isBlocked {
            let end = min(count + TLSConnector.bytesPerWrite, bytes.count)
            let output = outbox ?? connector.output
            let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[count..<end])
            guard case .taken = unsafe session.write(piece, to: output) else {
                writeFailure = TLSStream.protocolError(.send)
                break
            }
            send(output)
            if writeFailure != nil { break }
            count = end
        }
        // Something of it may have reached the peer: then the failure is told by the next call.
        if let writeFailure, count == 0 { return .failed(writeFailure) }
        return .taken(count)
    }

    /// Offers ciphertext to the stream below, once; what it leaves waits in the outbox.
    func send(_ output: ByteBuffer) {
        if output.isEmpty { return }
        guard writeFailure == nil else {
            output.removeAll()
            return
        }
        // Behind what waits already.
        if let outbox, outbox !== output {
            outbox.append(output.readable)
            output.removeAll()
            if !isBlocked { send(outbox) }
            return
        }
        if case .failed(let error) = stream.write(output) {
            writeFailure = error
            output.removeAll()
        }
        keepUnsent(output)
        setBlocked(outbox != nil)
    }

    func keepUnsent(_ output: ByteBuffer) {
        if output === outbox {
            guard output.isEmpty else { return }
            connector.buffers.give(output)
            outbox = nil
        } else if !output.isEmpty {
            let own = outbox ?? connector.buffers.take()
            own.append(output.readable)
            outbox = own
            output.removeAll()
        }
    }

    private func setBlocked(_ blocked: Bool) {
        guard blocked != isBlocked else { return }
        isBlocked = blocked
        stream.setWriting(isBlocked || wantsWriting)
    }
}
