// Sealing: what was changed anywhere doesn't open, and nothing opens for something else.

import FetchBytes
import FetchCrypto
import Testing

struct SealingTests {
    private let key: SealingKey
    private let plain = Bytes("what nobody may read")
    private let associated = Bytes("where it belongs")

    init() throws {
        key = try SealingKey(RandomBytes.make(32))
    }

    @Test func `what is sealed can be opened, and is longer by nonce and tag`() throws {
        for count in [0, 1, 15, 16, 17, 65_536] {
            let plain = Bytes([UInt8](repeating: 7, count: count))
            let sealed = try key.seal(plain.span, associated: associated.span)
            #expect(sealed.count == count + SealingKey.overhead)
            #expect(try key.open(sealed.span, associated: associated.span) == plain)
        }
    }

    @Test func `sealing twice gives different bytes`() throws {
        let one = try key.seal(plain.span, associated: associated.span)
        let other = try key.seal(plain.span, associated: associated.span)
        #expect(one != other)
    }

    @Test func `a change of any byte is noticed`() throws {
        let sealed = Array(try key.seal(plain.span, associated: associated.span))
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 0x10
            #expect(throws: CryptoError.notAuthentic) {
                try key.open(changed.span, associated: associated.span)
            }
        }
    }

    @Test func `what is too short or too long is noticed`() throws {
        let sealed = Array(try key.seal(plain.span, associated: associated.span))
        for count in 0..<sealed.count {
            #expect(throws: CryptoError.notAuthentic) {
                try key.open(sealed.span.extracting(0..<count), associated: associated.span)
            }
        }
        let longer = sealed + [0]
        #expect(throws: CryptoError.notAuthentic) {
            try key.open(longer.span, associated: associated.span)
        }
    }

    @Test func `it opens with the same key and for the same thing only`() throws {
        let sealed = try key.seal(plain.span, associated: associated.span)
        let elsewhere = Bytes("where it doesn't belong")
        #expect(throws: CryptoError.notAuthentic) {
            try key.open(sealed.span, associated: elsewhere.span)
        }
        let other = try SealingKey(RandomBytes.make(32))
        #expect(throws: CryptoError.notAuthentic) {
            try other.open(sealed.span, associated: associated.span)
        }
    }

    @Test func `keys and nonces of another size are refused`() {
        #expect(throws: CryptoError.keySize(16)) {
            try SealingKey(Bytes([UInt8](repeating: 0, count: 16)))
        }
        #expect(throws: CryptoError.nonceSize(8)) {
            try key.seal(
                plain.span, associated: associated.span,
                nonce: Bytes([UInt8](repeating: 0, count: 8)))
        }
    }
}
