// FieldScan: whole field lines (RFC 9112 section 5) in one pass, sixteen bytes at a time. Pure; any
// thread. The hottest loop of the client: everything stays in registers.
//
// Unsafe: bytes are read through the span's own pointer, each behind a comparison with its count.

/// Reads field lines that are whole and valid, and leaves everything else to a slower reader.
@usableFromInline
package enum FieldScan {
    /// Reads lines from `start` on while they are whole, valid, end within `limit` and fit the
    /// index: two words per field say where its name and its value lie (`PackedStorage.pack`).
    /// `count` is how many fields the index holds. Gives where the first line begins that was not
    /// read.
    package static func lines(
        _ bytes: Span<UInt8>, from start: Int, limit: Int,
        into index: inout [UInt64], count: inout Int
    ) -> Int {
        unsafe index.withUnsafeMutableBufferPointer { slots in
            unsafe bytes.withUnsafeBytes { all in
                guard let base = all.baseAddress else { return start }
                let end = min(all.count, limit)
                var line = start
                var slot = count &* 2
                while slot &+ 1 < slots.count {
                    let next = unsafe Self.line(base, line, end, slots, slot)
                    if next < 0 { break }
                    slot &+= 2
                    line = next
                }
                count = slot / 2
                return line
            }
        }
    }

    /// Reads one line into two slots that are there; gives its end, or −1.
    @unsafe
    @inline(__always)
    private static func line(
        _ base: UnsafeRawPointer, _ start: Int, _ end: Int,
        _ slots: UnsafeMutableBufferPointer<UInt64>, _ slot: Int
    ) -> Int {
        let nameEnd = unsafe endOfName(base, start, end)
        guard nameEnd > start, nameEnd &+ 1 < end,
            unsafe byte(base, nameEnd) == UInt8(ascii: ":")
        else { return -1 }
        var value = nameEnd &+ 1
        if unsafe byte(base, value) == 0x20 { value &+= 1 }
        while value < end, unsafe byte(base, value) <= 0x20, unsafe ASCII.isBlank(byte(base, value))
        {
            value &+= 1
        }
        let stop = unsafe endOfValue(base, value, end)
        guard stop &+ 1 < end, unsafe isLineEnd(base, stop) else { return -1 }
        var valueEnd = stop
        // What was accepted holds no other byte up to SP than the two blanks.
        while valueEnd > value, unsafe byte(base, valueEnd &- 1) <= 0x20 { valueEnd &-= 1 }
        unsafe slots[slot] = pack(start, nameEnd)
        unsafe slots[slot &+ 1] = pack(value, valueEnd)
        return stop &+ 2
    }

    @inline(__always)
    private static func pack(_ start: Int, _ end: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: start) | UInt64(truncatingIfNeeded: end &- start) &<< 32
    }

    private typealias Block = SIMD16<UInt8>

    /// A mask as two words. (Combining masks as such is done lane by lane, thirty times as slow.)
    @unsafe
    @inline(__always)
    private static func lanes(_ mask: SIMDMask<SIMD16<Int8>>) -> SIMD2<UInt64> {
        // A mask is sixteen bytes, each all ones or all zeros.
        unsafe unsafeBitCast(mask, to: SIMD2<UInt64>.self)
    }

    /// The first lane that is true, or 16.
    @inline(__always)
    private static func firstTrue(_ lanes: SIMD2<UInt64>) -> Int {
        let low = lanes[0].littleEndian
        if low != 0 { return low.trailingZeroBitCount &>> 3 }
        return 8 &+ lanes[1].littleEndian.trailingZeroBitCount &>> 3
    }

    @unsafe
    @inline(__always)
    private static func byte(_ base: UnsafeRawPointer, _ index: Int) -> UInt8 {
        unsafe base.load(fromByteOffset: index, as: UInt8.self)
    }

    @unsafe
    @inline(__always)
    private static func isLineEnd(_ base: UnsafeRawPointer, _ index: Int) -> Bool {
        unsafe UInt16(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt16.self))
            == 0x0a0d
    }

    @unsafe
    @inline(__always)
    private static func endOfName(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
        var index = start
        while index &+ 16 <= end {
            // Letters and hyphens go by sixteen; anything else is looked at alone.
            let block = unsafe base.loadUnaligned(fromByteOffset: index, as: Block.self)
            let letter = (block | Block(repeating: 0x20)) &- Block(repeating: 0x61)
            let found = unsafe firstTrue(
                lanes(letter .>= Block(repeating: 26)) & lanes(block .!= Block(repeating: 0x2d)))
            index &+= found
            if found == 16 { continue }
            let byte = unsafe byte(base, index)
            if byte == UInt8(ascii: ":") || !ASCII.isToken(byte) { return index }
            index &+= 1
        }
        while index < end, unsafe ASCII.isToken(byte(base, index)) { index &+= 1 }
        return index
    }

    @unsafe
    @inline(__always)
    private static func endOfValue(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
        var index = start
        while index &+ 16 <= end {
            let block = unsafe base.loadUnaligned(fromByteOffset: index, as: Block.self)
            let found = unsafe firstTrue(
                lanes(block .< Block(repeating: 0x20)) | lanes(block .== Block(repeating: 0x7f)))
            index &+= found
            if found == 16 { continue }
            if unsafe byte(base, index) != 0x09 { return index }
            index &+= 1
        }
        while index < end, unsafe ASCII.isFieldValue(byte(base, index)) { index &+= 1 }
        return index
    }
}
