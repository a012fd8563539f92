// The fixtures that start other programs.

import FetchTransport
import Glibc
import TestSupport
import Testing

private let hasNginx = Files.isExecutable("/usr/sbin/nginx")

@Suite struct ServerTests {
    @Test(.enabled(if: hasNginx, "needs nginx: apt-get install nginx-light"))
    func `nginx starts, accepts, and goes with its directory`() async throws {
        let (accepted, directory, after) = try await onThreadOfItsOwn {
            let nginx = try Nginx.start()
            let accepted = Loopback.accepts(nginx.address)
            nginx.stop()
            nginx.stop()
            return (accepted, nginx.process.directory, Loopback.accepts(nginx.address))
        }
        #expect(accepted)
        #expect(!after)
        #expect(Files.text(directory + "/nginx.conf") == nil)
    }

    @Test func `a program that is missing is named with its package`() {
        let error = ServerError.missing(program: "nginx", package: "nginx-light")
        #expect("\(error)" == "nginx is not installed; on Debian: apt-get install nginx-light")
    }
}
