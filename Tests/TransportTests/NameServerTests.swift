// The resolver against a scripted name server on loopback: what is asked, how often, and what is
// made of every kind of answer.

import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

/// Addresses of a few names; nothing of any other.
@Sendable private func known(_ question: DNSQuestion) -> ScriptedNameServer.Answer {
    switch question.name {
    case "both.test": .reply(.addresses(["10.0.0.1", "::1"], to: question))
    case "four.test": .reply(.addresses(["10.0.0.4"], to: question))
    case "six.test": .reply(.addresses(["::6"], to: question))
    case "empty.test": .reply(DNSReply())
    default: .reply(.noSuchName(seconds: 60))
    }
}

@Suite struct NameServerTests {
    @Test func `a name is asked for in both families`() async throws {
        try await withNames(script: known) { scene in
            let finder = scene.find("both.test")
            #expect(finder.ipv6 == ["::1"])
            #expect(finder.ipv4 == ["10.0.0.1"])
            #expect(finder.error == nil)
            #expect(Set(scene.server.asked) == ["A both.test", "AAAA both.test"])
        }
    }

    @Test func `names are known for as long as their records hold`() async throws {
        try await withNames(script: known) { scene in
            for name in ["both.test", "four.test", "six.test"] {
                for _ in 0..<100 { #expect(!scene.find(name).all.isEmpty) }
                #expect(scene.server.count(name, type: 1) == 1)
                #expect(scene.server.count(name, type: 28) == 1)
            }
            #expect(scene.names.cachedNames == 3)
        }
    }

    @Test func `a name that does not exist and one without addresses are two facts`() async throws {
        try await withNames(script: known) { scene in
            for _ in 0..<3 {
                let (nobody, empty) = (scene.find("nobody.test"), scene.find("empty.test"))
                #expect(nobody.error == NameError(.noSuchName, of: "nobody.test"))
                #expect(empty.error == NameError(.noAddresses, of: "empty.test"))
            }
            #expect(scene.server.questions.count == 4)
        }
    }

    @Test func `1,000 first requests to one name are one query for each family`() async throws {
        try await withNames(script: known) { scene in
            let finders = (0..<1_000).map { _ in scene.begin("both.test") }
            #expect(scene.names.openLookups == 1)
            scene.wait { finders.allSatisfy(\.isOver) }
            #expect(finders.allSatisfy { $0.all == ["::1", "10.0.0.1"] && $0.timesEnded == 1 })
            #expect(scene.server.questions.count == 2)
        }
    }

    @Test func `a family is told as soon as it is known`() async throws {
        try await withNames(script: { question in
            let reply = DNSReply.addresses(["10.0.0.1", "::1"], to: question)
            return question.isAAAA ? .held(reply) : .reply(reply)
        }) { scene in
            let finder = scene.begin("a.test")
            scene.wait { finder.ipv4 != nil }
            #expect(!finder.isOver && finder.ipv6 == nil)
            // Who comes now is told what is known already, and the rest like all others.
            let late = scene.begin("a.test")
            #expect(late.ipv4 == ["10.0.0.1"])
            scene.server.release()
            scene.wait { finder.isOver && late.isOver }
            #expect(late.order == [.ipv4, .ipv6])
            #expect(scene.server.questions.count == 2)
        }
    }

    @Test func `localhost, literals and names that exist nowhere are never asked for`() async throws
    {
        try await withNames(script: known) { scene in
            #expect(scene.find("localhost").all == ["::1", "127.0.0.1"])
            #expect(scene.find("db.localhost").all == ["::1", "127.0.0.1"])
            #expect(scene.find("10.9.8.7").all == ["10.9.8.7"])
            #expect(scene.find("::5").all == ["::5"])
            #expect(scene.find("a.invalid").error?.fact == .noSuchName)
            #expect(scene.find("abc.onion").error?.fact == .noSuchName)
            for name in ["127.1", "0x7f000001", "a..b", "", "a b"] {
                #expect(scene.find(name).error?.fact == .badName)
            }
            #expect(scene.server.questions.isEmpty)
        }
    }

    @Test func `a server's failure is told with its address, and not remembered`() async throws {
        try await withNames(script: { question in
            .reply(DNSReply(question.name == "refused.test" ? .refused : .serverFailure))
        }) { scene in
            let failed = try #require(scene.find("failed.test").error)
            #expect(failed.fact == .serverFailure)
            #expect(
                failed.refusals == [.init(server: scene.server.address, code: .serverFailure)])
            #expect("\(failed)".hasSuffix("failed.test (\(scene.server.address): SERVFAIL)"))
            #expect(scene.find("refused.test").error?.fact == .refused)
            let before = scene.server.questions.count
            #expect(before == 4)
            _ = scene.find("failed.test")
            #expect(scene.server.questions.count == before + 2)
            #expect(scene.names.cachedNames == 0)
        }
    }

