// Answers of name servers: what is read from them, and what they can't do.

import FetchTransport
import TestSupport
import Testing

private let server = SocketAddress.loopback(port: 53)

/// A query for a name as c-ares writes it.
private func query(_ name: String, _ family: AddressFamily) -> [UInt8] {
    [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + DNSMessage.wireForm(of: name)
        + [0, UInt8(family.rawValue), 0, 1]
}

private func question(_ name: String, _ family: AddressFamily) throws -> DNSQuestion {
    try #require(DNSQuestion(query(name, family), isOverTCP: false))
}

/// What is read from a reply.
private func read(
    _ reply: DNSReply, _ name: String = "a.test", _ family: AddressFamily = .ipv4, most: Int = 32
) throws -> FamilyAnswer {
    let bytes = reply.bytes(to: try question(name, family))
    return DNSMessage.answer(in: bytes.span, family, most: most, from: server)
}

private func host(_ literal: String) -> SocketAddress.Host {
    SocketAddress(literal: literal, port: 0)?.host ?? .ipv4(0)
}

@Suite struct DNSMessageTests {
    @Test func `addresses come with the shortest of their lifetimes`() throws {
        let reply = DNSReply(
            .noError,
            [.address("10.0.0.1", seconds: 60), .address("10.0.0.2", seconds: 30)]
                .compactMap { $0 })
        #expect(
            try read(reply) == .addresses([host("10.0.0.1"), host("10.0.0.2")], seconds: 30))
    }

    @Test func `IPv6 addresses are read as IPv4 ones are`() throws {
        let reply = DNSReply(.noError, [.address("2001:db8::5", seconds: 7)].compactMap { $0 })
        #expect(
            try read(reply, "a.test", .ipv6) == .addresses([host("2001:db8::5")], seconds: 7))
    }

    @Test func `aliases are followed in any order, and hold no longer than the shortest`() throws {
        let address = try #require(
            DNSReply.Record.address("10.0.0.1", of: "c.test", seconds: 50))
        let reply = DNSReply(
            .noError,
            [
                address, .alias("B.TEST", "c.test", seconds: 5), .alias(nil, "b.test", seconds: 9),
            ])
        #expect(try read(reply) == .addresses([host("10.0.0.1")], seconds: 5))
    }

    @Test func `addresses of a name that nobody asked for are not taken`() throws {
        let stranger = try #require(DNSReply.Record.address("10.6.6.6", of: "bank.test"))
        #expect(
            try read(DNSReply(.noError, [stranger])) == .nothing(noSuchName: false, seconds: nil))
    }

    @Test(arguments: [1, 2, 3])
    func `aliases in a circle are no answer`(length: Int) throws {
        var aliases = [DNSReply.Record.alias(nil, "x1.test")]
        for step in 1...length {
            aliases.append(.alias("x\(step).test", step == length ? "a.test" : "x\(step + 1).test"))
        }
        #expect(try read(DNSReply(.noError, aliases)) == .failed(.malformedAnswer, []))
    }

    @Test func `so many aliases are followed and no more`() throws {
        func chain(_ length: Int) throws -> DNSReply {
            var records = [DNSReply.Record.alias(nil, "x1.test")]
            for step in 1..<length {
                records.append(.alias("x\(step).test", "x\(step + 1).test"))
            }
            records.append(
                try #require(DNSReply.Record.address("10.0.0.1", of: "x\(length).test")))
            return DNSReply(.noError, records)
        }
        #expect(try read(chain(DNSMessage.mostAliases)).description.contains("addresses"))
        #expect(try read(chain(DNSMessage.mostAliases + 1)) == .failed(.malformedAnswer, []))
    }

    @Test func `nothing holds as long as the zone says`() throws {
        #expect(try read(.noSuchName()) == .nothing(noSuchName: true, seconds: nil))
        #expect(try read(.noSuchName(seconds: 40)) == .nothing(noSuchName: true, seconds: 40))
        var reply = DNSReply(.noError, [.alias(nil, "b.test")])
        reply.authorities = [.startOfAuthority(seconds: 40, lifetime: 20)]
        #expect(try read(reply) == .nothing(noSuchName: false, seconds: 20))
    }

    @Test(arguments: [
        (ResponseCode.serverFailure, NameError.Fact.serverFailure), (.refused, .refused),
        (.formatError, .serverFailure), (.notImplemented, .serverFailure),
        (ResponseCode(15), .serverFailure),
    ])
    func `an error code says who said it`(code: ResponseCode, fact: NameError.Fact) throws {
        #expect(
            try read(DNSReply(code)) == .failed(fact, [.init(server: server, code: code)]))
    }

    @Test(arguments: [(UInt32(0x8000_0000), UInt32(0)), (.max, 0), (0x7FFF_FFFF, 0x7FFF_FFFF)])
    func `a lifetime with its first bit set is none`(sent: UInt32, seconds: UInt32) throws {
        let reply = DNSReply(.noError, [.address("10.0.0.1", seconds: sent)].compactMap { $0 })
        #expect(try read(reply) == .addresses([host("10.0.0.1")], seconds: seconds))
    }

    @Test func `no more addresses are kept than there is room for`() throws {
        let reply = DNSReply(
            .noError, (0..<40).compactMap { .address("10.0.0.\($0)") })
        guard case .addresses(let hosts, _) = try read(reply, most: 32) else {
            Issue.record("no addresses")
            return
        }
        #expect(hosts.count == 32)
    }

    @Test func `an address of the wrong length is no answer`() throws {
        let record = DNSReply.Record(owner: nil, type: 1, seconds: 1, data: [10, 0, 0])
        #expect(try read(DNSReply(.noError, [record])) == .failed(.malformedAnswer, []))
        let long = DNSReply.Record(owner: nil, type: 28, seconds: 1, data: [10, 0, 0, 1])
        #expect(
            try read(DNSReply(.noError, [long]), "a.test", .ipv6) == .failed(.malformedAnswer, []))
    }

    @Test func `a name that points at itself or forward ends`() throws {
        let bytes = DNSReply(.noError, [.address("10.0.0.1")].compactMap { $0 })
            .bytes(to: try question("a.test", .ipv4))
        let owner = bytes.count - 16
        for target in [owner, owner + 1, owner - 1, 0, 0x3FFF] {
            var changed = bytes
            changed[owner] = 0xC0 | UInt8(target >> 8)
            changed[owner + 1] = UInt8(truncatingIfNeeded: target)
            let answer = DNSMessage.answer(
                in: changed.span, .ipv4, most: 32, from: server)
            #expect(!answer.description.contains("10.0.0.1"))
        }
    }

    @Test func `every prefix of an answer is no answer, or the same`() throws {
        let reply = DNSReply(
            .noError,
            [.alias(nil, "b.test"), .address("10.0.0.1", of: "b.test")].compactMap { $0 })
        let bytes = reply.bytes(to: try question("a.test", .ipv4))
        for count in 0..<bytes.count {
            let answer = DNSMessage.answer(
                in: Array(bytes[..<count]).span, .ipv4, most: 32, from: nil)
            #expect(answer == .failed(.malformedAnswer, []), "\(count) bytes")
        }
        let longer = bytes + [1, 2, 3]
        #expect(
            DNSMessage.answer(in: longer.span, .ipv4, most: 32, from: nil)
                == .addresses([host("10.0.0.1")], seconds: 60))
    }

    /// Nothing is expected of what is read but that reading it ends.
    @Test func `no change of an answer's bytes traps`() throws {
        var dice = Dice(seed: 53)
        let reply = DNSReply(
            .noError,
            [
                .alias(nil, "b.test"), .alias("b.test", "c.d.e.test"),
                .address("10.0.0.1", of: "c.d.e.test"),
            ].compactMap { $0 })
        var withAuthority = reply
        withAuthority.authorities = [.startOfAuthority(seconds: 3)]
        let bytes = withAuthority.bytes(to: try question("a.test", .ipv4))
        var read = 0
        for _ in 0..<100_000 {
            var changed = bytes
            for _ in 0..<dice.pick(1...6) {
                changed[dice.pick(0...bytes.count - 1)] = UInt8(dice.pick(0...255))
            }
            let family: AddressFamily = dice.chance(0.5) ? .ipv4 : .ipv6
            let answer = DNSMessage.answer(in: changed.span, family, most: 32, from: server)
            if case .addresses = answer { read += 1 }
            _ = DNSMessage.question(of: changed.span)
        }
        #expect(read > 0)
    }

    @Test func `a question's name is told in lower case`() {
        let bytes = query("a.test", .ipv6).map { $0 == 0x61 ? 0x41 : $0 }
        let asked = DNSMessage.question(of: bytes.span)
        #expect(asked?.name == DNSMessage.wireForm(of: "A.test"))
        #expect(asked?.family == .ipv6)
    }
}

extension FamilyAnswer: CustomStringConvertible {
    /// `addresses 10.0.0.1 for 60 s`
    public var description: String {
        switch self {
        case .addresses(let hosts, let seconds):
            let list = hosts.map { SocketAddress($0, port: 0).hostText }.joined(separator: " ")
            return "addresses \(list) for \(seconds) s"
        case .nothing(let noSuchName, let seconds):
            return "\(noSuchName ? "no such name" : "nothing") for \(seconds ?? 0) s"
        case .failed(let fact, let refusals):
            return "failed \(fact) \(refusals.count)"
        }
    }
}
