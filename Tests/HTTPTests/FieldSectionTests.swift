// What received fields promise, made here the way the parser makes them.

import FetchBytes
import FetchHTTP
import HTTPTypes
import Testing

struct FieldSectionTests {
    /// Builds a section as the parser would.
    private func section(_ fields: [(String, [UInt8])]) -> FieldSection {
        var bytes: [UInt8] = []
        var words: [UInt64] = []
        for (name, value) in fields {
            let start = bytes.count
            bytes += Array(name.utf8)
            words.append(PackedStorage.pack(start..<bytes.count))
            bytes += [0x3a, 0x20]
            let valueStart = bytes.count
            bytes += value
            words.append(PackedStorage.pack(valueStart..<bytes.count))
            bytes += [0x0d, 0x0a]
        }
        return FieldSection(
            storage: PackedStorage.joining(words.span, bytes.span),
            count: fields.count)
    }

    private var sample: FieldSection {
        section([
            ("Server", Array("nginx".utf8)), ("Set-Cookie", Array("a=1".utf8)),
            ("X-Latin", [0x63, 0x61, 0x66, 0xe9]), ("set-cookie", Array("b=2".utf8)),
            ("X-UTF", Array("café".utf8)), ("Empty", []),
        ])
    }

    @Test func `names keep their case and values their bytes`() {
        #expect(sample.count == 6)
        #expect(sample.name(at: 3) == "set-cookie")
        #expect(sample.name(at: 1) == "Set-Cookie")
        #expect(Array(sample.valueBytes(at: 2)) == [0x63, 0x61, 0x66, 0xe9])
        #expect(sample.value(at: 2) == "café")
        #expect(sample.value(at: 4) == "café")
        #expect(sample.latin1Value(at: 4) == "cafÃ©")
        #expect(sample.value(at: 5) == "")
    }

    @Test func `look-up ignores case and misses nothing`() {
        #expect(sample["SERVER"] == "nginx")
        #expect(sample[HTTPField.Name.server] == "nginx")
        #expect(sample["set-cookie"] == "a=1")
        #expect(sample.values(of: "Set-Cookie") == ["a=1", "b=2"])
        #expect(sample.values(of: "nothing") == [])
        #expect(sample["serve"] == nil)
        #expect(sample["servers"] == nil)
        #expect(sample[""] == nil)
        #expect(sample.contains("empty"))
        #expect(sample.firstIndex(of: HTTPField.Name.setCookie) == 1)
        #expect(sample.firstIndex(of: "set-cookie", from: 2) == 3)
        #expect(FieldSection()["a"] == nil)
        #expect(FieldSection().isEmpty)
    }

    @Test func `sections become swift-http-types by their bytes`() {
        let fields = sample.httpFields
        #expect(fields.count == 6)
        #expect(fields[.server] == "nginx")
        #expect(fields[values: .setCookie] == ["a=1", "b=2"])
    }

    @Test func `sections are equal by names and values`() {
        #expect(sample == sample)
        #expect(section([("a", [1])]) != section([("A", [1])]))
        #expect(section([("a", [1])]) != section([("a", [2])]))
        #expect(section([("a", [])]) == section([("a", [])]))
        #expect(section([("a", [])]).description == "a: ")
    }
}