    @Test func `a family whose servers fail does not stand in the other one's way`() async throws {
        try await withNames(script: { question in
            question.isA
                ? .reply(.addresses(["10.0.0.1"], to: question)) : .reply(DNSReply(.serverFailure))
        }) { scene in
            for _ in 0..<3 { #expect(scene.find("a.test").all == ["10.0.0.1"]) }
            #expect(scene.server.questions.count == 2)
        }
    }

    @Test func `a truncated answer is asked for again by TCP`() async throws {
        let many = (1...60).map { "10.0.1.\($0)" }
        try await withNames(
            { $0.addressesPerFamily = 100 },
            script: { question in
                var reply = DNSReply.addresses(many, to: question)
                if !question.isOverTCP, question.isA {
                    reply = DNSReply()
                    reply.isTruncated = true
                }
                return .reply(reply)
            }
        ) { scene in
            #expect(Set(scene.find("big.test").all) == Set(many))
            #expect(
                Set(scene.server.asked) == ["A big.test", "AAAA big.test", "A big.test/tcp"])
        }
    }

    @Test func `a TCP connection that is reset fails the lookup and no signal is raised`()
        async throws
    {
        try await withNames(
            { $0.queryTimeout = 50_000_000 },
            script: { question in
                var truncated = DNSReply()
                truncated.isTruncated = true
                return question.isOverTCP ? .reset : .reply(truncated)
            }
        ) { scene in
            let finder = scene.find("a.test")
            #expect(finder.error != nil && finder.all.isEmpty)
            #expect(scene.server.questions.contains { $0.isOverTCP })
        }
    }

    @Test func `aliases are followed, and those in a circle are an error`() async throws {
        try await withNames(script: { question in
            guard question.isA else { return .reply(DNSReply()) }
            if question.name == "circle.test" {
                return .reply(
                    DNSReply(
                        .noError, [.alias(nil, "b.test"), .alias("b.test", "circle.test")]))
            }
            let records: [DNSReply.Record?] = [
                .alias(nil, "b.test"), .alias("b.test", "c.test"),
                .address("10.0.0.1", of: "c.test"),
            ]
            return .reply(DNSReply(.noError, records.compactMap { $0 }))
        }) { scene in
            #expect(scene.find("a.test").all == ["10.0.0.1"])
            #expect(scene.find("circle.test").error?.fact == .malformedAnswer)
        }
    }

    @Test func `answers that nobody asked for are not listened to`() async throws {
        try await withNames(
            { $0.queryRounds = 1 },
            script: { question in
                var wrong = DNSReply.addresses(["10.6.6.6", "::666"], to: question)
                wrong.idOffset = 1
                let right = DNSReply.addresses(["10.0.0.1", "::1"], to: question)
                return .several([
                    wrong.bytes(to: question), [], [0xFF], [UInt8](repeating: 0xFF, count: 400),
                    right.bytes(to: question),
                ])
            }
        ) { scene in
            #expect(scene.find("a.test").all == ["::1", "10.0.0.1"])
            #expect(scene.server.questions.count == 2)
        }
    }

    @Test func `nothing but garbage is a timeout, and a garbled answer an error`() async throws {
        try await withNames(
            {
                $0.queryTimeout = 20_000_000
                $0.queryRounds = 2
            },
            script: { question in
                guard question.name == "garbled.test" else { return .raw([1, 2, 3]) }
                let bytes = DNSReply.addresses(["10.0.0.1", "::1"], to: question)
                    .bytes(to: question)
                return .raw(Array(bytes.dropLast(3)))
            }
        ) { scene in
            #expect(scene.find("a.test").error?.fact == .timedOut)
            #expect(scene.find("garbled.test").error?.fact == .malformedAnswer)
            #expect(scene.names.cachedNames == 0)
        }
    }

