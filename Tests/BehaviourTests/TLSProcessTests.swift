// What TLS does to the process: memory, forks, threads.

import TestSupport
import Testing

@Suite struct TLSProcessTests {
    /// The number at the end of the line that begins so.
    private func number(_ lines: [String], _ name: String) -> Int? {
        lines.first { $0.hasPrefix(name) }.flatMap { Int($0.split(separator: " ").last ?? "") }
    }

    @Test func `ten thousand connections leave nothing behind`() async throws {
        let lines = try await fetchProbe("tls-memory", 10_000)
        #expect(
            lines.prefix(2) == [
                "accepted 10000, resumed most: true", "kept: 100",
            ])
        // A leak of 300 bytes a connection would be more.
        let grown = try #require(number(lines, "grown KiB"))
        #expect(grown < 2_048, "\(lines)")
    }

    @Test func `a connection that rests takes 32 KiB at most, and no thread`() async throws {
        let lines = try await fetchProbe("tls-idle", 1_000)
        #expect(lines.contains("answered 1050, threads 1"), "\(lines)")
        let each = try #require(number(lines, "bytes each"))
        #expect(each <= 32 << 10, "\(lines)")
    }

    @Test func `a ticket leaves no buffer behind in a connection that rests`() async throws {
        let lines = try await fetchProbe("tls-tickets", 200)
        #expect(lines.prefix(2) == ["tickets of 200, quiet 200", "kept: 1"], "\(lines)")
        // OpenSSL makes itself one of 16 KiB when a ticket comes.
        let each = try #require(number(lines, "bytes each"))
        #expect(each < 4_096, "\(lines)")
    }

    @Test func `a forked child closes without a word, and its parent's connection lives`()
        async throws
    {
        let lines = try await fetchProbe("tls-fork")
        #expect(
            lines.contains("child's status 0, the parent is answered: true"), "\(lines)")
    }
}
