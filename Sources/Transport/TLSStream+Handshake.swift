// The first phase of a TLS stream: messages to and fro until both sides agree, or one of them does
// not. Its end is told once. The clock over it is its owner's.

internal import FetchBytes
internal import FetchReactor
internal import FetchTLS

extension TLSStream {
    /// The handler must not hear of a failure before the call that began the handshake returns.
    func failHandshakeLater(_ failure: HandshakeFailure) {
        connector.reactor.enqueue { [self] in failHandshake(failure) }
    }

    /// The first message asks for nothing, so the only thing that can fail is to send it.
    func beginHandshake() {
        guard let session else { return }
        let step = session.handshake(from: connector.input, to: connector.output)
        send(connector.output)
        if let writeFailure {
            failHandshakeLater(.broken(writeFailure))
        } else if case .failed(let failure) = step {
            failHandshakeLater(.tls(failure))
        }
    }

    func goOnWithHandshake() {
        guard let session else { return }
        while phase == .handshaking {
            let input = connector.input
            let outcome = stream.read(into: input, atMost: TLSConnector.bytesPerRead)
            switch outcome {
            case .wouldBlock:
                return
            case .end:
                session.inputEnded()
                failHandshake(.tls(session.failure ?? .closedInHandshake))
                return
            case .failed(let error):
                failHandshake(.broken(error))
                return
            case .bytes:
                break
            }
            switch session.handshake(from: input, to: connector.output) {
            case .needsInput:
                send(connector.output)
            case .done:
                keep(input)
                handshakeDone()
                return
            case .failed(let failure):
                // The alert that tells the server why.
                send(connector.output)
                input.removeAll()
                failHandshake(.tls(failure))
                return
            }
        }
    }

    /// The last message of ours waits until the handler has had its say: most write a request at
    /// once, and one packet carries both.
    private func handshakeDone() {
        phase = .open
        keepUnsent(connector.output)
        let handler = handshakeHandler
        handshakeHandler = nil
        handler?.handshakeDone(self)
        guard phase == .open else { return }
        if let outbox, !isBlocked { send(outbox) }
        tellLaterIfDue()
    }

    private func failHandshake(_ failure: HandshakeFailure) {
        guard phase == .handshaking, let handler = handshakeHandler else { return }
        close()
        handler.handshakeFailed(failure)
    }
}
