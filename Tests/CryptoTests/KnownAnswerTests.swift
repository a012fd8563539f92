// Known answers: FIPS 180-4's examples, RFC 4231, and the test cases of the paper that defined GCM.

import FetchBytes
import FetchCrypto
import Testing

/// Bytes from hexadecimal digits; blanks are left out.
private func bytes(_ hex: String) -> Bytes {
    let digits = hex.utf8.compactMap { ASCII.hexValue($0) }
    return Bytes(stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
}

struct KnownAnswerTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb924 27ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223 b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039 a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]) func `SHA-256`(_ row: (String, String)) throws {
        let message = Bytes(row.0)
        #expect(try SHA256.digest(message.span) == bytes(row.1))
    }

    @Test func `SHA-256 of a million letters`() throws {
        let message = Bytes([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
        #expect(
            try SHA256.digest(message.span)
                == bytes("cdc76e5c9914fb9281a1c7e284d73e67 f1809a48a497200e046d39ccc7112cd0"))
    }

    /// RFC 4231, test cases 1, 2, 3 and 6.
    @Test(arguments: [
        (
            Bytes([UInt8](repeating: 0x0b, count: 20)), Bytes("Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b 881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Bytes("Jefe"), Bytes("what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c7 5a003f089d2739839dec58b964ec3843"
        ),
        (
            Bytes([UInt8](repeating: 0xaa, count: 20)), Bytes([UInt8](repeating: 0xdd, count: 50)),
            "773ea91e36800e46854db8ebd09181a7 2959098b3ef8c122d9635514ced565fe"
        ),
        (
            Bytes([UInt8](repeating: 0xaa, count: 131)),
            Bytes("Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f 8e0bc6213728c5140546040f0ee37f54"
        ),
    ]) func `HMAC with SHA-256`(_ row: (Bytes, Bytes, String)) throws {
        let (key, message, code) = row
        #expect(try SHA256.authenticationCode(message.span, key: key.span) == bytes(code))
    }

    @Test func `HMAC with an empty key and an empty message`() throws {
        let nothing = Bytes()
        #expect(
            try SHA256.authenticationCode(nothing.span, key: nothing.span)
                == bytes("b613679a0814d9ec772f95d778c35fc5 ff1697c493715653c6c712144292c5ad"))
    }

    /// McGrew and Viega, test cases 13 to 16: key, nonce, plain, associated, sealed, tag.
    @Test(arguments: [
        ["00", "00", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"],
        [
            "00", "00", "00000000000000000000000000000000", "",
            "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919",
        ],
        [
            Self.key, "cafebabefacedbaddecaf888", Self.plain + "1aafd255", "",
            Self.sealed + "898015ad", "b094dac5d93471bdec1a502270e3cc6c",
        ],
        [
            Self.key, "cafebabefacedbaddecaf888", Self.plain,
            "feedfacedeadbeeffeedfacedeadbeefabaddad2", Self.sealed,
            "76fc6ece0f4e1768cddf8853bb2d551b",
        ],
    ]) func `AES-256-GCM`(_ row: [String]) throws {
        let key = row[0] == "00" ? Bytes([UInt8](repeating: 0, count: 32)) : bytes(row[0])
        let nonce = row[1] == "00" ? Bytes([UInt8](repeating: 0, count: 12)) : bytes(row[1])
        let (plain, associated) = (bytes(row[2]), bytes(row[3]))
        let sealing = try SealingKey(key)
        let sealed = try sealing.seal(plain.span, associated: associated.span, nonce: nonce)
        #expect(Array(sealed) == Array(nonce) + Array(bytes(row[4])) + Array(bytes(row[5])))
        #expect(try sealing.open(sealed.span, associated: associated.span) == plain)
    }

    private static let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
    private static let plain =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    private static let sealed =
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
}
