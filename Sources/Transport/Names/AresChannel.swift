// A c-ares channel on the reactor (ares_init_options(3)): its sockets are in the reactor's epoll
// set, its timeouts on the wheel. Owned by the DNS client; reactor thread.
//
// What c-ares is trusted with: query identifiers, matching answers to questions, retransmission,
// the next server after a failing one, TCP after truncation (RFC 7766). What is done here: sockets
// (`AresSockets.swift`), reading answers (`DNSMessage`), everything above one query.
//
// No call into c-ares is made while it calls us: callbacks note what they hear, and it is told when
// the call has returned; for a question that failed on the spot, later in the turn.
//
// Memory safety: the channel is valid from `init` to `close`, which sets it to nil. c-ares holds
// this object's address as long, and each query's object until that query's one callback, which
// holds this object in turn; so no callback meets an object that is gone.

internal import CFetchAres
internal import FetchReactor
internal import FetchTime
internal import Glibc

/// c-ares can't be used.
struct AresFailure: Error, Equatable {
    /// As `ares_strerror` says it.
    let reason: String
}

/// Hears what became of queries. Reactor thread; never told inside `AresChannel.ask`.
protocol AresAnswers: AnyObject {
    func queryAnswered(_ id: Int, _ family: AddressFamily, _ answer: FamilyAnswer)
    /// No query is on its way; called after the last one's answer was told.
    func channelIsIdle(_ channel: AresChannel)
}

/// Which c-ares this is.
package enum AresVersion {
    /// The library that is loaded, as `1.18.1`.
    package static var current: String { unsafe String(cString: ares_version(nil)) }
    /// Whether it is as new as this build needs.
    static var isSupported: Bool { fetch_ares_loaded() >= fetch_ares_oldest }
}

@safe
final class AresChannel: TimerHandler {
    struct Settings: Equatable {
        var servers: [SocketAddress]
        var milliseconds: Int64
        var rounds: Int
        var rotates: Bool
        var usesEDNS: Bool
        var usesTCP: Bool
        /// Kept of each answer.
        var addresses: Int
    }

    let settings: Settings
    let reactor: Reactor
    /// A cycle with the client, until `close`.
    private var answers: (any AresAnswers)?
    private var channel: ares_channel?
    private var functions: UnsafeMutablePointer<ares_socket_functions>
    var sockets: [CInt: AresSocket] = [:]
    private(set) var queries = 0
    /// What servers refused, by question; only kept where there is another server to ask.
    private var refusals: [Question: [NameError.Refusal]] = [:]
    private var settled: [(query: AresQuery, answer: FamilyAnswer)] = []
    private var isTellingDue = false
    private var timer: TimerID?
    private var timerAt = Instant.distantFuture

    struct Question: Hashable {
        /// On-the-wire form, lower case.
        let name: [UInt8]
        let family: AddressFamily
    }

    /// ares_library_init(3), once per process.
    private static let library = ares_library_init(ARES_LIB_INIT_ALL)

    init(
        _ settings: Settings, on reactor: Reactor, answers: any AresAnswers
    ) throws(AresFailure) {
        self.settings = settings
        self.reactor = reactor
        self.answers = answers
        unsafe functions = .allocate(capacity: 1)
        unsafe functions.initialize(to: AresSocket.functions)
        guard Self.library == fetch_ARES_SUCCESS, AresVersion.isSupported else {
            throw AresFailure(reason: "c-ares \(AresVersion.current) is too old")
        }
        var flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES
        if settings.usesEDNS { flags |= ARES_FLAG_EDNS }
        if settings.usesTCP { flags |= ARES_FLAG_USEVC }
        // With one server nobody else can be asked: what it says is the answer. With several,
        // c-ares goes on to the next after SERVFAIL, NOTIMP and REFUSED.
        if settings.servers.count == 1 { flags |= ARES_FLAG_NOCHECKRESP }
        let data = unsafe Unmanaged.passUnretained(self).toOpaque()
        let status = unsafe fetch_ares_open(
            &channel, CInt(clamping: settings.milliseconds), CInt(clamping: settings.rounds),
            flags, settings.rotates, AresSocket.stateChanged, data)
        guard status == fetch_ARES_SUCCESS, let channel = unsafe channel else {
            throw AresFailure(reason: Self.words(status))
        }
        unsafe ares_set_socket_functions(channel, functions, data)
        // Scopes are no part of the list: `AresSocket` adds them when it connects.
        let list = settings.servers.map { "\($0.withoutScope)" }.joined(separator: ",")
        let taken = unsafe fetch_ares_set_servers(channel, list)
        guard taken == fetch_ARES_SUCCESS else {
            throw AresFailure(reason: Self.words(taken))
        }
    }

    private static func words(_ status: CInt) -> String {
        unsafe String(cString: ares_strerror(status))
    }

    /// Asks for one family of a name; it is answered once, later.
    func ask(_ id: Int, _ name: String, _ family: AddressFamily) {
        queries += 1
        let query = AresQuery(id, name, family, self)
        if settings.servers.count > 1 { refusals[question(of: query), default: []] = [] }
        guard let channel = unsafe channel else {
            settled.append((query, .failed(.closed, [])))
            return tellLater()
        }
        // The query's callback takes this reference over.
        let data = unsafe Unmanaged.passRetained(query).toOpaque()
        unsafe fetch_ares_ask(channel, name, CInt(family.rawValue), AresQuery.answered, data)
        if !settled.isEmpty { tellLater() }
        arm()
    }

    /// Ends it: sockets are closed, and queries on their way are answered to nobody.
    func close() {
        answers = nil
        if let timer { reactor.cancel(timer) }
        timer = nil
        guard let open = unsafe channel else { return }
        // Every query's callback is called, and every socket closed, before this returns.
        unsafe ares_destroy(open)
        unsafe channel = nil
        settled = []
        queries = 0
    }

