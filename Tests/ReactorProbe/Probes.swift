// The probes that print facts.

import CFetchLinux
import FetchReactor
import FetchTime
import Glibc

/// How many threads this process has, by the kernel's own count.
func threadCount() -> String {
    // Opened and closed here; fgets writes at most the buffer's size.
    guard let file = unsafe fopen("/proc/self/status", "r") else { return "?" }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while unsafe fgets(&line, 256, file) != nil {
        // The buffer ends in a zero: fgets(3) puts it there.
        let text = String(
            decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        if text.hasPrefix("Threads:") {
            return String(text.dropFirst(8).filter { $0.isNumber })
        }
    }
    return "?"
}

func probeOneThread() throws {
    let thread = pthread_self()
    let sum = try Reactor.run {
        let reactor = Reactor.current
        var sum = 0
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<100 {
                group.addTask {
                    try await reactor?.clock.sleep(for: .milliseconds(number % 7))
                    return pthread_self() == thread ? 1 : 0
                }
            }
            for try await one in group { sum += one }
        }
        try await Task.sleep(for: .milliseconds(2))
        print("threads \(threadCount())")
        return sum
    }
    print("tasks on the thread \(sum)")
    print("current afterwards \(Reactor.current == nil ? "none" : "some")")
}

@MainActor var mainActorSteps = 0

func probeMainActor() throws {
    Task { @MainActor in mainActorSteps += 1 }
    try Reactor.run {
        for _ in 0..<10 {
            await MainActor.run { mainActorSteps += 1 }
        }
        print("steps \(await mainActorSteps)")
        print("threads \(threadCount())")
    }
}

func probeGlobalExecutor() throws {
    var configuration = Reactor.Configuration()
    configuration.installsGlobalExecutor = true
    let thread = pthread_self()
    try Reactor.run(configuration) {
        let plain = Task {
            try await Task.sleep(for: .milliseconds(5))
            return pthread_self() == thread
        }
        let detached = Task.detached {
            await Task.yield()
            return pthread_self() == thread
        }
        try await Task.sleep(for: .milliseconds(1))
        print("plain \(try await plain.value)")
        print("detached \(await detached.value)")
        let cancelled = Task { try await Task.sleep(for: .seconds(3_600)) }
        cancelled.cancel()
        if case .failure(let error) = await cancelled.result {
            print("cancelled \(type(of: error))")
        }
        print("threads \(threadCount())")
        Task { try? await Task.sleep(for: .milliseconds(20)) }
    }
    let after = try Reactor.run { await Task { pthread_self() == thread }.value }
    print("afterwards \(after)")
}

private final class Ear: ReadinessHandler {
    var heard = 0
    func descriptorReady(_ readiness: Readiness) { heard += 1 }
}

func probeFork() throws {
    try Reactor.run {
        guard let reactor = Reactor.current else { return }
        let pipe = eventfd(0, 0)
        let ear = Ear()
        let registration = try reactor.register(pipe, .readable, ear)
        fflush(nil)
        let child = fetch_fork()
        if child == 0 {
            // Everything that the child can call, and nothing that reaches the parent's set.
            reactor.deregister(registration)
            print("child forked \(reactor.isForked), on its thread \(reactor.isCurrent)")
            do { _ = try reactor.register(pipe, .readable, ear) } catch { print("child \(error)") }
            print("child posts \(reactor.post {})")
            print("child current \(Reactor.current == nil ? "none" : "some")")
            let own = try Reactor.run { 42 }
            print("child's own reactor \(own)")
            fflush(nil)
            _exit(0)
        }
        var status: CInt = 0
        unsafe waitpid(child, &status, 0)
        eventfd_write(pipe, 1)
        while ear.heard == 0 { try await reactor.clock.sleep(for: .milliseconds(1)) }
        print("parent heard")
        reactor.deregister(registration)
    }
}

func probeForkThatGoesOn() throws {
    do {
        try Reactor.run {
            fflush(nil)
            let child = fetch_fork()
            if child == 0 { await Task.yield() }
            if child != 0 {
                var status: CInt = 0
                // waitpid writes one int.
                unsafe waitpid(child, &status, 0)
                print("parent goes on, child's status \(status)")
                return
            }
            try? await Reactor.current?.clock.sleep(for: .milliseconds(1))
            // Never resumed: a task that waits for what the parent's set alone could bring.
            await unsafe withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        }
    } catch {
        print("child's run throws \(error)")
        fflush(nil)
        _exit(0)
    }
}

func probeElsewhere() throws {
    let reactor = try Reactor.startThread()
    let bound = ReactorBound([1], on: reactor)
    print(bound.value)
    print("still here")
}

func probeTurnInTurn() throws {
    let reactor = try Reactor.embedded()
    reactor.enqueue { reactor.turn() }
    reactor.turn()
    print("still here")
}
