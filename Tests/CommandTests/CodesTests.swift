// docs/jsonl.md says which codes and phases there are: it and the code are one list.

import Fetch
import FetchCommand
import Foundation
import Testing

@Suite struct CodesTests {
    /// Names in backquotes at the start of the table rows under a heading of the page.
    private func rows(under heading: String) throws -> [String] {
        let page = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("docs/jsonl.md")
        let lines = try String(contentsOf: page, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        let section = lines.drop { $0 != "## \(heading)" }.dropFirst()
            .prefix { !$0.hasPrefix("## ") }
        return section.filter { $0.hasPrefix("| `") }.map { row in
            String(row.dropFirst(3).prefix { $0 != "`" })
        }
    }

    @Test func `the page lists every code of a result and no other`() throws {
        let listed = try rows(under: "Codes")
        #expect(listed.sorted() == ResultCode.all.map(\.name).sorted())
    }

    @Test func `the page lists every phase and no other`() throws {
        let listed = try rows(under: "Phases")
        #expect(listed.sorted() == FetchError.Phase.allCases.map(\.rawValue).sorted())
    }

    @Test func `the codes that programs rely on are there`() {
        let promised: Set<String> = [
            "invalid-json", "invalid-url", "unsupported-scheme", "invalid-request",
            "unsupported-field", "invalid-configuration", "name-not-resolved", "dns-failed",
            "address-refused", "refused", "unreachable", "reset", "closed-before-response",
            "certificate-expired", "certificate-not-yet-valid", "self-signed-certificate",
            "unknown-authority", "wrong-host", "certificate-revoked", "tls-version", "tls-alert",
            "tls-closed", "tls-failed", "no-trust-store", "client-certificate",
            "malformed-response", "head-too-large", "body-too-large", "truncated-body",
            "queue-timeout", "dns-timeout", "connect-timeout", "tls-timeout",
            "first-byte-timeout", "read-timeout", "write-timeout", "total-timeout",
            "overloaded", "cancelled",
        ]
        #expect(promised.isSubset(of: ResultCode.all.map(\.name)))
        for name in ResultCode.all.map(\.name) where name.contains("time") {
            #expect(name.contains("timeout"))
        }
    }
}
