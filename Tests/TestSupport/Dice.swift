// Chance under a seed: SplitMix64 (Steele, Lea, Flood 2014). A value; whoever holds it owns its
// stream of numbers, so that one seed gives one history.

package struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// A generator of its own, whose numbers depend on nothing that is drawn from this one later.
    package mutating func fork() -> Dice {
        Dice(seed: next())
    }

    /// Each number of the range alike (to within 2⁻³² for the small ranges of tests).
    package mutating func pick(_ range: ClosedRange<Int>) -> Int {
        let width = UInt64(range.upperBound - range.lowerBound) + 1
        return range.lowerBound + Int(next() % width)
    }

    package mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[pick(0...(choices.count - 1))]
    }

    /// True once in `1 / probability` throws.
    package mutating func chance(_ probability: Double) -> Bool {
        Double(next() >> 11) * 0x1p-53 < probability
    }

    /// Whole microseconds of the range.
    package mutating func pick(_ range: ClosedRange<Duration>) -> Duration {
        let low = range.lowerBound.wholeMicroseconds
        let high = range.upperBound.wholeMicroseconds
        return .microseconds(pick(low...high))
    }
}

extension Duration {
    /// Rounded down.
    package var wholeMicroseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
    }
}
