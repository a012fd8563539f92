// Why no connection came about. A closed set of facts; wrapped once, by Engine.

package import FetchReactor

/// Why one address could not be connected to.
package enum ConnectFailure: Error, Equatable, Sendable {
    /// ECONNREFUSED: a machine is there and nobody listens.
    case refused
    /// No route to the network or host, or the interface is down.
    case unreachable(SystemError)
    /// The kernel gave up before our own clock did.
    case timedOut
    /// A descriptor, port or memory could not be had on this machine.
    case outOfResources(SystemError)
    /// The client's address policy does not permit it; the kernel was not asked.
    case refusedByPolicy
    /// Anything else the kernel said.
    case system(SystemError)

    /// Whether it is the address that failed, and not this machine or its rules.
    var isOfAddress: Bool {
        switch self {
        case .refused, .unreachable, .timedOut, .system: true
        case .outOfResources, .refusedByPolicy: false
        }
    }
}

/// Why an origin could not be connected to.
package enum ConnectError: Error, Equatable, Sendable {
    /// No address is known for the name, and why.
    case nameNotResolved(NameError)
    /// Each address was tried; what each of them said, in order.
    case failed([AddressFailure])

    package struct AddressFailure: Equatable, Sendable {
        package let address: SocketAddress
        package let failure: ConnectFailure
    }
}

extension ConnectFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused: "connection refused"
        case .unreachable(let error): "unreachable: \(error)"
        case .timedOut: "timed out"
        case .outOfResources(let error): "out of resources: \(error)"
        case .refusedByPolicy: "address refused by policy"
        case .system(let error): "\(error)"
        }
    }
}

extension ConnectError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .nameNotResolved(let error):
            return "\(error)"
        case .failed(let failures):
            return failures.map { "\($0.address): \($0.failure)" }.joined(separator: "; ")
        }
    }
}
