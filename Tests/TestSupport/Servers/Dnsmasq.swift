// dnsmasq as a fixture: a real name server on a free port of 127.0.0.1, which logs every query. Any
// thread.

package import FetchTransport

package final class Dnsmasq: Sendable {
    package let address: SocketAddress
    private let process: ServerProcess

    private static let paths = ["/usr/sbin/dnsmasq", "/usr/local/sbin/dnsmasq", "/usr/bin/dnsmasq"]

    /// Starts dnsmasq and returns when it answers. `lines` are lines of its configuration file;
    /// names that they don't speak of are under `test` and don't exist, or are refused.
    package static func start(_ lines: [String]) throws(ServerError) -> Dnsmasq {
        guard let program = paths.first(where: { Files.isExecutable($0) }) else {
            throw .missing(program: "dnsmasq", package: "dnsmasq-base")
        }
        let directory = try Files.makeTemporaryDirectory("dnsmasq")
        let port = try Loopback.freePort()
        let common = [
            "port=\(port)", "listen-address=127.0.0.1", "bind-interfaces", "no-resolv", "no-hosts",
            "no-poll", "log-queries", "log-facility=-", "local=/test/", "user=root", "group=root",
            "local-ttl=60", "pid-file=\(directory)/pid", "dns-forward-max=10000",
        ]
        let text = (common + lines).map { $0 + "\n" }.joined()
        try Files.write(text, to: directory + "/dnsmasq.conf")
        let process = try ServerProcess(
            directory: directory,
            [program, "--keep-in-foreground", "--conf-file=\(directory)/dnsmasq.conf"],
            on: .loopback(port: port))
        return Dnsmasq(process, .loopback(port: port))
    }

    private init(_ process: ServerProcess, _ address: SocketAddress) {
        self.process = process
        self.address = address
    }

    /// How many queries for `name` it logged: `type` is `A` or `AAAA`.
    package func count(_ type: String, _ name: String) -> Int {
        process.output.split(separator: "\n").count { $0.contains("query[\(type)] \(name) from") }
    }

    /// The queries it logged, `A name` or `AAAA name`, in order.
    package var queries: [String] {
        process.output.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard let place = words.firstIndex(where: { $0.hasPrefix("query[") }),
                place + 1 < words.count
            else { return nil }
            return words[place].dropFirst(6).dropLast() + " " + words[place + 1]
        }
    }

    /// Ends it; later calls do nothing.
    package func stop() {
        process.stop()
    }
}
