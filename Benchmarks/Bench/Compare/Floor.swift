// The kernel's floor: what a keep-alive request costs when the client does nothing but system
// calls. One epoll_wait for up to 1,024 events, then one recv and one send per request; the request
// is built once, the response is not looked at beyond its length. No allocation per request. A
// process of its own, one thread.

import CFetchLinux
import Glibc

/// The parse-nothing loop of `bench compare`.
final class Floor {
    private let target: LoopbackAddress
    private let connections: Int
    private let request: [UInt8]
    /// Every response is as long as the first one.
    private let responseLength: Int
    private let buffer = ReceiveBuffer()

    /// Opens nothing yet but asks once, to learn how long a response is.
    init(_ url: LoopbackURL, connections: Int) throws {
        target = url.address
        self.connections = connections
        request = Array(
            "GET \(url.path) HTTP/1.1\r\nHost: \(url.authority)\r\nAccept: */*\r\n\r\n".utf8)
        responseLength = try Self.firstResponse(to: request, at: target)
    }

    /// Keeps every connection busy for so long; returns how many responses arrived.
    func run(nanoseconds: UInt64) throws -> Int {
        let events = try EventQueue()
        var received = [Int32](repeating: 0, count: 0)
        for _ in 0..<connections {
            let socket = try connectedSocket(to: target, nonBlocking: true)
            try events.add(socket, EPOLLIN)
            let missing = Int(socket) + 1 - received.count
            if missing > 0 { received += [Int32](repeating: 0, count: missing) }
            try send(on: socket)
        }
        let deadline = monotonicNanoseconds() + nanoseconds
        var done = 0
        while monotonicNanoseconds() < deadline && !Interruption.isRequested {
            let count = events.wait(milliseconds: 100)
            for index in 0..<count {
                let socket = events[index].descriptor
                let got = buffer.receive(socket)
                guard got > 0 else { throw SystemFailure("recv") }
                if got < responseLength {
                    // A response in pieces: rare on loopback.
                    received[Int(socket)] += Int32(got)
                    guard received[Int(socket)] >= responseLength else { continue }
                    received[Int(socket)] = 0
                }
                done += 1
                try send(on: socket)
            }
        }
        return done
    }

    @inline(__always)
    private func send(on socket: CInt) throws {
        // The array outlives the call; a request fits any socket buffer.
        let sent = unsafe request.withUnsafeBytes {
            unsafe Glibc.send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
        }
        guard sent == request.count else { throw SystemFailure("send") }
    }

    /// Asks once and reads the head and as many bytes as its Content-Length says.
    private static func firstResponse(to request: [UInt8], at target: LoopbackAddress) throws -> Int
    {
        let socket = try connectedSocket(to: target, nonBlocking: false)
        defer { close(socket) }
        let buffer = ReceiveBuffer()
        // As `send(on:)`.
        _ = unsafe request.withUnsafeBytes { unsafe write(socket, $0.baseAddress, $0.count) }
        var response: [UInt8] = []
        while true {
            let got = buffer.receive(socket)
            guard got > 0 else { throw SystemFailure("recv", code: got < 0 ? errno : ECONNRESET) }
            response += buffer.first(got)
            if let length = RawHead(response)?.messageLength, response.count >= length {
                return length
            }
        }
    }
}
