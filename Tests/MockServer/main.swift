// The mock server: the scripted origin with the paths of docs/mockserver.md, on the calling
// thread's reactor, until it is killed.

import ArgumentParser
import FetchReactor
import FetchTime
import FetchTransport
import Glibc
import TestSupport

struct MockServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mockserver",
        abstract: "An HTTP/1.1 server that misbehaves on request.",
        discussion: """
            The path says what it does:
              /status/CODE[,CODE...]      these statuses, one after the other
              /sequence?statuses=CODE,... the same
              /delay/MS                   answers after MS milliseconds
              /bytes/N                    N bytes of a fixed pattern, in flat memory
              /drip?bytes=N&every_ms=MS   a body of N bytes, one at a time
              /chunked/N[?trailers=1]     N chunks
              /close-delimited/N          a body that only the connection's end ends
              /truncate/N                 ends after N bytes of a longer body
              /close  /reset  /hang       instead of an answer
              /close-after/N              the N-th request on a connection is its last
              /keep-alive/SECONDS         says Keep-Alive: timeout=SECONDS
              /informational/CODE         an interim response first
              /extra                      bytes after the response that nobody asked for
              /echo  /headers             the request back as JSON
              /early                      answers before reading the request's body
              /swallow                    counts an upload of any size
              /slow-reader/MS             reads nothing for MS milliseconds, then as /swallow
            """)

    @Option(help: "The address to listen on.")
    var address = "127.0.0.1"

    @Option(help: "The port to listen on; 0 lets the kernel choose.")
    var port: UInt16 = 8_080

    @Option(help: "Closes each connection after so many requests; 0 means never.")
    var closeAfter = 0

    func validate() throws {
        guard SocketAddress(literal: address, port: port) != nil else {
            throw ValidationError("--address wants an IPv4 or IPv6 address, not \(address)")
        }
        guard closeAfter >= 0 else { throw ValidationError("--close-after wants 0 or more") }
    }

    func run() throws {
        guard let wanted = SocketAddress(literal: address, port: port) else { return }
        let closeAfter = self.closeAfter
        try Reactor.run {
            guard let reactor = Reactor.current else { return }
            let origin = ScriptedOrigin(
                on: reactor, closesAfter: closeAfter, limits: .nothing, MockPaths().script)
            print("listening on \(try origin.listen(on: wanted))")
            // No stream but standard output is flushed; nil would mean all of them.
            fflush(nil)
            while true { try await reactor.clock.sleep(for: .seconds(3_600)) }
        }
    }
}

MockServer.main()
