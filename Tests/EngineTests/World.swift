// An engine on a reactor with virtual time over a network in memory: nothing happens that a test
// does not say. Turned by hand on the test's own thread; it never waits.

import FetchBytes
import FetchEngine
import FetchHTTP
import FetchHTTP1
import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

final class World {
    let reactor: Reactor
    let network: MemoryNetwork
    private(set) var engine: Engine?
    private let told = ToldCalls()
    private let beginning: Instant

    init(_ change: (inout EngineSettings) -> Void = { _ in }) throws {
        var configuration = Reactor.Configuration()
        configuration.virtualTime = VirtualTime(jumps: false)
        reactor = try Reactor.embedded(configuration)
        network = MemoryNetwork(on: reactor)
        var settings = EngineSettings(encoder: try RequestEncoder(userAgent: "test"))
        change(&settings)
        let engine = Engine(settings, reactor: reactor, network: network)
        engine.receiver = told
        engine.attach()
        self.engine = engine
        beginning = reactor.now
    }

    deinit {
        // Everything is let go on the thread that made it.
        engine = nil
        reactor.stop()
    }

    var streams: Streams { Streams(all: network.streams, reactor: reactor) }

    var statistics: EngineStatistics { engine?.statistics ?? EngineStatistics() }

    /// `2 active, 1 idle, 0 connecting`
    var pool: String { engine?.poolDescription ?? "" }

    /// Since the world began.
    var elapsed: Duration { reactor.now - beginning }

    /// Everything that can happen now happens.
    func run() { reactor.runUntilIdle() }

    func pass(_ duration: Duration) { reactor.advance(by: duration) }

    /// Nobody holds the engine any more.
    func dropEngine() { engine = nil }

    /// Begins a call and lets happen what happens at once.
    @discardableResult
    func call(
        _ url: String = "http://10.0.0.1/", method: String = "GET",
        headers: [(String, String)] = [], content: RequestContent = .none,
        length: RequestBodyLength = .none, bodyLimit: Int = 1 << 20,
        clocks: (inout Clocks) -> Void = { _ in }
    ) throws -> TestCall {
        let call = begin(
            try plan(url, method, headers, content, length, bodyLimit, clocks))
        run()
        return call
    }

    /// Begins a call; nothing else happens yet.
    func begin(_ plan: CallPlan) -> TestCall {
        guard let engine else { preconditionFailure("the engine was dropped") }
        let call = TestCall(engine.open(), reactor)
        start(call, plan)
        return call
    }

    /// Starts a call that was opened.
    func start(_ call: TestCall, _ plan: CallPlan) {
        told.calls[call.id] = call
        engine?.start(call.id, plan, .receiver)
    }

    func plan(
        _ url: String, _ method: String = "GET", _ headers: [(String, String)] = [],
        _ content: RequestContent = .none, _ length: RequestBodyLength = .none,
        _ bodyLimit: Int = 1 << 20, policy: CallPolicy? = nil,
        _ change: (inout Clocks) -> Void = { _ in }
    ) throws -> CallPlan {
        var clocks = Clocks()
        change(&clocks)
        return CallPlan(
            head: try RequestHead(
                method: try Method(method), target: try Target(url),
                headers: try Headers(headers), body: length),
            content: content, clocks: SharedClocks(clocks), bodyLimit: bodyLimit, policy: policy)
    }

    /// A call whose body is read through a pipe.
    func stream(
        _ url: String = "http://10.0.0.1/", highWater: Int = 256 << 10,
        content: RequestContent = .none, length: RequestBodyLength = .none,
        clocks: (inout Clocks) -> Void = { _ in }
    ) throws -> TestStream {
        guard let engine else { preconditionFailure("the engine was dropped") }
        let id = engine.open()
        let stream = TestStream(BodyPipe(engine: engine, highWater: highWater, call: id), id)
        let method = length == .none ? "GET" : "POST"
        engine.start(
            id, try plan(url, method, [], content, length, 0, clocks), .stream(stream.pipe))
        run()
        return stream
    }

    func cancel(_ call: TestCall) {
        engine?.cancel(call.id)
        run()
    }

    /// One GET, answered, so that the origin has an idle connection.
    @discardableResult
    func warmUp(_ url: String = "http://10.0.0.1/") throws -> MemoryStream {
        let call = try call(url)
        let stream = try #require(streams.last)
        stream.send(ok)
        run()
        #expect(call.status == 200)
        _ = stream.takeWritten()
        return stream
    }

    /// Closes every connection and checks that nothing is left.
    func expectBaseline(_ location: SourceLocation = #_sourceLocation) {
        let now = statistics
        #expect(now.callsInFlight == 0, sourceLocation: location)
        #expect(now.waiting == 0, sourceLocation: location)
        #expect(now.connecting + now.active == 0, sourceLocation: location)
        #expect(network.open.count == now.idle, sourceLocation: location)
        pass(.seconds(120))
        #expect(pool == "0 active, 0 idle, 0 connecting", sourceLocation: location)
        #expect(statistics.trackedOrigins == 0, sourceLocation: location)
        #expect(network.open.isEmpty, sourceLocation: location)
    }
}

