// The probes that print facts.

import CFetchLinux
import Fetch
import FetchTransport
import Glibc
import TestSupport

/// Uploads to a peer that leaves under them, SIGPIPE as the system has it: a signal would end this
/// process. The origin closes at the head; the pieces come when it has. The first is answered by a
/// reset, and the next is a write to a broken connection (EPIPE).
func probeResets(_ count: Int) throws {
    print("default disposition \(pipeSignalIsDefault())")
    let log = OriginLog(.nothing)
    var configuration = Reactor.Configuration()
    // The producer waits by yielding.
    configuration.maxJobsPerTurn = 8
    try withOrigin(.atHead { _ in [.close] }, log: log, configuration) { reactor, port in
        let fetcher = try Fetcher(.patient)
        var codes: Set<String> = []
        for number in 0..<count {
            let pieces = AsyncThrowingStream<Bytes, any Error>(unfolding: {
                while log.snapshot.accepted - log.snapshot.open <= number { await Task.yield() }
                return Bytes("a piece of the content")
            })
            do {
                _ = try await fetcher.post(
                    "http://127.0.0.1:\(port)/", body: .stream(length: 100_000, pieces))
            } catch let error as FetchError {
                codes.insert(error.code.rawValue)
            }
        }
        print("\(count) failed: \(codes.sorted())")
    }
    print("alive, still default \(pipeSignalIsDefault())")
}

private func pipeSignalIsDefault() -> Bool {
    var action = sigaction()
    // Reads the disposition into a local; SIG_DFL is the null pointer.
    return unsafe sigaction(SIGPIPE, nil, &action) == 0
        && action.__sigaction_handler.sa_handler == nil
}

/// A child of fork(2) in the middle of calls.
func probeFork() throws {
    let script = Script { request in
        request.target == "/slow" ? [.delay(.milliseconds(50)), .text("slow")] : [.text("x")]
    }
    try withOrigin(script) { reactor, port in
        let url = "http://127.0.0.1:\(port)"
        let fetcher = try Fetcher(.patient)
        // One connection at rest and one in the middle of an exchange.
        _ = try await fetcher.get(url + "/")
        async let slow = fetcher.get(url + "/slow")
        try await reactor.clock.sleep(for: .milliseconds(5))
        fflush(nil)
        let child = fetch_fork()
        if child == 0 {
            do {
                _ = try await fetcher.get(url + "/")
            } catch {
                print("child's get: \((error as? FetchError)?.code.rawValue ?? "\(error)")")
            }
            do {
                _ = try LocalFetcher(on: reactor)
            } catch {
                print("child's client: \((error as? FetchError)?.code.rawValue ?? "\(error)")")
            }
            await fetcher.shutdown(.immediate)
            fflush(nil)
            _exit(0)
        }
        var status: CInt = 0
        // The pointer is to a local.
        unsafe waitpid(child, &status, 0)
        print("child's status \(status)")
        print("parent's call in flight: \(try await slow.text)")
        for _ in 0..<100 { _ = try await fetcher.get(url + "/") }
        let statistics = try await fetcher.statistics
        print("parent: \(statistics.callsFailed) failed, \(statistics.connectionsOpened) opened")
    }
}

/// The most threads ever seen while many calls run.
func probeThreads(_ count: Int) throws {
    try withOrigin(.always(.text("x"))) { reactor, port in
        var configuration = FetcherConfiguration.patient
        configuration.pool.connectionsPerOrigin = 64
        let fetcher = try Fetcher(configuration)
        var most = 0
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    var good = 0
                    for _ in 0..<count / 64 {
                        good += try await fetcher.get("http://127.0.0.1:\(port)/").ok ? 1 : 0
                    }
                    return good
                }
            }
            var good = 0
            for try await part in group {
                good += part
                most = max(most, ProcessFacts.threads)
            }
            print("\(good) good, Threads: \(most)")
        }
    }
}

