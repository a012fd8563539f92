// Why a name gave no address, and what was learned of one address family. Values; any thread.

/// Why no address is known for a name. A closed set of facts; wrapped once, by Engine.
package struct NameError: Error, Equatable, Sendable {
    package enum Fact: Equatable, Sendable {
        /// The name does not exist (NXDOMAIN, RFC 1035 §4.1.1), or never does (RFC 6761 §6.4).
        case noSuchName
        /// The name exists and has neither IPv4 nor IPv6 addresses.
        case noAddresses
        /// Name servers answered SERVFAIL, FORMERR or NOTIMP.
        case serverFailure
        /// Name servers refused to answer.
        case refused
        /// No name server answered in time.
        case timedOut
        /// What came is no DNS message, or its aliases lead nowhere.
        case malformedAnswer
        /// No name server could be reached, or none is configured.
        case unreachable
        /// The text is no host name: too long, an empty label, a character that none has, or a
        /// number that some systems take for an address.
        case badName
        /// More names wait to be asked for than the configuration allows.
        case tooManyLookups(limit: Int)
        /// The caller's own resolver failed; its words.
        case resolverFailed(String)
        /// No memory, or no library that works.
        case outOfResources
        /// The client was closed.
        case closed
    }

    /// What one server said instead of an answer.
    package struct Refusal: Equatable, Sendable {
        package let server: SocketAddress
        package let code: ResponseCode

        package init(server: SocketAddress, code: ResponseCode) {
            self.server = server
            self.code = code
        }
    }

    package let name: String
    package let fact: Fact
    /// Every refusal that was seen, in order; empty where the fact says all.
    package let refusals: [Refusal]

    package init(_ fact: Fact, of name: String, refusals: [Refusal] = []) {
        self.fact = fact
        self.name = name
        self.refusals = refusals
    }
}

extension NameError {
    /// Whether it is known that there is no address, and not only unknown whether there is one: to
    /// ask again at once would be answered alike.
    package var isAnswer: Bool {
        switch fact {
        case .noSuchName, .noAddresses, .badName: true
        case .serverFailure, .refused, .timedOut, .malformedAnswer, .unreachable, .tooManyLookups,
            .resolverFailed, .outOfResources, .closed:
            false
        }
    }
}

/// RCODE of a DNS message (RFC 1035 §4.1.1): four bits.
package struct ResponseCode: Hashable, Sendable, CustomStringConvertible {
    package let value: UInt8

    package init(_ value: UInt8) {
        self.value = value
    }

    package static let noError = ResponseCode(0)
    package static let formatError = ResponseCode(1)
    package static let serverFailure = ResponseCode(2)
    package static let nameError = ResponseCode(3)
    package static let notImplemented = ResponseCode(4)
    package static let refused = ResponseCode(5)

    package var description: String {
        switch self {
        case .noError: "NOERROR"
        case .formatError: "FORMERR"
        case .serverFailure: "SERVFAIL"
        case .nameError: "NXDOMAIN"
        case .notImplemented: "NOTIMP"
        case .refused: "REFUSED"
        default: "RCODE \(value)"
        }
    }
}

extension NameError: CustomStringConvertible {
    /// One sentence: the fact, the name, and which server said what.
    package var description: String {
        guard !refusals.isEmpty else { return sentence }
        return sentence + " (" + refusals.map { "\($0.server): \($0.code)" }.joined(separator: ", ")
            + ")"
    }

    private var sentence: String {
        switch fact {
        case .noSuchName: "no such name: \(name)"
        case .noAddresses: "no address is known for \(name)"
        case .serverFailure: "the name servers failed for \(name)"
        case .refused: "the name servers refused to answer for \(name)"
        case .timedOut: "no name server answered for \(name)"
        case .malformedAnswer: "a name server's answer for \(name) makes no sense"
        case .unreachable: "no name server could be asked for \(name)"
        case .badName: "not a host name: \(name)"
        case .tooManyLookups(let limit): "\(limit) names wait to be asked for, before \(name)"
        case .resolverFailed(let reason): "the resolver failed for \(name): \(reason)"
        case .outOfResources: "no resources to ask for \(name)"
        case .closed: "the client was closed before \(name) was known"
        }
    }
}

/// The two families of addresses, as the records that carry them.
package enum AddressFamily: UInt16, Hashable, Sendable, CaseIterable {
    /// A (RFC 1035 §3.4.1).
    case ipv4 = 1
    /// AAAA (RFC 3596 §2.1).
    case ipv6 = 28

    package init(_ host: SocketAddress.Host) {
        switch host {
        case .ipv4: self = .ipv4
        case .ipv6: self = .ipv6
        }
    }

    package var other: AddressFamily { self == .ipv4 ? .ipv6 : .ipv4 }
}

/// What was learned of a name's addresses of one family.
package enum FamilyAnswer: Equatable, Sendable {
    /// At least one, and for how many seconds they hold: the shortest lifetime on the way to them.
    case addresses([SocketAddress.Host], seconds: UInt32)
    /// There are none. `seconds` is how long that holds, if the answer said so (RFC 2308 §5).
    case nothing(noSuchName: Bool, seconds: UInt32?)
    /// Not known.
    case failed(NameError.Fact, [NameError.Refusal])

    var isFailure: Bool {
        if case .failed = self { true } else { false }
    }

    var hasAddresses: Bool {
        if case .addresses = self { true } else { false }
    }
}
