// What happens to a call on its road: a connection stands or does not, an exchange ends, is lost or
// fails, the caller gives up, a clock runs out. Each event changes what is known and lets `follow`
// go on.

internal import FetchBytes
internal import FetchHTTP
internal import FetchHTTP1
internal import FetchPolicy
internal import FetchReactor
internal import FetchRoad
internal import FetchTime
internal import FetchTransport

extension Road: TimerHandler {
    // MARK: Connections

    func connected(_ connection: Connection) {
        pool.connected(connection)
        if policies.needAddress { addressKnown(connection) }
        guard let call = connection.intended else {
            rest(connection, hint: nil)
            return
        }
        connection.intended = nil
        call.connection = nil
        leaveLine(call)
        dispatch(call, on: connection)
    }

    func connectFailed(_ connection: Connection, _ error: CallError) {
        counters.connectionsFailed += 1
        let call = connection.intended
        let phase = connection.dialPhase
        close(connection)
        guard let call else {
            forgetIfUnused(connection.record)
            return
        }
        call.connection = nil
        call.lastPhase = phase
        attemptFailed(call, error, nothingSent: true)
    }

    /// An idle connection has had its time, or its peer said something.
    func idleEnded(_ connection: Connection) {
        close(connection)
    }

    // MARK: Exchanges

    /// The response is whole.
    func exchangeEnded(
        _ connection: Connection, _ call: Call, _ head: consuming ResponseHead,
        body: consuming Bytes, trailers: consuming FieldSection?, reusable: Bool
    ) {
        call.connection = nil
        if reusable, !isClosed {
            rest(connection, hint: head.keepAliveTimeoutSeconds)
        } else {
            close(connection)
        }
        if call.hasCourse, call.course.retryAt != nil {
            backOff(call)
            return
        }
        if call.caching != nil {
            if isAnsweredOtherwise(call) { return }
            store(call, body)
        }
        call.response = response(of: call, head, body: body, trailers: trailers)
        if call.hasCourse {
            attemptAnswered(call)
            if call.course.refusal != nil, let error = spent(call, call.response) {
                call.response = nil
                call.lastPhase = .body
                fail(call, error)
                return
            }
        }
        call.attempt.responded()
        if call.isStreamed, let receiver = call.streamReceiver, !call.abandoned {
            receiver.bodyEnded(trailers: call.response?.trailers)
        }
        followHere(call)
    }

    /// The head of a streamed response is there; the body follows on the same connection.
    func streamHeadArrived(_ call: Call, _ head: ResponseHead) {
        call.attempt.responded()
        guard let receiver = call.streamReceiver else { return }
        let response = response(of: call, head, body: Bytes(), trailers: nil)
        if let response { receiver.headArrived(response) }
    }

    /// The connection went away under the exchange.
    func exchangeLost(_ connection: Connection, _ error: CallError) {
        guard let call = connection.current else { return }
        let loss = connection.loss
        note(error, on: connection, call)
        close(connection)
        guard call.attempt.lost(loss) else {
            attemptFailed(call, error, nothingSent: loss.nothingWritten)
            return
        }
        counters.reuseRacesLost += 1
        note(.failed(error), of: call)
        guard call.content.rewind() else {
            fail(call, error)
            return
        }
        follow(call)
    }

    /// The exchange failed in a way that a fresh connection alone would not mend.
    func exchangeFailed(_ connection: Connection, _ error: CallError) {
        guard let call = connection.current else { return }
        let nothingSent = connection.loss.nothingWritten
        note(error, on: connection, call)
        close(connection)
        attemptFailed(call, error, nothingSent: nothingSent)
    }

    /// The answer that is tried again is longer than its connection is worth.
    func answerDropped(_ connection: Connection) {
        guard let call = connection.current else { return }
        call.connection = nil
        close(connection)
        if call.caching == nil || !isAnsweredOtherwise(call) { backOff(call) }
    }

    private func note(_ error: CallError, on connection: Connection, _ call: Call) {
        call.lastError = error
        call.lastPhase = connection.exchangePhase
        call.connection = nil
    }

    /// The connection that carries the call or is being opened for it.
    func connection(of call: Call) -> Connection? { call.connection.flatMap { pool[$0] } }

    // MARK: The caller

    /// The caller gave up. In the same turn the slot is free and the caller told.
    func cancel(_ id: CallID) {
        guard let call = calls[id] else { return }
        if call.isStarted {
            withdraw(call, .cancelled)
        } else {
            call.isCancelledEarly = true
        }
    }

    /// Takes the call off its connection or out of its line, and fails it.
    func withdraw(_ asked: Call, _ error: CallError) {
        // Who only leaves what others want too changes places with one of them.
        let (call, sharedPhase) = error.isCallersOwn ? leaveFlight(asked) : (asked, nil)
        let connection = connection(of: call)
        if let connection, connection.current === call {
            // Also while an answer is dropped that would have been tried again.
            if call.hasCourse { call.course.retryAt = nil }
            call.caching?.ending = nil
            exchangeFailed(connection, error)
            return
        }
        call.lastPhase = connection?.dialPhase ?? sharedPhase ?? .queue
        call.connection = nil
        leaveLine(call)
        if let connection { passOn(connection) ?? close(connection) }
        fail(call, error)
    }

    /// The reader of a streamed response has room again.
    func resume(_ id: CallID) {
        guard let call = calls[id] else { return }
        connection(of: call)?.resumeReading(call)
    }

    /// The caller leaves a streamed response before its end: a short rest is read for the
    /// connection's sake, else the connection is closed.
    func abandon(_ id: CallID) {
        guard let call = calls[id], let connection = connection(of: call) else { return }
        call.abandoned = true
        guard connection.canDrain(atMost: settings.drainBytes) else {
            withdraw(call, .cancelled)
            return
        }
        connection.exchange.drainBudget = settings.drainBytes
        connection.resumeReading(call)
    }

    /// More came than a drain is worth.
    func drainedTooMuch(_ connection: Connection) {
        exchangeFailed(connection, .cancelled)
    }

    // MARK: Clocks

    /// The clock of a call that stands in a line, follows another or backs off; `token` is its
    /// slot. The client's own have negative ones.
    func timerFired(_ token: Int) {
        guard token >= 0 else {
            clientTimerFired(token)
            return
        }
        guard let call = calls.live(at: token) else { return }
        call.timer = nil
        let isTotal = call.totalDeadline <= reactor.now
        if !isTotal, call.attempt.next() == .backOff {
            backOffEnded(call)
        } else {
            withdraw(call, .timedOut(isTotal ? .total : .queue))
        }
    }
}

extension Connection {
    /// How far the exchange has come.
    var exchangePhase: CallPhase {
        if current?.head != nil { return .body }
        return exchange.requestWritten || exchange.anythingReceived ? .firstByte : .write
    }

    /// Whether the rest of the response is known to be short.
    func canDrain(atMost bytes: Int) -> Bool {
        guard let left = parser.bodyBytesLeft else { return false }
        return left <= bytes
    }
}
