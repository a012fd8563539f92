// What happened, as one number: FNV-1a over the words of every event. A value.

package import FetchTime

package struct Trace: Equatable, Sendable, CustomStringConvertible {
    package private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    package private(set) var count = 0

    package init() {}

    package mutating func add(_ now: Instant, _ words: Int...) {
        count += 1
        mix(UInt64(bitPattern: now.nanoseconds))
        for word in words { mix(UInt64(bitPattern: Int64(word))) }
    }

    /// FNV-1a takes bytes; a word at once, folded, is enough to tell two histories apart.
    private mutating func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0x100_0000_01B3
        hash ^= hash >> 29
    }

    package var description: String {
        "\(String(hash, radix: 16)) over \(count) events"
    }
}
