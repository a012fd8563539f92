// ChunkedEncoder: what stands around a body of unknown length (RFC 9112 section 7.1). Pure; reactor
// thread.

package import FetchBytes
package import FetchHTTP

/// Writes the frame of chunks.
package enum ChunkedEncoder {
    /// Writes the line in front of a chunk. The count must be above 0: 0 would end the body.
    package static func appendHeader(count: Int, to buffer: ByteBuffer) {
        precondition(count > 0, "an empty chunk ends the body")
        buffer.appendHex(count)
        buffer.append("\r\n")
    }

    /// Writes the line end behind a chunk.
    package static func appendEnd(to buffer: ByteBuffer) {
        buffer.append("\r\n")
    }

    /// Writes a whole chunk; nothing when there are no bytes.
    package static func appendChunk(_ bytes: Span<UInt8>, to buffer: ByteBuffer) {
        guard bytes.count > 0 else { return }
        appendHeader(count: bytes.count, to: buffer)
        buffer.append(bytes)
        appendEnd(to: buffer)
    }

    /// Writes the last chunk and the trailers.
    package static func appendLast(trailers: Headers = Headers(), to buffer: ByteBuffer) {
        buffer.append("0\r\n")
        trailers.append(to: buffer)
        buffer.append("\r\n")
    }
}
