// What a buffer promises: marks, growth, what goes in comes out.

import FetchBytes
import Testing

struct ByteBufferTests {
    private func text(_ buffer: ByteBuffer) -> String {
        String(buffer.takeBytes(buffer.readableCount))
    }

    @Test func `what is appended is read in order`() {
        let buffer = ByteBuffer(capacity: 4)
        buffer.append(UInt8(ascii: "a"))
        buffer.append("bcd")
        buffer.append(utf8: "é")
        buffer.append([0x66, 0x67])
        buffer.append(Bytes("hi"))
        #expect(buffer.readableCount == 10)
        #expect(text(buffer) == "abcdéfghi")
        #expect(buffer.isEmpty)
    }

    @Test(arguments: [
        (0, "0", "0"), (7, "7", "7"), (10, "10", "a"), (255, "255", "ff"),
        (1_000_000, "1000000", "f4240"), (Int.max, "9223372036854775807", "7fffffffffffffff"),
    ])
    func `numbers are written in decimal and hexadecimal`(_ row: (Int, String, String)) {
        let buffer = ByteBuffer(capacity: 16)
        buffer.appendDecimal(row.0)
        #expect(text(buffer) == row.1)
        buffer.appendHex(row.0)
        #expect(text(buffer) == row.2)
    }

    @Test func `a negative number keeps its sign`() {
        let buffer = ByteBuffer(capacity: 16)
        buffer.appendDecimal(Int.min)
        #expect(text(buffer) == "-9223372036854775808")
    }

    @Test func `a word is written from its lowest byte`() {
        let buffer = ByteBuffer(capacity: 16)
        buffer.append(word: 0x2054_4547, count: 4)
        #expect(text(buffer) == "GET ")
    }

    @Test func `consuming moves the read mark and emptying resets both`() {
        let buffer = ByteBuffer(capacity: 16)
        buffer.append("0123456789")
        buffer.consume(4)
        #expect(buffer.readableCount == 6)
        #expect(buffer.readable[0] == UInt8(ascii: "4"))
        buffer.consume(6)
        buffer.append("0123456789abcdef")
        #expect(buffer.capacity == 16)
    }

    @Test func `room is made by moving before growing`() {
        let buffer = ByteBuffer(capacity: 16)
        buffer.append("0123456789abcdef")
        buffer.consume(10)
        buffer.append("ghijklmnop")
        #expect(buffer.capacity == 16)
        #expect(text(buffer) == "abcdefghijklmnop")
        buffer.append("0123456789abcdef!")
        #expect(buffer.capacity >= 17)
        #expect(text(buffer) == "0123456789abcdef!")
    }

    @Test func `free space is lent and what was written becomes readable`() {
        let buffer = ByteBuffer(capacity: 16)
        // Writes stay inside the space lent.
        let room = unsafe buffer.withFreeSpace(atLeast: 100) { space in
            unsafe space[0] = 1
            unsafe space[1] = 2
            return (written: 2, result: space.count)
        }
        #expect(room >= 100)
        #expect(Array(buffer.takeBytes(2)) == [1, 2])
    }

    @Test func `taking bytes leaves the rest`() {
        let buffer = ByteBuffer(capacity: 16)
        buffer.append("hello")
        #expect(String(buffer.takeBytes(2)) == "he")
        #expect(text(buffer) == "llo")
    }

    @Test func `a pool keeps so many buffers and no grown one`() {
        let pool = ByteBufferPool(capacityEach: 64, mostKept: 2)
        let buffers = (0..<4).map { _ in pool.take() }
        buffers[0].append(utf8: String(repeating: "x", count: 100))
        buffers[1].append("left over")
        for buffer in buffers { pool.give(buffer) }
        #expect(pool.count == 2)
        #expect(pool.take().isEmpty)
        #expect(pool.take().isEmpty)
        #expect(pool.count == 0)
        #expect(pool.take().capacity == 64)
    }
}
