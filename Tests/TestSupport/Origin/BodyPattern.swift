// Bodies of any length without memory: byte i is a fixed function of i, so a reader can check each
// one. Values, any thread.

package import FetchBytes
internal import Glibc

/// An endless body. Its period is a prime near 64 KiB, so that a block lost, doubled or swapped
/// anywhere shows.
package enum BodyPattern {
    package static let period = 65_521

    /// Two periods, so that any run of up to one period is a slice.
    private static let block: Bytes = {
        var dice = Dice(seed: 0x5EED)
        let one = (0..<period).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
        return Bytes(one + one)
    }()

    /// The bytes at `offset`, at most one period of them. Copies nothing.
    package static func bytes(at offset: Int, count: Int) -> Bytes {
        let start = offset % period
        return block.slice(start..<(start + min(count, period)))
    }

    /// Whether `bytes` is what the pattern has at `offset`.
    package static func matches(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        var done = 0
        while done < bytes.count {
            let wanted = BodyPattern.bytes(at: offset + done, count: bytes.count - done)
            // Both ranges lie inside their buffers: `wanted` has at most what is left of `bytes`.
            let same = unsafe wanted.withUnsafeBytes { expected in
                guard let left = expected.baseAddress,
                    let right = bytes.baseAddress
                else { return true }
                return unsafe memcmp(left, right + done, expected.count) == 0
            }
            guard same else { return false }
            done += wanted.count
        }
        return true
    }

    package static func matches(_ bytes: Bytes, at offset: Int) -> Bool {
        // The pointer is used during the call only.
        unsafe bytes.withUnsafeBytes { unsafe matches($0, at: offset) }
    }
}