/// Streams in the order in which they were opened. One that is missing is an issue, not a trap.
struct Streams: RandomAccessCollection {
    let all: [MemoryStream]
    let reactor: Reactor
    var startIndex: Int { 0 }
    var endIndex: Int { all.count }

    subscript(index: Int) -> MemoryStream {
        if index < all.count { return all[index] }
        Issue.record("stream \(index) was not opened, only \(all.count) were")
        return MemoryStream(to: .loopback(port: 1), on: reactor, number: -1)
    }
}

/// A response with a body of two bytes.
let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/// The engine's receiver: tells each call of its end.
private final class ToldCalls: CallReceiver {
    var calls: [CallID: TestCall] = [:]

    func callEnded(_ id: CallID, _ response: WholeResponse) { calls[id]?.ended(.success(response)) }

    func callFailed(_ id: CallID, _ failure: CallFailure) { calls[id]?.ended(.failure(failure)) }
}

/// What a call was told.
final class TestCall {
    let id: CallID
    private let reactor: Reactor
    private(set) var outcome: Result<WholeResponse, CallFailure>?
    private(set) var endedAt: Instant?
    private(set) var timesTold = 0

    init(_ id: CallID, _ reactor: Reactor) {
        self.id = id
        self.reactor = reactor
    }

    fileprivate func ended(_ outcome: Result<WholeResponse, CallFailure>) {
        self.outcome = outcome
        endedAt = reactor.now
        timesTold += 1
    }

    var isOver: Bool { outcome != nil }
    var response: WholeResponse? { try? outcome?.get() }
    var status: Int? { response.map { Int($0.head.status) } }
    var body: String? { response.map { String($0.body) } }

    var failure: CallFailure? {
        if case .failure(let failure) = outcome { failure } else { nil }
    }

    /// The failure as `timedOut(queue), queue`.
    var told: String? {
        failure.map { "\(TestCall.name($0.error)), \($0.phase.rawValue)" }
    }

    static func name(_ error: CallError) -> String {
        switch error {
        case .timedOut(let clock): "timedOut(\(clock.rawValue))"
        case .connect(.nameNotResolved): "nameNotResolved"
        case .connect(.failed): "connectFailed"
        case .handshake: "handshake"
        case .closedBeforeResponse: "closedBeforeResponse"
        case .broken(_, let duringBody): duringBody ? "broken during body" : "broken"
        case .malformed(let error): "malformed(\(error))"
        case .truncated(let error): "truncated(\(error))"
        case .bodyTooLarge(let limit): "bodyTooLarge(\(limit))"
        case .waitingLineFull(let limit): "waitingLineFull(\(limit))"
        case .tooManyOrigins(let limit): "tooManyOrigins(\(limit))"
        case .circuitOpen(let wait): "circuitOpen(\(wait / 1_000_000) ms)"
        case .rateLimited(let wait): "rateLimited(\(wait / 1_000_000) ms)"
        case .impolite: "impolite"
        case .attemptsSpent(let response): "attemptsSpent(\(response.head.status))"
        case .notCached: "notCached"
        case .cancelled: "cancelled"
        case .clientClosed: "clientClosed"
        case .uploadFailed(let error): "uploadFailed(\(error))"
        case .uploadLength(let declared, let given): "uploadLength(\(declared), \(given))"
        case .uploadTrailers(let error): "uploadTrailers(\(error))"
        }
    }
}

/// A streamed call as its caller sees it.
final class TestStream {
    let pipe: BodyPipe
    let id: CallID
    private(set) var head: WholeResponse?
    private(set) var failure: CallFailure?
    private(set) var ended = false

    init(_ pipe: BodyPipe, _ id: CallID) {
        self.pipe = pipe
        self.id = id
        pipe.whenHead { [weak self] outcome in
            switch outcome {
            case .success(let head): self?.head = head
            case .failure(let failure): self?.failure = failure
            }
        }
    }

    /// Every byte that is there now.
    func takeAll() -> [UInt8] {
        var all: [UInt8] = []
        while let piece = takePiece() { all += piece }
        return all
    }

    /// The next piece, if there is one now.
    func takePiece() -> Bytes? {
        switch pipe.takeNext() {
        case .bytes(let bytes): return bytes
        case .end: ended = true
        case .failure(let failure): self.failure = failure
        case .left, .busy, nil: break
        }
        return nil
    }
}

extension World {
    /// An upload that the test feeds.
    func uploadPipe(length: Int?, highWater: Int = 1 << 20) -> ReactorBound<UploadPipe> {
        ReactorBound(UploadPipe(length: length, highWater: highWater), on: reactor)
    }
}
