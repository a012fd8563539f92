// TLS servers by others as fixtures: nginx, `openssl s_server` and Node's `tls`. Any thread.

package import FetchTransport

extension Nginx {
    /// nginx with a TLS port besides its plain one. `/` answers with what nginx knows of the
    /// connection, `/large` with four mebibytes; `more` is configuration of the server block.
    package static func startTLS(
        _ certificate: TestCertificate, versions: String = "TLSv1.2 TLSv1.3", more: String = ""
    ) throws(ServerError) -> (nginx: Nginx, address: SocketAddress) {
        let port = try Loopback.freePort()
        let answer = "reused=$ssl_session_reused version=$ssl_protocol name=$ssl_server_name"
        let nginx = try Nginx.start(
            config: """
                listen 127.0.0.1:\(port) ssl backlog=16384;
                ssl_certificate $DIRECTORY/certificate.pem;
                ssl_certificate_key $DIRECTORY/key.pem;
                ssl_protocols \(versions);
                \(more)
                location / { default_type text/plain; return 200 "\(answer)"; }
                location /large { root $DIRECTORY; }
                """,
            files: [
                "certificate.pem": certificate.certificatePEM, "key.pem": certificate.keyPEM,
                "large": String(repeating: "0123456789abcdef", count: 1 << 18),
            ])
        return (nginx, .loopback(port: port))
    }
}

/// `openssl s_server`, which answers GET with a page about the connection.
package final class OpenSSLServer: Sendable {
    package let address: SocketAddress
    package let process: ServerProcess

    private static let paths = ["/usr/bin/openssl", "/usr/local/bin/openssl"]

    /// Starts it with a certificate and further arguments; `$DIRECTORY` in them is the fixture's
    /// own, where `files` are written first.
    package static func start(
        _ certificate: TestCertificate, _ arguments: [String] = [], files: [String: String] = [:],
        bytes: [String: [UInt8]] = [:]
    ) throws(ServerError) -> OpenSSLServer {
        guard let program = paths.first(where: { Files.isExecutable($0) }) else {
            throw .missing(program: "openssl", package: "openssl")
        }
        let directory = try Files.makeTemporaryDirectory("openssl")
        for (name, text) in files { try Files.write(text, to: "\(directory)/\(name)") }
        for (name, content) in bytes { try Files.write(content, to: "\(directory)/\(name)") }
        try Files.write(certificate.certificatePEM, to: directory + "/certificate.pem")
        try Files.write(certificate.keyPEM, to: directory + "/key.pem")
        let port = try Loopback.freePort()
        let command =
            [
                program, "s_server", "-accept", "127.0.0.1:\(port)", "-www", "-cert",
                directory + "/certificate.pem", "-key", directory + "/key.pem",
            ] + arguments.map { $0.replacing("$DIRECTORY", with: directory) }
        let process = try ServerProcess(
            directory: directory, command, on: .loopback(port: port))
        return OpenSSLServer(process, .loopback(port: port))
    }

    private init(_ process: ServerProcess, _ address: SocketAddress) {
        self.process = process
        self.address = address
    }

    /// Ends it; later calls do nothing.
    package func stop() {
        process.stop()
    }
}

/// A program for Node that listens on the port it is given as its first argument.
package final class NodeServer: Sendable {
    package let address: SocketAddress
    package let process: ServerProcess

    private static let paths = ["/usr/bin/node", "/usr/local/bin/node", "/usr/bin/nodejs"]

    /// Runs `script`, in which `certificate`, `key` and `port` are defined.
    package static func start(
        _ certificate: TestCertificate, script: String
    ) throws(ServerError) -> NodeServer {
        guard let program = paths.first(where: { Files.isExecutable($0) }) else {
            throw .missing(program: "node", package: "nodejs")
        }
        let directory = try Files.makeTemporaryDirectory("node")
        let port = try Loopback.freePort()
        let head = """
            const tls = require("tls"), net = require("net");
            const certificate = `\(certificate.certificatePEM)`;
            const key = `\(certificate.keyPEM)`;
            const port = \(port);

            """
        try Files.write(head + script, to: directory + "/server.js")
        let process = try ServerProcess(
            directory: directory, [program, directory + "/server.js"], on: .loopback(port: port))
        return NodeServer(process, .loopback(port: port))
    }

    private init(_ process: ServerProcess, _ address: SocketAddress) {
        self.process = process
        self.address = address
    }

    /// Ends it; later calls do nothing.
    package func stop() {
        process.stop()
    }
}
