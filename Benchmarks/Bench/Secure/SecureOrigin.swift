// nginx over TLS as the server of `bench tls` and its kin: the fixture of the tests, with a
// certificate made for the run by an authority made for the run, so that the client verifies
// all that it would verify elsewhere. It ends with bench. Main thread.

import Glibc
import TestSupport

/// A running nginx that speaks TLS 1.2 and 1.3, tickets on, one process.
struct SecureOrigin {
    /// Bytes of `/download`.
    static let downloadBytes = 1 << 30

    private let nginx: Nginx
    let port: UInt16

    /// Starts it and waits until it accepts; throws `ServerError` where it isn't installed.
    init() throws {
        let authority = TestCertificate.authority("Bench Authority")
        let order = TestCertificate.Order(
            "localhost", hosts: ["IP:127.0.0.1", "DNS:localhost", "DNS:*.rest.test"])
        let certificate = TestCertificate.make(order, by: authority)
        port = try Loopback.freePort()
        nginx = try Nginx.start(
            config: Self.configuration(port: port),
            http: "log_format reuse '$uri $ssl_session_reused';",
            files: [
                "authority.pem": authority.certificatePEM,
                "certificate.pem": certificate.certificatePEM, "key.pem": certificate.keyPEM,
                "download": "",
            ])
    }

    /// The PEM file of the authority that vouches for it.
    var authority: String { nginx.process.directory + "/authority.pem" }

    /// `https://127.0.0.1:PORT` and then `path`: `/` answers 13 bytes, what begins with `/new/`
    /// the same and is counted, `/download` is a file of a gibibyte.
    func url(_ path: String) -> String { "https://127.0.0.1:\(port)\(path)" }

    /// Gives the file of `/download` its size; it takes no room.
    func makeDownload() throws {
        // The path lives for the call.
        try check(
            unsafe truncate(nginx.process.directory + "/download", Self.downloadBytes), "truncate")
    }

    /// Connections so far, by path: those whose path begins with `/new/`.
    var connections: [String: ResumptionCount] {
        ResumptionCount.byPath(Files.text(nginx.process.directory + "/connections.log") ?? "")
    }

    func stop() {
        nginx.stop()
    }

    private static func configuration(port: UInt16) -> String {
        """
        listen 127.0.0.1:\(port) ssl backlog=16384;
        ssl_certificate $DIRECTORY/certificate.pem;
        ssl_certificate_key $DIRECTORY/key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        default_type text/plain;
        location / { return 200 "Hello, world!"; }
        location /new/ {
            access_log $DIRECTORY/connections.log reuse;
            return 200 "Hello, world!";
        }
        location = /download { }
        """
    }
}

/// What a server logged of the connections of one client.
package struct ResumptionCount: Equatable {
    package var connections = 0
    /// Those that took an earlier session up.
    package var resumed = 0

    /// 0 to 1; nil before the first connection.
    package var share: Double? {
        connections == 0 ? nil : Double(resumed) / Double(connections)
    }

    package init() {}

    /// Reads lines of a path and nginx's `$ssl_session_reused`, which is `r` or `.`; a line that is
    /// not whole is left out.
    package static func byPath(_ log: String) -> [String: ResumptionCount] {
        var counts: [String: ResumptionCount] = [:]
        for line in log.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, words[1] == "r" || words[1] == "." else { continue }
            counts[String(words[0]), default: ResumptionCount()].connections += 1
            if words[1] == "r" { counts[String(words[0]), default: .init()].resumed += 1 }
        }
        return counts
    }
}
