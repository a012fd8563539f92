// What one seed of the simulation plays: the network's weather, the client's configuration, the
// origins and every call with what the origin will do about it. A value, drawn whole before
// anything runs, so that a failing seed can be read.

import Fetch
import FetchTime
import TestSupport

/// What an origin does about one call.
enum Kind: String, CaseIterable, Sendable {
    case plain, delayed, chunked, closeDelimited, interim, noContent, notModified
    case silentClose, announcedClose, extraBytes, keepAliveHint, drip, slowReader, early
    case dropped, reset, truncated, resetInBody, malformed, twoLengths, hang, stall

    /// Kinds after which a right response must have come.
    var answersRightly: Bool {
        switch self {
        case .plain, .delayed, .chunked, .closeDelimited, .interim, .noContent, .notModified,
            .silentClose, .announcedClose, .extraBytes, .keepAliveHint, .drip, .slowReader, .early:
            true
        case .dropped, .reset, .truncated, .resetInBody, .malformed, .twoLengths, .hang, .stall:
            false
        }
    }

    /// Kinds that speak raw bytes after the head, which HEAD does not expect.
    var suitsHead: Bool {
        switch self {
        case .plain, .delayed, .chunked, .interim, .noContent, .notModified, .silentClose,
            .announcedClose, .keepAliveHint, .dropped, .reset, .malformed, .hang:
            true
        case .closeDelimited, .extraBytes, .drip, .slowReader, .early, .truncated, .resetInBody,
            .twoLengths, .stall:
            false
        }
    }
}

/// One call and its fate.
struct PlannedCall: Sendable {
    var id: Int
    /// The call whose answer is asked for: its own, but for twins.
    var asks: Int
    var origin: Int
    var kind: Kind
    var method: HTTPRequest.Method
    /// Bytes of the response's body behind its mark.
    var size: Int
    /// Bytes of the upload; nil for none.
    var upload: Int?
    var start: Duration
    /// From the start.
    var cancel: Duration?
    var total: Duration?

    var isSafe: Bool { method == .get || method == .head }
    var isIdempotent: Bool { method != .post && method != .patch }

    /// The body the origin sends for this call and no other.
    var body: [UInt8] {
        if method == .head || kind == .noContent || kind == .notModified { return [] }
        return PlannedCall.marked("response", asks, size)
    }

    var uploadBody: [UInt8] { PlannedCall.marked("upload", asks, upload ?? 0) }

    /// A mark and bytes that only this id has in these places.
    private static func marked(_ what: String, _ id: Int, _ size: Int) -> [UInt8] {
        Array("\(what) \(id);".utf8) + BodyPattern.bytes(at: id * 1_009, count: size)
    }
}

struct Scenario: Sendable {
    let seed: UInt64
    var weather = Weather()
    var origins = 1
    var calls: [PlannedCall] = []
    /// Origins end all their connections at these times.
    var restarts: [Duration] = []
    var connectionsPerOrigin = 10
    var connections = 100
    var idleConnections = 20
    var idleTimeout = Duration.seconds(10)
    var usesPerConnection: Int?
    var isStormy = false
    /// Nil where no policy is on but those that are by default.
    let policies: PolicyWeather?

    /// Short clocks, so that all of them are seen to run out.
    var timeouts = Timeouts()

    init(seed: UInt64) {
        self.seed = seed
        policies = PolicyWeather(seed: seed)
        var dice = Dice(seed: seed)
        drawWorld(&dice)
        let count = dice.pick(16...48)
        calls = (0..<count).map { drawCall($0, &dice) }
        if let policies { drawTwins(policies) }
    }

