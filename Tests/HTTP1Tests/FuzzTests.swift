// Random damage to good responses: nothing traps, and how bytes are cut never changes what they
// mean.

import FetchHTTP1
import Testing

struct FuzzTests {
    private static let seeds: [(bytes: [UInt8], isHead: Bool)] =
        (accepted + acceptedUntilClose).filter { $0.wire.utf8.count < 400 }
        .map { (latin1($0.wire), $0.isHead) }
        + rejected.filter { $0.wire.utf8.count < 400 }.map { (latin1($0.wire), false) }

    private static let spice = latin1(
        "\r\n\r\n\r\n :;,=\"\\\t\u{0}\u{7f}\u{80}0123456789abcdefXHTTP/1.1 chunked close")

    private func damage(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        let place = random.below(bytes.count + 1)
        let byte = Self.spice[random.below(Self.spice.count)]
        switch random.below(6) {
        case 0: bytes.insert(byte, at: place)
        case 1: if place < bytes.count { bytes.remove(at: place) }
        case 2: if place < bytes.count { bytes[place] = byte }
        case 3: if place < bytes.count { bytes[place] = UInt8(random.below(256)) }
        case 4:
            let end = min(bytes.count, place + random.below(12))
            bytes.insert(contentsOf: bytes[place..<end], at: place)
        default: bytes.removeSubrange(place..<min(bytes.count, place + random.below(8)))
        }
    }

    @Test(arguments: 0..<8)
    func `damaged responses mean the same whole and in pieces`(_ part: Int) {
        var random = SeededRandom(seed: UInt64(part) &+ 0x5eed)
        for round in 0..<25_000 {
            let seed = Self.seeds[random.below(Self.seeds.count)]
            var bytes = seed.bytes
            for _ in 0...random.below(4) { damage(&bytes, &random) }
            let expected = whole(bytes, isHead: seed.isHead, ends: true)
            let pieces = (0..<random.below(5)).map { _ in random.below(bytes.count + 1) }.sorted()
            let outcome = cut(bytes, at: pieces, isHead: seed.isHead, ends: true)
            if outcome != expected {
                #expect(outcome == expected, "part \(part) round \(round): \(bytes)")
            }
            guard round % 8 == 0, !bytes.isEmpty else { continue }
            let single = cut(bytes, at: 1..<bytes.count, isHead: seed.isHead, ends: true)
            if single != expected {
                #expect(single == expected, "part \(part) round \(round): \(bytes)")
            }
        }
    }
}
