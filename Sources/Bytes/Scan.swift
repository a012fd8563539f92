// Scan: eight bytes at a time over what peers send. Pure; any thread.
//
// Unsafe: each word is loaded unaligned at an index the function has checked to be at least eight
// bytes before the span's end; nothing else is read without the span's own check.

/// Fast scans; each returns the index of the first byte that does not belong, or the count.
@usableFromInline
package enum Scan {
    @inlinable static var ones: UInt64 { 0x0101_0101_0101_0101 }
    @inlinable static var highs: UInt64 { 0x8080_8080_8080_8080 }
    @inlinable static var lows: UInt64 { 0x7f7f_7f7f_7f7f_7f7f }

    /// Eight bytes at `index`, the first in the lowest bits. Traps when fewer are left.
    @inlinable
    package static func word(_ bytes: Span<UInt8>, at index: Int) -> UInt64 {
        precondition(index >= 0 && index &+ 8 <= bytes.count)
        return unsafe word(bytes, unchecked: index)
    }

    /// Eight bytes at `index` with letters in lower case. Only for bytes known to be token
    /// characters, and only to compare with words of letters and hyphens: other bytes are mangled.
    @inlinable
    package static func lowercaseWord(_ bytes: Span<UInt8>, at index: Int) -> UInt64 {
        word(bytes, at: index) | 0x2020_2020_2020_2020
    }

    /// Eight bytes at `index`, which the caller has checked to be there.
    @unsafe
    @inlinable
    package static func word(_ bytes: Span<UInt8>, unchecked index: Int) -> UInt64 {
        let raw = unsafe bytes.bytes
        return unsafe UInt64(
            littleEndian: raw.unsafeLoadUnaligned(
                fromUncheckedByteOffset: index, as: UInt64.self))
    }

    /// The number that begins at `index`, and of how many digits it is; of nine digits or more it
    /// tells the first eight. Traps outside the bytes, and where there are fewer than eight of
    /// them in all.
    @inlinable
    @inline(__always)
    package static func decimal(
        _ bytes: Span<UInt8>, at index: Int
    ) -> (number: UInt64, digits: Int) {
        precondition(index >= 0 && index <= bytes.count && bytes.count >= 8)
        if index == bytes.count { return (0, 0) }
        // Near the end the word is read from further in front; zeros come in behind.
        let place = min(index, bytes.count &- 8)
        let word = unsafe word(bytes, unchecked: place) &>> UInt64((index &- place) &* 8)
        let values = word ^ (ones &* 0x30)
        // The high bit of the first byte that is no digit, and of who knows what behind it.
        let strangers = ((values &+ ones &* 0x76) | values) & highs
        let digits = strangers.trailingZeroBitCount &>> 3
        if digits == 0 { return (0, 0) }
        // The digits move to the top, zeros in front; then tens, hundreds and so on are folded.
        var sum = values &<< UInt64((8 &- digits) &* 8)
        sum = (sum &* 10 &+ sum &>> 8) & 0x00ff_00ff_00ff_00ff
        sum = (sum &* 100 &+ sum &>> 16) & 0x0000_ffff_0000_ffff
        return ((sum &* 10_000 &+ sum &>> 32) & 0xffff_ffff, digits)
    }

    /// The first byte from `start` that is not HTAB, SP, VCHAR or obs-text.
    @inlinable
    package static func endOfFieldValue(_ bytes: Span<UInt8>, from start: Int) -> Int {
        let count = bytes.count
        precondition(start >= 0 && start <= count)
        var index = start
        while index &+ 8 <= count {
            let word = unsafe word(bytes, unchecked: index)
            let found = controls(word)
            if found == 0 {
                index &+= 8
                continue
            }
            index &+= found.trailingZeroBitCount &>> 3
            if bytes[index] != 0x09 { return index }
            index &+= 1
        }
        while index < count, ASCII.isFieldValue(bytes[index]) { index &+= 1 }
        return index
    }

    /// A word whose lowest bit set is the high bit of the first control character or DEL.
    @inlinable
    static func controls(_ word: UInt64) -> UInt64 {
        // Borrows spread upwards only, so the lowest bit set is always a true one.
        let control = (word &- ones &* 0x20) & ~word
        let notDelete = word ^ lows
        let delete = (notDelete &- ones) & ~notDelete
        return (control | delete) & highs
    }

    /// The first byte from `start` that is not a token character.
    @inlinable
    package static func endOfToken(_ bytes: Span<UInt8>, from start: Int) -> Int {
        let count = bytes.count
        precondition(start >= 0 && start <= count)
        var index = start
        while index &+ 8 <= count {
            // Letters and hyphens go by eight; anything else is looked at alone.
            let found = unsafe strangers(word(bytes, unchecked: index))
            if found == 0 {
                index &+= 8
                continue
            }
            index &+= found.trailingZeroBitCount &>> 3
            if !ASCII.isToken(bytes[index]) { return index }
            index &+= 1
        }
        while index < count, ASCII.isToken(bytes[index]) { index &+= 1 }
        return index
    }

    /// The high bit of each byte that is neither a letter nor a hyphen.
    @inlinable
    static func strangers(_ word: UInt64) -> UInt64 {
        let lower = (word | (ones &* 0x20)) & lows
        let fromA = lower &+ ones &* (0x80 - 0x61)
        let pastZ = lower &+ ones &* (0x80 - 0x7b)
        let noHyphen = ((word ^ (ones &* 0x2d)) & lows) &+ lows
        return ((~fromA | pastZ) & noHyphen | word) & highs
    }

    /// Whether two runs are equal but for the case of letters; eight at a time.
    @inlinable
    package static func equalsIgnoringCase(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        let count = one.count
        guard count == other.count else { return false }
        guard count >= 8 else { return ASCII.equalsIgnoringCase(one, other) }
        var index = 0
        while index &+ 8 <= count {
            guard
                unsafe isSameWord(
                    word(one, unchecked: index), word(other, unchecked: index))
            else { return false }
            index &+= 8
        }
        // The last eight bytes again, whatever of them was compared already.
        return unsafe isSameWord(
            word(one, unchecked: count &- 8), word(other, unchecked: count &- 8))
    }

    /// Whether two runs hold the same bytes in a range that is in both and ends at 8 or later; of
    /// a range of less than eight bytes, whether what stands in front is the same as well.
    @inlinable
    package static func isSame(
        _ one: Span<UInt8>, _ other: Span<UInt8>, _ range: Range<Int>
    ) -> Bool {
        let end = range.upperBound
        precondition(range.lowerBound >= 0 && end >= 8 && end <= one.count && end <= other.count)
        var index = range.lowerBound
        while index &+ 8 < end {
            guard unsafe word(one, unchecked: index) == word(other, unchecked: index) else {
                return false
            }
            index &+= 8
        }
        return unsafe word(one, unchecked: end &- 8) == word(other, unchecked: end &- 8)
    }

    /// Whether two words are equal but for the case of letters.
    @inlinable
    @inline(__always)
    static func isSameWord(_ one: UInt64, _ other: UInt64) -> Bool {
        let difference = one ^ other
        if difference == 0 { return true }
        // Only the case bit may differ, and only in letters: of those the other case is a letter
        // too, so that one word tells for both.
        guard difference & ~(ones &* 0x20) == 0 else { return false }
        return (letters(one) &>> 2) & difference == difference
    }

    /// The high bit of each byte that is a letter.
    @inlinable
    @inline(__always)
    static func letters(_ word: UInt64) -> UInt64 {
        let lower = (word | (ones &* 0x20)) & lows
        let fromA = lower &+ ones &* (0x80 - 0x61)
        let pastZ = lower &+ ones &* (0x80 - 0x7b)
        return fromA & ~pastZ & ~word & highs
    }

    /// The first SP, HTAB or control character, byte for byte; non-ASCII passes.
    @inlinable
    package static func firstBlankOrControl(_ bytes: Span<UInt8>) -> Int {
        var index = 0
        while index < bytes.count, bytes[index] > 0x20, bytes[index] != 0x7f { index &+= 1 }
        return index
    }
}
