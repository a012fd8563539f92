// nginx as a fixture: one process, one port of 127.0.0.1, everything it writes in a directory that
// goes with it. Any thread.

package import FetchTransport

package final class Nginx: Sendable {
    package let address: SocketAddress
    package let process: ServerProcess

    private static let paths = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"]

    /// Starts nginx and returns when it accepts connections. `config` is the inside of the `server`
    /// block, a 13-byte answer unless told otherwise, and `http` what stands before that block;
    /// `$DIRECTORY` in them is the fixture's own. `files` are written there first.
    package static func start(
        config: String = Nginx.hello, http: String = "", files: [String: String] = [:]
    ) throws(ServerError) -> Nginx {
        guard let program = paths.first(where: { Files.isExecutable($0) }) else {
            throw .missing(program: "nginx", package: "nginx-light")
        }
        let directory = try Files.makeTemporaryDirectory("nginx")
        for (name, text) in files { try Files.write(text, to: "\(directory)/\(name)") }
        let port = try Loopback.freePort()
        let whole = wholeConfig(port, config, http)
            .replacing("$DIRECTORY", with: directory)
        try Files.write(whole, to: directory + "/nginx.conf")
        let process = try ServerProcess(
            directory: directory,
            [program, "-e", directory + "/errors.log", "-c", directory + "/nginx.conf"],
            on: .loopback(port: port))
        return Nginx(process, .loopback(port: port))
    }

    /// `Hello, World!` as plain text.
    package static let hello = """
        location / { default_type text/plain; return 200 "Hello, World!"; }
        """

    /// No worker processes: the one that is started is the one that serves.
    private static func wholeConfig(_ port: UInt16, _ config: String, _ http: String) -> String {
        """
        daemon off;
        master_process off;
        pid $DIRECTORY/pid;
        error_log $DIRECTORY/errors.log;
        events { worker_connections 20000; }
        http {
            access_log off;
            keepalive_requests 100000000;
            keepalive_timeout 3600s;
            client_max_body_size 0;
            client_body_temp_path $DIRECTORY/client_body;
            proxy_temp_path $DIRECTORY/proxy;
            fastcgi_temp_path $DIRECTORY/fastcgi;
            uwsgi_temp_path $DIRECTORY/uwsgi;
            scgi_temp_path $DIRECTORY/scgi;
            \(http)
            server {
                listen 127.0.0.1:\(port) backlog=16384;
                root $DIRECTORY;
                \(config)
            }
        }
        """
    }

    private init(_ process: ServerProcess, _ address: SocketAddress) {
        self.process = process
        self.address = address
    }

    package var port: UInt16 { address.port }

    /// `http://127.0.0.1:PORT` and then `path`.
    package func url(_ path: String = "/") -> String {
        "http://\(address)\(path)"
    }

    /// Ends it; later calls do nothing.
    package func stop() {
        process.stop()
    }
}
