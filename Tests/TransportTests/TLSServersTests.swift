// TLS against other people's servers: nginx, `openssl s_server`, Node.

import FetchBytes
import FetchTLS
import FetchTransport
import TestSupport
import Testing

@Suite struct NginxTLSTests {
    private func startNginx(
        _ versions: String = "TLSv1.2 TLSv1.3", _ more: String = ""
    ) throws -> (nginx: Nginx, address: SocketAddress) {
        try Nginx.startTLS(GivenTLS.certificate, versions: versions, more: more)
    }

    @Test(arguments: ["TLSv1.2", "TLSv1.3"])
    func `nginx says that every connection but the first took up a session`(
        version: String
    ) async throws {
        let (nginx, address) = try startNginx(version, "ssl_session_cache builtin:1000;")
        defer { nginx.stop() }
        let visits = try await onThreadOfItsOwn {
            let visitor = try TLSVisitor(GivenTLS.configuration)
            defer { visitor.end() }
            return (0..<20).map { _ in visitor.visit(address) }
        }
        #expect(visits.map { $0.isResumed } == [false] + Array(repeating: true, count: 19))
        for (number, visit) in visits.enumerated() {
            let mark = number == 0 ? "." : "r"
            #expect(visit.answer.hasSuffix("reused=\(mark) version=\(version) name=good.test"))
            #expect(visit.version == version)
            #expect(!visit.isTruncated)
        }
    }

    @Test func `four mebibytes come whole`() async throws {
        let (nginx, address) = try startNginx()
        defer { nginx.stop() }
        let visit = try await onThreadOfItsOwn {
            let visitor = try TLSVisitor(GivenTLS.configuration)
            defer { visitor.end() }
            return visitor.visit(address, path: "/large")
        }
        let body = visit.answer.suffix(1 << 22)
        #expect(body == String(repeating: "0123456789abcdef", count: 1 << 18))
        #expect(visit.answer.contains("Content-Length: 4194304"))
        #expect(!visit.isTruncated)
    }

    @Test func `nginx on a plain port is no TLS`() async throws {
        let (nginx, _) = try startNginx()
        defer { nginx.stop() }
        #expect(try await visit(nginx.address).failure == .tls(.notTLS))
    }

    @Test func `nginx chooses the protocol that is offered`() async throws {
        let (nginx, address) = try startNginx()
        defer { nginx.stop() }
        #expect(try await visit(address).applicationProtocol == "http/1.1")
    }
}

@Suite struct OpenSSLServerTests {
    private static func certificate(
        by issuer: TestCertificate? = GivenTLS.authority,
        _ change: (inout TestCertificate.Order) -> Void
    ) -> TestCertificate {
        var order = TestCertificate.Order("good.test", hosts: ["DNS:good.test"])
        change(&order)
        return TestCertificate.make(order, by: issuer)
    }

    private func failure(
        _ certificate: TestCertificate, _ arguments: [String] = [],
        bytes: [String: [UInt8]] = [:], host: String = "good.test"
    ) async throws -> TLSFailure? {
        let server = try OpenSSLServer.start(certificate, arguments, bytes: bytes)
        defer { server.stop() }
        let found = try await visit(server.address, host: host)
        guard case .tls(let failure) = found.failure else {
            return found.later
        }
        return failure
    }

    @Test func `every bad certificate is refused with its own fact`() async throws {
        let expired = Self.certificate { ($0.notBefore, $0.notAfter) = (-7_200, -3_600) }
        let early = Self.certificate { ($0.notBefore, $0.notAfter) = (3_600, 7_200) }
        let own = Self.certificate(by: nil) { _ in }
        let strange = Self.certificate(by: TestCertificate.authority("Stranger")) { _ in }
        let other = Self.certificate { $0.hosts = ["DNS:other.test"] }
        let plain = Self.certificate { _ in }
        let staple = TestStaple.make(.revoked, for: plain, by: GivenTLS.authority)
        guard case .expired = try await failure(expired),
            case .notYetValid = try await failure(early),
            case .selfSigned = try await failure(own),
            case .unknownAuthority = try await failure(strange),
            case .wrongHost("good.test", ["other.test"]) = try await failure(other),
            case .wrongHost("127.0.0.1", _) = try await failure(plain, host: "127.0.0.1"),
            case .revoked = try await failure(
                plain, ["-status_file", "$DIRECTORY/staple"], bytes: ["staple": staple])
        else {
            Issue.record("one of them is not told as it should be")
            return
        }
        #expect(try await failure(plain) == nil)
        #expect(try await failure(GivenTLS.certificate, host: "127.0.0.1") == nil)
    }

