// What only a process of its own can show: see Tests/ReactorProbe.

import Glibc
import TestSupport
import Testing

@Suite struct ProbeTests {
    @Test func `a program on Reactor.run has one thread, Task.sleep included`() async throws {
        #expect(
            try await probe("one-thread") == [
                "threads 1", "tasks on the thread 100", "current afterwards none",
            ])
    }

    @Test func `main-actor code proceeds while a reactor owns the main thread`() async throws {
        #expect(try await probe("main-actor") == ["steps 11", "threads 1"])
    }

    @Test func `in the global executor's place a reactor keeps every task on its thread`()
        async throws
    {
        #expect(
            try await probe("global-executor") == [
                "plain true", "detached true", "cancelled CancellationError", "threads 1",
                "afterwards false",
            ])
    }

    @Test func `a forked child gets a typed error and disturbs nothing in its parent`() async throws
    {
        let refusal = "the reactor belongs to the parent process; a forked child makes its own"
        #expect(
            try await probe("fork") == [
                "child forked true, on its thread false", "child \(refusal)", "child posts false",
                "child current none", "child's own reactor 42", "parent heard",
            ])
        #expect(
            try await probe("fork-goes-on") == [
                "child's run throws \(refusal)", "parent goes on, child's status 0",
            ])
    }

    @Test(arguments: [
        ("nested", "Reactor.run was called inside a reactor"),
        ("elsewhere", "what belongs to a reactor's thread was used on another thread"),
        ("turn-in-turn", "Reactor.turn was called inside a turn"),
    ])
    func `misuse traps with a sentence`(name: String, sentence: String) async throws {
        let output = try await probe(name)
        #expect(output.contains { $0.contains(sentence) })
        #expect(!output.contains("still here"))
    }

    /// Runs the probe, which stands beside the tests' own executable, and returns its lines.
    private func probe(_ name: String) async throws -> [String] {
        try await onThreadOfItsOwn {
            var path = [CChar](repeating: 0, count: 4_096)
            // The buffer is one longer than what the call may write.
            let length = unsafe readlink("/proc/self/exe", &path, 4_095)
            let own = String(
                decoding: path.prefix(max(0, length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
            let folder = own.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            let command = "'\(folder.joined(separator: "/"))/ReactorProbe' \(name) 2>&1"
            guard let pipe = unsafe popen("SWIFT_BACKTRACE=enable=no \(command)", "r") else {
                return []
            }
            var output: [UInt8] = []
            while case let byte = unsafe fgetc(pipe), byte != EOF { output.append(UInt8(byte)) }
            unsafe pclose(pipe)
            return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }
}
