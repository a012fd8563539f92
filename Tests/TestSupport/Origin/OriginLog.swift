// What a scripted origin saw, behind a lock: the origin writes on its reactor, tests read anywhere.

internal import Synchronization

package final class OriginLog: Sendable {
    private let limits: OriginLimits
    private let state = Mutex(OriginSnapshot())

    package init(_ limits: OriginLimits = OriginLimits()) {
        self.limits = limits
    }

    package var snapshot: OriginSnapshot {
        state.withLock { $0 }
    }

    /// The new connection's index.
    func connectionAccepted() -> Int {
        state.withLock { state in
            state.accepted += 1
            state.open += 1
            state.mostOpen = max(state.mostOpen, state.open)
            if state.accepted <= limits.connections { state.requestsOnConnection.append(0) }
            return state.accepted - 1
        }
    }

    func connectionEnded() {
        state.withLock { $0.open -= 1 }
    }

    /// The new request's number.
    func requestArrived(on connection: Int) -> Int {
        state.withLock { state in
            state.requestCount += 1
            if connection < state.requestsOnConnection.count {
                state.requestsOnConnection[connection] += 1
            }
            return state.requestCount - 1
        }
    }

    /// Takes down a request when its head has come, and again when more is known of it.
    func remember(_ request: SeenRequest) {
        state.withLock { state in
            if request.number < state.requests.count {
                state.requests[request.number] = request
            } else if request.number < limits.requests {
                state.requests.append(request)
            }
        }
    }

    func complain(_ reason: String) {
        state.withLock { state in
            if state.complaints.count < 1_000 { state.complaints.append(reason) }
        }
    }
}
