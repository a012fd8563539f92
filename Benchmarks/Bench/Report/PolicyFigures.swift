// What the bench of a policy came to: figures by name and what they must show, as text or as one
// JSON object. A value.

import ArgumentParser

/// Figures in order, and the demands on them.
package struct PolicyFigures: Sendable {
    private var figures: [(name: String, key: String, value: Double, places: Int)] = []
    package var demands: [Demand] = []

    package init() {}

    /// Takes a figure down; `key` is its name in the JSON.
    package mutating func note(_ name: String, _ key: String, _ value: Double, places: Int = 0) {
        figures.append((name, key, value, places))
    }

    /// The other's figures and demands behind these.
    mutating func append(_ other: PolicyFigures) {
        figures += other.figures
        demands += other.demands
    }

    package subscript(key: String) -> Double? { figures.first { $0.key == key }?.value }

    package var json: String {
        let members = figures.map { "\"\($0.key)\":\(decimal($0.value, $0.places))" }
        return "{" + (members + ["\"demands\":\(Demand.json(demands))"]).joined(separator: ",")
            + "}"
    }

    package var text: String {
        let lines = figures.map { figure in
            let whole = figure.places == 0
            let value =
                whole ? grouped(Int(figure.value)) : decimal(figure.value, figure.places)
            return "\(figure.name): \(value)"
        }
        return (lines + demands.map(\.text)).joined(separator: "\n")
    }

    /// Prints, and ends with exit code 1 where a demand is missed.
    func conclude(json asJSON: Bool) throws {
        print(asJSON ? json : text)
        if Interruption.isRequested { throw ExitCode(130) }
        if !demands.allSatisfy(\.isHeld) { throw ExitCode(1) }
    }
}
