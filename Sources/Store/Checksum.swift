// Checksum: tells bytes that a failing disk, a lost write or another program has changed. It is no
// protection against anybody: what must be that is sealed. The same on every machine, for it stands
// in files. Pure; any thread.

internal import FetchBytes

/// 64 bits that change with any of the bytes, in four lanes of eight bytes each.
package struct Checksum: Sendable {
    private static var multiplier: UInt64 { 0x9e37_79b9_7f4a_7c15 }

    private var state: UInt64

    package init(_ seed: UInt64 = 0) {
        state = seed ^ 0x2d35_8dcc_aa6c_78a5
    }

    package mutating func append(_ number: Int64) {
        state = Self.fold(state, UInt64(bitPattern: number))
    }

    package mutating func append(_ bytes: Span<UInt8>) {
        // The count first, so that no two rows of parts are alike.
        append(Int64(bytes.count))
        var lanes = (state, state &+ 1, state &+ 2, state &+ 3)
        var index = 0
        while index &+ 32 <= bytes.count {
            lanes.0 = Self.fold(lanes.0, Scan.word(bytes, at: index))
            lanes.1 = Self.fold(lanes.1, Scan.word(bytes, at: index &+ 8))
            lanes.2 = Self.fold(lanes.2, Scan.word(bytes, at: index &+ 16))
            lanes.3 = Self.fold(lanes.3, Scan.word(bytes, at: index &+ 24))
            index &+= 32
        }
        state = Self.fold(Self.fold(lanes.0, lanes.1), Self.fold(lanes.2, lanes.3))
        while index &+ 8 <= bytes.count {
            state = Self.fold(state, Scan.word(bytes, at: index))
            index &+= 8
        }
        var word: UInt64 = 0
        while index < bytes.count {
            word = word &<< 8 | UInt64(bytes[index])
            index &+= 1
        }
        state = Self.fold(state, word)
    }

    package var value: Int64 { Int64(bitPattern: Self.fold(state, 1)) }

    /// Both halves of a product. Invertible in `word` by what is added, so that no word is lost.
    @inline(__always)
    private static func fold(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let mixed = (state ^ word) &* multiplier
        return (mixed &>> 32 ^ mixed) &+ (state &<< 23 | state &>> 41)
    }
}
