// Behaviour 20: the filter is asked about the very address that is connected to, whatever name led
// there and however often the name has changed its mind.

import Fetch
import FetchTransport
import TestSupport
import Testing

@Suite struct Behaviour20Tests {
    private static let script = Script.always(.text("x"))

    /// A name server on the reactor's thread that answers with what `addresses` says of the n-th
    /// question for an A record, for no second longer than now.
    private func withNames(
        _ addresses: [String], _ policy: AddressPolicy,
        _ body: @escaping @Sendable (Fetcher, RunningOrigin) async throws -> Void
    ) async throws {
        let origin = try await onThreadOfItsOwn { try ScriptedOrigin.start(Self.script) }
        defer { origin.stop() }
        try await onReactor { reactor in
            var asked = 0
            let server = try ScriptedNameServer(on: reactor) { question in
                guard question.isA else { return .reply(DNSReply()) }
                defer { asked += 1 }
                let address = addresses[min(asked, addresses.count - 1)]
                return .reply(.addresses([address], seconds: 0, to: question))
            }
            let bound = ReactorBound(here: server, on: reactor)
            let configuration = configured(.patient) {
                $0.names.servers = ["\(bound.value.address)"]
                $0.addressPolicy = policy
                $0.pool.usesPerConnection = 1
            }
            try await body(Fetcher(configuration), origin)
            bound.value.close()
        }
    }

    @Test func `a name that leads to this machine is refused, and nobody is connected to`()
        async throws
    {
        try await withNames(["127.0.0.1"], .publicInternetOnly) { fetcher, origin in
            let code = await failureAndPhase {
                try await fetcher.get("http://inside.test:\(origin.port)/")
            }
            #expect(code == "address-refused in connect")
            #expect(origin.seen.accepted == 0)
        }
    }

    @Test func `a name that changes its mind between two requests is refused at the second`()
        async throws
    {
        let home = try #require(AddressRange("127.0.0.1/32"))
        let policy = AddressPolicy(.publicInternetOnly, allowed: [home])
        try await withNames(["127.0.0.1", "127.0.0.2"], policy) { fetcher, origin async throws in
            let url = "http://rebinding.test:\(origin.port)/"
            let first = try await fetcher.get(url)
            #expect(first.ok)
            let code = await failureAndPhase { try await fetcher.get(url) }
            #expect(code == "address-refused in connect")
            #expect(origin.seen.accepted == 1)
        }
    }

    @Test func `a caller's own filter is asked about each address`() async throws {
        let policy = AddressPolicy.custom { address, port in address == "127.0.0.1" && port > 0 }
        try await withNames(["127.0.0.1", "127.0.0.2"], policy) { fetcher, origin async throws in
            let url = "http://changing.test:\(origin.port)/"
            let first = try await fetcher.get(url)
            #expect(first.ok)
            #expect(await failure { try await fetcher.get(url) } == "address-refused")
        }
    }
}
