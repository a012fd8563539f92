// Which of several endpoints behind one name gets a request. A value of the name's; reads no clock
// and throws no dice of its own. Who is ejected is the breakers' word, handed in.

/// How endpoints share the load.
public enum BalanceRule: Sendable, Hashable {
    /// One after the other, each as often as its weight says, evenly interleaved.
    case roundRobin
    /// Of two thrown by weight, the one with fewer requests under way for its weight. Nearly as
    /// even as the least of all, and no herd runs to the one that came back.
    case leastInFlight
}

/// One of several places that give the same service.
public struct Endpoint: Sendable, Hashable {
    /// The most endpoints behind one name: 64.
    public static var most: Int { 64 }

    /// Where it is: scheme, host and port.
    public var url: String
    /// How much of the load it gets, compared with the others: 1 to 1,000,000. Default 1.
    public var weight: Int
    /// Whether requests keep the authority of the URL that was asked for, as their Host field (RFC
    /// 9110 §7.2) and as the name that its certificate must be for. Else they name the endpoint's
    /// own host and port. Default true: behind one name, every endpoint is that name.
    public var keepsAuthority: Bool

    /// An endpoint of this weight.
    public init(_ url: String, weight: Int = 1, keepsAuthority: Bool = true) {
        self.url = url
        self.weight = weight
        self.keepsAuthority = keepsAuthority
    }
}

package struct Balancer: Sendable {
    package let rule: BalanceRule
    private struct Place: Sendable {
        var weight: Int64
        /// Of the smooth weighted round robin: how much it has been passed over.
        var credit: Int64 = 0
        var inFlight: Int64 = 0
    }

    private var places: [Place]

    /// - Parameter weights: one to 64 of them; below 1 counts as 1.
    package init(_ rule: BalanceRule, weights: [Int]) {
        precondition(
            (1...Endpoint.most).contains(weights.count), "a name has 1 to 64 endpoints")
        self.rule = rule
        places = weights.map { Place(weight: Int64(min(max(1, $0), 1_000_000))) }
    }

    package static func invalidSetting(_ endpoints: [Endpoint]) -> InvalidSetting? {
        if !(1...Endpoint.most).contains(endpoints.count) {
            return InvalidSetting("endpoints", "must be 1 to \(Endpoint.most)")
        }
        if endpoints.contains(where: { !(1...1_000_000).contains($0.weight) }) {
            return InvalidSetting("endpoints.weight", "must be between 1 and 1,000,000")
        }
        return nil
    }

    package var count: Int { places.count }

    /// Every endpoint.
    package var all: EndpointSet {
        EndpointSet(rawValue: places.count == 64 ? .max : (1 &<< UInt64(places.count)) &- 1)
    }

    /// Requests under way at an endpoint.
    package func inFlight(_ endpoint: Int) -> Int { Int(places[endpoint].inFlight) }

    /// The endpoint for a request; nil when all are ejected.
    ///
    /// - Parameters:
    ///   - tried: those that this call has failed at: they come last, so that a retry fails over.
    ///   - ejected: those whose breaker refuses: they don't come at all.
    ///   - random: 64 bits of chance, all alike.
    package mutating func pick(
        tried: EndpointSet = [], ejected: EndpointSet = [], random: UInt64
    ) -> Int? {
        let usable = all.subtracting(ejected)
        let fresh = usable.subtracting(tried)
        let choices = fresh.isEmpty ? usable : fresh
        guard !choices.isEmpty else { return nil }
        return switch rule {
        case .roundRobin: nextInTurn(choices)
        case .leastInFlight: betterOfTwo(choices, random)
        }
    }

    /// A request to the endpoint begins.
    package mutating func started(_ endpoint: Int) { places[endpoint].inFlight += 1 }

    /// It has ended.
    package mutating func ended(_ endpoint: Int) {
        places[endpoint].inFlight = max(0, places[endpoint].inFlight - 1)
    }

    /// Each gains its weight, the richest goes and pays what all have gained.
    private mutating func nextInTurn(_ choices: EndpointSet) -> Int {
        var total: Int64 = 0
        var best = -1
        for index in places.indices where choices.contains(EndpointSet(index)) {
            // Who is away neither gains nor pays, and so comes back where it left.
            places[index].credit += places[index].weight
            total += places[index].weight
            if best < 0 || places[index].credit > places[best].credit { best = index }
        }
        places[best].credit -= total
        return best
    }

    private func betterOfTwo(_ choices: EndpointSet, _ random: UInt64) -> Int {
        let first = thrown(choices, UInt32(truncatingIfNeeded: random))
        let others = choices.subtracting(EndpointSet(first))
        guard !others.isEmpty else { return first }
        let second = thrown(others, UInt32(truncatingIfNeeded: random &>> 32))
        // In flight, this request included, for each unit of weight.
        let one = (places[first].inFlight + 1) * places[second].weight
        let other = (places[second].inFlight + 1) * places[first].weight
        return other < one ? second : first
    }

    /// One of the choices, each by its weight.
    private func thrown(_ choices: EndpointSet, _ random: UInt32) -> Int {
        var total: Int64 = 0
        for index in places.indices where choices.contains(EndpointSet(index)) {
            total += places[index].weight
        }
        var mark = Int64((UInt64(random) &* UInt64(total)) &>> 32)
        var last = -1
        for index in places.indices where choices.contains(EndpointSet(index)) {
            last = index
            mark -= places[index].weight
            if mark < 0 { break }
        }
        return last
    }
}
