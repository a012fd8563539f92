// nginx as the server of `bench compare`, where it is installed: one process, nothing logged, a
// body of 13 bytes in nginx's five fields. It ends with bench. Main thread.

import Glibc
import TestSupport

/// A running nginx of our own, in a folder of its own under /tmp.
struct NginxOrigin {
    private let child: ChildProcess
    private let folder: String
    private static let temporaries = ["body", "proxy", "fastcgi", "uwsgi", "scgi"]

    let port: UInt16

    var url: String { "http://127.0.0.1:\(port)/" }

    /// Starts it and waits until it answers; throws where it can't be started.
    init(program: String) throws {
        let port = try freePort()
        folder = try Files.makeTemporaryDirectory("bench-nginx")
        let file = folder + "/nginx.conf"
        try Self.write(Self.configuration(port: port, folder: folder), to: file)
        let arguments = [program, "-p", folder, "-c", file, "-e", folder + "/error.log"]
        child = try ChildProcess(ChildProcess.ownPath, ["guard"] + arguments)
        self.port = port
        guard Self.waits(for: port) else {
            let log = readFile(folder + "/error.log") ?? ""
            stop()
            throw SystemFailure("nginx did not start: \(log)", code: ECONNREFUSED)
        }
    }

    /// Ends it and removes its folder.
    func stop() {
        child.stop()
        // Paths live for the calls.
        for name in ["nginx.conf", "error.log", "pid"] { unsafe unlink(folder + "/" + name) }
        for name in Self.temporaries { unsafe rmdir(folder + "/" + name) }
        unsafe rmdir(folder)
    }

    private static func configuration(port: UInt16, folder: String) -> String {
        let paths = zip(
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"], temporaries
        ).map { "\($0)_temp_path \(folder)/\($1);" }.joined(separator: " ")
        return """
            daemon off; master_process off; worker_processes 1;
            worker_rlimit_nofile 65536; pid \(folder)/pid; error_log \(folder)/error.log crit;
            events { worker_connections 20000; }
            http {
                access_log off; keepalive_requests 1000000000; keepalive_timeout 300s;
                default_type text/plain; \(paths)
                server {
                    listen 127.0.0.1:\(port) backlog=65535;
                    location / { return 200 "Hello, world!"; }
                }
            }
            """
    }

    private static func write(_ text: String, to path: String) throws {
        // The path lives for the call.
        let descriptor = try check(
            unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600), "open")
        defer { close(descriptor) }
        writeAll(descriptor, text)
    }

    /// Whether somebody listens within five seconds.
    private static func waits(for port: UInt16) -> Bool {
        let address = LoopbackAddress(host: LoopbackAddress.localhost, port: port)
        for _ in 0..<250 {
            if let socket = try? connectedSocket(to: address, nonBlocking: false) {
                close(socket)
                return true
            }
            usleep(20_000)
        }
        return false
    }
}
