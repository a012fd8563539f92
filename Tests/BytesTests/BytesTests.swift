// What a body's bytes promise.

import FetchBytes
import Testing

struct BytesTests {
    @Test func `a slice shares its storage and counts from 0`() {
        let bytes = Bytes([1, 2, 3, 4, 5])
        let slice = bytes.slice(1..<4)
        #expect(slice.count == 3)
        #expect(slice[0] == 2)
        #expect(Array(slice) == [2, 3, 4])
        #expect(Array(slice.slice(2..<3)) == [4])
        #expect(Bytes(bytes[1..<4]) == slice)
    }

    @Test func `bytes that are filled in are as many as were written, in storage that fits`() {
        let (bytes, told) = Bytes.filled(capacity: 10_000) { space in
            for index in 0..<9 { space[index] = UInt8(index) }
            return (written: 9, result: "nine")
        }
        #expect(Array(bytes) == Array(0..<9))
        #expect(told == "nine")
        #expect(bytes.allocatedBytes < 100)
        let (full, _) = Bytes.filled(capacity: 10_000) { space in
            space.initializeMemory(as: UInt8.self, repeating: 7)
            return (written: 10_000, result: ())
        }
        #expect(full == Bytes([UInt8](repeating: 7, count: 10_000)))
        #expect(Bytes.filled(capacity: 10) { _ in (0, 1) }.bytes.isEmpty)
    }

    @Test func `equal bytes are equal wherever they are stored`() {
        let one = Bytes(storage: [9, 1, 2, 9], range: 1..<3)
        #expect(one == Bytes([1, 2]))
        #expect(one.hashValue == Bytes([1, 2]).hashValue)
        #expect(one != Bytes([1, 2, 3]))
        #expect(Bytes() == Bytes([]))
    }

    @Test func `bytes become arrays and strings and back`() {
        #expect(String(Bytes("grün")) == "grün")
        #expect(String(Bytes([0x61, 0xff, 0x62])) == "a\u{fffd}b")
        #expect([UInt8](Bytes("ab")) == [0x61, 0x62])
        #expect(Bytes(stride(from: UInt8(0), to: 3, by: 1)) == Bytes([0, 1, 2]))
        #expect(Bytes("abc").description == "3 bytes")
    }

    @Test func `a span shows the same bytes`() {
        let bytes = Bytes(storage: [0, 1, 2, 3], range: 1..<3)
        let span = bytes.span
        #expect(span.count == 2)
        #expect(span[0] == 1)
        #expect(span[1] == 2)
    }

    @Test func `two parts make one array`() {
        let words: [UInt64] = [0x0102_0304_0506_0708, 7, 8]
        let bytes: [UInt8] = [0xaa, 0xbb, 0xcc]
        let storage = PackedStorage.joining(words.span, bytes.span)
        #expect(storage.count == 27)
        #expect(PackedStorage.word(storage, at: 0) == words[0])
        #expect(PackedStorage.word(storage, at: 1) == 7)
        #expect(PackedStorage.word(storage, at: 2) == 8)
        #expect(Array(storage[24...]) == bytes)
        let none: [UInt64] = []
        let nothing = PackedStorage.joining(none.span, [UInt8]().span)
        #expect(nothing.isEmpty)
        #expect(PackedStorage.pack(3..<10) == 7 << 32 | 3)
    }
}
