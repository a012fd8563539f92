// A caller's own resolver, and its seam. The protocol is a callback with a handle instead of an
// async function, for three reasons: an answer belongs to every call that waits for the name, so no
// caller's task could await it, and the library starts none of its own; one family can be told
// before the other, which the address race has use for; and code off the reactor answers through
// the same handle as code on it. Who writes async code starts a task and keeps the handle.

internal import FetchReactor

/// Finds the addresses of names in place of hosts file and name servers.
///
/// Literals, `localhost` and overrides don't get here, nor does a name whose answer still holds: it
/// is asked for a name once, however many calls wait for it.
public protocol Resolver: Sendable {
    /// Begins to look for a name: lower case, no trailing dot. Called on the reactor's thread, and
    /// must not block it. The answer may be told at once or later, from any thread.
    func resolve(_ name: String, isAbsolute: Bool, _ answer: ResolverAnswer)
}

/// Where a resolver tells what it found. Everything may be called from any thread; what is told
/// after `finish` or `fail` is ignored. Letting go of it without either is a failure.
public final class ResolverAnswer: Sendable {
    private let id: Int
    private let source: ReactorBound<ForeignSource>

    init(_ id: Int, _ source: ReactorBound<ForeignSource>) {
        self.id = id
        self.source = source
    }

    /// Addresses of one family, all of them, and for how many seconds they hold. The other family
    /// may follow; none of it is told with an empty list.
    package func addresses(
        _ family: AddressFamily, _ hosts: [SocketAddress.Host], seconds: UInt32
    ) {
        let answer: FamilyAnswer =
            hosts.isEmpty
            ? .nothing(noSuchName: false, seconds: seconds)
            : .addresses(hosts, seconds: seconds)
        tell { $0.answered($1, family, answer) }
    }

    /// Addresses as text, IPv4 and IPv6 in any order, and for how many seconds they hold; there is
    /// no more. A text that is no address fails the answer.
    public func finish(_ addresses: [String], seconds: UInt32) {
        var hosts: [AddressFamily: [SocketAddress.Host]] = [:]
        for text in addresses {
            guard let address = SocketAddress(literal: text, port: 0) else {
                fail("\(text) is no address")
                return
            }
            hosts[AddressFamily(address.host), default: []].append(address.host)
        }
        for (family, found) in hosts { self.addresses(family, found, seconds: seconds) }
        finish()
    }

    /// There is no more. A family that was not told of has no addresses; if neither was, there is
    /// no such name.
    public func finish() { tell { $0.finished($1) } }

    /// It can't be known now.
    public func fail(_ reason: String) { tell { $0.failed($1, .resolverFailed(reason)) } }

    private func tell(_ action: @escaping @Sendable (ForeignSource, Int) -> Void) {
        let (id, source) = (id, source)
        source.reactor.post { action(source.value, id) }
    }

    deinit {
        tell { $0.failed($1, .resolverFailed("it let go of the question")) }
    }
}

/// Where the names of a client get what nothing on this machine knows: c-ares or a caller's own
/// resolver. Reactor thread.
package protocol NameSource: AnyObject {
    /// Begins to look for a name. Both families are told of once each, never before this returns.
    func ask(_ id: Int, _ name: String, isAbsolute: Bool)
    /// Nobody waits any more. True if nothing more will be told: the question is no longer open.
    func forget(_ id: Int) -> Bool
    /// Ends; nothing is told any more.
    func close()
    /// Whether what it would answer may have changed since it was asked last.
    func hasChanged(now: Int64) -> Bool
}

/// Hears what a source found. Reactor thread.
package protocol NameAsker: AnyObject {
    func answered(_ id: Int, _ family: AddressFamily, _ answer: FamilyAnswer)
}

/// A caller's resolver as a source.
final class ForeignSource: NameSource {
    /// A cycle with a resolver that keeps its answers, until `close`.
    private var resolver: (any Resolver)?
    private let reactor: Reactor
    private let most: Int
    /// A cycle with the names, until `close`.
    private var asker: (any NameAsker)?
    /// The families that have been told of, by question.
    private var open: [Int: Set<AddressFamily>] = [:]

    init(_ resolver: any Resolver, on reactor: Reactor, most: Int, asker: any NameAsker) {
        self.resolver = resolver
        self.reactor = reactor
        self.most = most
        self.asker = asker
    }

    func ask(_ id: Int, _ name: String, isAbsolute: Bool) {
        open[id] = []
        let bound = ReactorBound(here: self, on: reactor)
        resolver?.resolve(name, isAbsolute: isAbsolute, ResolverAnswer(id, bound))
    }

    /// A resolver that never answers must not keep the next call waiting as well.
    func forget(_ id: Int) -> Bool {
        open[id] = nil
        return true
    }

    func hasChanged(now: Int64) -> Bool { false }

    func close() {
        asker = nil
        resolver = nil
        open = [:]
    }

    fileprivate func answered(_ id: Int, _ family: AddressFamily, _ answer: FamilyAnswer) {
        guard let told = open[id], !told.contains(family) else { return }
        open[id] = told.count == 1 ? nil : [family]
        asker?.answered(id, family, answer.keeping(most))
    }

    fileprivate func finished(_ id: Int) {
        let isUnknown = open[id]?.isEmpty ?? false
        rest(id, .nothing(noSuchName: isUnknown, seconds: nil))
    }

    fileprivate func failed(_ id: Int, _ fact: NameError.Fact) {
        rest(id, .failed(fact, []))
    }

    /// The families that are still to be told of.
    private func rest(_ id: Int, _ answer: FamilyAnswer) {
        for family in AddressFamily.allCases { answered(id, family, answer) }
    }
}

extension FamilyAnswer {
    /// With so many addresses at most.
    func keeping(_ most: Int) -> FamilyAnswer {
        guard case .addresses(let hosts, let seconds) = self, hosts.count > most else {
            return self
        }
        return .addresses(Array(hosts.prefix(most)), seconds: seconds)
    }
}
