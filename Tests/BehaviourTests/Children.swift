// Programs run as child processes: what they print, line by line. The tests' own executable and
// theirs stand in one folder.

import FetchTransport
import Glibc
import TestSupport

/// Runs FetchProbe with these words.
func fetchProbe(_ name: String, _ count: Int = 1) async throws -> [String] {
    try await child("FetchProbe", [name, "\(count)"])
}

/// Runs a program that this package builds and returns its lines, the exit status last if it is
/// not 0. `under` is what comes before it: a tracer, say.
func child(
    _ program: String, _ arguments: [String], under: [String] = []
) async throws -> [String] {
    let words = (under + ["\(builtFolder())/\(program)"] + arguments).map { "'\($0)'" }
    let command = words.joined(separator: " ")
    return try await onThreadOfItsOwn {
        // No signal blocked or ignored: a thread of tests may block them all.
        let line = "exec env SWIFT_BACKTRACE=enable=no \(command) 2>&1"
        // The stream is this function's own until pclose.
        guard let pipe = unsafe popen(line, "r") else { throw ServerError.system("popen", errno) }
        var output: [UInt8] = []
        while case let byte = unsafe fgetc(pipe), byte != EOF { output.append(UInt8(byte)) }
        let status = unsafe pclose(pipe)
        let text = String(decoding: output, as: UTF8.self)
        let lines = text.split(separator: "\n").map { String($0) }
        return status == 0 ? lines : lines + ["status \(status)"]
    }
}

/// Runs the body beside `mockserver`, which is a process of its own.
func withMockServer<R: Sendable>(
    _ body: (_ url: String) async throws -> R
) async throws -> R {
    let port = try Loopback.freePort()
    let server = try await onThreadOfItsOwn {
        let directory = try Files.makeTemporaryDirectory("mockserver")
        let program = builtFolder() + "/mockserver"
        return try ServerProcess(
            directory: directory, [program, "--port", "\(port)"], on: .loopback(port: port))
    }
    defer { server.stop() }
    return try await body("http://127.0.0.1:\(port)")
}

/// Runs `bench` and gives the JSON that it prints.
func bench(_ words: [String]) async throws -> String {
    let lines = try await child("bench", words + ["--json"])
    return lines.last { $0.hasPrefix("{") } ?? lines.joined(separator: "\n")
}

/// The number behind a key of a flat JSON object.
func number(_ key: String, in json: String) -> Double? {
    let parts = json.split(separator: "\"\(key)\":", maxSplits: 1)
    guard parts.count == 2 else { return nil }
    return Double(String(parts[1].prefix { $0.isNumber || $0 == "." }))
}

func isBuilt(_ program: String) -> Bool {
    Files.isExecutable("\(builtFolder())/\(program)")
}

/// Where this process's executable stands.
private func builtFolder() -> String {
    var path = [CChar](repeating: 0, count: 4_096)
    // The buffer is one longer than what the call may write.
    let length = unsafe readlink("/proc/self/exe", &path, 4_095)
    let own = String(
        decoding: path.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return own.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        .joined(separator: "/")
}
