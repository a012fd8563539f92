// Behaviour 21: sessions are taken up, by the server's own count; connections are kept; a missing
// close_notify is an error where the connection's end is the body's.

import Fetch
import FetchTransport
import TestSupport
import Testing

@Suite struct Behaviour21Tests {
    private func nginx(_ version: String = "TLSv1.2 TLSv1.3") async throws -> (Nginx, UInt16) {
        let more = """
            ssl_session_cache builtin:1000;
            location /connection { return 200 "$connection $connection_requests"; }
            location /protocol { return 200 "$ssl_alpn_protocol"; }
            """
        let (nginx, address) = try await onThreadOfItsOwn {
            try Nginx.startTLS(Secured.certificate, versions: version, more: more)
        }
        return (nginx, address.port)
    }

    @Test func `one handshake serves many requests, and says which protocol it is for`()
        async throws
    {
        let (nginx, port) = try await nginx()
        defer { nginx.stop() }
        try await withSecureClient { fetcher in
            for number in 1...20 {
                let response = try await fetcher.get("https://good.test:\(port)/connection")
                #expect(response.text.split(separator: " ").last == "\(number)")
                let isFirst = number == 1
                #expect((response.metadata.tlsTime > .zero) == isFirst)
                #expect((response.metadata.connectTime > .zero) == isFirst)
            }
            let protocolName = try await fetcher.get("https://good.test:\(port)/protocol").text
            #expect(protocolName == "http/1.1")
            let statistics = try await fetcher.statistics
            #expect(statistics.tlsHandshakes == 1)
            #expect(statistics.connectionsOpened == 1)
            #expect(statistics.reuses == 20)
        }
    }

    @Test(arguments: ["TLSv1.2", "TLSv1.3"])
    func `the server says that every connection but the first took up a session`(
        version: String
    ) async throws {
        let (nginx, port) = try await nginx(version)
        defer { nginx.stop() }
        let configuration = Secured.configured { $0.pool.usesPerConnection = 1 }
        try await withSecureClient(configuration) { fetcher in
            for number in 0..<20 {
                let text = try await fetcher.get("https://good.test:\(port)/").text
                let mark = number == 0 ? "." : "r"
                #expect(text == "reused=\(mark) version=\(version) name=good.test")
            }
            let statistics = try await fetcher.statistics
            #expect(statistics.tlsHandshakes == 20)
            #expect(statistics.tlsResumptions == 19)
        }
    }

    @Test func `requests that ask for different TLS share no connection and no session`()
        async throws
    {
        let (nginx, port) = try await nginx()
        defer { nginx.stop() }
        try await withSecureClient { fetcher in
            var strict = Request("https://good.test:\(port)/connection")
            strict.tls = Secured.tls
            strict.tls?.minimumVersion = .tls13
            func connection(_ request: Request) async throws -> Substring? {
                try await fetcher.execute(request).text.split(separator: " ").first
            }
            var plain = strict
            plain.tls = nil
            let one = try await connection(plain)
            let other = try await connection(strict)
            #expect(one != other)
            #expect(try await connection(plain) == one)
            #expect(try await connection(strict) == other)
            #expect(try await fetcher.statistics.tlsResumptions == 0)
        }
    }

    @Test func `large bodies come whole and go whole`() async throws {
        let (nginx, port) = try await nginx()
        defer { nginx.stop() }
        try await withSecureClient { fetcher in
            let body = try await fetcher.get("https://good.test:\(port)/large").text
            #expect(body == String(repeating: "0123456789abcdef", count: 1 << 18))
            var count = 0
            try await fetcher.stream("https://good.test:\(port)/large") { response in
                for try await piece in response.body { count += piece.count }
            }
            #expect(count == 1 << 22)
        }
    }

    /// Sends `/whole` with close_notify, `/cut` and `/counted` without.
    private static let endings = """
        net.createServer(raw => {
            raw.on("error", () => {});
            const secure = new tls.TLSSocket(
                raw, {isServer: true, secureContext: tls.createSecureContext({
                    cert: certificate, key})});
            secure.on("error", () => {});
            secure.once("data", data => {
                const path = data.toString().split(" ")[1];
                const counted = path === "/counted" ? "Content-Length: 4\\r\\n" : "";
                const text = "HTTP/1.1 200 OK\\r\\n" + counted + "\\r\\nbody";
                if (path === "/whole") return secure.end(text);
                secure.write(text, () => setTimeout(() => raw.destroy(), 20));
            });
        }).listen(port, "127.0.0.1");
        """

    @Test func `an end without close_notify is no end, unless the length is known`() async throws {
        let node = try await onThreadOfItsOwn {
            try NodeServer.start(Secured.certificate, script: Self.endings)
        }
        defer { node.stop() }
        let port = node.address.port
        try await withSecureClient { fetcher in
            for path in ["/whole", "/counted"] {
                let text = try await fetcher.get("https://good.test:\(port)\(path)").text
                #expect(text == "body")
            }
            let cut = await failureAndPhase {
                try await fetcher.get("https://good.test:\(port)/cut")
            }
            #expect(cut == "truncated-body in body")
        }
    }

    @Test func `TLS and names need one thread`() async throws {
        let lines = try await fetchProbe("secure-threads", 2_000)
        #expect(lines.contains("2000 good, Threads: 1"), "\(lines)")
        #expect(lines.contains("resumed most: true, queries 20"), "\(lines)")
    }
}
