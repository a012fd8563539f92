// What several rounds of one measurement say together. Pure.

/// Figures of two contenders, round by round.
package enum Rounds {
    /// One's figures over another's of the same round; rounds that only one of them has, and
    /// rounds in which the other's figure is zero, are left out.
    package static func ratios(of own: [Double], to other: [Double]) -> [Double] {
        zip(own, other).compactMap { $1 > 0 ? $0 / $1 : nil }
    }
}

extension Collection where Element: Comparable {
    /// The middle one by size, the upper one of two; nil of nothing.
    package var median: Element? {
        isEmpty ? nil : sorted()[count / 2]
    }
}
