// Raw IPv4 sockets on loopback for the floor and the embedded origin; nothing here may leave the
// machine. One owner, one thread.

import CFetchLinux
import Glibc

/// An IPv4 address and port, as `http://127.0.0.1:8080/` names them.
package struct LoopbackAddress: Equatable {
    package var host: UInt32
    package var port: UInt16

    static let localhost: UInt32 = 0x7F00_0001

    var isLoopback: Bool { host >> 24 == 127 }

    var socketAddress: sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.bigEndian
        return address
    }

    init(host: UInt32, port: UInt16) {
        self.host = host
        self.port = port
    }

    init(_ address: sockaddr_in) {
        host = UInt32(bigEndian: address.sin_addr.s_addr)
        port = UInt16(bigEndian: address.sin_port)
    }
}

/// Runs `body` with the generic face of an IPv4 address.
///
/// `sockaddr_in` begins as `sockaddr` does and the pointer lives for the call: what bind(2) asks
/// for.
func withGenericAddress<R>(
    _ address: inout sockaddr_in,
    _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) throws -> R
) rethrows -> R {
    try unsafe withUnsafeMutablePointer(to: &address) { pointer in
        try unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            try unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// Sets an integer option; failures are ignored where the option is a wish.
@discardableResult
func setOption(_ socket: CInt, _ level: CInt, _ name: CInt, _ value: CInt) -> Bool {
    var value = value
    // The kernel reads the integer during the call.
    return unsafe setsockopt(socket, level, name, &value, socklen_t(MemoryLayout<CInt>.size)) == 0
}

/// A TCP socket, non-blocking where asked.
func streamSocket(nonBlocking: Bool) throws -> CInt {
    var kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
    if nonBlocking { kind |= CInt(SOCK_NONBLOCK.rawValue) }
    return try check(socket(AF_INET, kind, CInt(IPPROTO_TCP)), "socket")
}

/// A blocking connect; the socket is then as `nonBlocking` says.
func connectedSocket(to target: LoopbackAddress, nonBlocking: Bool) throws -> CInt {
    let descriptor = try streamSocket(nonBlocking: false)
    var address = target.socketAddress
    // The address is ours; the kernel reads it during the call.
    let result = unsafe withGenericAddress(&address) { unsafe connect(descriptor, $0, $1) }
    guard result == 0 else {
        let failure = SystemFailure("connect")
        close(descriptor)
        throw failure
    }
    setOption(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
    if nonBlocking { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
    return descriptor
}

/// The port a bound socket got.
func localPort(of descriptor: CInt) throws -> UInt16 {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    // Both are ours and filled during the call.
    let result = unsafe withGenericAddress(&address) { pointer, _ in
        unsafe getsockname(descriptor, pointer, &length)
    }
    try check(result, "getsockname")
    return LoopbackAddress(address).port
}

/// A port of 127.0.0.1 that is free now: for servers that cannot be told "any".
func freePort() throws -> UInt16 {
    let descriptor = try streamSocket(nonBlocking: false)
    defer { close(descriptor) }
    var address = LoopbackAddress(host: LoopbackAddress.localhost, port: 0).socketAddress
    // As above.
    try check(unsafe withGenericAddress(&address) { unsafe bind(descriptor, $0, $1) }, "bind")
    return try localPort(of: descriptor)
}