    @Test(arguments: ["-tls1", "-tls1_1"])
    func `a server that speaks old versions only`(version: String) async throws {
        let found = try await failure(
            GivenTLS.certificate, [version, "-cipher", "ALL:@SECLEVEL=0"])
        #expect(found == .protocolVersion)
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func `it reports sessions that are taken up`(version: String) async throws {
        let server = try OpenSSLServer.start(GivenTLS.certificate, [version])
        defer { server.stop() }
        let visits = try await onThreadOfItsOwn {
            let visitor = try TLSVisitor(GivenTLS.configuration)
            defer { visitor.end() }
            return (0..<3).map { _ in visitor.visit(server.address) }
        }
        #expect(visits[0].answer.contains("New, TLSv1"))
        #expect(visits[1].answer.contains("Reused, TLSv1"))
        #expect(visits[2].answer.contains("Reused, TLSv1"))
    }

    @Test func `a client certificate with an encrypted key is accepted, and missed when missing`()
        async throws
    {
        let client = TestCertificate.make(.init("a client"), by: GivenTLS.authority)
        let server = try OpenSSLServer.start(
            GivenTLS.certificate,
            ["-Verify", "2", "-verify_return_error", "-CAfile", "$DIRECTORY/authority.pem"],
            files: ["authority.pem": GivenTLS.authority.certificatePEM])
        defer { server.stop() }
        let directory = try Files.makeTemporaryDirectory("identity")
        defer { Files.remove(directory) }
        try Files.write(client.certificatePEM, to: directory + "/certificate.pem")
        try Files.write(
            client.encryptedKeyPEM(password: "open sesame"), to: directory + "/key.pem")
        var configuration = GivenTLS.configuration
        configuration.identity = .init(
            certificate: .file(directory + "/certificate.pem"),
            key: .file(directory + "/key.pem"), password: .init { "open sesame" })
        let welcome = try await visit(server.address, configuration)
        #expect(welcome.failure == nil)
        #expect(welcome.answer.contains("a client"))
        let anonymous = try await visit(server.address)
        // TLS 1.3: the server's word comes after the handshake.
        #expect(anonymous.later == .alertReceived(TLSAlert(number: 116)))
    }

    @Test func `the key log is what the server logs`() async throws {
        let directory = try Files.makeTemporaryDirectory("keylog")
        defer { Files.remove(directory) }
        let server = try OpenSSLServer.start(
            GivenTLS.certificate, ["-keylogfile", directory + "/server"])
        defer { server.stop() }
        var configuration = GivenTLS.configuration
        configuration.keyLog = .file(directory + "/client")
        #expect(try await visit(server.address, configuration).failure == nil)
        func secrets(_ name: String) -> Set<Substring> {
            let lines = (Files.text("\(directory)/\(name)") ?? "").split(separator: "\n")
            return Set(lines.filter { !$0.hasPrefix("#") })
        }
        #expect(secrets("client").count >= 5)
        #expect(secrets("client") == secrets("server"))
    }

    @Test func `the name is sent, and an address is not`() async throws {
        let arguments = [
            "-servername", "good.test", "-servername_fatal", "-cert2",
            "$DIRECTORY/certificate.pem", "-key2", "$DIRECTORY/key.pem",
        ]
        let certificate = Self.certificate { $0.hosts = ["DNS:good.test", "DNS:localhost"] }
        #expect(try await failure(certificate, arguments) == nil)
        // 112, unrecognized_name (RFC 6066 §3).
        #expect(
            try await failure(certificate, arguments, host: "localhost")
                == .alertReceived(TLSAlert(number: 112)))
        #expect(
            try await failure(GivenTLS.certificate, arguments, host: "127.0.0.1") == nil)
    }
}

@Suite struct NodeTLSTests {
    @Test func `Node reports sessions that are taken up, in its own words`() async throws {
        let node = try NodeServer.start(
            GivenTLS.certificate,
            script: """
                tls.createServer({cert: certificate, key}, socket => {
                    socket.on("error", () => {});
                    socket.on("data", () => socket.end("reused=" + socket.isSessionReused()));
                }).listen(port, "127.0.0.1");
                """)
        defer { node.stop() }
        let visits = try await onThreadOfItsOwn {
            let visitor = try TLSVisitor(GivenTLS.configuration)
            defer { visitor.end() }
            return (0..<5).map { _ in visitor.visit(node.address) }
        }
        // Node sends two tickets with a full handshake and none with a resumed one.
        let resumed = [false, true, true, false, true]
        #expect(visits.map { $0.answer } == resumed.map { "reused=\($0)" })
        #expect(visits.map { $0.isResumed } == resumed)
        #expect(visits.allSatisfy { !$0.isTruncated })
    }

    @Test func `a server that sends one byte at a time`() async throws {
        // A relay that lets one byte through at a time, and only when the one before has gone.
        let node = try NodeServer.start(
            GivenTLS.certificate,
            script: """
                const server = tls.createServer({cert: certificate, key}, socket => {
                    socket.on("error", () => {});
                    socket.on("data", () => socket.end("slow but whole"));
                });
                server.listen(0, "127.0.0.1", () => net.createServer(client => {
                    client.setNoDelay(true);
                    client.on("error", () => {});
                    const inner = net.connect(server.address().port, "127.0.0.1");
                    client.pipe(inner);
                    inner.on("error", () => {});
                    (async () => {
                        for await (const piece of inner)
                            for (const byte of piece)
                                await new Promise(next => client.write(Buffer.of(byte),
                                    () => setImmediate(next)));
                        client.end();
                    })().catch(() => {});
                }).listen(port, "127.0.0.1"));
                """)
        defer { node.stop() }
        let visit = try await visit(node.address)
        #expect(visit.answer == "slow but whole")
        #expect(!visit.isTruncated)
    }

    @Test func `a connection that is cut is known to be`() async throws {
        let node = try NodeServer.start(
            GivenTLS.certificate,
            script: """
                let asked = false;
                const server = tls.createServer({cert: certificate, key}, socket => {
                    socket.on("error", () => {});
                    socket.on("data", () => { asked = true; socket.write("half"); });
                });
                // A relay that ends the connection with the first piece of the answer.
                server.listen(0, "127.0.0.1", () => net.createServer(client => {
                    client.on("error", () => {});
                    const inner = net.connect(server.address().port, "127.0.0.1");
                    inner.on("error", () => {});
                    client.on("data", data => inner.write(data));
                    inner.on("data", data => asked ? client.end(data) : client.write(data));
                }).listen(port, "127.0.0.1"));
                """)
        defer { node.stop() }
        let visit = try await visit(node.address)
        #expect(visit.failure == nil)
        #expect(visit.isTruncated)
        #expect(visit.later == nil)
    }
}