    private mutating func drawWorld(_ dice: inout Dice) {
        isStormy = dice.chance(0.5)
        weather = isStormy ? .storm : Weather()
        weather.misfortune = .zero ... .seconds(3)
        timeouts.queue = .milliseconds(dice.pick(500...20_000))
        timeouts.connect = .milliseconds(dice.pick(200...2_000))
        timeouts.writeIdle = .seconds(4)
        timeouts.firstByte = .seconds(5)
        timeouts.readIdle = .seconds(3)
        timeouts.total = .seconds(dice.pick(10...40))
        if dice.chance(0.3) { weather.segment = 1...40 }
        if dice.chance(0.3) { weather.read = 1...100 }
        if dice.chance(0.3) { weather.window = 500...3_000 }
        if dice.chance(0.2) { weather.readiness = .zero ... .milliseconds(20) }
        if dice.chance(0.2) { weather.delay = .zero ... .milliseconds(150) }
        origins = dice.pick(1...4)
        connectionsPerOrigin = dice.pick(1...5)
        connections = dice.pick(1...12)
        idleConnections = dice.pick(0...6)
        idleTimeout = .milliseconds(dice.pick(1...5_000))
        usesPerConnection = dice.chance(0.2) ? dice.pick(1...4) : nil
        if dice.chance(0.3) {
            restarts = (0..<dice.pick(1...4)).map { _ in dice.pick(.zero ... .seconds(4)) }
        }
    }

    /// Some ask the same as others, at about the same time.
    private mutating func drawTwins(_ policies: PolicyWeather) {
        var dice = Dice(seed: policies.seed &* 104_729)
        for call in calls where call.method == .get && dice.chance(0.5) {
            for _ in 0..<dice.pick(1...4) {
                var twin = call
                twin.id = calls.count
                twin.start += dice.pick(.zero ... .milliseconds(30))
                twin.cancel = dice.chance(0.3) ? dice.pick(.zero ... .milliseconds(60)) : nil
                twin.total = dice.chance(0.1) ? .milliseconds(dice.pick(1...600)) : nil
                calls.append(twin)
            }
        }
    }

    private func drawCall(_ id: Int, _ dice: inout Dice) -> PlannedCall {
        // Right answers are the larger part, or pools would see little reuse.
        var kind = dice.chance(0.4) ? Kind.plain : dice.pick(Kind.allCases)
        let methods: [HTTPRequest.Method] = [.get, .get, .head, .post, .put, .delete, .patch]
        var method = dice.pick(methods)
        if kind == .early || kind == .slowReader { method = dice.pick([.post, .put]) }
        if method == .head, !kind.suitsHead { kind = .plain }
        let uploads = method == .post || method == .put || method == .patch
        return PlannedCall(
            id: id, asks: id, origin: dice.pick(0...(origins - 1)), kind: kind, method: method,
            size: size(&dice, most: kind == .drip ? 40 : 20_000),
            upload: uploads ? size(&dice, most: 20_000) : nil,
            start: dice.pick(.zero ... .seconds(4)),
            cancel: dice.chance(0.12) ? dice.pick(.zero ... .milliseconds(400)) : nil,
            total: dice.chance(0.1) ? .milliseconds(dice.pick(1...600)) : nil)
    }

    /// Mostly small, now and then large.
    private func size(_ dice: inout Dice, most: Int) -> Int {
        dice.chance(0.75) ? dice.pick(0...min(most, 300)) : dice.pick(0...most)
    }

    /// Whether others ask the same.
    func hasTwins(_ call: PlannedCall) -> Bool {
        calls.contains { $0.asks == call.asks && $0.id != call.id }
    }

    var configuration: FetcherConfiguration {
        var configuration = FetcherConfiguration()
        configuration.timeouts = timeouts
        configuration.pool.connectionsPerOrigin = connectionsPerOrigin
        configuration.pool.connections = connections
        configuration.pool.idleConnections = idleConnections
        configuration.pool.idleTimeout = idleTimeout
        configuration.pool.usesPerConnection = usesPerConnection
        let hosts = (0..<origins).map { "origin\($0).test" }
        for (index, host) in hosts.enumerated() {
            configuration.hostOverrides[host] = ["192.0.2.\(index + 1)"]
        }
        policies?.apply(to: &configuration, origins: hosts)
        return configuration
    }
}
