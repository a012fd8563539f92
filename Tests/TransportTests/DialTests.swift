// A dial on virtual time over a network in memory: the name, the race, the policy, and what is told
// when.

import FetchReactor
import FetchTime
import FetchTransport
import Synchronization
import TestSupport
import Testing

private func listed(_ error: ConnectError?) -> [String] {
    guard case .failed(let failures) = error else { return ["\(String(describing: error))"] }
    return failures.map { "\($0.address): \($0.failure)" }
}

@Suite struct DialTests {
    @Test func `a literal is connected to at once, with no timer and no lookup`() throws {
        let scene = try DialScene()
        let (dial, caller) = scene.dial("10.0.0.1")
        #expect(!dial.isResolving)
        #expect(scene.tried == ["10.0.0.1"])
        scene.pass(30)
        scene.network.streams[0].accept()
        #expect(caller.count == 1)
        #expect(caller.stream?.peer == SocketAddress(literal: "10.0.0.1", port: 80))
        #expect(caller.times?.dns == 0)
        #expect(caller.times?.connect == 30_000_000)
        #expect(caller.resolvedAt == nil)
        #expect(scene.resolver.count == 0)
    }

    @Test func `a name is resolved, then its addresses are raced`() throws {
        let scene = try DialScene()
        let (dial, caller) = scene.dial()
        #expect(dial.isResolving)
        scene.pass(20)
        scene.answer("10.0.0.1", "10.0.0.2", "::1")
        #expect(!dial.isResolving)
        #expect(caller.resolvedAt != nil)
        #expect(scene.tried == ["::1"])
        scene.pass(500)
        #expect(scene.tried == ["::1", "10.0.0.1", "10.0.0.2"])
        scene.network.streams[1].accept()
        // Losers are closed in the same turn, the winner has no handler of ours any more.
        #expect(scene.tried == ["-::1", "10.0.0.1", "-10.0.0.2"])
        #expect(scene.network.streams[1].handler == nil)
        #expect(caller.count == 1)
        #expect(caller.times?.dns == 20_000_000)
        #expect(caller.times?.connect == 500_000_000)
        scene.pass(10_000)
        #expect(caller.count == 1)
    }

    @Test func `an address that does not answer costs a live one 250 ms`() throws {
        let scene = try DialScene()
        scene.network.fate = { $0.hostText == "::1" ? .hangs : .connects }
        let (_, caller) = scene.dial()
        scene.answer("::1", "10.0.0.1")
        scene.pass(249)
        #expect(caller.count == 0)
        scene.pass(1)
        #expect(caller.stream?.peer.hostText == "10.0.0.1")
        #expect(scene.milliseconds == 250)
        #expect(scene.tried == ["-::1", "10.0.0.1"])
    }

    @Test func `refusals of all addresses fail at once, each listed`() throws {
        let scene = try DialScene()
        scene.network.fate = { _ in .fails(.refused) }
        let (_, caller) = scene.dial()
        scene.answer("10.0.0.1", "10.0.0.2", "::1")
        #expect(scene.milliseconds == 0)
        #expect(
            listed(caller.error) == [
                "[::1]:80: connection refused", "10.0.0.1:80: connection refused",
                "10.0.0.2:80: connection refused",
            ])
        #expect(scene.network.open.isEmpty)
    }

    @Test func `what is known of a name is used at once`() throws {
        let scene = try DialScene()
        scene.network.fate = { _ in .connects }
        _ = scene.dial()
        scene.answer("10.0.0.1")
        let (dial, caller) = scene.dial()
        #expect(!dial.isResolving)
        #expect(caller.stream != nil)
        #expect(caller.times?.dns == 0)
        #expect(scene.resolver.count == 1)
    }

    @Test func `a name without addresses fails with its reason`() throws {
        let scene = try DialScene()
        let (dial, caller) = scene.dial()
        scene.pass(5)
        scene.resolver.answer?.finish()
        scene.reactor.runUntilIdle()
        #expect(
            caller.error == .nameNotResolved(NameError(.noSuchName, of: "a.test")))
        #expect(caller.times?.dns == 5_000_000 && caller.times?.connect == 0)
        #expect(dial.isResolving)
        let (_, again) = scene.dial("a.invalid")
        #expect(again.error == .nameNotResolved(NameError(.noSuchName, of: "a.invalid")))
        #expect(again.count == 1)
    }

    @Test func `a cancelled dial tells nothing and holds nothing`() throws {
        let scene = try DialScene()
        let (resolving, unresolved) = scene.dial()
        resolving.cancel()
        let (racing, raced) = scene.dial()
        scene.answer("10.0.0.1", "::1")
        scene.pass(300)
        #expect(scene.network.open.count == 2)
        racing.cancel()
        #expect(scene.network.open.isEmpty)
        scene.pass(10_000)
        #expect(unresolved.count == 0 && raced.count == 0)
        #expect(scene.network.streams.count == 2)
    }

    @Test func `an address that the policy refuses is never connected to`() throws {
        let scene = try DialScene(.publicInternetOnly)
        let (_, caller) = scene.dial()
        scene.answer("127.0.0.1", "::1", "10.0.0.1")
        #expect(scene.network.streams.isEmpty)
        #expect(
            listed(caller.error) == [
                "[::1]:80: address refused by policy", "127.0.0.1:80: address refused by policy",
                "10.0.0.1:80: address refused by policy",
            ])
        let (_, literal) = scene.dial("169.254.169.254")
        #expect(listed(literal.error) == ["169.254.169.254:80: address refused by policy"])
        let (_, local) = scene.dial("localhost")
        #expect(listed(local.error).count == 2)
        #expect(scene.network.streams.isEmpty)
    }

    @Test func `one that it permits is connected to though others are refused`() throws {
        let scene = try DialScene(.publicInternetOnly)
        scene.network.fate = { _ in .connects }
        let (_, caller) = scene.dial()
        scene.answer("127.0.0.1", "93.184.216.34", "::1")
        #expect(caller.stream?.peer.hostText == "93.184.216.34")
        #expect(scene.tried == ["93.184.216.34"])
    }

    /// The name's second answer is local: it is held against the policy like the first one.
    @Test func `a rebound name is refused`() throws {
        let scene = try DialScene(.publicInternetOnly)
        scene.network.fate = { _ in .connects }
        let (_, first) = scene.dial()
        scene.answer("93.184.216.34")
        #expect(first.stream != nil)
        scene.pass(61_000)
        let (_, second) = scene.dial()
        #expect(scene.resolver.count == 2)
        scene.answer("127.0.0.1")
        #expect(listed(second.error) == ["127.0.0.1:80: address refused by policy"])
        #expect(scene.tried == ["93.184.216.34"])
    }

    @Test func `the policy is asked for every attempt, about that very address`() throws {
        let asked = Mutex<[String]>([])
        let scene = try DialScene(
            .custom { address in
                asked.withLock { $0.append("\(address)") }
                return true
            })
        let (dial, _) = scene.dial()
        defer { dial.cancel() }
        scene.answer("10.0.0.1", "::1")
        scene.pass(250)
        #expect(asked.withLock { $0 } == ["[::1]:80", "10.0.0.1:80"])
        #expect(scene.tried == ["::1", "10.0.0.1"])
    }
}
