// What the resolver takes from the system: several servers, search lists, hosts file and
// resolv.conf, also when they change under way.

import FetchReactor
import FetchTransport
import Glibc
import TestSupport
import Testing

@Sendable private func anyName(_ question: DNSQuestion) -> ScriptedNameServer.Answer {
    .reply(.addresses(["10.0.0.1"], to: question))
}

/// A directory that goes with the test.
private func withDirectory<R>(_ body: (String) throws -> R) throws -> R {
    let directory = try Files.makeTemporaryDirectory("names")
    defer {
        for name in ["hosts", "resolv.conf"] { _ = unlink("\(directory)/\(name)") }
        _ = rmdir(directory)
    }
    return try body(directory)
}

@Suite struct NameServerListTests {
    @Test func `the next server is asked when one fails, and the first one's words are kept`()
        async throws
    {
        try await onThreadOfItsOwn {
            let reactor = try Reactor.embedded()
            let refusing = try ScriptedNameServer(on: reactor) { _ in .reply(DNSReply(.refused)) }
            defer {
                refusing.close()
                reactor.stop()
            }
            var settings = NameSettings()
            settings.hostsPath = nil
            settings.resolvConfPath = nil
            settings.searchDomains = []
            settings.queryRounds = 1
            let failing = try ScriptedNameServer(on: reactor) { question in
                question.name == "good.test"
                    ? .reply(.addresses(["10.0.0.1"], to: question))
                    : .reply(DNSReply(.serverFailure))
            }
            defer { failing.close() }
            settings.nameServers = [refusing.address, failing.address]
            let names = Names(settings, hosts: HostTable(), reactor: reactor)
            defer { names.close() }
            func find(_ name: String) -> Finder {
                let finder = Finder()
                _ = finder.take(names.lookUp(name, isAbsolute: true, for: finder))
                let happened = drive(reactor) { finder.isOver }
                #expect(happened)
                return finder
            }
            #expect(find("good.test").all == ["10.0.0.1"])
            let error = try #require(find("bad.test").error)
            #expect(error.fact == .serverFailure)
            #expect(
                error.refusals == [
                    .init(server: refusing.address, code: .refused),
                    .init(server: failing.address, code: .serverFailure),
                ])
            #expect(refusing.questions.count == 4 && failing.questions.count == 4)
        }
    }

    @Test func `a server that is not there is left for the next one at once`() async throws {
        try await onThreadOfItsOwn {
            let nobody = SocketAddress.loopback(port: try Loopback.freePort())
            let scene = try NameScene(servers: [nobody], { $0.queryRounds = 1 }, script: anyName)
            defer { scene.end() }
            #expect(scene.find("a.test").error?.fact == .unreachable)
            let both = try NameScene(servers: [nobody, scene.server.address])
            defer { both.end() }
            let finder = both.begin("a.test")
            for _ in 0..<10_000 where !finder.isOver {
                both.reactor.turn()
                scene.reactor.turn()
            }
            #expect(finder.all == ["10.0.0.1"])
        }
    }

    @Test func `names are searched for in the domains of the list`() async throws {
        try await withNames(
            { $0.searchDomains = ["a.test", "b.test"] },
            script: { question in
                ["db.b.test", "x.y"].contains(question.name)
                    ? anyName(question) : .reply(.noSuchName())
            }
        ) { scene in
            #expect(scene.find("db", isAbsolute: false).all == ["10.0.0.1"])
            #expect(scene.find("db", isAbsolute: false).all == ["10.0.0.1"])
            #expect(
                scene.server.questions.filter(\.isA).map(\.name) == ["db.a.test", "db.b.test"])
            // A dot at the end of a name keeps it out of the list.
            #expect(scene.find("db", isAbsolute: true).error?.fact == .noSuchName)
            #expect(scene.server.questions.filter(\.isA).map(\.name).suffix(1) == ["db"])
            #expect(scene.find("x.y", isAbsolute: false).all == ["10.0.0.1"])
            #expect(scene.server.questions.count == 8)
            #expect(scene.find("no.where", isAbsolute: false).error?.fact == .noSuchName)
            #expect(
                scene.server.questions.filter(\.isA).map(\.name).suffix(3)
                    == ["no.where", "no.where.a.test", "no.where.b.test"])
        }
    }

    @Test func `a name in the hosts file asks nothing, and a changed file is read again`()
        async throws
    {
        try await onThreadOfItsOwn {
            try withDirectory { directory in
                let path = "\(directory)/hosts"
                try Files.write("10.1.1.1 four.test FOUR\n::6 six.test\n", to: path)
                let scene = try NameScene(
                    {
                        $0.hostsPath = path
                        $0.fileCheckInterval = 0
                    }, script: anyName)
                defer { scene.end() }
                #expect(scene.find("four.test").all == ["10.1.1.1"])
                #expect(scene.find("four").all == ["10.1.1.1"])
                #expect(scene.find("six.test").all == ["::6"])
                #expect(scene.server.questions.isEmpty)
                #expect(scene.find("new.test").all == ["10.0.0.1"])
                try Files.write("10.1.1.2 four.test\n10.1.1.3 new.test\n", to: path)
                #expect(scene.find("four.test").all == ["10.1.1.2"])
                #expect(scene.find("new.test").all == ["10.1.1.3"])
                #expect(scene.find("six.test").all == ["10.0.0.1"])
                #expect(unlink(path) == 0)
                #expect(scene.find("four.test").all == ["10.0.0.1"])
            }
        }
    }

    /// A file that is looked at once a second costs the requests in between nothing.
    @Test func `a look at the hosts file is believed for a while`() async throws {
        try await onThreadOfItsOwn {
            try withDirectory { directory in
                let path = "\(directory)/hosts"
                try Files.write("10.1.1.1 a.test\n", to: path)
                let scene = try NameScene(
                    {
                        $0.hostsPath = path
                        $0.fileCheckInterval = .max
                    }, script: anyName)
                defer { scene.end() }
                #expect(scene.find("a.test").all == ["10.1.1.1"])
                try Files.write("10.1.1.22 a.test\n", to: path)
                #expect(scene.find("a.test").all == ["10.1.1.1"])
            }
        }
    }

    /// resolv.conf can't name a port: port 53 of an address of this machine is never asked here,
    /// so the change is seen by what is searched.
    @Test func `a changed resolv.conf makes a new channel and lets the old one finish`()
        async throws
    {
        try await onThreadOfItsOwn {
            try withDirectory { directory in
                let path = "\(directory)/resolv.conf"
                try Files.write("search old.test\n", to: path)
                let scene = try NameScene({
                    $0.resolvConfPath = path
                    $0.searchDomains = nil
                    $0.fileCheckInterval = 0
                }) { question in
                    question.name.hasPrefix("slow")
                        ? .held(.addresses(["10.0.0.9"], to: question)) : anyName(question)
                }
                defer { scene.end() }
                #expect(scene.find("a", isAbsolute: false).all == ["10.0.0.1"])
                #expect(scene.names.cachedNames == 1)
                let slow = scene.begin("slow", isAbsolute: false)
                scene.wait { scene.server.count("slow.old.test") == 2 }
                try Files.write("search new.test\noptions timeout:1\n", to: path)
                // The cache belonged to the old servers.
                #expect(scene.find("a", isAbsolute: false).all == ["10.0.0.1"])
                #expect(scene.server.count("a.new.test", type: 1) == 1)
                #expect(!slow.isOver)
                scene.server.release()
                scene.wait { slow.isOver }
                #expect(slow.all == ["10.0.0.9"])
                #expect(scene.find("b", isAbsolute: false).all == ["10.0.0.1"])
                #expect(scene.server.count("b.new.test", type: 1) == 1)
            }
        }
    }
}
