// TLS as a byte stream over another one: TCP, a simulated network, a proxy's tunnel. It brings the
// session's ciphertext to the stream below and back, and gives what is above the same seam that a
// plain stream gives. Owned by whoever had it made; the reactor's thread.
//
// Readiness. The stream below tells of ciphertext, which may be more or less than plaintext. What
// stays behind after a read (decrypted bytes, undecrypted ones, an end that has not been told) is
// told again by the stream itself, later in the turn, as a level-triggered descriptor would. Such a
// telling reads nothing new from below, so that a fast sender can't keep the turn for itself.
//
// Writing. What is encrypted can't be taken back: a write takes plaintext as long as the stream
// below takes the ciphertext, and what it leaves waits here, 64 KiB and a little at most
// (TLSStream+Writing.swift).
//
// The end. TLS has its own, close_notify. A connection that ends without it reads as ended, and
// `tls.isTruncated` says so: only who knows the framing can say whether anything is missing.

package import FetchBytes
package import FetchReactor
package import FetchTLS
internal import FetchTime
internal import Glibc

package final class TLSStream: ByteStream, ByteStreamHandler {
    enum Phase: Equatable {
        /// Can transition to `open` and `closed`.
        case handshaking
        /// Bytes flow. Can transition to `closed`.
        case open
        /// The stream below is closed.
        case closed
    }

    /// What reading will find from now on.
    private enum Ending: Equatable {
        case end
        case failed(SystemError)

        var outcome: ReadOutcome {
            switch self {
            case .end: .end
            case .failed(let error): .failed(error)
            }
        }
    }

    let stream: any ByteStream
    let session: TLSSession?
    let connector: TLSConnector
    var phase = Phase.handshaking
    var handshakeHandler: (any HandshakeHandler)?
    // Private storage behind a plain property: accesses to it need no exclusivity check.
    private var listener: (any ByteStreamHandler)?
    package var handler: (any ByteStreamHandler)? {
        get { listener }
        set { listener = newValue }
    }

    /// Ciphertext that has come and was not decrypted yet.
    private var leftover: ByteBuffer?
    /// Ciphertext that the stream below has not taken.
    var outbox: ByteBuffer?
    /// The stream below took less than it was offered, and tells when it takes more.
    var isBlocked = false
    private var wantsReading = true
    var wantsWriting = false
    private var ending: Ending?
    var writeFailure: SystemError?
    private var isTellingDue = false
    /// The telling is our own: nothing new is read from below.
    private var isTelling = false

    package var peer: SocketAddress { stream.peer }
    package var tls: TLSSession? { session }

    init(
        over stream: any ByteStream, by connector: TLSConnector, _ context: TLSContext,
        host: String, port: UInt16, handler: any HandshakeHandler
    ) {
        self.stream = stream
        self.connector = connector
        handshakeHandler = handler
        let seconds = connector.reactor.nowWithWall.wall.seconds
        do throws(TLSFailure) {
            session = try TLSSession(context, host: host, port: port, now: seconds)
        } catch {
            session = nil
            failHandshakeLater(.tls(error))
            return
        }
        stream.handler = self
        beginHandshake()
    }

    // MARK: Events from below

    package func streamConnected() {}
    package func streamFailed(_ failure: ConnectFailure) {}

    package func streamReady(_ readiness: Readiness) {
        if readiness.contains(.writable), isBlocked, let outbox { send(outbox) }
        switch phase {
        case .handshaking:
            goOnWithHandshake()
        case .open:
            var told = readiness
            if isBlocked || !wantsWriting { told.remove(.writable) }
            // The owner learns of it from its next call.
            if writeFailure != nil { told.insert(.error) }
            if !told.isEmpty { listener?.streamReady(told) }
        case .closed:
            break
        }
    }

    /// Whether a read would find something without asking below.
    private var hasSomething: Bool {
        if ending != nil { return true }
        if let leftover, !leftover.isEmpty { return true }
        return session?.hasPlaintext ?? false
    }

    func tellLaterIfDue() {
        guard phase == .open, wantsReading, !isTellingDue, hasSomething else { return }
        isTellingDue = true
        connector.reactor.enqueue { [self] in
            isTellingDue = false
            guard phase == .open, wantsReading, hasSomething else { return }
            isTelling = true
            listener?.streamReady(ending == nil ? .readable : [.readable, .readClosed])
            isTelling = false
            tellLaterIfDue()
        }
    }

    // MARK: Reading

    package func read(into buffer: ByteBuffer, atMost: Int) -> ReadOutcome {
        // The space is written to during the call only, and no more of it than there is.
        unsafe buffer.withFreeSpace(atLeast: atMost) { space in
            unsafe decrypt(into: UnsafeMutableRawBufferPointer(rebasing: space[..<atMost]))
        }
    }

    package func read(_ piece: inout Bytes, atMost: Int) -> ReadOutcome {
        let outcome: ReadOutcome
        // As above.
        (piece, outcome) = unsafe Bytes.filled(capacity: atMost) { space in
            unsafe decrypt(into: UnsafeMutableRawBufferPointer(rebasing: space[..<atMost]))
        }
        return outcome
    }

    /// Fills `space` from what has come, as far as that goes without leaving plaintext behind.
    private func decrypt(
        into space: UnsafeMutableRawBufferPointer
    ) -> (written: Int, result: ReadOutcome) {
        guard phase == .open, let session else { return (0, .end) }
        var count = 0
        var isEmptyBelow = isTelling
        while count < space.count, ending == nil {
            let input = leftover ?? connector.input
            if input.isEmpty, !session.hasPlaintext {
                let room = space.count - count
                if isEmptyBelow || (count > 0 && room < 2 * TLSSession.recordBytes) { break }
                isEmptyBelow = !fill(input, TLSStream.ciphertext(filling: room))
                if input.isEmpty { break }
            }
            // A part of the space that the caller has lent.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: space[count...])
            let step = unsafe session.read(
                from: input, into: rest, answeringIn: connector.output)
            switch step {
            case .bytes(let decrypted): count += decrypted
            case .needsInput: break
            case .end: ending = .end
            case .failed: ending = .failed(TLSStream.protocolError(.receive))
            }
            keep(input)
        }
        answer()
        tellLaterIfDue()
        if count > 0 { return (count, .bytes(count)) }
        return (0, ending?.outcome ?? .wouldBlock)
    }

    /// How much ciphertext may be asked for, so that `room` bytes hold what comes out of it: the
    /// session has part of a record already, whose rest is the first to come.
    private static func ciphertext(filling room: Int) -> Int {
        min(max(room - TLSSession.recordBytes, TLSSession.recordBytes), TLSConnector.bytesPerRead)
    }

    /// Asks below for ciphertext; whether there may be more.
    private func fill(_ input: ByteBuffer, _ wanted: Int) -> Bool {
        switch stream.read(into: input, atMost: wanted) {
        case .bytes(let count):
            return count == wanted
        case .wouldBlock:
            return false
        case .end:
            session?.inputEnded()
            // A failed send has taken the socket's pending error with it, and what it cut looks
            // like an end. EPIPE alone says that the end had come before.
            if let writeFailure, writeFailure.errorNumber != EPIPE {
                ending = .failed(writeFailure)
            } else {
                ending = .end
            }
            return false
        case .failed(let error):
            ending = .failed(error)
            return false
        }
    }

    /// TLS may have something to say to what was read: an alert, or new keys.
    private func answer() {
        send(connector.output)
    }

    /// What TLS makes of the bytes has no errno of its own; `tls.failure` says what it is.
    static func protocolError(_ call: SystemCall) -> SystemError {
        .failed(call, errno: EPROTO)
    }

    /// Whether nothing has come that belongs to a response: tickets, which servers send when they
    /// like, are taken in and are no reason to give a connection up.
    package func isQuiet() -> Bool {
        guard phase == .open, let session, ending == nil, writeFailure == nil,
            !session.hasPlaintext
        else { return false }
        while true {
            let input = leftover ?? connector.input
            if input.isEmpty {
                // One byte's peek is the rule, and all that most connections need.
                if stream.isQuiet() { return !session.holdsPartOfRecord }
                _ = fill(input, TLSConnector.bytesPerRead)
                // It was an end or an error.
                if input.isEmpty { return false }
            }
            let isStill = session.isQuiet(behind: input, answeringIn: connector.output)
            keep(input)
            answer()
            if !isStill { return false }
        }
    }

    /// What was not used moves out of the buffer that all streams share.
    func keep(_ input: ByteBuffer) {
        if input === leftover {
            guard input.isEmpty else { return }
            connector.buffers.give(input)
            leftover = nil
        } else if !input.isEmpty {
            let own = connector.buffers.take()
            own.append(input.readable)
            leftover = own
            input.removeAll()
        }
    }

    // MARK: Interest and the end

    package func setReading(_ on: Bool) {
        wantsReading = on
        guard phase == .open else { return }
        stream.setReading(on)
        tellLaterIfDue()
    }

    package func setWriting(_ on: Bool) {
        wantsWriting = on
        guard phase == .open else { return }
        stream.setWriting(isBlocked || wantsWriting)
    }

    package func close() {
        guard phase != .closed else { return }
        sayGoodbye()
        leave()
        stream.close()
    }

    package func reset() {
        guard phase != .closed else { return }
        leave()
        stream.reset()
    }

    /// close_notify, if it can go without waiting. A forked child says nothing: the connection is
    /// its parent's, and the parent's peer must not be told that it has ended.
    private func sayGoodbye() {
        guard phase == .open, !connector.reactor.isForked, !isBlocked, writeFailure == nil,
            let session, !session.isTruncated
        else { return }
        let output = outbox ?? connector.output
        session.close(to: output)
        if !output.isEmpty { _ = stream.write(output) }
        output.removeAll()
    }

    private func leave() {
        phase = .closed
        listener = nil
        handshakeHandler = nil
        if let leftover { connector.buffers.give(leftover) }
        leftover = nil
        if let outbox { connector.buffers.give(outbox) }
        outbox = nil
    }
}
