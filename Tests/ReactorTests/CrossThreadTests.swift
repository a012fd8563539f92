// What crosses threads: posts, jobs, releases, the end.

import FetchReactor
import FetchTime
import Glibc
import Synchronization
import TestSupport
import Testing

private final class Log: Sendable {
    let entries = Mutex<[Int]>([])
    func append(_ entry: Int) { entries.withLock { $0.append(entry) } }
}

@Suite struct CrossThreadTests {
    @Test func `posts of one thread run in order and wake the loop`() async throws {
        let log = Log()
        try await onReactor { reactor in
            await withCheckedContinuation { continuation in
                Task.detached {
                    for number in 0..<10_000 { reactor.post { log.append(number) } }
                    reactor.post { continuation.resume() }
                }
            }
        }
        #expect(log.entries.withLock { $0 } == Array(0..<10_000))
    }

    @Test func `eight submitting tasks lose nothing`() async throws {
        let log = Log()
        try await onReactor { reactor in
            await withTaskGroup(of: Void.self) { group in
                for submitter in 0..<8 {
                    group.addTask(executorPreference: globalConcurrentExecutor) {
                        for number in 0..<500 {
                            await Task(executorPreference: reactor) {
                                #expect(reactor.isCurrent)
                                log.append(submitter * 1_000 + number)
                            }.value
                        }
                    }
                }
            }
        }
        let entries = log.entries.withLock { $0 }
        #expect(entries.count == 4_000)
        for submitter in 0..<8 {
            let own = entries.filter { $0 / 1_000 == submitter }
            #expect(own == own.sorted())
        }
    }

    @Test func `the last copy of a bound value dies on the reactor's thread`() async throws {
        final class Resident {
            let reactor: Reactor
            let died: Log
            init(_ reactor: Reactor, _ died: Log) { (self.reactor, self.died) = (reactor, died) }
            deinit { died.append(reactor.isCurrent ? 1 : 0) }
        }
        let died = Log()
        let reactor = try Reactor.startThread(name: "test")
        for _ in 0..<100 { _ = ReactorBound(Resident(reactor, died), on: reactor) }
        await Task(executorPreference: reactor) {
            let bound = ReactorBound(Resident(reactor, died), on: reactor)
            #expect(bound.value.reactor === bound.reactor)
        }.value
        #expect(died.entries.withLock { $0 } == Array(repeating: 1, count: 101))
        let survivor = ReactorBound(Resident(reactor, died), on: reactor)
        await end(reactor)
        _ = consume survivor
        #expect(died.entries.withLock { $0.count } == 102)
    }

    @Test func `an ended reactor takes no posts, and a task that comes late still runs`()
        async throws
    {
        let reactor = try Reactor.startThread(name: "test")
        await end(reactor)
        reactor.stop()
        #expect(!reactor.post {})
        let late = Task(executorPreference: reactor) { reactor.isCurrent }
        #expect(await late.value == false)
        #expect(await Resident(reactor.serialExecutor).step() == 1)
    }

    @Test func `close hooks run on the thread, and what was accepted runs before the end`()
        async throws
    {
        let log = Log()
        let reactor = try Reactor.startThread(name: "test")
        await Task(executorPreference: reactor) {
            _ = reactor.onClose {
                log.append(reactor.isCurrent ? 1 : 0)
                reactor.enqueue { log.append(2) }
            }
        }.value
        await end(reactor)
        #expect(log.entries.withLock { $0 } == [1, 2])
    }

    @Test func `an actor whose executor is the reactor's serial face lives on its thread`()
        async throws
    {
        try await onReactor { reactor in
            let resident = Resident(reactor.serialExecutor)
            #expect(reactor.serialExecutor === resident.executor)
            #expect(await resident.step() == 1)
            #expect(await resident.isOnReactor)
            // A callback on the thread may enter the actor without waiting.
            #expect(synchronously(resident) == 1)
            await Task.detached { #expect(await resident.step() == 2) }.value
        }
    }

    @Test func `a reactor's thread carries its name and ends with it`() async throws {
        let (name, watched) = try await runOne()
        #expect(name == "a-name-that-is-")
        // The thread lets go of the reactor as its last act.
        while watched.value != nil { await Task.yield() }
    }

    private func runOne() async throws -> (String, Weak) {
        let reactor = try Reactor.startThread(name: "a-name-that-is-too-long")
        let name = await Task(executorPreference: reactor) {
            var buffer = [UInt8](repeating: 0, count: 64)
            // open reads the path during the call only.
            let file = unsafe open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC)
            // The buffer is as long as it says.
            let count = unsafe read(file, &buffer, 64)
            close(file)
            return String(decoding: buffer.prefix(max(0, count - 1)), as: UTF8.self)
        }.value
        reactor.stop()
        return (name, Weak(reactor))
    }

    /// Stops the reactor and waits for its thread's last turn.
    private func end(_ reactor: Reactor) async {
        await withCheckedContinuation { continuation in
            reactor.post { _ = reactor.onClose { continuation.resume() } }
            reactor.stop()
        }
        while reactor.post({}) { await Task.yield() }
    }
}

private func synchronously(_ resident: Resident) -> Int {
    resident.assumeIsolated { $0.steps }
}

/// Whether a reactor is still there.
private final class Weak: Sendable {
    private weak let reference: Reactor?
    init(_ reactor: Reactor) { reference = reactor }
    var value: Reactor? { reference }
}

private actor Resident {
    let executor: ReactorSerialExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // The executor is kept by the line above.
        unsafe executor.asUnownedSerialExecutor()
    }
    private(set) var steps = 0

    init(_ executor: ReactorSerialExecutor) { self.executor = executor }

    var isOnReactor: Bool { executor.reactor.isCurrent }

    func step() -> Int {
        steps += 1
        return steps
    }
}
