// The embedded origin as its parent sees it: bench itself, started again as `bench origin`. It ends
// with the pipe on its standard input, so it cannot outlive a parent that crashed. Main thread.

import Glibc

/// A running embedded origin.
struct OriginProcess {
    private let child: ChildProcess
    let port: UInt16

    var url: String { "http://127.0.0.1:\(port)/" }

    /// Starts it and waits until it listens.
    init() throws {
        child = try ChildProcess(ChildProcess.ownPath, ["origin", "--port", "0"])
        guard let port = child.readLine().flatMap({ UInt16($0) }) else {
            throw SystemFailure("start the embedded origin", code: ECHILD)
        }
        self.port = port
    }

    /// Ends it.
    func stop() {
        child.stop()
    }
}