    @Test func `a silent server delays its own names only`() async throws {
        try await withNames(script: { question in
            question.name.hasPrefix("silent") ? .silence : known(question)
        }) { scene in
            let silent = (0..<100).map { scene.begin("silent\($0).test") }
            for name in ["both.test", "four.test", "nobody.test"] {
                #expect(scene.find(name).isOver)
            }
            #expect(silent.allSatisfy { !$0.isOver })
        }
    }

    @Test func `as many queries are on their way as there may be, and the rest waits`() async throws
    {
        try await withNames(
            {
                $0.queriesInFlight = 8
            },
            script: { question in
                .held(.addresses(["10.0.0.1"], to: question))
            }
        ) { scene in
            let finders = (0..<40).map { scene.begin("n\($0).test") }
            scene.wait { scene.server.questions.count >= 8 }
            for _ in 0..<100 { scene.reactor.turn() }
            #expect(scene.server.questions.count == 8)
            scene.wait {
                scene.server.release()
                return finders.allSatisfy(\.isOver)
            }
            #expect(finders.allSatisfy { $0.all == ["10.0.0.1"] })
            // In line: the first that came is the first that is asked for.
            let first = scene.server.questions.prefix(8).map(\.name)
            #expect(Set(first) == ["n0.test", "n1.test", "n2.test", "n3.test"])
        }
    }

    @Test func `more names than the line may hold are refused at once`() async throws {
        try await withNames(
            {
                $0.queriesInFlight = 2
                $0.waitingLookups = 3
            }, script: { _ in .silence }
        ) { scene in
            let finders = (0..<6).map { scene.begin("n\($0).test") }
            scene.wait { finders.contains(where: \.isOver) }
            let told = finders.map { $0.error?.fact }
            #expect(told.filter { $0 == .tooManyLookups(limit: 3) }.count == 2)
        }
    }

    @Test func `who leaves disturbs nobody, and what waits for nobody is never asked`() async throws
    {
        try await withNames(
            { $0.queriesInFlight = 2 },
            script: { question in
                .reply(.addresses(["10.0.0.1"], to: question))
            }
        ) { scene in
            let names = scene.names
            func begin(_ name: String) -> (Finder, LookupTicket?) {
                let finder = Finder()
                return (finder, finder.take(names.lookUp(name, isAbsolute: true, for: finder)))
            }
            let staying = begin("a.test")
            let leaving = begin("a.test")
            let unasked = begin("b.test")
            for ticket in [leaving.1, unasked.1] { if let ticket { names.leave(ticket) } }
            // Leaving twice is leaving once.
            if let ticket = leaving.1 { names.leave(ticket) }
            scene.wait { staying.0.isOver }
            #expect(staying.0.all == ["10.0.0.1"])
            #expect(!leaving.0.isOver && leaving.0.order.isEmpty)
            #expect(!unasked.0.isOver)
            #expect(scene.find("c.test").all == ["10.0.0.1"])
            #expect(scene.server.count("b.test") == 0)
            #expect(names.openLookups == 0)
        }
    }

    @Test func `a lookup that everybody has left still fills the cache`() async throws {
        try await withNames(script: known) { scene in
            let finder = Finder()
            let ticket = finder.take(
                scene.names.lookUp("both.test", isAbsolute: true, for: finder))
            if let ticket { scene.names.leave(ticket) }
            scene.wait { scene.names.openLookups == 0 }
            #expect(!finder.isOver)
            #expect(!scene.find("both.test").all.isEmpty)
            #expect(scene.server.questions.count == 2)
        }
    }

    @Test func `addresses take turns`() async throws {
        try await withNames(script: { question in
            .reply(.addresses(["10.0.0.1", "10.0.0.2", "10.0.0.3"], to: question))
        }) { scene in
            let together = (0..<3).map { _ in scene.begin("a.test") }
            scene.wait { together.allSatisfy(\.isOver) }
            #expect(Set(together.compactMap { $0.all.first }).count == 3)
            let later = (0..<6).map { _ in scene.find("a.test").all }
            #expect(Set(later.prefix(3).compactMap(\.first)).count == 3)
            #expect(later[0] == later[3])
            #expect(later.allSatisfy { Set($0).count == 3 })
        }
    }

    @Test func `a closed resolver tells nobody anything and refuses the next`() async throws {
        try await withNames(script: { _ in .silence }) { scene in
            let finder = scene.begin("a.test")
            scene.names.close()
            scene.reactor.turn()
            #expect(!finder.isOver)
            #expect(scene.find("a.test").error?.fact == .closed)
        }
    }
}
