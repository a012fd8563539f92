// Sessions that are taken up, and those that must not be.

import FetchBytes
import FetchTLS
import TestSupport
import Testing

/// Hands shaken, tickets taken, and a goodbye.
@discardableResult
private func visit(_ stage: Stage) -> Bool {
    #expect(stage.shakeHands() == .done)
    #expect(stage.readAll().0 == .needsInput)
    stage.client.close(to: stage.output)
    stage.carryToServer()
    return stage.client.isResumed
}

private func stage(version: Int, _ change: (inout TLSConfiguration) -> Void = { _ in }) throws
    -> Stage
{
    var settings = TestTLSServer.Settings(Given.good)
    settings.newestVersion = version
    var configuration = Given.configuration
    change(&configuration)
    return try Stage(configuration, settings)
}

@Suite struct ResumptionTests {
    @Test(arguments: [12, 13])
    func `the second connection takes up the first one's session, and so on`(version: Int) throws {
        let stage = try stage(version: version)
        #expect(!visit(stage))
        for _ in 0..<10 {
            try stage.reconnect()
            #expect(visit(stage))
        }
        #expect(stage.server.accepted == 11)
        #expect(stage.server.resumed == 10)
        #expect(stage.client.peerCertificate?.subject == "CN=good.test")
    }

    @Test func `a ticket of TLS 1.3 is used once, a session of TLS 1.2 as often as wanted`() throws
    {
        let new = try stage(version: 13)
        visit(new)
        #expect(new.context.keptSessions == 2)
        // Connections that are opened together, before either brings a ticket.
        var resumed: [Bool] = []
        for _ in 0..<3 {
            try new.reconnect()
            new.shakeHands()
            resumed.append(new.client.isResumed)
        }
        #expect(resumed == [true, true, false])
        let old = try stage(version: 12)
        visit(old)
        #expect(old.context.keptSessions == 1)
        for _ in 0..<3 {
            try old.reconnect()
            old.shakeHands()
            #expect(old.client.isResumed)
        }
    }

    @Test func `a connection that was cut leaves its tickets usable`() throws {
        let stage = try stage(version: 13)
        #expect(stage.shakeHands() == .done)
        #expect(stage.readAll().0 == .needsInput)
        stage.client.inputEnded()
        try stage.reconnect()
        #expect(visit(stage))
    }

    @Test func `another host, port or sent name has sessions of its own`() throws {
        let stage = try Stage(host: "a.wild.test")
        visit(stage)
        try stage.reconnect(host: "b.wild.test")
        #expect(!visit(stage))
        try stage.reconnect(port: 8_443)
        #expect(!visit(stage))
        try stage.reconnect()
        #expect(visit(stage))
    }

    @Test func `switched off, nothing is kept`() throws {
        for version in [12, 13] {
            let stage = try stage(version: version) { $0.resumesSessions = false }
            visit(stage)
            #expect(stage.context.keptSessions == 0)
            try stage.reconnect()
            #expect(!visit(stage))
        }
    }

    @Test func `no session outlives the certificate that it was made under`() throws {
        let stage = try stage(version: 13)
        visit(stage)
        try stage.reconnect(now: secondsNow() + 86_401)
        // A full handshake, which then finds the certificate expired.
        guard case .failed(.expired) = stage.shakeHands() else {
            Issue.record("an expired certificate passed")
            return
        }
    }

    @Test func `reloaded trust takes up nothing from before`() throws {
        let directory = try Files.makeTemporaryDirectory("trust")
        defer { Files.remove(directory) }
        try Files.write(Given.authority.certificatePEM, to: directory + "/ca.pem")
        let stage = try stage(version: 13) { $0.trust = .file(directory + "/ca.pem") }
        visit(stage)
        try Files.write(
            TestCertificate.authority("Stranger").certificatePEM, to: directory + "/ca.pem")
        try stage.reconnect()
        #expect(visit(stage))
        try stage.context.reloadTrust()
        try stage.reconnect()
        guard case .failed(.unknownAuthority) = stage.shakeHands() else {
            Issue.record("the old authority still counts")
            return
        }
        // What can't be read changes nothing.
        try Files.write("nothing", to: directory + "/ca.pem")
        #expect(throws: TLSFailure.self) { try stage.context.reloadTrust() }
    }

    @Test func `a connection that is older than the trust leaves no session behind`() throws {
        let stage = try stage(version: 13)
        #expect(stage.shakeHands() == .done)
        try stage.context.reloadTrust()
        // The tickets come now.
        #expect(stage.readAll().0 == .needsInput)
        #expect(stage.context.keptSessions == 0)
        try stage.reconnect()
        visit(stage)
        #expect(stage.context.keptSessions == 2)
    }

    @Test func `a server that refuses a ticket gets a full handshake`() throws {
        let first = try stage(version: 13)
        visit(first)
        // The same client meets a server with other ticket keys.
        let other = TestTLSServer(.init(Given.good))
        try first.reconnect()
        first.meet(other)
        #expect(first.shakeHands() == .done)
        #expect(!first.client.isResumed)
        #expect(other.accepted == 1)
    }

    @Test func `as many sessions are kept as the configuration says`() throws {
        let stage = try stage(version: 13) { $0.keptSessions = 3 }
        for _ in 0..<5 {
            try stage.reconnect(host: "a.wild.test")
            stage.peer.sendTicket()
            visit(stage)
            #expect(stage.context.keptSessions <= 3)
        }
        let none = try TLSContext(
            {
                var configuration = Given.configuration
                configuration.keptSessions = 0
                return configuration
            }())
        #expect(none.keptSessions == 0)
    }
}