    deinit {
        if let channel = unsafe channel { unsafe ares_destroy(channel) }
        unsafe functions.deallocate()
    }

    // MARK: Events

    func socketReady(_ descriptor: CInt, _ readiness: Readiness) {
        guard let channel = unsafe channel else { return }
        let none = ARES_SOCKET_BAD
        let isReadable = !readiness.isDisjoint(with: [.readable, .readClosed, .error, .hangup])
        let isWritable = !readiness.isDisjoint(with: [.writable, .error, .hangup])
        unsafe ares_process_fd(
            channel, isReadable ? descriptor : none, isWritable ? descriptor : none)
        tell()
    }

    func timerFired(_ token: Int) {
        timer = nil
        timerAt = .distantFuture
        guard let channel = unsafe channel else { return }
        unsafe ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD)
        tell()
    }

    /// One entry on the wheel, moved only when the next timeout comes nearer.
    private func arm() {
        guard let channel = unsafe channel else { return }
        let milliseconds = unsafe fetch_ares_milliseconds(channel)
        guard milliseconds >= 0 else { return }
        // c-ares reads a clock of its own: a millisecond more, so as not to ask too early.
        let due = reactor.now.adding(nanoseconds: Int64(milliseconds + 1) * 1_000_000)
        guard due < timerAt else { return }
        if let timer { reactor.cancel(timer) }
        timer = reactor.schedule(self, at: due)
        timerAt = due
    }

    private func tellLater() {
        guard !isTellingDue else { return }
        isTellingDue = true
        reactor.enqueue { [self] in
            isTellingDue = false
            tell()
        }
    }

    /// Tells what was noted. Those who hear it may ask again.
    private func tell() {
        while !settled.isEmpty {
            var batch: [(query: AresQuery, answer: FamilyAnswer)] = []
            swap(&batch, &settled)
            for (query, answer) in batch {
                queries -= 1
                answers?.queryAnswered(query.id, query.family, answer)
            }
        }
        if queries == 0 { answers?.channelIsIdle(self) }
        arm()
    }

    // MARK: What c-ares says

    /// Notes what became of a query.
    func settle(_ query: AresQuery, _ status: CInt, _ message: Span<UInt8>) {
        let said = settings.servers.count > 1 ? refusals[question(of: query)] ?? [] : []
        refusals[question(of: query)] = nil
        settled.append((query, answer(query.family, status, message, said)))
    }

    private func answer(
        _ family: AddressFamily, _ status: CInt, _ message: Span<UInt8>,
        _ said: [NameError.Refusal]
    ) -> FamilyAnswer {
        if message.count > 0 {
            let only = settings.servers.count == 1 ? settings.servers.first : nil
            return DNSMessage.answer(
                in: message, family, most: settings.addresses, from: only)
        }
        if let last = said.last {
            return .failed(last.code == .refused ? .refused : .serverFailure, said)
        }
        switch status {
        case fetch_ARES_ETIMEOUT: return .failed(.timedOut, [])
        case fetch_ARES_ECONNREFUSED, fetch_ARES_ESERVFAIL: return .failed(.unreachable, [])
        case fetch_ARES_EBADNAME: return .failed(.badName, [])
        case fetch_ARES_ENOTFOUND: return .nothing(noSuchName: true, seconds: nil)
        case fetch_ARES_ENODATA: return .nothing(noSuchName: false, seconds: nil)
        case fetch_ARES_ENOMEM: return .failed(.outOfResources, [])
        case fetch_ARES_EDESTRUCTION, fetch_ARES_ECANCELLED: return .failed(.closed, [])
        default: return .failed(.malformedAnswer, [])
        }
    }

    /// A datagram came: if it refuses to answer a question that is open, that is noted, because
    /// c-ares goes on to the next server and forgets why.
    func received(_ message: Span<UInt8>, from server: SocketAddress?) {
        guard settings.servers.count > 1, let server,
            let code = DNSMessage.responseCode(of: message),
            [.serverFailure, .notImplemented, .refused].contains(code),
            let (name, family) = DNSMessage.question(of: message)
        else { return }
        let question = Question(name: name, family: family)
        let refusal = NameError.Refusal(server: server, code: code)
        guard let noted = refusals[question], !noted.contains(refusal) else { return }
        refusals[question] = noted + [refusal]
    }

    private func question(of query: AresQuery) -> Question {
        Question(name: DNSMessage.wireForm(of: query.name), family: query.family)
    }
}

/// One question on its way. c-ares holds it until it is answered.
final class AresQuery {
    let id: Int
    let name: String
    let family: AddressFamily
    private let channel: AresChannel

    init(_ id: Int, _ name: String, _ family: AddressFamily, _ channel: AresChannel) {
        self.id = id
        self.name = name
        self.family = family
        self.channel = channel
    }

    /// Called exactly once for each query, with a message or without. The message lives until it
    /// returns; `data` is the reference that `ask` gave up.
    static let answered:
        @convention(c) (
            UnsafeMutableRawPointer?, CInt, CInt, UnsafeMutablePointer<UInt8>?, CInt
        ) -> Void = { data, status, _, message, count in
            // See above: memory of the query's, and of c-ares' for the length of this call.
            guard let data = unsafe data else { return }
            let query = unsafe Unmanaged<AresQuery>.fromOpaque(data).takeRetainedValue()
            let bytes = unsafe UnsafeBufferPointer(
                start: message, count: message == nil ? 0 : Int(max(0, count)))
            unsafe query.channel.settle(query, status, Span(_unsafeElements: bytes))
        }
}
