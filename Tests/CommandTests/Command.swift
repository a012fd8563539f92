// The built `fetch`, beside the tests' own binary, and a way to run a program to its end.

import Foundation

enum Command {
    /// `.build/<triple>/<configuration>/fetch`: where the test bundle stands, too.
    static var path: String {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        // The runner may also be a program of the toolchain that was handed the bundle's path.
        let bundles = [own] + CommandLine.arguments.map { URL(fileURLWithPath: $0) }
        let candidates = bundles.map {
            $0.deletingLastPathComponent().appendingPathComponent("fetch").path
        }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
            ?? candidates[0]
    }

    /// Where python3 is, if it is installed.
    static let python = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin")
        .split(separator: ":").map { "\($0)/python3" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Runs a program without blocking the tests' threads; its output goes through a file, so that
    /// no pipe can fill.
    static func run(_ program: String, _ arguments: [String]) async throws -> (CInt, String) {
        let name = "fetch-command-\(UInt64.random(in: 0...UInt64.max)).txt"
        let log = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        try Data().write(to: log)
        defer { try? FileManager.default.removeItem(at: log) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let output = try FileHandle(forWritingTo: log)
        process.standardOutput = output
        process.standardError = output
        let status: CInt = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        try output.close()
        return (status, String(decoding: try Data(contentsOf: log), as: UTF8.self))
    }
}
