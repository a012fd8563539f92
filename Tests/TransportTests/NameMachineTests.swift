// The lookup machine and the cache: every state meets every event, on no clock but the test's.

import FetchTime
import FetchTransport
import Testing

private let found = FamilyAnswer.addresses([.ipv4(1)], seconds: 60)
private let nothing = FamilyAnswer.nothing(noSuchName: true, seconds: nil)
private let failed = FamilyAnswer.failed(.serverFailure, [])
private let silent = FamilyAnswer.failed(.timedOut, [])

@Suite struct SearchedLookupTests {
    /// A lookup of two candidates, in each of its states.
    private func lookup(_ answers: FamilyAnswer...) -> SearchedLookup {
        var lookup = SearchedLookup(["a.x", "a"])
        for (family, answer) in zip([AddressFamily.ipv6, .ipv4], answers) {
            _ = lookup.answered(family, answer)
        }
        return lookup
    }

    @Test(arguments: [found, nothing, failed, silent])
    func `while asking, addresses are told and anything else waits`(answer: FamilyAnswer) {
        var lookup = lookup()
        let actions = lookup.answered(.ipv4, answer)
        #expect(actions == (answer == found ? [.tell(.ipv4, found)] : []))
        #expect(lookup.state == (answer == found ? .found(.ipv4) : .half(.ipv4, answer)))
    }

    @Test(arguments: [
        (nothing, nothing, true), (nothing, failed, true), (failed, failed, true),
        (nothing, silent, false), (silent, nothing, false), (silent, silent, false),
        (failed, silent, false),
    ])
    func `without addresses the next name is asked for, but not after silence`(
        one: FamilyAnswer, other: FamilyAnswer, goesOn: Bool
    ) {
        var lookup = lookup(one)
        let actions = lookup.answered(.ipv4, other)
        if goesOn {
            #expect(actions == [.ask("a")])
            #expect(lookup.state == .asking)
        } else {
            #expect(actions == [.tell(.ipv6, one), .tell(.ipv4, other)])
            #expect(lookup.state == .ended)
        }
    }

    @Test(arguments: [nothing, failed, silent])
    func `one family's addresses end the search whatever the other one said`(before: FamilyAnswer) {
        var lookup = lookup(before)
        #expect(
            lookup.answered(.ipv4, found) == [.tell(.ipv6, before), .tell(.ipv4, found)])
        #expect(lookup.state == .ended)
        #expect(lookup.candidate == "a.x")
    }

    @Test(arguments: [found, nothing, failed, silent])
    func `after addresses, whatever comes of the other family is told`(answer: FamilyAnswer) {
        var lookup = lookup(found)
        #expect(lookup.answered(.ipv4, answer) == [.tell(.ipv4, answer)])
        #expect(lookup.state == .ended)
    }

    @Test(arguments: [found, nothing, failed, silent])
    func `a family that was answered is not heard again`(answer: FamilyAnswer) {
        var half = lookup(nothing)
        #expect(half.answered(.ipv6, answer).isEmpty)
        #expect(half.state == .half(.ipv6, nothing))
        var full = lookup(found)
        #expect(full.answered(.ipv6, answer).isEmpty)
        var ended = lookup(found, nothing)
        #expect(ended.answered(.ipv4, answer).isEmpty)
        #expect(ended.answered(.ipv6, answer).isEmpty)
        #expect(ended.state == .ended)
    }

    @Test func `the last name ends the search`() {
        var lookup = lookup(nothing, nothing)
        #expect(lookup.candidate == "a")
        #expect(lookup.answered(.ipv6, nothing).isEmpty)
        #expect(lookup.answered(.ipv4, nothing) == [.tell(.ipv6, nothing), .tell(.ipv4, nothing)])
    }

    @Test func `a name that failed is not said not to exist`() {
        var lookup = lookup(failed, nothing)
        _ = lookup.answered(.ipv6, nothing)
        #expect(lookup.answered(.ipv4, nothing) == [.tell(.ipv6, failed), .tell(.ipv4, failed)])
    }
}

@Suite struct NameCacheTests {
    private let start = Instant(nanoseconds: 1_000)

    private func known(_ number: UInt32) -> CachedName { CachedName(ipv4: [.ipv4(number)]) }

    private func cache(most: Int, _ names: Int) -> NameCache {
        var cache = NameCache(most: most)
        for number in 0..<names {
            cache.keep(
                known(UInt32(number)), of: "n\(number)", until: start + .seconds(10), uses: 0,
                now: start)
        }
        return cache
    }

    @Test func `a name is known until it expires, and not at that very moment`() {
        var cache = cache(most: 10, 1)
        let end = start + .seconds(10)
        #expect(cache.find("n0", now: end.adding(nanoseconds: -1))?.known == known(0))
        #expect(cache.find("n0", now: end) == nil)
        #expect(cache.count == 0)
    }

    @Test func `what has expired already is not kept`() {
        var cache = NameCache(most: 10)
        cache.keep(known(1), of: "a", until: start, uses: 0, now: start)
        #expect(cache.count == 0)
        var none = NameCache(most: 0)
        none.keep(known(1), of: "a", until: start + .seconds(1), uses: 0, now: start)
        #expect(none.count == 0)
    }

    @Test func `the least recently used name makes room`() {
        var cache = cache(most: 3, 3)
        _ = cache.find("n0", now: start)
        cache.keep(known(9), of: "new", until: start + .seconds(1), uses: 0, now: start)
        #expect(cache.count == 3)
        #expect(cache.find("n1", now: start) == nil)
        for name in ["n0", "n2", "new"] { #expect(cache.find(name, now: start) != nil) }
    }

    @Test func `it never holds more names than it may`() {
        var cache = cache(most: 100, 10_000)
        #expect(cache.count == 100)
        for number in 0..<10_000 {
            #expect((cache.find("n\(number)", now: start) != nil) == (number >= 9_900))
        }
        cache.removeAll()
        #expect(cache.count == 0)
        #expect(cache.find("n9999", now: start) == nil)
    }

    @Test func `each who asks is told how often that was done before`() {
        var cache = NameCache(most: 3)
        cache.keep(known(1), of: "a", until: start + .seconds(1), uses: 4, now: start)
        #expect((4...8).map { _ in cache.find("a", now: start)?.uses ?? -1 } == [4, 5, 6, 7, 8])
        cache.keep(known(2), of: "a", until: start + .seconds(1), uses: 0, now: start)
        #expect(cache.find("a", now: start)?.known == known(2))
        #expect(cache.count == 1)
    }
}
