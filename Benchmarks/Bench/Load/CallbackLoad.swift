// The load through the callback API: a chain per connection, no Swift task per request. Reactor's
// thread.

import Fetch
import FetchReactor

/// Callers as chains of callbacks.
final class CallbackLoad {
    let client: LocalFetcher
    private let plan: LoadPlan
    private let run: LoadRun
    private var isCutOff = false

    init(_ plan: LoadPlan, _ run: LoadRun, on reactor: Reactor) throws {
        self.plan = plan
        self.run = run
        client = try LocalFetcher(plan.configuration, on: reactor)
    }

    /// Begins every chain.
    func start() {
        run.callersBegan(plan.connections)
        for _ in 0..<plan.connections { step() }
    }

    /// Ends the requests in flight.
    func cutOff() {
        isCutOff = true
        client.shutdown(.immediate)
    }

    private func step() {
        switch run.take() {
        case .start(let start): send(start)
        case .finished: run.callerEnded()
        case .wait(let due):
            run.park(until: due) { [self] start in
                if let start { send(start) } else { run.callerEnded() }
            }
        }
    }

    private func send(_ start: Start) {
        if plan.isPlain {
            client.get(plan.url(start.number)) { [self] in ended(start, $0) }
            return
        }
        do {
            client.execute(try plan.request(start.number)) { [self] in ended(start, $0) }
        } catch {
            ended(start, .failure(error))
        }
    }

    private func ended(_ start: Start, _ result: Result<Response, any Error>) {
        switch result {
        case .success(let response):
            run.succeeded(start, status: response.statusCode, bytes: response.body.count)
            step()
        case .failure(let error):
            if isCutOff { run.cutOff(start) } else { run.failed(start, code: code(of: error)) }
            step()
        }
    }
}
