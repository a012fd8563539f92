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
    /// Which addresses did not answer, and how others are reached.
    private var memory: AddressMemory

    package init(
        reactor: Reactor, network: any Network, names: Names, policy: AddressPolicy = .any,
        delays: AddressRace.Delays = .init(), memory: AddressMemorySettings = .init()
    ) {
        self.memory = AddressMemory(memory)
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

    /// A name's addresses in the order in which they are to be tried.
    func ordered(_ hosts: [SocketAddress.Host], port: UInt16) -> [RankedHost] {
        memory.ordered(hosts, port: port, now: reactor.now) { network.source(towards: $0) }
    }

    /// An address of a name has answered, or has had its time and did not.
    func learn(_ address: SocketAddress, answered: Bool) {
        if answered { memory.answered(address) } else { memory.failed(address, now: reactor.now) }
    }

    /// Begins to connect. `handler` hears of everything later, never before this returns.
    package func dial(_ destination: Destination, handler: any DialHandler) -> Dial {
        Dial(destination, by: self, handler: handler)
    }
}
