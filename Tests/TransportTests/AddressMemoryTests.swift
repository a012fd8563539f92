// What a client remembers of single addresses between dials.

import FetchTime
import FetchTransport
import Testing

@Suite struct AddressMemoryTests {
    private let one = SocketAddress.Host.ipv4(0xC000_0201)
    private let two = SocketAddress.Host.ipv4(0xC000_0202)

    private func memory(
        _ change: (inout AddressMemorySettings) -> Void = { _ in }
    ) -> AddressMemory {
        var settings = AddressMemorySettings()
        change(&settings)
        return AddressMemory(settings)
    }

    private func at(_ seconds: Int64) -> Instant {
        Instant(nanoseconds: seconds * 1_000_000_000)
    }

    private func ordered(
        _ memory: inout AddressMemory, _ port: UInt16 = 80, at: Instant
    ) -> [SocketAddress.Host] {
        memory.ordered([one, two], port: port, now: at) { _ in .unknown }.map(\.host)
    }

    @Test func `a failed address goes last at its port until it is forgotten`() {
        var memory = memory()
        memory.failed(SocketAddress(one, port: 80), now: at(0))
        #expect(ordered(&memory, at: at(29)) == [two, one])
        #expect(ordered(&memory, 443, at: at(29)) == [one, two])
        #expect(ordered(&memory, at: at(30)) == [one, two])
    }

    @Test func `one that answers is like any other again`() {
        var memory = memory()
        memory.failed(SocketAddress(one, port: 80), now: at(0))
        memory.answered(SocketAddress(one, port: 80))
        #expect(ordered(&memory, at: at(1)) == [one, two])
        #expect(memory.failedAddresses == 0)
    }

    @Test func `when all have failed each has its turn`() {
        var memory = memory()
        for host in [one, two] { memory.failed(SocketAddress(host, port: 80), now: at(0)) }
        #expect(ordered(&memory, at: at(1)) == [one, two])
    }

    @Test func `a lifetime of zero remembers nothing`() {
        var memory = memory { $0.failureLifetime = 0 }
        memory.failed(SocketAddress(one, port: 80), now: at(0))
        #expect(memory.failedAddresses == 0)
    }

    @Test func `it is bounded, and the newest stay`() {
        var memory = memory { $0.addresses = 100 }
        for number in 0..<1_000 {
            let host = SocketAddress.Host.ipv4(0x0A00_0000 + UInt32(number))
            memory.failed(SocketAddress(host, port: 80), now: at(Int64(number) / 100))
            _ = memory.ordered([host], port: 80, now: at(0)) { .host($0) }
            #expect(memory.failedAddresses <= 100 && memory.knownSources <= 100)
        }
        let last = SocketAddress.Host.ipv4(0x0A00_0000 + 999)
        let ranked = memory.ordered([last, one], port: 80, now: at(10)) { _ in .unknown }
        #expect(ranked.map(\.host) == [one, last])
        var none = self.memory { $0.addresses = 0 }
        none.failed(SocketAddress(one, port: 80), now: at(0))
        #expect(none.failedAddresses == 0)
    }

    @Test func `the kernel is asked once for an address, and again when that is old`() {
        var memory = memory()
        var asked = 0
        for seconds in [0, 1, 9, 10, 11] as [Int64] {
            _ = memory.ordered([one], port: 80, now: at(seconds)) { _ in
                asked += 1
                return .none
            }
        }
        #expect(asked == 2)
    }
}
