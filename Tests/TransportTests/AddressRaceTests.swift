// The address race (RFC 8305) as a value: the test is its clock and its network.

import FetchReactor
import FetchTime
import FetchTransport
import Testing

/// A race that is obeyed by writing down what it says.
private struct Run {
    var race: AddressRace
    var now = Instant(nanoseconds: 0)
    var log: [String] = []
    var wait: Instant?

    init(_ race: AddressRace) {
        self.race = race
        obey()
    }

    init() { self.init(AddressRace(port: 80, delays: .init())) }

    var milliseconds: Int64 { now.nanoseconds / 1_000_000 }

    mutating func obey() {
        while true {
            switch race.next(now: now) {
            case .connect(let number, let address):
                log.append("\(milliseconds) connect \(number) \(address.hostText)")
            case .wait(let until):
                wait = until
                return
            case .succeed(let number):
                log.append("\(milliseconds) succeed \(number)")
                wait = nil
                return
            case .fail(.nameNotResolved(let error)):
                log.append("\(milliseconds) not resolved: \(error.fact)")
                return
            case .fail(.failed(let failures)):
                let list = failures.map { "\($0.address.hostText) \($0.failure)" }
                log.append("\(milliseconds) failed: \(list.joined(separator: ", "))")
                return
            }
        }
    }

    /// Time passes; the race is asked whenever it wanted to be.
    mutating func pass(_ milliseconds: Int64) {
        let end = now.adding(nanoseconds: milliseconds * 1_000_000)
        while let due = wait, due <= end {
            now = due
            obey()
        }
        now = end
    }

    mutating func ipv6(_ literals: String...) {
        race.found(.ipv6, literals.map { Run.host($0) })
        obey()
    }

    mutating func ipv4(_ literals: String...) {
        race.found(.ipv4, literals.map { Run.host($0) })
        obey()
    }

    mutating func connected(_ number: Int) {
        race.connected(number)
        obey()
    }

    mutating func failed(_ number: Int, _ failure: ConnectFailure = .refused) {
        race.failed(number, failure)
        obey()
    }

    mutating func ended(_ fact: NameError.Fact? = nil) {
        race.resolutionEnded(fact.map { NameError($0, of: "a.test") })
        obey()
    }

    static func host(_ literal: String) -> SocketAddress.Host {
        SocketAddress(literal: literal, port: 0)?.host ?? .ipv4(0)
    }
}

@Suite struct AddressRaceTests {
    @Test func `IPv6 begins at once`() {
        var run = Run()
        run.pass(7)
        run.ipv6("::6")
        #expect(run.log == ["7 connect 0 ::6"])
        #expect(run.race.hasBegun)
    }

    @Test func `IPv4 waits 50 ms for IPv6`() {
        var run = Run()
        run.ipv4("10.0.0.4")
        run.pass(49)
        #expect(run.log.isEmpty)
        #expect(!run.race.hasBegun)
        run.pass(1)
        #expect(run.log == ["50 connect 0 10.0.0.4"])
    }

    @Test func `IPv6 that comes within the delay goes first`() {
        var run = Run()
        run.ipv4("10.0.0.4")
        run.pass(30)
        run.ipv6("::6")
        run.pass(250)
        #expect(run.log == ["30 connect 0 ::6", "280 connect 1 10.0.0.4"])
    }

    @Test func `IPv4 does not wait once there is no IPv6`() {
        var run = Run()
        run.ipv4("10.0.0.4")
        run.pass(5)
        run.ipv6()
        #expect(run.log == ["5 connect 0 10.0.0.4"])
        var other = Run()
        other.ipv6()
        other.ipv4("10.0.0.4")
        #expect(other.log == ["0 connect 0 10.0.0.4"])
    }

