// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein 2012): a digest of what a request says,
// under a key that is drawn per process. Whoever doesn't know the key can neither make two requests
// collide nor learn a credential from its digest. Pure; any thread.

/// The key of a digest. Drawn at random by whoever owns the table.
package struct DigestKey: Sendable {
    package let first: UInt64
    package let second: UInt64

    package init(_ first: UInt64, _ second: UInt64) {
        self.first = first
        self.second = second
    }
}

@usableFromInline
package struct Digest: Hashable, Sendable {
    @usableFromInline package let low: UInt64
    @usableFromInline package let high: UInt64

    @inlinable
    package init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// Written out, as tables of other rooms compare them.
    @inlinable
    package static func == (left: Digest, right: Digest) -> Bool {
        left.low == right.low && left.high == right.high
    }
}

/// Takes bytes, gives their digest.
package struct KeyedDigest {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64
    /// Bytes that don't fill a word yet, the first one lowest.
    private var tail: UInt64 = 0
    private var count: UInt64 = 0

    package init(_ key: DigestKey) {
        v0 = key.first ^ 0x736f_6d65_7073_6575
        v1 = key.second ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = key.first ^ 0x6c79_6765_6e65_7261
        v3 = key.second ^ 0x7465_6462_7974_6573
    }

    package mutating func append(_ byte: UInt8) {
        tail |= UInt64(byte) &<< (8 &* (count & 7))
        count &+= 1
        if count & 7 == 0 {
            compress(tail)
            tail = 0
        }
    }

    package mutating func append(_ bytes: Span<UInt8>) {
        var index = 0
        let end = bytes.count
        while index &+ 8 <= end {
            // The compiler makes one load of these.
            let low =
                UInt64(bytes[index]) | UInt64(bytes[index &+ 1]) &<< 8
                | UInt64(bytes[index &+ 2]) &<< 16 | UInt64(bytes[index &+ 3]) &<< 24
            let high =
                UInt64(bytes[index &+ 4]) | UInt64(bytes[index &+ 5]) &<< 8
                | UInt64(bytes[index &+ 6]) &<< 16 | UInt64(bytes[index &+ 7]) &<< 24
            append(low | high &<< 32)
            index &+= 8
        }
        while index < end {
            append(bytes[index])
            index &+= 1
        }
    }

    /// Eight bytes, the lowest first.
    package mutating func append(_ word: UInt64) {
        let bits = 8 &* (count & 7)
        count &+= 8
        compress(tail | word &<< bits)
        tail = bits == 0 ? 0 : word &>> (64 &- bits)
    }

    package consuming func finish() -> Digest {
        compress(tail | count &<< 56)
        v2 ^= 0xee
        for _ in 0..<4 { round() }
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        for _ in 0..<4 { round() }
        return Digest(low: low, high: v0 ^ v1 ^ v2 ^ v3)
    }

    private mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    @inline(__always)
    private mutating func round() {
        v0 = v0 &+ v1
        v1 = (v1 &<< 13 | v1 &>> 51) ^ v0
        v0 = v0 &<< 32 | v0 &>> 32
        v2 = v2 &+ v3
        v3 = (v3 &<< 16 | v3 &>> 48) ^ v2
        v0 = v0 &+ v3
        v3 = (v3 &<< 21 | v3 &>> 43) ^ v0
        v2 = v2 &+ v1
        v1 = (v1 &<< 17 | v1 &>> 47) ^ v2
        v2 = v2 &<< 32 | v2 &>> 32
    }
}