/// Visits many origins of 127.0.0.0/8 twice: tracked origins and descriptors stay bounded.
func probeOrigins(_ count: Int) throws {
    try withOrigin(on: SocketAddress(.ipv4(0), port: 0), .always(.text("x"))) { reactor, port in
        let before = descriptors().count
        var configuration = FetcherConfiguration.patient
        configuration.pool.trackedOrigins = 50
        let fetcher = try Fetcher(configuration)
        var most = 0
        var mostTracked = 0
        for _ in 0..<2 {
            for number in 0..<count {
                let host = "127.1.\(number / 250).\(1 + number % 250)"
                _ = try await fetcher.get("http://\(host):\(port)/")
                let tracked = try await fetcher.statistics.trackedOrigins
                mostTracked = max(mostTracked, tracked)
                if number % 50 == 0 { most = max(most, descriptors().count) }
            }
        }
        await fetcher.shutdown()
        let isFlat = try await eventually(on: reactor) { descriptors().count == before }
        print("tracked at most \(mostTracked)")
        // Both ends of each connection are here.
        print("descriptors bounded \(most <= before + 2 * 50 + 8), flat \(isFlat)")
    }
}

func probeCloseOnExec() throws {
    // What this process was started with is not ours.
    let ofOthers = Set(descriptors())
    try withOrigin(.always(.delay(.milliseconds(5)), .text("x"))) { reactor, port in
        let fetcher = try Fetcher(.patient)
        async let one = fetcher.get("http://127.0.0.1:\(port)/")
        async let two = fetcher.get("http://127.0.0.1:\(port)/")
        try await reactor.clock.sleep(for: .milliseconds(2))
        let inherited = descriptors().filter {
            !ofOthers.contains($0) && fcntl($0, F_GETFD) & FD_CLOEXEC == 0
        }
        let sockets = inherited.filter { isSocket($0) }
        print("sockets that exec would keep: \(sockets.count)")
        _ = try await (one, two)
    }
}

private func isSocket(_ descriptor: CInt) -> Bool {
    var status = stat()
    // fstat writes one struct.
    return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
}

/// Clients made, used in every way of ending, and left.
func probeScopes(_ count: Int) throws {
    try withOrigin(.always(.delay(.milliseconds(1)), .text("x"))) { reactor, port in
        let url = "http://127.0.0.1:\(port)/"
        let before = descriptors().count
        var escaped: Fetcher?
        for number in 0..<count {
            switch number % 3 {
            case 0:
                // Scoped.
                escaped = try await withFetcher(.patient) { fetcher in
                    _ = try await fetcher.get(url)
                    return fetcher
                }
            case 1:
                // Dropped with an idle connection, without a word.
                _ = try await Fetcher(.patient).get(url)
            default:
                let fetcher = try Fetcher(.patient)
                async let call = fetcher.get(url)
                try await reactor.clock.sleep(for: .milliseconds(1))
                await fetcher.shutdown(.immediate)
                await fetcher.shutdown(.immediate)
                _ = try? await call
            }
        }
        do {
            _ = try await escaped?.get(url)
        } catch {
            print("escaped: \((error as? FetchError)?.code.rawValue ?? "\(error)")")
        }
        let isFlat = try await eventually(on: reactor) { descriptors().count == before }
        print("descriptors flat \(isFlat)")
    }
}

/// Clients made off any reactor own a thread each, which ends with them.
func probeOwnedThreads(_ count: Int) throws {
    try withOrigin(.always(.text("x"))) { reactor, port in
        let url = "http://127.0.0.1:\(port)/"
        _ = try await Task { @concurrent in try await Fetcher(.patient).get(url) }.value
        print("threads \(ProcessFacts.threads > 1)")
        let before = descriptors().count
        for _ in 0..<count {
            _ = try await Task { @concurrent in try await Fetcher(.patient).get(url) }.value
        }
        let isFlat = try await eventually(on: reactor) { descriptors().count <= before }
        print("descriptors flat \(isFlat)")
    }
}

/// Many bytes down and up through one client: resident memory does not follow them.
func probeFlatMemory(_ mebibytes: Int) throws {
    let script = Script(
        early: { $0.method == "POST" ? [.swallow, .tally] : nil },
        whole: { _ in [.generate(mebibytes << 20)] })
    try withOrigin(script) { reactor, port in
        let fetcher = try Fetcher(.patient)
        let url = "http://127.0.0.1:\(port)/"
        let before = ProcessFacts.residentKiB
        var offset = 0
        var isPattern = true
        try await fetcher.stream(url) { response in
            for try await piece in response.body {
                isPattern = isPattern && BodyPattern.matches(piece, at: offset)
                offset += piece.count
            }
        }
        let grown = ProcessFacts.residentKiB - before
        print("\(offset >> 20) MiB, all there \(isPattern), grown little \(grown < 16_384)")
    }
}
