// One TLS connection, client side (RFC 8446, RFC 5246): ciphertext in, plaintext out, and the other
// way round. It holds no socket and no clock; whoever owns it brings the bytes and the time, and
// sends what it leaves in the output buffer after every call. Reactor thread.
//
// Unsafe: the SSL and its wire are made in `init` and freed in `deinit`; a wire's pointers are set
// only for the length of a call into OpenSSL, while the buffers are borrowed (CiphertextBIO.swift).
// The SSL knows its session by an unretained pointer, which callbacks use during such calls only.

internal import CFetchOpenSSL
package import FetchBytes

/// How far a handshake has come.
package enum HandshakeStep: Equatable, Sendable {
    /// More ciphertext is needed.
    case needsInput
    /// Plaintext can flow.
    case done
    /// It came to nothing. What is in the output buffer tells the server why.
    case failed(TLSFailure)
}

/// What one read found.
package enum PlaintextStep: Equatable, Sendable {
    /// So many bytes were appended.
    case bytes(Int)
    /// More ciphertext is needed.
    case needsInput
    /// The server has said close_notify: nothing was cut off.
    case end
    case failed(TLSFailure)
}

/// What one write did.
package enum EncryptStep: Equatable, Sendable {
    /// So many bytes were encrypted into the output buffer.
    case taken(Int)
    case failed(TLSFailure)
}

