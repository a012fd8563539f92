// The table of origins against a dictionary. Few slots and many records make probes run into each
// other, so that removals have gaps to close.

import FetchEngine
import FetchHTTP
import Testing

struct OriginTableTests {
    private static func target(_ number: Int) throws -> Target {
        try Target("http://h\(number).test:\(1 + number % 3)/")
    }

    @Test func `a record is found by any target of its origin`() throws {
        var table = OriginTable()
        let record = OriginRecord(try Target("http://a.test/"))
        table.insert(record)
        for url in ["http://a.test:80/path?q", "http://A.TEST"] {
            let target = try Target(url)
            #expect(table.record(for: target) === record)
        }
        for url in ["http://a.test:81/", "https://a.test/", "http://b.test/"] {
            let target = try Target(url)
            #expect(table.record(for: target) == nil)
        }
    }

    @Test func `removing what is not there changes nothing`() throws {
        var table = OriginTable()
        table.insert(OriginRecord(try Self.target(1)))
        table.remove(OriginRecord(try Self.target(1)))
        table.remove(OriginRecord(try Self.target(2)))
        #expect(table.count == 1)
        let kept = try Self.target(1)
        #expect(table.record(for: kept) != nil)
    }

    @Test func `it grows to ten thousand origins and shrinks again`() throws {
        var table = OriginTable()
        let records = try (0..<10_000).map { OriginRecord(try Self.target($0)) }
        for record in records { table.insert(record) }
        #expect(table.count == 10_000)
        for record in records { #expect(table.record(for: record.target) === record) }
        for record in records { table.remove(record) }
        #expect(table.count == 0)
        #expect(table.records.isEmpty)
        for record in records { #expect(table.record(for: record.target) == nil) }
    }

    /// The hash is seeded per process, so every run tries other collisions.
    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `it does what a dictionary does, under random insertions and removals`(
        seed: UInt64
    ) throws {
        var numbers = Numbers(state: seed)
        var table = OriginTable()
        var model: [Int: OriginRecord] = [:]
        let targets = try (0..<64).map { try Self.target($0) }
        for _ in 0..<3_000 {
            let number = numbers.below(targets.count)
            #expect(table.record(for: targets[number]) === model[number])
            if let record = model[number] {
                table.remove(record)
                model[number] = nil
            } else {
                let record = OriginRecord(targets[number])
                table.insert(record)
                model[number] = record
            }
            #expect(table.count == model.count)
        }
        for number in targets.indices {
            #expect(table.record(for: targets[number]) === model[number])
        }
        #expect(table.records.count == model.count)
    }
}
