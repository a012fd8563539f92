// Makes the dials of one client: it holds what they have in common. Owned by the road; reactor
// thread.

package import FetchReactor

/// Where a dial goes.
package enum Destination {
    /// Addresses that are known and don't change, tried in order.
    case addresses([SocketAddress])
    /// A name: lower case, no trailing dot.
    case name(String, isAbsolute: Bool, port: UInt16)
}

package final class Dialer {
    let reactor: Reactor
    let network: any Network
    package let names: Names
    let policy: AddressPolicy
    let delays: AddressRace.Delays

    package init(
        reactor: Reactor, network: any Network, names: Names, policy: AddressPolicy = .any,
        delays: AddressRace.Delays = .init()
    ) {
        self.reactor = reactor
        self.network = network
        self.names = names
        self.policy = policy
        self.delays = delays
    }

    /// Where a host (lower case, no brackets, no trailing dot) is found.
    package func destination(
        of host: String, isAbsolute: Bool, port: UInt16
    ) -> Destination {
        if let fixed = names.fixedAddresses(of: host, port: port), !fixed.isEmpty {
            return .addresses(fixed)
        }
        return .name(host, isAbsolute: isAbsolute, port: port)
    }

    /// Begins to connect. `handler` hears of everything later, never before this returns.
    package func dial(_ destination: Destination, handler: any DialHandler) -> Dial {
        Dial(destination, by: self, handler: handler)
    }
}
