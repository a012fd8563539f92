// What can be appended to a ByteBuffer. Every append reserves first, so no write passes the
// storage.
//
// Unsafe: writes go through the buffer's own pointer, behind `reserve`, which checked the room.

extension ByteBuffer {
    /// Where the next byte goes; valid for what was reserved.
    @inlinable
    var writePosition: UnsafeMutableRawPointer {
        unsafe marks.pointee.base + marks.pointee.write
    }

    /// Appends one byte.
    @inlinable
    @inline(__always)
    package func append(_ byte: UInt8) {
        reserve(1)
        unsafe writePosition.storeBytes(of: byte, as: UInt8.self)
        unsafe marks.pointee.write &+= 1
    }

    /// Appends the bytes of a span.
    @inlinable
    @inline(__always)
    package func append(_ bytes: Span<UInt8>) {
        let count = bytes.count
        reserve(count)
        unsafe bytes.withUnsafeBytes { source in
            if let start = source.baseAddress {
                unsafe writePosition.copyMemory(from: start, byteCount: count)
            }
        }
        unsafe marks.pointee.write &+= count
    }

    /// Appends a body's bytes.
    @inlinable
    package func append(_ bytes: Bytes) { append(bytes.span) }

    /// Appends an array's bytes.
    @inlinable
    package func append(_ bytes: [UInt8]) { append(bytes.span) }

    /// Appends a string known when compiling.
    @inlinable
    @inline(__always)
    package func append(_ string: StaticString) {
        let count = string.utf8CodeUnitCount
        reserve(count)
        // The literal's bytes are immortal and as many as it says.
        unsafe writePosition.copyMemory(from: string.utf8Start, byteCount: count)
        unsafe marks.pointee.write &+= count
    }

    /// Appends a string's UTF-8.
    @inlinable
    package func append(utf8 string: String) { append(string.utf8.span) }

    /// Appends the first `count` (0...8) bytes of a little-endian word, in one store.
    @inlinable
    @inline(__always)
    package func append(word: UInt64, count: Int) {
        precondition(count >= 0 && count <= 8)
        reserve(8)
        unsafe writePosition.storeBytes(of: word.littleEndian, as: UInt64.self)
        unsafe marks.pointee.write &+= count
    }

    /// Appends the first `count` (0...8) bytes of a little-endian word and then four runs, and
    /// makes room for all of it at once.
    @inlinable
    @inline(__always)
    package func append(
        word: UInt64, count: Int, _ first: Span<UInt8>, _ second: StaticString,
        _ third: Span<UInt8>, _ fourth: Span<UInt8>
    ) {
        precondition(count >= 0 && count <= 8)
        let literal = second.utf8CodeUnitCount
        // Counts of what is in memory: their sum is far from overflowing.
        reserve(8 &+ first.count &+ literal &+ third.count &+ fourth.count)
        let start = unsafe writePosition
        unsafe start.storeBytes(of: word.littleEndian, as: UInt64.self)
        var place = unsafe Self.copy(first, to: start + count)
        // The literal's bytes are immortal and as many as it says.
        unsafe place.copyMemory(from: second.utf8Start, byteCount: literal)
        unsafe place = Self.copy(third, to: place + literal)
        unsafe place = Self.copy(fourth, to: place)
        unsafe marks.pointee.write &+= place - start
    }

    /// Copies a span to where there is room for it; gives the place behind it.
    @unsafe
    @inlinable
    @inline(__always)
    static func copy(
        _ bytes: Span<UInt8>, to place: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        unsafe bytes.withUnsafeBytes { source in
            if let start = source.baseAddress {
                unsafe place.copyMemory(from: start, byteCount: source.count)
            }
        }
        return unsafe place + bytes.count
    }

    /// Appends a number in decimal digits.
    package func appendDecimal(_ number: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        append(number.magnitude, radix: 10)
    }

    /// Appends a number, not negative, in lower-case hexadecimal digits.
    package func appendHex(_ number: Int) {
        precondition(number >= 0)
        append(number.magnitude, radix: 16)
    }

    private func append(_ magnitude: UInt, radix: UInt) {
        var divisor: UInt = 1
        while magnitude / divisor >= radix { divisor *= radix }
        while divisor > 0 {
            let digit = UInt8(truncatingIfNeeded: magnitude / divisor % radix)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
            divisor /= radix
        }
    }
}
