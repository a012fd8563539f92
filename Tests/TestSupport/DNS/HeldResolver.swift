// A caller's own resolver that answers when a test says so. Any thread.

package import FetchTransport
internal import Synchronization

package final class HeldResolver: Resolver {
    private let held = Mutex<[(name: String, answer: ResolverAnswer)]>([])

    package init() {}

    package func resolve(_ name: String, isAbsolute: Bool, _ answer: ResolverAnswer) {
        held.withLock { $0.append((isAbsolute ? name + "." : name, answer)) }
    }

    /// What was asked for, in order; absolute names end in a dot.
    package var names: [String] { held.withLock { $0.map(\.name) } }

    package var count: Int { names.count }

    /// The answer to the latest question.
    package var answer: ResolverAnswer? { held.withLock { $0.last?.answer } }

    /// Answers the latest question with these addresses, for 60 s.
    package func answer(_ literals: [String]) {
        let hosts = literals.compactMap { SocketAddress(literal: $0, port: 0)?.host }
        for family in [AddressFamily.ipv6, .ipv4] {
            answer?.addresses(
                family, hosts.filter { AddressFamily($0) == family }, seconds: 60)
        }
    }
}