    @Test func `families take turns, a new attempt every 250 ms`() {
        var run = Run()
        run.ipv6("::1", "::2", "::3")
        run.ipv4("10.0.0.1", "10.0.0.2")
        run.pass(2_000)
        #expect(
            run.log == [
                "0 connect 0 ::1", "250 connect 1 10.0.0.1", "500 connect 2 ::2",
                "750 connect 3 10.0.0.2", "1000 connect 4 ::3",
            ])
        #expect(run.wait == nil)
    }

    @Test func `a failure begins the next attempt at once, and its delay anew`() {
        var run = Run()
        run.ipv6("::1", "::2")
        run.ipv4("10.0.0.1")
        run.pass(100)
        run.failed(0)
        run.pass(249)
        #expect(run.log == ["0 connect 0 ::1", "100 connect 1 10.0.0.1"])
        run.pass(1)
        #expect(run.log.last == "350 connect 2 ::2")
    }

    @Test func `the first to connect wins, and only the first`() {
        var run = Run()
        run.ipv6("::1")
        run.ipv4("10.0.0.1")
        run.pass(250)
        run.connected(1)
        #expect(run.log.last == "250 succeed 1")
        #expect(run.race.state == .ended)
        run.connected(0)
        run.failed(0)
        run.pass(1_000)
        #expect(run.log.count == 3)
    }

    @Test func `when all have failed each is listed in the order of the attempts`() {
        var run = Run()
        run.ipv6("::1", "::2")
        run.ipv4("10.0.0.1")
        run.ended()
        run.pass(250)
        run.failed(1, .timedOut)
        run.failed(2)
        run.failed(0, .unreachable(.failed(.connect, errno: 101)))
        let last = run.log.last ?? ""
        #expect(last.hasPrefix("250 failed: ::1 unreachable"))
        #expect(last.hasSuffix("10.0.0.1 timed out, ::2 connection refused"))
    }

    @Test func `refusals of all fail at once`() {
        var run = Run()
        run.ipv6("::1")
        run.ipv4("10.0.0.1", "10.0.0.2")
        run.ended()
        for number in 0...2 { run.failed(number) }
        #expect(run.log.count == 4)
        #expect(run.milliseconds == 0)
        #expect(run.log.last?.hasPrefix("0 failed: ") == true)
    }

    @Test func `when one family has failed the other one is waited for`() {
        var run = Run()
        run.ipv6("::1")
        run.failed(0)
        #expect(run.log == ["0 connect 0 ::1"])
        run.pass(3_000)
        run.ipv4("10.0.0.1")
        #expect(run.log.last == "3000 connect 1 10.0.0.1")
        run.failed(1)
        run.ended()
        #expect(run.log.last == "3000 failed: ::1 connection refused, 10.0.0.1 connection refused")
    }

    @Test func `the other family's end ends the race if all has failed`() {
        var run = Run()
        run.ipv6("::1")
        run.failed(0)
        run.ended(.timedOut)
        #expect(run.log.last == "0 failed: ::1 connection refused")
    }

    @Test func `IPv6 that comes late has the next turn`() {
        var run = Run()
        run.ipv4("10.0.0.1", "10.0.0.2")
        run.pass(100)
        run.ipv6("::1")
        run.pass(200)
        #expect(run.log == ["50 connect 0 10.0.0.1", "300 connect 1 ::1"])
        // And at once, if the attempt before had its time.
        var late = Run()
        late.ipv4("10.0.0.1")
        late.pass(1_000)
        late.ipv6("::1")
        #expect(late.log.last == "1000 connect 1 ::1")
    }

    @Test func `a name without addresses fails with its reason`() {
        var run = Run()
        run.ipv6()
        run.ipv4()
        run.ended(.noSuchName)
        #expect(run.log == ["0 not resolved: noSuchName"])
        var silent = Run()
        silent.ended(.timedOut)
        #expect(silent.log == ["0 not resolved: timedOut"])
    }

    @Test func `listed addresses are tried in their order`() {
        let list = ["10.0.0.1", "10.0.0.2", "::1"]
            .compactMap { SocketAddress(literal: $0, port: 80) }
        var run = Run(AddressRace(list, delays: .init()))
        run.pass(1_000)
        #expect(
            run.log == [
                "0 connect 0 10.0.0.1", "250 connect 1 10.0.0.2", "500 connect 2 ::1",
            ])
        run.failed(0)
        run.failed(1)
        run.connected(2)
        #expect(run.log.last == "1000 succeed 2")
    }

    @Test func `one listed address needs no timer`() {
        var run = Run(AddressRace([.loopback(port: 80)], delays: .init()))
        #expect(run.log == ["0 connect 0 127.0.0.1"])
        #expect(run.wait == nil)
        run.failed(0)
        #expect(run.log.last == "0 failed: 127.0.0.1 connection refused")
    }

    /// The states, each as it is reached.
    private static let states: [@Sendable () -> Run] = [
        { Run() },
        {
            var run = Run()
            run.ipv4("10.0.0.1")
            return run
        },
        {
            var run = Run()
            run.ipv6("::1", "::2")
            return run
        },
        {
            var run = Run()
            run.ipv6("::1")
            run.failed(0)
            return run
        },
        {
            var run = Run()
            run.ipv6("::1")
            run.connected(0)
            return run
        },
        {
            var run = Run()
            run.ended(.noSuchName)
            return run
        },
    ]

    private static let events: [@Sendable (inout Run) -> Void] = [
        { $0.ipv6("::8") }, { $0.ipv6() }, { $0.ipv4("10.0.0.8") }, { $0.ipv4() },
        { $0.ended() }, { $0.ended(.timedOut) }, { $0.connected(0) }, { $0.connected(9) },
        { $0.failed(0) }, { $0.failed(9) }, { $0.pass(50) }, { $0.pass(1_000) },
    ]

    /// Any event in any state, and any second one behind it: nothing ends twice, nothing begins
    /// after the end, and a race that waits for nothing has something on its way.
    @Test func `every state meets every pair of events`() {
        for state in Self.states {
            for first in Self.events {
                for second in Self.events {
                    var run = state()
                    first(&run)
                    second(&run)
                    run.pass(5_000)
                    let ends = run.log.count { $0.contains("succeed") || $0.contains("ed: ") }
                    #expect(ends <= 1)
                    if ends == 1 {
                        #expect(run.race.state == .ended)
                        #expect(run.log.last?.contains("connect ") == false)
                    }
                    let connects = run.log.filter { $0.contains("connect ") }
                    #expect(Set(connects).count == connects.count)
                }
            }
        }
    }
}