@safe
package final class TLSSession {
    package enum State: Equatable, Sendable {
        /// Can transition to `open` and `failed`.
        case handshaking
        /// Can transition to `ended` and `failed`.
        case open
        /// close_notify has come; writing goes on. Can transition to `failed`.
        case ended
        /// Final.
        case failed(TLSFailure)
    }

    let context: TLSContext
    let serverName: ServerName
    let key: ResumptionKey
    let trustGeneration: Int
    private let ssl: OpaquePointer
    private let wire: UnsafeMutablePointer<Wire>
    package private(set) var state = State.handshaking
    /// The connection ended without close_notify.
    package private(set) var isTruncated = false
    /// What a callback found wrong; it speaks before OpenSSL's own words.
    var verdict: TLSFailure?
    /// A ticket has come, for which OpenSSL 3.0 makes itself a buffer of 16 KiB to write to, and
    /// keeps it until the next write: on an idle connection, for good.
    var holdsSpareBuffers = false

    /// A session with `host` at `port`, to be begun by `handshake`. `seconds` since 1970 is the
    /// time that certificates are judged by.
    package init(
        _ context: TLSContext, host: String, port: UInt16, now seconds: Int64
    ) throws(TLSFailure) {
        self.context = context
        trustGeneration = context.trustGeneration
        serverName = ServerName(context.configuration.serverName ?? host)
        key = ResumptionKey(host: host, port: port, serverName: serverName.text)
        unsafe wire = .allocate(capacity: 1)
        unsafe wire.initialize(to: Wire())
        guard let ssl = unsafe SSL_new(context.handle) else {
            unsafe wire.deallocate()
            throw .other(OpenSSLErrors.takeWords())
        }
        unsafe self.ssl = unsafe ssl
        // From here on `deinit` frees both, whatever is thrown.
        guard let bio = unsafe CiphertextBIO.make(context.bioMethod, wire) else {
            throw .other(OpenSSLErrors.takeWords())
        }
        // One BIO for both ways, and one reference for both.
        unsafe SSL_set_bio(ssl, bio, bio)
        unsafe SSL_set_connect_state(ssl)
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        try expectName()
        let parameters = unsafe SSL_get0_param(ssl)
        unsafe X509_VERIFY_PARAM_set_time(parameters, time_t(seconds))
        if context.configuration.verification == .full { _ = unsafe fetch_SSL_request_ocsp(ssl) }
        if let earlier = context.takeSession(for: key, now: seconds) {
            // Refused, it is a full handshake.
            _ = unsafe SSL_set_session(ssl, earlier.handle)
        }
        OpenSSLErrors.clear()
    }

    deinit {
        // Without this OpenSSL would spoil the session that the cache shares with the connection,
        // as SSL 3 demanded of a connection without an orderly end (RFC 5246 §7.2.1).
        switch state {
        case .open, .ended:
            unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        case .handshaking, .failed:
            break
        }
        unsafe SSL_free(ssl)
        unsafe wire.deallocate()
    }

    /// What the certificate must name, and what is sent of it.
    private func expectName() throws(TLSFailure) {
        let configuration = context.configuration
        let parameters = unsafe SSL_get0_param(ssl)
        // A wildcard is a whole label, and names stand among the alternative names, never in the
        // subject (RFC 9525 §6.3, §6.4).
        let flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
        unsafe X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(flags))
        switch serverName.kind {
        case .name(let name):
            guard unsafe X509_VERIFY_PARAM_set1_host(parameters, name, name.utf8.count) == 1 else {
                throw .other(OpenSSLErrors.takeWords())
            }
            if configuration.sendsServerName, unsafe fetch_SSL_set_tlsext_host_name(ssl, name) != 1
            {
                throw .other(OpenSSLErrors.takeWords())
            }
        case .address(let bytes):
            guard unsafe X509_VERIFY_PARAM_set1_ip(parameters, bytes, bytes.count) == 1 else {
                throw .other(OpenSSLErrors.takeWords())
            }
        case .unusable:
            // Nothing could be verified: an empty name would make OpenSSL verify none.
            throw .wrongHost(expected: serverName.text, names: [])
        }
    }

    /// The session of a callback's SSL.
    static func behind(_ ssl: OpaquePointer?) -> TLSSession? {
        guard let ssl = unsafe ssl, let pointer = unsafe SSL_get_ex_data(ssl, 0) else { return nil }
        return unsafe Unmanaged<TLSSession>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// Facts of the connection; see TLSSession+Facts.swift.
    func withSSL<R>(_ body: (OpaquePointer) -> R) -> R { unsafe body(ssl) }

    // MARK: Handshake

    /// Goes on with the handshake, taking what it can use of `input`.
    package func handshake(from input: ByteBuffer, to output: ByteBuffer) -> HandshakeStep {
        switch state {
        case .handshaking: break
        case .open, .ended: return .done
        case .failed(let failure): return .failed(failure)
        }
        let result = connected(input, output) { unsafe SSL_do_handshake(ssl) }
        if result == 1 {
            state = .open
            return .done
        }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .needsInput
        case SSL_ERROR_ZERO_RETURN: return .failed(fail(.closedInHandshake))
        default: return .failed(fail(nil))
        }
    }

    // MARK: Plaintext

    /// Decrypts what is there into `plaintext`, `atMost` bytes of it, until the input is used up.
    /// An answer that the protocol demands is left in `output`.
    package func read(
        from input: ByteBuffer, into plaintext: ByteBuffer, atMost: Int,
        answeringIn output: ByteBuffer
    ) -> PlaintextStep {
        // The space is the buffer's own, as much of it as was asked for.
        unsafe plaintext.withFreeSpace(atLeast: atMost) { space in
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: space[..<atMost])
            let step = unsafe read(from: input, into: room, answeringIn: output)
            if case .bytes(let count) = step { return (written: count, result: step) }
            return (written: 0, result: step)
        }
    }

    /// The same, into memory that is the caller's and is written to during the call only.
    package func read(
        from input: ByteBuffer, into space: UnsafeMutableRawBufferPointer,
        answeringIn output: ByteBuffer
    ) -> PlaintextStep {
        switch state {
        case .open: break
        case .handshaking: return .needsInput
        case .ended: return .end
        case .failed(let failure): return .failed(failure)
        }
        let (count, result) = connected(input, output) {
            unsafe readRecords(into: space.baseAddress, space.count)
        }
        // An end or a failure behind bytes is told by the next call.
        let step = result > 0 ? PlaintextStep.needsInput : stopped(by: result)
        if holdsSpareBuffers { freeSpareBuffers() }
        return count > 0 ? .bytes(count) : step
    }

    /// Takes in what is there, and whether none of it is for the reader: no byte, no end, no
    /// failure. Whatever is found is left for the next read.
    package func isQuiet(behind input: ByteBuffer, answeringIn output: ByteBuffer) -> Bool {
        guard state == .open else { return false }
        var byte: UInt8 = 0
        // OpenSSL writes at most the one byte that it is given.
        let result = connected(input, output) { unsafe SSL_peek(ssl, &byte, 1) }
        if result > 0 { return false }
        let isStill = stopped(by: result) == .needsInput
        if holdsSpareBuffers { freeSpareBuffers() }
        return isStill
    }

    /// Gives OpenSSL's buffers back, unless they hold something: then after the next read.
    private func freeSpareBuffers() {
        holdsSpareBuffers = unsafe SSL_free_buffers(ssl) != 1
    }

    /// Why a read gave nothing.
    private func stopped(by result: CInt) -> PlaintextStep {
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ:
            return .needsInput
        case SSL_ERROR_ZERO_RETURN:
            state = .ended
            return .end
        default:
            return .failed(fail(nil))
        }
    }

    /// One SSL_read a record, until there is no more to decrypt or no room.
    private func readRecords(
        into space: UnsafeMutableRawPointer?, _ room: Int
    ) -> (count: Int, result: CInt) {
        var count = 0
        while count < room {
            let result = unsafe SSL_read(
                ssl, space.map { unsafe $0 + count }, CInt(clamping: room - count))
            guard result > 0 else { return (count, result) }
            count += Int(result)
            // Asking again would only be told to wait.
            if unsafe wire.pointee.taken == wire.pointee.inputCount, unsafe SSL_pending(ssl) == 0 {
                break
            }
        }
        return (count, 1)
    }

    /// Encrypts all of `bytes` into `output`, in records of 16 KiB.
    package func write(_ bytes: UnsafeRawBufferPointer, to output: ByteBuffer) -> EncryptStep {
        switch state {
        case .open, .ended: break
        case .handshaking: return .taken(0)
        case .failed(let failure): return .failed(failure)
        }
        unsafe wire.pointee.output = Unmanaged.passUnretained(output)
        defer { unsafe wire.pointee.output = nil }
        output.reserve(bytes.count + (bytes.count >> 14 + 1) * TLSSession.recordOverhead)
        OpenSSLErrors.clear()
        var count = 0
        while count < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[count...])
            let result = unsafe SSL_write(ssl, rest.baseAddress, CInt(clamping: rest.count))
            // The wire takes everything, so that nothing but a failure stops a write.
            guard result > 0 else { return .failed(fail(nil)) }
            count += Int(result)
        }
        return .taken(count)
    }

    /// The most that a record holds (RFC 8446 §5.1).
    package static let recordBytes = 1 << 14

    /// What a record adds to its content, generously: header, nonce, type, tag, padding.
    package static let recordOverhead = 96

    // MARK: The end

    /// Leaves close_notify in `output`, once; nothing before the handshake is done.
    package func close(to output: ByteBuffer) {
        switch state {
        case .open, .ended: break
        case .handshaking, .failed: return
        }
        guard unsafe SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN == 0 else { return }
        unsafe wire.pointee.output = Unmanaged.passUnretained(output)
        OpenSSLErrors.clear()
        // 0 says that the server's has not come, which nobody waits for.
        if unsafe SSL_shutdown(ssl) < 0 { OpenSSLErrors.clear() }
        unsafe wire.pointee.output = nil
    }

    /// The connection has ended. During the handshake that is a failure; later it is for those to
    /// judge who know whether the content was whole.
    package func inputEnded() {
        switch state {
        case .handshaking: fail(.closedInHandshake)
        case .open: isTruncated = true
        case .ended, .failed: break
        }
    }

    /// Remembers why it failed: the verdict of a callback, else `known`, else the queue's words.
    @discardableResult
    private func fail(_ known: TLSFailure?) -> TLSFailure {
        let isHandshake = state == .handshaking
        let failure = verdict ?? known ?? TLSFailure.fromQueue(inHandshake: isHandshake)
        OpenSSLErrors.clear()
        state = .failed(failure)
        return failure
    }

    /// Runs a call with both buffers behind the wire.
    private func connected<R>(
        _ input: ByteBuffer, _ output: ByteBuffer, _ call: () -> R
    ) -> R {
        OpenSSLErrors.clear()
        let result = unsafe input.withReadable { bytes in
            unsafe wire.pointee.input = bytes.baseAddress
            unsafe wire.pointee.inputCount = bytes.count
            unsafe wire.pointee.taken = 0
            unsafe wire.pointee.output = Unmanaged.passUnretained(output)
            return call()
        }
        unsafe input.consume(wire.pointee.taken)
        unsafe wire.pointee = Wire()
        return result
    }
}
