// FieldScan: whole field lines (RFC 9112 section 5) in one pass, sixteen bytes at a time. Pure; any
// thread. The hottest loop of the client: everything stays in registers.
//
// Unsafe: bytes are read through the span's own pointer, each behind a comparison with its count.

/// Reads field lines that are whole and valid, and leaves everything else to a slower reader.
@usableFromInline
package enum FieldScan {
    /// How far lines were read.
    package struct Progress {
        /// Where the first line begins that was not read; where the section ends when it is whole.
        package let next: Int
        /// The empty line at the section's end was read as well.
        package let isWhole: Bool
        /// A bit for each of the first 64 fields of the index whose name has one of the lengths
        /// asked for.
        package let noted: UInt64
    }

    /// Reads lines from `start` on while they are whole, valid, end within `limit` and fit the
    /// index: two words per field say where its name and its value lie (`PackedStorage.pack`).
    /// `count` is how many fields the index holds. Gives where the first line begins that was not
    /// read.
    package static func lines(
        _ bytes: Span<UInt8>, from start: Int, limit: Int,
        into index: inout [UInt64], count: inout Int
    ) -> Int {
        let progress = section(
            bytes, from: start, limit: limit, noting: 0, into: &index, count: &count)
        return progress.isWhole ? progress.next &- 2 : progress.next
    }

    /// The same up to the empty line. `lengths` has a bit for each length, below 64, of the names
    /// that are to be noted.
    package static func section(
        _ bytes: Span<UInt8>, from start: Int, limit: Int, noting lengths: UInt64,
        into index: inout [UInt64], count: inout Int
    ) -> Progress {
        let first = count
        let (progress, fields) = unsafe index.withUnsafeMutableBufferPointer { slots in
            unsafe bytes.withUnsafeBytes { all in
                unsafe section(all, start, limit, lengths, slots, first)
            }
        }
        count = fields
        return progress
    }

    @unsafe
    @inline(__always)
    private static func section(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ limit: Int, _ lengths: UInt64,
        _ slots: UnsafeMutableBufferPointer<UInt64>, _ first: Int
    ) -> (Progress, Int) {
        guard let base = bytes.baseAddress else {
            return (Progress(next: start, isWhole: false, noted: 0), first)
        }
        let end = min(bytes.count, limit)
        let capacity = slots.count &>> 1
        var line = start
        var field = first
        var noted: UInt64 = 0
        while line &+ 1 < end {
            if unsafe isLineEnd(base, line) {
                return (Progress(next: line &+ 2, isWhole: true, noted: noted), field)
            }
            guard field < capacity else { break }
            var parts = Line.none
            if end &- line >= room { parts = unsafe plainLine(base, line) }
            if parts.next < 0 { parts = unsafe Self.line(base, line, end) }
            if parts.next < 0 { break }
            let length = parts.nameEnd &- line
            if length < 64, lengths &>> UInt64(truncatingIfNeeded: length) & 1 != 0 {
                noted |= 1 << UInt64(truncatingIfNeeded: field)
            }
            unsafe slots[field &* 2] = pack(line, parts.nameEnd)
            unsafe slots[field &* 2 &+ 1] = pack(parts.value, parts.valueEnd)
            field &+= 1
            line = parts.next
        }
        return (Progress(next: line, isWhole: false, noted: noted), field)
    }

    /// The bytes in front of the end that `plainLine` needs: a name of up to fifteen bytes, a colon
    /// and a space, two blocks of value and the line's end.
    private static var room: Int { 15 &+ 2 &+ 32 &+ 2 }

    /// The same as `line` for what most lines are: a short name, one space, and a value of less
    /// than 32 bytes without blanks at its ends. `room` bytes must be there; in return none of them
    /// is asked for.
    @unsafe
    @inline(__always)
    private static func plainLine(_ base: UnsafeRawPointer, _ start: Int) -> Line {
        let name = unsafe firstNoLetter(block(base, start))
        guard name &- 1 < 15, name > 0,
            unsafe byte(base, start &+ name) == UInt8(ascii: ":"),
            unsafe byte(base, start &+ name &+ 1) == UInt8(ascii: " ")
        else { return .none }
        let value = start &+ name &+ 2
        var count = unsafe firstControl(block(base, value))
        if count == 16 { count &+= unsafe firstControl(block(base, value &+ 16)) }
        // A value of 32 bytes or more goes on with something else.
        let stop = value &+ count
        guard count > 0, unsafe isLineEnd(base, stop), unsafe byte(base, value) > 0x20,
            unsafe byte(base, stop &- 1) > 0x20
        else { return .none }
        return Line(nameEnd: value &- 2, value: value, valueEnd: stop, next: stop &+ 2)
    }

    /// Where the parts of a line lie that begins at `start`: one that is whole, valid, and ends at
    /// `end` or before. Nothing at `end` or behind it is read.
    @unsafe
    @inline(__always)
    private static func line(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Line {
        let nameEnd = unsafe endOfName(base, start, end)
        // Behind the colon there must be two bytes more, for the line's end.
        guard nameEnd > start, nameEnd &+ 2 < end else { return .none }
        var value = nameEnd &+ 1
        if unsafe byte(base, value) == 0x20 { value &+= 1 }
        if unsafe byte(base, value) <= 0x20 { value = unsafe endOfBlanks(base, value, end) }
        let stop = unsafe endOfValue(base, value, end)
        guard stop &+ 1 < end, unsafe isLineEnd(base, stop) else { return .none }
        var valueEnd = stop
        if unsafe byte(base, stop &- 1) <= 0x20 {
            // What was accepted holds no other byte up to SP than the two blanks.
            while valueEnd > value, unsafe byte(base, valueEnd &- 1) <= 0x20 { valueEnd &-= 1 }
        }
        return Line(nameEnd: nameEnd, value: value, valueEnd: valueEnd, next: stop &+ 2)
    }

    @unsafe
    private static func endOfBlanks(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
        var index = start
        while index < end, unsafe ASCII.isBlank(byte(base, index)) { index &+= 1 }
        return index
    }

    /// The parts of a line.
    private struct Line {
        /// Where the name ends, and the colon stands.
        let nameEnd: Int
        /// Where the value begins and ends, without the white space around it.
        let value: Int
        let valueEnd: Int
        /// Where the next line begins; −1 where there is no such line here.
        let next: Int

        static var none: Line { Line(nameEnd: 0, value: 0, valueEnd: 0, next: -1) }
    }

    @inline(__always)
    private static func pack(_ start: Int, _ end: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: start) | UInt64(truncatingIfNeeded: end &- start) &<< 32
    }

    private typealias Block = SIMD16<UInt8>

    /// A mask as eight words. (Combining masks as such is done lane by lane, thirty times as slow.)
    @unsafe
    @inline(__always)
    private static func lanes(_ mask: SIMDMask<SIMD16<Int8>>) -> SIMD8<UInt16> {
        // A mask is sixteen bytes, each all ones or all zeros.
        unsafe unsafeBitCast(mask, to: SIMD8<UInt16>.self)
    }

    /// The first lane that is true, or 16.
    @inline(__always)
    private static func firstTrue(_ lanes: SIMD8<UInt16>) -> Int {
        // Four bits of each lane are enough, and fit one word.
        let bits = SIMD8<UInt8>(truncatingIfNeeded: lanes &>> SIMD8(repeating: 4))
        // Eight bytes are eight bytes.
        let word = unsafe unsafeBitCast(bits, to: UInt64.self)
        return word.littleEndian.trailingZeroBitCount &>> 2
    }

    /// The first byte of a block that is neither a letter nor a hyphen, or 16.
    @inline(__always)
    private static func firstNoLetter(_ block: Block) -> Int {
        let letter = (block | Block(repeating: 0x20)) &- Block(repeating: 0x61)
        // Masks are what `lanes` takes.
        return unsafe firstTrue(
            lanes(letter .>= Block(repeating: 26)) & lanes(block .!= Block(repeating: 0x2d)))
    }

    /// The first control character or DEL of a block, or 16.
    @inline(__always)
    private static func firstControl(_ block: Block) -> Int {
        // Masks are what `lanes` takes.
        unsafe firstTrue(
            lanes(block .< Block(repeating: 0x20)) | lanes(block .== Block(repeating: 0x7f)))
    }

    @unsafe
    @inline(__always)
    private static func block(_ base: UnsafeRawPointer, _ index: Int) -> Block {
        unsafe base.loadUnaligned(fromByteOffset: index, as: Block.self)
    }

    @unsafe
    @inline(__always)
    private static func byte(_ base: UnsafeRawPointer, _ index: Int) -> UInt8 {
        unsafe base.load(fromByteOffset: index, as: UInt8.self)
    }

    /// Whether CR and LF stand at a place, where two bytes are.
    @unsafe
    @inline(__always)
    private static func isLineEnd(_ base: UnsafeRawPointer, _ index: Int) -> Bool {
        unsafe UInt16(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt16.self))
            == 0x0a0d
    }

    /// Where the colon stands behind a name that may be empty; −1 when there is none.
    @unsafe
    @inline(__always)
    private static func endOfName(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
        var index = start
        while index &+ 16 <= end {
            // Letters and hyphens go by sixteen; anything else is looked at alone.
            let found = unsafe firstNoLetter(block(base, index))
            index &+= found
            if found == 16 { continue }
            let byte = unsafe byte(base, index)
            if byte == UInt8(ascii: ":") { return index }
            guard ASCII.isToken(byte) else { return -1 }
            index &+= 1
        }
        while index < end {
            let byte = unsafe byte(base, index)
            if byte == UInt8(ascii: ":") { return index }
            guard ASCII.isToken(byte) else { return -1 }
            index &+= 1
        }
        return -1
    }

    @unsafe
    @inline(__always)
    private static func endOfValue(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
        var index = start
        while index &+ 16 <= end {
            let found = unsafe firstControl(block(base, index))
            index &+= found
            if found == 16 { continue }
            if unsafe byte(base, index) != 0x09 { return index }
            index &+= 1
        }
        while index < end, unsafe ASCII.isFieldValue(byte(base, index)) { index &+= 1 }
        return index
    }
}
