// What a measurement is to show, and whether it did. A pure value.

/// A figure and its bound.
package struct Demand: Equatable, Sendable {
    /// Which side of the bound is good.
    package enum Bound: Equatable, Sendable {
        case atMost(Double)
        case atLeast(Double)
    }

    package let name: String
    /// nil where it could not be measured, which is a miss.
    package let value: Double?
    package let bound: Bound
    /// Decimal places to show.
    let places: Int

    package init(_ name: String, _ value: Double?, _ bound: Bound, places: Int = 2) {
        self.name = name
        self.value = value
        self.bound = bound
        self.places = places
    }

    package var isHeld: Bool {
        guard let value else { return false }
        switch bound {
        case .atMost(let most): return value <= most
        case .atLeast(let least): return value >= least
        }
    }

    /// `held: NAME 0.61 (at most 0.65)`.
    package var text: String {
        let figure = value.map { decimal($0, places) } ?? "not measured"
        return "\(isHeld ? "held" : "MISSED"): \(name) \(figure) (\(boundText))"
    }

    private var boundText: String {
        switch bound {
        case .atMost(let most): "at most \(decimal(most, places))"
        case .atLeast(let least): "at least \(decimal(least, places))"
        }
    }

    /// An array of objects; names hold nothing to escape.
    package static func json(_ demands: [Demand]) -> String {
        let objects = demands.map { demand in
            let value = demand.value.map { decimal($0, 4) } ?? "null"
            return "{\"name\":\"\(demand.name)\",\"value\":\(value),\"held\":\(demand.isHeld)}"
        }
        return "[" + objects.joined(separator: ",") + "]"
    }
}
