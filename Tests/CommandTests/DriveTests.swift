// The command from outside: a program in another language drives it (Drive/drive.py), against
// servers that speak raw bytes.

import Foundation
import Testing

@Suite struct DriveTests {
    @Test(.enabled(if: Command.python != nil, "python3 is not installed"))
    func `a program in Python drives the command through every check`() async throws {
        try await run("drive.py")
    }

    /// Some thousand responses, each whole and in pieces, and some five hundred requests.
    @Test(.enabled(if: Command.python != nil, "python3 is not installed"))
    func `a judge of HTTP holds every response and request against the standard`() async throws {
        try await run("judge.py")
    }

    private func run(_ script: String) async throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Drive/\(script)").path
        let python = try #require(Command.python)
        let (status, output) = try await Command.run(python, ["-B", path, Command.path])
        let failures = output.split(separator: "\n").filter { !$0.hasPrefix("ok") }
        #expect(status == 0 && failures.isEmpty, "\(failures.joined(separator: "\n"))")
        #expect(output.contains("ok "))
    }
}
